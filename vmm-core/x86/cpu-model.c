/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From what KVM supports to a named processor: leaves that say nothing of features pass, registers
 * of features are masked by the table in cpu-features.c, and all else goes.
 *
 * Threads: any.
 */
#include "x86/cpu-model.h"

#include "vmm-error.h"
#include "x86/cpu-features.h"
#include "x86/cpuid-list.h"

#define LEAF_XSAVE       0xd
#define N_XSAVE_MASKABLE 32  /* components that EAX of leaf 0xd can name; none is above */
#define XSAVE_FIRST      2   /* x87 and SSE lie in the legacy region */
#define XSAVE_MIN_SIZE   576 /* legacy region and header (Intel SDM 1, 13.4) */

/* First and last leaves that pass, but for the registers of features in them. */
static const struct {
  guint32 first, last;
} passing[] = {
  { 0x0, 0x2 },               /* vendor, version, caches */
  { 0x4, 0x7 },               /* caches, monitor, power, features */
  { 0xb, 0xb },               /* topology */
  { LEAF_XSAVE, LEAF_XSAVE }, /* extended state */
  { 0x15, 0x16 },             /* frequencies */
  { 0x1f, 0x1f },             /* topology */
  { 0x40000000, 0x4fffffff }, /* KVM's own */
  { 0x80000000, 0x80000008 }, /* features, brand, caches, addresses */
  { 0x80000019, 0x8000001a }, /* TLB, performance hints */
  { 0x8000001d, 0x8000001e }, /* caches, topology */
  { 0x80000021, 0x80000021 }, /* features */
};

static guint32 *
get_register (struct kvm_cpuid_entry2 *leaf, VmmCpuidRegister name)
{
  switch (name) {
  case VMM_CPUID_EAX:
    return &leaf->eax;
  case VMM_CPUID_EBX:
    return &leaf->ebx;
  case VMM_CPUID_ECX:
    return &leaf->ecx;
  case VMM_CPUID_EDX:
  default:
    return &leaf->edx;
  }
}

static guint32
read_register (struct kvm_cpuid2 *list, const VmmCpuRegister *from)
{
  struct kvm_cpuid_entry2 *leaf = vmm_cpuid_find (list, from->function, from->index);

  return leaf ? *get_register (leaf, from->name) : 0;
}

/* The names of what @model needs and @list has not. */
static GPtrArray *
list_missing (VmmCpuModel model, struct kvm_cpuid2 *list)
{
  GPtrArray *missing = g_ptr_array_new ();
  guint n;
  const VmmCpuRegister *registers = vmm_cpu_get_registers (&n);

  for (guint i = 0; i < n; i++) {
    guint32 value = read_register (list, &registers[i]);

    for (guint k = 0; k < registers[i].n_features; k++) {
      const VmmCpuFeature *feature = &registers[i].features[k];

      if (feature->level != VMM_CPU_ANY && feature->level <= model &&
          !(value & VMM_CPUID_BIT (feature->bit)))
        g_ptr_array_add (missing, (gpointer) feature->name);
    }
  }
  return missing;
}

/* The highest model that the host can give. */
static VmmCpuModel
find_best (VmmCpuModel below, struct kvm_cpuid2 *list)
{
  for (VmmCpuModel model = below - 1; model > VMM_CPU_HOST; model--) {
    g_autoptr (GPtrArray) missing = list_missing (model, list);

    if (missing->len == 0)
      return model;
  }
  return VMM_CPU_HOST;
}

static gboolean
check (VmmCpuModel model, struct kvm_cpuid2 *list, GError **error)
{
  g_autoptr (GPtrArray) missing = list_missing (model, list);
  g_autofree char *names = NULL;

  if (missing->len == 0)
    return TRUE;
  g_ptr_array_add (missing, NULL);
  names = g_strjoinv (", ", (char **) missing->pdata);
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
               "This computer cannot give the machine an %s processor, for it lacks %s: take “%s”.",
               vmm_cpu_model_name (model), names, vmm_cpu_model_name (find_best (model, list)));
  return FALSE;
}

static gboolean
passes (guint32 function)
{
  for (guint i = 0; i < G_N_ELEMENTS (passing); i++)
    if (function >= passing[i].first && function <= passing[i].last)
      return TRUE;
  return FALSE;
}

static void
drop_leaves (struct kvm_cpuid2 *list)
{
  guint n = 0;

  for (guint i = 0; i < list->nent; i++)
    if (passes (list->entries[i].function))
      list->entries[n++] = list->entries[i];
  list->nent = n;
}

static void
mask_features (VmmCpuModel model, struct kvm_cpuid2 *list)
{
  guint n;
  const VmmCpuRegister *registers = vmm_cpu_get_registers (&n);

  for (guint i = 0; i < n; i++) {
    struct kvm_cpuid_entry2 *leaf =
      vmm_cpuid_find (list, registers[i].function, registers[i].index);
    guint32 mask = 0;

    for (guint k = 0; k < registers[i].n_features; k++)
      if (registers[i].features[k].level <= model)
        mask |= VMM_CPUID_BIT (registers[i].features[k].bit);
    if (leaf)
      *get_register (leaf, registers[i].name) &= mask;
  }
}

/* Where the component @leaf is of the state that @components names; the first two sub-leaves tell
 * of all of them. */
static gboolean
is_in_xsave (const struct kvm_cpuid_entry2 *leaf, guint32 components)
{
  return leaf->index < XSAVE_FIRST ||
         (leaf->index < N_XSAVE_MASKABLE && (components & VMM_CPUID_BIT (leaf->index)));
}

/* XCR0 has been masked: the components that are left, and the room that they take. */
static void
fill_xsave (struct kvm_cpuid2 *list)
{
  struct kvm_cpuid_entry2 *all = vmm_cpuid_find (list, LEAF_XSAVE, 0), *more;
  guint32 components = all ? all->eax : 0, size = XSAVE_MIN_SIZE;
  guint n = 0;

  if (components == 0) {
    vmm_cpuid_drop (list, LEAF_XSAVE);
    return;
  }
  for (guint i = 0; i < list->nent; i++) {
    const struct kvm_cpuid_entry2 *leaf = &list->entries[i];

    if (leaf->function == LEAF_XSAVE && !is_in_xsave (leaf, components))
      continue;
    if (leaf->function == LEAF_XSAVE && leaf->index >= XSAVE_FIRST)
      size = MAX (size, leaf->ebx + leaf->eax); /* offset and size */
    list->entries[n++] = *leaf;
  }
  list->nent = n;
  /* EBX follows XCR0, which begins with x87 alone: KVM sees to it from then on. */
  all = vmm_cpuid_find (list, LEAF_XSAVE, 0);
  all->ebx = XSAVE_MIN_SIZE;
  all->ecx = size;
  more = vmm_cpuid_find (list, LEAF_XSAVE, 1);
  if (more)
    more->ebx = XSAVE_MIN_SIZE;
}

gboolean
vmm_cpu_model_apply (VmmCpuModel model, struct kvm_cpuid2 *list, GError **error)
{
  if (model == VMM_CPU_HOST)
    return TRUE;
  if (!check (model, list, error))
    return FALSE;
  drop_leaves (list);
  mask_features (model, list);
  fill_xsave (list);
  return TRUE;
}
