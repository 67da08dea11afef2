/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The VM generation ID: a number that is another one as soon as the machine may be a copy of an
 * earlier self, so that the guest's random numbers and databases part ways with that one's.
 * (Microsoft, "Virtual Machine Generation ID", 2018.) It lies in a page of its own that the guest
 * finds by ACPI and reads without an exit.
 */
#pragma once

#include "device/vmm-device.h"

G_BEGIN_DECLS

#define VMM_GENERATION_ADDRESS G_GUINT64_CONSTANT (0xfeffb000) /* as dsdt.asl says */
#define VMM_GENERATION_SIZE    4096
#define VMM_GENERATION_GPE     5 /* its handler in dsdt.asl notifies the guest */

extern const VmmDeviceClass vmm_generation_class; /* config: NULL */

/* Another number from now on; the caller raises the event. Thread: control, vCPUs parked. */
void vmm_generation_renew (VmmDevice *generation);

G_END_DECLS
