/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The high precision event timer: a counter of 100 MHz and three comparators. (Intel, IA-PC HPET
 * Specification 1.0a.) Kernels that we start have no need of it; firmware's operating systems may.
 */
#pragma once

#include "device/vmm-device.h"

G_BEGIN_DECLS

#define VMM_HPET_ADDRESS   0xfed00000u
#define VMM_HPET_SIZE      0x400
#define VMM_HPET_PERIOD_NS 10
#define VMM_HPET_N_TIMERS  3
/* GCAP_ID[31:0], which the ACPI table repeats: 64 bits, legacy replacement, three timers. */
#define VMM_HPET_BLOCK_ID  0x8086a201u
#define VMM_HPET_MIN_TICKS 5000 /* between two interrupts of a period */

extern const VmmDeviceClass vmm_hpet_class; /* config: NULL */

G_END_DECLS
