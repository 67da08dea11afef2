/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The named processors, made of a host that has everything, and of hosts that lack one thing. What
 * each level has is written here a second time, from the x86-64 psABI's table.
 */
#include <string.h>

#include "vmm-error.h"
#include "x86/cpu-features.h"
#include "x86/cpu-model.h"
#include "x86/cpuid-list.h"

#define MAX_ENTRIES 64
#define BIT         VMM_CPUID_BIT
#define ALL         0xffffffffu

typedef struct {
  struct kvm_cpuid2 list;
  struct kvm_cpuid_entry2 room[MAX_ENTRIES];
} Cpuid;

/* Bits that do not exist yet are set too, and so are the leaves of what no level has: tracing, AMX,
 * AVX10, memory encryption. */
static const struct kvm_cpuid_entry2 full_host[] = {
  { .function = 0, .eax = 0x24, .ebx = 0x756e6547, .ecx = 0x6c65746e, .edx = 0x49656e69 },
  { .function = 1, .eax = 0xb0671, .ebx = 0x05100800, .ecx = ALL, .edx = ALL },
  { .function = 4, .index = 0, .flags = 1, .eax = 0x3c004121 },
  { .function = 6, .eax = ALL, .ebx = ALL, .ecx = ALL, .edx = ALL },
  { .function = 7, .index = 0, .flags = 1, .eax = 2, .ebx = ALL, .ecx = ALL, .edx = ALL },
  { .function = 7, .index = 1, .flags = 1, .eax = ALL, .ebx = ALL, .ecx = ALL, .edx = ALL },
  { .function = 7, .index = 2, .flags = 1, .eax = ALL, .ebx = ALL, .ecx = ALL, .edx = ALL },
  { .function = 0xd, .index = 0, .flags = 1, .eax = 0x602e7, .ebx = 11008, .ecx = 11008, .edx = 1 },
  { .function = 0xd, .index = 1, .flags = 1, .eax = ALL, .ebx = 11008, .ecx = ALL, .edx = ALL },
  { .function = 0xd, .index = 2, .flags = 1, .eax = 256, .ebx = 576 },
  { .function = 0xd, .index = 5, .flags = 1, .eax = 64, .ebx = 1088 },
  { .function = 0xd, .index = 6, .flags = 1, .eax = 512, .ebx = 1152 },
  { .function = 0xd, .index = 7, .flags = 1, .eax = 1024, .ebx = 1664 },
  { .function = 0xd, .index = 9, .flags = 1, .eax = 8, .ebx = 2688 },
  { .function = 0xd, .index = 17, .flags = 1, .eax = 64, .ebx = 2752 },
  { .function = 0xd, .index = 18, .flags = 1, .eax = 8192, .ebx = 2816 },
  { .function = 0xd, .index = 62, .flags = 1, .eax = 128, .ebx = 11008 },
  { .function = 0x14, .index = 0, .flags = 1, .eax = 1, .ebx = ALL },
  { .function = 0x1d, .index = 0, .flags = 1, .eax = 1 },
  { .function = 0x24, .index = 0, .flags = 1, .eax = 0, .ebx = ALL },
  { .function = 0x40000000, .eax = 0x40000001, .ebx = 0x4b4d564b },
  { .function = 0x40000001, .eax = 0x01007efb },
  { .function = 0x80000000, .eax = 0x80000022 },
  { .function = 0x80000001, .ecx = ALL, .edx = ALL },
  { .function = 0x80000002, .eax = 0x20444d41, .ebx = 0x43595045 },
  { .function = 0x80000007, .eax = 0, .edx = ALL },
  { .function = 0x80000008, .eax = 0x302e, .ebx = ALL },
  { .function = 0x8000001f, .eax = ALL },
  { .function = 0x80000021, .eax = ALL, .ebx = ALL, .ecx = ALL, .edx = ALL },
};

