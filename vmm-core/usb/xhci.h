/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A USB controller (xHCI 1.1) with four USB 2 and four USB 3 ports.
 *
 * Threads: control.
 */
#pragma once

#include "pci/pci-device.h"
#include "usb/usb-device.h"

G_BEGIN_DECLS

#define VMM_XHCI_N_PORTS 8

typedef struct {
  guint slot; /* 0: the next free one */
} VmmXhciConfig;

/* For vmm_device_new: &vmm_xhci_class.parent. */
extern const VmmPciDeviceClass vmm_xhci_class;

/* Plugs @device into a free port of its speed; from then on it is the controller's. FALSE where
 * there is none: then it stays the caller's. The machine may run. */
gboolean vmm_xhci_attach (VmmDevice *xhci, VmmUsbDevice *device, GError **error);
/* Pulls the device @id out and frees it. FALSE: there is none of this name. */
gboolean vmm_xhci_detach (VmmDevice *xhci, const char *id);

G_END_DECLS
