/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A qcow2 image's life: its header and tables are read and checked, its backing image opened; at
 * the end what changed is written and the image marked as closed in order.
 *
 * Threads: control.
 */
#include <errno.h>
#include <string.h>

#include "base/vmm-bytes.h"
#include "block/qcow2-private.h"
#include "vmm-error.h"

#define SLICE          4096u
#define L2_BYTES       (8u << 20) /* of L2 tables in memory, at most: 64 GiB of 64 KiB clusters */
#define REFCOUNT_BYTES (256u << 10)

static gboolean
fail (Qcow2 *self, int result, const char *what, GError **error)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_DISK, "The %s of the disk “%s” cannot be read: %s.",
               what, self->parent.file->path, g_strerror (-result));
  return FALSE;
}

static gboolean
refuse_damaged (Qcow2 *self, GError **error)
{
  return vmm_block_fail (error, self->parent.file->path,
                         "is damaged: repair it with “qemu-img check -r all”, then try again");
}

static gboolean
read_header (Qcow2 *self, GError **error)
{
  VmmHostFile *file = self->parent.file;
  guint8 first[VMM_QCOW2_MIN_HEADER];
  guint8 *bytes;
  int result = vmm_host_file_read (file, first, sizeof first, 0);

  if (result == 0 && !vmm_qcow2_is_header (first))
    return vmm_block_fail (error, file->path, "is no qcow2 image, or one of an unknown version");
  if (result < 0)
    return fail (self, result, "header", error);
  self->cluster_size = vmm_qcow2_get_cluster_size (first);
  bytes = vmm_table_alloc (self->cluster_size);
  result = bytes ? vmm_host_file_read (file, bytes, self->cluster_size, 0) : -ENOMEM;
  if (result == 0)
    self->header = vmm_qcow2_header_parse (file->path, bytes, self->parent.readonly, error);
  vmm_table_free (bytes);
  return result == 0 ? self->header != NULL : fail (self, result, "header", error);
}

/* NULL where memory lacks or the disk fails. */
static guint64 *
read_table (Qcow2 *self, guint64 offset, guint n, const char *what, GError **error)
{
  guint64 *table = g_try_new0 (guint64, MAX (n, 1));
  int result =
    table ? vmm_host_file_read (self->parent.file, table, n * sizeof *table, offset) : -ENOMEM;

  if (result < 0) {
    fail (self, result, what, error);
    g_free (table);
    return NULL;
  }
  for (guint i = 0; i < n; i++)
    table[i] = GUINT64_FROM_BE (table[i]);
  return table;
}

static gboolean
read_tables (Qcow2 *self, GError **error)
{
  const VmmQcow2Header *header = self->header;

  self->l1_size = header->l1_size;
  self->l1 = read_table (self, header->l1_offset, header->l1_size, "L1 table", error);
  if (!self->l1)
    return FALSE;
  self->snapshots = qcow2_read_snapshots (self, error);
  if (!self->snapshots)
    return FALSE;
  if (self->parent.readonly)
    return TRUE;
  self->n_refcount_blocks = (guint64) header->refcount_clusters * self->cluster_size / 8;
  self->refcount_table = read_table (self, header->refcount_offset, self->n_refcount_blocks,
                                     "table of reference counts", error);
  return self->refcount_table != NULL;
}

/* 1 where none of them was known before. */
static int
add_metadata (Qcow2 *self, guint64 offset, guint64 length)
{
  guint64 last = (offset + length - 1) >> self->cluster_bits;
  int result = 1;

  if (length == 0)
    return 1;
  if ((offset & (self->cluster_size - 1)) || offset >= VMM_QCOW2_MAX_OFFSET)
    return 0;
  for (guint64 i = offset >> self->cluster_bits; i <= last && result == 1; i++)
    result = vmm_cluster_set_add (&self->metadata, i);
  return result;
}

static int
collect_metadata (Qcow2 *self)
{
  const VmmQcow2Header *header = self->header;
  int result = add_metadata (self, 0, self->cluster_size);

  if (result == 1)
    result = add_metadata (self, header->l1_offset, (guint64) header->l1_size * 8);
  if (result == 1)
    result = add_metadata (self, header->refcount_offset,
                           (guint64) header->refcount_clusters << self->cluster_bits);
  if (result == 1)
    result = add_metadata (self, header->snapshots_offset, self->snapshots_length);
  for (guint i = 0; i < self->snapshots->len && result == 1; i++) {
    guint64 offset;
    guint n;

    qcow2_get_snapshot_table (self, i, &offset, &n);
    result = add_metadata (self, offset, (guint64) n * 8);
  }
  for (guint i = 0; i < self->n_refcount_blocks && result == 1; i++)
    if (self->refcount_table[i])
      result = add_metadata (self, self->refcount_table[i], self->cluster_size);
  for (guint i = 0; i < self->l1_size && result == 1; i++)
    if (self->l1[i] & QCOW2_OFFSET_MASK)
      result = add_metadata (self, self->l1[i] & QCOW2_OFFSET_MASK, self->cluster_size);
  return result;
}

static gboolean
know_metadata (Qcow2 *self, GError **error)
{
  int result = collect_metadata (self);

  if (result == 0)
    return refuse_damaged (self, error);
  return result > 0 || fail (self, result, "tables", error);
}

