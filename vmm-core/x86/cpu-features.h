/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The features that a named processor may have, register by register of CPUID, each with the level
 * that brings it. What is not here no named processor has: so a feature that is new to this table
 * is above every level.
 *
 * Threads: any.
 */
#pragma once

#include "vmm-cpu.h"

G_BEGIN_DECLS

typedef enum {
  VMM_CPUID_EAX,
  VMM_CPUID_EBX,
  VMM_CPUID_ECX,
  VMM_CPUID_EDX,
} VmmCpuidRegister;

/* The feature is no level's: it passes where the host has it. */
#define VMM_CPU_ANY VMM_CPU_HOST

typedef struct {
  guint bit;
  VmmCpuModel level; /* the first that has it, and needs it; or VMM_CPU_ANY */
  const char *name;  /* as the manuals have it */
} VmmCpuFeature;

/* A register whose bits are features. */
typedef struct {
  guint32 function, index;
  VmmCpuidRegister name;
  const VmmCpuFeature *features;
  guint n_features;
} VmmCpuRegister;

const VmmCpuRegister *vmm_cpu_get_registers (guint *n_registers);

G_END_DECLS
