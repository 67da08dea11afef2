/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-json.h. RFC 8259, without nesting. Every reader takes what it knows from the front of the
 * text and says whether it was there.
 */
#include "tools/vmm-json.h"

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
take_value (Text *text, VmmJsonMember *member)
{
  const char *start;

  skip_space (text);
  start = text->at;
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
  member->raw = g_strndup (start, text->at - start);
  return TRUE;
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
               "This is not one flat JSON object of at most %d members and %d bytes.",
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
