/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The processor of a machine, as plain values: which one the guest sees, and how it is counted.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The levels are those of the x86-64 psABI: a guest finds their instructions and none above them,
 * so a machine can be saved on one computer and go on at another whose processor reaches the level.
 * What systems use beside them (protection, virtual memory, cryptography, random numbers) passes as
 * the host has it. A level is higher than those before it. */
typedef enum {
  VMM_CPU_HOST, /* all that this host and KVM have */
  VMM_CPU_X86_64_V2,
  VMM_CPU_X86_64_V3,
  VMM_CPU_X86_64_V4,
  VMM_CPU_N_MODELS,
} VmmCpuModel;

/* How the processors are counted. */
typedef struct {
  guint sockets;
  guint cores;   /* of a socket */
  guint threads; /* of a core */
} VmmCpuTopology;

#define VMM_CPU_NO_CAP     100
#define VMM_CPU_MIN_WEIGHT 1
#define VMM_CPU_WEIGHT     100 /* that of every program */
#define VMM_CPU_MAX_WEIGHT 10000

typedef struct {
  VmmCpuModel model;       /* what the guest sees of the host's processor */
  VmmCpuTopology topology; /* what is 0 in it follows from the rest */
  guint cap; /* each vCPU has no more than so many percent of one processor; VMM_CPU_NO_CAP: all */
  guint weight; /* its part where programs compete for the host's processors, as in cpu.weight of
                   control groups: half of it is half the time */
} VmmCpuConfig;

/* "host", "x86-64-v2", ...: scripts rely on them. NULL where there is no such one. */
const char *vmm_cpu_model_name (VmmCpuModel model);
/* FALSE where no model has the name. */
gboolean vmm_cpu_model_find (const char *name, VmmCpuModel *model);

/* What is 0 in @given follows from @n_vcpus and the rest: a thread a core, one socket. */
VmmCpuTopology vmm_cpu_topology_complete (VmmCpuTopology given, guint n_vcpus);
/* How many processors it has. */
guint64 vmm_cpu_topology_count (VmmCpuTopology topology);
/* What is wrong with it, but for the topology; or NULL. */
const char *vmm_cpu_config_find_fault (const VmmCpuConfig *config);
/* The priority of a thread that has nearest to @weight. */
int vmm_cpu_weight_to_nice (guint weight);

G_END_DECLS
