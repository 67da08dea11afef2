/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The two levels of tables from a guest offset to a place in the file. L2 tables are kept in
 * slices, as a table of 2 MiB would be much to read for one entry.
 *
 * Threads: as qcow2-private.h says.
 */
#include <errno.h>

#include "base/vmm-bytes.h"
#include "block/qcow2-private.h"

#define ENTRY_SHIFT 3

guint
qcow2_get_slice_entries (const Qcow2 *self)
{
  return self->slice_size >> ENTRY_SHIFT;
}

guint
qcow2_get_slice_index (const Qcow2 *self, guint64 offset)
{
  return (offset >> self->cluster_bits) & (qcow2_get_slice_entries (self) - 1);
}

guint64
qcow2_get_slice_left (const Qcow2 *self, guint64 offset)
{
  guint left = qcow2_get_slice_entries (self) - qcow2_get_slice_index (self, offset);

  return ((guint64) left << self->cluster_bits) - (offset & (self->cluster_size - 1));
}

guint64
qcow2_get_l1_index (const Qcow2 *self, guint64 offset)
{
  return offset >> (2 * self->cluster_bits - ENTRY_SHIFT);
}

static guint64
get_l1_entry (const Qcow2 *self, guint64 offset)
{
  guint64 index = qcow2_get_l1_index (self, offset);

  return index < self->l1_size ? self->l1[index] : 0;
}

/* Where in the file the slice with @offset's entry lies. */
static guint64
get_slice_offset (const Qcow2 *self, guint64 l1_entry, guint64 offset)
{
  guint64 at = (offset >> self->cluster_bits << ENTRY_SHIFT) & (self->cluster_size - 1);

  return (l1_entry & QCOW2_OFFSET_MASK) + (at & ~(guint64) (self->slice_size - 1));
}

static void
read_entry (const Qcow2 *self, guint64 entry, gboolean own, guint64 skip, Qcow2Run *run)
{
  guint64 host = entry & QCOW2_OFFSET_MASK;

  run->own = own && (entry & QCOW2_FLAG_COPIED);
  run->host = host ? host + skip : 0;
  if (entry & QCOW2_FLAG_COMPRESSED) {
    run->kind = QCOW2_COMPRESSED;
    run->host = entry;
  } else if (host & (self->cluster_size - 1)) {
    run->kind = QCOW2_BROKEN;
  } else if ((entry & QCOW2_FLAG_ZERO) && self->header->version >= 3) {
    run->kind = QCOW2_ZERO;
  } else {
    run->kind = host ? QCOW2_DATA : QCOW2_HOLE;
  }
}

static gboolean
continues (const Qcow2Run *run, const Qcow2Run *next)
{
  if (run->kind != next->kind || run->own != next->own || run->kind == QCOW2_COMPRESSED)
    return FALSE;
  return run->host ? next->host == run->host + run->length : next->host == 0;
}

/* As far as the clusters of one slice go on. */
static void
map_slice (const Qcow2 *self,
           const VmmTable *slice,
           gboolean own,
           guint64 offset,
           guint64 length,
           Qcow2Run *run)
{
  guint index = qcow2_get_slice_index (self, offset);
  guint64 skip = offset & (self->cluster_size - 1);
  Qcow2Run next;

  read_entry (self, vmm_get_be64 (slice->bytes + 8 * index), own, skip, run);
  run->length = MIN (length, self->cluster_size - skip);
  while (run->length < length && ++index < qcow2_get_slice_entries (self)) {
    read_entry (self, vmm_get_be64 (slice->bytes + 8 * index), own, 0, &next);
    if (!continues (run, &next))
      return;
    run->length += MIN (length - run->length, self->cluster_size);
  }
}

static void
map_part (Qcow2 *self, guint64 offset, guint64 length, Qcow2Run *run)
{
  guint64 entry = get_l1_entry (self, offset);
  const VmmTable *slice;

  *run =
    (Qcow2Run) { .kind = QCOW2_HOLE, .length = MIN (length, qcow2_get_slice_left (self, offset)) };
  if ((entry & QCOW2_OFFSET_MASK) == 0)
    return;
  slice = vmm_table_cache_find (self->l2, get_slice_offset (self, entry, offset));
  if (slice)
    map_slice (self, slice, (entry & QCOW2_FLAG_COPIED) != 0, offset, length, run);
  else
    run->kind = QCOW2_UNKNOWN;
}

void
qcow2_map (Qcow2 *self, guint64 offset, guint64 length, Qcow2Run *run)
{
  Qcow2Run next;

  map_part (self, offset, length, run);
  while (run->length < length) {
    map_part (self, offset + run->length, length - run->length, &next);
    if (!continues (run, &next))
      return;
    run->length += next.length;
  }
}

/* That what the guest may write in place is no table. Later changes keep it so. */
static gboolean
is_sound (Qcow2 *self, const guint8 *bytes)
{
  for (guint i = 0; i < qcow2_get_slice_entries (self); i++) {
    guint64 entry = vmm_get_be64 (bytes + 8 * i), host = entry & QCOW2_OFFSET_MASK;

    if (!(entry & QCOW2_FLAG_COMPRESSED) && host &&
        vmm_cluster_set_has (&self->metadata, host >> self->cluster_bits))
      return FALSE;
  }
  return TRUE;
}

