/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Larger tables, in new places. A new table is used in memory at once; the header names it in one
 * write, after all of it is durable, and the old one is free after that.
 *
 * Threads: worker.
 */
#include <errno.h>
#include <string.h>

#include "base/vmm-bytes.h"
#include "block/qcow2-private.h"

#define MAX_REFCOUNT_BYTES (8u << 20)
#define MAX_L1_BYTES       (32u << 20)

static guint64
divide_up (guint64 number, guint64 by)
{
  return number / by + (number % by != 0);
}

int
qcow2_write_header (Qcow2 *self, const guint8 *bytes, gsize length, guint64 offset)
{
  int result = vmm_host_file_sync (self->parent.file);

  if (result == 0)
    result = vmm_host_file_write (self->parent.file, bytes, length, offset);
  return result == 0 ? vmm_host_file_sync (self->parent.file) : result;
}

/* All or none. */
static int
note_metadata (Qcow2 *self, guint64 first, guint64 n)
{
  for (guint64 i = 0; i < n; i++) {
    if (vmm_cluster_set_add (&self->metadata, first + i) >= 0)
      continue;
    while (i-- > 0)
      vmm_cluster_set_remove (&self->metadata, first + i);
    return -ENOMEM;
  }
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

/* New clusters in a row, and before them the blocks that count all of these, behind all that was
 * counted before. */
typedef struct {
  guint64 block; /* the first of the blocks, in the table of them */
  guint64 first; /* its cluster */
  guint64 n_blocks;
  guint64 n_clusters;
} Layout;

static void
lay_out (Qcow2 *self, guint64 block, guint64 n_clusters, Layout *layout)
{
  guint64 per_block = G_GUINT64_CONSTANT (1) << qcow2_get_block_bits (self), before;

  *layout = (Layout) { block, block * per_block, 1, n_clusters };
  do {
    before = layout->n_blocks;
    layout->n_blocks = divide_up (before + n_clusters, per_block);
  } while (layout->n_blocks > before);
}

/* Clusters of a new table of counts with room for @n_needed blocks and those that it needs itself.
 */
static guint64
lay_out_table (Qcow2 *self, guint64 n_needed, Layout *layout)
{
  guint64 n_clusters = 0, n;

  layout->n_blocks = 1;
  do {
    n = MAX (n_needed, self->n_refcount_blocks + layout->n_blocks);
    n_clusters = divide_up ((n + n / 2) * 8, self->cluster_size);
    lay_out (self, self->n_refcount_blocks, n_clusters, layout);
  } while (self->n_refcount_blocks + layout->n_blocks > n);
  return n_clusters * self->cluster_size / 8;
}

static gboolean
has_place (Qcow2 *self, const Layout *layout)
{
  return layout->first + layout->n_blocks + layout->n_clusters < VMM_QCOW2_MAX_OFFSET >>
         self->cluster_bits;
}

/* A block with the counts of the new clusters among those that it stands for. */
static void
fill_block (Qcow2 *self, const Layout *layout, guint64 block, guint8 *bytes)
{
  guint64 per_block = G_GUINT64_CONSTANT (1) << qcow2_get_block_bits (self);
  guint64 n = layout->n_blocks + layout->n_clusters, first = block * per_block;

  memset (bytes, 0, self->cluster_size);
  for (guint64 i = 0; i < per_block && first + i < n; i++)
    qcow2_put_count (bytes, self->header->refcount_order, i, 1);
}

/* On disk, and named by the table. */
static int
write_blocks (Qcow2 *self, const Layout *layout, guint64 *table)
{
  guint8 *bytes = vmm_table_alloc (self->cluster_size);
  int result = bytes ? 0 : -ENOMEM;

  for (guint64 i = 0; i < layout->n_blocks && result == 0; i++) {
    guint64 offset = (layout->first + i) << self->cluster_bits;

    fill_block (self, layout, i, bytes);
    result = qcow2_write_new (self, bytes, self->cluster_size, offset);
    table[layout->block + i] = offset;
  }
  vmm_table_free (bytes);
  return result;
}

/* The new table in place of the old one, in memory; on disk it is written whole next. */
static void
adopt_refcount_table (Qcow2 *self, const Layout *layout, guint64 *table, guint64 n_entries)
{
  VmmQcow2Header *header = self->header;

  self->refcount_move.pending = TRUE;
  self->refcount_move.old =
    (Qcow2Range) { header->refcount_offset >> self->cluster_bits, header->refcount_clusters };
  g_free (self->refcount_table);
  self->refcount_table = table;
  self->n_refcount_blocks = n_entries;
  self->refcounts_dirty_from = 0;
  self->refcounts_dirty_to = n_entries;
  header->refcount_offset = (layout->first + layout->n_blocks) << self->cluster_bits;
  header->refcount_clusters = layout->n_clusters;
}

/* Where saving fails the header on disk names the old table still: it is saved again before
 * anything else is. */
int
qcow2_grow_refcount_table (Qcow2 *self, guint64 n_needed)
{
  Layout layout;
  guint64 *table, n_entries;
  int result = self->refcount_move.pending ? qcow2_save_refcounts (self) : 0;

  if (result < 0)
    return result;
  n_entries = lay_out_table (self, n_needed, &layout);
  if (n_entries * 8 > MAX_REFCOUNT_BYTES || !has_place (self, &layout))
    return -EFBIG;
  table = copy_table (self->refcount_table, self->n_refcount_blocks, n_entries);
  if (!table)
    return -ENOMEM;
  result = write_blocks (self, &layout, table);
  if (result == 0)
    result = note_metadata (self, layout.first, layout.n_blocks + layout.n_clusters);
  if (result < 0) {
    g_free (table);
    return result;
  }
  adopt_refcount_table (self, &layout, table, n_entries);
  return qcow2_save_refcounts (self);
}

/* Behind the last block that there is. */
static guint64
find_end_of_blocks (Qcow2 *self)
{
  guint64 n = self->n_refcount_blocks;

  while (n > 0 && self->refcount_table[n - 1] == 0)
    n--;
  return n;
}

static void
forget_blocks (Qcow2 *self, const Layout *layout)
{
  for (guint64 i = 0; i < layout->n_blocks; i++) {
    self->refcount_table[layout->block + i] = 0;
    vmm_cluster_set_remove (&self->metadata, layout->first + i);
  }
}

int
qcow2_allocate_behind (Qcow2 *self, guint64 n, guint64 *first)
{
  Layout layout;
  int result;

  lay_out (self, find_end_of_blocks (self), n, &layout);
  if (layout.block + layout.n_blocks > self->n_refcount_blocks) {
    result = qcow2_grow_refcount_table (self, layout.block + 2 * layout.n_blocks);
    if (result < 0)
      return result;
    lay_out (self, find_end_of_blocks (self), n, &layout);
  }
  if (layout.block + layout.n_blocks > self->n_refcount_blocks || !has_place (self, &layout))
    return -EFBIG;
  result = note_metadata (self, layout.first, layout.n_blocks);
  if (result < 0)
    return result;
  result = write_blocks (self, &layout, self->refcount_table);
  if (result < 0) {
    forget_blocks (self, &layout);
    return result;
  }
  self->refcounts_dirty_from = MIN (self->refcounts_dirty_from, layout.block);
  self->refcounts_dirty_to = MAX (self->refcounts_dirty_to, layout.block + layout.n_blocks);
  *first = layout.first + layout.n_blocks;
  return 0;
}

int
qcow2_finish_refcount_move (Qcow2 *self)
{
  guint8 bytes[12];
  int result;

  if (!self->refcount_move.pending)
    return 0;
  vmm_put_be64 (bytes, self->header->refcount_offset);
  vmm_put_be32 (bytes + 8, self->header->refcount_clusters);
  result = qcow2_write_header (self, bytes, sizeof bytes, VMM_QCOW2_AT_REFCOUNTS);
  if (result < 0)
    return result;
  self->refcount_move.pending = FALSE;
  return qcow2_free_now (self, self->refcount_move.old.first, self->refcount_move.old.n);
}

static void
adopt_l1 (Qcow2 *self, guint64 first, guint64 n_entries, guint64 *table)
{
  self->l1_move.pending = TRUE;
  self->l1_move.old = (Qcow2Range) { self->header->l1_offset >> self->cluster_bits,
                                     divide_up ((guint64) self->l1_size * 8, self->cluster_size) };
  g_mutex_lock (&self->lock);
  g_free (self->l1);
  self->l1 = table;
  self->l1_size = n_entries;
  self->unsaved = TRUE;
  g_mutex_unlock (&self->lock);
  self->l1_dirty_from = 0;
  self->l1_dirty_to = n_entries;
  self->header->l1_size = n_entries;
  self->header->l1_offset = first << self->cluster_bits;
}

int
qcow2_grow_l1 (Qcow2 *self, guint64 n_entries)
{
  guint64 n_clusters = divide_up (n_entries * 8, self->cluster_size), first;
  guint64 *table;
  int result = self->l1_move.pending ? qcow2_commit (self) : 0;

  if (result < 0 || n_entries <= self->l1_size)
    return result;
  if (n_entries * 8 > MAX_L1_BYTES)
    return -EFBIG;
  result = qcow2_allocate_row (self, n_clusters, &first);
  if (result < 0)
    return result;
  table = copy_table (self->l1, self->l1_size, n_entries);
  result = table ? note_metadata (self, first, n_clusters) : -ENOMEM;
  if (result < 0) {
    g_free (table);
    qcow2_free_now (self, first, n_clusters);
    return result;
  }
  adopt_l1 (self, first, n_entries, table);
  return qcow2_commit (self);
}

int
qcow2_finish_l1_move (Qcow2 *self)
{
  guint8 bytes[12];
  int result;

  if (!self->l1_move.pending)
    return 0;
  vmm_put_be32 (bytes, self->header->l1_size);
  vmm_put_be64 (bytes + 4, self->header->l1_offset);
  result = qcow2_write_header (self, bytes, sizeof bytes, VMM_QCOW2_AT_L1);
  if (result < 0)
    return result;
  self->l1_move.pending = FALSE;
  qcow2_free_later (self, self->l1_move.old.first, self->l1_move.old.n);
  return 0;
}
