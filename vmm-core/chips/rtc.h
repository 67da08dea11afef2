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

/* A byte of the memory beside the clock, for firmware to find. Thread: control, vCPUs parked. */
void vmm_rtc_set_cmos (VmmDevice *rtc, guint reg, guint8 value);

G_END_DECLS
