/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A vCPU, saved and loaded: its registers as fields, and three sections of bytes beside them, whose
 * length is the processor's affair.
 *
 *   cpuN        vmm_vcpu_state_fields
 *   cpuN/xsave  the XSAVE area in its standard form (Intel SDM 1, 13.4)
 *   cpuN/msrs   for each: u32 index, u32 0, u64 value
 *   cpuN/cpuid  what the guest was told of its processor: struct kvm_cpuid_entry2 each
 *
 * Threads: control, with the vCPU parked.
 */
#include <string.h>

#include "kvm/saved-fields.h"
#include "kvm/vcpu-private.h"
#include "vmm-error.h"

#define MAX_CPUID 256
#define MAX_MSRS  1024

typedef struct kvm_cpuid_entry2 Leaf;
typedef struct kvm_msr_entry Msr;

G_STATIC_ASSERT (sizeof (Leaf) == 40);
G_STATIC_ASSERT (sizeof (Msr) == 16);

static char *
section (VmmVcpu *self, const char *part)
{
  return g_strdup_printf ("cpu%u%s", self->index, part);
}

static struct kvm_cpuid2 *
read_cpuid (VmmVcpu *self, GError **error)
{
  g_autofree struct kvm_cpuid2 *cpuid = g_malloc0 (sizeof *cpuid + MAX_CPUID * sizeof (Leaf));

  cpuid->nent = MAX_CPUID;
  if (vmm_kvm_ioctl (self->fd, KVM_GET_CPUID2, cpuid) < 0) {
    vmm_kvm_fail ("tell a CPU's features", error);
    return NULL;
  }
  return g_steal_pointer (&cpuid);
}

gboolean
vmm_vcpu_save (VmmVcpu *self, VmmState *state, GError **error)
{
  g_autoptr (VmmVcpuState) now = vmm_vcpu_state_save (self, error);
  g_autofree struct kvm_cpuid2 *cpuid = now ? read_cpuid (self, error) : NULL;
  g_autofree char *name = section (self, ""), *xsave = section (self, "/xsave");
  g_autofree char *msrs = section (self, "/msrs"), *features = section (self, "/cpuid");

  if (!cpuid || !vmm_state_save_struct (state, name, VMM_VCPU_STATE_VERSION, vmm_vcpu_state_fields,
                                        now, error))
    return FALSE;
  vmm_state_save_bytes (state, xsave, now->xsave, vmm_vcpu_xsave_size (self));
  vmm_state_save_bytes (state, msrs, now->msrs->entries, now->msrs->nmsrs * sizeof (Msr));
  vmm_state_save_bytes (state, features, cpuid->entries, cpuid->nent * sizeof (Leaf));
  return TRUE;
}

static gboolean
fail (const char *name, GError **error)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT, "The saved state of “%s” is broken.", name);
  return FALSE;
}

/* An array of at most @max elements of @size bytes. */
static gconstpointer
peek_array (VmmState *state, const char *name, gsize size, guint max, guint *n, GError **error)
{
  gsize length;
  const guint8 *bytes = vmm_state_peek_bytes (state, name, &length, error);

  if (!bytes)
    return NULL;
  if (length % size != 0 || length / size > max) {
    fail (name, error);
    return NULL;
  }
  *n = length / size;
  return bytes;
}

static gboolean
load_xsave (VmmVcpu *self, VmmVcpuState *to, VmmState *state, GError **error)
{
  gsize size = vmm_vcpu_xsave_size (self), length;
  g_autofree char *name = section (self, "/xsave");
  const guint8 *bytes = vmm_state_peek_bytes (state, name, &length, error);

  if (!bytes)
    return FALSE;
  if (length < sizeof (struct kvm_xsave))
    return fail (name, error);
  if (length > size) {
    g_set_error_literal (error, VMM_ERROR, VMM_ERROR_SNAPSHOT,
                         "The machine was saved on a computer whose processor has registers that "
                         "this one lacks.");
    return FALSE;
  }
  to->xsave = g_malloc0 (size);
  memcpy (to->xsave, bytes, length);
  return TRUE;
}

