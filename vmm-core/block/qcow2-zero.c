/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Discarding and writing zeroes: whole clusters by their L2 entries, parts of clusters by zeroes.
 * Version 2 has no entry that means zero: there a cluster without backing behind it becomes a hole.
 *
 * Threads: worker.
 */
#include <errno.h>

#include "base/vmm-bytes.h"
#include "block/qcow2-private.h"

#define ZERO_BYTES 65536

/* What becomes of an entry; @keep: its clusters stay its own. */
static guint64
zeroed_entry (Qcow2 *self, guint64 entry, gboolean keep, gboolean has_backing)
{
  gboolean hole = !(entry & QCOW2_FLAG_COMPRESSED) && (entry & QCOW2_OFFSET_MASK) == 0;
  guint64 zero = self->header->version >= 3 ? QCOW2_FLAG_ZERO : 0;

  if (keep && zero && !hole && (entry & QCOW2_FLAG_COPIED) && !(entry & QCOW2_FLAG_COMPRESSED))
    return entry | zero;
  return has_backing ? zero : 0;
}

static gboolean
has_backing_at (Qcow2 *self, guint64 offset)
{
  return self->backing && offset < vmm_block_get_size (self->backing);
}

/* Whole clusters within one slice. */
static int
zero_slice (Qcow2 *self, guint64 offset, guint64 n, gboolean keep)
{
  guint first = qcow2_get_slice_index (self, offset);
  VmmTable *slice;
  int result = qcow2_get_writable_slice (self, offset, &slice);

  if (result < 0)
    return result;
  g_mutex_lock (&self->lock);
  for (guint64 i = 0; i < n; i++) {
    guint8 *at = slice->bytes + 8 * (first + i);
    guint64 old = vmm_get_be64 (at);
    guint64 new =
      zeroed_entry (self, old, keep, has_backing_at (self, offset + (i << self->cluster_bits)));

    if (new == old)
      continue;
    if ((new &QCOW2_OFFSET_MASK) == 0)
      qcow2_free_entry (self, old);
    vmm_put_be64 (at, new);
    slice->dirty = TRUE;
    self->unsaved = TRUE;
  }
  g_mutex_unlock (&self->lock);
  return 0;
}

static int
write_zero_bytes (Qcow2 *self, guint64 offset, guint64 length)
{
  guint8 *zeroes = vmm_table_alloc (MIN (length, ZERO_BYTES));
  int result = zeroes ? 0 : -ENOMEM;

  while (length > 0 && result == 0) {
    struct iovec iov = { zeroes, MIN (length, ZERO_BYTES) };
    VmmBlockRequest request = {
      .op = VMM_BLOCK_WRITE, .offset = offset, .length = iov.iov_len, .iov = &iov, .n_iov = 1
    };
    Qcow2Run run;

    result = qcow2_map_loaded (self, offset, iov.iov_len, &run);
    if (result < 0)
      break;
    request.length = iov.iov_len = run.length;
    if (run.kind == QCOW2_DATA && run.own) {
      request.offset = run.host;
      result = vmm_host_file_run (self->parent.file, &request);
      qcow2_note_written (self, run.host + run.length, result);
    } else if (!qcow2_reads_zero (self, offset, &run)) {
      result = qcow2_write (self, &request);
    }
    offset += run.length;
    length -= run.length;
  }
  vmm_table_free (zeroes);
  return result;
}

/* Clusters that may be zero by their entry. FALSE: version 2, and the backing would show. */
static gboolean
can_be_zero (Qcow2 *self, guint64 offset)
{
  return self->header->version >= 3 || !has_backing_at (self, offset);
}

/* Whole clusters within one slice: @length of them, of which it may do less. */
static int
zero_clusters (Qcow2 *self, guint64 offset, guint64 *length, const VmmBlockRequest *request)
{
  gboolean discards = request->op == VMM_BLOCK_DISCARD;
  gboolean keep = !discards && !(request->unmap && self->parent.discard);
  Qcow2Run run;
  int result = qcow2_map_loaded (self, offset, *length, &run);

  if (result < 0)
    return result;
  *length = run.length;
  if (run.kind == QCOW2_HOLE && !has_backing_at (self, offset))
    return 0;
  if (!can_be_zero (self, offset))
    return discards ? 0 : write_zero_bytes (self, offset, *length);
  return zero_slice (self, offset, *length >> self->cluster_bits, keep);
}

/* @request's moved is how far it has come. */
int
qcow2_write_zeroes (Qcow2 *self, VmmBlockRequest *request)
{
  while (request->moved < request->length) {
    guint64 offset = request->offset + request->moved;
    guint64 left = request->length - request->moved;
    guint64 skip = offset & (self->cluster_size - 1), length;
    int result = 0;

    if (self->corrupt)
      return -EUCLEAN;
    if (skip > 0 || left < self->cluster_size) {
      length = MIN (left, self->cluster_size - skip);
      if (request->op == VMM_BLOCK_WRITE_ZEROES)
        result = write_zero_bytes (self, offset, length);
    } else {
      length = MIN (left & ~(self->cluster_size - 1), qcow2_get_slice_left (self, offset));
      result = zero_clusters (self, offset, &length, request);
    }
    if (result == 0)
      result = qcow2_relieve (self);
    if (result < 0)
      return result;
    request->moved += length;
  }
  return 0;
}