/* The slice becomes part of what is in memory. */
static int
add_slice (Qcow2 *self, guint64 offset, guint8 *bytes, VmmTable **slice)
{
  VmmTable *added;

  if (!vmm_table_cache_has_room (self->l2)) {
    int result = qcow2_commit (self);

    if (result < 0) {
      vmm_table_free (bytes);
      return result;
    }
  }
  g_mutex_lock (&self->lock);
  added = vmm_table_cache_add (self->l2, offset, bytes);
  g_mutex_unlock (&self->lock);
  if (slice)
    *slice = added;
  return added ? 0 : -ENOMEM;
}

static int
load_slice (Qcow2 *self, guint64 l1_entry, guint64 offset, VmmTable **slice)
{
  guint64 table = l1_entry & QCOW2_OFFSET_MASK, at = get_slice_offset (self, l1_entry, offset);
  guint8 *bytes;
  int result;

  if ((table & (self->cluster_size - 1)) || at >= qcow2_get_end (self))
    return qcow2_found_corrupt (self, "an L2 table is out of place");
  bytes = vmm_table_alloc (self->slice_size);
  if (!bytes)
    return -ENOMEM;
  result = vmm_host_file_read (self->parent.file, bytes, self->slice_size, at);
  if (result == 0 && !is_sound (self, bytes))
    result = qcow2_found_corrupt (self, "a cluster of data is a table, too");
  if (result == 0)
    return add_slice (self, at, bytes, slice);
  vmm_table_free (bytes);
  return result;
}

int
qcow2_map_loaded (Qcow2 *self, guint64 offset, guint64 length, Qcow2Run *run)
{
  int result = 0;

  g_mutex_lock (&self->lock); /* a lookup notes when it was */
  qcow2_map (self, offset, length, run);
  g_mutex_unlock (&self->lock);
  if (run->kind != QCOW2_UNKNOWN)
    return 0;
  result = load_slice (self, get_l1_entry (self, offset), offset, NULL);
  if (result < 0)
    return result;
  g_mutex_lock (&self->lock);
  qcow2_map (self, offset, MIN (length, qcow2_get_slice_left (self, offset)), run);
  g_mutex_unlock (&self->lock);
  return run->kind == QCOW2_UNKNOWN ? -EIO : 0;
}

/* What a snapshot has too is not to be written in place. */
static void
disown_entries (Qcow2 *self, guint8 *bytes)
{
  for (guint64 i = 0; i < self->cluster_size / 8; i++)
    vmm_put_be64 (bytes + 8 * i, vmm_get_be64 (bytes + 8 * i) & ~QCOW2_FLAG_COPIED);
}

/* A new table, a copy of the @old one if there is one, in a cluster of its own. */
static int
write_new_table (Qcow2 *self, guint64 old, guint64 *cluster)
{
  guint8 *bytes = vmm_table_alloc (self->cluster_size);
  gint64 result = bytes ? 0 : -ENOMEM;

  if (result == 0 && old)
    result = vmm_host_file_read (self->parent.file, bytes, self->cluster_size, old);
  if (result == 0 && old)
    disown_entries (self, bytes);
  if (result == 0)
    result = qcow2_allocate (self, 1, cluster);
  if (result > 0) {
    result = qcow2_write_new (self, bytes, self->cluster_size, *cluster << self->cluster_bits);
    if (result == 0 && vmm_cluster_set_add (&self->metadata, *cluster) < 0)
      result = -ENOMEM;
    if (result < 0)
      qcow2_free_now (self, *cluster, 1);
  }
  vmm_table_free (bytes);
  return result;
}

static int
make_table (Qcow2 *self, guint64 index, guint64 old_entry)
{
  guint64 old = old_entry & QCOW2_OFFSET_MASK, cluster;
  int result = write_new_table (self, old, &cluster);

  if (result < 0)
    return result;
  g_mutex_lock (&self->lock);
  self->l1[index] = cluster << self->cluster_bits | QCOW2_FLAG_COPIED;
  self->unsaved = TRUE;
  g_mutex_unlock (&self->lock);
  self->l1_dirty_from = MIN (self->l1_dirty_from, index);
  self->l1_dirty_to = MAX (self->l1_dirty_to, index + 1);
  if (old)
    qcow2_free_later (self, old >> self->cluster_bits, 1);
  return 0;
}

int
qcow2_get_writable_slice (Qcow2 *self, guint64 offset, VmmTable **slice)
{
  guint64 index = qcow2_get_l1_index (self, offset);
  guint64 at;
  int result = qcow2_mark_dirty (self);

  if (result < 0)
    return result;
  if (index >= self->l1_size)
    return -EIO;
  if ((self->l1[index] & QCOW2_OFFSET_MASK) & (self->cluster_size - 1))
    return qcow2_found_corrupt (self, "an L2 table is out of place");
  if (!(self->l1[index] & QCOW2_FLAG_COPIED) || (self->l1[index] & QCOW2_OFFSET_MASK) == 0) {
    result = make_table (self, index, self->l1[index]);
    if (result < 0)
      return result;
  }
  at = get_slice_offset (self, self->l1[index], offset);
  g_mutex_lock (&self->lock);
  *slice = vmm_table_cache_find (self->l2, at);
  g_mutex_unlock (&self->lock);
  return *slice ? 0 : load_slice (self, self->l1[index], offset, slice);
}
