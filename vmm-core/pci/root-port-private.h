/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What host bridge and functions ask of a root port.
 *
 * Threads: with the host bridge locked, or control with the vCPUs stopped: as configuration cycles
 * change a port only with the host bridge locked.
 */
#pragma once

#include "pci/pci-host.h"
#include "pci/root-port.h"

G_BEGIN_DECLS

/* The function that answers configuration cycles there, or NULL. */
VmmPciDevice *vmm_root_port_find (VmmRootPort *self, guint bus, guint slot, guint function);
/* FALSE: something stands there. NULL takes it away. */
gboolean vmm_root_port_set_child (VmmRootPort *self, VmmPciDevice *child);
/* Whether accesses to all of this reach the other side. */
gboolean vmm_root_port_forwards (VmmRootPort *self, guint64 address, guint64 size);
/* For a BAR of the child, or 0. */
guint64 vmm_root_port_find_room (VmmRootPort *self, guint64 size);
/* The addresses that were set aside for it, or that it forwards now: @index 0 and 1. FALSE: none.
 */
gboolean vmm_root_port_get_reserved (VmmRootPort *self, guint index, VmmPciWindow *window);
gboolean vmm_root_port_get_window (VmmRootPort *self, guint index, VmmPciWindow *window);

G_END_DECLS
