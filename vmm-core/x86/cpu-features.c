/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The table of features. (x86-64 psABI 1.0, 3.1.1; Intel SDM 2A, CPUID; AMD APM 3, appendix E.)
 *
 * Threads: any.
 */
#include "x86/cpu-features.h"

#define ANY VMM_CPU_ANY
#define V2  VMM_CPU_X86_64_V2
#define V3  VMM_CPU_X86_64_V3
#define V4  VMM_CPU_X86_64_V4

static const VmmCpuFeature leaf_1_ecx[] = {
  { 0, V2, "SSE3" },    { 1, ANY, "PCLMULQDQ" },  { 9, V2, "SSSE3" },
  { 12, V3, "FMA" },    { 13, V2, "CMPXCHG16B" }, { 17, ANY, "PCID" },
  { 19, V2, "SSE4.1" }, { 20, V2, "SSE4.2" },     { 21, ANY, "x2APIC" },
  { 22, V3, "MOVBE" },  { 23, V2, "POPCNT" },     { 24, ANY, "TSC-Deadline" },
  { 25, ANY, "AESNI" }, { 26, V3, "XSAVE" },      { 28, V3, "AVX" },
  { 29, V3, "F16C" },   { 30, ANY, "RDRAND" },    { 31, ANY, "hypervisor" },
};

static const VmmCpuFeature leaf_1_edx[] = {
  { 0, ANY, "FPU" },     { 1, ANY, "VME" },    { 2, ANY, "DE" },    { 3, ANY, "PSE" },
  { 4, ANY, "TSC" },     { 5, ANY, "MSR" },    { 6, ANY, "PAE" },   { 7, ANY, "MCE" },
  { 8, ANY, "CX8" },     { 9, ANY, "APIC" },   { 11, ANY, "SEP" },  { 12, ANY, "MTRR" },
  { 13, ANY, "PGE" },    { 14, ANY, "MCA" },   { 15, ANY, "CMOV" }, { 16, ANY, "PAT" },
  { 17, ANY, "PSE-36" }, { 19, ANY, "CLFSH" }, { 23, ANY, "MMX" },  { 24, ANY, "FXSR" },
  { 25, ANY, "SSE" },    { 26, ANY, "SSE2" },  { 27, ANY, "SS" },   { 28, ANY, "HTT" },
};

static const VmmCpuFeature leaf_6_eax[] = { { 2, ANY, "ARAT" } };

static const VmmCpuFeature leaf_7_ebx[] = {
  { 0, ANY, "FSGSBASE" },
  { 1, ANY, "TSC_ADJUST" },
  { 3, V3, "BMI1" },
  { 5, V3, "AVX2" },
  { 6, ANY, "FDP_EXCPTN_ONLY" },
  { 7, ANY, "SMEP" },
  { 8, V3, "BMI2" },
  { 9, ANY, "ERMS" },
  { 10, ANY, "INVPCID" },
  { 13, ANY, "FCS/FDS deprecated" },
  { 16, V4, "AVX512F" },
  { 17, V4, "AVX512DQ" },
  { 18, ANY, "RDSEED" },
  { 20, ANY, "SMAP" },
  { 23, ANY, "CLFLUSHOPT" },
  { 24, ANY, "CLWB" },
  { 28, V4, "AVX512CD" },
  { 29, ANY, "SHA" },
  { 30, V4, "AVX512BW" },
  { 31, V4, "AVX512VL" },
};

static const VmmCpuFeature leaf_7_ecx[] = {
  { 2, ANY, "UMIP" },
  { 16, ANY, "LA57" },
  { 22, ANY, "RDPID" },
};

static const VmmCpuFeature leaf_7_edx[] = {
  { 4, ANY, "FSRM" },   { 10, ANY, "MD_CLEAR" },  { 26, ANY, "IBRS/IBPB" },
  { 27, ANY, "STIBP" }, { 28, ANY, "L1D_FLUSH" }, { 29, ANY, "ARCH_CAPABILITIES" },
  { 31, ANY, "SSBD" },
};

static const VmmCpuFeature leaf_7_2_edx[] = {
  { 0, ANY, "PSFD" },   { 1, ANY, "IPRED_CTRL" }, { 2, ANY, "RRSBA_CTRL" },
  { 3, ANY, "DDPD_U" }, { 4, ANY, "BHI_CTRL" },   { 5, ANY, "MCDT_NO" },
};

/* XCR0, the state that XSAVE keeps: with an instruction set comes its registers'. */
static const VmmCpuFeature leaf_d_eax[] = {
  { 0, V3, "x87 state" },
  { 1, V3, "SSE state" },
  { 2, V3, "AVX state" },
  { 5, V4, "AVX-512 opmask state" },
  { 6, V4, "AVX-512 ZMM_Hi256 state" },
  { 7, V4, "AVX-512 Hi16_ZMM state" },
};

static const VmmCpuFeature leaf_d_1_eax[] = {
  { 0, ANY, "XSAVEOPT" },
  { 1, ANY, "XSAVEC" },
  { 2, ANY, "XGETBV" },
  { 3, ANY, "XSAVES" },
};

