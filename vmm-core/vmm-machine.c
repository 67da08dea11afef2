/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The life of a machine. Two threads may change its state: the caller's control thread and the
 * attendant, a thread of the machine's own that sees to what the guest asks for (reset, off) when
 * nobody calls. Both hold the control lock while they do so. The vCPUs and the loop only note what
 * happened and park.
 *
 * Threads: see vmm-machine.h.
 */
#include "vmm-machine.h"

#include <string.h>
#include <time.h>

#include "device/vmm-display-source.h"
#include "machine-private.h"
#include "vmm-error.h"

static gint64
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

/* Any thread. */
static void
ask_to_park (VmmMachine *self)
{
  for (guint i = 0; i < self->vcpus->len; i++)
    vmm_vcpu_park (g_ptr_array_index (self->vcpus, i));
}

static void
park (VmmMachine *self)
{
  ask_to_park (self);
  for (guint i = 0; i < self->vcpus->len; i++)
    vmm_vcpu_wait_parked (g_ptr_array_index (self->vcpus, i));
}

static void
run (VmmMachine *self)
{
  for (guint i = 0; i < self->vcpus->len; i++)
    vmm_vcpu_run (g_ptr_array_index (self->vcpus, i));
}

static void
set_state (VmmMachine *self, VmmMachineState state)
{
  g_mutex_lock (&self->lock);
  self->state = state;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  if (self->listener.state_changed)
    self->listener.state_changed (self, state, self->listener_data);
}

/* Control lock held. The first cause counts. */
static void
end_run (VmmMachine *self, const VmmEnd *end)
{
  park (self);
  vmm_pc_drain (self->pc);
  g_mutex_lock (&self->lock);
  self->end = *end;
  if (end->kind == VMM_END_CRASHED) {
    if (!self->registers || !*self->registers) {
      g_free (self->registers);
      self->registers = vmm_vcpu_dump (g_ptr_array_index (self->vcpus, 0));
    }
    self->end.message = self->message;
    self->end.registers = self->registers;
  }
  self->ended_ns = now_ns ();
  g_mutex_unlock (&self->lock);
  set_state (self, VMM_MACHINE_STOPPED);
}

static void
end_crashed (VmmMachine *self, const char *message)
{
  VmmEnd end = { .kind = VMM_END_CRASHED };

  g_mutex_lock (&self->lock);
  g_free (self->message);
  self->message = g_strdup (message);
  g_mutex_unlock (&self->lock);
  end_run (self, &end);
}

/* Control lock held; running or paused, and so it stays. */
static void
do_reset (VmmMachine *self)
{
  gboolean was_running = vmm_machine_get_state (self) == VMM_MACHINE_RUNNING;
  g_autoptr (GError) error = NULL;

  park (self);
  vmm_pc_drain (self->pc);
  vmm_pc_reset (self->pc);
  if (!vmm_kvm_reset (self->kvm, &error) || !vmm_machine_load (self, &error)) {
    end_crashed (self, error->message);
    return;
  }
  if (was_running) {
    vmm_pc_resume (self->pc);
    run (self);
  }
  if (self->listener.was_reset)
    self->listener.was_reset (self, self->listener_data);
}

/* Control lock held; running. Where it fails the machine runs on. */
static gboolean
do_pause (VmmMachine *self, GError **error)
{
  park (self);
  vmm_pc_drain (self->pc);
  if (!vmm_kvm_save_clock (self->kvm, error)) {
    vmm_pc_resume (self->pc);
    run (self);
    return FALSE;
  }
  set_state (self, VMM_MACHINE_PAUSED);
  return TRUE;
}

/* Control lock held. For the sake of a device; somebody may have paused it before. */
static void
do_pause_for_device (VmmMachine *self)
{
  g_autofree char *device = NULL, *why = NULL;
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&self->lock);
  device = g_steal_pointer (&self->pause_device);
  why = g_steal_pointer (&self->pause_reason);
  g_mutex_unlock (&self->lock);
  if (vmm_machine_get_state (self) == VMM_MACHINE_RUNNING && !do_pause (self, &error)) {
    g_warning ("The machine cannot be paused: %s", error->message);
    return;
  }
  if (self->listener.paused_for)
    self->listener.paused_for (self, device, why, self->listener_data);
}

/* Sleeps until there is something to do. FALSE: the machine goes away. */
static gboolean
attendant_wait (VmmMachine *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (self->pending == PENDING_NONE && !self->quitting)
    g_cond_wait (&self->changed, &self->lock);
  return !self->quitting;
}

static gpointer
attendant (gpointer data)
{
  VmmMachine *self = data;

  while (attendant_wait (self)) {
    g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);
    VmmPending pending;
    VmmEnd end;

    g_mutex_lock (&self->lock);
    pending = self->pending;
    end = self->pending_end;
    self->pending = PENDING_NONE;
    g_mutex_unlock (&self->lock);
    if (vmm_machine_get_state (self) == VMM_MACHINE_STOPPED)
      continue;
    if (pending == PENDING_PAUSE)
      do_pause_for_device (self);
    else if (pending == PENDING_RESET)
      do_reset (self);
    else if (pending == PENDING_END)
      end_run (self, &end);
  }
  return NULL;
}

