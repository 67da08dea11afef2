/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * After a crash: counts what the tables refer to, snapshots' too, and makes the counts on disk say
 * the same. Clusters that were counted and not used are free again. An image that contradicts
 * itself in other ways is left alone and refused.
 *
 * Threads: control, before the first request.
 */
#include <errno.h>

#include "base/vmm-bytes.h"
#include "block/qcow2-private.h"
#include "vmm-error.h"

#define MAX_COUNT   G_MAXUINT16
#define MAX_ENTRIES (G_GUINT64_CONSTANT (1) << 30) /* looked at: a second or two */
#define BEHIND_END  65536                          /* clusters there that were never written */

/* Counts of the clusters of the file, as they should be. */
typedef struct {
  Qcow2 *image;
  guint16 *counts;
  guint64 n;
  guint64 n_entries; /* looked at */
} Check;

static int
count_range (Check *self, guint64 offset, guint64 length)
{
  guint bits = self->image->cluster_bits;
  guint64 first = offset >> bits, last;

  if (length == 0)
    return 0;
  if (offset >= VMM_QCOW2_MAX_OFFSET)
    return -EUCLEAN;
  last = (offset + length - 1) >> bits;
  for (guint64 i = first; i <= last; i++) {
    if (i >= self->n || self->counts[i] == MAX_COUNT)
      return -EUCLEAN;
    self->counts[i]++;
  }
  return 0;
}

static int
count_entry (Check *self, guint64 entry)
{
  Qcow2 *image = self->image;
  guint64 offset = entry & QCOW2_OFFSET_MASK;
  gsize length = image->cluster_size;

  if (entry & QCOW2_FLAG_COMPRESSED)
    qcow2_locate_compressed (image, entry, &offset, &length);
  else if (offset & (image->cluster_size - 1))
    return -EUCLEAN;
  return offset == 0 ? 0 : count_range (self, offset, length);
}

/* Calls @func with each piece of a table of big-endian numbers. */
typedef int (*Visit) (Check *self, guint8 *bytes, gsize length, guint64 offset);

static int
visit_table (Check *self, guint64 offset, guint64 length, Visit func)
{
  gsize piece = self->image->slice_size;
  guint8 *bytes;
  int result;

  if (offset >= self->image->file_end || length > self->image->file_end - offset + piece)
    return -EUCLEAN;
  self->n_entries += length / 8;
  if (self->n_entries > MAX_ENTRIES)
    return -EUCLEAN;
  bytes = vmm_table_alloc (piece);
  result = bytes ? 0 : -ENOMEM;
  for (guint64 at = 0; at < length && result == 0; at += piece) {
    gsize n = MIN (length - at, piece);

    result = vmm_host_file_read (self->image->parent.file, bytes, n, offset + at);
    if (result == 0)
      result = func (self, bytes, n, offset + at);
  }
  vmm_table_free (bytes);
  return result;
}

static int
count_l2 (Check *self, guint8 *bytes, gsize length, guint64 offset)
{
  int result = 0;

  for (gsize at = 0; at + 8 <= length && result == 0; at += 8)
    result = count_entry (self, vmm_get_be64 (bytes + at));
  return result;
}

static int
visit_l2 (Check *self, guint64 entry, Visit func)
{
  guint64 offset = entry & QCOW2_OFFSET_MASK;

  if (offset == 0)
    return 0;
  if (offset & (self->image->cluster_size - 1))
    return -EUCLEAN;
  return visit_table (self, offset, self->image->cluster_size, func);
}

static int
count_l1 (Check *self, guint8 *bytes, gsize length, guint64 offset)
{
  int result = 0;

  for (gsize at = 0; at + 8 <= length && result == 0; at += 8) {
    guint64 entry = vmm_get_be64 (bytes + at), table = entry & QCOW2_OFFSET_MASK;

    if (table)
      result = count_range (self, table, self->image->cluster_size);
    if (result == 0)
      result = visit_l2 (self, entry, count_l2);
  }
  return result;
}

static int
count_table (Check *self, guint64 offset, guint n_entries)
{
  int result = count_range (self, offset, (guint64) n_entries * 8);

  return result == 0 ? visit_table (self, offset, (guint64) n_entries * 8, count_l1) : result;
}

