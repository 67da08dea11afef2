/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What host bridge and functions ask of a root port; and the port inside: root-port.c (the bridge
 * and its life), root-port-slot.c (what comes and goes), root-port-window.c (addresses).
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

/* Registers of the bridge. */
#define ROOT_PORT_COMMAND        0x04
#define ROOT_PORT_HEADER_TYPE    0x0e
#define ROOT_PORT_PRIMARY        0x18
#define ROOT_PORT_SECONDARY      0x19
#define ROOT_PORT_SUBORDINATE    0x1a
#define ROOT_PORT_MEMORY_BASE    0x20
#define ROOT_PORT_MEMORY_LIMIT   0x22
#define ROOT_PORT_PREFETCH_BASE  0x24
#define ROOT_PORT_PREFETCH_LIMIT 0x26
#define ROOT_PORT_BASE_UPPER     0x28
#define ROOT_PORT_LIMIT_UPPER    0x2c
#define ROOT_PORT_WINDOWS_END    0x30
#define ROOT_PORT_BRIDGE_CONTROL 0x3e

#define ROOT_PORT_WINDOW_MASK 0xfff0u

enum {
  ROOT_PORT_WINDOW_MEMORY,
  ROOT_PORT_WINDOW_PREFETCH,
  ROOT_PORT_N_WINDOWS,
};

struct _VmmRootPort {
  VmmPciDevice parent;
  guint number;
  guint express; /* the capability */
  VmmPciWindow reserved[ROOT_PORT_N_WINDOWS];
  VmmPciDevice *child;
  gboolean present;   /* the child is in the slot, as far as the guest sees */
  gboolean link;      /* and has power */
  gboolean wanted;    /* somebody asked for the child */
  gboolean released;  /* and the guest has given it up; atomic */
  gboolean signalled; /* an interrupt was sent for what is pending */
  guint16 events;     /* of the slot's status */
};

static inline guint16
root_port_get16 (VmmRootPort *self, guint offset)
{
  return self->parent.config[offset] | self->parent.config[offset + 1] << 8;
}

static inline gboolean
root_port_touches (guint offset, guint length, guint start, guint end)
{
  return offset < end && offset + length > start;
}

/* root-port-slot.c: its registers, and what happens to them. Written: by the guest. */
void root_port_put_slot (VmmRootPort *self);
void root_port_slot_written (VmmRootPort *self, guint offset, guint length);
void root_port_slot_reset (VmmRootPort *self);
void root_port_slot_loaded (VmmRootPort *self);

/* root-port-window.c: windows, and the bus, as firmware gives them where there is some. FALSE where
 * there is no room. */
gboolean root_port_assign (VmmRootPort *self);
void root_port_put_windows (VmmRootPort *self);
/* What firmware is to set aside. */
void root_port_put_reservation (VmmRootPort *self);
/* BARs behind the port answer where it forwards. */
void root_port_update_child (VmmRootPort *self);

G_END_DECLS
