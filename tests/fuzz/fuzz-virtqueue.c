/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rings of a hostile driver: the input is the queue's registers and then the memory that the rings
 * lie in. Each vector that comes out must be memory that can be touched.
 */
#include <string.h>

#include "fake-devices.h"
#include "virtio/virtqueue.h"

#define MEMORY   (1 << 20)
#define WINDOW   65536 /* of memory that the input fills */
#define MAX_POPS 1000

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
touch (const struct iovec *iov, guint n, gboolean write)
{
  for (guint i = 0; i < n; i++) {
    volatile guint8 *bytes = iov[i].iov_base;

    g_assert_cmpuint (iov[i].iov_len, >, 0);
    bytes[0] = write ? 0x55 : bytes[0];
    bytes[iov[i].iov_len - 1] = write ? 0xaa : bytes[iov[i].iov_len - 1];
  }
}

static void
drive (VmmVirtqueue *queue, FuzzReader *reader)
{
  static VmmRequest request;

  for (guint i = 0; i < MAX_POPS && vmm_virtqueue_pop (queue, &request); i++) {
    g_assert_cmpuint (request.n_out + request.n_in, <=, VMM_VIRTQUEUE_MAX_SEGMENTS);
    touch (request.out, request.n_out, FALSE);
    touch (request.in, request.n_in, TRUE);
    if (request.head % 7 == 3) {
      vmm_virtqueue_unpop (queue);
      continue;
    }
    vmm_virtqueue_push (queue, request.head, vmm_iov_size (request.in, request.n_in));
    vmm_virtqueue_wants_interrupt (queue);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static VmmMemory *memory;
  FuzzReader reader = { data, size };
  VmmVirtqueue queue;
  guint8 flags = fuzz_reader_u8 (&reader);

  if (!memory)
    memory = vmm_memory_new (MEMORY, NULL);
  vmm_virtqueue_init (&queue, memory, VMM_VIRTQUEUE_MAX_SIZE);
  queue.size = flags & 0x80 ? fuzz_reader_u16 (&reader) : 1 << (flags & 7);
  queue.event_idx = (flags & 0x08) != 0;
  queue.indirect = (flags & 0x10) != 0;
  queue.desc = flags & 0x20 ? fuzz_reader_u64 (&reader) : 0;
  queue.driver = flags & 0x20 ? fuzz_reader_u64 (&reader) : 0x1000;
  queue.device = flags & 0x20 ? fuzz_reader_u64 (&reader) : 0x2000;
  queue.next_avail = queue.next_used = flags & 0x40 ? fuzz_reader_u16 (&reader) : 0;
  queue.enabled = TRUE;
  fuzz_reader_read (&reader, vmm_memory_at (memory, 0, WINDOW), WINDOW);
  if (vmm_virtqueue_start (&queue))
    drive (&queue, &reader);
  return 0;
}
