/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmState: named, versioned, typed sections in memory, and the tables of fields
 * that fill them from a struct and back. The byte form on disk is this tree
 * written out; a reader of it is a parser of foreign bytes.
 *
 * Threads: one at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VmmState VmmState;
typedef struct _VmmField VmmField;

typedef enum {
  VMM_FIELD_END,
  VMM_FIELD_BOOL, /* gboolean */
  VMM_FIELD_UINT8,
  VMM_FIELD_UINT16,
  VMM_FIELD_UINT32,
  VMM_FIELD_UINT64,
  VMM_FIELD_BYTES,  /* an array inside the struct, @length bytes */
  VMM_FIELD_STRUCT, /* a struct (or array of them) inside the struct, by @nested */
} VmmFieldType;

/* One saved member. The name is the key in the snapshot: never reuse one. */
struct _VmmField {
  const char *name;
  VmmFieldType type;
  gsize offset;
  gsize length;            /* of the whole member, in bytes */
  const VmmField *nested;  /* VMM_FIELD_STRUCT */
  gsize stride;            /* VMM_FIELD_STRUCT: size of one element */
};

/* A member that is not saved. */
typedef struct {
  const char *name;
  gsize offset;
  gsize length;
  const char *why;
} VmmExempt;

#define VMM_FIELD(Struct, member, kind, key)                                                       \
  { key, kind, G_STRUCT_OFFSET (Struct, member), sizeof (((Struct *) 0)->member), NULL, 0 }
#define VMM_FIELD_STRUCTS(Struct, member, table, key)                                              \
  { key, VMM_FIELD_STRUCT, G_STRUCT_OFFSET (Struct, member), sizeof (((Struct *) 0)->member),      \
    table, sizeof (*((Struct *) 0)->member) }
#define VMM_EXEMPT(Struct, member, why)                                                            \
  { #member, G_STRUCT_OFFSET (Struct, member), sizeof (((Struct *) 0)->member), why }

VmmState *vmm_state_new (void);
void vmm_state_free (VmmState *self);
/* Serialized form; from_bytes bounds every size before it allocates. */
GBytes *vmm_state_to_bytes (VmmState *self);
VmmState *vmm_state_from_bytes (GBytes *bytes, GError **error);

gboolean vmm_state_save_struct (VmmState *self, const char *section, guint version,
                                const VmmField *fields, gconstpointer object, GError **error);
/* Loads nothing unless the whole section fits its table. @version returns what was stored. */
gboolean vmm_state_load_struct (VmmState *self, const char *section, guint max_version,
                                const VmmField *fields, gpointer object, guint *version,
                                GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmState, vmm_state_free)

G_END_DECLS
