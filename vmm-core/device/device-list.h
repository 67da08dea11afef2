/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The index of all devices: every class there is. Tests walk it, so a new device is tested by being
 * here.
 */
#pragma once

#include "device/vmm-device.h"

G_BEGIN_DECLS

/* Ends with NULL. */
extern const VmmDeviceClass *const vmm_device_list[];

G_END_DECLS
