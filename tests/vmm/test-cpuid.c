/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The processors that guests see, made of an AMD host and of an Intel host as KVM describes them.
 */
#include <string.h>

#include "x86/apic-id.h"
#include "x86/cpuid.h"

#define MAX_ENTRIES 64
#define MAX_VCPUS   32
#define BIT(n)      (1u << (n))

typedef struct {
  struct kvm_cpuid2 list;
  struct kvm_cpuid_entry2 room[MAX_ENTRIES + VMM_CPUID_SPARE];
} Cpuid;

static const struct kvm_cpuid_entry2 amd_host[] = {
  { .function = 0, .eax = 0x10, .ebx = 0x68747541, .ecx = 0x444d4163, .edx = 0x69746e65 },
  /* 16 host threads, we are on number 5; SSE3, OSXSAVE; HTT */
  { .function = 1, .eax = 0x800f12, .ebx = 0x05100800, .ecx = 1 | BIT (27), .edx = BIT (28) | 1 },
  { .function = 0xb, .index = 0, .flags = 1, .eax = 1, .ebx = 2, .ecx = 0x100, .edx = 5 },
  { .function = 0xb, .index = 1, .flags = 1, .eax = 4, .ebx = 16, .ecx = 0x201, .edx = 5 },
  { .function = 0x40000000, .eax = 0x40000001, .ebx = 0x4b4d564b },
  { .function = 0x80000000, .eax = 0x80000026 },
  { .function = 0x80000001, .ecx = BIT (2) | BIT (22) | BIT (23) | BIT (24) | BIT (28) | 1 },
  { .function = 0x80000008, .eax = 0x3030, .ecx = 0x400f },
  { .function = 0x8000000a, .eax = 1, .ebx = 8 },
  { .function = 0x8000001d, .index = 0, .flags = 1, .eax = 0x00004121 },
  { .function = 0x8000001d, .index = 3, .flags = 1, .eax = 0x0001c163 },
  { .function = 0x8000001e, .eax = 5, .ebx = 0x102, .ecx = 0x300 },
  { .function = 0x80000022, .eax = 1 },
  { .function = 0x80000026, .index = 0, .flags = 1, .eax = 1, .ebx = 2, .ecx = 0x100 },
};

static const struct kvm_cpuid_entry2 intel_host[] = {
  { .function = 0, .eax = 0x1f, .ebx = 0x756e6547, .ecx = 0x6c65746e, .edx = 0x49656e69 },
  { .function = 1,
    .eax = 0xb0671,
    .ebx = 0x05100800,
    .ecx = 1 | BIT (5) | BIT (15),
    .edx = BIT (28) | 1 },
  { .function = 4, .index = 0, .flags = 1, .eax = 0x3c004121 },
  { .function = 4, .index = 2, .flags = 1, .eax = 0x3c01c143 },
  { .function = 4, .index = 3, .flags = 1, .eax = 0x3c03c163 },
  { .function = 4, .index = 4, .flags = 1, .eax = 0 },
  { .function = 7, .index = 0, .flags = 1, .ebx = 0x1234, .edx = BIT (15) | 1 },
  { .function = 0xa, .eax = 0x07300405 },
  { .function = 0xb, .index = 0, .flags = 1, .eax = 1, .ebx = 2, .ecx = 0x100, .edx = 5 },
  { .function = 0x1f, .index = 0, .flags = 1, .eax = 1, .ebx = 2, .ecx = 0x100, .edx = 5 },
  { .function = 0x40000000, .eax = 0x40000001, .ebx = 0x4b4d564b },
  { .function = 0x80000000, .eax = 0x80000008 },
  { .function = 0x80000001, .edx = BIT (29) },
  { .function = 0x80000008, .eax = 0x302e },
};

static Cpuid *
make (const struct kvm_cpuid_entry2 *host, guint n_entries, guint index, VmmCpuTopology topology)
{
  Cpuid *cpuid = g_new0 (Cpuid, 1);
  VmmCpuidConfig config = { .apic_id = vmm_apic_id (topology, index),
                            .topology = topology,
                            .tsc_deadline = TRUE };

  memcpy (cpuid->list.entries, host, n_entries * sizeof *host);
  cpuid->list.nent = n_entries;
  vmm_cpuid_fill (&cpuid->list, &config);
  g_assert_cmpuint (cpuid->list.nent, <=, n_entries + VMM_CPUID_SPARE);
  return cpuid;
}

