/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The addresses that a root port forwards to what stands behind it, and that are set aside for it.
 *
 * Threads: as root-port-private.h says.
 */
#include <string.h>

#include "pci/pci-host-private.h"

#define COMMAND_MEMORY 0x0002
#define WINDOW_WIDE    0x0001u
#define WINDOW_SHIFT   16 /* registers have bits 20 to 31, at bit 4 */
#define WINDOW_UNIT    0x100000u
#define MEMORY_SIZE    (G_GUINT64_CONSTANT (2) << 20)
#define PREFETCH_SIZE  (G_GUINT64_CONSTANT (1) << 30)

/* "Resource reservation" of QEMU's bridges: what firmware sets aside. */
#define CAPABILITY_VENDOR 0x09
#define RESERVE_LENGTH    40
#define RESERVE_TYPE      1
#define NO_HINT           G_MAXUINT32

/* Base and limit are the upper bits of the first and the last MiB. */
gboolean
vmm_root_port_get_window (VmmRootPort *self, guint index, VmmPciWindow *window)
{
  guint at = index == ROOT_PORT_WINDOW_MEMORY ? ROOT_PORT_MEMORY_BASE : ROOT_PORT_PREFETCH_BASE;
  guint64 base = (guint64) (root_port_get16 (self, at) & ROOT_PORT_WINDOW_MASK) << WINDOW_SHIFT;
  guint64 limit = (guint64) (root_port_get16 (self, at + 2) & ROOT_PORT_WINDOW_MASK)
                  << WINDOW_SHIFT;
  guint32 upper[2];

  if (index == ROOT_PORT_WINDOW_PREFETCH) {
    memcpy (upper, self->parent.config + ROOT_PORT_BASE_UPPER, sizeof upper);
    base |= (guint64) upper[0] << 32;
    limit |= (guint64) upper[1] << 32;
  }
  *window = (VmmPciWindow) { base, limit - base + WINDOW_UNIT };
  return limit >= base && window->size > 0;
}

gboolean
vmm_root_port_get_reserved (VmmRootPort *self, guint index, VmmPciWindow *window)
{
  *window = self->reserved[index];
  return window->size > 0;
}

gboolean
vmm_root_port_forwards (VmmRootPort *self, guint64 address, guint64 size)
{
  VmmPciWindow window;

  if (!self->link || !(root_port_get16 (self, ROOT_PORT_COMMAND) & COMMAND_MEMORY))
    return FALSE;
  for (guint i = 0; i < ROOT_PORT_N_WINDOWS; i++)
    if (vmm_root_port_get_window (self, i, &window) && address >= window.base &&
        size <= window.size && address - window.base <= window.size - size)
      return TRUE;
  return FALSE;
}

/* Behind the BARs that it has already. Where no window is open yet any place is as good as another:
 * whoever opens one moves the BARs. */
guint64
vmm_root_port_find_room (VmmRootPort *self, guint64 size)
{
  VmmPciWindow window;
  guint64 at;

  if (!vmm_root_port_get_window (self, ROOT_PORT_WINDOW_MEMORY, &window) || window.base == 0)
    window = (VmmPciWindow) { VMM_PCI_WINDOW_BASE, VMM_PCI_WINDOW_END - VMM_PCI_WINDOW_BASE };
  at = window.base;
  for (guint i = 0; self->child && i < VMM_PCI_N_BARS; i++)
    if (self->child->bars[i].size > 0)
      at = MAX (at, self->child->bars[i].first + self->child->bars[i].size);
  at = (at + size - 1) & ~(size - 1);
  return size <= window.size && at - window.base <= window.size - size ? at : 0;
}

static void
put_window (VmmRootPort *self, guint at, const VmmPciWindow *window, guint16 kind)
{
  guint64 last = window->base + window->size - 1;

  vmm_pci_device_put (&self->parent, at, 2,
                      (window->base >> WINDOW_SHIFT & ROOT_PORT_WINDOW_MASK) | kind);
  vmm_pci_device_put (&self->parent, at + 2, 2,
                      (last >> WINDOW_SHIFT & ROOT_PORT_WINDOW_MASK) | kind);
  if (!(kind & WINDOW_WIDE))
    return;
  vmm_pci_device_put (&self->parent, ROOT_PORT_BASE_UPPER, 4, window->base >> 32);
  vmm_pci_device_put (&self->parent, ROOT_PORT_LIMIT_UPPER, 4, last >> 32);
}

/* A window of no size: its limit is below its base. */
void
root_port_put_windows (VmmRootPort *self)
{
  static const VmmPciWindow none = { WINDOW_UNIT, 0 };
  const VmmPciWindow *memory = &self->reserved[ROOT_PORT_WINDOW_MEMORY];
  const VmmPciWindow *prefetch = &self->reserved[ROOT_PORT_WINDOW_PREFETCH];

  put_window (self, ROOT_PORT_MEMORY_BASE, memory->size ? memory : &none, 0);
  put_window (self, ROOT_PORT_PREFETCH_BASE, prefetch->size ? prefetch : &none, WINDOW_WIDE);
}

/* What firmware does where there is some. */
gboolean
root_port_assign (VmmRootPort *self)
{
  VmmPciHost *host = self->parent.parent.board->pci;
  VmmPciWindow *memory = &self->reserved[ROOT_PORT_WINDOW_MEMORY];
  VmmPciWindow *prefetch = &self->reserved[ROOT_PORT_WINDOW_PREFETCH];

  memory->base = vmm_pci_host_find_room (host, MEMORY_SIZE, FALSE);
  memory->size = memory->base ? MEMORY_SIZE : 0;
  prefetch->base = vmm_pci_host_find_high_room (host, PREFETCH_SIZE);
  prefetch->size = prefetch->base ? PREFETCH_SIZE : 0;
  vmm_pci_device_put (&self->parent, ROOT_PORT_SECONDARY, 1, self->number + 1);
  vmm_pci_device_put (&self->parent, ROOT_PORT_SUBORDINATE, 1, self->number + 1);
  return memory->size > 0;
}

/* BARs behind the port answer where it forwards. */
void
root_port_update_child (VmmRootPort *self)
{
  if (!self->child)
    return;
  vmm_device_lock (&self->child->parent);
  vmm_pci_device_update_bars (self->child);
  vmm_device_unlock (&self->child->parent);
}

/* One bus, no ports, so much memory. */
void
root_port_put_reservation (VmmRootPort *self)
{
  VmmPciDevice *pci = &self->parent;
  guint at = vmm_pci_device_add_capability (pci, CAPABILITY_VENDOR, RESERVE_LENGTH);

  vmm_pci_device_put (pci, at + 2, 1, RESERVE_LENGTH);
  vmm_pci_device_put (pci, at + 3, 1, RESERVE_TYPE);
  vmm_pci_device_put (pci, at + 4, 4, NO_HINT);
  vmm_pci_device_put (pci, at + 16, 4, MEMORY_SIZE);
  vmm_pci_device_put (pci, at + 20, 4, NO_HINT);
  vmm_pci_device_put (pci, at + 24, 4, PREFETCH_SIZE);
}
