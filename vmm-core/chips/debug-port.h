/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Port 0x402, where firmware writes what it does if somebody listens.
 */
#pragma once

#include "device/vmm-device.h"

G_BEGIN_DECLS

typedef struct {
  int fd; /* a file, borrowed */
} VmmDebugPortConfig;

extern const VmmDeviceClass vmm_debug_port_class;

G_END_DECLS
