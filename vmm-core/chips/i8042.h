/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The keyboard controller at ports 0x60 and 0x64, with no keyboard and no mouse behind it:
 * guests reset the machine through it and probe it, and both must be quick.
 */
#pragma once

#include "device/vmm-device.h"

G_BEGIN_DECLS

extern const VmmDeviceClass vmm_i8042_class; /* config: NULL */

G_END_DECLS
