/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-json.h. RFC 8259. Every reader takes what it knows from the front of the
 * text and says whether it was there.
 */
#include "base/vmm-json.h"

#include <string.h>

#include "vmm-error.h"

typedef struct {
  const char *at, *end;
} Text;

static void
skip_space (Text *text)
{
  while (text->at < text->end && strchr (" \t\r\n", *text->at) && *text->at)
    text->at++;
}

static gboolean
take (Text *text, char c)
{
  skip_space (text);
  if (text->at == text->end || *text->at != c)
    return FALSE;
  text->at++;
  return TRUE;
}

static gboolean
take_word (Text *text, const char *word)
{
  gsize length = strlen (word);

  if ((gsize) (text->end - text->at) < length || memcmp (text->at, word, length) != 0)
    return FALSE;
  text->at += length;
  return TRUE;
}

static gboolean
take_hex (Text *text, guint32 *value)
{
  *value = 0;
  for (guint i = 0; i < 4; i++) {
    int digit = text->at < text->end ? g_ascii_xdigit_value (*text->at) : -1;

    if (digit < 0)
      return FALSE;
    *value = *value << 4 | digit;
    text->at++;
  }
  return TRUE;
}

/* What follows "\u": a character, perhaps in two halves. Never zero. */
static gboolean
take_unicode (Text *text, GString *to)
{
  guint32 c, low;

  if (!take_hex (text, &c) || c == 0 || (c >= 0xdc00 && c < 0xe000))
    return FALSE;
  if (c >= 0xd800 && c < 0xdc00) {
    if (!take_word (text, "\\u") || !take_hex (text, &low) || low < 0xdc00 || low >= 0xe000)
      return FALSE;
    c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
  }
  g_string_append_unichar (to, c);
  return TRUE;
}

static gboolean
take_escape (Text *text, GString *to)
{
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  const char *name;

  if (text->at == text->end || *text->at == '\0')
    return FALSE;
  if (*text->at == 'u') {
    text->at++;
    return take_unicode (text, to);
  }
  name = strchr (names, *text->at++);
  if (!name)
    return FALSE;
  g_string_append_c (to, values[name - names]);
  return TRUE;
}

static char *
take_string (Text *text)
{
  g_autoptr (GString) string = NULL;

  if (!take (text, '"'))
    return NULL;
  string = g_string_new (NULL);
  while (text->at < text->end && *text->at != '"') {
    guchar c = *text->at++;

    if (c < ' ' || (c == '\\' && !take_escape (text, string)))
      return NULL;
    if (c != '\\')
      g_string_append_c (string, c);
  }
  if (!take (text, '"') || !g_utf8_validate (string->str, string->len, NULL))
    return NULL;
  return g_string_free (g_steal_pointer (&string), FALSE);
}

static gboolean
take_digits (Text *text)
{
  const char *start = text->at;

  while (text->at < text->end && g_ascii_isdigit (*text->at))
    text->at++;
  return text->at > start;
}

static gboolean
take_number (Text *text, double *number)
{
  g_autofree char *copy = NULL;
  const char *start = text->at;

  take_word (text, "-");
  if (!take_word (text, "0") && !take_digits (text))
    return FALSE;
  if (take_word (text, ".") && !take_digits (text))
    return FALSE;
  if (take_word (text, "e") || take_word (text, "E")) {
    if (!take_word (text, "-"))
      take_word (text, "+");
    if (!take_digits (text))
      return FALSE;
  }
  copy = g_strndup (start, text->at - start);
  *number = g_ascii_strtod (copy, NULL);
  return TRUE;
}

static gboolean
take_scalar (Text *text, VmmJsonMember *member)
{
  if (text->at < text->end && *text->at == '"') {
    member->type = VMM_JSON_STRING;
    member->string = take_string (text);
    if (!member->string)
      return FALSE;
  } else if (take_word (text, "true")) {
    member->type = VMM_JSON_BOOLEAN;
    member->boolean = TRUE;
  } else if (take_word (text, "false")) {
    member->type = VMM_JSON_BOOLEAN;
  } else if (!take_word (text, "null")) {
    member->type = VMM_JSON_NUMBER;
    if (!take_number (text, &member->number))
      return FALSE;
  }
  return TRUE;
}

static gboolean take_any (Text *text, guint depth);

/* The elements of an object (with their names) or an array, up to @end. */
static gboolean
take_elements (Text *text, char end, guint depth)
{
  if (take (text, end))
    return TRUE;
  do {
    if (end == '}') {
      g_autofree char *key = take_string (text);

      if (!key || !take (text, ':'))
        return FALSE;
    }
    if (!take_any (text, depth + 1))
      return FALSE;
  } while (take (text, ','));
  return take (text, end);
}

/* A value of which nothing is kept. */
static gboolean
take_any (Text *text, guint depth)
{
  VmmJsonMember scalar = { 0 };
  gboolean ok;

  if (depth > VMM_JSON_MAX_DEPTH)
    return FALSE;
  if (take (text, '{'))
    return take_elements (text, '}', depth);
  if (take (text, '['))
    return take_elements (text, ']', depth);
  ok = take_scalar (text, &scalar);
  g_free (scalar.string);
  return ok;
}

static gboolean
take_value (Text *text, VmmJsonMember *member)
{
  const char *start;
  gboolean ok;

  skip_space (text);
  start = text->at;
  if (start < text->end && (*start == '{' || *start == '[')) {
    member->type = *start == '{' ? VMM_JSON_OBJECT : VMM_JSON_ARRAY;
    ok = take_any (text, 1);
  } else {
    ok = take_scalar (text, member);
  }
  if (ok)
    member->raw = g_strndup (start, text->at - start);
  return ok;
}

