/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The named processors: what of the host's a guest does not see.
 *
 * Threads: any.
 */
#pragma once

#include <linux/kvm.h>

#include "vmm-cpu.h"

G_BEGIN_DECLS

/* Takes out of what KVM supports (@list) what is above @model. Fails with VMM_ERROR_CONFIG where
 * the host lacks some of the model, which is named. Before vmm_cpuid_fill. */
gboolean vmm_cpu_model_apply (VmmCpuModel model, struct kvm_cpuid2 *list, GError **error);

G_END_DECLS
