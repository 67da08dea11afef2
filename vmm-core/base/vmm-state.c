/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The tree of sections. A section's body is kept in its byte form, little-endian:
 *
 *   struct   fields until its end
 *   field    u8 type, u8 length of the name, name, u32 length, value
 *   value    of a number or an array of bytes: as in memory
 *            of structs: u32 count, then for each u32 length and a struct
 *
 * A load walks the table twice: once to see that everything fits, once to store.
 *
 * Threads: one at a time.
 */
#include <string.h>

#include "base/vmm-state.h"
#include "vmm-error.h"

G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN);

#define MAGIC          "VMMSTATE"
#define MAGIC_LENGTH   8
#define FORMAT_VERSION 1
#define MAX_SECTIONS   65536
#define RAW_VERSION    G_MAXUINT32 /* a section of bytes, not of fields */

typedef struct {
  guint32 version;
  GBytes *body;
} Section;

struct _VmmState {
  GHashTable *sections; /* name to Section */
  GPtrArray *names;     /* in order; owned by the table */
};

typedef struct {
  const guint8 *at;
  gsize left;
} Reader;

static gboolean
read_bytes (Reader *self, gconstpointer *data, gsize length)
{
  if (length > self->left)
    return FALSE;
  *data = self->at;
  self->at += length;
  self->left -= length;
  return TRUE;
}

static gboolean
read_copy (Reader *self, gpointer to, gsize length)
{
  gconstpointer data;

  if (!read_bytes (self, &data, length))
    return FALSE;
  memcpy (to, data, length);
  return TRUE;
}

static void
write_u8 (GByteArray *to, guint8 value)
{
  g_byte_array_append (to, &value, 1);
}

static void
write_u32 (GByteArray *to, guint32 value)
{
  g_byte_array_append (to, (const guint8 *) &value, sizeof value);
}

/* Leaves room for a length that is known later; returns where. */
static guint
write_length_later (GByteArray *to)
{
  write_u32 (to, 0);
  return to->len;
}

static void
write_length_now (GByteArray *to, guint start)
{
  guint32 length = to->len - start;

  memcpy (to->data + start - sizeof length, &length, sizeof length);
}

static void
section_free (gpointer data)
{
  Section *self = data;

  g_bytes_unref (self->body);
  g_free (self);
}

VmmState *
vmm_state_new (void)
{
  VmmState *self = g_new0 (VmmState, 1);

  self->sections = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, section_free);
  self->names = g_ptr_array_new ();
  return self;
}

void
vmm_state_free (VmmState *self)
{
  g_ptr_array_unref (self->names);
  g_hash_table_unref (self->sections);
  g_free (self);
}

/* FALSE where the name is taken. @body is taken over. */
static gboolean
vmm_state_add (VmmState *self, const char *name, guint32 version, GBytes *body)
{
  Section *section;
  char *key;

  if (g_hash_table_contains (self->sections, name)) {
    g_bytes_unref (body);
    return FALSE;
  }
  section = g_new (Section, 1);
  *section = (Section) { version, body };
  key = g_strdup (name);
  g_hash_table_insert (self->sections, key, section);
  g_ptr_array_add (self->names, key);
  return TRUE;
}

/* The elements of a field of structs: where they are and how many. */
static gconstpointer
field_elements (const VmmField *field, gconstpointer object, guint *count)
{
  const guint8 *member = (const guint8 *) object + field->offset;

  if (field->type == VMM_FIELD_STRUCT) {
    *count = field->length / field->stride;
    return member;
  }
  *count = *(const guint *) ((const guint8 *) object + field->count_offset);
  return *(gconstpointer const *) member;
}

static void
write_struct (GByteArray *to, const VmmField *fields, gconstpointer object)
{
  for (const VmmField *field = fields; field->type != VMM_FIELD_END; field++) {
    const guint8 *elements;
    guint start, count;

    if (field->type == VMM_FIELD_EXEMPT)
      continue;
    write_u8 (to, field->type);
    write_u8 (to, strlen (field->name));
    g_byte_array_append (to, (const guint8 *) field->name, strlen (field->name));
    start = write_length_later (to);
    if (!field->nested) {
      g_byte_array_append (to, (const guint8 *) object + field->offset, field->length);
    } else {
      elements = field_elements (field, object, &count);
      write_u32 (to, count);
      for (guint i = 0; i < count; i++) {
        guint element = write_length_later (to);

        write_struct (to, field->nested, elements + i * field->stride);
        write_length_now (to, element);
      }
    }
    write_length_now (to, start);
  }
}

