/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Larger tables, in new places, and larger disks. The header names the new table in one write,
 * after all of it is durable; the old one is free after that.
 *
 * Threads: worker; qcow2_resize: control.
 */
#include <errno.h>
#include <string.h>

#include "base/vmm-bytes.h"
#include "block/qcow2-private.h"
#include "vmm-error.h"

#define MAX_REFCOUNT_BYTES (8u << 20)
#define MAX_L1_BYTES       (32u << 20)

static guint64
divide_up (guint64 number, guint64 by)
{
  return number / by + (number % by != 0);
}

static int
write_header (Qcow2 *self, const guint8 *bytes, gsize length, guint64 offset)
{
  int result = vmm_host_file_sync (self->parent.file);

  if (result == 0)
    result = vmm_host_file_write (self->parent.file, bytes, length, offset);
  return result == 0 ? vmm_host_file_sync (self->parent.file) : result;
}

static int
note_metadata (Qcow2 *self, guint64 first, guint64 n)
{
  for (guint64 i = 0; i < n; i++)
    if (vmm_cluster_set_add (&self->metadata, first + i) < 0)
      return -ENOMEM;
  return 0;
}

/* A table of @n_new entries, the first @n_old as they were. NULL where memory lacks. */
static guint64 *
copy_table (const guint64 *old, guint n_old, guint64 n_new)
{
  guint64 *new = g_try_new0 (guint64, n_new);

  if (new)
    memcpy (new, old, n_old * sizeof *new);
  return new;
}

/* The new table's clusters and the blocks that count both lie behind all that the old one could
 * count: blocks first. */
typedef struct {
  guint64 first;                 /* cluster */
  guint64 n_blocks;              /* of counts */
  guint64 n_clusters, n_entries; /* of the table */
} Layout;

static gboolean
lay_out (Qcow2 *self, guint64 n_needed, Layout *layout)
{
  guint64 per_block = G_GUINT64_CONSTANT (1) << qcow2_get_block_bits (self);
  guint64 per_cluster = self->cluster_size / 8, before;

  layout->first = self->n_refcount_blocks * per_block;
  layout->n_blocks = 1;
  do {
    before = layout->n_blocks;
    layout->n_entries = MAX (n_needed, self->n_refcount_blocks + layout->n_blocks);
    layout->n_entries += layout->n_entries / 2;
    layout->n_clusters = divide_up (layout->n_entries, per_cluster);
    layout->n_entries = layout->n_clusters * per_cluster;
    layout->n_blocks = divide_up (layout->n_blocks + layout->n_clusters, per_block);
  } while (layout->n_blocks > before);
  layout->n_blocks = before;
  return layout->n_entries * 8 <= MAX_REFCOUNT_BYTES &&
         layout->first + before + layout->n_clusters < VMM_QCOW2_MAX_OFFSET >> self->cluster_bits;
}

/* Blocks of zeroes on disk, named by the table. */
static int
write_blocks (Qcow2 *self, const Layout *layout, guint64 *table)
{
  guint8 *bytes = vmm_table_alloc (self->cluster_size);
  int result = bytes ? 0 : -ENOMEM;

  for (guint64 i = 0; i < layout->n_blocks && result == 0; i++) {
    guint64 offset = (layout->first + i) << self->cluster_bits;

    result = qcow2_write_new (self, bytes, self->cluster_size, offset);
    table[self->n_refcount_blocks + i] = offset;
  }
  vmm_table_free (bytes);
  return result;
}

/* The new table in place of the old one, in memory. */
static void
adopt_refcount_table (Qcow2 *self, const Layout *layout, guint64 *table)
{
  g_free (self->refcount_table);
  self->refcount_table = table;
  self->n_refcount_blocks = layout->n_entries;
  self->header->refcount_offset = (layout->first + layout->n_blocks) << self->cluster_bits;
  self->header->refcount_clusters = layout->n_clusters;
}

static int
switch_refcount_table (Qcow2 *self, const Layout *layout)
{
  guint8 bytes[12];

  vmm_put_be64 (bytes, self->header->refcount_offset);
  vmm_put_be32 (bytes + 8, self->header->refcount_clusters);
  return write_header (self, bytes, sizeof bytes, VMM_QCOW2_AT_REFCOUNTS);
}

static int
count_new_clusters (Qcow2 *self, const Layout *layout)
{
  guint64 n = layout->n_blocks + layout->n_clusters;
  int result = 0;

  for (guint64 i = 0; i < n && result == 0; i++)
    result = qcow2_set_refcount (self, layout->first + i, 1);
  return result == 0 ? note_metadata (self, layout->first, n) : result;
}

/* Where it fails midway the old table stays the one on disk, and the new one in memory is written
 * whole by whoever saves counts next: both say the same of all clusters in use. */
