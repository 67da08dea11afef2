/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-rng: random bytes from the host (virtio 1.2, 5.4).
 */
#pragma once

#include "virtio/virtio.h"

G_BEGIN_DECLS

typedef struct {
  guint slot; /* 0: the next free one */
} VmmVirtioRngConfig;

/* For vmm_device_new: VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_rng_class). */
extern const VmmVirtioClass vmm_virtio_rng_class;

G_END_DECLS
