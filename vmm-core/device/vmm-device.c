/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The life of a device: the order in which the functions of its class are called, and its lock.
 *
 * Threads: as vmm-device.h says.
 */
#include "device/vmm-device.h"

VmmDevice *
vmm_device_new (const VmmDeviceClass *klass,
                const VmmBoard *board,
                const char *id,
                gconstpointer config,
                GError **error)
{
  VmmDevice *self = g_malloc0 (klass->instance_size);

  self->klass = klass;
  self->board = board;
  self->id = g_strdup (id);
  g_mutex_init (&self->lock);
  if (!klass->realize || klass->realize (self, config, error))
    return self;

  g_mutex_clear (&self->lock);
  g_free (self->id);
  g_free (self);
  return NULL;
}

void
vmm_device_free (VmmDevice *self)
{
  if (self->klass->unrealize)
    self->klass->unrealize (self);
  g_mutex_clear (&self->lock);
  g_free (self->id);
  g_free (self);
}

void
vmm_device_drain (VmmDevice *self)
{
  if (self->klass->drain)
    self->klass->drain (self);
}

void
vmm_device_resume (VmmDevice *self)
{
  if (self->klass->resume)
    self->klass->resume (self);
}

void
vmm_device_reset (VmmDevice *self)
{
  if (!self->klass->reset)
    return;
  vmm_device_lock (self);
  self->klass->reset (self);
  vmm_device_unlock (self);
}

void
vmm_device_lock (VmmDevice *self)
{
  g_mutex_lock (&self->lock);
  g_atomic_pointer_set (&self->owner, g_thread_self ());
}

void
vmm_device_unlock (VmmDevice *self)
{
  g_atomic_pointer_set (&self->owner, NULL);
  g_mutex_unlock (&self->lock);
}

gboolean
vmm_device_is_locked (VmmDevice *self)
{
  return g_atomic_pointer_get (&self->owner) == g_thread_self ();
}

void
vmm_device_wait (VmmDevice *self, GCond *cond)
{
  g_atomic_pointer_set (&self->owner, NULL);
  g_cond_wait (cond, &self->lock);
  g_atomic_pointer_set (&self->owner, g_thread_self ());
}

void
vmm_device_ask_pause (VmmDevice *self, const char *why)
{
  VmmPlatform *platform = self->board->platform;

  platform->klass->pause (platform, self->id, why);
}

void
vmm_device_broken (VmmDevice *self, const char *why)
{
  VmmPlatform *platform = self->board->platform;

  platform->klass->device_broken (platform, self->id, why);
}

static gboolean
vmm_device_save_locked (VmmDevice *self, VmmState *state, GError **error)
{
  const VmmDeviceClass *klass = self->klass;

  return vmm_state_save_struct (state, self->id, klass->version, klass->fields, self, error) &&
         (!klass->save_parts || klass->save_parts (self, state, error));
}

gboolean
vmm_device_save (VmmDevice *self, VmmState *state, GError **error)
{
  gboolean ok;

  vmm_device_lock (self);
  ok = vmm_device_save_locked (self, state, error);
  vmm_device_unlock (self);
  return ok;
}

static gboolean
vmm_device_load_locked (VmmDevice *self, VmmState *state, GError **error)
{
  const VmmDeviceClass *klass = self->klass;

  return vmm_state_load_struct (state, self->id, klass->version, klass->fields, self, NULL,
                                error) &&
         (!klass->load_parts || klass->load_parts (self, state, error)) &&
         (!klass->loaded || klass->loaded (self, error));
}

gboolean
vmm_device_load (VmmDevice *self, VmmState *state, GError **error)
{
  gboolean ok;

  vmm_device_lock (self);
  ok = vmm_device_load_locked (self, state, error);
  vmm_device_unlock (self);
  return ok;
}