static int
count_refcounts (Check *self)
{
  Qcow2 *image = self->image;
  int result = count_range (self, image->header->refcount_offset,
                            (guint64) image->header->refcount_clusters << image->cluster_bits);

  for (guint i = 0; i < image->n_refcount_blocks && result == 0; i++)
    if (image->refcount_table[i])
      result = count_range (self, image->refcount_table[i], image->cluster_size);
  return result;
}

static int
count_all (Check *self)
{
  const VmmQcow2Header *header = self->image->header;
  int result = count_range (self, 0, self->image->cluster_size);

  if (result == 0)
    result = count_refcounts (self);
  if (result == 0)
    result = count_table (self, header->l1_offset, header->l1_size);
  if (result == 0)
    result = count_range (self, header->snapshots_offset, self->image->snapshots_length);
  for (guint i = 0; i < self->image->snapshots->len && result == 0; i++) {
    guint64 offset;
    guint n_entries;

    qcow2_get_snapshot_table (self->image, i, &offset, &n_entries);
    result = count_table (self, offset, n_entries);
  }
  return result;
}

/* Where a block is missing, what it should count is in its place. */
static int
mend_counts (Check *self)
{
  Qcow2 *image = self->image;
  int result = 0;

  for (guint64 i = 0; i < self->n && result == 0; i++) {
    guint64 count;

    result = qcow2_get_refcount (image, i, &count);
    if (result < 0 || count == self->counts[i])
      continue;
    if (self->counts[i] > 0 && count == 0)
      result = qcow2_has_refcount_block (image, i) ? 0 : -EUCLEAN;
    if (result == 0)
      result = qcow2_set_refcount (image, i, self->counts[i]);
  }
  return result;
}

/* Of the table being visited, by what is counted now. */
static int
mend_l2 (Check *self, guint8 *bytes, gsize length, guint64 offset)
{
  gboolean changed = FALSE;

  for (gsize at = 0; at + 8 <= length; at += 8) {
    guint64 entry = vmm_get_be64 (bytes + at), host = entry & QCOW2_OFFSET_MASK, right;

    if ((entry & QCOW2_FLAG_COMPRESSED) || host == 0)
      continue;
    right = entry & ~QCOW2_FLAG_COPIED;
    if (self->counts[host >> self->image->cluster_bits] == 1)
      right |= QCOW2_FLAG_COPIED;
    changed = changed || right != entry;
    vmm_put_be64 (bytes + at, right);
  }
  if (!changed)
    return 0;
  return vmm_host_file_write (self->image->parent.file, bytes, length, offset);
}

/* The flag of entries whose cluster no snapshot has. */
static int
mend_flags (Check *self)
{
  Qcow2 *image = self->image;
  int result = 0;

  for (guint i = 0; i < image->l1_size && result == 0; i++) {
    guint64 table = image->l1[i] & QCOW2_OFFSET_MASK, right = table;

    if (table == 0)
      continue;
    if (self->counts[table >> image->cluster_bits] == 1)
      right |= QCOW2_FLAG_COPIED;
    result = visit_l2 (self, table, mend_l2);
    if (result == 0 && image->l1[i] != right) {
      image->l1[i] = right;
      result =
        qcow2_write_table (image, image->l1, image->l1_size, image->header->l1_offset, i, i + 1);
    }
  }
  return result;
}

static int
check_and_mend (Check *self)
{
  int result = count_all (self);

  if (result == 0)
    result = mend_counts (self);
  if (result == 0)
    result = qcow2_save_refcounts (self->image);
  if (result == 0)
    result = mend_flags (self);
  return result == 0 ? vmm_host_file_sync (self->image->parent.file) : result;
}

gboolean
qcow2_repair (Qcow2 *self, GError **error)
{
  Check check = { .image = self };
  int result = -ENOMEM;

  check.n = ((self->file_end + self->cluster_size - 1) >> self->cluster_bits) + BEHIND_END;
  check.counts = g_try_malloc0_n (check.n, sizeof *check.counts);
  if (check.counts)
    result = check_and_mend (&check);
  g_free (check.counts);
  if (result == 0)
    return TRUE;
  if (result == -EUCLEAN)
    return vmm_block_fail (error, self->parent.file->path,
                           "is damaged: repair it with “qemu-img check -r all”, then try again");
  g_set_error (error, VMM_ERROR, VMM_ERROR_DISK,
               "The disk “%s” was not closed in order and cannot be put right: %s.",
               self->parent.file->path, g_strerror (-result));
  return FALSE;
}