/* What the levels need, each bit by itself. */
static const struct {
  VmmCpuModel level;
  guint32 function, index;
  VmmCpuidRegister reg;
  guint bit;
  const char *name;
} needs[] = {
  { VMM_CPU_X86_64_V2, 1, 0, VMM_CPUID_ECX, 13, "CMPXCHG16B" },
  { VMM_CPU_X86_64_V2, 0x80000001, 0, VMM_CPUID_ECX, 0, "LAHF-SAHF" },
  { VMM_CPU_X86_64_V2, 1, 0, VMM_CPUID_ECX, 23, "POPCNT" },
  { VMM_CPU_X86_64_V2, 1, 0, VMM_CPUID_ECX, 0, "SSE3" },
  { VMM_CPU_X86_64_V2, 1, 0, VMM_CPUID_ECX, 19, "SSE4.1" },
  { VMM_CPU_X86_64_V2, 1, 0, VMM_CPUID_ECX, 20, "SSE4.2" },
  { VMM_CPU_X86_64_V2, 1, 0, VMM_CPUID_ECX, 9, "SSSE3" },
  { VMM_CPU_X86_64_V3, 1, 0, VMM_CPUID_ECX, 28, "AVX" },
  { VMM_CPU_X86_64_V3, 7, 0, VMM_CPUID_EBX, 5, "AVX2" },
  { VMM_CPU_X86_64_V3, 7, 0, VMM_CPUID_EBX, 3, "BMI1" },
  { VMM_CPU_X86_64_V3, 7, 0, VMM_CPUID_EBX, 8, "BMI2" },
  { VMM_CPU_X86_64_V3, 1, 0, VMM_CPUID_ECX, 29, "F16C" },
  { VMM_CPU_X86_64_V3, 1, 0, VMM_CPUID_ECX, 12, "FMA" },
  { VMM_CPU_X86_64_V3, 0x80000001, 0, VMM_CPUID_ECX, 5, "LZCNT" },
  { VMM_CPU_X86_64_V3, 1, 0, VMM_CPUID_ECX, 22, "MOVBE" },
  { VMM_CPU_X86_64_V3, 1, 0, VMM_CPUID_ECX, 26, "XSAVE" },
  { VMM_CPU_X86_64_V3, 0xd, 0, VMM_CPUID_EAX, 2, "AVX state" },
  { VMM_CPU_X86_64_V4, 7, 0, VMM_CPUID_EBX, 16, "AVX512F" },
  { VMM_CPU_X86_64_V4, 7, 0, VMM_CPUID_EBX, 30, "AVX512BW" },
  { VMM_CPU_X86_64_V4, 7, 0, VMM_CPUID_EBX, 28, "AVX512CD" },
  { VMM_CPU_X86_64_V4, 7, 0, VMM_CPUID_EBX, 17, "AVX512DQ" },
  { VMM_CPU_X86_64_V4, 7, 0, VMM_CPUID_EBX, 31, "AVX512VL" },
  { VMM_CPU_X86_64_V4, 0xd, 0, VMM_CPUID_EAX, 6, "AVX-512 ZMM_Hi256 state" },
};

static Cpuid *
make_host (void)
{
  Cpuid *cpuid = g_new0 (Cpuid, 1);

  memcpy (cpuid->list.entries, full_host, sizeof full_host);
  cpuid->list.nent = G_N_ELEMENTS (full_host);
  return cpuid;
}

static Cpuid *
make (VmmCpuModel model)
{
  g_autoptr (GError) error = NULL;
  Cpuid *cpuid = make_host ();

  g_assert_true (vmm_cpu_model_apply (model, &cpuid->list, &error));
  g_assert_no_error (error);
  return cpuid;
}

static guint32 *
find_register (Cpuid *cpuid, guint32 function, guint32 index, VmmCpuidRegister reg)
{
  static guint32 none;
  struct kvm_cpuid_entry2 *leaf = vmm_cpuid_find (&cpuid->list, function, index);

  none = 0;
  if (!leaf)
    return &none;
  return reg == VMM_CPUID_EAX   ? &leaf->eax
         : reg == VMM_CPUID_EBX ? &leaf->ebx
         : reg == VMM_CPUID_ECX ? &leaf->ecx
                                : &leaf->edx;
}

static void
test_levels (void)
{
  for (VmmCpuModel model = VMM_CPU_X86_64_V2; model < VMM_CPU_N_MODELS; model++) {
    g_autofree Cpuid *cpuid = make (model);

    for (guint i = 0; i < G_N_ELEMENTS (needs); i++) {
      guint32 value = *find_register (cpuid, needs[i].function, needs[i].index, needs[i].reg);

      g_assert_cmpuint (value >> needs[i].bit & 1, ==, needs[i].level <= model);
    }
  }
}

