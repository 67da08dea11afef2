/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A port: its registers (AHCI 1.3.1, 3.3) and what they make it do: start and stop, lose and find
 * its drive. What is in flight when the host stops a port, resets its drive or the controller can
 * still write into the host's memory; so PxCMD.CR, BSY and GHC.HR stay set until it is done.
 *
 * Threads: with the controller locked.
 */
#include "ahci/ahci-private.h"

/* PxSSTS: a drive is there, the link is up at 6 Gb/s, the interface is active. */
#define SSTS_PRESENT 0x133
#define SSTS_OFFLINE 0x004

#define SCTL_DET      0x0f
#define SCTL_OFFLINE  4
#define SCTL_WRITABLE 0xfff

#define SERR_EXCHANGED 0x04000000u /* DIAG.X */
#define SERR_BITS      0x07ff0f03u

#define TFD_NO_DRIVE 0x7f
#define SIG_NONE     0xffffffffu

#define CLB_MASK      0xfffffc00u
#define FB_MASK       0xffffff00u
#define IS_CLEARABLE  0xfd80002fu /* the rest follows PxSERR */
#define IE_WRITABLE   0xfdc000ffu
#define CMD_PLAIN     (AHCI_CMD_ATAPI | AHCI_CMD_DLAE | AHCI_CMD_ALPE | AHCI_CMD_ASP)
#define CMD_READ_ONLY (AHCI_CMD_SUD | AHCI_CMD_POD) /* always: see CAP.SSS, PxCMD.CPD */

const VmmField ahci_port_fields[] = {
  VMM_EXEMPT (AhciPort, hba, "who it belongs to"),
  VMM_EXEMPT (AhciPort, number, "who it is"),
  VMM_FIELD (AhciPort, clb, VMM_FIELD_UINT32, "clb"),
  VMM_FIELD (AhciPort, clbu, VMM_FIELD_UINT32, "clbu"),
  VMM_FIELD (AhciPort, fb, VMM_FIELD_UINT32, "fb"),
  VMM_FIELD (AhciPort, fbu, VMM_FIELD_UINT32, "fbu"),
  VMM_FIELD (AhciPort, is, VMM_FIELD_UINT32, "is"),
  VMM_FIELD (AhciPort, ie, VMM_FIELD_UINT32, "ie"),
  VMM_FIELD (AhciPort, cmd, VMM_FIELD_UINT32, "cmd"),
  VMM_FIELD (AhciPort, tfd, VMM_FIELD_UINT32, "tfd"),
  VMM_FIELD (AhciPort, sig, VMM_FIELD_UINT32, "sig"),
  VMM_FIELD (AhciPort, ssts, VMM_FIELD_UINT32, "ssts"),
  VMM_FIELD (AhciPort, sctl, VMM_FIELD_UINT32, "sctl"),
  VMM_FIELD (AhciPort, serr, VMM_FIELD_UINT32, "serr"),
  VMM_FIELD (AhciPort, sact, VMM_FIELD_UINT32, "sact"),
  VMM_FIELD (AhciPort, ci, VMM_FIELD_UINT32, "ci"),
  VMM_EXEMPT (AhciPort, running, "a drained port runs none"),
  VMM_EXEMPT (AhciPort, queued, "a drained port runs none"),
  VMM_FIELD (AhciPort, kept, VMM_FIELD_UINT32, "kept"),
  VMM_EXEMPT (AhciPort, n_inflight, "a drained port has none"),
  VMM_FIELD (AhciPort, last_slot, VMM_FIELD_UINT32, "last-slot"),
  VMM_FIELD (AhciPort, halted, VMM_FIELD_BOOL, "halted"),
  VMM_FIELD (AhciPort, held, VMM_FIELD_BOOL, "held"),
  VMM_FIELD (AhciPort, soft_reset, VMM_FIELD_BOOL, "soft-reset"),
  VMM_EXEMPT (AhciPort, resetting, "a drained port is not"),
  VMM_FIELD (AhciPort, signature_due, VMM_FIELD_BOOL, "signature-due"),
  VMM_EXEMPT (AhciPort, changing, "of whoever changes the medium"),
  VMM_FIELD_PART (AhciPort, drive, ata_drive_fields, "drive"),
  VMM_FIELD_LAST,
};

static void
set_serr (AhciPort *self, guint32 serr)
{
  self->serr = serr;
  self->is &= ~AHCI_IS_PCS;
  if (serr & SERR_EXCHANGED)
    self->is |= AHCI_IS_PCS;
}

void
ahci_port_raise (AhciPort *self, guint32 is)
{
  self->is |= is;
  ahci_update_interrupt (self->hba, (is & self->ie) != 0);
}

static void
forget_commands (AhciPort *self)
{
  self->running = self->queued = self->kept = 0;
  self->held = FALSE;
}

