/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tree of sections (vmm-state.c) and the tables of fields (state-fields.c) share: reading
 * and writing bytes. A reader never goes beyond its end.
 *
 * Threads: one at a time.
 */
#pragma once

#include <string.h>

#include "base/vmm-state.h"

G_BEGIN_DECLS

G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN);

typedef struct {
  const guint8 *at;
  gsize left;
} VmmStateReader;

static inline gboolean
vmm_state_read_bytes (VmmStateReader *self, gconstpointer *data, gsize length)
{
  if (length > self->left)
    return FALSE;
  *data = self->at;
  self->at += length;
  self->left -= length;
  return TRUE;
}

static inline gboolean
vmm_state_read_copy (VmmStateReader *self, gpointer to, gsize length)
{
  gconstpointer data;

  if (!vmm_state_read_bytes (self, &data, length))
    return FALSE;
  memcpy (to, data, length);
  return TRUE;
}

static inline void
vmm_state_write_u32 (GByteArray *to, guint32 value)
{
  g_byte_array_append (to, (const guint8 *) &value, sizeof value);
}

/* state-fields.c: a struct, by its table. */
void vmm_state_write_struct (GByteArray *to, const VmmField *fields, gconstpointer object);
/* Returns the name of the first field that does not fit, or NULL. Without @complete a field may be
 * missing; without @store nothing is changed. */
const char *vmm_state_read_struct (VmmStateReader body,
                                   const VmmField *fields,
                                   gboolean complete,
                                   gpointer object,
                                   gboolean store);

G_END_DECLS
