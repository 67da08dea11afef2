/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The control socket's reader: JSON by the letter of RFC 8259, and nothing beyond its bounds.
 */
#include <string.h>

#include "base/vmm-json.h"
#include "vmm-error.h"

static VmmJsonObject *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VmmJsonObject *object = vmm_json_parse (text, strlen (text), &error);

  g_assert_no_error (error);
  return object;
}

static void
assert_refused (const char *text, gsize length)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (vmm_json_parse (text, length, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_CONFIG);
}

static void
test_values (void)
{
  g_autoptr (VmmJsonObject) object =
    parse (" {\"s\" : \"text\",\t\"n\":-12.5e1,\n\"yes\":true, \"no\":false, \"nil\":null } ");
  double number;
  gboolean value;

  g_assert_cmpuint (object->n_members, ==, 5);
  g_assert_cmpstr (vmm_json_get_string (object, "s"), ==, "text");
  g_assert_true (vmm_json_get_number (object, "n", &number));
  g_assert_cmpfloat (number, ==, -125);
  g_assert_true (vmm_json_get_boolean (object, "yes", &value) && value);
  g_assert_true (vmm_json_get_boolean (object, "no", &value) && !value);
  g_assert_cmpint (vmm_json_get (object, "nil")->type, ==, VMM_JSON_NULL);

  g_assert_null (vmm_json_get (object, "other"));
  g_assert_null (vmm_json_get_string (object, "n"));
  g_assert_false (vmm_json_get_number (object, "s", &number));
  g_assert_false (vmm_json_get_boolean (object, "nil", &value));
}

static void
test_strings (void)
{
  g_autoptr (VmmJsonObject) object =
    parse ("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"b\":\"\\u00e9\\u20ac\\ud83d\\ude00\","
           "\"c\":\"\xc3\xa9\",\"\":\"\"}");

  g_assert_cmpstr (vmm_json_get_string (object, "a"), ==, "\"\\/\b\f\n\r\t");
  g_assert_cmpstr (vmm_json_get_string (object, "b"), ==, "é€😀");
  g_assert_cmpstr (vmm_json_get_string (object, "c"), ==, "é");
  g_assert_cmpstr (vmm_json_get_string (object, ""), ==, "");
  g_assert_cmpstr (vmm_json_get (object, "c")->raw, ==, "\"é\"");
}

static void
test_empty (void)
{
  g_autoptr (VmmJsonObject) object = parse ("{}");

  g_assert_cmpuint (object->n_members, ==, 0);
}