void
ahci_port_halt (AhciPort *self, guint32 is)
{
  forget_commands (self);
  self->halted = TRUE;
  ahci_port_raise (self, is);
}

/* The first FIS after a reset says what kind of drive this is. */
static void
send_signature (AhciPort *self)
{
  const AtaResult *signature;

  if (!self->signature_due || !(self->cmd & AHCI_CMD_FR) || self->resetting)
    return;
  signature = &self->drive.klass->signature;
  self->signature_due = FALSE;
  self->sig = (guint32) signature->lba << 8 | signature->count;
  ahci_fis_send_d2h (self, signature, FALSE);
}

static void
finish_drive_reset (AhciPort *self)
{
  self->resetting = FALSE;
  self->signature_due = TRUE;
  ata_drive_reset (&self->drive, FALSE);
  send_signature (self);
}

void
ahci_port_reset_drive (AhciPort *self)
{
  if (!self->drive.klass)
    return;
  if (self->running | self->kept)
    self->halted = TRUE; /* the host has to stop the port before it can go on */
  forget_commands (self);
  self->soft_reset = FALSE;
  self->tfd = ATA_STATUS_BSY;
  self->resetting = TRUE;
  if (self->n_inflight == 0)
    finish_drive_reset (self);
}

static void
start (AhciPort *self)
{
  self->cmd |= AHCI_CMD_ST | AHCI_CMD_CR;
  self->halted = FALSE;
  self->last_slot = AHCI_N_SLOTS - 1;
  vmm_kick_ring (&self->hba->kick);
}

static void
stop (AhciPort *self)
{
  self->cmd &= ~(AHCI_CMD_ST | AHCI_CMD_CCS);
  self->ci = self->sact = 0;
  forget_commands (self);
  if (self->n_inflight == 0)
    self->cmd &= ~AHCI_CMD_CR;
}

static void
write_cmd (AhciPort *self, guint32 value)
{
  self->cmd = (self->cmd & ~CMD_PLAIN) | (value & CMD_PLAIN);
  if (value & AHCI_CMD_CLO)
    self->tfd &= ~(ATA_STATUS_BSY | ATA_STATUS_DRQ);
  self->cmd &= ~(AHCI_CMD_FRE | AHCI_CMD_FR);
  if (value & AHCI_CMD_FRE)
    self->cmd |= AHCI_CMD_FRE | AHCI_CMD_FR;
  send_signature (self);
  if (!(value & AHCI_CMD_ST) && (self->cmd & AHCI_CMD_ST))
    stop (self);
  else if ((value & AHCI_CMD_ST) && !(self->cmd & (AHCI_CMD_ST | AHCI_CMD_CR)))
    start (self);
}

static void
write_sctl (AhciPort *self, guint32 value)
{
  guint32 before = self->sctl & SCTL_DET, after = value & SCTL_DET;

  self->sctl = value & SCTL_WRITABLE;
  if (!self->drive.klass || before == after)
    return;
  if (after != 0) {
    self->ssts = after == SCTL_OFFLINE ? SSTS_OFFLINE : 0;
    return;
  }
  self->ssts = SSTS_PRESENT;
  set_serr (self, self->serr | SERR_EXCHANGED);
  ahci_port_reset_drive (self);
  ahci_update_interrupt (self->hba, (self->ie & AHCI_IS_PCS) != 0);
}

static void
write_clb (AhciPort *self, guint32 value)
{
  self->clb = value & CLB_MASK;
}

static void
write_clbu (AhciPort *self, guint32 value)
{
  self->clbu = value;
}

static void
write_fb (AhciPort *self, guint32 value)
{
  self->fb = value & FB_MASK;
}

static void
write_fbu (AhciPort *self, guint32 value)
{
  self->fbu = value;
}

static void
write_is (AhciPort *self, guint32 value)
{
  self->is &= ~(value & IS_CLEARABLE);
  ahci_update_interrupt (self->hba, FALSE);
}

static void
write_ie (AhciPort *self, guint32 value)
{
  guint32 added = value & ~self->ie;

  self->ie = value & IE_WRITABLE;
  ahci_update_interrupt (self->hba, (self->is & added) != 0);
}

static void
write_serr (AhciPort *self, guint32 value)
{
  set_serr (self, self->serr & ~(value & SERR_BITS));
  ahci_update_interrupt (self->hba, FALSE);
}

static void
write_sact (AhciPort *self, guint32 value)
{
  if (self->cmd & AHCI_CMD_ST)
    self->sact |= value;
}

static void
write_ci (AhciPort *self, guint32 value)
{
  if (!(self->cmd & AHCI_CMD_ST))
    return;
  self->ci |= value;
  vmm_kick_ring (&self->hba->kick);
}

