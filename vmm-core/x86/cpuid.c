/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * CPUID, leaf by leaf. (Intel SDM volume 2, AMD APM volume 3 appendix E.)
 */
#include "x86/cpuid.h"

#include "x86/cpuid-list.h"

#define BIT VMM_CPUID_BIT

#define INDEX_MATTERS KVM_CPUID_FLAG_SIGNIFCANT_INDEX

#define LEVEL_THREAD 1 /* in leaf 0xb and 0x1f */
#define LEVEL_CORE   2

/* Leaf 1 */
#define ECX_PDCM         BIT (15)
#define ECX_VMX          BIT (5)
#define ECX_X2APIC       BIT (21)
#define ECX_TSC_DEADLINE BIT (24)
#define ECX_OSXSAVE      BIT (27)
#define ECX_HYPERVISOR   BIT (31)
#define EDX_HTT          BIT (28)
/* Leaf 7 */
#define EDX_HYBRID BIT (15)
/* Leaf 0x80000001 */
#define ECX_CMP_LEGACY   BIT (1)
#define ECX_SVM          BIT (2)
#define ECX_TOPOLOGY_EXT BIT (22)
#define ECX_PERF_CORE    BIT (23)
#define ECX_PERF_NB      BIT (24)
#define ECX_PERF_LLC     BIT (28)

/* The number of bits that tell @n apart. */
static guint
width (guint n)
{
  guint bits = 0;

  while ((1u << bits) < n)
    bits++;
  return bits;
}

static void
fill_features (struct kvm_cpuid2 *cpuid, const VmmCpuidConfig *config)
{
  struct kvm_cpuid_entry2 *leaf = vmm_cpuid_find (cpuid, 1, 0);

  if (!leaf)
    return;
  leaf->ebx &= 0x0000ffff;
  leaf->ebx |= config->index << 24 | (1u << width (config->n_vcpus)) << 16;
  /* Nested virtualization and performance counters: not before a snapshot carries them. */
  leaf->ecx &= ~(ECX_VMX | ECX_PDCM | ECX_OSXSAVE);
  leaf->ecx |= ECX_HYPERVISOR | ECX_X2APIC;
  if (config->tsc_deadline)
    leaf->ecx |= ECX_TSC_DEADLINE;
  leaf->edx &= ~EDX_HTT;
  if (config->n_vcpus > 1)
    leaf->edx |= EDX_HTT;

  leaf = vmm_cpuid_find (cpuid, 7, 0);
  if (leaf)
    leaf->edx &= ~EDX_HYBRID; /* all vCPUs are alike */
}

/* How many cores share a cache: in EAX bits 14 to 25, less one. The last level belongs to all, the
 * others to one core each. */
static void
set_sharing (struct kvm_cpuid_entry2 *leaf, guint n_sharing)
{
  guint level = leaf->eax >> 5 & 7;

  leaf->eax &= ~(0xfffu << 14);
  if (level >= 3)
    leaf->eax |= (n_sharing - 1) << 14;
}

/* Intel: caches in leaf 4, which also tells the cores of a package. */
static void
fill_caches_intel (struct kvm_cpuid2 *cpuid, guint n_ids)
{
  for (guint i = 0; i < cpuid->nent; i++) {
    struct kvm_cpuid_entry2 *leaf = &cpuid->entries[i];

    if (leaf->function != 4 || (leaf->eax & 0x1f) == 0)
      continue;
    set_sharing (leaf, n_ids);
    leaf->eax &= ~(0x3fu << 26);
    leaf->eax |= (n_ids - 1) << 26;
  }
}

/* Extended topology: how many bits of the APIC id are beneath each level. */
static void
fill_levels (struct kvm_cpuid2 *cpuid, guint32 function, const VmmCpuidConfig *config)
{
  struct kvm_cpuid_entry2 leaf = { .function = function, .flags = INDEX_MATTERS };

  vmm_cpuid_drop (cpuid, function);
  leaf.edx = config->index;
  leaf.ebx = 1;
  leaf.ecx = LEVEL_THREAD << 8;
  vmm_cpuid_add (cpuid, &leaf);
  leaf.index = 1;
  leaf.eax = width (config->n_vcpus);
  leaf.ebx = config->n_vcpus;
  leaf.ecx = LEVEL_CORE << 8 | 1;
  vmm_cpuid_add (cpuid, &leaf);
  leaf.index = 2;
  leaf.eax = leaf.ebx = 0;
  leaf.ecx = 2;
  vmm_cpuid_add (cpuid, &leaf);
}

static void
fill_topology (struct kvm_cpuid2 *cpuid, const VmmCpuidConfig *config)
{
  struct kvm_cpuid_entry2 *basic = vmm_cpuid_find (cpuid, 0, 0);

  if (basic && basic->eax < 0xb)
    basic->eax = 0xb;
  fill_levels (cpuid, 0xb, config);
  if (basic && basic->eax >= 0x1f)
    fill_levels (cpuid, 0x1f, config);
  if (!vmm_cpuid_is_amd (cpuid))
    fill_caches_intel (cpuid, 1u << width (config->n_vcpus));
}

/* One node, one package; a core for each vCPU, with one thread. */
static void
fill_topology_amd (struct kvm_cpuid2 *cpuid, const VmmCpuidConfig *config)
{
  struct kvm_cpuid_entry2 ids = { .function = 0x8000001e,
                                  .eax = config->index,
                                  .ebx = config->index };
  struct kvm_cpuid_entry2 *leaf = vmm_cpuid_find (cpuid, 0x80000008, 0);

  if (leaf)
    leaf->ecx = width (config->n_vcpus) << 12 | (config->n_vcpus - 1);
  for (guint i = 0; i < cpuid->nent; i++)
    if (cpuid->entries[i].function == 0x8000001d && (cpuid->entries[i].eax & 0x1f) != 0)
      set_sharing (&cpuid->entries[i], config->n_vcpus);
  if (vmm_cpuid_max_leaf (cpuid, 0x80000000) >= 0x8000001e) {
    vmm_cpuid_drop (cpuid, 0x8000001e);
    vmm_cpuid_add (cpuid, &ids);
  }
  vmm_cpuid_drop (cpuid, 0x80000026); /* another telling of the topology: the host's */
}

static void
fill_extended (struct kvm_cpuid2 *cpuid, const VmmCpuidConfig *config)
{
  struct kvm_cpuid_entry2 *leaf = vmm_cpuid_find (cpuid, 0x80000001, 0);

  if (leaf) {
    leaf->ecx &= ~(ECX_SVM | ECX_PERF_CORE | ECX_PERF_NB | ECX_PERF_LLC | ECX_CMP_LEGACY);
    if (vmm_cpuid_is_amd (cpuid) && config->n_vcpus > 1)
      leaf->ecx |= ECX_CMP_LEGACY;
    if (vmm_cpuid_is_amd (cpuid) && vmm_cpuid_max_leaf (cpuid, 0x80000000) >= 0x8000001e)
      leaf->ecx |= ECX_TOPOLOGY_EXT;
  }
  if (vmm_cpuid_is_amd (cpuid))
    fill_topology_amd (cpuid, config);
  vmm_cpuid_drop (cpuid, 0x8000000a); /* SVM */
  vmm_cpuid_drop (cpuid, 0x80000022); /* performance counters */
}

void
vmm_cpuid_fill (struct kvm_cpuid2 *cpuid, const VmmCpuidConfig *config)
{
  fill_features (cpuid, config);
  fill_topology (cpuid, config);
  fill_extended (cpuid, config);
  vmm_cpuid_drop (cpuid, 0xa); /* performance counters */
}
