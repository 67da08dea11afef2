/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC's balloon.
 *
 * Threads: control.
 */
#include "virtio/virtio-balloon.h"
#include "vmm-error.h"
#include "x86/pc-private.h"

gboolean
vmm_pc_add_balloon (VmmPc *self, GError **error)
{
  VmmVirtioBalloonConfig config = { 0 };

  if (!self->config->balloon)
    return TRUE;
  self->balloon = vmm_pc_add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_balloon_class), "balloon0",
                              &config, error);
  return self->balloon != NULL;
}

static gboolean
has_balloon (VmmPc *self, GError **error)
{
  if (self->balloon)
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_STATE,
               "The machine has no balloon: start it with one (--balloon).");
  return FALSE;
}

gboolean
vmm_pc_set_balloon (VmmPc *self, guint64 target, GError **error)
{
  if (!has_balloon (self, error))
    return FALSE;
  if (target < VMM_MIN_MEMORY || target > self->config->memory) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
                 "The guest can be asked to get by with %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                 " MiB of memory.",
                 VMM_MIN_MEMORY >> 20, self->config->memory >> 20);
    return FALSE;
  }
  vmm_virtio_balloon_set_target (self->balloon, target);
  return TRUE;
}

gboolean
vmm_pc_get_balloon (VmmPc *self, VmmBalloon *balloon, GError **error)
{
  if (!has_balloon (self, error))
    return FALSE;
  vmm_virtio_balloon_look (self->balloon, balloon);
  return TRUE;
}
