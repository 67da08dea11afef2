/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is attached to a machine that runs, and detached from it. The vCPUs stand still for the
 * moment in which a device comes or goes, so that no device needs to be made for anything else.
 *
 * Threads: control; remove_unplugged the attendant's.
 */
#include "machine-private.h"
#include "vmm-error.h"

static gboolean
check_running (VmmMachine *self, GError **error)
{
  if (vmm_machine_get_state (self) == VMM_MACHINE_RUNNING)
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_STATE,
               "Only while the machine runs something can be attached to it or detached.");
  return FALSE;
}

char *
vmm_machine_attach_disk (VmmMachine *self, const VmmDiskConfig *disk, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);
  char *id;

  if (!check_running (self, error))
    return NULL;
  vmm_machine_park (self);
  id = vmm_pc_attach_disk (self->pc, disk, error);
  vmm_machine_run (self);
  return id;
}

char *
vmm_machine_attach_nic (VmmMachine *self, const VmmNicConfig *nic, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);
  const char *fault = vmm_nic_config_find_fault (nic);
  char *id;

  if (!check_running (self, error))
    return NULL;
  if (fault) {
    g_set_error_literal (error, VMM_ERROR, VMM_ERROR_CONFIG, fault);
    return NULL;
  }
  vmm_machine_park (self);
  id = vmm_pc_attach_nic (self->pc, nic, error);
  vmm_machine_run (self);
  return id;
}

gboolean
vmm_machine_detach (VmmMachine *self, const char *id, gboolean force, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);
  gboolean ok;

  if (!check_running (self, error))
    return FALSE;
  vmm_machine_park (self);
  ok = vmm_pc_detach (self->pc, id, force, error);
  vmm_machine_run (self);
  return ok;
}

static void
tell (VmmMachine *self, const char *id)
{
  if (self->listener.detached)
    self->listener.detached (self, id, self->listener_data);
}

void
vmm_machine_remove_unplugged (VmmMachine *self)
{
  gboolean runs = vmm_machine_get_state (self) == VMM_MACHINE_RUNNING;
  g_autoptr (GPtrArray) ids = NULL;

  if (runs)
    vmm_machine_park (self);
  ids = vmm_pc_remove_released (self->pc);
  if (runs)
    vmm_machine_run (self);
  for (guint i = 0; i < ids->len; i++)
    tell (self, g_ptr_array_index (ids, i));
}
