/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reading on the worker: what the loop cannot do, and what is copied when a cluster is written in
 * part.
 *
 * Threads: worker.
 */
#include <errno.h>
#include <string.h>

#include "block/qcow2-private.h"

/* The backing image answers on the loop; the worker waits. */
typedef struct {
  VmmBlockRequest request; /* first */
  VmmBlock *block;
  struct iovec iov;
  GMutex lock;
  GCond cond;
  gboolean done;
} Wait;

static void
wait_done (VmmBlockRequest *request, int error)
{
  Wait *wait = (Wait *) request;

  g_mutex_lock (&wait->lock);
  wait->request.result = error;
  wait->done = TRUE;
  g_cond_signal (&wait->cond);
  g_mutex_unlock (&wait->lock);
}

/* Loop. */
static void
wait_start (gpointer data)
{
  Wait *wait = data;

  vmm_block_submit (wait->block, &wait->request);
  vmm_block_kick (wait->block);
}

static int
read_whole (VmmBlock *block, guint64 offset, guint8 *to, gsize length)
{
  Wait wait = { .block = block, .iov = { to, length } };

  wait.request = (VmmBlockRequest) { .op = VMM_BLOCK_READ,
                                     .offset = offset,
                                     .length = length,
                                     .iov = &wait.iov,
                                     .n_iov = 1,
                                     .done = wait_done };
  g_mutex_init (&wait.lock);
  g_cond_init (&wait.cond);
  vmm_loop_post (block->loop, wait_start, &wait);
  g_mutex_lock (&wait.lock);
  while (!wait.done)
    g_cond_wait (&wait.cond, &wait.lock);
  g_mutex_unlock (&wait.lock);
  g_mutex_clear (&wait.lock);
  g_cond_clear (&wait.cond);
  return wait.request.result;
}

/* Behind the backing image's end is zero. */
static int
read_backing (Qcow2 *self, guint64 offset, guint8 *to, gsize length)
{
  guint64 end = self->backing ? vmm_block_get_size (self->backing) : 0;
  gsize there = MIN (end - MIN (offset, end), length);

  memset (to + there, 0, length - there);
  return there > 0 ? read_whole (self->backing, offset, to, there) : 0;
}

static int
read_run (Qcow2 *self, guint64 offset, const Qcow2Run *run, guint8 *to)
{
  const guint8 *bytes;
  int result;

  switch (run->kind) {
  case QCOW2_HOLE:
    return read_backing (self, offset, to, run->length);
  case QCOW2_ZERO:
    memset (to, 0, run->length);
    return 0;
  case QCOW2_DATA:
    return vmm_host_file_read (self->parent.file, to, run->length, run->host);
  case QCOW2_COMPRESSED:
    result = qcow2_unpack (self, run->host, &bytes);
    if (result == 0)
      memcpy (to, bytes + (offset & (self->cluster_size - 1)), run->length);
    return result;
  case QCOW2_UNKNOWN:
  case QCOW2_BROKEN:
    break;
  }
  return qcow2_found_corrupt (self, "an L2 entry is out of place");
}

int
qcow2_read_bytes (Qcow2 *self, guint64 offset, guint8 *to, gsize length)
{
  while (length > 0) {
    Qcow2Run run;
    int result = qcow2_map_loaded (self, offset, length, &run);

    if (result == 0)
      result = read_run (self, offset, &run, to);
    if (result < 0)
      return result;
    offset += run.length;
    to += run.length;
    length -= run.length;
  }
  return 0;
}

gboolean
qcow2_reads_zero (Qcow2 *self, guint64 offset, const Qcow2Run *run)
{
  if (run->kind == QCOW2_HOLE)
    return !self->backing || offset >= vmm_block_get_size (self->backing);
  return run->kind == QCOW2_ZERO;
}

/* Compressed clusters; all else is for the loop, now that the tables are in memory. */
int
qcow2_read (Qcow2 *self, VmmBlockRequest *request)
{
  while (request->moved < request->length) {
    guint64 offset = request->offset + request->moved;
    const guint8 *bytes;
    Qcow2Run run;
    int result = qcow2_map_loaded (self, offset, request->length - request->moved, &run);

    if (result == 0 && run.kind == QCOW2_BROKEN)
      result = qcow2_found_corrupt (self, "an L2 entry is out of place");
    if (result == 0 && run.kind != QCOW2_COMPRESSED)
      return QCOW2_RETRY;
    if (result == 0)
      result = qcow2_unpack (self, run.host, &bytes);
    if (result < 0)
      return result;
    vmm_iov_copy_in (request->iov, request->n_iov, bytes + (offset & (self->cluster_size - 1)),
                     run.length);
    vmm_block_request_advance (request, run.length);
  }
  return 0;
}
