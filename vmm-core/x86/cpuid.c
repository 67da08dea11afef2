/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * CPUID, leaf by leaf. (Intel SDM volume 2, AMD APM volume 3 appendix E.)
 */
#include "x86/cpuid.h"

#include "x86/apic-id.h"
#include "x86/cpuid-list.h"

#define BIT VMM_CPUID_BIT

#define INDEX_MATTERS KVM_CPUID_FLAG_SIGNIFCANT_INDEX

#define LEVEL_THREAD 1 /* in leaf 0xb and 0x1f */
#define LEVEL_CORE   2
#define LAST_CACHE   3 /* in leaf 4 and 0x8000001d: levels from here on are shared by a socket */

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

/* The processors of a socket, and the APIC ids that are set aside for them. */
static guint
count_threads (VmmCpuTopology topology)
{
  return topology.cores * topology.threads;
}

static guint
count_ids (VmmCpuTopology topology)
{
  return 1u << vmm_apic_socket_bits (topology);
}

static void
fill_features (struct kvm_cpuid2 *cpuid, const VmmCpuidConfig *config)
{
  struct kvm_cpuid_entry2 *leaf = vmm_cpuid_find (cpuid, 1, 0);

  if (!leaf)
    return;
  leaf->ebx &= 0x0000ffff;
  leaf->ebx |= config->apic_id << 24 | count_ids (config->topology) << 16;
  /* Nested virtualization and performance counters: not before a snapshot carries them. */
  leaf->ecx &= ~(ECX_VMX | ECX_PDCM | ECX_OSXSAVE);
  leaf->ecx |= ECX_HYPERVISOR | ECX_X2APIC;
  if (config->tsc_deadline)
    leaf->ecx |= ECX_TSC_DEADLINE;
  leaf->edx &= ~EDX_HTT;
  if (count_threads (config->topology) > 1)
    leaf->edx |= EDX_HTT;

  leaf = vmm_cpuid_find (cpuid, 7, 0);
  if (leaf)
    leaf->edx &= ~EDX_HYBRID; /* all vCPUs are alike */
}

/* How many ids share a cache: in EAX bits 14 to 25, less one. The last level belongs to a socket,
 * the others to a core. */
static void
fill_caches (struct kvm_cpuid2 *cpuid, guint32 function, VmmCpuTopology topology)
{
  for (guint i = 0; i < cpuid->nent; i++) {
    struct kvm_cpuid_entry2 *leaf = &cpuid->entries[i];
    guint level = leaf->eax >> 5 & 7;
    guint n = level >= LAST_CACHE ? count_ids (topology) : 1u << vmm_apic_thread_bits (topology);

    if (leaf->function != function || (leaf->eax & 0x1f) == 0)
      continue;
    leaf->eax &= ~(0xfffu << 14);
    leaf->eax |= (n - 1) << 14;
  }
}

/* Intel: leaf 4 tells the ids of a socket's cores too, in EAX bits 26 to 31, less one. */
static void
fill_cores_intel (struct kvm_cpuid2 *cpuid, VmmCpuTopology topology)
{
  guint n_cores = count_ids (topology) >> vmm_apic_thread_bits (topology);

  for (guint i = 0; i < cpuid->nent; i++) {
    struct kvm_cpuid_entry2 *leaf = &cpuid->entries[i];

    if (leaf->function != 4 || (leaf->eax & 0x1f) == 0)
      continue;
    leaf->eax &= ~(0x3fu << 26);
    leaf->eax |= (n_cores - 1) << 26;
  }
}

/* Extended topology: how many bits of the APIC id are beneath each level. */
static void
fill_levels (struct kvm_cpuid2 *cpuid, guint32 function, const VmmCpuidConfig *config)
{
  struct kvm_cpuid_entry2 leaf = { .function = function, .flags = INDEX_MATTERS };

  vmm_cpuid_drop (cpuid, function);
  leaf.edx = config->apic_id;
  leaf.eax = vmm_apic_thread_bits (config->topology);
  leaf.ebx = config->topology.threads;
  leaf.ecx = LEVEL_THREAD << 8;
  vmm_cpuid_add (cpuid, &leaf);
  leaf.index = 1;
  leaf.eax = vmm_apic_socket_bits (config->topology);
  leaf.ebx = count_threads (config->topology);
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
  if (!vmm_cpuid_is_amd (cpuid)) {
    fill_caches (cpuid, 4, config->topology);
    fill_cores_intel (cpuid, config->topology);
  }
}

/* A socket is a node. */
static void
fill_topology_amd (struct kvm_cpuid2 *cpuid, const VmmCpuidConfig *config)
{
  VmmCpuTopology topology = config->topology;
  guint socket = config->apic_id >> vmm_apic_socket_bits (topology);
  guint core = (config->apic_id & (count_ids (topology) - 1)) >> vmm_apic_thread_bits (topology);
  struct kvm_cpuid_entry2 ids = { .function = 0x8000001e,
                                  .eax = config->apic_id,
                                  .ebx = (topology.threads - 1) << 8 | core,
                                  .ecx = socket };
  struct kvm_cpuid_entry2 *leaf = vmm_cpuid_find (cpuid, 0x80000008, 0);

  if (leaf)
    leaf->ecx = vmm_apic_socket_bits (topology) << 12 | (count_threads (topology) - 1);
  fill_caches (cpuid, 0x8000001d, topology);
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
    if (vmm_cpuid_is_amd (cpuid) && count_threads (config->topology) > 1)
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