#define make_amd_of(index, topology)   make (amd_host, G_N_ELEMENTS (amd_host), index, topology)
#define make_intel_of(index, topology) make (intel_host, G_N_ELEMENTS (intel_host), index, topology)
#define make_amd(index, n)             make_amd_of (index, ((VmmCpuTopology) { 1, n, 1 }))
#define make_intel(index, n)           make_intel_of (index, ((VmmCpuTopology) { 1, n, 1 }))

static const struct kvm_cpuid_entry2 *
leaf (Cpuid *cpuid, guint32 function, guint32 index)
{
  const struct kvm_cpuid_entry2 *found = NULL;

  for (guint i = 0; i < cpuid->list.nent; i++)
    if (cpuid->list.entries[i].function == function && cpuid->list.entries[i].index == index) {
      g_assert_null (found); /* no two answers to one question */
      found = &cpuid->list.entries[i];
    }
  return found;
}

static void
test_features (void)
{
  g_autofree Cpuid *amd = make_amd (0, 2), *intel = make_intel (0, 2);

  g_assert_cmphex (leaf (amd, 1, 0)->ecx, ==, 1 | BIT (21) | BIT (24) | BIT (31));
  g_assert_cmphex (leaf (intel, 1, 0)->ecx, ==, 1 | BIT (21) | BIT (24) | BIT (31));
  g_assert_cmphex (leaf (intel, 7, 0)->edx, ==, 1); /* not hybrid */
  g_assert_cmphex (leaf (intel, 7, 0)->ebx, ==, 0x1234);
  g_assert_cmphex (leaf (amd, 0x80000001, 0)->ecx & (BIT (2) | BIT (23) | BIT (24) | BIT (28)), ==,
                   0);
  g_assert_null (leaf (amd, 0x8000000a, 0));
  g_assert_null (leaf (amd, 0x80000022, 0));
  g_assert_null (leaf (intel, 0xa, 0));
  g_assert_cmphex (leaf (amd, 0x40000000, 0)->ebx, ==, 0x4b4d564b);
  g_assert_cmphex (leaf (intel, 0x80000001, 0)->edx, ==, BIT (29));
}

static void
test_tsc_deadline (void)
{
  VmmCpuidConfig config = { .topology = { 1, 1, 1 } };
  g_autofree Cpuid *cpuid = g_new0 (Cpuid, 1);

  memcpy (cpuid->list.entries, amd_host, sizeof amd_host);
  cpuid->list.nent = G_N_ELEMENTS (amd_host);
  vmm_cpuid_fill (&cpuid->list, &config);
  g_assert_cmphex (leaf (cpuid, 1, 0)->ecx & BIT (24), ==, 0);
}

/* The rules by which an operating system takes an APIC id apart. */
static void
check_levels (Cpuid *cpuid, guint32 function, guint index, guint n_vcpus)
{
  guint shift = leaf (cpuid, function, 1)->eax;

  for (guint level = 0; level < 3; level++)
    g_assert_cmpuint (leaf (cpuid, function, level)->edx, ==, index);
  g_assert_cmpuint (leaf (cpuid, function, 0)->eax, ==, 0); /* a thread a core */
  g_assert_cmpuint (leaf (cpuid, function, 0)->ebx, ==, 1);
  g_assert_cmphex (leaf (cpuid, function, 0)->ecx, ==, 0x100);
  g_assert_cmpuint (leaf (cpuid, function, 1)->ebx, ==, n_vcpus);
  g_assert_cmphex (leaf (cpuid, function, 1)->ecx, ==, 0x201);
  g_assert_cmpuint (index >> shift, ==, 0); /* all in one package */
  g_assert_true (shift == 0 || n_vcpus > 1u << (shift - 1));
  g_assert_cmphex (leaf (cpuid, function, 2)->ecx, ==, 2);
  g_assert_cmphex (leaf (cpuid, function, 2)->ebx, ==, 0);
}