static const VmmCpuFeature leaf_80000001_ecx[] = {
  { 0, V2, "LAHF-SAHF" },
  { 1, ANY, "CmpLegacy" },
  { 4, ANY, "AltMovCr8" },
  { 5, V3, "LZCNT" },
  { 8, ANY, "3DNowPrefetch" },
  { 9, ANY, "OSVW" },
  { 22, ANY, "TopologyExtensions" },
};

/* AMD's has the older features of leaf 1 too. */
static const VmmCpuFeature leaf_80000001_edx[] = {
  { 0, ANY, "FPU" },    { 1, ANY, "VME" },    { 2, ANY, "DE" },       { 3, ANY, "PSE" },
  { 4, ANY, "TSC" },    { 5, ANY, "MSR" },    { 6, ANY, "PAE" },      { 7, ANY, "MCE" },
  { 8, ANY, "CX8" },    { 9, ANY, "APIC" },   { 11, ANY, "SYSCALL" }, { 12, ANY, "MTRR" },
  { 13, ANY, "PGE" },   { 14, ANY, "MCA" },   { 15, ANY, "CMOV" },    { 16, ANY, "PAT" },
  { 17, ANY, "PSE36" }, { 20, ANY, "NX" },    { 22, ANY, "MmxExt" },  { 23, ANY, "MMX" },
  { 24, ANY, "FXSR" },  { 25, ANY, "FFXSR" }, { 26, ANY, "Page1GB" }, { 27, ANY, "RDTSCP" },
  { 29, ANY, "LM" },
};

static const VmmCpuFeature leaf_80000007_edx[] = { { 8, ANY, "TscInvariant" } };

static const VmmCpuFeature leaf_80000008_ebx[] = {
  { 2, ANY, "RstrFpErrPtrs" },
  { 9, ANY, "WBNOINVD" },
  { 12, ANY, "IBPB" },
  { 14, ANY, "IBRS" },
  { 15, ANY, "STIBP" },
  { 16, ANY, "IbrsAlwaysOn" },
  { 17, ANY, "StibpAlwaysOn" },
  { 18, ANY, "IbrsPreferred" },
  { 24, ANY, "SSBD" },
  { 25, ANY, "SsbdVirtSpecCtrl" },
  { 26, ANY, "SsbdNotRequired" },
  { 28, ANY, "PSFD" },
  { 29, ANY, "BTC_NO" },
  { 30, ANY, "IBPB_RET" },
};

static const VmmCpuFeature leaf_80000021_eax[] = {
  { 0, ANY, "NoNestedDataBp" }, { 2, ANY, "LFenceAlwaysSerializing" },
  { 5, ANY, "VERW_CLEAR" },     { 6, ANY, "NullSelectorClearsBase" },
  { 8, ANY, "AutomaticIBRS" },  { 9, ANY, "NoSmmCtlMSR" },
  { 27, ANY, "SBPB" },          { 28, ANY, "IBPB_BRTYPE" },
  { 29, ANY, "SRSO_NO" },       { 30, ANY, "SRSO_USER_KERNEL_NO" },
};

static const VmmCpuFeature leaf_80000021_ecx[] = {
  { 1, ANY, "TSA_SQ_NO" },
  { 2, ANY, "TSA_L1_NO" },
};

#define REGISTER(function, index, name, features)                                                  \
  { function, index, VMM_CPUID_##name, features, G_N_ELEMENTS (features) }
#define NONE(function, index, name) { function, index, VMM_CPUID_##name, NULL, 0 }

static const VmmCpuRegister registers[] = {
  REGISTER (0x1, 0, ECX, leaf_1_ecx),
  REGISTER (0x1, 0, EDX, leaf_1_edx),
  REGISTER (0x6, 0, EAX, leaf_6_eax),
  NONE (0x6, 0, EBX),
  NONE (0x6, 0, ECX),
  NONE (0x6, 0, EDX),
  REGISTER (0x7, 0, EBX, leaf_7_ebx),
  REGISTER (0x7, 0, ECX, leaf_7_ecx),
  REGISTER (0x7, 0, EDX, leaf_7_edx),
  NONE (0x7, 1, EAX),
  NONE (0x7, 1, EBX),
  NONE (0x7, 1, ECX),
  NONE (0x7, 1, EDX),
  NONE (0x7, 2, EAX),
  NONE (0x7, 2, EBX),
  NONE (0x7, 2, ECX),
  REGISTER (0x7, 2, EDX, leaf_7_2_edx),
  REGISTER (0xd, 0, EAX, leaf_d_eax),
  NONE (0xd, 0, EDX),
  REGISTER (0xd, 1, EAX, leaf_d_1_eax),
  NONE (0xd, 1, ECX), /* IA32_XSS */
  NONE (0xd, 1, EDX),
  REGISTER (0x80000001, 0, ECX, leaf_80000001_ecx),
  REGISTER (0x80000001, 0, EDX, leaf_80000001_edx),
  REGISTER (0x80000007, 0, EDX, leaf_80000007_edx),
  REGISTER (0x80000008, 0, EBX, leaf_80000008_ebx),
  REGISTER (0x80000021, 0, EAX, leaf_80000021_eax),
  NONE (0x80000021, 0, EBX),
  REGISTER (0x80000021, 0, ECX, leaf_80000021_ecx),
  NONE (0x80000021, 0, EDX),
};

const VmmCpuRegister *
vmm_cpu_get_registers (guint *n_registers)
{
  *n_registers = G_N_ELEMENTS (registers);
  return registers;
}