gboolean
vmm_state_save_struct (VmmState *self,
                       const char *section,
                       guint version,
                       const VmmField *fields,
                       gconstpointer object,
                       GError **error)
{
  GByteArray *body = g_byte_array_new ();

  write_struct (body, fields, object);
  if (vmm_state_add (self, section, version, g_byte_array_free_to_bytes (body)))
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT, "There are two devices called “%s”.", section);
  return FALSE;
}

/* Finds @field in @body; FALSE where it is not there or the body is broken. */
static gboolean
find_field (Reader body, const VmmField *field, Reader *value)
{
  gsize wanted = strlen (field->name);

  while (body.left > 0) {
    guint8 type, length;
    guint32 size;
    gconstpointer name, data;

    if (!read_copy (&body, &type, 1) || !read_copy (&body, &length, 1) ||
        !read_bytes (&body, &name, length) || !read_copy (&body, &size, sizeof size) ||
        !read_bytes (&body, &data, size))
      return FALSE;
    if (type == field->type && length == wanted && memcmp (name, field->name, length) == 0) {
      *value = (Reader) { data, size };
      return TRUE;
    }
  }
  return FALSE;
}

/* Whether a value of the right length is one that the type can have. */
static gboolean
value_is_valid (const VmmField *field, const guint8 *value)
{
  gboolean truth;

  if (field->type != VMM_FIELD_BOOL)
    return TRUE;
  memcpy (&truth, value, sizeof truth);
  return truth == FALSE || truth == TRUE;
}

static const char *read_struct (Reader body,
                                const VmmField *fields,
                                gboolean complete,
                                gpointer object,
                                gboolean store);

static const char *
read_elements (Reader value,
               const VmmField *field,
               gboolean complete,
               gpointer object,
               gboolean store)
{
  guint count;
  guint8 *elements = (guint8 *) field_elements (field, object, &count);
  guint32 stored;

  if (!read_copy (&value, &stored, sizeof stored) || stored != count)
    return field->name;
  for (guint i = 0; i < count; i++) {
    guint32 length;
    gconstpointer data;
    const char *bad;

    if (!read_copy (&value, &length, sizeof length) || !read_bytes (&value, &data, length))
      return field->name;
    bad = read_struct ((Reader) { data, length }, field->nested, complete,
                       elements + i * field->stride, store);
    if (bad)
      return bad;
  }
  return value.left == 0 ? NULL : field->name;
}

/* Returns the name of the first field that does not fit, or NULL. */
static const char *
read_struct (Reader body,
             const VmmField *fields,
             gboolean complete,
             gpointer object,
             gboolean store)
{
  for (const VmmField *field = fields; field->type != VMM_FIELD_END; field++) {
    Reader value;
    const char *bad;

    if (field->type == VMM_FIELD_EXEMPT)
      continue;
    if (!find_field (body, field, &value)) {
      if (complete)
        return field->name;
      continue;
    }
    if (field->nested) {
      bad = read_elements (value, field, complete, object, store);
      if (bad)
        return bad;
    } else if (value.left != field->length || !value_is_valid (field, value.at)) {
      return field->name;
    } else if (store) {
      memcpy ((guint8 *) object + field->offset, value.at, value.left);
    }
  }
  return NULL;
}

static Section *
vmm_state_get (VmmState *self, const char *name, gboolean raw, GError **error)
{
  Section *section = g_hash_table_lookup (self->sections, name);

  if (section && (section->version == RAW_VERSION) == raw)
    return section;
  g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT, "The saved state lacks the section “%s”.",
               name);
  return NULL;
}

