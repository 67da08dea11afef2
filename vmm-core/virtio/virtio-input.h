/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-input: a keyboard or a tablet (virtio 1.2, 5.8).
 */
#pragma once

#include "device/vmm-input-sink.h"
#include "virtio/virtio.h"

G_BEGIN_DECLS

typedef struct {
  guint slot; /* 0: the next free one */
  VmmInputKind kind;
  VmmInput *input; /* borrowed; outlives the device */
} VmmVirtioInputConfig;

/* For vmm_device_new: VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_input_class). */
extern const VmmVirtioClass vmm_virtio_input_class;

G_END_DECLS
