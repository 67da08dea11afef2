/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ACPI power management: the PM1 event and control blocks, the PM timer and GPE0. (ACPI 6.5, 4.8
 * "ACPI Register Model".) The reset register at 0xcf9 is the PCI host bridge's, whose 0xcf8 it
 * lies in.
 */
#pragma once

#include "device/vmm-device.h"

G_BEGIN_DECLS

#define VMM_PM_PORT        0x600 /* PM1a_EVT_BLK; the others follow */
#define VMM_PM1A_EVT_PORT  (VMM_PM_PORT + 0x00)
#define VMM_PM1A_CNT_PORT  (VMM_PM_PORT + 0x04)
#define VMM_PM_TMR_PORT    (VMM_PM_PORT + 0x08)
#define VMM_PM_GPE0_PORT   (VMM_PM_PORT + 0x20) /* 16 bytes: 8 of status, 8 of enable */
#define VMM_PM_GPE0_LENGTH 16
#define VMM_PM_SMI_PORT    (VMM_PM_PORT + 0x30) /* SMI_EN */
#define VMM_PM_SCI_GSI     9
#define VMM_PM_S5_TYPE     0 /* SLP_TYP of S5, as \_S5 says */
#define VMM_PM_RESET_PORT  0xcf9
#define VMM_PM_RESET_VALUE 6

extern const VmmDeviceClass vmm_pm_class; /* config: NULL */

/* Presses and releases the power button: PWRBTN_STS and, where the guest wants it, an SCI. Thread:
 * any. */
void vmm_pm_power_button (VmmDevice *pm);
/* Raises a general-purpose event (hot-plug). Thread: any. */
void vmm_pm_raise_gpe (VmmDevice *pm, guint number);

G_END_DECLS