/* Instructions that programs look for and that no level has. */
static void
test_never (void)
{
  g_autofree Cpuid *cpuid = make (VMM_CPU_X86_64_V4);
  const guint32 monitor = BIT (3), vmx = BIT (5);
  const guint32 rtm = BIT (4) | BIT (11), mpx = BIT (14), adx = BIT (19), ifma = BIT (21);
  const guint32 vbmi = BIT (1), pku = BIT (3), shstk = BIT (7), gfni = BIT (8), vaes = BIT (9);
  const guint32 amx = BIT (22) | BIT (24) | BIT (25), hybrid = BIT (15), ibt = BIT (20);
  const guint32 sse4a = BIT (6), xop = BIT (11), fma4 = BIT (16), tbm = BIT (21);

  g_assert_cmphex (*find_register (cpuid, 1, 0, VMM_CPUID_ECX) & (monitor | vmx), ==, 0);
  g_assert_cmphex (*find_register (cpuid, 7, 0, VMM_CPUID_EBX) & (rtm | mpx | adx | ifma), ==, 0);
  g_assert_cmphex (*find_register (cpuid, 7, 0, VMM_CPUID_ECX) & (vbmi | pku | shstk | gfni | vaes),
                   ==, 0);
  g_assert_cmphex (*find_register (cpuid, 7, 0, VMM_CPUID_EDX) & (amx | hybrid | ibt), ==, 0);
  g_assert_cmphex (*find_register (cpuid, 7, 1, VMM_CPUID_EAX), ==, 0);
  g_assert_cmphex (
    *find_register (cpuid, 0x80000001, 0, VMM_CPUID_ECX) & (sse4a | xop | fma4 | tbm), ==, 0);
  g_assert_cmphex (*find_register (cpuid, 0x80000001, 0, VMM_CPUID_EDX) >> 30, ==, 0); /* 3DNow */
  g_assert_null (vmm_cpuid_find (&cpuid->list, 0x14, 0));
  g_assert_null (vmm_cpuid_find (&cpuid->list, 0x1d, 0));
  g_assert_null (vmm_cpuid_find (&cpuid->list, 0x24, 0));
  g_assert_null (vmm_cpuid_find (&cpuid->list, 0x8000001f, 0));
}

/* What a system needs to start at all, and what protects it, is at every level. */
static void
test_system (void)
{
  const guint32 base = 0x78bfbff; /* of leaf 1: FPU to SSE2, less PSN, DS and ACPI */

  for (VmmCpuModel model = VMM_CPU_X86_64_V2; model < VMM_CPU_N_MODELS; model++) {
    g_autofree Cpuid *cpuid = make (model);

    g_assert_cmphex (*find_register (cpuid, 1, 0, VMM_CPUID_EDX) & base, ==, base);
    g_assert_cmphex (*find_register (cpuid, 1, 0, VMM_CPUID_EAX), ==, 0xb0671);
    g_assert_cmphex (*find_register (cpuid, 1, 0, VMM_CPUID_ECX) & BIT (21), !=, 0); /* x2APIC */
    g_assert_cmphex (*find_register (cpuid, 7, 0, VMM_CPUID_EBX) & BIT (20), !=, 0); /* SMAP */
    g_assert_cmphex (*find_register (cpuid, 7, 0, VMM_CPUID_EDX) & BIT (26), !=, 0); /* IBRS */
    g_assert_cmphex (*find_register (cpuid, 0x80000001, 0, VMM_CPUID_EDX) & BIT (29), !=, 0);
    g_assert_cmphex (*find_register (cpuid, 0x80000001, 0, VMM_CPUID_EDX) & BIT (20), !=, 0);
    g_assert_cmphex (*find_register (cpuid, 0x80000007, 0, VMM_CPUID_EDX), ==, BIT (8));
    g_assert_cmphex (*find_register (cpuid, 0x80000008, 0, VMM_CPUID_EAX), ==, 0x302e);
    g_assert_cmphex (*find_register (cpuid, 0x40000001, 0, VMM_CPUID_EAX), ==, 0x01007efb);
    g_assert_cmphex (*find_register (cpuid, 0x80000002, 0, VMM_CPUID_EBX), ==, 0x43595045);
    g_assert_nonnull (vmm_cpuid_find (&cpuid->list, 4, 0));
  }
}

/* The area is as large as what is left of it, and nothing of the rest is told. */
static void
check_xsave (VmmCpuModel model, guint32 components, guint32 size)
{
  g_autofree Cpuid *cpuid = make (model);

  g_assert_cmphex (*find_register (cpuid, 0xd, 0, VMM_CPUID_EAX), ==, components);
  g_assert_cmphex (*find_register (cpuid, 0xd, 0, VMM_CPUID_EDX), ==, 0);
  g_assert_cmpuint (*find_register (cpuid, 0xd, 0, VMM_CPUID_EBX), ==, 576);
  g_assert_cmpuint (*find_register (cpuid, 0xd, 0, VMM_CPUID_ECX), ==, size);
  g_assert_cmphex (*find_register (cpuid, 0xd, 1, VMM_CPUID_EAX), ==, 0xf); /* XSAVEOPT to XSAVES */
  g_assert_cmphex (*find_register (cpuid, 0xd, 1, VMM_CPUID_ECX), ==, 0);
  for (guint i = 2; i < 64; i++)
    g_assert_cmpint (vmm_cpuid_find (&cpuid->list, 0xd, i) != NULL, ==,
                     i < 32 && (components >> i & 1));
}

