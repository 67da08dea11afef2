/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdApplication: what is shown while another process has the library, and the end.
 */
#include "library/vd-file.h"
#include "library/vd-lock.h"
#include "ui-test.h"
#include "vd-application.h"
#include "vd-error.h"
#include "vd-service.h"

typedef struct {
  char *path;
  VdApplication *application;
  GDBusConnection *owner; /* hangs: what is asked of it is lost */
  VdLock *lock;
  guint n_waited, n_opened;
  gboolean drop;
} Fixture;

static GDBusMessage *
swallow (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer data)
{
  if (!incoming || g_strcmp0 (g_dbus_message_get_interface (message), VD_SERVICE_INTERFACE) != 0)
    return message;
  g_object_unref (message);
  return NULL;
}

static void
take_lock (Fixture *fixture, gboolean named)
{
  g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SESSION, NULL, NULL);
  g_autofree char *file = g_build_filename (fixture->path, "lock", NULL);
  GDBusConnectionFlags flags =
    G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION;

  fixture->owner = g_dbus_connection_new_for_address_sync (address, flags, NULL, NULL, NULL);
  g_assert_nonnull (fixture->owner);
  g_dbus_connection_add_filter (fixture->owner, swallow, NULL, NULL);
  fixture->lock = vd_lock_take (file, NULL);
  g_assert_nonnull (fixture->lock);
  g_assert_true (vd_lock_write (
    fixture->lock, named ? g_dbus_connection_get_unique_name (fixture->owner) : NULL, NULL, NULL));
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->path = g_dir_make_tmp ("virtdesk-XXXXXX", NULL);
  fixture->application = vd_application_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autofree char *lock = g_build_filename (fixture->path, "lock", NULL);

  g_clear_pointer (&fixture->lock, vd_lock_remove);
  g_clear_object (&fixture->owner);
  g_object_unref (fixture->application);
  g_assert_false (g_file_test (lock, G_FILE_TEST_EXISTS));
  g_assert_true (vd_folder_remove (fixture->path, NULL));
  g_free (fixture->path);
}

static gboolean
watch (gpointer data)
{
  Fixture *fixture = data;
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (fixture->application));
  gboolean opened = vd_application_get_library (fixture->application) != NULL;

  if (window == NULL || !gtk_widget_get_mapped (GTK_WIDGET (window)))
    return G_SOURCE_CONTINUE;
  if (!opened) {
    g_assert_nonnull (
      ui_test_find (GTK_WIDGET (window), GTK_TYPE_LABEL, "Waiting for the Library"));
    fixture->n_waited++;
  } else {
    fixture->n_opened++;
  }
  if (!opened && fixture->drop)
    g_clear_pointer (&fixture->lock, vd_lock_remove);
  else
    g_action_group_activate_action (G_ACTION_GROUP (fixture->application), "quit", NULL);
  return G_SOURCE_CONTINUE;
}

static void
run (Fixture *fixture)
{
  char *argv[] = { "virtdesk", "--library", fixture->path, NULL };
  guint source = g_timeout_add (10, watch, fixture);

  g_assert_cmpint (g_application_run (G_APPLICATION (fixture->application), 3, argv), ==, 0);
  g_source_remove (source);
}

static void
test_open_and_quit (Fixture *fixture, gconstpointer data)
{
  g_autofree char *name = vd_service_make_name (fixture->path);

  run (fixture);
  /* Another library is another instance. */
  g_assert_cmpstr (g_application_get_application_id (G_APPLICATION (fixture->application)), ==,
                   name);
  g_assert_cmpstr (name, !=, APP_ID);
  g_assert_cmpuint (fixture->n_waited, ==, 0);
  g_assert_cmpuint (fixture->n_opened, ==, 1);
  g_assert_false (vd_service_is_owned (fixture->path));
}

/* The owner hangs: a window says so, and Quit works. */
static void
test_owner_hangs (Fixture *fixture, gconstpointer data)
{
  take_lock (fixture, TRUE);
  run (fixture);
  g_assert_cmpuint (fixture->n_waited, ==, 1);
  g_assert_cmpuint (fixture->n_opened, ==, 0);
}

/* The owner cannot be asked yet, and ends while it is waited for. */
static void
test_owner_ends (Fixture *fixture, gconstpointer data)
{
  take_lock (fixture, FALSE);
  fixture->drop = TRUE;
  run (fixture);
  g_assert_cmpuint (fixture->n_waited, >=, 1);
  g_assert_cmpuint (fixture->n_opened, ==, 1);
  g_assert_false (vd_service_is_owned (fixture->path));
}

#define ADD(name, function)                                                                        \
  g_test_add ("/application/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("open-and-quit", test_open_and_quit);
  ADD ("owner-hangs", test_owner_hangs);
  ADD ("owner-ends", test_owner_ends);
  return g_test_run ();
}
