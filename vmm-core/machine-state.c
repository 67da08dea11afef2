/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The steps from one state of a machine to another, for whoever holds the control lock.
 *
 * Threads: control or attendant, with the control lock held.
 */
#include "machine-private.h"

/* Any thread. */
void
vmm_machine_ask_to_park (VmmMachine *self)
{
  for (guint i = 0; i < self->vcpus->len; i++)
    vmm_vcpu_park (g_ptr_array_index (self->vcpus, i));
}

void
vmm_machine_park (VmmMachine *self)
{
  vmm_machine_ask_to_park (self);
  for (guint i = 0; i < self->vcpus->len; i++)
    vmm_vcpu_wait_parked (g_ptr_array_index (self->vcpus, i));
}

void
vmm_machine_run (VmmMachine *self)
{
  for (guint i = 0; i < self->vcpus->len; i++)
    vmm_vcpu_run (g_ptr_array_index (self->vcpus, i));
}

void
vmm_machine_set_state (VmmMachine *self, VmmMachineState state)
{
  g_mutex_lock (&self->lock);
  self->state = state;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  if (self->listener.state_changed)
    self->listener.state_changed (self, state, self->listener_data);
}

/* Control lock held. The first cause counts. */
void
vmm_machine_do_end (VmmMachine *self, const VmmEnd *end)
{
  vmm_machine_park (self);
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
  self->ended_ns = vmm_loop_now_ns ();
  g_mutex_unlock (&self->lock);
  vmm_machine_set_state (self, VMM_MACHINE_STOPPED);
}

static void
end_crashed (VmmMachine *self, const char *message)
{
  VmmEnd end = { .kind = VMM_END_CRASHED };

  g_mutex_lock (&self->lock);
  g_free (self->message);
  self->message = g_strdup (message);
  g_mutex_unlock (&self->lock);
  vmm_machine_do_end (self, &end);
}

/* Control lock held; running or paused, and so it stays. */
void
vmm_machine_do_reset (VmmMachine *self)
{
  gboolean was_running = vmm_machine_get_state (self) == VMM_MACHINE_RUNNING;
  g_autoptr (GError) error = NULL;

  vmm_machine_park (self);
  vmm_pc_drain (self->pc);
  vmm_pc_reset (self->pc);
  if (!vmm_kvm_reset (self->kvm, &error) || !vmm_machine_load (self, &error)) {
    end_crashed (self, error->message);
    return;
  }
  if (was_running) {
    vmm_pc_resume (self->pc);
    vmm_machine_run (self);
  }
  if (self->listener.was_reset)
    self->listener.was_reset (self, self->listener_data);
}

/* Control lock held; running. Where it fails the machine runs on. */
gboolean
vmm_machine_do_pause (VmmMachine *self, GError **error)
{
  vmm_machine_park (self);
  vmm_pc_drain (self->pc);
  if (!vmm_kvm_save_clock (self->kvm, error)) {
    vmm_pc_resume (self->pc);
    vmm_machine_run (self);
    return FALSE;
  }
  vmm_machine_set_state (self, VMM_MACHINE_PAUSED);
  return TRUE;
}