static void
test_topology (void)
{
  for (guint n = 1; n <= 32; n++)
    for (guint i = 0; i < n; i++) {
      g_autofree Cpuid *amd = make_amd (i, n), *intel = make_intel (i, n);

      check_levels (amd, 0xb, i, n);
      check_levels (intel, 0xb, i, n);
      check_levels (intel, 0x1f, i, n);
      g_assert_null (leaf (amd, 0x1f, 0));
      g_assert_null (leaf (amd, 0x80000026, 0));

      g_assert_cmpuint (leaf (amd, 1, 0)->ebx >> 24, ==, i);
      g_assert_cmpuint (leaf (amd, 1, 0)->ebx >> 16 & 0xff, >=, n);
      g_assert_cmphex (leaf (amd, 1, 0)->ebx & 0xffff, ==, 0x0800);
      g_assert_cmphex (leaf (amd, 1, 0)->edx & BIT (28), ==, n > 1 ? BIT (28) : 0);

      g_assert_cmpuint (leaf (amd, 0x80000008, 0)->ecx & 0xff, ==, n - 1);
      g_assert_cmpuint (1u << (leaf (amd, 0x80000008, 0)->ecx >> 12 & 0xf), >=, n);
      g_assert_cmphex (leaf (amd, 0x80000008, 0)->eax, ==, 0x3030);
      g_assert_cmphex (leaf (amd, 0x80000001, 0)->ecx & BIT (1), ==, n > 1 ? BIT (1) : 0);
      g_assert_cmphex (leaf (amd, 0x8000001e, 0)->eax, ==, i);
      g_assert_cmphex (leaf (amd, 0x8000001e, 0)->ebx, ==, i);
      g_assert_cmphex (leaf (amd, 0x8000001e, 0)->ecx, ==, 0);
    }
}

/* Near caches belong to one core, the last one to all. */
static void
test_caches (void)
{
  g_autofree Cpuid *amd = make_amd (1, 6), *intel = make_intel (1, 6);

  g_assert_cmpuint (leaf (amd, 0x8000001d, 0)->eax >> 14 & 0xfff, ==, 0);
  g_assert_cmpuint (leaf (amd, 0x8000001d, 3)->eax >> 14 & 0xfff, ==, 7); /* ids, not cores */
  g_assert_cmpuint (leaf (intel, 4, 0)->eax >> 14 & 0xfff, ==, 0);
  g_assert_cmpuint (leaf (intel, 4, 2)->eax >> 14 & 0xfff, ==, 0);
  g_assert_cmpuint (leaf (intel, 4, 3)->eax >> 14 & 0xfff, ==, 7);
  g_assert_cmpuint (leaf (intel, 4, 3)->eax >> 26, ==, 7);
  g_assert_cmpuint (leaf (intel, 4, 0)->eax & 0x3fff, ==, 0x121 | (0x4121 & 0x3e00));
  g_assert_cmphex (leaf (intel, 4, 4)->eax, ==, 0);
}

/* What an operating system makes of the id and the widths: its socket, core and thread. */
static void
check_place (Cpuid *cpuid, guint32 function, guint index, VmmCpuTopology topology)
{
  const struct kvm_cpuid_entry2 *thread = leaf (cpuid, function, 0);
  const struct kvm_cpuid_entry2 *core = leaf (cpuid, function, 1);
  guint id = thread->edx;

  g_assert_cmpuint (core->edx, ==, id);
  g_assert_cmpuint (id & ((1u << thread->eax) - 1), ==, index % topology.threads);
  g_assert_cmpuint ((id & ((1u << core->eax) - 1)) >> thread->eax, ==,
                    index / topology.threads % topology.cores);
  g_assert_cmpuint (id >> core->eax, ==, index / topology.threads / topology.cores);
  g_assert_cmpuint (thread->ebx, ==, topology.threads);
  g_assert_cmpuint (core->ebx, ==, topology.threads * topology.cores);
  g_assert_cmphex (thread->ecx, ==, 0x100);
  g_assert_cmphex (core->ecx, ==, 0x201);
  g_assert_cmpuint (leaf (cpuid, 1, 0)->ebx >> 24, ==, id);
}

