/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The names of a machine's processors, and what follows from their number. What is behind a name is
 * in x86/cpu-model.c.
 *
 * Threads: any.
 */
#include "vmm-cpu.h"

#include <string.h>

#define NICE_STEP 1.25  /* one less of nice is so much more of the time: see sched(7) */
#define HALF_STEP 1.118 /* its square root */
#define NICE_MIN  -20
#define NICE_MAX  19

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

const char *
vmm_cpu_config_find_fault (const VmmCpuConfig *config)
{
  if ((guint) config->model >= VMM_CPU_N_MODELS)
    return "There is no such processor model.";
  if (config->cap < 1 || config->cap > VMM_CPU_NO_CAP)
    return "The cap of a processor is 1 to 100 percent.";
  if (config->weight < VMM_CPU_MIN_WEIGHT || config->weight > VMM_CPU_MAX_WEIGHT)
    return "The weight of the processors is 1 to 10000; 100 is that of every program.";
  return NULL;
}

int
vmm_cpu_weight_to_nice (guint weight)
{
  double share = VMM_CPU_WEIGHT;
  int nice = 0;

  for (; nice < NICE_MAX && weight < share / HALF_STEP; nice++)
    share /= NICE_STEP;
  for (; nice > NICE_MIN && weight > share * HALF_STEP; nice--)
    share *= NICE_STEP;
  return nice;
}
