/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * FISes (Serial ATA 3.0, 10.3): the one that comes in a command table, and those that the drive
 * sends, which the port writes into the host's memory and into its registers. Apart because it is
 * all layout.
 *
 * Threads: with the controller locked.
 */
#include <string.h>

#include "ahci/ahci-private.h"

enum {
  FIS_REGISTER_H2D = 0x27,
  FIS_REGISTER_D2H = 0x34,
  FIS_PIO_SETUP = 0x5f,
  FIS_SET_DEVICE_BITS = 0xa1,
};

#define FLAG_TO_HOST   0x20 /* D of a PIO Setup FIS */
#define FLAG_INTERRUPT 0x40 /* I */
#define FLAG_COMMAND   0x80 /* C of a Register FIS to the drive */

/* Where the port receives what (AHCI 1.3.1, 4.2.1). */
#define RECEIVED_PIO_SETUP   0x20
#define RECEIVED_D2H         0x40
#define RECEIVED_DEVICE_BITS 0x58

/* A Set Device Bits FIS carries and changes all of the status but BSY and DRQ. */
#define DEVICE_BITS_STATUS 0x77

typedef struct {
  guint8 type, flags, status, error;
  guint8 lba_low[3], device;
  guint8 lba_high[3], reserved;
  guint8 count[2], reserved2, e_status; /* a PIO Setup FIS says the status after the transfer */
  guint8 transfer_count[2], reserved3[2];
} RegisterFis;

G_STATIC_ASSERT (sizeof (RegisterFis) == 20);

typedef struct {
  guint8 type, flags, status, error;
  guint32 done;
} DeviceBitsFis;

G_STATIC_ASSERT (sizeof (DeviceBitsFis) == 8);

static void
put_bytes (guint8 *bytes, guint n, guint64 value)
{
  for (guint i = 0; i < n; i++)
    bytes[i] = value >> 8 * i;
}

static guint64
get_bytes (const guint8 *bytes, guint n)
{
  guint64 value = 0;

  for (guint i = 0; i < n; i++)
    value |= (guint64) bytes[i] << 8 * i;
  return value;
}

/* Nothing is received while the host has not given room for it. */
static void
receive (AhciPort *self, guint offset, gconstpointer fis, gsize length)
{
  VmmMemory *memory = self->hba->parent.parent.board->memory;
  guint64 address = (guint64) self->fbu << 32 | self->fb;

  if ((self->cmd & AHCI_CMD_FR) && !vmm_memory_write (memory, address + offset, fis, length))
    ahci_port_halt (self, AHCI_IS_HBFS);
}

static void
fill_registers (RegisterFis *fis, const AtaResult *result)
{
  fis->status = result->status;
  fis->error = result->error;
  fis->device = result->device;
  put_bytes (fis->lba_low, 3, result->lba);
  put_bytes (fis->lba_high, 3, result->lba >> 24);
  put_bytes (fis->count, 2, result->count);
}

void
ahci_fis_send_d2h (AhciPort *self, const AtaResult *result, gboolean interrupt)
{
  RegisterFis fis = { .type = FIS_REGISTER_D2H, .flags = interrupt ? FLAG_INTERRUPT : 0 };

  fill_registers (&fis, result);
  receive (self, RECEIVED_D2H, &fis, sizeof fis);
  self->tfd = result->error << 8 | result->status;
  if (interrupt)
    ahci_port_raise (self, AHCI_IS_DHRS);
}

void
ahci_fis_send_pio_setup (AhciPort *self,
                         const AtaResult *result,
                         guint8 status,
                         guint32 count,
                         gboolean to_host,
                         gboolean interrupt)
{
  RegisterFis fis = {
    .type = FIS_PIO_SETUP,
    .flags = (to_host ? FLAG_TO_HOST : 0) | (interrupt ? FLAG_INTERRUPT : 0),
    .e_status = status,
  };

  fill_registers (&fis, result);
  put_bytes (fis.transfer_count, 2, count);
  receive (self, RECEIVED_PIO_SETUP, &fis, sizeof fis);
  self->tfd = result->error << 8 | status;
  if (interrupt)
    ahci_port_raise (self, AHCI_IS_PSS);
}

void
ahci_fis_send_device_bits (AhciPort *self, guint8 status, guint8 error, guint32 done)
{
  DeviceBitsFis fis = {
    .type = FIS_SET_DEVICE_BITS,
    .flags = FLAG_INTERRUPT,
    .status = status & DEVICE_BITS_STATUS,
    .error = error,
    .done = GUINT32_TO_LE (done),
  };

  receive (self, RECEIVED_DEVICE_BITS, &fis, sizeof fis);
  self->tfd = error << 8 | (self->tfd & 0xff & ~DEVICE_BITS_STATUS) | fis.status;
  self->sact &= ~done;
  ahci_port_raise (self, AHCI_IS_SDBS);
}

gboolean
ahci_fis_parse (const guint8 *bytes, AtaRegisters *registers, gboolean *is_command)
{
  RegisterFis fis;

  memcpy (&fis, bytes, sizeof fis);
  if (fis.type != FIS_REGISTER_H2D)
    return FALSE;
  *is_command = (fis.flags & FLAG_COMMAND) != 0;
  *registers = (AtaRegisters) {
    .command = fis.status, /* where the drive's FIS has its status and its error */
    .features = fis.error | fis.reserved << 8,
    .device = fis.device,
    .lba = get_bytes (fis.lba_low, 3) | get_bytes (fis.lba_high, 3) << 24,
    .count = get_bytes (fis.count, 2),
    .control = fis.e_status,
  };
  return TRUE;
}
