/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The host bridge and bus 0; the buses behind root ports. Linux asks each bus that exists 32 times,
 * so there are no others.
 *
 * Threads: as pci-host.h and pci-host-private.h say.
 */
#include <string.h>

#include "pci/pci-host-private.h"
#include "vmm-error.h"

#define ECAM_BUS_SIZE   (G_GUINT64_CONSTANT (1) << 20)
#define PCIEXBAR        0x60
#define PCIEXBAR_ENABLE 0x01
#define PCIEXBAR_MASK   G_GUINT64_CONSTANT (0xff0000000) /* 256 MiB, below 64 GiB */
#define PAM0            0x90
#define N_PAMS          7
#define PAM0_WRITABLE   0x30
#define PAM_WRITABLE    0x33
#define SMRAM           0x9d

static const VmmField vmm_pci_host_fields[] = {
  VMM_FIELD_PART (VmmPciHost, parent, vmm_pci_device_fields, "pci"),
  VMM_EXEMPT (VmmPciHost, config, "from the configuration"),
  VMM_EXEMPT (VmmPciHost, functions, "devices of their own"),
  VMM_EXEMPT (VmmPciHost, ports, "devices of their own"),
  VMM_FIELD (VmmPciHost, address, VMM_FIELD_UINT32, "address"),
  VMM_FIELD (VmmPciHost, reset_control, VMM_FIELD_UINT8, "reset-control"),
  VMM_EXEMPT (VmmPciHost, ecam, "follows from the configuration space"),
  VMM_EXEMPT (VmmPciHost, lines, "the functions pull again, and the ISA bridge routes"),
  VMM_FIELD_LAST,
};

guint
vmm_pci_host_count_buses (VmmPciHost *self)
{
  return 1 + self->config.n_ports;
}

guint
vmm_pci_slot_gsi (guint slot)
{
  return VMM_PCI_FIRST_GSI + vmm_pci_slot_pirq (slot);
}

VmmPciLines *
vmm_pci_host_get_lines (VmmPciHost *self)
{
  return &self->lines;
}

/* The host is locked. */
static gboolean
is_free (VmmPciHost *self, guint slot, guint function)
{
  return slot > 0 && slot < VMM_PCI_N_SLOTS && function < VMM_PCI_N_FUNCTIONS &&
         !self->functions[slot][function];
}

/* The host is locked. Its interrupt pin is the port's. */
static gboolean
add_behind_port (VmmPciHost *self, VmmPciDevice *device, guint number)
{
  VmmRootPort *port = number < VMM_MAX_ROOT_PORTS ? self->ports[number] : NULL;

  if (!port || !vmm_root_port_set_child (port, device))
    return FALSE;
  device->port = port;
  device->slot = ((VmmPciDevice *) port)->slot;
  device->function = ((VmmPciDevice *) port)->function;
  return TRUE;
}

gboolean
vmm_pci_host_add (VmmPciHost *self,
                  VmmPciDevice *device,
                  guint slot,
                  guint function,
                  GError **error)
{
  gboolean ok;

  vmm_device_lock (&self->parent.parent);
  ok = slot >= VMM_PCI_N_SLOTS && add_behind_port (self, device, slot - VMM_PCI_N_SLOTS);
  for (guint i = 1; slot == 0 && i < VMM_PCI_FIRST_FIXED_SLOT; i++)
    if (is_free (self, i, 0))
      slot = i;
  if (is_free (self, slot, function)) {
    ok = TRUE;
    self->functions[slot][function] = device;
    device->slot = slot;
    device->function = function;
  }
  vmm_device_unlock (&self->parent.parent);
  if (!ok)
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "There is no free PCI slot for %s.",
                 device->parent.id);
  return ok;
}

void
vmm_pci_host_remove (VmmPciHost *self, VmmPciDevice *device)
{
  vmm_device_lock (&self->parent.parent);
  if (device->port)
    vmm_root_port_set_child (device->port, NULL);
  else
    self->functions[device->slot][device->function] = NULL;
  vmm_device_unlock (&self->parent.parent);
}

void
vmm_pci_host_set_port (VmmPciHost *self, guint number, VmmRootPort *port)
{
  g_return_if_fail (number < VMM_MAX_ROOT_PORTS);

  vmm_device_lock (&self->parent.parent);
  self->ports[number] = port;
  vmm_device_unlock (&self->parent.parent);
}

