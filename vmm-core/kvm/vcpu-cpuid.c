/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What KVM can show as a processor, and how many. What we make of it is x86/cpuid.c's affair.
 *
 * Threads: control.
 */
#include "kvm/vcpu-private.h"

#include <errno.h>

#include "vmm-error.h"

#define MAX_ENTRIES  256
#define N_VCPUS_SURE 4 /* where KVM does not tell */

struct kvm_cpuid2 *
vmm_kvm_get_supported_cpuid (VmmKvm *kvm, guint n_spare, GError **error)
{
  g_autofree struct kvm_cpuid2 *list =
    g_malloc0 (sizeof *list + (MAX_ENTRIES + n_spare) * sizeof list->entries[0]);

  list->nent = MAX_ENTRIES;
  if (vmm_kvm_ioctl (kvm->kvm_fd, KVM_GET_SUPPORTED_CPUID, list) < 0) {
    vmm_kvm_fail ("tell what processors it can show", error);
    return NULL;
  }
  return g_steal_pointer (&list);
}

gboolean
vmm_kvm_has_tsc_deadline (VmmKvm *kvm)
{
  return vmm_kvm_check (kvm, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
}

gboolean
vmm_kvm_check_n_vcpus (VmmKvm *kvm, guint n_vcpus, guint last_id, GError **error)
{
  guint max = vmm_kvm_check (kvm, KVM_CAP_MAX_VCPUS);
  guint n_ids = vmm_kvm_check (kvm, KVM_CAP_MAX_VCPU_ID);

  max = max ? max : N_VCPUS_SURE;
  n_ids = n_ids ? n_ids : max;
  if (n_vcpus > max)
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
                 "The machine wants %u processors, but KVM gives at most %u on this computer.",
                 n_vcpus, max);
  else if (last_id >= n_ids)
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
                 "The machine's processors, counted like that, have numbers up to %u, but KVM "
                 "gives numbers below %u: count them as cores of one socket.",
                 last_id, n_ids);
  else
    return TRUE;
  return FALSE;
}
