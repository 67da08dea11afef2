/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The ISA bridge at 00:1f.0 (looks like an ICH9's LPC interface): firmware finds the power
 * management through it and routes the PCI interrupts of the old controllers with it. (Intel I/O
 * Controller Hub 9, chapter 13.)
 */
#pragma once

#include "pci/pci-device.h"

G_BEGIN_DECLS

#define VMM_LPC_SLOT 31

extern const VmmPciDeviceClass vmm_lpc_class; /* config: NULL */

G_END_DECLS