static void
move_ecam (VmmPciHost *self, guint64 to)
{
  VmmBus *mmio = self->parent.parent.board->mmio;

  if (self->ecam == to)
    return;
  if (self->ecam)
    vmm_bus_remove (mmio, self->ecam);
  self->ecam = 0;
  if (to && vmm_pci_host_in_window (self, to, VMM_PCI_ECAM_SIZE) &&
      vmm_bus_add (mmio, to, vmm_pci_host_count_buses (self) * ECAM_BUS_SIZE, &vmm_pci_host_ops,
                   &self->parent.parent, PCI_REGION_ECAM, NULL))
    self->ecam = to;
}

/* Firmware moves it. A place where it cannot be is one that a guest passes through while it writes
 * the register's halves: it is silent there. */
void
vmm_pci_host_follow_ecam (VmmPciHost *self)
{
  guint64 value = vmm_pci_device_read_config (&self->parent, PCIEXBAR, 4) |
                  (guint64) vmm_pci_device_read_config (&self->parent, PCIEXBAR + 4, 4) << 32;

  move_ecam (self, value & PCIEXBAR_ENABLE ? value & PCIEXBAR_MASK : 0);
}

/* All of the first MiB is RAM that can be written: the registers that could change that are kept
 * and do nothing. (Q35, 5.1.16 "PAM0"; firmware looks whether shadowing is done.) */
static void
put_registers (VmmPciHost *self)
{
  static const guint8 all[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
  VmmPciDevice *pci = &self->parent;

  vmm_pci_device_put (pci, PCIEXBAR, 4, VMM_PCI_ECAM_BASE | PCIEXBAR_ENABLE);
  memcpy (pci->write_mask + PCIEXBAR, all, sizeof all);
  vmm_pci_device_put (pci, PAM0, 1, PAM0_WRITABLE);
  for (guint i = 1; i < N_PAMS; i++)
    vmm_pci_device_put (pci, PAM0 + i, 1, PAM_WRITABLE);
  memcpy (pci->write_mask + PAM0, all, N_PAMS);
  memcpy (pci->write_mask + SMRAM, all, 2);
}

static gboolean
vmm_pci_host_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  static const VmmPciIds ids = {
    .vendor = 0x8086,
    .device = 0x29c0,
    .subsystem_vendor = 0x1af4,
    .subsystem = 0x1100,
    .class_code = 0x060000,
  };
  VmmPciHost *self = (VmmPciHost *) device;
  const VmmBoard *board = device->board;

  if (config)
    self->config = *(const VmmPciHostConfig *) config;
  vmm_pci_device_init (&self->parent, &ids);
  put_registers (self);
  self->functions[0][0] = &self->parent;
  vmm_pci_lines_init (&self->lines, board->platform);
  if (!vmm_bus_add (board->ports, PCI_ADDRESS_PORT, 4, &vmm_pci_host_ops, device,
                    PCI_REGION_ADDRESS, error))
    return FALSE;
  if (!vmm_bus_add (board->ports, PCI_DATA_PORT, 4, &vmm_pci_host_ops, device, PCI_REGION_DATA,
                    error)) {
    vmm_bus_remove (board->ports, PCI_ADDRESS_PORT);
    return FALSE;
  }
  vmm_pci_host_follow_ecam (self);
  return TRUE;
}

static void
vmm_pci_host_unrealize (VmmDevice *device)
{
  VmmPciHost *self = (VmmPciHost *) device;

  move_ecam (self, 0);
  vmm_bus_remove (device->board->ports, PCI_DATA_PORT);
  vmm_bus_remove (device->board->ports, PCI_ADDRESS_PORT);
  vmm_pci_lines_clear (&self->lines);
}

static void
vmm_pci_host_reset (VmmDevice *device)
{
  VmmPciHost *self = (VmmPciHost *) device;

  vmm_pci_device_reset (&self->parent);
  vmm_pci_host_follow_ecam (self);
  self->address = 0;
  self->reset_control = 0;
}

static gboolean
vmm_pci_host_loaded (VmmDevice *device, GError **error)
{
  VmmPciHost *self = (VmmPciHost *) device;

  self->reset_control &= PCI_RESET_KEPT;
  if (!vmm_pci_device_loaded (&self->parent, error))
    return FALSE;
  vmm_pci_host_follow_ecam (self);
  return TRUE;
}

const VmmDeviceClass vmm_pci_host_class = {
  .name = "pci-host",
  .instance_size = sizeof (VmmPciHost),
  .version = 1,
  .fields = vmm_pci_host_fields,
  .realize = vmm_pci_host_realize,
  .unrealize = vmm_pci_host_unrealize,
  .reset = vmm_pci_host_reset,
  .loaded = vmm_pci_host_loaded,
};
