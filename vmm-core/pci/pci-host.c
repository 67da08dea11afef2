/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The host bridge and bus 0, the only bus there is: Linux asks each bus that exists 32 times, so
 * none exists that is empty. An access locks the bridge and then the function; functions never do
 * it the other way round, which is why interrupt pins have a lock of their own.
 *
 * Port 0xcf9 lies within the bridge's 0xcf8 and is told from it by the size of the access: so the
 * reset register is served here.
 *
 * Threads: accesses on vCPU threads; see pci-host.h and pci-host-private.h for the rest.
 */
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
#define N_BUSES            1
#define PCIEXBAR           0x60
#define FIRST_GSI          16
#define N_GSIS             8

enum {
  REGION_ADDRESS,
  REGION_DATA,
  REGION_ECAM,
};

struct _VmmPciHost {
  VmmPciDevice parent;
  VmmPciHostConfig config;
  VmmPciDevice *slots[VMM_PCI_N_SLOTS];
  guint32 address; /* what 0xcf8 selects */
  guint8 reset_control;

  GMutex lines_lock;
  guint lines[N_GSIS]; /* how many functions pull each */
};

static const VmmField vmm_pci_host_fields[] = {
  VMM_FIELD_PART (VmmPciHost, parent, vmm_pci_device_fields, "pci"),
  VMM_EXEMPT (VmmPciHost, config, "from the configuration"),
  VMM_EXEMPT (VmmPciHost, slots, "devices of their own"),
  VMM_FIELD (VmmPciHost, address, VMM_FIELD_UINT32, "address"),
  VMM_FIELD (VmmPciHost, reset_control, VMM_FIELD_UINT8, "reset-control"),
  VMM_EXEMPT (VmmPciHost, lines_lock, "a lock"),
  VMM_EXEMPT (VmmPciHost, lines, "the functions pull again"),
  VMM_FIELD_LAST,
};

/* The function that an access means, locked; NULL where there is none. */
static VmmPciDevice *
lock_function (VmmPciHost *self, guint bus, guint slot, guint function)
{
  VmmPciDevice *device = bus == 0 && function == 0 ? self->slots[slot] : NULL;

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
  VmmPciDevice *device = lock_function (self, where >> 20, where >> 15 & 0x1f, where >> 12 & 0x07);
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
  VmmPciDevice *device = lock_function (self, where >> 20, where >> 15 & 0x1f, where >> 12 & 0x07);

  if (!device)
    return;
  for (guint i = 0; i < size; i += 4)
    vmm_pci_device_write_config (device, (where & 0xfff) + i, MIN (size, 4), value >> 8 * i);
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
  return FIRST_GSI + slot % N_GSIS;
}

void
vmm_pci_host_pull_intx (VmmPciHost *self, guint slot, gboolean level)
{
  VmmPlatform *platform = self->parent.parent.board->platform;
  guint gsi = vmm_pci_slot_gsi (slot);
  guint *count = &self->lines[gsi - FIRST_GSI];

  g_mutex_lock (&self->lines_lock);
  *count += level ? 1 : -1;
  if (*count == (level ? 1 : 0))
    platform->klass->set_line (platform, gsi, level);
  g_mutex_unlock (&self->lines_lock);
}

gboolean
vmm_pci_host_add (VmmPciHost *self, VmmPciDevice *device, guint slot, GError **error)
{
  gboolean free_slot = FALSE;

  vmm_device_lock (&self->parent.parent);
  for (guint i = 1; slot == 0 && i < VMM_PCI_N_SLOTS; i++)
    if (!self->slots[i])
      slot = i;
  free_slot = slot > 0 && slot < VMM_PCI_N_SLOTS && !self->slots[slot];
  if (free_slot) {
    self->slots[slot] = device;
    device->slot = slot;
  }
  vmm_device_unlock (&self->parent.parent);
  if (!free_slot)
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "There is no free PCI slot for %s.",
                 device->parent.id);
  return free_slot;
}

void
vmm_pci_host_remove (VmmPciHost *self, VmmPciDevice *device)
{
  vmm_device_lock (&self->parent.parent);
  self->slots[device->slot] = NULL;
  vmm_device_unlock (&self->parent.parent);
}

