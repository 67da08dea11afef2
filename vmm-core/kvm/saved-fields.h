/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a saved machine holds of the kernel's part, by names of our own: the kernel's structs are
 * what they are told by, not what lies in the file.
 *
 * Threads: any.
 */
#pragma once

#include "base/vmm-state.h"

G_BEGIN_DECLS

#define VMM_VCPU_STATE_VERSION 1
#define VMM_CHIP_STATE_VERSION 1

extern const VmmField vmm_vcpu_state_fields[]; /* of VmmVcpuState */
extern const VmmField vmm_kvm_pic_fields[];    /* of struct kvm_pic_state */
extern const VmmField vmm_kvm_ioapic_fields[]; /* of struct kvm_ioapic_state */
extern const VmmField vmm_kvm_pit_fields[];    /* of struct kvm_pit_state2 */
extern const VmmField vmm_kvm_clock_fields[];  /* of struct kvm_clock_data */

G_END_DECLS
