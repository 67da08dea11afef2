/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-ahci.h"

#include <string.h>

#define COMMAND_MEMORY_MASTER 0x6
#define BAR5                  0x24
#define CAP_MSI               0x05
#define GHC_IE                0x2
#define FATAL                 (IS_TFES | IS_HBFS | IS_IFS)
#define QUEUED_SLOT           5

static guint32
config (FakeAhci *self, guint offset, guint size)
{
  return fake_guest_read_config (self->guest, self->slot, offset, size);
}

static void
enable_msi (FakeAhci *self)
{
  guint at = config (self, 0x34, 1);

  while (at && config (self, at, 1) != CAP_MSI)
    at = config (self, at + 1, 1);
  g_assert_cmpuint (at, !=, 0);
  fake_guest_write_config (self->guest, self->slot, at + 4, 4, 0xfee00000);
  fake_guest_write_config (self->guest, self->slot, at + 8, 4, 0);
  fake_guest_write_config (self->guest, self->slot, at + 12, 2, FAKE_AHCI_MSI);
  fake_guest_write_config (self->guest, self->slot, at + 2, 2, 1);
}

FakeAhci *
fake_ahci_new (FakeGuest *guest, VmmDevice *device, gboolean msi)
{
  FakeAhci *self = g_new0 (FakeAhci, 1);

  self->guest = guest;
  self->slot = ((VmmPciDevice *) device)->slot;
  fake_guest_write_config (guest, self->slot, 4, 2, COMMAND_MEMORY_MASTER);
  self->bar = config (self, BAR5, 4) & ~0xfu;
  if (msi)
    enable_msi (self);
  fake_ahci_write (self, HBA_GHC, GHC_IE);
  return self;
}

void
fake_ahci_free (FakeAhci *self)
{
  g_free (self);
}

guint32
fake_ahci_read (FakeAhci *self, guint offset)
{
  return vmm_bus_read (self->guest->mmio, self->bar + offset, 4);
}

void
fake_ahci_write (FakeAhci *self, guint offset, guint32 value)
{
  vmm_bus_write (self->guest->mmio, self->bar + offset, 4, value);
}

guint32
fake_ahci_read_port (FakeAhci *self, guint port, guint offset)
{
  return fake_ahci_read (self, 0x100 + 0x80 * port + offset);
}

void
fake_ahci_write_port (FakeAhci *self, guint port, guint offset, guint32 value)
{
  fake_ahci_write (self, 0x100 + 0x80 * port + offset, value);
}

void
fake_ahci_start (FakeAhci *self, guint port)
{
  FakeAhciPort *memory = &self->ports[port];

  if (!memory->list) {
    memory->list = fake_guest_alloc (self->guest, 0x400);
    memory->fis = fake_guest_alloc (self->guest, 0x100);
    memory->tables = fake_guest_alloc (self->guest, 32 * FAKE_AHCI_TABLE_SIZE);
  }
  fake_ahci_write_port (self, port, PX_CLB, memory->list);
  fake_ahci_write_port (self, port, PX_CLBU, 0);
  fake_ahci_write_port (self, port, PX_FB, memory->fis);
  fake_ahci_write_port (self, port, PX_FBU, 0);
  fake_ahci_write_port (self, port, PX_SERR, G_MAXUINT32);
  fake_ahci_write_port (self, port, PX_IS, G_MAXUINT32);
  fake_ahci_write (self, HBA_IS, 1u << port);
  fake_ahci_write_port (self, port, PX_IE, G_MAXUINT32);
  fake_ahci_write_port (self, port, PX_CMD, CMD_FRE);
  fake_ahci_write_port (self, port, PX_CMD, CMD_FRE | CMD_ST);
  g_assert_cmphex (fake_ahci_read_port (self, port, PX_CMD) & CMD_CR, ==, CMD_CR);
}

void
fake_ahci_stop (FakeAhci *self, guint port)
{
  fake_ahci_write_port (self, port, PX_CMD, CMD_FRE);
  while (fake_ahci_read_port (self, port, PX_CMD) & CMD_CR)
    fake_guest_settle (self->guest);
}

