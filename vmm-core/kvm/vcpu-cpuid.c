/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What KVM can show as a processor. What we make of it is x86/cpuid.c's affair.
 *
 * Threads: control.
 */
#include "kvm/vcpu-private.h"

#include <errno.h>

#define MAX_ENTRIES 256

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