static gboolean
take_members (Text *text, VmmJsonObject *self)
{
  if (take (text, '}'))
    return TRUE;
  do {
    VmmJsonMember *member = &self->members[self->n_members];
    char *key;

    if (self->n_members == VMM_JSON_MAX_MEMBERS)
      return FALSE;
    skip_space (text);
    key = take_string (text);
    if (!key)
      return FALSE;
    self->n_members++;
    member->key = key;
    if (!take (text, ':') || !take_value (text, member))
      return FALSE;
  } while (take (text, ','));
  return take (text, '}');
}

/* Two values under one name would be read differently by different readers. */
static gboolean
has_twins (const VmmJsonObject *self)
{
  for (guint i = 0; i < self->n_members; i++)
    if (vmm_json_get (self, self->members[i].key) != &self->members[i])
      return TRUE;
  return FALSE;
}

VmmJsonObject *
vmm_json_parse (const char *text, gsize length, GError **error)
{
  g_autoptr (VmmJsonObject) self = g_new0 (VmmJsonObject, 1);
  Text rest = { text, text + length };
  gboolean ok = length <= VMM_JSON_MAX_LENGTH && take (&rest, '{') && take_members (&rest, self);

  skip_space (&rest);
  if (ok && rest.at == rest.end && !has_twins (self))
    return g_steal_pointer (&self);
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
               "This is not one JSON object of at most %d members and %d bytes.",
               VMM_JSON_MAX_MEMBERS, VMM_JSON_MAX_LENGTH);
  return NULL;
}

void
vmm_json_free (VmmJsonObject *self)
{
  for (guint i = 0; i < self->n_members; i++) {
    g_free (self->members[i].key);
    g_free (self->members[i].string);
    g_free (self->members[i].raw);
  }
  g_free (self);
}

const VmmJsonMember *
vmm_json_get (const VmmJsonObject *self, const char *key)
{
  for (guint i = 0; i < self->n_members; i++)
    if (strcmp (self->members[i].key, key) == 0)
      return &self->members[i];
  return NULL;
}

const char *
vmm_json_get_string (const VmmJsonObject *self, const char *key)
{
  const VmmJsonMember *member = vmm_json_get (self, key);

  return member && member->type == VMM_JSON_STRING ? member->string : NULL;
}

gboolean
vmm_json_get_number (const VmmJsonObject *self, const char *key, double *number)
{
  const VmmJsonMember *member = vmm_json_get (self, key);

  if (!member || member->type != VMM_JSON_NUMBER)
    return FALSE;
  *number = member->number;
  return TRUE;
}

gboolean
vmm_json_get_boolean (const VmmJsonObject *self, const char *key, gboolean *value)
{
  const VmmJsonMember *member = vmm_json_get (self, key);

  if (!member || member->type != VMM_JSON_BOOLEAN)
    return FALSE;
  *value = member->boolean;
  return TRUE;
}

void
vmm_json_append_string (GString *to, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  g_string_append_c (to, '"');
  for (const char *at = valid; *at; at++) {
    if (*at == '"' || *at == '\\')
      g_string_append_printf (to, "\\%c", *at);
    else if ((guchar) *at < ' ')
      g_string_append_printf (to, "\\u%04x", *at);
    else
      g_string_append_c (to, *at);
  }
  g_string_append_c (to, '"');
}

VmmJsonObject *
vmm_json_get_object (const VmmJsonObject *self, const char *key)
{
  const VmmJsonMember *member = vmm_json_get (self, key);

  if (!member || member->type != VMM_JSON_OBJECT)
    return NULL;
  return vmm_json_parse (member->raw, strlen (member->raw), NULL);
}

/* Steps to the next element of an array whose first one is taken after "[". */
static gboolean
next_element (Text *text, const char **start)
{
  take (text, ',');
  skip_space (text);
  *start = text->at;
  return text->at < text->end && *text->at != ']' && take_any (text, 1);
}

static gboolean
open_array (const VmmJsonObject *self, const char *key, Text *text)
{
  const VmmJsonMember *member = vmm_json_get (self, key);

  if (!member || member->type != VMM_JSON_ARRAY)
    return FALSE;
  *text = (Text) { member->raw, member->raw + strlen (member->raw) };
  return take (text, '[');
}

gboolean
vmm_json_array_matches (const VmmJsonObject *self, const char *key, const char *pattern)
{
  const char *start;
  Text text;

  if (!open_array (self, key, &text))
    return FALSE;
  while (next_element (&text, &start)) {
    Text element = { start, text.at };
    g_autofree char *string = take_string (&element);

    if (string && g_pattern_match_simple (pattern, string))
      return TRUE;
  }
  return FALSE;
}

GPtrArray *
vmm_json_get_objects (const VmmJsonObject *self, const char *key)
{
  g_autoptr (GPtrArray) objects = NULL;
  const char *start;
  Text text;

  if (!open_array (self, key, &text))
    return NULL;
  objects = g_ptr_array_new_with_free_func ((GDestroyNotify) vmm_json_free);
  while (next_element (&text, &start)) {
    VmmJsonObject *object = vmm_json_parse (start, text.at - start, NULL);

    if (object)
      g_ptr_array_add (objects, object);
  }
  return g_steal_pointer (&objects);
}
