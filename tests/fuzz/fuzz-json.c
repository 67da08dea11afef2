/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The small JSON reader: what it takes, written anew by our writer, reads back the same.
 */
#include <string.h>

#include "base/vmm-json.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static char *
write_anew (const VmmJsonObject *object)
{
  GString *text = g_string_new ("{");

  for (guint i = 0; i < object->n_members; i++) {
    const VmmJsonMember *member = &object->members[i];

    if (i > 0)
      g_string_append_c (text, ',');
    vmm_json_append_string (text, member->key);
    g_string_append_c (text, ':');
    if (member->type == VMM_JSON_STRING)
      vmm_json_append_string (text, member->string);
    else
      g_string_append (text, member->raw);
  }
  g_string_append_c (text, '}');
  return g_string_free (text, FALSE);
}

static void
assert_same (const VmmJsonObject *one, const VmmJsonObject *other)
{
  g_assert_cmpuint (one->n_members, ==, other->n_members);
  for (guint i = 0; i < one->n_members; i++) {
    const VmmJsonMember *a = &one->members[i], *b = &other->members[i];

    g_assert_cmpstr (a->key, ==, b->key);
    g_assert_cmpint (a->type, ==, b->type);
    g_assert_cmpint (a->boolean, ==, b->boolean);
    g_assert_cmpstr (a->string, ==, b->string);
    if (a->type == VMM_JSON_NUMBER)
      g_assert_cmpint (memcmp (&a->number, &b->number, sizeof a->number), ==, 0);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (VmmJsonObject) object = vmm_json_parse ((const char *) data, size, NULL);
  g_autoptr (VmmJsonObject) again = NULL;
  g_autofree char *text = NULL;

  if (!object)
    return 0;
  text = write_anew (object);
  if (strlen (text) > VMM_JSON_MAX_LENGTH)
    return 0; /* escapes made it longer */
  again = vmm_json_parse (text, strlen (text), NULL);
  g_assert_nonnull (again);
  assert_same (object, again);
  return 0;
}
