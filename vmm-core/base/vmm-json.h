/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A small JSON reader and writer for the control socket and for firmware's descriptors: an object
 * at a time, bounded in every direction; what is nested in it is parsed when it is asked for.
 * Apart because vmm-core has no GObject and therefore no json-glib, and because it reads foreign
 * bytes.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VMM_JSON_MAX_LENGTH  8192
#define VMM_JSON_MAX_MEMBERS 16
#define VMM_JSON_MAX_DEPTH   8

typedef enum {
  VMM_JSON_NULL,
  VMM_JSON_BOOLEAN,
  VMM_JSON_NUMBER,
  VMM_JSON_STRING,
  VMM_JSON_OBJECT, /* this and the next: in raw */
  VMM_JSON_ARRAY,
} VmmJsonType;

typedef struct {
  char *key;
  VmmJsonType type;
  gboolean boolean;
  double number;
  char *string; /* VMM_JSON_STRING */
  char *raw;    /* as it was written */
} VmmJsonMember;

typedef struct {
  guint n_members;
  VmmJsonMember members[VMM_JSON_MAX_MEMBERS];
} VmmJsonObject;

/* The object that @text is, and nothing else. Fails with VMM_ERROR_CONFIG. */
VmmJsonObject *vmm_json_parse (const char *text, gsize length, GError **error);
void vmm_json_free (VmmJsonObject *self);

/* NULL where there is none. */
const VmmJsonMember *vmm_json_get (const VmmJsonObject *self, const char *key);
const char *vmm_json_get_string (const VmmJsonObject *self, const char *key);
/* FALSE where it is missing or of another type. */
gboolean vmm_json_get_number (const VmmJsonObject *self, const char *key, double *number);
gboolean vmm_json_get_boolean (const VmmJsonObject *self, const char *key, gboolean *value);

/* The object under @key, or NULL. vmm_json_free. */
VmmJsonObject *vmm_json_get_object (const VmmJsonObject *self, const char *key);
/* Whether the array under @key has a string that matches @pattern ("*" and "?"). */
gboolean vmm_json_array_matches (const VmmJsonObject *self, const char *key, const char *pattern);
/* The objects in the array under @key, NULL where there is none. g_ptr_array_unref. */
GPtrArray *vmm_json_get_objects (const VmmJsonObject *self, const char *key);

/* Appends @text quoted; bytes that are not UTF-8 are replaced. */
void vmm_json_append_string (GString *to, const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmJsonObject, vmm_json_free)

G_END_DECLS