static void
test_xsave (void)
{
  g_autofree Cpuid *v2 = make (VMM_CPU_X86_64_V2);

  for (guint i = 0; i < 64; i++)
    g_assert_null (vmm_cpuid_find (&v2->list, 0xd, i));
  check_xsave (VMM_CPU_X86_64_V3, 0x07, 832);
  check_xsave (VMM_CPU_X86_64_V4, 0xe7, 2688);
}

static void
test_host (void)
{
  g_autofree Cpuid *cpuid = make (VMM_CPU_HOST);

  g_assert_cmpuint (cpuid->list.nent, ==, G_N_ELEMENTS (full_host));
  g_assert_cmpmem (cpuid->list.entries, sizeof full_host, full_host, sizeof full_host);
}

/* A guest that runs on one of ours sees what it would see on the real one. */
static void
test_nested (void)
{
  for (VmmCpuModel model = VMM_CPU_X86_64_V2; model < VMM_CPU_N_MODELS; model++) {
    g_autofree Cpuid *once = make (model), *higher = make (VMM_CPU_N_MODELS - 1);

    g_assert_true (vmm_cpu_model_apply (model, &higher->list, NULL));
    g_assert_cmpuint (once->list.nent, ==, higher->list.nent);
    g_assert_cmpmem (once->list.entries, once->list.nent * sizeof once->room[0],
                     higher->list.entries, higher->list.nent * sizeof once->room[0]);
  }
}

/* Each thing that a level needs is missed by it and by those above, and by name. */
static void
test_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (needs); i++)
    for (VmmCpuModel model = VMM_CPU_HOST; model < VMM_CPU_N_MODELS; model++) {
      g_autofree Cpuid *cpuid = make_host (), *before = NULL;
      g_autofree char *advice = g_strdup_printf ("lacks %s: take “%s”.", needs[i].name,
                                                 vmm_cpu_model_name (needs[i].level - 1));
      g_autoptr (GError) error = NULL;

      *find_register (cpuid, needs[i].function, needs[i].index, needs[i].reg) &=
        ~BIT (needs[i].bit);
      before = g_memdup2 (cpuid, sizeof *cpuid);
      if (model < needs[i].level) {
        g_assert_true (vmm_cpu_model_apply (model, &cpuid->list, NULL));
        continue;
      }
      g_assert_false (vmm_cpu_model_apply (model, &cpuid->list, &error));
      g_assert_error (error, VMM_ERROR, VMM_ERROR_CONFIG);
      g_assert_nonnull (strstr (error->message, vmm_cpu_model_name (model)));
      g_assert_true (g_str_has_suffix (error->message, advice));
      g_assert_cmpmem (cpuid, sizeof *cpuid, before, sizeof *before);
    }
}

static void
test_empty_host (void)
{
  g_autofree Cpuid *cpuid = g_new0 (Cpuid, 1);
  g_autoptr (GError) error = NULL;

  g_assert_false (vmm_cpu_model_apply (VMM_CPU_X86_64_V2, &cpuid->list, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_CONFIG);
  g_assert_true (g_str_has_suffix (error->message, "take “host”."));
}

static void
test_names (void)
{
  VmmCpuModel found;

  for (VmmCpuModel model = VMM_CPU_HOST; model < VMM_CPU_N_MODELS; model++) {
    g_assert_true (vmm_cpu_model_find (vmm_cpu_model_name (model), &found));
    g_assert_cmpint (found, ==, model);
  }
  g_assert_null (vmm_cpu_model_name (VMM_CPU_N_MODELS));
  g_assert_false (vmm_cpu_model_find ("x86-64-v", &found));
  g_assert_false (vmm_cpu_model_find ("", &found));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cpu-model/levels", test_levels);
  g_test_add_func ("/cpu-model/never", test_never);
  g_test_add_func ("/cpu-model/system", test_system);
  g_test_add_func ("/cpu-model/xsave", test_xsave);
  g_test_add_func ("/cpu-model/host", test_host);
  g_test_add_func ("/cpu-model/nested", test_nested);
  g_test_add_func ("/cpu-model/refused", test_refused);
  g_test_add_func ("/cpu-model/empty-host", test_empty_host);
  g_test_add_func ("/cpu-model/names", test_names);
  return g_test_run ();
}
