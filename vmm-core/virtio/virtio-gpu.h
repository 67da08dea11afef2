/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-gpu: a 2D display with blob resources and a cursor (virtio 1.2, 5.7).
 */
#pragma once

#include "device/vmm-display-source.h"
#include "virtio/virtio.h"

G_BEGIN_DECLS

typedef struct {
  guint slot;          /* 0: the next free one */
  VmmDisplay *display; /* borrowed; outlives the device */
  guint width, height; /* first mode; 0 for 1280 x 800 */

  /* What follows is for vmm_virtio_vga_class only: the chip, borrowed, and the BIOS for it, in
   * whole pages, a power of two of bytes, borrowed; NULL for none. */
  VmmDevice *vga;
  const guint8 *rom;
  gsize rom_size;
} VmmVirtioGpuConfig;

/* For vmm_device_new: VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_gpu_class). */
extern const VmmVirtioClass vmm_virtio_gpu_class;
/* The same as a VGA, which shows its own picture until a driver of virtio-gpu shows one. */
extern const VmmVirtioClass vmm_virtio_vga_class;

G_END_DECLS
