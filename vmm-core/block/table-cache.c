/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See table-cache.h.
 *
 * Threads: as its owner guards it.
 */
#include "block/table-cache.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 4096

struct _VmmTableCache {
  guint max_tables;
  guint64 clock;
  GHashTable *by_offset; /* of VmmTable; the array owns them */
  GPtrArray *tables;
};

guint8 *
vmm_table_alloc (gsize size)
{
  void *bytes = NULL;

  if (posix_memalign (&bytes, ALIGNMENT, size) != 0)
    return NULL;
  return memset (bytes, 0, size);
}

void
vmm_table_free (guint8 *bytes)
{
  free (bytes);
}

static void
table_free (gpointer data)
{
  VmmTable *table = data;

  vmm_table_free (table->bytes);
  g_free (table);
}

VmmTableCache *
vmm_table_cache_new (guint max_tables)
{
  VmmTableCache *self = g_new0 (VmmTableCache, 1);

  self->max_tables = max_tables;
  self->by_offset = g_hash_table_new (g_int64_hash, g_int64_equal);
  self->tables = g_ptr_array_new_with_free_func (table_free);
  return self;
}

void
vmm_table_cache_free (VmmTableCache *self)
{
  g_hash_table_unref (self->by_offset);
  g_ptr_array_unref (self->tables);
  g_free (self);
}

VmmTable *
vmm_table_cache_find (VmmTableCache *self, guint64 offset)
{
  VmmTable *table = g_hash_table_lookup (self->by_offset, &offset);

  if (table)
    table->used = ++self->clock;
  return table;
}

/* The index of the clean one used longest ago; the length of the array where all are dirty. */
static guint
find_oldest (VmmTableCache *self)
{
  guint64 oldest = G_MAXUINT64;
  guint found = self->tables->len;

  for (guint i = 0; i < self->tables->len; i++) {
    const VmmTable *table = g_ptr_array_index (self->tables, i);

    if (!table->dirty && table->used < oldest) {
      oldest = table->used;
      found = i;
    }
  }
  return found;
}

gboolean
vmm_table_cache_has_room (VmmTableCache *self)
{
  return self->tables->len < self->max_tables || find_oldest (self) < self->tables->len;
}

static void
remove_at (VmmTableCache *self, guint index)
{
  VmmTable *table = g_ptr_array_index (self->tables, index);

  g_hash_table_remove (self->by_offset, &table->offset);
  g_ptr_array_remove_index_fast (self->tables, index);
}

VmmTable *
vmm_table_cache_add (VmmTableCache *self, guint64 offset, guint8 *bytes)
{
  VmmTable *table;

  if (!vmm_table_cache_has_room (self)) {
    vmm_table_free (bytes);
    return NULL;
  }
  if (self->tables->len >= self->max_tables)
    remove_at (self, find_oldest (self));
  table = g_new0 (VmmTable, 1);
  table->offset = offset;
  table->used = ++self->clock;
  table->bytes = bytes;
  g_ptr_array_add (self->tables, table);
  g_hash_table_add (self->by_offset, &table->offset);
  return table;
}

void
vmm_table_cache_drop (VmmTableCache *self, guint64 offset)
{
  VmmTable *table = g_hash_table_lookup (self->by_offset, &offset);
  guint index;

  if (table && g_ptr_array_find (self->tables, table, &index))
    remove_at (self, index);
}

VmmTable *
vmm_table_cache_next_dirty (VmmTableCache *self, guint *position)
{
  while (*position < self->tables->len) {
    VmmTable *table = g_ptr_array_index (self->tables, (*position)++);

    if (table->dirty)
      return table;
  }
  return NULL;
}
