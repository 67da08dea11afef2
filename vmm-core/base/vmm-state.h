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
  VMM_FIELD_ARRAY,  /* a pointer to *@count_offset (a guint) structs, by @nested; allocated before
                       load */
  VMM_FIELD_EXEMPT, /* not saved; @name says why */
  VMM_FIELD_STRING, /* char *, owned or NULL; of less than VMM_STATE_MAX_STRING bytes */
} VmmFieldType;

/* One member of a struct: saved under a name that is the key in the snapshot (never reuse one), or
 * exempt with the reason. A table names every member; a test counts the bytes. */
struct _VmmField {
  const char *name;
  VmmFieldType type;
  gsize offset;
  gsize length;           /* of the whole member, in bytes */
  const VmmField *nested; /* VMM_FIELD_STRUCT, VMM_FIELD_ARRAY */
  gsize stride;           /* likewise: size of one element */
  gsize count_offset;     /* VMM_FIELD_ARRAY */
};

#define VMM_STATE_MAX_STRING 4096

#define VMM_MEMBER_SIZE(Struct, member) sizeof (((Struct *) 0)->member)
#define VMM_FIELD(Struct, member, kind, key)                                                       \
  { key, kind, G_STRUCT_OFFSET (Struct, member), VMM_MEMBER_SIZE (Struct, member), NULL, 0, 0 }
/* One struct inside the struct, such as a parent. */
#define VMM_FIELD_PART(Struct, member, table, key)                                                 \
  { key,                                                                                           \
    VMM_FIELD_STRUCT,                                                                              \
    G_STRUCT_OFFSET (Struct, member),                                                              \
    VMM_MEMBER_SIZE (Struct, member),                                                              \
    table,                                                                                         \
    VMM_MEMBER_SIZE (Struct, member),                                                              \
    0 }
#define VMM_FIELD_PARTS(Struct, member, table, key)                                                \
  { key,                                                                                           \
    VMM_FIELD_STRUCT,                                                                              \
    G_STRUCT_OFFSET (Struct, member),                                                              \
    VMM_MEMBER_SIZE (Struct, member),                                                              \
    table,                                                                                         \
    sizeof (*((Struct *) 0)->member),                                                              \
    0 }
#define VMM_FIELD_POINTER(Struct, member, count, table, key)                                       \
  { key,                                                                                           \
    VMM_FIELD_ARRAY,                                                                               \
    G_STRUCT_OFFSET (Struct, member),                                                              \
    VMM_MEMBER_SIZE (Struct, member),                                                              \
    table,                                                                                         \
    sizeof (*((Struct *) 0)->member),                                                              \
    G_STRUCT_OFFSET (Struct, count) }
#define VMM_EXEMPT(Struct, member, why)                                                            \
  { why,                                                                                           \
    VMM_FIELD_EXEMPT,                                                                              \
    G_STRUCT_OFFSET (Struct, member),                                                              \
    VMM_MEMBER_SIZE (Struct, member),                                                              \
    NULL,                                                                                          \
    0,                                                                                             \
    0 }
#define VMM_FIELD_LAST { NULL, VMM_FIELD_END, 0, 0, NULL, 0, 0 }

VmmState *vmm_state_new (void);
void vmm_state_free (VmmState *self);
/* Serialized form; from_bytes bounds every size before it allocates. */
GBytes *vmm_state_to_bytes (VmmState *self);
VmmState *vmm_state_from_bytes (GBytes *bytes, GError **error);

gboolean vmm_state_save_struct (VmmState *self,
                                const char *section,
                                guint version,
                                const VmmField *fields,
                                gconstpointer object,
                                GError **error);
/* Loads nothing unless the whole section fits its table. @version returns what was stored. */
gboolean vmm_state_load_struct (VmmState *self,
                                const char *section,
                                guint max_version,
                                const VmmField *fields,
                                gpointer object,
                                guint *version,
                                GError **error);

/* Runs of bytes whose length is not fixed: pixels, queued output. Load takes exactly @length bytes.
 */
void vmm_state_save_bytes (VmmState *self, const char *section, gconstpointer data, gsize length);
gboolean vmm_state_load_bytes (VmmState *self,
                               const char *section,
                               gpointer data,
                               gsize length,
                               GError **error);
/* Those bytes and how many there are: as long as @self. NULL only where there are none such. */
const guint8 *
vmm_state_peek_bytes (VmmState *self, const char *section, gsize *length, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmState, vmm_state_free)

G_END_DECLS
