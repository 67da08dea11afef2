/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The processor that the guest sees: the host's, without what we cannot carry through a snapshot,
 * with a topology of its own.
 *
 * Threads: any.
 */
#pragma once

#include <linux/kvm.h>

#include "vmm-cpu.h"

G_BEGIN_DECLS

/* Entries that vmm_cpuid_fill may add to the list. */
#define VMM_CPUID_SPARE 24

typedef struct {
  guint apic_id; /* of this vCPU */
  VmmCpuTopology topology;
  gboolean tsc_deadline;
} VmmCpuidConfig;

/* Changes what KVM supports (@cpuid, with room for VMM_CPUID_SPARE more) into what vCPU @config
 * shows. */
void vmm_cpuid_fill (struct kvm_cpuid2 *cpuid, const VmmCpuidConfig *config);

G_END_DECLS