gboolean
vmm_state_load_struct (VmmState *self,
                       const char *section,
                       guint max_version,
                       const VmmField *fields,
                       gpointer object,
                       guint *version,
                       GError **error)
{
  Section *stored = vmm_state_get (self, section, FALSE, error);
  const char *bad;
  gboolean complete;
  Reader body;

  if (!stored)
    return FALSE;
  if (stored->version > max_version) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT,
                 "The saved state of “%s” was made by a newer version (%u, this one knows %u).",
                 section, stored->version, max_version);
    return FALSE;
  }
  body.at = g_bytes_get_data (stored->body, &body.left);
  complete = stored->version == max_version;
  bad = read_struct (body, fields, complete, object, FALSE);
  if (bad) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT,
                 "The saved state of “%s” is broken: “%s” does not fit.", section, bad);
    return FALSE;
  }
  read_struct (body, fields, complete, object, TRUE);
  if (version)
    *version = stored->version;
  return TRUE;
}

void
vmm_state_save_bytes (VmmState *self, const char *section, gconstpointer data, gsize length)
{
  if (!vmm_state_add (self, section, RAW_VERSION, g_bytes_new (data, length)))
    g_warning ("The section “%s” is saved twice", section);
}

gboolean
vmm_state_load_bytes (VmmState *self,
                      const char *section,
                      gpointer data,
                      gsize length,
                      GError **error)
{
  Section *stored = vmm_state_get (self, section, TRUE, error);
  gconstpointer body;
  gsize size;

  if (!stored)
    return FALSE;
  body = g_bytes_get_data (stored->body, &size);
  if (size != length) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT,
                 "The saved state is broken: “%s” has %zu bytes instead of %zu.", section, size,
                 length);
    return FALSE;
  }
  if (length > 0)
    memcpy (data, body, length);
  return TRUE;
}

GBytes *
vmm_state_to_bytes (VmmState *self)
{
  GByteArray *to = g_byte_array_new ();

  g_byte_array_append (to, (const guint8 *) MAGIC, MAGIC_LENGTH);
  write_u32 (to, FORMAT_VERSION);
  write_u32 (to, self->names->len);
  for (guint i = 0; i < self->names->len; i++) {
    const char *name = g_ptr_array_index (self->names, i);
    Section *section = g_hash_table_lookup (self->sections, name);
    gsize size;
    const guint8 *body = g_bytes_get_data (section->body, &size);

    write_u32 (to, strlen (name));
    g_byte_array_append (to, (const guint8 *) name, strlen (name));
    write_u32 (to, section->version);
    write_u32 (to, size);
    if (size > 0)
      g_byte_array_append (to, body, size);
  }
  return g_byte_array_free_to_bytes (to);
}

static gboolean
read_section (VmmState *self, Reader *reader, GBytes *bytes)
{
  const guint8 *start = g_bytes_get_data (bytes, NULL);
  guint32 name_length, version, size;
  gconstpointer name, body;
  g_autofree char *key = NULL;

  if (!read_copy (reader, &name_length, 4) || name_length == 0 || name_length > 255 ||
      !read_bytes (reader, &name, name_length) || memchr (name, 0, name_length) ||
      !g_utf8_validate_len (name, name_length, NULL) || !read_copy (reader, &version, 4) ||
      !read_copy (reader, &size, 4) || !read_bytes (reader, &body, size))
    return FALSE;
  key = g_strndup (name, name_length);
  return vmm_state_add (self, key, version,
                        g_bytes_new_from_bytes (bytes, (const guint8 *) body - start, size));
}

VmmState *
vmm_state_from_bytes (GBytes *bytes, GError **error)
{
  g_autoptr (VmmState) self = vmm_state_new ();
  Reader reader;
  gconstpointer magic;
  guint32 version = 0, count = 0;
  gboolean ok;

  reader.at = g_bytes_get_data (bytes, &reader.left);
  ok = read_bytes (&reader, &magic, MAGIC_LENGTH) && memcmp (magic, MAGIC, MAGIC_LENGTH) == 0 &&
       read_copy (&reader, &version, 4) && version == FORMAT_VERSION &&
       read_copy (&reader, &count, 4) && count <= MAX_SECTIONS;
  for (guint i = 0; ok && i < count; i++)
    ok = read_section (self, &reader, bytes);
  if (ok && reader.left == 0)
    return g_steal_pointer (&self);
  g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT,
               version > FORMAT_VERSION ? "The saved state was made by a newer version."
                                        : "The saved state is broken.");
  return NULL;
}
