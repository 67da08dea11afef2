/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The host bridge and bus 0; the buses behind root ports. Linux asks each bus that exists 32 times,
 * so there are no others. An access locks the bridge and then the function; functions never do
 * it the other way round, which is why interrupt pins have a lock of their own.
 *
 * Port 0xcf9 lies within the bridge's 0xcf8 and is told from it by the size of the access: so the
 * reset register is served here.
 *
 * Threads: accesses on vCPU threads; see pci-host.h and pci-host-private.h for the rest.
 */
#include <string.h>

#include "chips/pm.h"
#include "pci/pci-host-private.h"
#include "vmm-error.h"

#define ADDRESS_PORT   0xcf8
#define DATA_PORT      0xcfc
#define ADDRESS_ENABLE 0x80000000u
#define RESET_OFFSET   (VMM_PM_RESET_PORT - ADDRESS_PORT)
#define RESET_REQUEST  0x04
#define RESET_KEPT     0x0a

#define ECAM_BUS_SIZE      (G_GUINT64_CONSTANT (1) << 20)
#define ECAM_FUNCTION_SIZE 4096
#define PCIEXBAR           0x60
#define PCIEXBAR_ENABLE    0x01
#define PCIEXBAR_MASK      G_GUINT64_CONSTANT (0xff0000000) /* 256 MiB, below 64 GiB */
#define PAM0               0x90
#define N_PAMS             7
#define PAM0_WRITABLE      0x30
#define PAM_WRITABLE       0x33
#define SMRAM              0x9d

enum {
  REGION_ADDRESS,
  REGION_DATA,
  REGION_ECAM,
};

struct _VmmPciHost {
  VmmPciDevice parent;
  VmmPciHostConfig config;
  VmmPciDevice *functions[VMM_PCI_N_SLOTS][VMM_PCI_N_FUNCTIONS];
  VmmRootPort *ports[VMM_MAX_ROOT_PORTS];
  guint32 address; /* what 0xcf8 selects */
  guint8 reset_control;
  guint64 ecam; /* where it answers now, 0: nowhere */
  VmmPciLines lines;
};

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

static void follow_ecam (VmmPciHost *self);

static guint
count_buses (VmmPciHost *self)
{
  return 1 + self->config.n_ports;
}

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
    follow_ecam (self);
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
  case REGION_ECAM:
    return read_function (self, offset, size);
  case REGION_DATA:
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

  self->reset_control = value & RESET_KEPT;
  if (value & RESET_REQUEST)
    platform->klass->request (platform, VMM_REQUEST_RESET, 0);
}

static void
vmm_pci_host_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  VmmPciHost *self = (VmmPciHost *) device;

  if (region == REGION_ECAM)
    write_function (self, offset, size, value);
  else if (region == REGION_DATA && (self->address & ADDRESS_ENABLE))
    write_function (self, selected (self, offset), size, value);
  else if (region == REGION_ADDRESS && size == 4)
    self->address = value;
  else if (region == REGION_ADDRESS && offset == RESET_OFFSET && size == 1)
    write_reset (self, value);
}

static const VmmBusOps vmm_pci_host_ops = { vmm_pci_host_read, vmm_pci_host_write };

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

/* Where what was set aside for a port in [@start, @start + @size) ends; 0: nothing was. */
static guint64
reserved_until (VmmPciHost *self, guint64 start, guint64 size)
{
  VmmPciWindow window;

  for (guint i = 0; i < VMM_MAX_ROOT_PORTS; i++)
    for (guint j = 0; self->ports[i] && j < 2; j++)
      if (vmm_root_port_get_reserved (self->ports[i], j, &window) && window.base < start + size &&
          window.base + window.size > start)
        return window.base + window.size;
  return 0;
}

/* Where what was put or set aside in [@start, @start + @size) ends; 0: it is free. */
static guint64
taken_until (VmmPciHost *self, guint64 start, guint64 size)
{
  VmmPciDevice **functions = &self->functions[0][0];

  for (guint i = 0; i < VMM_PCI_N_SLOTS * VMM_PCI_N_FUNCTIONS; i++)
    for (guint j = 0; functions[i] && j < VMM_PCI_N_BARS; j++) {
      VmmPciBar *bar = &functions[i]->bars[j];

      if (bar->size > 0 && bar->first < start + size && bar->first + bar->size > start)
        return bar->first + bar->size;
    }
  return reserved_until (self, start, size);
}

static guint64
find_room_in (VmmPciHost *self, guint64 base, guint64 length, guint64 size)
{
  guint64 at = (base + size - 1) & ~(size - 1);

  while (at >= base && at - base <= length && length - (at - base) >= size) {
    guint64 end = taken_until (self, at, size);

    if (end == 0)
      return at;
    at = (end + size - 1) & ~(size - 1);
  }
  return 0;
}

guint64
vmm_pci_host_find_room (VmmPciHost *self, guint64 size, gboolean wide)
{
  guint64 at =
    find_room_in (self, VMM_PCI_WINDOW_BASE, VMM_PCI_WINDOW_END - VMM_PCI_WINDOW_BASE, size);

  if (at == 0 && wide)
    at = find_room_in (self, self->config.high_base, self->config.high_size, size);
  return at;
}

