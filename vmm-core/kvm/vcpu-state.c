/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All registers of a vCPU, out and in. A reset puts back those of power-on.
 *
 * Threads: control, with the vCPU parked.
 */
#include "kvm/vcpu-private.h"

#include <errno.h>
#include <string.h>

#define MAX_MSRS       1024
#define MSR_TSC        0x10
#define MSR_TSC_ADJUST 0x3b

static gboolean
get (VmmVcpu *self, unsigned long request, gpointer argument, const char *what, GError **error)
{
  return vmm_kvm_ioctl (self->fd, request, argument) >= 0 || vmm_kvm_fail (what, error);
}

/* KVM names the MSRs to be saved: we keep no list of our own. */
static struct kvm_msrs *
list_msrs (VmmVcpu *self, GError **error)
{
  g_autofree struct kvm_msr_list *list =
    g_malloc0 (sizeof *list + MAX_MSRS * sizeof list->indices[0]);
  struct kvm_msrs *msrs;

  list->nmsrs = MAX_MSRS;
  if (vmm_kvm_ioctl (self->kvm->kvm_fd, KVM_GET_MSR_INDEX_LIST, list) < 0) {
    vmm_kvm_fail ("list a CPU's registers", error);
    return NULL;
  }
  msrs = g_malloc0 (sizeof *msrs + list->nmsrs * sizeof msrs->entries[0]);
  msrs->nmsrs = list->nmsrs;
  for (guint i = 0; i < list->nmsrs; i++)
    msrs->entries[i].index = list->indices[i];
  return msrs;
}

static void
drop_msr (struct kvm_msrs *msrs, guint i)
{
  memmove (&msrs->entries[i], &msrs->entries[i + 1],
           (msrs->nmsrs - i - 1) * sizeof msrs->entries[0]);
  msrs->nmsrs--;
}

/* KVM stops at the first register that this CPU does not have: leave it out and ask again. */
static struct kvm_msrs *
read_msrs (VmmVcpu *self, GError **error)
{
  struct kvm_msrs *msrs = list_msrs (self, error);

  while (msrs && msrs->nmsrs > 0) {
    int n = vmm_kvm_ioctl (self->fd, KVM_GET_MSRS, msrs);

    if (n < 0) {
      vmm_kvm_fail ("read a CPU's registers", error);
      g_clear_pointer (&msrs, g_free);
    } else if ((guint) n >= msrs->nmsrs) {
      break;
    } else {
      drop_msr (msrs, n);
    }
  }
  return msrs;
}

/* Zeros, by which KVM knows that all CPUs count as one again. They must be written: where an AMD
 * processor has met a triple fault KVM has lost the offset of its counter, and every timer that
 * the guest sets by the counter would be late by minutes. */
static void
restart_clock (struct kvm_msrs *msrs)
{
  for (guint i = 0; i < msrs->nmsrs; i++)
    if (msrs->entries[i].index == MSR_TSC || msrs->entries[i].index == MSR_TSC_ADJUST)
      msrs->entries[i].data = 0;
}

/* A register that can be read but not written is left as it is. */
static gboolean
write_msrs (VmmVcpu *self, const struct kvm_msrs *saved, gboolean clock, GError **error)
{
  g_autofree struct kvm_msrs *msrs =
    g_memdup2 (saved, sizeof *saved + saved->nmsrs * sizeof saved->entries[0]);

  if (!clock)
    restart_clock (msrs);
  while (msrs->nmsrs > 0) {
    int n = vmm_kvm_ioctl (self->fd, KVM_SET_MSRS, msrs);

    if (n < 0)
      return vmm_kvm_fail ("set a CPU's registers", error);
    if ((guint) n >= msrs->nmsrs)
      break;
    drop_msr (msrs, n);
  }
  return TRUE;
}

gsize
vmm_vcpu_xsave_size (VmmVcpu *self)
{
  return MAX ((gsize) vmm_kvm_check (self->kvm, KVM_CAP_XSAVE2), sizeof (struct kvm_xsave));
}

static struct kvm_xsave *
read_xsave (VmmVcpu *self, GError **error)
{
  gsize size = vmm_vcpu_xsave_size (self);
  gboolean large = size > sizeof (struct kvm_xsave);
  g_autofree struct kvm_xsave *xsave = g_malloc0 (size);

  if (!get (self, large ? KVM_GET_XSAVE2 : KVM_GET_XSAVE, xsave, "read a CPU's extended state",
            error))
    return NULL;
  return g_steal_pointer (&xsave);
}

VmmVcpuState *
vmm_vcpu_state_save (VmmVcpu *self, GError **error)
{
  g_autoptr (VmmVcpuState) state = g_new0 (VmmVcpuState, 1);
  const char *what = "read a CPU's registers";

  if (!get (self, KVM_GET_MP_STATE, &state->mp, what, error) ||
      !get (self, KVM_GET_REGS, &state->regs, what, error) ||
      !get (self, KVM_GET_SREGS, &state->sregs, what, error) ||
      !get (self, KVM_GET_XCRS, &state->xcrs, what, error) ||
      !get (self, KVM_GET_DEBUGREGS, &state->debug, what, error) ||
      !get (self, KVM_GET_LAPIC, &state->lapic, what, error) ||
      !get (self, KVM_GET_VCPU_EVENTS, &state->events, what, error))
    return NULL;
  state->xsave = read_xsave (self, error);
  if (!state->xsave)
    return NULL;
  state->msrs = read_msrs (self, error);
  return state->msrs ? g_steal_pointer (&state) : NULL;
}

/* The local APIC before the MSRs: it would stop the timer that they set. */
gboolean
vmm_vcpu_state_load (VmmVcpu *self, const VmmVcpuState *state, gboolean clock, GError **error)
{
  VmmVcpuState copy = *state; /* KVM takes pointers to what it only reads */
  const char *what = "set a CPU's registers";

  return get (self, KVM_SET_SREGS, &copy.sregs, what, error) &&
         get (self, KVM_SET_REGS, &copy.regs, what, error) &&
         get (self, KVM_SET_XSAVE, copy.xsave, what, error) &&
         get (self, KVM_SET_XCRS, &copy.xcrs, what, error) &&
         get (self, KVM_SET_LAPIC, &copy.lapic, what, error) &&
         write_msrs (self, copy.msrs, clock, error) &&
         get (self, KVM_SET_VCPU_EVENTS, &copy.events, what, error) &&
         get (self, KVM_SET_DEBUGREGS, &copy.debug, what, error) &&
         get (self, KVM_SET_MP_STATE, &copy.mp, what, error);
}

void
vmm_vcpu_state_free (VmmVcpuState *state)
{
  g_free (state->xsave);
  g_free (state->msrs);
  g_free (state);
}