/* What programs keep in an image that must not outlive a change by one that does not know it, such
 * as bitmaps of what changed since a backup. */
static int
drop_autoclear (Qcow2 *self)
{
  guint8 *bytes = vmm_table_alloc (self->cluster_size);
  guint at = self->header->bitmaps_offset, n = self->header->bitmaps_length;
  int result =
    bytes ? vmm_host_file_read (self->parent.file, bytes, self->cluster_size, 0) : -ENOMEM;

  if (result == 0) {
    vmm_put_be64 (bytes + VMM_QCOW2_AT_AUTOCLEAR, 0);
    if (at > 0 && at + n <= self->header->extensions_end) {
      memmove (bytes + at, bytes + at + n, self->header->extensions_end - at - n);
      memset (bytes + self->header->extensions_end - n, 0, n);
    }
    result = vmm_host_file_write (self->parent.file, bytes, self->cluster_size, 0);
  }
  vmm_table_free (bytes);
  return result == 0 ? vmm_host_file_sync (self->parent.file) : result;
}

/* Its clusters are looked through where it was not closed in order. */
static gboolean
make_writable (Qcow2 *self, GError **error)
{
  VmmQcow2Header *header = self->header;
  gboolean clear = header->autoclear != 0 || header->bitmaps_offset > 0;
  gboolean check = header->version < 3 || (header->incompatible & VMM_QCOW2_DIRTY);
  int result;

  if (!know_metadata (self, error))
    return FALSE;
  if (clear && header->version >= 3) {
    result = qcow2_mark_dirty (self);
    if (result == 0)
      result = drop_autoclear (self);
    if (result < 0)
      return fail (self, result, "header", error);
    header->autoclear = header->bitmaps_offset = 0;
    check = TRUE;
  }
  if (!check)
    return TRUE;
  self->marked = TRUE;
  return qcow2_repair (self, error);
}

static void
qcow2_free (Qcow2 *self)
{
  if (self->worker)
    g_thread_pool_free (self->worker, FALSE, TRUE);
  g_clear_pointer (&self->backing, vmm_block_close);
  g_clear_pointer (&self->header, vmm_qcow2_header_free);
  g_clear_pointer (&self->snapshots, g_ptr_array_unref);
  vmm_table_cache_free (self->l2);
  vmm_table_cache_free (self->refcounts);
  vmm_cluster_set_clear (&self->metadata);
  vmm_table_free (self->unpacked);
  qcow2_free_parts (self);
  g_array_unref (self->frees);
  g_free (self->l1);
  g_free (self->refcount_table);
  g_cond_clear (&self->idle);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static void
qcow2_close (VmmBlock *block)
{
  Qcow2 *self = (Qcow2 *) block;
  int result = 0;

  if (self->worker) {
    g_thread_pool_free (self->worker, FALSE, TRUE);
    self->worker = NULL;
  }
  if (self->marked)
    result = qcow2_mark_clean (self);
  if (result < 0 && result != -EUCLEAN)
    g_message ("The disk “%s” could not be closed in order: %s", block->file->path,
               g_strerror (-result));
  qcow2_free (self);
}

static const GPtrArray *
qcow2_get_snapshots (VmmBlock *block)
{
  return ((Qcow2 *) block)->snapshots;
}

static const VmmBlockClass qcow2_class = {
  .name = "qcow2",
  .close = qcow2_close,
  .submit = qcow2_submit,
  .kick = qcow2_kick,
  .resize = qcow2_resize,
  .get_snapshots = qcow2_get_snapshots,
};

static Qcow2 *
qcow2_new (VmmHostFile *file, const VmmBlockOptions *options)
{
  Qcow2 *self = g_new0 (Qcow2, 1);

  vmm_block_init (&self->parent, &qcow2_class, file, options);
  self->file_end = file->size;
  self->spare = g_ptr_array_new ();
  self->frees = g_array_new (FALSE, FALSE, sizeof (Qcow2Range));
  self->l1_dirty_from = self->refcounts_dirty_from = G_MAXUINT;
  self->l2 = vmm_table_cache_new (L2_BYTES / SLICE);
  self->refcounts = vmm_table_cache_new (REFCOUNT_BYTES / SLICE);
  g_mutex_init (&self->lock);
  g_cond_init (&self->idle);
  return self;
}

static gboolean
open_all (Qcow2 *self, const VmmBlockOptions *options, const VmmBlockChain *chain, GError **error)
{
  if (!read_header (self, error))
    return FALSE;
  self->cluster_bits = self->header->cluster_bits;
  self->slice_size = MIN (self->cluster_size, SLICE);
  if (options->direct && self->cluster_size >= SLICE) /* else tables and data share pages */
    vmm_host_file_go_direct (self->parent.file);
  self->parent.size = self->header->size;
  self->parent.cluster_size = self->cluster_size;
  return read_tables (self, error) && qcow2_open_backing (self, options, chain, error) &&
         (self->parent.readonly || make_writable (self, error));
}

VmmBlock *
vmm_qcow2_open (VmmHostFile *file,
                const VmmBlockOptions *options,
                const VmmBlockChain *chain,
                GError **error)
{
  Qcow2 *self = qcow2_new (file, options);

  if (open_all (self, options, chain, error))
    return &self->parent;
  qcow2_free (self);
  return NULL;
}
