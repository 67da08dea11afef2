/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who owns what: the window takes a library over from the process that has it, which may hang or
 * die.
 */
#include "service-test.h"
#include "fake-engine.h"

#include <signal.h>
#include <string.h>

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
take_over (ServiceTest *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  vd_service_take_over_async (self->connection, self->path, cancellable, on_taken, &result);
  app_test_wait_until (is_set, &result);
  return vd_service_take_over_finish (result, error);
}

static void
test_take_over_stopped (ServiceTest *self, gconstpointer data)
{
  g_autoptr (VdClient) client = service_test_new_client (self);
  g_autofree char *uuid = service_test_create (client, "One", VD_ENGINE_LOCAL);
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
become_window (ServiceTest *self, VdService **service)
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
  g_autoptr (VdClient) client = service_test_new_client (data);

  service_test_do_call (client, "ForceOff", "Runs");
  return G_SOURCE_REMOVE;
}

static void
test_take_over_running (ServiceTest *self, gconstpointer data)
{
  g_autoptr (GVariant) waited = NULL;
  const char *state;
  g_autoptr (VdClient) client = service_test_new_client (self);
  g_autoptr (VdClient) later = NULL;
  g_autofree char *running = service_test_create (client, "Runs", VD_ENGINE_LOCAL);
  g_autofree char *big = service_test_create (client, "Big", VD_ENGINE_LIBVIRT);
  g_autofree char *off = service_test_create (client, "Off", VD_ENGINE_LOCAL);
  g_autoptr (VdService) service = NULL;
  g_autoptr (VdLibrary) library = NULL;
  g_autoptr (GError) error = NULL;

  service_test_do_call (client, "Start", "Runs");
  service_test_do_call (client, "Start", "Big");
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
  later = service_test_new_client (self);
  g_idle_add (force_off, self);
  waited = service_test_call (later, "Wait", g_variant_new ("(s)", "Runs"));
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
test_take_over_surviving (ServiceTest *self, gconstpointer data)
{
  g_autoptr (VdClient) client = service_test_new_client (self);
  g_autofree char *big = service_test_create (client, "Big", VD_ENGINE_LIBVIRT);
  g_autoptr (VdService) service = NULL;
  g_autoptr (VdLibrary) library = NULL;
  g_autoptr (GError) error = NULL;

  service_test_do_call (client, "Start", "Big");
  library = become_window (self, &service);
  app_test_wait_for_state (vd_library_find (library, big), VD_MACHINE_RUNNING);
  g_assert_true (g_subprocess_wait_check (self->server, NULL, &error));
  vd_library_close (library);
}

static void
test_holder_dies (ServiceTest *self, gconstpointer data)
{
  g_autoptr (VdClient) client = service_test_new_client (self);
  g_autofree char *uuid = service_test_create (client, "Runs", VD_ENGINE_LOCAL);
  g_autoptr (VdService) service = NULL;
  g_autoptr (VdLibrary) library = NULL;
  VdMachine *machine;

  service_test_do_call (client, "Start", "Runs");
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
test_owner_dies (ServiceTest *self, gconstpointer data)
{
  g_autoptr (VdClient) client = service_test_new_client (self);
  g_autofree char *uuid = service_test_create (client, "Runs", VD_ENGINE_LOCAL);
  g_autoptr (VdLibrary) library = NULL;
  g_autoptr (GError) error = NULL;

  service_test_do_call (client, "Start", "Runs");
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
test_window_keeps (ServiceTest *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (take_over (self, NULL, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_OWNED);
}

static VdLock *
take_lock (ServiceTest *self, const char *bus_name)
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
test_nameless_owner (ServiceTest *self, gconstpointer data)
{
  g_autoptr (VdClient) client = NULL;
  g_autoptr (GError) error = NULL;
  VdLock *lock = take_lock (self, NULL);

  g_idle_add (drop_lock, &lock);
  g_assert_true (take_over (self, NULL, &error));
  g_assert_null (lock);

  lock = take_lock (self, NULL);
  g_idle_add (drop_lock, &lock);
  client = service_test_new_client (self);
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
test_owner_hangs (ServiceTest *self, gconstpointer data)
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

int
main (int argc, char **argv)
{
  static const ServiceTestCase cases[] = {
    { "take-over-stopped", "--serve", test_take_over_stopped },
    { "take-over-running", "--serve", test_take_over_running },
    { "take-over-surviving", "--serve", test_take_over_surviving },
    { "holder-dies", "--serve", test_holder_dies },
    { "owner-dies", "--serve", test_owner_dies },
    { "window-keeps", "--window", test_window_keeps },
    { "nameless-owner", NULL, test_nameless_owner },
    { "owner-hangs", NULL, test_owner_hangs },
  };

  return service_test_main (argc, argv, cases, G_N_ELEMENTS (cases));
}
