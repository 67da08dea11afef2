/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The two processes of the tests of VdService.
 */
#include "service-test.h"
#include "dbus/vd-variant.h"
#include "fake-engine.h"

#include <gio/gunixinputstream.h>

/* The other process. */
static void
on_released (VdService *service, gpointer released)
{
  *(gboolean *) released = TRUE;
}

static gboolean
on_parent_gone (GObject *stream, gpointer data)
{
  exit (1);
}

/* Ends with the test, however that ends. */
static void
watch_parent (void)
{
  g_autoptr (GInputStream) input = g_unix_input_stream_new (0, FALSE);
  g_autoptr (GSource) source =
    g_pollable_input_stream_create_source (G_POLLABLE_INPUT_STREAM (input), NULL);

  g_source_set_callback (source, G_SOURCE_FUNC (on_parent_gone), NULL, NULL);
  g_source_attach (source, NULL);
}

static int
serve (const char *path, gboolean releases)
{
  g_autoptr (GDBusConnection) connection = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, NULL);
  g_autoptr (VdLibrary) library = vd_library_open_with (path, fake_engine_list_new (), NULL);
  g_autoptr (VdService) service = vd_service_new (library, connection, releases, NULL);
  GListModel *machines = vd_library_get_machines (library);
  gboolean released = FALSE;

  g_signal_connect (service, "released", G_CALLBACK (on_released), &released);
  watch_parent ();
  g_print ("ready\n");
  while (!released || g_list_model_get_n_items (machines) > 0)
    g_main_context_iteration (NULL, TRUE);
  g_dbus_connection_flush_sync (connection, NULL, NULL);
  vd_library_close (library);
  return 0;
}

/* What comes is no answer to anything. */
static GDBusMessage *
answer_nonsense (GDBusConnection *connection,
                 GDBusMessage *message,
                 gboolean incoming,
                 gpointer data)
{
  g_autoptr (GDBusMessage) answer = NULL;

  if (!incoming || g_dbus_message_get_message_type (message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    return message;
  answer = g_dbus_message_new_method_reply (message);
  g_dbus_message_set_body (answer, g_variant_new ("(i)", 7));
  g_dbus_connection_send_message (connection, answer, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
  g_object_unref (message);
  return NULL;
}

static int
serve_nonsense (const char *path)
{
  g_autoptr (GDBusConnection) connection = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, NULL);
  g_autoptr (VdLibrary) library = vd_library_open_with (path, fake_engine_list_new (), NULL);

  vd_library_set_bus_name (library, g_dbus_connection_get_unique_name (connection));
  g_dbus_connection_add_filter (connection, answer_nonsense, NULL, NULL);
  watch_parent ();
  g_print ("ready\n");
  while (library != NULL)
    g_main_context_iteration (NULL, TRUE);
  return 1;
}

static void
start_server (ServiceTest *self, const char *mode)
{
  g_autoptr (GError) error = NULL;
  char line[6] = "";
  gsize n;

  self->server = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE,
                                   &error, "/proc/self/exe", mode, self->path, NULL);
  g_assert_no_error (error);
  g_input_stream_read_all (g_subprocess_get_stdout_pipe (self->server), line, sizeof line, &n, NULL,
                           &error);
  g_assert_no_error (error);
  g_assert_cmpmem (line, n, "ready\n", 6);
}

static void
set_up (ServiceTest *self, gconstpointer data)
{
  g_autofree char *folder = app_test_make_folder ();
  g_autoptr (GError) error = NULL;

  self->path = g_build_filename (folder, "library", NULL);
  self->connection = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, &error);
  g_assert_no_error (error);
  if (data != NULL)
    start_server (self, data);
}

static void
tear_down (ServiceTest *self, gconstpointer data)
{
  if (self->server != NULL) {
    g_subprocess_force_exit (self->server);
    g_subprocess_wait (self->server, NULL, NULL);
  }
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_clear_object (&self->server);
  g_clear_object (&self->connection);
  app_test_remove_folder (g_path_get_dirname (self->path));
  g_free (self->path);
}

VdClient *
service_test_new_client (ServiceTest *self)
{
  g_autoptr (GError) error = NULL;
  VdClient *client = vd_client_new (self->path, &error);

  g_assert_no_error (error);
  return client;
}

GVariant *
service_test_call (VdClient *client, const char *method, GVariant *args)
{
  g_autoptr (GError) error = NULL;
  GVariant *reply = vd_client_call (client, method, args, NULL, &error);

  g_assert_no_error (error);
  return reply;
}

void
service_test_do_call (VdClient *client, const char *method, const char *machine)
{
  g_variant_unref (service_test_call (client, method, g_variant_new ("(s)", machine)));
}

void
service_test_fail_call (VdClient *client, const char *method, GVariant *args, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (vd_client_call (client, method, args, NULL, &error));
  g_assert_error (error, VD_ERROR, code);
  g_assert_false (g_str_has_prefix (error->message, "GDBus"));
}

char *
service_test_create (VdClient *client, const char *name, VdEngineKind kind)
{
  g_autoptr (VdConfig) config = app_test_make_config (name, kind);
  g_autoptr (GVariant) reply =
    service_test_call (client, "Create", g_variant_new ("(@a{sv})", vd_config_to_variant (config)));
  char *uuid;

  g_variant_get (reply, "(s)", &uuid);
  g_assert_cmpstr (uuid, ==, vd_config_get_uuid (config));
  return uuid;
}

void
service_test_assert_state (VdClient *client, const char *machine, const char *expected)
{
  g_autoptr (GVariant) reply = service_test_call (client, "Show", g_variant_new ("(s)", machine));
  g_autoptr (GVariant) properties = g_variant_get_child_value (reply, 0);
  const char *state = NULL;

  g_variant_lookup (properties, "state", "&s", &state);
  g_assert_cmpstr (state, ==, expected);
}

int
service_test_main (int argc, char **argv, const ServiceTestCase *cases, guint n_cases)
{
  g_autoptr (GTestDBus) bus = NULL;
  int status;

  if (argc == 3 && g_str_equal (argv[1], "--nonsense"))
    return serve_nonsense (argv[2]);
  if (argc == 3 && g_str_has_prefix (argv[1], "--"))
    return serve (argv[2], g_str_equal (argv[1], "--serve"));
  g_test_init (&argc, &argv, NULL);
  bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (bus);
  for (guint i = 0; i < n_cases; i++) {
    g_autofree char *path = g_strconcat ("/service/", cases[i].name, NULL);

    g_test_add (path, ServiceTest, cases[i].server, set_up, cases[i].func, tear_down);
  }
  status = g_test_run ();
  g_test_dbus_stop (bus);
  return status;
}
