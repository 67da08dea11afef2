/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a function asks of the host bridge it stands on, and the other way round; and the bridge
 * inside: pci-host.c (its life, and what stands on it), pci-cycles.c (configuration cycles),
 * pci-windows.c (addresses).
 *
 * Threads: control, with the vCPUs stopped, unless said otherwise.
 */
#pragma once

#include "pci/pci-host.h"
#include "pci/pci-lines.h"
#include "pci/root-port-private.h"

G_BEGIN_DECLS

/* Ids and fixed registers of any function, the host bridge's too. */
void vmm_pci_device_init (VmmPciDevice *self, const VmmPciIds *ids);

/* The ROM answers where the registers say, if @decode. */
void vmm_pci_device_update_rom (VmmPciDevice *self, gboolean decode);

/* BARs follow the registers, and the port that the function stands behind. @self is locked, or
 * control. */
void vmm_pci_device_update_bars (VmmPciDevice *self);

/* @slot 0: the next free one. Sets @device's slot, function and port. */
gboolean vmm_pci_host_add (VmmPciHost *self,
                           VmmPciDevice *device,
                           guint slot,
                           guint function,
                           GError **error);
void vmm_pci_host_remove (VmmPciHost *self, VmmPciDevice *device);
/* A free place for a BAR of @size bytes, or 0. */
guint64 vmm_pci_host_find_room (VmmPciHost *self, guint64 size, gboolean wide);
/* The same above 4 GiB, for all that may come behind a port. */
guint64 vmm_pci_host_find_high_room (VmmPciHost *self, guint64 size);
/* NULL: it is no more. */
void vmm_pci_host_set_port (VmmPciHost *self, guint number, VmmRootPort *port);
/* Whether a BAR may answer there. Thread: any. */
gboolean vmm_pci_host_in_window (VmmPciHost *self, guint64 address, guint64 size);
/* Thread: any. */
VmmPciLines *vmm_pci_host_get_lines (VmmPciHost *self);

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

/* Regions of vmm_pci_host_ops. */
enum {
  PCI_REGION_ADDRESS,
  PCI_REGION_DATA,
  PCI_REGION_ECAM,
};

#define PCI_ADDRESS_PORT 0xcf8
#define PCI_DATA_PORT    0xcfc
#define PCI_RESET_KEPT   0x0a /* of the reset register */

/* Bus 0, and one for each port. */
guint vmm_pci_host_count_buses (VmmPciHost *self);
/* The enhanced configuration space is where the register says. */
void vmm_pci_host_follow_ecam (VmmPciHost *self);

/* pci-cycles.c */
extern const VmmBusOps vmm_pci_host_ops;

G_END_DECLS
