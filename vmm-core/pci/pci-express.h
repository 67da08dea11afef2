/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PCI Express capability of a function.
 *
 * Threads: control, in realize.
 */
#pragma once

#include "pci/pci-device.h"

G_BEGIN_DECLS

#define VMM_PCI_CAPABILITY_EXPRESS 0x10
#define VMM_PCI_EXPRESS_SIZE       0x3c

/* Registers, from the capability on. */
#define VMM_PCI_EXPRESS_LINK_STATUS       0x12
#define VMM_PCI_EXPRESS_LINK_ACTIVE       0x2000
#define VMM_PCI_EXPRESS_SLOT_CAPABILITIES 0x14
#define VMM_PCI_EXPRESS_SLOT_CONTROL      0x18
#define VMM_PCI_EXPRESS_SLOT_STATUS       0x1a

typedef enum {
  VMM_PCI_EXPRESS_ENDPOINT = 0,
  VMM_PCI_EXPRESS_ROOT_PORT = 4, /* with a slot */
} VmmPciExpressType;

/* Returns its offset. @port is the number of a port's link. */
guint vmm_pci_device_add_express (VmmPciDevice *self, VmmPciExpressType type, guint port);

G_END_DECLS
