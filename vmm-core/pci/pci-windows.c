/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which addresses are PCI's: where a BAR finds room, where one may answer, and what the ACPI tables
 * say of it.
 *
 * Threads: as pci-host.h and pci-host-private.h say.
 */
#include "pci/pci-host-private.h"

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

  *windows = (VmmPciWindows) { .ecam_base = ecam, .n_buses = vmm_pci_host_count_buses (self) };
  add_window (windows, end_of_ram (self, FALSE), ecam);
  add_window (windows, ecam + VMM_PCI_ECAM_SIZE, VMM_PCI_WINDOW_END);
  add_window (windows, self->config.high_base, self->config.high_base + self->config.high_size);
  add_far_window (self, windows);
}
