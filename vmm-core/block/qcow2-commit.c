/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How changed tables get to disk. Nothing on disk may ever refer to what is not there yet, so:
 *
 *   counts, all data, and new L2 tables as they were made     durable
 *   then changes of L2 tables and of the L1 table             durable
 *   then clusters that none of them refers to any more        free
 *
 * A power cut between two of these leaves clusters that are counted and not used. The dirty bit,
 * set before the first change, makes the next program that opens the image look for them.
 *
 * Threads: worker.
 */
#include <errno.h>

#include "base/vmm-bytes.h"
#include "block/qcow2-private.h"

static int
write_dirty (Qcow2 *self, VmmTableCache *cache)
{
  guint position = 0;
  VmmTable *table;
  int result = 0;

  while (result == 0 && (table = vmm_table_cache_next_dirty (cache, &position)))
    result = qcow2_write_new (self, table->bytes, self->slice_size, table->offset);
  return result;
}

/* What was written counts as saved only now, that it is durable: where that fails, all of it is
 * written once more. */
static void
clear_dirty (VmmTableCache *cache)
{
  guint position = 0;
  VmmTable *table;

  while ((table = vmm_table_cache_next_dirty (cache, &position)))
    table->dirty = FALSE;
}

int
qcow2_write_table (Qcow2 *self, const guint64 *table, guint n, guint64 offset, guint from, guint to)
{
  guint per_slice = self->slice_size / sizeof *table;
  guint8 *bytes = vmm_table_alloc (self->slice_size);
  int result = bytes ? 0 : -ENOMEM;

  for (guint at = from - from % per_slice; at < to && result == 0; at += per_slice) {
    for (guint i = 0; i < per_slice; i++)
      vmm_put_be64 (bytes + 8 * i, at + i < n ? table[at + i] : 0);
    result = qcow2_write_new (self, bytes, self->slice_size, offset + (guint64) at * 8);
  }
  vmm_table_free (bytes);
  return result;
}

static int
save_refcount_table (Qcow2 *self)
{
  int result;

  if (self->refcounts_dirty_from >= self->refcounts_dirty_to)
    return qcow2_finish_refcount_move (self);
  result = qcow2_write_table (self, self->refcount_table, self->n_refcount_blocks,
                              self->header->refcount_offset, self->refcounts_dirty_from,
                              self->refcounts_dirty_to);
  if (result == 0)
    result = vmm_host_file_sync (self->parent.file);
  if (result < 0)
    return result;
  self->refcounts_dirty_from = G_MAXUINT;
  self->refcounts_dirty_to = 0;
  return qcow2_finish_refcount_move (self);
}

int
qcow2_save_refcounts (Qcow2 *self)
{
  int result = write_dirty (self, self->refcounts);

  if (result == 0)
    result = vmm_host_file_sync (self->parent.file);
  if (result < 0)
    return result;
  clear_dirty (self->refcounts);
  return save_refcount_table (self);
}

static int
save_l1 (Qcow2 *self)
{
  int result;

  if (self->l1_dirty_from >= self->l1_dirty_to)
    return 0;
  result = qcow2_write_table (self, self->l1, self->l1_size, self->header->l1_offset,
                              self->l1_dirty_from, self->l1_dirty_to);
  return result == 0 ? qcow2_finish_l1_move (self) : result;
}

static int
save_tables (Qcow2 *self)
{
  int result = write_dirty (self, self->l2);

  if (result == 0)
    result = save_l1 (self);
  if (result == 0)
    result = vmm_host_file_sync (self->parent.file);
  if (result < 0)
    return result;
  g_mutex_lock (&self->lock);
  clear_dirty (self->l2);
  self->unsaved = FALSE;
  g_mutex_unlock (&self->lock);
  self->l1_dirty_from = G_MAXUINT;
  self->l1_dirty_to = 0;
  return 0;
}

/* Until every request is done that may have been sent to a place in the file before the tables
 * changed. Those that come meanwhile are counted apart. */
static void
wait_for_requests (Qcow2 *self)
{
  guint before;

  g_mutex_lock (&self->lock);
  before = self->epoch;
  self->epoch ^= 1;
  while (self->n_inflight[before] > 0)
    g_cond_wait (&self->idle, &self->lock);
  g_mutex_unlock (&self->lock);
}

static int
release_frees (Qcow2 *self)
{
  int result = 0;

  if (self->frees->len == 0)
    return 0;
  wait_for_requests (self);
  for (guint i = 0; i < self->frees->len && result == 0; i++) {
    Qcow2Range *range = &g_array_index (self->frees, Qcow2Range, i);

    result = qcow2_free_now (self, range->first, range->n);
  }
  g_array_set_size (self->frees, 0);
  return result;
}

int
qcow2_commit (Qcow2 *self)
{
  int result = 0;

  if (self->corrupt)
    return vmm_host_file_sync (self->parent.file);
  if (self->unsaved)
    result = qcow2_save_refcounts (self);
  if (result == 0)
    result = self->unsaved ? save_tables (self) : vmm_host_file_sync (self->parent.file);
  return result == 0 ? release_frees (self) : result;
}

static int
write_incompatible (Qcow2 *self, guint64 bits)
{
  guint8 bytes[8];
  int result;

  vmm_put_be64 (bytes, bits);
  result = vmm_host_file_write (self->parent.file, bytes, sizeof bytes, VMM_QCOW2_AT_INCOMPATIBLE);
  if (result == 0)
    result = vmm_host_file_sync (self->parent.file);
  if (result == 0)
    self->header->incompatible = bits;
  return result;
}

/* Version 2 has no such bit: those images are looked through at each opening. */
int
qcow2_mark_dirty (Qcow2 *self)
{
  int result = 0;

  if (self->marked)
    return 0;
  if (self->header->version >= 3)
    result = write_incompatible (self, self->header->incompatible | VMM_QCOW2_DIRTY);
  self->marked = result == 0;
  return result;
}

int
qcow2_mark_clean (Qcow2 *self)
{
  int result = self->corrupt ? -EUCLEAN : qcow2_commit (self);

  if (result == 0)
    result = qcow2_save_refcounts (self); /* of what the commit freed */
  if (result == 0 && !self->leaks && (self->header->incompatible & VMM_QCOW2_DIRTY))
    result = write_incompatible (self, self->header->incompatible & ~(guint64) VMM_QCOW2_DIRTY);
  if (result == 0)
    self->marked = FALSE;
  return result;
}

int
qcow2_found_corrupt (Qcow2 *self, const char *what)
{
  gboolean first;

  g_mutex_lock (&self->lock);
  first = !self->corrupt;
  self->corrupt = TRUE;
  g_mutex_unlock (&self->lock);
  if (!first)
    return -EUCLEAN;
  g_info ("The disk “%s” is damaged: %s", self->parent.file->path, what);
  if (!self->parent.readonly && self->header->version >= 3)
    write_incompatible (self, self->header->incompatible | VMM_QCOW2_CORRUPT);
  return -EUCLEAN;
}
