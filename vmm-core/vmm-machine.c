/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A machine as its callers see it. Two threads may change its state: the caller's control thread,
 * here, and the attendant (machine-attendant.c). Both hold the control lock while they do so, and
 * what they do is in machine-state.c.
 *
 * Threads: see vmm-machine.h.
 */
#include "vmm-machine.h"

#include "device/vmm-display-source.h"
#include "machine-private.h"
#include "vmm-error.h"

VmmMachine *
vmm_machine_new (const VmmConfig *config,
                 const VmmListener *listener,
                 gpointer data,
                 GError **error)
{
  g_autoptr (VmmMachine) self = NULL;

  if (!vmm_config_check (config, error))
    return NULL;
  self = g_new0 (VmmMachine, 1);
  self->config = vmm_config_copy (config);
  if (listener)
    self->listener = *listener;
  self->listener_data = data;
  self->fault_fd = -1;
  self->vcpus = g_ptr_array_new_with_free_func ((GDestroyNotify) vmm_vcpu_free);
  g_mutex_init (&self->control);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  if (!vmm_machine_make_parts (self, error))
    return NULL;
  self->attendant = g_thread_try_new ("attendant", vmm_machine_attend, self, error);
  return self->attendant ? g_steal_pointer (&self) : NULL;
}

void
vmm_machine_free (VmmMachine *self)
{
  if (self->attendant) {
    vmm_machine_stop (self);
    g_mutex_lock (&self->lock);
    self->quitting = TRUE;
    g_cond_broadcast (&self->changed);
    g_mutex_unlock (&self->lock);
    g_thread_join (self->attendant);
  }
  vmm_machine_free_parts (self);
  vmm_config_free (self->config);
  g_free (self->message);
  g_free (self->registers);
  g_free (self->pause_device);
  g_free (self->pause_reason);
  g_mutex_clear (&self->control);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

static gboolean
wrong_state (const char *what, GError **error)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_STATE, "The machine cannot be %s in its present state.",
               what);
  return FALSE;
}

/* Of a machine that never ran: a fault while its memory was filled. */
static gboolean
ended_before_start (VmmMachine *self, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->started_ns != 0 || self->end.kind != VMM_END_CRASHED || !self->message)
    return FALSE;
  g_set_error_literal (error, VMM_ERROR, VMM_ERROR_NO_MEMORY, self->message);
  return TRUE;
}

/* The guest learns that it stood still. Paused, or loaded. */
static gboolean
go_on (VmmMachine *self, GError **error)
{
  if (!vmm_kvm_restore_clock (self->kvm, error))
    return FALSE;
  for (guint i = 0; i < self->vcpus->len; i++)
    vmm_vcpu_notify_pause (g_ptr_array_index (self->vcpus, i));
  vmm_pc_resume (self->pc);
  return TRUE;
}

gboolean
vmm_machine_start (VmmMachine *self, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  if (ended_before_start (self, error))
    return FALSE;
  if (vmm_machine_get_state (self) != VMM_MACHINE_READY)
    return wrong_state ("started", error);
  if (self->config->load && !go_on (self, error))
    return FALSE;
  g_mutex_lock (&self->lock);
  self->started_ns = vmm_loop_now_ns ();
  g_mutex_unlock (&self->lock);
  vmm_machine_set_state (self, VMM_MACHINE_RUNNING);
  vmm_machine_run (self);
  return TRUE;
}

gboolean
vmm_machine_pause (VmmMachine *self, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  if (vmm_machine_get_state (self) != VMM_MACHINE_RUNNING)
    return wrong_state ("paused", error);
  return vmm_machine_do_pause (self, error);
}

/* A device that asked for a pause and was not heard yet asks again if it must. */
static void
forget_pause (VmmMachine *self)
{
  g_mutex_lock (&self->lock);
  if (self->pending == PENDING_PAUSE)
    self->pending = PENDING_NONE;
  g_mutex_unlock (&self->lock);
}

gboolean
vmm_machine_resume (VmmMachine *self, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  if (vmm_machine_get_state (self) != VMM_MACHINE_PAUSED)
    return wrong_state ("resumed", error);
  forget_pause (self);
  if (!go_on (self, error))
    return FALSE;
  vmm_machine_set_state (self, VMM_MACHINE_RUNNING);
  vmm_machine_run (self);
  return TRUE;
}