/* The BAR that was put somewhere in [@start, @start + @size), or NULL. */
static VmmPciBar *
bar_within (VmmPciHost *self, guint64 start, guint64 size)
{
  for (guint slot = 0; slot < VMM_PCI_N_SLOTS; slot++)
    for (guint i = 0; self->slots[slot] && i < VMM_PCI_N_BARS; i++) {
      VmmPciBar *bar = &self->slots[slot]->bars[i];

      if (bar->size > 0 && bar->first < start + size && bar->first + bar->size > start)
        return bar;
    }
  return NULL;
}

static guint64
find_room_in (VmmPciHost *self, guint64 base, guint64 length, guint64 size)
{
  guint64 at = (base + size - 1) & ~(size - 1);

  while (at >= base && at - base <= length && length - (at - base) >= size) {
    VmmPciBar *bar = bar_within (self, at, size);

    if (!bar)
      return at;
    at = (bar->first + bar->size + size - 1) & ~(size - 1);
  }
  return 0;
}

guint64
vmm_pci_host_find_room (VmmPciHost *self, guint64 size, gboolean wide)
{
  guint64 at = find_room_in (self, VMM_PCI_WINDOW_BASE, VMM_PCI_WINDOW_SIZE, size);

  if (at == 0 && wide)
    at = find_room_in (self, self->config.high_base, self->config.high_size, size);
  return at;
}

gboolean
vmm_pci_host_in_window (VmmPciHost *self, guint64 address, guint64 size)
{
  const VmmPciHostConfig *high = &self->config;

  return (size <= VMM_PCI_WINDOW_SIZE && address >= VMM_PCI_WINDOW_BASE &&
          address - VMM_PCI_WINDOW_BASE <= VMM_PCI_WINDOW_SIZE - size) ||
         (size <= high->high_size && address >= high->high_base &&
          address - high->high_base <= high->high_size - size);
}

void
vmm_pci_host_get_windows (VmmPciHost *self, VmmPciWindows *windows)
{
  *windows = (VmmPciWindows) {
    .ecam_base = VMM_PCI_ECAM_BASE,
    .n_buses = N_BUSES,
    .low_base = VMM_PCI_WINDOW_BASE,
    .low_size = VMM_PCI_WINDOW_SIZE,
    .high_base = self->config.high_base,
    .high_size = self->config.high_size,
  };
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
  vmm_pci_device_put (&self->parent, PCIEXBAR, 4, VMM_PCI_ECAM_BASE | 1);
  self->slots[0] = &self->parent;
  g_mutex_init (&self->lines_lock);
  if (!vmm_bus_add (board->ports, ADDRESS_PORT, 4, &vmm_pci_host_ops, device, REGION_ADDRESS,
                    error))
    return FALSE;
  if (!vmm_bus_add (board->ports, DATA_PORT, 4, &vmm_pci_host_ops, device, REGION_DATA, error)) {
    vmm_bus_remove (board->ports, ADDRESS_PORT);
    return FALSE;
  }
  if (vmm_bus_add (board->mmio, VMM_PCI_ECAM_BASE, N_BUSES * ECAM_BUS_SIZE, &vmm_pci_host_ops,
                   device, REGION_ECAM, error))
    return TRUE;
  vmm_bus_remove (board->ports, DATA_PORT);
  vmm_bus_remove (board->ports, ADDRESS_PORT);
  return FALSE;
}

static void
vmm_pci_host_unrealize (VmmDevice *device)
{
  VmmPciHost *self = (VmmPciHost *) device;

  vmm_bus_remove (device->board->mmio, VMM_PCI_ECAM_BASE);
  vmm_bus_remove (device->board->ports, DATA_PORT);
  vmm_bus_remove (device->board->ports, ADDRESS_PORT);
  g_mutex_clear (&self->lines_lock);
}

static void
vmm_pci_host_reset (VmmDevice *device)
{
  VmmPciHost *self = (VmmPciHost *) device;

  vmm_pci_device_reset (&self->parent);
  self->address = 0;
  self->reset_control = 0;
}

static gboolean
vmm_pci_host_loaded (VmmDevice *device, GError **error)
{
  VmmPciHost *self = (VmmPciHost *) device;

  self->reset_control &= RESET_KEPT;
  return vmm_pci_device_loaded (&self->parent, error);
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