int
qcow2_grow_refcount_table (Qcow2 *self, guint64 n_needed)
{
  guint64 old = self->header->refcount_offset >> self->cluster_bits;
  guint64 n_old = self->header->refcount_clusters;
  Layout layout;
  guint64 *table;
  int result;

  if (!lay_out (self, n_needed, &layout))
    return -EFBIG;
  table = copy_table (self->refcount_table, self->n_refcount_blocks, layout.n_entries);
  if (!table)
    return -ENOMEM;
  result = write_blocks (self, &layout, table);
  if (result == 0)
    result = qcow2_write_table (self, table, layout.n_entries,
                                (layout.first + layout.n_blocks) << self->cluster_bits, 0,
                                layout.n_entries);
  if (result < 0) {
    g_free (table);
    return result;
  }
  adopt_refcount_table (self, &layout, table);
  result = count_new_clusters (self, &layout);
  if (result == 0)
    result = qcow2_save_refcounts (self);
  if (result == 0)
    result = switch_refcount_table (self, &layout);
  return result == 0 ? qcow2_free_now (self, old, n_old) : result;
}

static int
write_l1 (Qcow2 *self, const guint64 *table, guint n, guint64 cluster)
{
  guint8 bytes[12];
  int result = qcow2_commit (self);

  if (result == 0)
    result = qcow2_save_refcounts (self);
  if (result == 0)
    result = qcow2_write_table (self, table, n, cluster << self->cluster_bits, 0, n);
  vmm_put_be32 (bytes, n);
  vmm_put_be64 (bytes + 4, cluster << self->cluster_bits);
  return result == 0 ? write_header (self, bytes, sizeof bytes, VMM_QCOW2_AT_L1) : result;
}

/* The commit before has written the old table for the last time. */
int
qcow2_grow_l1 (Qcow2 *self, guint64 n_entries)
{
  guint64 old = self->header->l1_offset >> self->cluster_bits;
  guint64 n_old = divide_up ((guint64) self->l1_size * 8, self->cluster_size);
  guint64 n_clusters = divide_up (n_entries * 8, self->cluster_size), first;
  guint64 *table;
  int result;

  if (n_entries <= self->l1_size)
    return 0;
  if (n_entries * 8 > MAX_L1_BYTES)
    return -EFBIG;
  result = qcow2_allocate_row (self, n_clusters, &first);
  if (result < 0)
    return result;
  table = copy_table (self->l1, self->l1_size, n_entries);
  result = table ? write_l1 (self, table, n_entries, first) : -ENOMEM;
  if (result == 0)
    result = note_metadata (self, first, n_clusters);
  if (result < 0) {
    g_free (table);
    qcow2_free_later (self, first, n_clusters); /* the header may name it already */
    return result;
  }
  g_mutex_lock (&self->lock);
  g_free (self->l1);
  self->l1 = table;
  self->l1_size = n_entries;
  g_mutex_unlock (&self->lock);
  self->header->l1_size = n_entries;
  self->header->l1_offset = first << self->cluster_bits;
  return n_old > 0 ? qcow2_free_now (self, old, n_old) : 0;
}

/* What the guest has never seen is zero: neither the backing image's bytes nor what is left in the
 * last cluster. */
static int
clear_behind (Qcow2 *self, guint64 size)
{
  guint64 end = (self->parent.size + self->cluster_size - 1) & ~(self->cluster_size - 1);
  VmmBlockRequest request = { .op = VMM_BLOCK_WRITE_ZEROES, .offset = self->parent.size };

  if (self->backing)
    end = MAX (end, vmm_block_get_size (self->backing));
  end = MIN (end, size);
  request.length = end - MIN (request.offset, end);
  return qcow2_write_zeroes (self, &request);
}

/* Worker. */
static int
grow (Qcow2 *self, gpointer data)
{
  guint64 size = *(guint64 *) data;
  guint8 bytes[8];
  int result = self->corrupt ? -EUCLEAN : 0;

  if (result == 0)
    result = qcow2_grow_l1 (self, qcow2_get_l1_index (self, size - 1) + 1);
  if (result == 0)
    result = clear_behind (self, size);
  if (result == 0)
    result = qcow2_commit (self);
  vmm_put_be64 (bytes, size);
  if (result == 0)
    result = write_header (self, bytes, sizeof bytes, VMM_QCOW2_AT_SIZE);
  if (result == 0)
    __atomic_store_n (&self->parent.size, size, __ATOMIC_RELEASE);
  return result;
}

gboolean
qcow2_resize (VmmBlock *block, guint64 size, GError **error)
{
  Qcow2 *self = (Qcow2 *) block;
  int result;

  if (self->header->version < 3 && self->snapshots->len > 0)
    return vmm_block_fail (error, block->file->path,
                           "has snapshots that do not know their size, and so keeps its own: "
                           "“qemu-img amend -o compat=1.1” makes it a newer image");
  result = qcow2_call_worker (self, grow, &size);
  if (result == 0)
    return TRUE;
  g_set_error (
    error, VMM_ERROR, VMM_ERROR_DISK, "The disk “%s” cannot grow: %s.", block->file->path,
    result == -EFBIG ? "its format has no room for so large a disk" : g_strerror (-result));
  return FALSE;
}
