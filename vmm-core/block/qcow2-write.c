/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Writing where there is no cluster of our own yet: clusters are allocated and written whole, what
 * the request does not cover copied from where the guest reads it now; only then the L2 table
 * refers to them.
 *
 * Threads: worker.
 */
#include <errno.h>
#include <string.h>

#include "base/vmm-bytes.h"
#include "block/qcow2-private.h"

/* One step: clusters in a row, guest and host. */
typedef struct {
  guint64 offset; /* of the guest, where the request's bytes begin */
  guint64 length; /* of them */
  guint64 host;   /* of the first cluster */
  guint64 n;      /* clusters */
  gboolean fresh; /* the file ends before them: they are zero */
  gboolean zero;  /* what the guest reads there now */
  gboolean kept;  /* were the guest's before */
} Step;

static guint64
count_clusters (const Qcow2 *self, guint64 offset, guint64 length)
{
  guint64 skip = offset & (self->cluster_size - 1);

  return (skip + length + self->cluster_size - 1) >> self->cluster_bits;
}

/* The guest's bytes, with @head and @tail bytes around them out of @edges. */
static int
write_with_edges (Qcow2 *self,
                  VmmBlockRequest *request,
                  const Step *step,
                  guint8 *edges,
                  gsize head,
                  gsize tail)
{
  g_autofree struct iovec *iov = g_new (struct iovec, request->n_iov + 2);
  guint64 skip = step->offset & (self->cluster_size - 1);
  VmmBlockRequest whole = { .op = VMM_BLOCK_WRITE,
                            .offset = step->host + skip - head,
                            .length = head + step->length + tail,
                            .iov = iov };
  guint n = 0;
  int result;

  if (head > 0)
    iov[n++] = (struct iovec) { edges, head };
  n += vmm_iov_slice (request->iov, request->n_iov, 0, step->length, iov + n);
  if (tail > 0)
    iov[n++] = (struct iovec) { edges + head, tail };
  whole.n_iov = n;
  result = vmm_host_file_run (self->parent.file, &whole);
  qcow2_note_written (self, whole.offset + whole.length, result);
  return result;
}

static int
write_step (Qcow2 *self, VmmBlockRequest *request, const Step *step)
{
  gsize head = step->offset & (self->cluster_size - 1);
  gsize tail = (step->n << self->cluster_bits) - head - step->length;
  guint8 *edges;
  int result = 0;

  if ((step->fresh && step->zero) || head + tail == 0)
    return write_with_edges (self, request, step, NULL, 0, 0);
  edges = vmm_table_alloc (head + tail);
  if (!edges)
    return -ENOMEM;
  if (!step->zero)
    result = qcow2_read_bytes (self, step->offset - head, edges, head);
  if (result == 0 && !step->zero)
    result = qcow2_read_bytes (self, step->offset + step->length, edges + head, tail);
  if (result == 0)
    result = write_with_edges (self, request, step, edges, head, tail);
  vmm_table_free (edges);
  return result;
}

/* The L2 entries. */
static int
link_step (Qcow2 *self, const Step *step)
{
  guint first = qcow2_get_slice_index (self, step->offset);
  VmmTable *slice;
  int result = qcow2_get_writable_slice (self, step->offset, &slice);

  if (result < 0)
    return result;
  g_mutex_lock (&self->lock);
  slice->dirty = TRUE;
  self->unsaved = TRUE;
  for (guint64 i = 0; i < step->n; i++) {
    guint8 *entry = slice->bytes + 8 * (first + i);

    if (!step->kept)
      qcow2_free_entry (self, vmm_get_be64 (entry));
    vmm_put_be64 (entry, (step->host + (i << self->cluster_bits)) | QCOW2_FLAG_COPIED);
  }
  g_mutex_unlock (&self->lock);
  return 0;
}

/* Where a run of zeroes has clusters of its own they are used. */
static int
find_place (Qcow2 *self, const Qcow2Run *run, Step *step)
{
  guint64 first;
  gint64 n;

  if (run->kind == QCOW2_ZERO && run->host && run->own) {
    step->host = run->host & ~(self->cluster_size - 1);
    step->kept = TRUE;
    return 0;
  }
  n = qcow2_allocate (self, step->n, &first);
  if (n < 0)
    return n;
  step->host = first << self->cluster_bits;
  step->fresh = !self->parent.file->is_device && step->host >= qcow2_get_end (self);
  if ((guint64) n < step->n) {
    step->n = n;
    step->length = (step->n << self->cluster_bits) - (step->offset & (self->cluster_size - 1));
  }
  return 0;
}

static int
write_run (Qcow2 *self, VmmBlockRequest *request, const Qcow2Run *run)
{
  Step step = { .offset = request->offset + request->moved };
  VmmTable *slice;
  int result = qcow2_get_writable_slice (self, step.offset, &slice);

  if (result < 0)
    return result;
  step.length = MIN (run->length, qcow2_get_slice_left (self, step.offset));
  step.n = count_clusters (self, step.offset, step.length);
  step.zero = qcow2_reads_zero (self, step.offset & ~(self->cluster_size - 1), run);
  result = find_place (self, run, &step);
  if (result < 0)
    return result;
  result = write_step (self, request, &step);
  if (result == 0)
    result = link_step (self, &step);
  if (result < 0 && !step.kept)
    qcow2_free_now (self, step.host >> self->cluster_bits, step.n);
  if (result == 0)
    vmm_block_request_advance (request, step.length);
  return result;
}

int
qcow2_write (Qcow2 *self, VmmBlockRequest *request)
{
  while (request->moved < request->length) {
    Qcow2Run run;
    int result = qcow2_map_loaded (self, request->offset + request->moved,
                                   request->length - request->moved, &run);

    if (result == 0 && run.kind == QCOW2_BROKEN)
      result = qcow2_found_corrupt (self, "an L2 entry is out of place");
    if (result == 0 && self->corrupt)
      result = -EUCLEAN;
    if (result == 0 && run.kind == QCOW2_DATA && run.own)
      return QCOW2_RETRY; /* what was written before made its cluster */
    if (result == 0)
      result = write_run (self, request, &run);
    if (result == 0)
      result = qcow2_relieve (self);
    if (result < 0)
      return result;
  }
  return 0;
}
