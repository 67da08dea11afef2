/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-blk: a disk (virtio 1.2, 5.2).
 */
#pragma once

#include "block/vmm-block.h"
#include "virtio/virtio.h"

G_BEGIN_DECLS

#define VMM_VIRTIO_BLK_MAX_QUEUES 8

typedef struct {
  guint slot;         /* 0: the next free one */
  VmmBlock *block;    /* borrowed; outlives the device */
  const char *serial; /* at most 20 bytes, what GET_ID answers; NULL for none */
  guint n_queues;     /* up to VMM_VIRTIO_BLK_MAX_QUEUES, best one a vCPU; 0 for 1 */
} VmmVirtioBlkConfig;

/* For vmm_device_new: VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_blk_class). */
extern const VmmVirtioClass vmm_virtio_blk_class;

/* The size of the block is another now: the driver is told. Thread: any. */
void vmm_virtio_blk_resized (VmmDevice *device);
/* The disk is drained and loses its block, which may be closed then: requests fail. Thread:
 * control. */
void vmm_virtio_blk_disconnect (VmmDevice *device);
/* Requests finished so far. Thread: any. */
guint64 vmm_virtio_blk_get_n_requests (VmmDevice *device);

G_END_DECLS