guint64
vmm_pci_host_find_high_room (VmmPciHost *self, guint64 size)
{
  return find_room_in (self, self->config.high_base, self->config.high_size, size);
}

/* Where RAM below and above 4 GiB ends. */
static guint64
end_of_ram (VmmPciHost *self, gboolean high)
{
  guint n;
  const VmmMemoryRegion *regions = vmm_memory_get_regions (self->parent.parent.board->memory, &n);
  const VmmMemoryRegion *last = &regions[high ? n - 1 : 0];

  return high ? MAX (VMM_MEMORY_HIGH, last->address + last->size) : last->size;
}

gboolean
vmm_pci_host_in_window (VmmPciHost *self, guint64 address, guint64 size)
{
  guint64 low = end_of_ram (self, FALSE), high = end_of_ram (self, TRUE);

  return (address >= low && address < VMM_PCI_WINDOW_END && size <= VMM_PCI_WINDOW_END - address) ||
         (address >= high && address < VMM_PCI_ADDRESS_END &&
          size <= VMM_PCI_ADDRESS_END - address);
}

static void
add_window (VmmPciWindows *windows, guint64 base, guint64 end)
{
  if (end > base)
    windows->memory[windows->n_memory++] = (VmmPciWindow) { base, end - base };
}

/* @far grows to hold what lies above 4 GiB outside of the window that we would have taken. */
static void
extend_far (VmmPciHost *self, VmmPciWindow *far, guint64 base, guint64 size)
{
  guint64 end = MAX (far->base + far->size, base + size);

  if (base < VMM_MEMORY_HIGH || base - self->config.high_base < self->config.high_size)
    return;
  far->base = far->size > 0 ? MIN (far->base, base) : base;
  far->size = end - far->base;
}

/* Where firmware put BARs and windows of ports. */
static void
add_far_window (VmmPciHost *self, VmmPciWindows *windows)
{
  VmmPciDevice **functions = &self->functions[0][0];
  VmmPciWindow far = { 0, 0 }, window;

  for (guint i = 0; i < VMM_PCI_N_SLOTS * VMM_PCI_N_FUNCTIONS; i++)
    for (guint j = 0; functions[i] && j < VMM_PCI_N_BARS; j++) {
      VmmPciBar *bar = &functions[i]->bars[j];

      if (bar->mapped)
        extend_far (self, &far, bar->address, bar->size);
    }
  for (guint i = 0; i < VMM_MAX_ROOT_PORTS; i++)
    for (guint j = 0; self->ports[i] && j < 2; j++)
      if (vmm_root_port_get_window (self->ports[i], j, &window) &&
          vmm_pci_host_in_window (self, window.base, window.size))
        extend_far (self, &far, window.base, window.size);
  add_window (windows, far.base, far.base + far.size);
}

void
vmm_pci_host_get_windows (VmmPciHost *self, VmmPciWindows *windows)
{
  guint64 ecam = self->ecam ? self->ecam : VMM_PCI_ECAM_BASE;

  *windows = (VmmPciWindows) { .ecam_base = ecam, .n_buses = count_buses (self) };
  add_window (windows, end_of_ram (self, FALSE), ecam);
  add_window (windows, ecam + VMM_PCI_ECAM_SIZE, VMM_PCI_WINDOW_END);
  add_window (windows, self->config.high_base, self->config.high_base + self->config.high_size);
  add_far_window (self, windows);
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
      vmm_bus_add (mmio, to, count_buses (self) * ECAM_BUS_SIZE, &vmm_pci_host_ops,
                   &self->parent.parent, REGION_ECAM, NULL))
    self->ecam = to;
}

/* Firmware moves it. A place where it cannot be is one that a guest passes through while it writes
 * the register's halves: it is silent there. */
static void
follow_ecam (VmmPciHost *self)
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
  if (!vmm_bus_add (board->ports, ADDRESS_PORT, 4, &vmm_pci_host_ops, device, REGION_ADDRESS,
                    error))
    return FALSE;
  if (!vmm_bus_add (board->ports, DATA_PORT, 4, &vmm_pci_host_ops, device, REGION_DATA, error)) {
    vmm_bus_remove (board->ports, ADDRESS_PORT);
    return FALSE;
  }
  follow_ecam (self);
  return TRUE;
}

static void
vmm_pci_host_unrealize (VmmDevice *device)
{
  VmmPciHost *self = (VmmPciHost *) device;

  move_ecam (self, 0);
  vmm_bus_remove (device->board->ports, DATA_PORT);
  vmm_bus_remove (device->board->ports, ADDRESS_PORT);
  vmm_pci_lines_clear (&self->lines);
}

static void
vmm_pci_host_reset (VmmDevice *device)
{
  VmmPciHost *self = (VmmPciHost *) device;

  vmm_pci_device_reset (&self->parent);
  follow_ecam (self);
  self->address = 0;
  self->reset_control = 0;
}

static gboolean
vmm_pci_host_loaded (VmmDevice *device, GError **error)
{
  VmmPciHost *self = (VmmPciHost *) device;

  self->reset_control &= RESET_KEPT;
  if (!vmm_pci_device_loaded (&self->parent, error))
    return FALSE;
  follow_ecam (self);
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