/* By offset: 3.3.1 to 3.3.14. What is not here reads 0. */
static const struct {
  const char *name;
  gsize member;
  void (*write) (AhciPort *self, guint32 value); /* NULL: read only */
  gboolean bits; /* what is written sets or clears bits; the others are not touched by it */
} registers[] = {
  { "PxCLB", G_STRUCT_OFFSET (AhciPort, clb), write_clb, FALSE },
  { "PxCLBU", G_STRUCT_OFFSET (AhciPort, clbu), write_clbu, FALSE },
  { "PxFB", G_STRUCT_OFFSET (AhciPort, fb), write_fb, FALSE },
  { "PxFBU", G_STRUCT_OFFSET (AhciPort, fbu), write_fbu, FALSE },
  { "PxIS", G_STRUCT_OFFSET (AhciPort, is), write_is, TRUE },
  { "PxIE", G_STRUCT_OFFSET (AhciPort, ie), write_ie, FALSE },
  { "PxCMD", G_STRUCT_OFFSET (AhciPort, cmd), write_cmd, FALSE },
  { NULL, 0, NULL, FALSE },
  { "PxTFD", G_STRUCT_OFFSET (AhciPort, tfd), NULL, FALSE },
  { "PxSIG", G_STRUCT_OFFSET (AhciPort, sig), NULL, FALSE },
  { "PxSSTS", G_STRUCT_OFFSET (AhciPort, ssts), NULL, FALSE },
  { "PxSCTL", G_STRUCT_OFFSET (AhciPort, sctl), write_sctl, FALSE },
  { "PxSERR", G_STRUCT_OFFSET (AhciPort, serr), write_serr, TRUE },
  { "PxSACT", G_STRUCT_OFFSET (AhciPort, sact), write_sact, TRUE },
  { "PxCI", G_STRUCT_OFFSET (AhciPort, ci), write_ci, TRUE },
};

guint32
ahci_port_read (AhciPort *self, guint offset)
{
  guint number = offset / 4;

  if (number >= G_N_ELEMENTS (registers) || !registers[number].name)
    return 0;
  return G_STRUCT_MEMBER (guint32, self, registers[number].member);
}

void
ahci_port_write (AhciPort *self, guint offset, guint32 value, guint32 mask)
{
  guint number = offset / 4;

  if (number >= G_N_ELEMENTS (registers) || !registers[number].write)
    return;
  value &= mask;
  if (!registers[number].bits)
    value |= ahci_port_read (self, offset) & ~mask;
  registers[number].write (self, value);
}

void
ahci_port_one_less_in_flight (AhciPort *self)
{
  self->n_inflight--;
  if (self->n_inflight > 0)
    return;
  if (!(self->cmd & AHCI_CMD_ST))
    self->cmd &= ~AHCI_CMD_CR;
  if (self->resetting)
    finish_drive_reset (self);
  ahci_port_is_idle (self->hba);
}

void
ahci_port_reset (AhciPort *self, gboolean cold)
{
  gboolean present = self->drive.klass != NULL;

  forget_commands (self);
  self->clb = self->clbu = self->fb = self->fbu = 0;
  self->is = self->ie = 0;
  self->sctl = self->sact = self->ci = 0;
  self->last_slot = AHCI_N_SLOTS - 1;
  self->cmd = CMD_READ_ONLY;
  self->halted = self->soft_reset = self->resetting = FALSE;
  self->signature_due = present;
  self->ssts = present ? SSTS_PRESENT : 0;
  self->tfd = present ? ATA_STATUS_BSY : TFD_NO_DRIVE;
  self->sig = SIG_NONE;
  set_serr (self, present ? SERR_EXCHANGED : 0);
  if (present)
    ata_drive_reset (&self->drive, cold);
}

void
ahci_port_init (AhciPort *self, Ahci *hba, guint number)
{
  self->hba = hba;
  self->number = number;
  ahci_port_reset (self, TRUE);
}

/* Only what registers can hold; what is wrong within that harms nobody but the guest. */
void
ahci_port_loaded (AhciPort *self)
{
  gboolean present = self->drive.klass != NULL;

  self->clb &= CLB_MASK;
  self->fb &= FB_MASK;
  self->is &= IS_CLEARABLE;
  self->ie &= IE_WRITABLE;
  self->cmd &= CMD_PLAIN | AHCI_CMD_ST | AHCI_CMD_CCS | AHCI_CMD_FRE;
  self->cmd |= CMD_READ_ONLY | (self->cmd & AHCI_CMD_ST ? AHCI_CMD_CR : 0) |
               (self->cmd & AHCI_CMD_FRE ? AHCI_CMD_FR : 0);
  self->sctl &= SCTL_WRITABLE;
  self->running = self->queued = 0;
  self->kept &= self->ci | self->sact;
  self->last_slot %= AHCI_N_SLOTS;
  self->resetting = FALSE;
  self->signature_due = self->signature_due && present;
  set_serr (self, self->serr & SERR_BITS);
  if (present)
    ata_drive_loaded (&self->drive);
}
