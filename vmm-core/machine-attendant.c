/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a machine does by itself. The vCPUs and the loop only note what happened and park; a thread
 * of the machine's own, the attendant, sees to it (reset, off, a pause for a device) when nobody
 * calls.
 *
 * Threads: the attendant; what says so, any thread of the machine.
 */
#include "machine-private.h"

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
  if (vmm_machine_get_state (self) == VMM_MACHINE_RUNNING && !vmm_machine_do_pause (self, &error)) {
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

  while (self->pending == PENDING_NONE && !self->unplugged && !self->quitting)
    g_cond_wait (&self->changed, &self->lock);
  return !self->quitting;
}

gpointer
vmm_machine_attend (gpointer data)
{
  VmmMachine *self = data;

  while (attendant_wait (self)) {
    g_autoptr (GMutexLocker) control = g_mutex_locker_new (&self->control);
    VmmPending pending;
    gboolean unplugged;
    VmmEnd end;

    g_mutex_lock (&self->lock);
    pending = self->pending;
    end = self->pending_end;
    self->pending = PENDING_NONE;
    unplugged = self->unplugged;
    self->unplugged = FALSE;
    g_mutex_unlock (&self->lock);
    if (vmm_machine_get_state (self) == VMM_MACHINE_STOPPED)
      continue;
    if (pending == PENDING_PAUSE)
      do_pause_for_device (self);
    else if (pending == PENDING_RESET)
      vmm_machine_do_reset (self);
    else if (pending == PENDING_END)
      vmm_machine_do_end (self, &end);
    if (unplugged)
      vmm_machine_remove_unplugged (self);
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
  if (pending > self->pending && self->state != VMM_MACHINE_STOPPED &&
      (!self->lost || (end && end->kind == VMM_END_CRASHED))) {
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
    vmm_machine_ask_to_park (self);
}

static void
on_request (gpointer data, VmmRequestKind kind, guint32 value)
{
  VmmMachine *self = data;
  VmmEnd end = { .value = value };

  if (kind == VMM_REQUEST_NO_MEMORY) {
    vmm_machine_fault (self);
    return;
  }
  if (kind == VMM_REQUEST_RESET && !self->config->stop_on_reset) {
    note (self, PENDING_RESET, NULL);
    return;
  }
  end.kind = kind == VMM_REQUEST_RESET       ? VMM_END_RESET
             : kind == VMM_REQUEST_POWER_OFF ? VMM_END_POWER_OFF
                                             : VMM_END_DEBUG_EXIT;
  note (self, PENDING_END, &end);
}

static void
on_panicked (gpointer data)
{
  VmmMachine *self = data;

  if (self->listener.panicked)
    self->listener.panicked (self, self->listener_data);
}

static void
on_unplugged (gpointer data)
{
  VmmMachine *self = data;

  g_mutex_lock (&self->lock);
  self->unplugged = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
on_device_broken (gpointer data, const char *device_id, const char *why)
{
  VmmMachine *self = data;

  if (self->listener.device_broken)
    self->listener.device_broken (self, device_id, why, self->listener_data);
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
on_lost (gpointer data)
{
  VmmMachine *self = data;

  g_mutex_lock (&self->lock);
  self->lost = TRUE;
  g_mutex_unlock (&self->lock);
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
  .panicked = on_panicked,
  .unplugged = on_unplugged,
  .device_broken = on_device_broken,
  .lost = on_lost,
  .crashed = on_crashed,
};

void
vmm_machine_fault (gpointer data)
{
  VmmMachine *self = data;

  /* As where a vCPU finds it out. */
  on_lost (self);
  vmm_memory_discard_all (self->memory);
  on_crashed (self, VMM_KVM_NO_MEMORY, "");
}
