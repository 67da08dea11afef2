/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The tree of sections, and its form as bytes. What a section of fields holds is made and read in
 * state-fields.c. A load walks its table twice: once to see that everything fits, once to store.
 *
 * Threads: one at a time.
 */
#include "base/state-private.h"
#include "vmm-error.h"

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

gboolean
vmm_state_save_struct (VmmState *self,
                       const char *section,
                       guint version,
                       const VmmField *fields,
                       gconstpointer object,
                       GError **error)
{
  GByteArray *body = g_byte_array_new ();

  vmm_state_write_struct (body, fields, object);
  if (vmm_state_add (self, section, version, g_byte_array_free_to_bytes (body)))
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT, "There are two devices called “%s”.", section);
  return FALSE;
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
  VmmStateReader body;

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
  bad = vmm_state_read_struct (body, fields, complete, object, FALSE);
  if (bad) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT,
                 "The saved state of “%s” is broken: “%s” does not fit.", section, bad);
    return FALSE;
  }
  vmm_state_read_struct (body, fields, complete, object, TRUE);
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
  gsize size;
  const guint8 *body = vmm_state_peek_bytes (self, section, &size, error);

  if (!body)
    return FALSE;
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

const guint8 *
vmm_state_peek_bytes (VmmState *self, const char *section, gsize *length, GError **error)
{
  static const guint8 none;
  Section *stored = vmm_state_get (self, section, TRUE, error);
  const guint8 *body;

  if (!stored)
    return NULL;
  body = g_bytes_get_data (stored->body, length);
  return body ? body : &none;
}

GBytes *
vmm_state_to_bytes (VmmState *self)
{
  GByteArray *to = g_byte_array_new ();

  g_byte_array_append (to, (const guint8 *) MAGIC, MAGIC_LENGTH);
  vmm_state_write_u32 (to, FORMAT_VERSION);
  vmm_state_write_u32 (to, self->names->len);
  for (guint i = 0; i < self->names->len; i++) {
    const char *name = g_ptr_array_index (self->names, i);
    Section *section = g_hash_table_lookup (self->sections, name);
    gsize size;
    const guint8 *body = g_bytes_get_data (section->body, &size);

    vmm_state_write_u32 (to, strlen (name));
    g_byte_array_append (to, (const guint8 *) name, strlen (name));
    vmm_state_write_u32 (to, section->version);
    vmm_state_write_u32 (to, size);
    if (size > 0)
      g_byte_array_append (to, body, size);
  }
  return g_byte_array_free_to_bytes (to);
}

static gboolean
read_section (VmmState *self, VmmStateReader *reader, GBytes *bytes)
{
  const guint8 *start = g_bytes_get_data (bytes, NULL);
  guint32 name_length, version, size;
  gconstpointer name, body;
  g_autofree char *key = NULL;

  if (!vmm_state_read_copy (reader, &name_length, 4) || name_length == 0 || name_length > 255 ||
      !vmm_state_read_bytes (reader, &name, name_length) || memchr (name, 0, name_length) ||
      !g_utf8_validate_len (name, name_length, NULL) ||
      !vmm_state_read_copy (reader, &version, 4) || !vmm_state_read_copy (reader, &size, 4) ||
      !vmm_state_read_bytes (reader, &body, size))
    return FALSE;
  key = g_strndup (name, name_length);
  return vmm_state_add (self, key, version,
                        g_bytes_new_from_bytes (bytes, (const guint8 *) body - start, size));
}

VmmState *
vmm_state_from_bytes (GBytes *bytes, GError **error)
{
  g_autoptr (VmmState) self = vmm_state_new ();
  VmmStateReader reader;
  gconstpointer magic;
  guint32 version = 0, count = 0;
  gboolean ok;

  reader.at = g_bytes_get_data (bytes, &reader.left);
  ok = vmm_state_read_bytes (&reader, &magic, MAGIC_LENGTH) &&
       memcmp (magic, MAGIC, MAGIC_LENGTH) == 0 && vmm_state_read_copy (&reader, &version, 4) &&
       version == FORMAT_VERSION && vmm_state_read_copy (&reader, &count, 4) &&
       count <= MAX_SECTIONS;
  for (guint i = 0; ok && i < count; i++)
    ok = read_section (self, &reader, bytes);
  if (ok && reader.left == 0)
    return g_steal_pointer (&self);
  g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT,
               version > FORMAT_VERSION ? "The saved state was made by a newer version."
                                        : "The saved state is broken.");
  return NULL;
}
