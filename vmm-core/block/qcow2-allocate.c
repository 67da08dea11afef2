/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which clusters of the file are free. A cluster that the tables in memory no longer refer to is
 * not free yet: the tables on disk may refer to it until the next commit, and requests under way
 * may still move its bytes. So it waits in a list.
 *
 * Threads: worker.
 */
#include <errno.h>

#include "block/qcow2-private.h"

/* Of frees that wait; more are committed at once. */
#define MAX_FREES 4096

/* Where the host's file ends for good. */
static gboolean
is_behind_device (Qcow2 *self, guint64 cluster)
{
  const VmmHostFile *file = self->parent.file;

  return file->is_device && cluster >= file->size >> self->cluster_bits;
}

/* Whether @cluster is free; makes the block that counts it. */
static int
is_free (Qcow2 *self, guint64 cluster)
{
  guint64 count;
  int result;

  if (cluster >= VMM_QCOW2_MAX_OFFSET >> self->cluster_bits)
    return -EFBIG;
  if (is_behind_device (self, cluster))
    return -ENOSPC;
  result = qcow2_need_refcount_block (self, cluster);
  if (result == 0)
    result = qcow2_get_refcount (self, cluster, &count);
  if (result < 0)
    return result;
  if (count == 0 && vmm_cluster_set_has (&self->metadata, cluster))
    return qcow2_found_corrupt (self, "a table in use is not counted");
  return count == 0;
}

static int
find_free (Qcow2 *self)
{
  int result = is_free (self, self->free_hint);

  while (result == 0) {
    self->free_hint++;
    result = is_free (self, self->free_hint);
  }
  return result;
}

/* How many of the @wanted clusters from @first on are free, and taken now. */
static gint64
take_row (Qcow2 *self, guint64 first, guint64 wanted)
{
  guint64 n = 0;
  int result = 0;

  while (n < wanted) {
    result = is_free (self, first + n);
    if (result > 0)
      result = qcow2_set_refcount (self, first + n, 1) < 0 ? -EIO : 1;
    if (result <= 0)
      break;
    n++;
  }
  return n > 0 ? (gint64) n : result;
}

gint64
qcow2_allocate (Qcow2 *self, guint64 wanted, guint64 *first)
{
  gint64 result = qcow2_mark_dirty (self);

  if (result == 0)
    result = find_free (self);
  if (result < 0)
    return result;
  *first = self->free_hint;
  result = take_row (self, *first, wanted);
  if (result > 0)
    self->free_hint += result;
  return result;
}

int
qcow2_allocate_row (Qcow2 *self, guint64 n, guint64 *first)
{
  guint64 hint;
  gint64 result = qcow2_mark_dirty (self);

  if (result < 0)
    return result;
  if (n >= G_GUINT64_CONSTANT (1) << qcow2_get_block_bits (self))
    return qcow2_allocate_behind (self, n, first);
  result = find_free (self);
  hint = self->free_hint;
  while (result >= 0) {
    *first = self->free_hint;
    result = take_row (self, *first, n);
    if (result == (gint64) n)
      break;
    if (result > 0)
      result = qcow2_free_now (self, *first, result);
    self->free_hint = *first + 1;
    if (result == 0)
      result = find_free (self);
  }
  self->free_hint = hint;
  return MIN (result, 0);
}

static int
release_cluster (Qcow2 *self, guint64 cluster, gboolean *is_free_now)
{
  guint64 count;
  int result = qcow2_get_refcount (self, cluster, &count);

  *is_free_now = FALSE;
  if (result < 0)
    return result;
  if (count == 0)
    return qcow2_found_corrupt (self, "a cluster in use is not counted");
  result = qcow2_set_refcount (self, cluster, count - 1);
  if (result < 0 || count > 1)
    return result;
  *is_free_now = TRUE;
  vmm_cluster_set_remove (&self->metadata, cluster);
  self->free_hint = MIN (self->free_hint, cluster);
  return 0;
}

/* Their space goes back to the host, where that is wanted; it is no loss where it cannot. */
static void
punch (Qcow2 *self, guint64 first, guint64 n)
{
  if (n > 0 && self->parent.discard)
    vmm_host_file_punch (self->parent.file, first << self->cluster_bits, n << self->cluster_bits);
}

int
qcow2_free_now (Qcow2 *self, guint64 first, guint64 n)
{
  guint64 n_free = 0; /* just before */
  int result = 0;

  for (guint64 i = 0; i < n && result == 0; i++) {
    gboolean is_free_now;

    result = release_cluster (self, first + i, &is_free_now);
    if (is_free_now) {
      n_free++;
    } else {
      punch (self, first + i - n_free, n_free);
      n_free = 0;
    }
  }
  if (result == 0)
    punch (self, first + n - n_free, n_free);
  self->leaks = self->leaks || result < 0;
  return result;
}

void
qcow2_free_later (Qcow2 *self, guint64 first, guint64 n)
{
  Qcow2Range *last = NULL, range = { first, n };

  if (self->frees->len > 0)
    last = &g_array_index (self->frees, Qcow2Range, self->frees->len - 1);
  if (last && last->first + last->n == first)
    last->n += n;
  else
    g_array_append_val (self->frees, range);
}

void
qcow2_free_entry (Qcow2 *self, guint64 entry)
{
  guint64 offset = entry & QCOW2_OFFSET_MASK;
  gsize length = self->cluster_size;

  if (entry & QCOW2_FLAG_COMPRESSED)
    qcow2_locate_compressed (self, entry, &offset, &length);
  if (offset == 0)
    return;
  qcow2_free_later (self, offset >> self->cluster_bits,
                    ((offset + length - 1) >> self->cluster_bits) - (offset >> self->cluster_bits) +
                      1);
}

guint64
qcow2_get_end (Qcow2 *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->file_end;
}

/* Of a write that failed a part may be there. */
void
qcow2_note_written (Qcow2 *self, guint64 end, int result)
{
  if (result < 0)
    end = MIN (end, vmm_host_file_get_end (self->parent.file));
  g_mutex_lock (&self->lock);
  self->file_end = MAX (self->file_end, end);
  g_mutex_unlock (&self->lock);
}

int
qcow2_write_new (Qcow2 *self, const void *bytes, gsize length, guint64 offset)
{
  int result = vmm_host_file_write (self->parent.file, bytes, length, offset);

  qcow2_note_written (self, offset + length, result);
  return result;
}

int
qcow2_relieve (Qcow2 *self)
{
  return self->frees->len > MAX_FREES ? qcow2_commit (self) : 0;
}
