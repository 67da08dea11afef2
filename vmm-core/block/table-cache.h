/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmTableCache: pieces of an image's tables in memory, by their place in the file. What is changed
 * stays until it was written; of the rest the one used longest ago makes room.
 *
 * Threads: as its owner guards it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint64 offset; /* in the file; first: the key */
  guint64 used;   /* when, in lookups */
  gboolean dirty;
  guint8 *bytes;
} VmmTable;

typedef struct _VmmTableCache VmmTableCache;

VmmTableCache *vmm_table_cache_new (guint max_tables);
void vmm_table_cache_free (VmmTableCache *self);

VmmTable *vmm_table_cache_find (VmmTableCache *self, guint64 offset);
/* Whether one more can be added now: FALSE where all are dirty. */
gboolean vmm_table_cache_has_room (VmmTableCache *self);
/* A new one, which is not there yet; @bytes, of vmm_table_alloc, are the cache's from now on. NULL
 * where there is no room: then they are freed. */
VmmTable *vmm_table_cache_add (VmmTableCache *self, guint64 offset, guint8 *bytes);
void vmm_table_cache_drop (VmmTableCache *self, guint64 offset);
/* The next one that is dirty; @position begins at 0. NULL: no more. */
VmmTable *vmm_table_cache_next_dirty (VmmTableCache *self, guint *position);

/* Memory that a disk takes directly, zeroed; NULL where there is none. */
guint8 *vmm_table_alloc (gsize size);
void vmm_table_free (guint8 *bytes);

G_END_DECLS
