/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The expansion ROM of a function: code for firmware to run, such as a VGA's BIOS. (PCI Local Bus
 * 3.0, 6.2.5.2.)
 *
 * Threads: as pci-device.h says.
 */
#include <string.h>

#include "pci/pci-host-private.h"

#define REG_ROM     0x30
#define ROM_ENABLE  0x01
#define ROM_ADDRESS 0xfffff800u

static guint64
rom_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  VmmPciRom *rom = &((VmmPciDevice *) device)->rom;
  guint64 value = 0;

  memcpy (&value, rom->bytes + offset, size);
  return value;
}

static void
rom_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
}

static const VmmBusOps rom_ops = { rom_read, rom_write };

void
vmm_pci_device_set_rom (VmmPciDevice *self, const guint8 *bytes, gsize size)
{
  guint32 mask = (ROM_ADDRESS & ~(guint32) (size - 1)) | ROM_ENABLE;

  g_return_if_fail (size >= 4096 && (size & (size - 1)) == 0 && size <= VMM_PCI_MAX_ROM);

  self->rom = (VmmPciRom) { .bytes = bytes, .size = size, .slot = -1 };
  memcpy (self->write_mask + REG_ROM, &mask, sizeof mask);
}

static void
unmap_rom (VmmPciDevice *self)
{
  VmmPlatform *platform = self->parent.board->platform;

  if (!self->rom.mapped)
    return;
  self->rom.mapped = FALSE;
  if (self->rom.slot >= 0)
    platform->klass->unmap_slot (platform, self->rom.slot);
  self->rom.slot = -1;
  vmm_bus_remove (self->parent.board->mmio, self->rom.address);
}

static void
map_rom (VmmPciDevice *self, guint32 address)
{
  const VmmBoard *board = self->parent.board;

  if (!vmm_pci_host_in_window (board->pci, address, self->rom.size) ||
      !vmm_bus_add (board->mmio, address, self->rom.size, &rom_ops, &self->parent, 0, NULL))
    return;
  self->rom.address = address;
  self->rom.mapped = TRUE;
  self->rom.slot = board->platform->klass->map_slot (
    board->platform, address, self->rom.size, (gpointer) self->rom.bytes, VMM_SLOT_READONLY, NULL);
}

void
vmm_pci_device_update_rom (VmmPciDevice *self, gboolean decode)
{
  guint32 value;

  if (self->rom.size == 0)
    return;
  memcpy (&value, self->config + REG_ROM, sizeof value);
  decode = decode && (value & ROM_ENABLE);
  if (self->rom.mapped && (!decode || self->rom.address != (value & ROM_ADDRESS)))
    unmap_rom (self);
  if (!self->rom.mapped && decode)
    map_rom (self, value & ROM_ADDRESS);
}
