/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pvpanic: one port by which the guest's kernel says that it has crashed. (QEMU,
 * docs/specs/pvpanic.rst.)
 */
#pragma once

#include "device/vmm-device.h"

G_BEGIN_DECLS

extern const VmmDeviceClass vmm_pvpanic_class; /* config: NULL */

G_END_DECLS