/* Any thread of the machine. An end beats a reset, a reset a pause; of equals the first counts. */
static void
note (VmmMachine *self, VmmPending pending, const VmmEnd *end)
{
  gboolean runs;

  g_mutex_lock (&self->lock);
  runs = self->state == VMM_MACHINE_RUNNING; /* else the vCPUs are parked, or still being made */
  if (pending > self->pending && self->state != VMM_MACHINE_STOPPED) {
    self->pending = pending;
    if (end) {
      self->pending_end = *end;
      g_free (self->message);
      g_free (self->registers);
      self->message = g_strdup (end->message);
      self->registers = g_strdup (end->registers);
    }
    g_cond_broadcast (&self->changed);
  }
  g_mutex_unlock (&self->lock);
  if (runs)
    ask_to_park (self);
}

static void
on_request (gpointer data, VmmRequestKind kind, guint32 value)
{
  VmmMachine *self = data;
  VmmEnd end = { .value = value };

  if (kind == VMM_REQUEST_RESET && !self->config->stop_on_reset) {
    note (self, PENDING_RESET, NULL);
    return;
  }
  end.kind = kind == VMM_REQUEST_RESET       ? VMM_END_RESET
             : kind == VMM_REQUEST_POWER_OFF ? VMM_END_POWER_OFF
                                             : VMM_END_DEBUG_EXIT;
  note (self, PENDING_END, &end);
}

/* Loop, with the device locked: so no pause, which drains it, is over before the vCPUs were told.
 */
static void
on_pause (gpointer data, const char *device_id, const char *why)
{
  VmmMachine *self = data;

  g_mutex_lock (&self->lock);
  g_set_str (&self->pause_device, device_id);
  g_set_str (&self->pause_reason, why);
  g_mutex_unlock (&self->lock);
  note (self, PENDING_PAUSE, NULL);
}

static void
on_device_broken (gpointer data, const char *device_id, const char *why)
{
  VmmMachine *self = data;

  if (self->listener.device_broken)
    self->listener.device_broken (self, device_id, why, self->listener_data);
}

static void
on_crashed (gpointer data, const char *message, const char *registers)
{
  VmmEnd end = { .kind = VMM_END_CRASHED, .message = message, .registers = registers };

  note (data, PENDING_END, &end);
}

const VmmKvmEvents vmm_machine_events = {
  .request = on_request,
  .pause = on_pause,
  .device_broken = on_device_broken,
  .crashed = on_crashed,
};

void
vmm_machine_fault (gpointer data)
{
  VmmMachine *self = data;

  /* Before the memory goes: without it a vCPU that still runs ends in a triple fault, and of ends
   * the first counts. */
  on_crashed (self, VMM_KVM_NO_MEMORY, "");
  vmm_memory_discard (self->memory);
}

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
  self->attendant = g_thread_try_new ("attendant", attendant, self, error);
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

gboolean
vmm_machine_start (VmmMachine *self, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  if (ended_before_start (self, error))
    return FALSE;
  if (vmm_machine_get_state (self) != VMM_MACHINE_READY)
    return wrong_state ("started", error);
  g_mutex_lock (&self->lock);
  self->started_ns = now_ns ();
  g_mutex_unlock (&self->lock);
  set_state (self, VMM_MACHINE_RUNNING);
  run (self);
  return TRUE;
}

gboolean
vmm_machine_pause (VmmMachine *self, GError **error)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);

  if (vmm_machine_get_state (self) != VMM_MACHINE_RUNNING)
    return wrong_state ("paused", error);
  return do_pause (self, error);
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
  if (!vmm_kvm_restore_clock (self->kvm, error))
    return FALSE;
  for (guint i = 0; i < self->vcpus->len; i++)
    vmm_vcpu_notify_pause (g_ptr_array_index (self->vcpus, i));
  forget_pause (self);
  vmm_pc_resume (self->pc);
  set_state (self, VMM_MACHINE_RUNNING);
  run (self);
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
    end_run (self, &end);
  else
    do_reset (self);
  return TRUE;
}

void
vmm_machine_stop (VmmMachine *self)
{
  g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);
  VmmEnd end = { .kind = VMM_END_STOPPED };

  if (vmm_machine_get_state (self) != VMM_MACHINE_STOPPED)
    end_run (self, &end);
}

void
vmm_machine_wait (VmmMachine *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (self->state != VMM_MACHINE_STOPPED)
    g_cond_wait (&self->changed, &self->lock);
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

  *stats = (VmmStats) { .disk_requests = vmm_pc_get_n_disk_requests (self->pc) };
  for (guint i = 0; i < self->vcpus->len; i++) {
    VmmVcpu *vcpu = g_ptr_array_index (self->vcpus, i);

    stats->exits_user += vmm_vcpu_get_n_exits (vcpu);
    stats->cpu_ns += vmm_vcpu_get_cpu_ns (vcpu);
  }
  if (display)
    vmm_display_get_counters (display, &stats->frames, &stats->bytes_copied);
  g_mutex_lock (&self->lock);
  if (self->started_ns != 0)
    stats->run_ns = (self->ended_ns ? self->ended_ns : now_ns ()) - self->started_ns;
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
