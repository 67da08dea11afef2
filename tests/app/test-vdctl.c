/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vdctl as a program: what it prints, what it answers the shell with, and what it leaves behind.
 * There is no bus: it opens the library itself.
 */
#include "app-test.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

typedef struct {
  char *folder;
  char *out, *err;
  int code;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *samples = NULL;

  f->folder = app_test_make_folder ();
  samples = g_build_filename (f->folder, "sample", NULL);
  g_mkdir_with_parents (samples, 0700);
  app_test_write (samples, "vmlinuz", "");
  app_test_write (samples, "initrd", "");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  app_test_remove_folder (f->folder);
  g_free (f->out);
  g_free (f->err);
}

/* @words: the command line without the program and its library. */
static void
vdctl (Fixture *f, const char *words)
{
  g_autofree char *library = g_build_filename (f->folder, "library", NULL);
  g_autofree char *line =
    g_strdup_printf ("%s --library=%s %s", g_getenv ("VD_TEST_VDCTL"), library, words);
  g_auto (GStrv) environment = g_get_environ ();
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_clear_pointer (&f->out, g_free);
  g_clear_pointer (&f->err, g_free);
  environment = g_environ_setenv (environment, "VIRTDESK_DATA_DIR", f->folder, TRUE);
  environment =
    g_environ_setenv (environment, "DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere", TRUE);
  g_assert_true (g_shell_parse_argv (line, NULL, &argv, &error));
  g_spawn_sync (f->folder, argv, environment, G_SPAWN_DEFAULT, NULL, NULL, &f->out, &f->err,
                &status, &error);
  g_assert_no_error (error);
  g_assert_true (WIFEXITED (status));
  f->code = WEXITSTATUS (status);
}

/* One sentence, and nothing on standard output. */
static void
check_refused (Fixture *f, const char *words, const char *said)
{
  vdctl (f, words);
  g_assert_cmpint (f->code, !=, 0);
  g_assert_cmpstr (f->out, ==, "");
  g_assert_nonnull (strstr (f->err, said));
  g_assert_cmpint (strcspn (f->err, "\n"), ==, strlen (f->err) - 1);
}

static JsonNode *
list (Fixture *f)
{
  g_autoptr (JsonParser) parser = json_parser_new ();

  vdctl (f, "--json list");
  g_assert_cmpint (f->code, ==, 0);
  g_assert_true (json_parser_load_from_data (parser, f->out, -1, NULL));
  return json_parser_steal_root (parser);
}

static guint
count (Fixture *f)
{
  g_autoptr (JsonNode) node = list (f);

  return json_array_get_length (json_node_get_array (node));
}

static void
test_words (Fixture *f, gconstpointer data)
{
  vdctl (f, "");
  g_assert_cmpint (f->code, ==, 2);
  g_assert_nonnull (strstr (f->err, "screenshot"));
  vdctl (f, "--help");
  g_assert_cmpint (f->code, ==, 0);
  g_assert_nonnull (strstr (f->out, "--library"));
  vdctl (f, "fly");
  g_assert_cmpint (f->code, ==, 2);
}

static void
test_life (Fixture *f, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *uuid = NULL;
  JsonObject *machine;

  g_assert_cmpuint (count (f), ==, 0);
  vdctl (f, "create --sample --memory 300M");
  g_assert_cmpint (f->code, ==, 0);
  uuid = g_strdup (g_strstrip (f->out));
  g_assert_true (g_uuid_string_is_valid (uuid));
  node = list (f);
  machine = json_array_get_object_element (json_node_get_array (node), 0);
  g_assert_cmpstr (json_object_get_string_member (machine, "uuid"), ==, uuid);
  g_assert_cmpstr (json_object_get_string_member (machine, "state"), ==, "off");
  machine = json_object_get_object_member (machine, "config");
  g_assert_cmpint (json_object_get_int_member (machine, "memory"), ==, 300 << 20);
  vdctl (f, "show Sample");
  g_assert_cmpint (f->code, ==, 0);
  g_assert_nonnull (strstr (f->out, uuid));
  vdctl (f, "delete Sample");
  g_assert_cmpint (f->code, ==, 0);
  g_assert_cmpuint (count (f), ==, 0);
}

static void
test_refused (Fixture *f, gconstpointer data)
{
  app_test_write (f->folder, "text", "not a kernel, nor anything else");
  check_refused (f, "create --kernel text", "text");
  check_refused (f, "create text", "text");
  check_refused (f, "create --kernel nowhere", "nowhere");
  check_refused (f, "create --sample --memory 5Q", "5Q");
  check_refused (f, "create --sample --cpus 100", "processors");
  check_refused (f, "create --sample --disk nowhere", "nowhere");
  check_refused (f, "show Nobody", "Nobody");
  check_refused (f, "start Nobody", "Nobody");
  check_refused (f, "delete Nobody", "Nobody");
  g_assert_cmpuint (count (f), ==, 0);
}

/* What a stranger's folder says to the terminal is not said. */
static void
test_escapes (Fixture *f, gconstpointer data)
{
  static const char *const words[] = { "list", "show [2Jevil", "show evil\033[2J" };
  g_autofree char *folder = NULL;

  vdctl (f, "list");
  folder = g_build_filename (f->folder, "library", "machines", "evil\033[2J", NULL);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  app_test_write (folder, "machine.ini", "no \033[2J key\n");
  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    vdctl (f, words[i]);
    g_assert_null (strchr (f->out, '\033'));
    g_assert_null (strchr (f->err, '\033'));
  }
  g_assert_nonnull (strstr (f->out, "damaged"));
  g_assert_cmpuint (count (f), ==, 1);
}

static void
test_strange_library (Fixture *f, gconstpointer data)
{
  g_autofree char *folder = g_build_filename (f->folder, "l\xff", NULL);

  vdctl (f, "--library='l\xff' list");
  g_assert_cmpint (f->code, ==, 2);
  g_assert_cmpint (strcspn (f->err, "\n"), ==, strlen (f->err) - 1);
  g_assert_false (g_file_test (folder, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/vdctl/words", Fixture, NULL, set_up, test_words, tear_down);
  g_test_add ("/vdctl/life", Fixture, NULL, set_up, test_life, tear_down);
  g_test_add ("/vdctl/refused", Fixture, NULL, set_up, test_refused, tear_down);
  g_test_add ("/vdctl/escapes", Fixture, NULL, set_up, test_escapes, tear_down);
  g_test_add ("/vdctl/strange-library", Fixture, NULL, set_up, test_strange_library, tear_down);
  return g_test_run ();
}