guint8 *
fake_ahci_table (FakeAhci *self, guint port, guint slot)
{
  return fake_guest_at (self->guest, self->ports[port].tables + FAKE_AHCI_TABLE_SIZE * slot,
                        FAKE_AHCI_TABLE_SIZE);
}

guint8 *
fake_ahci_header (FakeAhci *self, guint port, guint slot)
{
  return fake_guest_at (self->guest, self->ports[port].list + 32 * slot, 32);
}

guint32
fake_ahci_moved (FakeAhci *self, guint port, guint slot)
{
  return ((guint32 *) fake_ahci_header (self, port, slot))[1];
}

guint8 *
fake_ahci_fis (FakeAhci *self, guint port, guint offset)
{
  return fake_guest_at (self->guest, self->ports[port].fis + offset, 0x100 - offset);
}

void
fake_ahci_put_prdt (FakeAhci *self,
                    guint port,
                    guint slot,
                    guint i,
                    guint64 address,
                    guint32 length)
{
  guint32 entry[4] = { address, address >> 32, 0, length - 1 };

  g_assert_cmpuint (i, <, FAKE_AHCI_MAX_PRDT);
  memcpy (fake_ahci_table (self, port, slot) + 0x80 + 16 * i, entry, sizeof entry);
}

static void
put_fis (guint8 *fis, const FakeAta *ata)
{
  memset (fis, 0, 20);
  fis[0] = 0x27;
  fis[1] = 0x80;
  fis[2] = ata->command;
  fis[3] = ata->features;
  for (guint i = 0; i < 3; i++) {
    fis[4 + i] = ata->lba >> 8 * i;
    fis[8 + i] = ata->lba >> (24 + 8 * i);
  }
  fis[7] = ata->device;
  fis[11] = ata->features >> 8;
  fis[12] = ata->count;
  fis[13] = ata->count >> 8;
  fis[15] = ata->control;
}

void
fake_ahci_prepare (FakeAhci *self,
                   guint port,
                   guint slot,
                   const FakeAta *ata,
                   const FakeBuffer *buffers,
                   guint n_buffers)
{
  guint8 *table = fake_ahci_table (self, port, slot);
  guint32 header[8] = { 5 | n_buffers << 16, 0,
                        self->ports[port].tables + FAKE_AHCI_TABLE_SIZE * slot };

  memcpy (fake_ahci_header (self, port, slot), header, sizeof header);
  put_fis (table, ata);
  memset (table + 0x40, 0, 16);
  if (ata->packet)
    memcpy (table + 0x40, ata->packet, 12);
  for (guint i = 0; i < n_buffers; i++)
    fake_ahci_put_prdt (self, port, slot, i, buffers[i].address, buffers[i].length);
}

void
fake_ahci_wait (FakeAhci *self, guint port, guint32 slots)
{
  while (
    !(fake_ahci_read_port (self, port, PX_IS) & FATAL) &&
    ((fake_ahci_read_port (self, port, PX_CI) | fake_ahci_read_port (self, port, PX_SACT)) & slots))
    fake_guest_settle (self->guest);
}

guint32
fake_ahci_run (FakeAhci *self,
               guint port,
               const FakeAta *ata,
               const FakeBuffer *buffers,
               guint n_buffers)
{
  gboolean queued = (ata->command & ~1) == 0x60;
  guint slot = queued ? QUEUED_SLOT : 0;
  guint32 tfd;

  fake_ahci_write_port (self, port, PX_IS, G_MAXUINT32);
  fake_ahci_prepare (self, port, slot, ata, buffers, n_buffers);
  if (queued)
    fake_ahci_write_port (self, port, PX_SACT, 1u << slot);
  fake_ahci_write_port (self, port, PX_CI, 1u << slot);
  fake_ahci_wait (self, port, 1u << slot);
  tfd = fake_ahci_read_port (self, port, PX_TFD);
  if (fake_ahci_read_port (self, port, PX_IS) & FATAL) {
    fake_ahci_stop (self, port);
    fake_ahci_start (self, port);
  }
  return tfd;
}
