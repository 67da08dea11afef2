/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The clock and its 128 bytes of CMOS at ports 0x70 and 0x71 (Motorola MC146818): the host's time,
 * in UTC.
 */
#pragma once

#include "device/vmm-device.h"

G_BEGIN_DECLS

#define VMM_RTC_GSI 8

extern const VmmDeviceClass vmm_rtc_class; /* config: NULL */

G_END_DECLS