static void
test_refused (void)
{
  static const char *const wrong[] = {
    "",
    " ",
    "{",
    "}",
    "[]",
    "1",
    "\"a\"",
    "null",
    "{} {}",
    "{}x",
    "{,}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{\"a\":1 \"b\":2}",
    "{\"a\" 1}",
    "{a:1}",
    "{'a':1}",
    "{\"a\":1",
    "{\"a\":{]}",
    "{\"a\":[1}",
    "{\"a\":[1,]}",
    "{\"a\":[,1]}",
    "{\"a\":{\"b\"}}",
    "{\"a\":{\"b\":1,}}",
    "{\"a\":{b:1}}",
    "{\"a\":[[[[[[[[[1]]]]]]]]]}",
    "{\"a\":True}",
    "{\"a\":truefalse}",
    "{\"a\":nul}",
    "{\"a\":01}",
    "{\"a\":+1}",
    "{\"a\":.5}",
    "{\"a\":1.}",
    "{\"a\":1e}",
    "{\"a\":-}",
    "{\"a\":0x10}",
    "{\"a\":NaN}",
    "{\"a\":inf}",
    "{\"a\":\"b}",
    "{\"a\":\"\\\"}",
    "{\"a\":\"\\x41\"}",
    "{\"a\":\"\\u12\"}",
    "{\"a\":\"\\u12g4\"}",
    "{\"a\":\"\\u0000\"}",
    "{\"a\":\"\\ud800\"}",
    "{\"a\":\"\\ud800\\u0041\"}",
    "{\"a\":\"\\udc00\"}",
    "{\"a\":\"\x01\"}",
    "{\"a\":\"\n\"}",
    "{\"a\":\"\xff\"}",
    "{\"a\":\"\xc3\"}",
    "{\"a\":\"\xed\xa0\x80\"}",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\\u0061\":2}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    assert_refused (wrong[i], strlen (wrong[i]));
  assert_refused ("{\"a\":1\0}", 8);
  assert_refused ("{\"a\":\"\0\"}", 9);
}

static void
test_nested (void)
{
  g_autoptr (VmmJsonObject) object =
    parse ("{\"o\": {\"p\": {\"q\": 1}, \"s\": \"x\"}, \"l\": [\"one\", 2, [\"three\"], \"f o\"],"
           " \"objects\": [{\"a\": 1}, 2, {\"a\": 3}], \"empty\": []}");
  g_autoptr (VmmJsonObject) inner = vmm_json_get_object (object, "o");
  g_autoptr (GPtrArray) objects = vmm_json_get_objects (object, "objects");
  g_autoptr (GPtrArray) none = vmm_json_get_objects (object, "empty");
  double number;

  g_assert_cmpstr (vmm_json_get_string (inner, "s"), ==, "x");
  g_assert_cmpint (vmm_json_get (inner, "p")->type, ==, VMM_JSON_OBJECT);
  g_assert_null (vmm_json_get_object (object, "l"));
  g_assert_null (vmm_json_get_objects (object, "o"));
  g_assert_true (vmm_json_array_matches (object, "l", "one"));
  g_assert_true (vmm_json_array_matches (object, "l", "f*"));
  g_assert_false (vmm_json_array_matches (object, "l", "three"));
  g_assert_false (vmm_json_array_matches (object, "o", "*"));
  g_assert_cmpuint (none->len, ==, 0);
  g_assert_cmpuint (objects->len, ==, 2);
  g_assert_true (vmm_json_get_number (g_ptr_array_index (objects, 1), "a", &number));
  g_assert_cmpfloat (number, ==, 3);
}

/* Every beginning of a good text is a bad one, and is read no further than it goes. */
static void
test_cut_short (void)
{
  const char *text = "{\"id\":17,\"do\":\"a\\u00e9\\n\",\"x\":-1.5e+3,\"y\":true,\"z\":null}";

  for (gsize length = 0; length < strlen (text); length++) {
    g_autofree char *exact = g_memdup2 (text, length);

    assert_refused (exact, length);
  }
}

static void
test_bounds (void)
{
  g_autoptr (GString) members = g_string_new ("{");
  g_autofree char *filler = NULL, *longest = NULL, *longer = NULL;
  g_autoptr (VmmJsonObject) full = NULL, most = NULL;

  for (guint i = 0; i < VMM_JSON_MAX_MEMBERS; i++)
    g_string_append_printf (members, "%s\"k%u\":%u", i ? "," : "", i, i);
  g_string_append_c (members, '}');
  full = parse (members->str);
  g_assert_cmpuint (full->n_members, ==, VMM_JSON_MAX_MEMBERS);
  g_string_truncate (members, members->len - 1);
  g_string_append (members, ",\"more\":1}");
  assert_refused (members->str, members->len);

  filler = g_strnfill (VMM_JSON_MAX_LENGTH - strlen ("{\"a\":\"\"}"), 'x');
  longest = g_strdup_printf ("{\"a\":\"%s\"}", filler);
  most = parse (longest);
  g_assert_cmpstr (vmm_json_get_string (most, "a"), ==, filler);
  longer = g_strdup_printf ("%s ", longest);
  assert_refused (longer, strlen (longer));
}

/* What is written reads back. */
static void
test_writer (void)
{
  static const char *const texts[] = { "", "plain", "\"quoted\\\"", "line\nline\ttab\x01", "é😀" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GString) json = g_string_new ("{\"a\":");
    g_autoptr (VmmJsonObject) object = NULL;

    vmm_json_append_string (json, texts[i]);
    g_string_append_c (json, '}');
    object = parse (json->str);
    g_assert_cmpstr (vmm_json_get_string (object, "a"), ==, texts[i]);
  }
}

static void
test_writer_mends (void)
{
  g_autoptr (GString) json = g_string_new (NULL);

  vmm_json_append_string (json, "a\xff"
                                "b");
  g_assert_cmpstr (json->str, ==,
                   "\"a\xef\xbf\xbd"
                   "b\"");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/values", test_values);
  g_test_add_func ("/json/strings", test_strings);
  g_test_add_func ("/json/empty", test_empty);
  g_test_add_func ("/json/nested", test_nested);
  g_test_add_func ("/json/refused", test_refused);
  g_test_add_func ("/json/cut-short", test_cut_short);
  g_test_add_func ("/json/bounds", test_bounds);
  g_test_add_func ("/json/writer", test_writer);
  g_test_add_func ("/json/writer/mends", test_writer_mends);
  return g_test_run ();
}
