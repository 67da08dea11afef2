/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Configuration cycles: by the ports 0xcf8 and 0xcfc, and by memory (ECAM). An access locks the
 * bridge and then the function; functions never do it the other way round, which is why interrupt
 * pins have a lock of their own.
 *
 * Port 0xcf9 lies within the bridge's 0xcf8 and is told from it by the size of the access: so the
 * reset register is served here.
 *
 * Threads: vCPU, with the host bridge locked.
 */
#include "chips/pm.h"
#include "pci/pci-host-private.h"

#define ADDRESS_ENABLE 0x80000000u
#define RESET_OFFSET   (VMM_PM_RESET_PORT - PCI_ADDRESS_PORT)
#define RESET_REQUEST  0x04

static VmmPciDevice *
find_behind_ports (VmmPciHost *self, guint bus, guint slot, guint function)
{
  VmmPciDevice *device = NULL;

  for (guint i = 0; !device && i < VMM_MAX_ROOT_PORTS; i++)
    if (self->ports[i])
      device = vmm_root_port_find (self->ports[i], bus, slot, function);
  return device;
}

/* The function that an access means, locked; NULL where there is none. */
static VmmPciDevice *
lock_function (VmmPciHost *self, guint bus, guint slot, guint function)
{
  VmmPciDevice *device =
    bus == 0 ? self->functions[slot][function] : find_behind_ports (self, bus, slot, function);

  if (device && device != &self->parent)
    vmm_device_lock (&device->parent);
  return device;
}

static void
unlock_function (VmmPciHost *self, VmmPciDevice *device)
{
  if (device != &self->parent)
    vmm_device_unlock (&device->parent);
}

/* @where is the address of the access in ECAM. */
static guint64
read_function (VmmPciHost *self, guint64 where, guint size)
{
  VmmPciDevice *device =
    lock_function (self, where >> 20 & 0xff, where >> 15 & 0x1f, where >> 12 & 0x07);
  guint64 value = 0;

  if (!device)
    return G_MAXUINT64;
  for (guint i = 0; i < size; i += 4)
    value |= (guint64) vmm_pci_device_read_config (device, (where & 0xfff) + i, MIN (size, 4))
             << 8 * i;
  unlock_function (self, device);
  return value;
}

static void
write_function (VmmPciHost *self, guint64 where, guint size, guint64 value)
{
  VmmPciDevice *device =
    lock_function (self, where >> 20 & 0xff, where >> 15 & 0x1f, where >> 12 & 0x07);

  if (!device)
    return;
  for (guint i = 0; i < size; i += 4)
    vmm_pci_device_write_config (device, (where & 0xfff) + i, MIN (size, 4), value >> 8 * i);
  if (device == &self->parent)
    vmm_pci_host_follow_ecam (self);
  unlock_function (self, device);
}

/* 0xcf8 names bus, device, function and register as ECAM does, but with 8 bits of register. */
static guint64
selected (VmmPciHost *self, guint64 offset)
{
  return (guint64) (self->address & 0x00ffff00) << 4 | (self->address & 0xfc) | offset;
}

static guint64
vmm_pci_host_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  VmmPciHost *self = (VmmPciHost *) device;

  switch (region) {
  case PCI_REGION_ECAM:
    return read_function (self, offset, size);
  case PCI_REGION_DATA:
    if (self->address & ADDRESS_ENABLE)
      return read_function (self, selected (self, offset), size);
    return G_MAXUINT64;
  default:
    if (offset == RESET_OFFSET && size == 1)
      return self->reset_control;
    return size == 4 ? self->address : G_MAXUINT64;
  }
}

static void
write_reset (VmmPciHost *self, guint8 value)
{
  VmmPlatform *platform = self->parent.parent.board->platform;

  self->reset_control = value & PCI_RESET_KEPT;
  if (value & RESET_REQUEST)
    platform->klass->request (platform, VMM_REQUEST_RESET, 0);
}

static void
vmm_pci_host_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  VmmPciHost *self = (VmmPciHost *) device;

  if (region == PCI_REGION_ECAM)
    write_function (self, offset, size, value);
  else if (region == PCI_REGION_DATA && (self->address & ADDRESS_ENABLE))
    write_function (self, selected (self, offset), size, value);
  else if (region == PCI_REGION_ADDRESS && size == 4)
    self->address = value;
  else if (region == PCI_REGION_ADDRESS && offset == RESET_OFFSET && size == 1)
    write_reset (self, value);
}

const VmmBusOps vmm_pci_host_ops = { vmm_pci_host_read, vmm_pci_host_write };
