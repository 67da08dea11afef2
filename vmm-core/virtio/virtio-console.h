/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-console: one port over borrowed file descriptors (virtio 1.2, 5.3). The guest sees hvc0.
 */
#pragma once

#include "virtio/virtio.h"

G_BEGIN_DECLS

typedef struct {
  guint slot; /* 0: the next free one */
  int in_fd;  /* borrowed; -1: nothing ever arrives */
  int out_fd; /* borrowed; -1: output goes nowhere */
} VmmVirtioConsoleConfig;

/* For vmm_device_new: VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_console_class). */
extern const VmmVirtioClass vmm_virtio_console_class;

G_END_DECLS