/* The older leaves say the same: who is one's neighbour in a core, in a cache, in a socket. */
static void
check_older_intel (Cpuid *cpuid, VmmCpuTopology topology)
{
  guint thread_ids = 1u << leaf (cpuid, 0xb, 0)->eax, socket_ids = 1u << leaf (cpuid, 0xb, 1)->eax;

  g_assert_cmpuint (leaf (cpuid, 1, 0)->ebx >> 16 & 0xff, ==, socket_ids);
  g_assert_cmphex (leaf (cpuid, 1, 0)->edx & BIT (28), ==,
                   topology.cores * topology.threads > 1 ? BIT (28) : 0);
  g_assert_cmpuint (leaf (cpuid, 4, 0)->eax >> 14 & 0xfff, ==, thread_ids - 1);
  g_assert_cmpuint (leaf (cpuid, 4, 2)->eax >> 14 & 0xfff, ==, thread_ids - 1);
  g_assert_cmpuint (leaf (cpuid, 4, 3)->eax >> 14 & 0xfff, ==, socket_ids - 1);
  for (guint i = 0; i < 4; i += i == 0 ? 2 : 1)
    g_assert_cmpuint (leaf (cpuid, 4, i)->eax >> 26, ==, socket_ids / thread_ids - 1);
}

static void
check_older_amd (Cpuid *cpuid, guint index, VmmCpuTopology topology)
{
  const struct kvm_cpuid_entry2 *ids = leaf (cpuid, 0x8000001e, 0);
  guint n_threads = topology.cores * topology.threads;

  g_assert_cmpuint (ids->eax, ==, leaf (cpuid, 0xb, 0)->edx);
  g_assert_cmpuint (ids->ebx & 0xff, ==, index / topology.threads % topology.cores);
  g_assert_cmpuint (ids->ebx >> 8, ==, topology.threads - 1);
  g_assert_cmpuint (ids->ecx, ==, index / n_threads);
  g_assert_cmpuint (leaf (cpuid, 0x80000008, 0)->ecx & 0xff, ==, n_threads - 1);
  g_assert_cmpuint (leaf (cpuid, 0x80000008, 0)->ecx >> 12, ==, leaf (cpuid, 0xb, 1)->eax);
  g_assert_cmphex (leaf (cpuid, 0x80000001, 0)->ecx & BIT (1), ==, n_threads > 1 ? BIT (1) : 0);
  g_assert_cmpuint (leaf (cpuid, 0x8000001d, 0)->eax >> 14 & 0xfff, ==,
                    (1u << leaf (cpuid, 0xb, 0)->eax) - 1);
  g_assert_cmpuint (leaf (cpuid, 0x8000001d, 3)->eax >> 14 & 0xfff, ==,
                    (1u << leaf (cpuid, 0xb, 1)->eax) - 1);
}

/* Every way to count up to 32 processors, powers of two and others. */
static void
test_places (void)
{
  for (guint s = 1; s <= MAX_VCPUS; s++)
    for (guint c = 1; s * c <= MAX_VCPUS; c++)
      for (guint t = 1; s * c * t <= MAX_VCPUS; t++)
        for (guint i = 0; i < s * c * t; i++) {
          VmmCpuTopology topology = { s, c, t };
          g_autofree Cpuid *amd = make_amd_of (i, topology);
          g_autofree Cpuid *intel = make_intel_of (i, topology);

          check_place (amd, 0xb, i, topology);
          check_place (intel, 0xb, i, topology);
          check_place (intel, 0x1f, i, topology);
          check_older_intel (intel, topology);
          check_older_amd (amd, i, topology);
        }
}

/* Ids rise with the numbers, and all fit a local APIC's register and ACPI's table. */
static void
test_apic_ids (void)
{
  for (guint s = 1; s <= MAX_VCPUS; s++)
    for (guint c = 1; s * c <= MAX_VCPUS; c++)
      for (guint t = 1; s * c * t <= MAX_VCPUS; t++) {
        VmmCpuTopology topology = { s, c, t };

        g_assert_cmpuint (vmm_apic_id (topology, 0), ==, 0);
        for (guint i = 1; i < s * c * t; i++)
          g_assert_cmpuint (vmm_apic_id (topology, i), >, vmm_apic_id (topology, i - 1));
        g_assert_cmpuint (vmm_apic_id (topology, s * c * t - 1), <, 255);
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cpuid/features", test_features);
  g_test_add_func ("/cpuid/tsc-deadline", test_tsc_deadline);
  g_test_add_func ("/cpuid/topology", test_topology);
  g_test_add_func ("/cpuid/caches", test_caches);
  g_test_add_func ("/cpuid/places", test_places);
  g_test_add_func ("/cpuid/apic-ids", test_apic_ids);
  return g_test_run ();
}