gboolean
vmm_machine_reset (VmmMachine *self, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);
  VmmMachineState state = vmm_machine_get_state (self);
  VmmEnd end = { .kind = VMM_END_RESET };

  if (state != VMM_MACHINE_RUNNING && state != VMM_MACHINE_PAUSED)
    return wrong_state ("reset", error);
  if (self->config->stop_on_reset)
    vmm_machine_do_end (self, &end);
  else
    vmm_machine_do_reset (self);
  return TRUE;
}

void
vmm_machine_stop (VmmMachine *self)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);
  VmmEnd end = { .kind = VMM_END_STOPPED };

  if (vmm_machine_get_state (self) != VMM_MACHINE_STOPPED)
    vmm_machine_do_end (self, &end);
}

void
vmm_machine_wait (VmmMachine *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (self->state != VMM_MACHINE_STOPPED)
    g_cond_wait (&self->changed, &self->lock);
}

gboolean
vmm_machine_save (VmmMachine *self, const char *path, const VmmProgress *progress, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  if (vmm_machine_get_state (self) != VMM_MACHINE_PAUSED)
    return wrong_state ("saved", error);
  return vmm_machine_do_save (self, path, progress, error);
}

gboolean
vmm_machine_eject (VmmMachine *self, const char *id, gboolean force, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  return vmm_pc_eject (self->pc, id, force, error);
}

gboolean
vmm_machine_insert (VmmMachine *self,
                    const char *id,
                    const char *path,
                    gboolean force,
                    GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  return vmm_pc_insert (self->pc, id, path, force, error);
}

gboolean
vmm_machine_resize_disk (VmmMachine *self, const char *id, guint64 size, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  return vmm_pc_resize_disk (self->pc, id, size, error);
}

gboolean
vmm_machine_add_forward (VmmMachine *self,
                         const char *id,
                         const VmmForward *forward,
                         GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  return vmm_pc_add_forward (self->pc, id, forward, error);
}

gboolean
vmm_machine_remove_forward (VmmMachine *self,
                            const char *id,
                            const VmmForward *forward,
                            GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  return vmm_pc_remove_forward (self->pc, id, forward, error);
}

GPtrArray *
vmm_machine_list_forwards (VmmMachine *self, const char *id, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  return vmm_pc_list_forwards (self->pc, id, error);
}

gboolean
vmm_machine_set_link (VmmMachine *self, const char *id, gboolean up, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  return vmm_pc_set_link (self->pc, id, up, error);
}

gboolean
vmm_machine_set_balloon (VmmMachine *self, guint64 target, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  return vmm_pc_set_balloon (self->pc, target, error);
}

gboolean
vmm_machine_get_balloon (VmmMachine *self, VmmBalloon *balloon, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  return vmm_pc_get_balloon (self->pc, balloon, error);
}

void
vmm_machine_power_button (VmmMachine *self)
{
  vmm_pc_power_button (self->pc);
}

VmmMachineState
vmm_machine_get_state (VmmMachine *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->state;
}

VmmEnd
vmm_machine_get_end (VmmMachine *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->end;
}

void
vmm_machine_get_stats (VmmMachine *self, VmmStats *stats)
{
  VmmDisplay *display = vmm_pc_get_display (self->pc);

  *stats = (VmmStats) { .disk_requests = vmm_pc_get_n_disk_requests (self->pc),
                        .memory_used = vmm_memory_get_used (self->memory) };
  for (guint i = 0; i < self->vcpus->len; i++) {
    VmmVcpu *vcpu = g_ptr_array_index (self->vcpus, i);

    stats->exits_user += vmm_vcpu_get_n_exits (vcpu);
    stats->cpu_ns += vmm_vcpu_get_cpu_ns (vcpu);
  }
  if (display)
    vmm_display_get_counters (display, &stats->frames, &stats->bytes_copied);
  g_mutex_lock (&self->lock);
  if (self->started_ns != 0)
    stats->run_ns = (self->ended_ns ? self->ended_ns : vmm_loop_now_ns ()) - self->started_ns;
  g_mutex_unlock (&self->lock);
}

VmmDisplay *
vmm_machine_get_display (VmmMachine *self)
{
  return vmm_pc_get_display (self->pc);
}

VmmInput *
vmm_machine_get_input (VmmMachine *self)
{
  return vmm_pc_get_input (self->pc);
}
