/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-serial: named channels between programs of the guest and sockets of the host (virtio 1.2,
 * 5.3 with VIRTIO_CONSOLE_F_MULTIPORT). The guest sees /dev/virtio-ports/NAME. A channel has one
 * client at a time; what the guest says while it has none goes nowhere.
 */
#pragma once

#include "virtio/virtio.h"

G_BEGIN_DECLS

/* As many as there are queues for: four are port 0's, which is no channel, and the control's. */
#define VMM_SERIAL_MAX_CHANNELS 6

typedef struct {
  guint slot; /* 0: the next free one */
  guint n_channels;
  struct {
    const char *name;
    int listen_fd; /* borrowed; does not block */
  } channels[VMM_SERIAL_MAX_CHANNELS];
} VmmVirtioSerialConfig;

/* For vmm_device_new: VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_serial_class). */
extern const VmmVirtioClass vmm_virtio_serial_class;

G_END_DECLS
