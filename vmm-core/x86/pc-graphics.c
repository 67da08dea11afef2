/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC's screen, keyboard and pointer.
 *
 * Threads: control, with the vCPUs parked.
 */
#include "virtio/virtio-gpu.h"
#include "virtio/virtio-input.h"
#include "x86/pc-private.h"

static gboolean
add_input (VmmPc *self, const char *id, VmmInputKind kind, GError **error)
{
  VmmVirtioInputConfig config = { .kind = kind, .input = self->input };

  return vmm_pc_add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_input_class), id, &config, error) !=
         NULL;
}

gboolean
vmm_pc_add_graphics (VmmPc *self, GError **error)
{
  VmmVirtioGpuConfig config = { .width = self->config->width, .height = self->config->height };

  if (!self->config->graphics)
    return TRUE;
  config.display = self->display = vmm_display_new ();
  self->input = vmm_input_new ();
  return vmm_pc_add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_gpu_class), "gpu0", &config,
                     error) &&
         add_input (self, "keyboard0", VMM_INPUT_KEYBOARD, error) &&
         add_input (self, "tablet0", VMM_INPUT_TABLET, error);
}
