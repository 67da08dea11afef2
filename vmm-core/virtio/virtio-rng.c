/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-rng. The smallest complete virtio device: copy it to start a new one.
 *
 * Threads: loop, device locked.
 */
#include <sys/random.h>

#include "virtio/virtio-rng.h"

#define QUEUE_SIZE  64
#define MAX_BYTES   4096 /* of one request; the driver asks again for more */
#define CLASS_OTHER 0x00ff00

typedef struct {
  VmmVirtio parent;
} VirtioRng;

static const VmmField virtio_rng_fields[] = {
  VMM_FIELD_PART (VirtioRng, parent, vmm_virtio_fields, "virtio"),
  VMM_FIELD_LAST,
};

static void
virtio_rng_process (VmmVirtio *virtio, guint index)
{
  VmmRequest request;

  while (vmm_virtio_pop (virtio, index, &request)) {
    gssize n = 0;

    if (request.n_in > 0)
      n = getrandom (request.in[0].iov_base, MIN (request.in[0].iov_len, MAX_BYTES), 0);
    vmm_virtio_push (virtio, index, request.head, MAX (n, 0));
  }
  vmm_virtio_notify (virtio, index);
}

const VmmVirtioClass vmm_virtio_rng_class = {
  VMM_VIRTIO_PARENT (VirtioRng, "virtio-rng", 1, virtio_rng_fields),
  .virtio_id = 4,
  .class_code = CLASS_OTHER,
  .n_queues = 1,
  .queue_size = QUEUE_SIZE,
  .process = virtio_rng_process,
};
