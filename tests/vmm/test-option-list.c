/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Option lists: commas in names, keys taken in turn, and words that mean nothing.
 */
#include "tools/vmm-option-list.h"

#include <string.h>

#include "vmm-error.h"

static VmmOptionList *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VmmOptionList *list = vmm_option_list_parse ("--thing", text, &error);

  g_assert_no_error (error);
  return list;
}

static void
assert_error (GError *error, const char *word)
{
  g_assert_error (error, VMM_ERROR, VMM_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, word));
  g_assert_nonnull (strstr (error->message, "--thing"));
}

static void
test_values (void)
{
  static const struct {
    const char *text, *value, *key;
  } good[] = {
    { "", "", NULL },           { "a", "a", NULL },
    { "a,k=v", "a", "v" },      { ",k=v", "", "v" },
    { "a,k=", "a", "" },        { "a,,b,k=v", "a,b", "v" },
    { "a,,,k=v", "a,", "v" },   { ",,,,k=v", ",,k=v", NULL },
    { "a,k=v,,w", "a", "v,w" }, { "a=b,k=c=d", "a=b", "c=d" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (VmmOptionList) list = parse (good[i].text);

    g_assert_cmpstr (vmm_option_list_get_value (list), ==, good[i].value);
    g_assert_cmpstr (vmm_option_list_take (list, "k"), ==, good[i].key);
    g_assert_true (vmm_option_list_finish (list, NULL));
  }
}

static void
test_repeated (void)
{
  g_autoptr (VmmOptionList) list = parse ("a,k=1,other=x,k=2");
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (vmm_option_list_take (list, "k"), ==, "1");
  g_assert_cmpstr (vmm_option_list_take (list, "other"), ==, "x");
  g_assert_false (vmm_option_list_finish (list, &error));
  assert_error (error, "only once");
  g_assert_cmpstr (vmm_option_list_take (list, "k"), ==, "2");
  g_assert_null (vmm_option_list_take (list, "k"));
  g_assert_true (vmm_option_list_finish (list, NULL));
}

static void
test_names (void)
{
  static const char *const names[] = { "red", "green", NULL };
  g_autoptr (VmmOptionList) list = parse ("a,colour=green,light=on,dark=off,wrong=blue,maybe=yes");
  g_autoptr (GError) no_colour = NULL, no_switch = NULL;
  gboolean light = FALSE, dark = TRUE, absent = TRUE, maybe = FALSE;
  guint colour = 0, kept = 1;

  g_assert_true (vmm_option_list_take_name (list, "colour", names, &colour, NULL));
  g_assert_true (vmm_option_list_take_name (list, "absent", names, &kept, NULL));
  g_assert_true (vmm_option_list_take_switch (list, "light", &light, NULL));
  g_assert_true (vmm_option_list_take_switch (list, "dark", &dark, NULL));
  g_assert_true (vmm_option_list_take_switch (list, "absent", &absent, NULL));
  g_assert_true (colour == 1 && kept == 1 && light && !dark && absent);
  g_assert_false (vmm_option_list_take_name (list, "wrong", names, &colour, &no_colour));
  assert_error (no_colour, "red or green, not “blue”");
  g_assert_false (vmm_option_list_take_switch (list, "maybe", &maybe, &no_switch));
  assert_error (no_switch, "off or on, not “yes”");
}

static void
test_wrong (void)
{
  static const char *const wrong[] = { "a,", "a,k", "a,=v", "a,k=v,", "a,k=v,x" };
  g_autofree char *many = g_strnfill (70000, 'a');
  g_autoptr (GString) keys = g_string_new ("a");
  g_autoptr (GError) unknown = NULL, too_long = NULL, too_many = NULL;
  g_autoptr (VmmOptionList) list = parse ("a,colour=red");

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (vmm_option_list_parse ("--thing", wrong[i], &error));
    assert_error (error, "key=value");
  }
  g_assert_false (vmm_option_list_finish (list, &unknown));
  assert_error (unknown, "“colour”");
  g_assert_null (vmm_option_list_parse ("--thing", many, &too_long));
  assert_error (too_long, "too long");
  for (guint i = 0; i < 100; i++)
    g_string_append (keys, ",k=v");
  g_assert_null (vmm_option_list_parse ("--thing", keys->str, &too_many));
  assert_error (too_many, "key=value");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/option-list/values", test_values);
  g_test_add_func ("/option-list/repeated", test_repeated);
  g_test_add_func ("/option-list/names", test_names);
  g_test_add_func ("/option-list/wrong", test_wrong);
  return g_test_run ();
}
