/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How much of the host's processors a machine may have.
 *
 * Threads: control.
 */
#include "machine-private.h"
#include "vmm-error.h"

static gboolean
set_cap (VmmMachine *self, guint percent, GError **error)
{
  for (guint i = 0; i < self->vcpus->len; i++)
    if (!vmm_vcpu_set_cap (g_ptr_array_index (self->vcpus, i), percent, error))
      return FALSE;
  return TRUE;
}

/* What the host refuses for one it refuses for the first. */
static gboolean
set_weight (VmmMachine *self, guint weight, GError **error)
{
  int nice = vmm_cpu_weight_to_nice (weight);

  for (guint i = 0; i < self->vcpus->len; i++)
    if (!vmm_vcpu_set_nice (g_ptr_array_index (self->vcpus, i), nice, error))
      return FALSE;
  return TRUE;
}

/* Nothing is changed where either is out of range. */
static gboolean
check (guint cap, guint weight, GError **error)
{
  const VmmCpuConfig config = { .cap = cap, .weight = weight };
  const char *fault = vmm_cpu_config_find_fault (&config);

  if (fault)
    g_set_error_literal (error, VMM_ERROR, VMM_ERROR_CONFIG, fault);
  return !fault;
}

gboolean
vmm_machine_apply_cpu (VmmMachine *self, GError **error)
{
  const VmmCpuConfig *config = &self->config->cpu;

  return set_cap (self, config->cap, error) &&
         (config->weight == VMM_CPU_WEIGHT || set_weight (self, config->weight, error));
}

gboolean
vmm_machine_set_cpu_cap (VmmMachine *self, guint percent, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  return check (percent, VMM_CPU_WEIGHT, error) && set_cap (self, percent, error);
}

gboolean
vmm_machine_set_cpu_weight (VmmMachine *self, guint weight, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  return check (VMM_CPU_NO_CAP, weight, error) && set_weight (self, weight, error);
}
