/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Structs to bytes and back, by their tables of fields; little-endian:
 *
 *   struct   fields until its end
 *   field    u8 type, u8 length of the name, name, u32 length, value
 *   value    of a number or an array of bytes: as in memory
 *            of a string: with the zero at its end; nothing for NULL
 *            of structs: u32 count, then for each u32 length and a struct
 *
 * Threads: one at a time.
 */
#include "base/state-private.h"

static void
write_u8 (GByteArray *to, guint8 value)
{
  g_byte_array_append (to, &value, 1);
}

/* Leaves room for a length that is known later; returns where. */
static guint
write_length_later (GByteArray *to)
{
  vmm_state_write_u32 (to, 0);
  return to->len;
}

static void
write_length_now (GByteArray *to, guint start)
{
  guint32 length = to->len - start;

  memcpy (to->data + start - sizeof length, &length, sizeof length);
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
write_string (GByteArray *to, const char *string)
{
  if (string)
    g_byte_array_append (to, (const guint8 *) string, strlen (string) + 1);
}

void
vmm_state_write_struct (GByteArray *to, const VmmField *fields, gconstpointer object)
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
    if (field->type == VMM_FIELD_STRING) {
      write_string (to, *(char *const *) ((const guint8 *) object + field->offset));
    } else if (!field->nested) {
      g_byte_array_append (to, (const guint8 *) object + field->offset, field->length);
    } else {
      elements = field_elements (field, object, &count);
      vmm_state_write_u32 (to, count);
      for (guint i = 0; i < count; i++) {
        guint element = write_length_later (to);

        vmm_state_write_struct (to, field->nested, elements + i * field->stride);
        write_length_now (to, element);
      }
    }
    write_length_now (to, start);
  }
}

/* Finds @field in @body; FALSE where it is not there or the body is broken. */
static gboolean
find_field (VmmStateReader body, const VmmField *field, VmmStateReader *value)
{
  gsize wanted = strlen (field->name);

  while (body.left > 0) {
    guint8 type, length;
    guint32 size;
    gconstpointer name, data;

    if (!vmm_state_read_copy (&body, &type, 1) || !vmm_state_read_copy (&body, &length, 1) ||
        !vmm_state_read_bytes (&body, &name, length) ||
        !vmm_state_read_copy (&body, &size, sizeof size) ||
        !vmm_state_read_bytes (&body, &data, size))
      return FALSE;
    if (type == field->type && length == wanted && memcmp (name, field->name, length) == 0) {
      *value = (VmmStateReader) { data, size };
      return TRUE;
    }
  }
  return FALSE;
}

/* Whether a value is one that the type can have. */
static gboolean
value_is_valid (const VmmField *field, VmmStateReader value)
{
  const guint8 *bytes = value.at;
  gboolean truth;

  if (field->type == VMM_FIELD_STRING)
    return value.left == 0 || (value.left <= VMM_STATE_MAX_STRING &&
                               memchr (bytes, '\0', value.left) == bytes + value.left - 1);
  if (value.left != field->length)
    return FALSE;
  if (field->type != VMM_FIELD_BOOL)
    return TRUE;
  memcpy (&truth, bytes, sizeof truth);
  return truth == FALSE || truth == TRUE;
}

static void
store_value (const VmmField *field, VmmStateReader value, gpointer object)
{
  guint8 *member = (guint8 *) object + field->offset;

  if (field->type != VMM_FIELD_STRING) {
    memcpy (member, value.at, value.left);
    return;
  }
  g_free (*(char **) member);
  *(char **) member = value.left > 0 ? g_strdup ((const char *) value.at) : NULL;
}

static const char *
read_elements (VmmStateReader value,
               const VmmField *field,
               gboolean complete,
               gpointer object,
               gboolean store)
{
  guint count;
  guint8 *elements = (guint8 *) field_elements (field, object, &count);
  guint32 stored;

  if (!vmm_state_read_copy (&value, &stored, sizeof stored) || stored != count)
    return field->name;
  for (guint i = 0; i < count; i++) {
    guint32 length;
    gconstpointer data;
    const char *bad;

    if (!vmm_state_read_copy (&value, &length, sizeof length) ||
        !vmm_state_read_bytes (&value, &data, length))
      return field->name;
    bad = vmm_state_read_struct ((VmmStateReader) { data, length }, field->nested, complete,
                                 elements + i * field->stride, store);
    if (bad)
      return bad;
  }
  return value.left == 0 ? NULL : field->name;
}

const char *
vmm_state_read_struct (VmmStateReader body,
                       const VmmField *fields,
                       gboolean complete,
                       gpointer object,
                       gboolean store)
{
  for (const VmmField *field = fields; field->type != VMM_FIELD_END; field++) {
    VmmStateReader value;
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
    } else if (!value_is_valid (field, value)) {
      return field->name;
    } else if (store) {
      store_value (field, value, object);
    }
  }
  return NULL;
}