static gboolean
load_msrs (VmmVcpu *self, VmmVcpuState *to, VmmState *state, GError **error)
{
  g_autofree char *name = section (self, "/msrs");
  guint n;
  const Msr *entries = peek_array (state, name, sizeof (Msr), MAX_MSRS, &n, error);

  if (!entries)
    return FALSE;
  to->msrs = g_malloc0 (sizeof *to->msrs + n * sizeof (Msr));
  to->msrs->nmsrs = n;
  if (n > 0)
    memcpy (to->msrs->entries, entries, n * sizeof (Msr));
  return TRUE;
}

/* Bits that the processor sets while the guest uses a feature. */
#define LEAF1_ECX_OSXSAVE (1u << 27)
#define LEAF7_ECX_OSPKE   (1u << 4)

/* Leaves whose registers are features, bit for bit, but for EBX of the first and the last. */
static gboolean
has_features (const Leaf *leaf)
{
  return leaf->function == 1 || leaf->function == 7 || leaf->function == 0x80000001;
}

/* Whether @saved names a feature that @leaf does not. */
static gboolean
lacks_features (const Leaf *leaf, const Leaf *saved)
{
  guint dynamic = saved->function == 1   ? LEAF1_ECX_OSXSAVE
                  : saved->function == 7 ? LEAF7_ECX_OSPKE
                                         : 0;
  guint ebx = saved->function == 7 ? saved->ebx : 0;

  return (ebx & ~leaf->ebx) || (saved->ecx & ~leaf->ecx & ~dynamic) || (saved->edx & ~leaf->edx);
}

/* Whether the processor of now can be the one that was saved. */
static gboolean
can_be (const struct kvm_cpuid2 *now, const Leaf *saved)
{
  static const Leaf none;

  if (!has_features (saved))
    return TRUE;
  for (guint i = 0; i < now->nent; i++)
    if (now->entries[i].function == saved->function && now->entries[i].index == saved->index)
      return !lacks_features (&now->entries[i], saved);
  return !lacks_features (&none, saved);
}

/* The guest goes on with the processor that it began with, where this one can be that. */
static gboolean
load_cpuid (VmmVcpu *self, VmmState *state, GError **error)
{
  g_autofree char *name = section (self, "/cpuid");
  guint n;
  const Leaf *leaves = peek_array (state, name, sizeof (Leaf), MAX_CPUID, &n, error);
  g_autofree struct kvm_cpuid2 *now = leaves ? read_cpuid (self, error) : NULL;
  g_autofree struct kvm_cpuid2 *then = g_malloc0 (sizeof *then + MAX_CPUID * sizeof (Leaf));

  if (!now)
    return FALSE;
  for (guint i = 0; i < n; i++) {
    memcpy (&then->entries[i], leaves + i, sizeof (Leaf));
    if (!can_be (now, &then->entries[i])) {
      g_set_error_literal (error, VMM_ERROR, VMM_ERROR_SNAPSHOT,
                           "The machine was saved on a computer whose processor has features that "
                           "this one lacks: load it there, or start it anew.");
      return FALSE;
    }
  }
  then->nent = n;
  return vmm_vcpu_set_cpuid (self, then, error);
}

gboolean
vmm_vcpu_load (VmmVcpu *self, VmmState *state, GError **error)
{
  g_autoptr (VmmVcpuState) then = g_new0 (VmmVcpuState, 1);
  g_autofree char *name = section (self, "");

  return load_cpuid (self, state, error) &&
         vmm_state_load_struct (state, name, VMM_VCPU_STATE_VERSION, vmm_vcpu_state_fields, then,
                                NULL, error) &&
         load_xsave (self, then, state, error) && load_msrs (self, then, state, error) &&
         vmm_vcpu_state_load (self, then, TRUE, error);
}
