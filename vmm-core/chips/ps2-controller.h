/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The i8042 with a keyboard and a mouse behind it, for firmware and for systems that know nothing
 * better. (Without them: i8042.h.)
 */
#pragma once

#include "chips/ps2.h"
#include "device/vmm-device.h"

G_BEGIN_DECLS

#define VMM_PS2_KEYBOARD_GSI 1
#define VMM_PS2_MOUSE_GSI    12

typedef struct {
  VmmInput *input; /* borrowed; NULL: nobody types */
} VmmPs2Config;

extern const VmmDeviceClass vmm_ps2_class;

G_END_DECLS
