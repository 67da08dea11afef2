/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who owns what: a second process (this program, with --serve) owns a library over a
 * private bus, as vdctl serve does; here are its client and the window that takes it
 * over. Engines are fake, processes and bus are real.
 */
#include "app-test.h"
#include "dbus/vd-client.h"
#include "dbus/vd-variant.h"
#include "fake-engine.h"

#include <gio/gunixinputstream.h>
#include <signal.h>
#include <string.h>

typedef struct {
  char *path;
  GSubprocess *server;
  GDBusConnection *connection;
} Fixture;

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
start_server (Fixture *self, const char *mode)
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
set_up (Fixture *self, gconstpointer data)
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
tear_down (Fixture *self, gconstpointer data)
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

static VdClient *
new_client (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  VdClient *client = vd_client_new (self->path, &error);

  g_assert_no_error (error);
  return client;
}

static GVariant *
call (VdClient *client, const char *method, GVariant *args)
{
  g_autoptr (GError) error = NULL;
  GVariant *reply = vd_client_call (client, method, args, NULL, &error);

  g_assert_no_error (error);
  return reply;
}

static void
do_call (VdClient *client, const char *method, const char *machine)
{
  g_variant_unref (call (client, method, g_variant_new ("(s)", machine)));
}

static void
fail_call (VdClient *client, const char *method, GVariant *args, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (vd_client_call (client, method, args, NULL, &error));
  g_assert_error (error, VD_ERROR, code);
  g_assert_false (g_str_has_prefix (error->message, "GDBus"));
}

static char *
create (VdClient *client, const char *name, VdEngineKind kind)
{
  g_autoptr (VdConfig) config = app_test_make_config (name, kind);
  g_autoptr (GVariant) reply =
    call (client, "Create", g_variant_new ("(@a{sv})", vd_config_to_variant (config)));
  char *uuid;

  g_variant_get (reply, "(s)", &uuid);
  g_assert_cmpstr (uuid, ==, vd_config_get_uuid (config));
  return uuid;
}

static void
assert_state (VdClient *client, const char *machine, const char *expected)
{
  g_autoptr (GVariant) reply = call (client, "Show", g_variant_new ("(s)", machine));
  g_autoptr (GVariant) properties = g_variant_get_child_value (reply, 0);
  const char *state = NULL;

  g_variant_lookup (properties, "state", "&s", &state);
  g_assert_cmpstr (state, ==, expected);
}

static void
exercise (VdClient *client)
{
  g_autofree char *uuid = create (client, "One", VD_ENGINE_LOCAL);
  g_autoptr (GVariant) list = NULL;
  g_autoptr (GVariant) machines = NULL;

  assert_state (client, uuid, "off");
  assert_state (client, "One", "off");
  fail_call (client, "Show", g_variant_new ("(s)", "Two"), VD_ERROR_NOT_FOUND);
  fail_call (client, "ForceOff", g_variant_new ("(s)", "One"), VD_ERROR_STATE);
  do_call (client, "Start", "One");
  assert_state (client, "One", "running");
  do_call (client, "Pause", "One");
  assert_state (client, "One", "paused");
  do_call (client, "Resume", "One");
  do_call (client, "PowerOff", "One");
  assert_state (client, "One", "stopping");
  fail_call (client, "Delete", g_variant_new ("(sb)", "One", FALSE), VD_ERROR_STATE);
  fail_call (client, "Screenshot", g_variant_new ("(s)", "One"), VD_ERROR_STATE);
  /* Off when it says so, not a moment later. */
  do_call (client, "ForceOff", "One");
  assert_state (client, "One", "off");
  do_call (client, "Start", "One");
  do_call (client, "ForceOff", "One");

  g_variant_unref (call (client, "Delete", g_variant_new ("(sb)", "One", TRUE)));
  do_call (client, "Restore", uuid);
  assert_state (client, "One", "off");
  g_variant_unref (call (client, "Delete", g_variant_new ("(sb)", "One", FALSE)));
  fail_call (client, "Restore", g_variant_new ("(s)", uuid), VD_ERROR_NOT_FOUND);
  list = call (client, "List", NULL);
  machines = g_variant_get_child_value (list, 0);
  g_assert_cmpuint (g_variant_n_children (machines), ==, 0);
}

