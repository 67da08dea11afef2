/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The way of a command: out of the command list (AHCI 1.3.1, 4.2.2), to the drive, and back as a
 * FIS. Commands begin in the order of their slots, starting behind the last one. A queued command
 * (NCQ) runs beside other queued ones; every other command runs alone.
 *
 * A command whose requests must wait (the machine is paused, its disk is full) is forgotten but for
 * its slot, and begun anew: the command list still has it.
 *
 * Threads: loop, with the controller locked.
 */
#include <string.h>

#include "ahci/ahci-private.h"

#define HEADER_SIZE    32
#define HEADER_CFL     0x1f /* dwords of the FIS */
#define HEADER_RESET   0x100
#define REGISTER_CFL   5
#define TABLE_ALIGN    G_GUINT64_CONSTANT (0x80)
#define TABLE_PACKET   0x40
#define TABLE_PRDT     0x80
#define REGISTER_BYTES 20
#define TAG_SHIFT      3 /* in the count register of a queued command */

/* What comes first in a command header. */
typedef struct {
  guint16 flags, n_entries;
  guint32 moved; /* PRDBC */
  guint32 table_low, table_high;
} Header;

static VmmMemory *
memory_of (AhciPort *self)
{
  return self->hba->parent.parent.board->memory;
}

static guint64
header_address (AhciPort *self, guint slot)
{
  return ((guint64) self->clbu << 32 | self->clb) + HEADER_SIZE * slot;
}

static AtaCommand *
take_spare (AhciPort *self, guint slot)
{
  GPtrArray *spare = self->hba->spare;
  AtaCommand *command =
    spare->len > 0 ? g_ptr_array_steal_index_fast (spare, spare->len - 1) : g_new (AtaCommand, 1);

  memset (command, 0, G_STRUCT_OFFSET (AtaCommand, iov));
  command->port = self;
  command->slot = slot;
  return command;
}

void
ahci_command_forget (AtaCommand *command)
{
  g_free (command->ranges);
  g_ptr_array_add (command->port->hba->spare, command);
}

gboolean
ahci_command_is_running (AtaCommand *command)
{
  return (command->port->running >> command->slot & 1) != 0;
}

static void
stop_running (AtaCommand *command)
{
  command->port->running &= ~(1u << command->slot);
  command->port->queued &= ~(1u << command->slot);
}

void
ahci_command_keep (AtaCommand *command)
{
  stop_running (command);
  command->port->kept |= 1u << command->slot;
  ahci_command_forget (command);
}

gboolean
ahci_port_must_rest (AhciPort *self)
{
  return self->hba->drained || self->changing;
}

/* FALSE, and the port halts, where the host broke the rules. */
static gboolean
read_command (AhciPort *self, AtaCommand *command, gboolean *is_command)
{
  guint8 fis[REGISTER_BYTES];
  Header header;
  guint64 table;

  if (!vmm_memory_read (memory_of (self), header_address (self, command->slot), &header,
                        sizeof header)) {
    ahci_port_halt (self, AHCI_IS_HBFS);
    return FALSE;
  }
  table =
    ((guint64) GUINT32_FROM_LE (header.table_high) << 32 | GUINT32_FROM_LE (header.table_low)) &
    ~(TABLE_ALIGN - 1);
  if (!vmm_memory_read (memory_of (self), table, fis, sizeof fis) ||
      !vmm_memory_read (memory_of (self), table + TABLE_PACKET, command->packet,
                        sizeof command->packet)) {
    ahci_port_halt (self, AHCI_IS_HBFS);
    return FALSE;
  }
  command->prdt.table = table + TABLE_PRDT;
  command->prdt.n_entries = GUINT16_FROM_LE (header.n_entries);
  if ((GUINT16_FROM_LE (header.flags) & HEADER_CFL) == REGISTER_CFL &&
      ahci_fis_parse (fis, &command->in, is_command))
    return TRUE;
  ahci_port_halt (self, AHCI_IS_IFS);
  return FALSE;
}

/* The host writes the control register: setting SRST and clearing it again resets the drive. */
static void
write_control (AhciPort *self, AtaCommand *command)
{
  gboolean before = self->soft_reset;

  self->ci &= ~(1u << command->slot);
  self->soft_reset = (command->in.control & ATA_CONTROL_SRST) != 0;
  ahci_command_forget (command);
  if (before && !self->soft_reset)
    ahci_port_reset_drive (self);
}

/* The drive took a queued command: its slot is free, its tag is not. */
static void
accept_queued (AhciPort *self, AtaCommand *command)
{
  guint32 bit = 1u << command->slot;
  AtaResult taken = { .status = ATA_STATUS_GOOD, .device = command->in.device };

  self->queued |= bit;
  if (!(self->ci & bit))
    return; /* begun anew */
  self->ci &= ~bit;
  ahci_fis_send_d2h (self, &taken, FALSE);
}

static guint
tag_of (const AtaCommand *command)
{
  return (command->in.count & 0xff) >> TAG_SHIFT;
}

static void
execute (AhciPort *self, AtaCommand *command)
{
  AtaDrive *drive = &self->drive;
  const AtaOperation *operation = command->operation;

  self->running |= 1u << command->slot;
  self->kept &= ~(1u << command->slot);
  self->cmd = (self->cmd & ~AHCI_CMD_CCS) | command->slot << AHCI_CCS_SHIFT;
  command->out = (AtaResult) {
    .status = ATA_STATUS_GOOD,
    .device = command->in.device,
    .count = command->in.count,
    .lba = command->in.lba,
  };
  if (operation && operation->protocol == ATA_QUEUED)
    accept_queued (self, command);
  else
    self->tfd = ATA_STATUS_BSY | ATA_STATUS_DRDY;
  if (!operation || (operation->protocol == ATA_QUEUED && tag_of (command) != command->slot))
    ata_command_abort (command);
  else
    operation->execute (drive, command);
}

