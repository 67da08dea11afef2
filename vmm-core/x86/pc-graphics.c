/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC's screen, keyboard and pointer.
 *
 * Threads: control, with the vCPUs parked.
 */
#include <string.h>

#include "vga/vga.h"
#include "virtio/virtio-gpu.h"
#include "virtio/virtio-input.h"
#include "vmm-error.h"
#include "x86/pc-private.h"

#define ROM_ALIGN 4096

static gboolean
add_input (VmmPc *self, const char *id, VmmInputKind kind, GError **error)
{
  VmmVirtioInputConfig config = { .kind = kind, .input = self->input };

  return vmm_pc_add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_input_class), id, &config, error) !=
         NULL;
}

/* A VGA's BIOS: the file's bytes, in the next power of two. */
static gboolean
load_vga_bios (VmmPc *self, GError **error)
{
  g_autofree char *bytes = NULL;
  g_autoptr (GError) why = NULL;
  gsize length;

  if (g_file_get_contents (self->config->vga_bios, &bytes, &length, &why) && length > 0 &&
      length <= VMM_PCI_MAX_ROM) {
    for (self->vga_bios_size = ROM_ALIGN; self->vga_bios_size < length;)
      self->vga_bios_size *= 2;
    self->vga_bios = g_aligned_alloc0 (self->vga_bios_size, 1, ROM_ALIGN);
    memcpy (self->vga_bios, bytes, length);
    return TRUE;
  }
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "The VGA's BIOS cannot be used: %s",
               why ? why->message : "it is no ROM.");
  return FALSE;
}

/* Firmware and old systems show themselves on a VGA; a kernel that we start needs none. */
static gboolean
add_vga (VmmPc *self, VmmVirtioGpuConfig *config, GError **error)
{
  const VmmVgaConfig vga = { .display = self->display };

  if (self->config->vga_bios && !load_vga_bios (self, error))
    return FALSE;
  config->vga = vmm_pc_add (self, &vmm_vga_class, "vga", &vga, error);
  config->rom = self->vga_bios;
  config->rom_size = self->vga_bios_size;
  return config->vga &&
         vmm_pc_add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_vga_class), "gpu0", config, error);
}

gboolean
vmm_pc_add_graphics (VmmPc *self, GError **error)
{
  VmmVirtioGpuConfig config = { .width = self->config->width, .height = self->config->height };

  if (!self->config->graphics)
    return TRUE;
  config.display = self->display = vmm_display_new ();
  if (!self->input)
    self->input = vmm_input_new ();
  if (self->config->firmware ? !add_vga (self, &config, error)
                             : !vmm_pc_add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_gpu_class),
                                            "gpu0", &config, error))
    return FALSE;
  return add_input (self, "keyboard0", VMM_INPUT_KEYBOARD, error) &&
         add_input (self, "tablet0", VMM_INPUT_TABLET, error);
}
