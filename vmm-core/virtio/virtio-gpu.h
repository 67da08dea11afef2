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
} VmmVirtioGpuConfig;

/* For vmm_device_new: VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_gpu_class). */
extern const VmmVirtioClass vmm_virtio_gpu_class;

G_END_DECLS