/* FALSE: it must wait for others, or the port has halted. */
static gboolean
begin (AhciPort *self, guint slot)
{
  AtaCommand *command = take_spare (self, slot);
  gboolean is_command;

  if (!read_command (self, command, &is_command)) {
    ahci_command_forget (command);
    return FALSE;
  }
  command->operation = ata_drive_find (&self->drive, command->in.command);
  if (self->running && !(is_command && self->queued && command->operation &&
                         command->operation->protocol == ATA_QUEUED)) {
    ahci_command_forget (command);
    return FALSE;
  }
  self->last_slot = slot;
  if (!is_command) {
    write_control (self, command);
  } else if (self->soft_reset) {
    ahci_command_forget (command);
    ahci_port_halt (self, AHCI_IS_IFS);
  } else {
    execute (self, command);
  }
  return TRUE;
}

static gboolean
may_begin (AhciPort *self)
{
  const guint32 on = AHCI_CMD_ST | AHCI_CMD_CR;

  return (self->cmd & on) == on && self->drive.klass && !self->halted && !self->held &&
         !self->resetting && !self->hba->resetting && !ahci_port_must_rest (self);
}

void
ahci_port_run (AhciPort *self)
{
  guint32 waiting;

  while (may_begin (self) && (waiting = (self->ci | self->kept) & ~self->running)) {
    guint turn = (self->last_slot + 1) % AHCI_N_SLOTS;
    guint32 behind = waiting >> turn << turn;

    if (!begin (self, __builtin_ctz (behind ? behind : waiting)))
      break;
  }
  if (self->drive.block)
    vmm_block_kick (self->drive.block);
}

static void
note_queued_error (AtaCommand *command)
{
  command->port->drive.queued_error = (AtaQueuedError) {
    .valid = TRUE,
    .tag = command->slot,
    .status = command->out.status,
    .error = command->out.error,
    .device = command->out.device,
    .count = command->out.count,
    .lba = command->out.lba,
  };
}

static void
answer_queued (AhciPort *self, AtaCommand *command, gboolean failed)
{
  if (failed)
    note_queued_error (command);
  ahci_fis_send_device_bits (self, command->out.status, command->out.error,
                             failed ? 0 : 1u << command->slot);
}

/* A PIO read ends with its data; everything else, and what failed, with the registers. */
static void
answer (AhciPort *self, AtaCommand *command, gboolean failed)
{
  AtaProtocol protocol = command->operation ? command->operation->protocol : ATA_NON_DATA;
  AtaResult transfer = command->out;
  gboolean pio_packet = protocol == ATA_PACKET && !(command->in.features & ATAPI_FEATURE_DMA);
  gboolean pio_read = protocol == ATA_PIO_IN && !failed;

  transfer.status |= ATA_STATUS_DRQ;
  if (pio_packet)
    transfer.count = ATAPI_REASON_TO_HOST;
  if ((pio_packet || pio_read) && command->moved > 0)
    ahci_fis_send_pio_setup (self, &transfer, command->out.status,
                             MIN (command->moved, G_MAXUINT16), TRUE, TRUE);
  if (!pio_read || command->moved == 0)
    ahci_fis_send_d2h (self, &command->out, TRUE);
}

/* How many bytes were moved, where the host looks for it. */
static void
write_moved (AhciPort *self, AtaCommand *command)
{
  guint32 moved = GUINT32_TO_LE (command->moved);

  if (!vmm_memory_write (memory_of (self),
                         header_address (self, command->slot) + G_STRUCT_OFFSET (Header, moved),
                         &moved, sizeof moved))
    ahci_port_halt (self, AHCI_IS_HBFS);
}

void
ata_command_done (AtaCommand *command)
{
  AhciPort *self = command->port;
  gboolean failed = (command->out.status & (ATA_STATUS_ERR | ATA_STATUS_DF)) != 0;
  gboolean queued = (self->queued >> command->slot & 1) != 0;

  if (!ahci_command_is_running (command)) { /* the port has halted under it */
    ahci_command_forget (command);
    return;
  }
  stop_running (command);
  __atomic_add_fetch (&self->hba->n_requests, 1, __ATOMIC_RELAXED);
  if (command->bad_memory) {
    ahci_port_halt (self, AHCI_IS_HBFS);
  } else if (queued) {
    answer_queued (self, command, failed);
  } else {
    write_moved (self, command);
    if (!failed)
      self->ci &= ~(1u << command->slot);
    answer (self, command, failed);
  }
  if (command->overflow)
    ahci_port_raise (self, AHCI_IS_OFS);
  if (command->wants_note)
    ahci_port_raise (self, AHCI_IS_DPS);
  if (failed)
    ahci_port_halt (self, AHCI_IS_TFES);
  ahci_command_forget (command);
}

void
ata_command_fail (AtaCommand *command, guint8 status, guint8 error)
{
  command->out.status = ATA_STATUS_DRDY | status;
  command->out.error = error;
  ata_command_done (command);
}

void
ata_command_abort (AtaCommand *command)
{
  ata_command_fail (command, ATA_STATUS_ERR, ATA_ERROR_ABRT);
}

void
ata_command_reply (AtaCommand *command, gconstpointer data, gsize length)
{
  if (ahci_prdt_write (command, data, length) < length)
    command->overflow = TRUE;
  ata_command_done (command);
}

gboolean
ata_command_take (AtaCommand *command, gpointer data, gsize length)
{
  if (ahci_prdt_read (command, data, length) == length)
    return TRUE;
  ata_command_abort (command);
  return FALSE;
}
