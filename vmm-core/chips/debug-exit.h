/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Port 0xf4: a guest under test writes a value and the run ends with it (VMM_REQUEST_DEBUG_EXIT).
 */
#pragma once

#include "device/vmm-device.h"

G_BEGIN_DECLS

extern const VmmDeviceClass vmm_debug_exit_class; /* config: NULL */

G_END_DECLS