static void
test_client (Fixture *self, gconstpointer data)
{
  g_autoptr (VdClient) client = new_client (self);
  g_autoptr (GError) error = NULL;

  g_assert_false (vd_client_is_direct (client));
  exercise (client);
  g_assert_null (vd_library_open_with (self->path, fake_engine_list_new (), &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_OWNED);
}

/* What a caller may send that is no machine. */
static void
test_hostile_create (Fixture *self, gconstpointer data)
{
  static const char *const configs[] = {
    "{'memory': <'lots'>}",
    "{'cpus': <uint64 1>}",
    "{'unheard-of': <1>}",
    "{'engine': <'steam'>}",
    "{'name': <'x'>, 'uuid': <'../../x'>}",
    "{'name': <'x'>, 'disks': <[{'path': <'relative'>}]>}",
    "{'name': <'x'>, 'disks': <[{'owned': <true>}]>}",
    "{'name': <'x'>, 'disks': <'none'>}",
    "{'name': <''>}",
  };
  g_autoptr (VdClient) client = new_client (self);

  for (guint i = 0; i < G_N_ELEMENTS (configs); i++) {
    g_autoptr (GError) error = NULL;
    GVariant *config = g_variant_parse (G_VARIANT_TYPE ("a{sv}"), configs[i], NULL, NULL, &error);

    g_assert_no_error (error);
    fail_call (client, "Create", g_variant_new ("(@a{sv})", config), VD_ERROR_INVALID);
    g_variant_unref (config);
  }
}

static void
on_taken (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

static gboolean
is_set (gpointer pointer)
{
  return *(gpointer *) pointer != NULL;
}

static gboolean
take_over (Fixture *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  vd_service_take_over_async (self->connection, self->path, cancellable, on_taken, &result);
  app_test_wait_until (is_set, &result);
  return vd_service_take_over_finish (result, error);
}

/* Whoever says that it owns the library. */
static void
test_hostile_owner (Fixture *self, gconstpointer data)
{
  static const char *const methods[] = { "Show", "Start", "Wait", "Restore" };
  g_autoptr (VdClient) client = new_client (self);
  g_autoptr (GError) error = NULL;
  int fd = -1;

  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    fail_call (client, methods[i], g_variant_new ("(s)", "One"), VD_ERROR_FAILED);
  fail_call (client, "List", NULL, VD_ERROR_FAILED);
  g_assert_null (vd_client_call (client, "Screenshot", g_variant_new ("(s)", "One"), &fd, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_FAILED);
  g_assert_cmpint (fd, ==, -1);
}

static void
test_take_over_stopped (Fixture *self, gconstpointer data)
{
  g_autoptr (VdClient) client = new_client (self);
  g_autofree char *uuid = create (client, "One", VD_ENGINE_LOCAL);
  g_autoptr (VdLibrary) library = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (take_over (self, NULL, &error));
  g_assert_no_error (error);
  library = vd_library_open_with (self->path, fake_engine_list_new (), &error);
  g_assert_no_error (error);
  g_assert_cmpint (vd_machine_get_state (vd_library_find (library, uuid)), ==, VD_MACHINE_OFF);
  app_test_succeeds (vd_machine_start (vd_library_find (library, uuid)));
  /* Nothing was left to do for the other one. */
  g_assert_true (g_subprocess_wait_check (self->server, NULL, &error));
  vd_library_close (library);
}

/* A window: takes the library over and stands on the bus itself. */
static VdLibrary *
become_window (Fixture *self, VdService **service)
{
  g_autoptr (GError) error = NULL;
  VdLibrary *library;

  g_assert_true (take_over (self, NULL, &error));
  library = vd_library_open_with (self->path, fake_engine_list_new (), &error);
  g_assert_no_error (error);
  *service = vd_service_new (library, self->connection, FALSE, &error);
  g_assert_no_error (error);
  return library;
}

static gboolean
force_off (gpointer data)
{
  g_autoptr (VdClient) client = new_client (data);

  do_call (client, "ForceOff", "Runs");
  return G_SOURCE_REMOVE;
}

static void
test_take_over_running (Fixture *self, gconstpointer data)
{
  g_autoptr (GVariant) waited = NULL;
  const char *state;
  g_autoptr (VdClient) client = new_client (self);
  g_autoptr (VdClient) later = NULL;
  g_autofree char *running = create (client, "Runs", VD_ENGINE_LOCAL);
  g_autofree char *big = create (client, "Big", VD_ENGINE_LIBVIRT);
  g_autofree char *off = create (client, "Off", VD_ENGINE_LOCAL);
  g_autoptr (VdService) service = NULL;
  g_autoptr (VdLibrary) library = NULL;
  g_autoptr (GError) error = NULL;

  do_call (client, "Start", "Runs");
  do_call (client, "Start", "Big");
  library = become_window (self, &service);
  g_assert_cmpint (vd_machine_get_state (vd_library_find (library, off)), ==, VD_MACHINE_OFF);
  g_assert_cmpint (vd_machine_get_state (vd_library_find (library, running)), ==,
                   VD_MACHINE_ELSEWHERE);
  g_assert_cmpint (vd_machine_get_state (vd_library_find (library, big)), ==, VD_MACHINE_ELSEWHERE);
  g_assert_null (vd_library_get_notice (library));
  app_test_fails (vd_machine_start (vd_library_find (library, running)), VD_ERROR_OWNED);
  app_test_fails (vd_library_delete (library, vd_library_find (library, running)), VD_ERROR_STATE);
  /* It was given once. */
  g_assert_false (take_over (self, NULL, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_OWNED);
  g_clear_error (&error);

  /* Who asks the window for it is led to the process that runs it. */
  later = new_client (self);
  g_idle_add (force_off, self);
  waited = call (later, "Wait", g_variant_new ("(s)", "Runs"));
  g_variant_get (waited, "(&s)", &state);
  g_assert_cmpstr (state, ==, "off");
  app_test_wait_for_state (vd_library_find (library, running), VD_MACHINE_OFF);
  app_test_succeeds (vd_machine_start (vd_library_find (library, running)));
  /* The other process had only what can go on without it, and went; so that comes here as it runs.
   */
  app_test_wait_for_state (vd_library_find (library, big), VD_MACHINE_RUNNING);
  g_assert_true (g_subprocess_wait_check (self->server, NULL, &error));
  app_test_succeeds (vd_machine_force_off (vd_library_find (library, big)));
  vd_library_close (library);
}

static void
test_take_over_surviving (Fixture *self, gconstpointer data)
{
  g_autoptr (VdClient) client = new_client (self);
  g_autofree char *big = create (client, "Big", VD_ENGINE_LIBVIRT);
  g_autoptr (VdService) service = NULL;
  g_autoptr (VdLibrary) library = NULL;
  g_autoptr (GError) error = NULL;

  do_call (client, "Start", "Big");
  library = become_window (self, &service);
  app_test_wait_for_state (vd_library_find (library, big), VD_MACHINE_RUNNING);
  g_assert_true (g_subprocess_wait_check (self->server, NULL, &error));
  vd_library_close (library);
}

static void
test_holder_dies (Fixture *self, gconstpointer data)
{
  g_autoptr (VdClient) client = new_client (self);
  g_autofree char *uuid = create (client, "Runs", VD_ENGINE_LOCAL);
  g_autoptr (VdService) service = NULL;
  g_autoptr (VdLibrary) library = NULL;
  VdMachine *machine;

  do_call (client, "Start", "Runs");
  library = become_window (self, &service);
  machine = vd_library_find (library, uuid);
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_ELSEWHERE);
  g_subprocess_send_signal (self->server, SIGKILL);
  app_test_wait_for_state (machine, VD_MACHINE_CRASHED);
  g_assert_nonnull (vd_machine_get_problem (machine));
  app_test_succeeds (vd_machine_start (machine));
  vd_library_close (library);
}

static void
test_owner_dies (Fixture *self, gconstpointer data)
{
  g_autoptr (VdClient) client = new_client (self);
  g_autofree char *uuid = create (client, "Runs", VD_ENGINE_LOCAL);
  g_autoptr (VdLibrary) library = NULL;
  g_autoptr (GError) error = NULL;

  do_call (client, "Start", "Runs");
  g_subprocess_send_signal (self->server, SIGKILL);
  g_subprocess_wait (self->server, NULL, NULL);
  library = vd_library_open_with (self->path, fake_engine_list_new (), &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (vd_library_get_notice (library), "Runs"));
  g_assert_cmpint (vd_machine_get_state (vd_library_find (library, uuid)), ==, VD_MACHINE_CRASHED);
  app_test_succeeds (vd_machine_start (vd_library_find (library, uuid)));
  vd_library_close (library);
}

static void
test_window_keeps (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (take_over (self, NULL, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_OWNED);
}

typedef struct {
  VdClient *client;
  GVariant *reply;
} Second;

static gboolean
take_second_picture (gpointer data)
{
  Second *second = data;

  second->reply = call (second->client, "Screenshot", g_variant_new ("(s)", "One"));
  return G_SOURCE_REMOVE;
}

/* Two at once, of one machine: each gets its own, and nothing is left. */
static void
test_two_pictures (Fixture *self, gconstpointer data)
{
  g_autoptr (VdClient) client = new_client (self);
  g_autofree char *uuid = create (client, "One", VD_ENGINE_AUTO);
  g_autofree char *machines = g_build_filename (self->path, VD_MACHINES_FOLDER, NULL);
  g_autofree char *folder = g_build_filename (machines, uuid, NULL);
  g_autoptr (GDir) dir = NULL;
  Second second = { NULL, NULL };

  g_clear_pointer (&client, vd_client_free);
  app_test_write (folder, VD_SCREENSHOT_FILE, "a picture");
  client = second.client = new_client (self);
  g_idle_add (take_second_picture, &second);
  g_variant_unref (call (client, "Screenshot", g_variant_new ("(s)", "One")));
  while (second.reply == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_variant_unref (second.reply);
  dir = g_dir_open (machines, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (dir), ==, uuid);
  g_assert_null (g_dir_read_name (dir));
}

static void
test_names (Fixture *self, gconstpointer data)
{
  g_autofree char *usual = vd_service_make_name (NULL);
  g_autofree char *default_path = vd_library_default_path ();
  g_autofree char *usual_too = vd_service_make_name (default_path);
  g_autofree char *one = vd_service_make_name ("/tmp/one");
  g_autofree char *one_too = vd_service_make_name ("/tmp/x/../one/");
  g_autofree char *two = vd_service_make_name ("/tmp/two");

  g_assert_cmpstr (usual, ==, VD_SERVICE_NAME);
  g_assert_cmpstr (usual_too, ==, VD_SERVICE_NAME);
  g_assert_cmpstr (one, ==, one_too);
  g_assert_cmpstr (one, !=, usual);
  g_assert_cmpstr (one, !=, two);
  g_assert_true (g_application_id_is_valid (one));
}

static VdLock *
take_lock (Fixture *self, const char *bus_name)
{
  g_autofree char *path = g_build_filename (self->path, VD_LOCK_FILE, NULL);
  g_autoptr (GError) error = NULL;
  VdLock *lock;

  g_assert_cmpint (g_mkdir_with_parents (self->path, 0700), ==, 0);
  lock = vd_lock_take (path, &error);
  g_assert_no_error (error);
  g_assert_true (vd_lock_write (lock, bus_name, NULL, &error));
  return lock;
}

static gboolean
drop_lock (gpointer data)
{
  VdLock **lock = data;

  g_clear_pointer (lock, vd_lock_remove);
  return G_SOURCE_REMOVE;
}

/* Who has just opened it has no name yet, or is soon done with it. */
static void
test_nameless_owner (Fixture *self, gconstpointer data)
{
  g_autoptr (VdClient) client = NULL;
  g_autoptr (GError) error = NULL;
  VdLock *lock = take_lock (self, NULL);

  g_idle_add (drop_lock, &lock);
  g_assert_true (take_over (self, NULL, &error));
  g_assert_null (lock);

  lock = take_lock (self, NULL);
  g_idle_add (drop_lock, &lock);
  client = new_client (self);
  g_assert_true (vd_client_is_direct (client));
}

static GDBusMessage *
swallow (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer data)
{
  if (!incoming || g_strcmp0 (g_dbus_message_get_member (message), "Release") != 0)
    return message;
  g_idle_add_once ((GSourceOnceFunc) g_cancellable_cancel, data);
  g_object_unref (message);
  return NULL;
}

/* An owner that never answers: the main loop goes on, and one can give up. */
static void
test_owner_hangs (Fixture *self, gconstpointer data)
{
  g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SESSION, NULL, NULL);
  g_autoptr (GDBusConnection) hung = g_dbus_connection_new_for_address_sync (
    address,
    G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
    NULL, NULL, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  VdLock *lock = take_lock (self, g_dbus_connection_get_unique_name (hung));

  g_dbus_connection_add_filter (hung, swallow, cancellable, NULL);
  g_assert_true (vd_service_is_owned (self->path));
  g_assert_false (take_over (self, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  drop_lock (&lock);
  g_assert_false (vd_service_is_owned (self->path));
}

/* Nobody owns it: the client does, over a pair of sockets, and with the real engines. */
static void
test_direct (Fixture *self, gconstpointer data)
{
  g_autoptr (VdClient) client = new_client (self);
  g_autofree char *uuid = NULL;
  g_autofree char *owner = NULL;

  g_assert_true (vd_client_is_direct (client));
  uuid = create (client, "One", VD_ENGINE_AUTO);
  assert_state (client, "One", "off");
  fail_call (client, "Show", g_variant_new ("(s)", "Two"), VD_ERROR_NOT_FOUND);
  g_variant_unref (call (client, "Delete", g_variant_new ("(sb)", "One", FALSE)));
  g_assert_true (vd_library_find_owner (self->path, &owner));
  g_assert_null (owner);
  g_clear_pointer (&client, vd_client_free);
  g_assert_false (vd_library_find_owner (self->path, &owner));
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name, *server;
    void (*func) (Fixture *self, gconstpointer data);
  } tests[] = {
    { "client", "--serve", test_client },
    { "hostile-create", "--serve", test_hostile_create },
    { "hostile-owner", "--nonsense", test_hostile_owner },
    { "take-over-stopped", "--serve", test_take_over_stopped },
    { "take-over-running", "--serve", test_take_over_running },
    { "take-over-surviving", "--serve", test_take_over_surviving },
    { "holder-dies", "--serve", test_holder_dies },
    { "owner-dies", "--serve", test_owner_dies },
    { "window-keeps", "--window", test_window_keeps },
    { "direct", NULL, test_direct },
    { "two-pictures", NULL, test_two_pictures },
    { "names", NULL, test_names },
    { "nameless-owner", NULL, test_nameless_owner },
    { "owner-hangs", NULL, test_owner_hangs },
  };
  g_autoptr (GTestDBus) bus = NULL;
  int status;

  if (argc == 3 && g_str_equal (argv[1], "--nonsense"))
    return serve_nonsense (argv[2]);
  if (argc == 3 && g_str_has_prefix (argv[1], "--"))
    return serve (argv[2], g_str_equal (argv[1], "--serve"));
  g_test_init (&argc, &argv, NULL);
  bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (bus);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++) {
    g_autofree char *path = g_strconcat ("/service/", tests[i].name, NULL);

    g_test_add (path, Fixture, tests[i].server, set_up, tests[i].func, tear_down);
  }
  status = g_test_run ();
  g_test_dbus_stop (bus);
  return status;
}
