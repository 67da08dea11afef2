/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The names of a machine's processors, and what follows from their number. What is behind a name is
 * in x86/cpu-model.c.
 *
 * Threads: any.
 */
#include "vmm-cpu.h"

#include <string.h>

static const char *const names[VMM_CPU_N_MODELS] = {
  [VMM_CPU_HOST] = "host",
  [VMM_CPU_X86_64_V2] = "x86-64-v2",
  [VMM_CPU_X86_64_V3] = "x86-64-v3",
  [VMM_CPU_X86_64_V4] = "x86-64-v4",
};

const char *
vmm_cpu_model_name (VmmCpuModel model)
{
  return (guint) model < VMM_CPU_N_MODELS ? names[model] : NULL;
}

gboolean
vmm_cpu_model_find (const char *name, VmmCpuModel *model)
{
  for (guint i = 0; i < VMM_CPU_N_MODELS; i++)
    if (strcmp (name, names[i]) == 0) {
      *model = i;
      return TRUE;
    }
  return FALSE;
}

VmmCpuTopology
vmm_cpu_topology_complete (VmmCpuTopology given, guint n_vcpus)
{
  VmmCpuTopology topology = given;

  topology.threads = MAX (given.threads, 1);
  if (given.cores == 0) {
    topology.sockets = MAX (given.sockets, 1);
    topology.cores = MAX (n_vcpus / ((guint64) topology.sockets * topology.threads), 1);
  } else if (given.sockets == 0) {
    topology.sockets = MAX (n_vcpus / ((guint64) topology.cores * topology.threads), 1);
  }
  return topology;
}

guint64
vmm_cpu_topology_count (VmmCpuTopology topology)
{
  return (guint64) topology.sockets * topology.cores * topology.threads;
}
