/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Taking a library over from the process that owns it: asked again while that
 * process is busy, has no name on the bus yet, or is on its way out. It may also be
 * hung, so nothing here blocks.
 *
 * Threads: main.
 */
#include "vd-service.h"
#include "library/vd-library-private.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>

#define PAUSE        200 /* ms, between two tries */
#define N_TRIES      25
#define N_NAMELESS   5     /* tries for an owner that has no name yet */
#define CALL_TIMEOUT 10000 /* ms, for one answer */

typedef struct {
  GDBusConnection *connection;
  char *path;
  guint n_tries, n_nameless;
} TakeOver;

static void
take_over_free (gpointer data)
{
  TakeOver *self = data;

  g_object_unref (self->connection);
  g_free (self->path);
  g_free (self);
}

static void try (GTask *task);

static gboolean
on_pause_over (gpointer data)
{
  if (!g_task_return_error_if_cancelled (data))
    try (g_object_ref (data));
  return G_SOURCE_REMOVE;
}

/* Takes @task. Cancelling ends the pause. */
static void
try_again (GTask *task)
{
  g_autoptr (GSource) source = g_timeout_source_new (PAUSE);
  GCancellable *cancellable = g_task_get_cancellable (task);

  if (cancellable != NULL) {
    g_autoptr (GSource) cancelled = g_cancellable_source_new (cancellable);

    g_source_set_dummy_callback (cancelled);
    g_source_add_child_source (source, cancelled);
  }
  g_source_set_callback (source, on_pause_over, task, g_object_unref);
  g_source_attach (source, NULL);
}

/* It is busy for a moment, or on its way out and still has the lock. */
static gboolean
is_passing (const GError *error)
{
  return g_error_matches (error, VD_ERROR, VD_ERROR_STATE) ||
         g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) ||
         g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER) ||
         g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  TakeOver *self = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GVariant) reply =
    g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (reply != NULL) {
    g_task_return_boolean (task, TRUE);
  } else if (is_passing (error) && self->n_tries++ < N_TRIES) {
    g_error_free (error);
    try_again (g_steal_pointer (&task));
  } else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
    g_error_free (error);
    g_task_return_new_error_literal (task, VD_ERROR, VD_ERROR_OWNED,
                                     _("The program that has the library open does not answer. "
                                       "End it and try again."));
  } else {
    g_dbus_error_strip_remote_error (error);
    g_task_return_error (task, error);
  }
}

/* An owner that has just begun will have a name in a moment. Takes @task. */
static void
wait_for_name (GTask *task)
{
  TakeOver *self = g_task_get_task_data (task);

  if (self->n_nameless++ < N_NAMELESS) {
    try_again (task);
    return;
  }
  g_task_return_new_error_literal (task, VD_ERROR, VD_ERROR_OWNED,
                                   _("Another program has the library open and cannot be asked "
                                     "for it. Close it and try again."));
  g_object_unref (task);
}

/* Takes @task. */
static void
try (GTask *task)
{
  TakeOver *self = g_task_get_task_data (task);
  g_autofree char *owner = NULL;

  if (!vd_library_find_owner (self->path, &owner)) {
    g_task_return_boolean (task, TRUE);
    g_object_unref (task);
  } else if (owner == NULL || !g_dbus_is_unique_name (owner) ||
             g_strcmp0 (owner, g_dbus_connection_get_unique_name (self->connection)) == 0) {
    wait_for_name (task);
  } else {
    g_dbus_connection_call (self->connection, owner, VD_SERVICE_PATH, VD_SERVICE_INTERFACE,
                            "Release", NULL, NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, CALL_TIMEOUT,
                            g_task_get_cancellable (task), on_answer, task);
  }
}

void
vd_service_take_over_async (GDBusConnection *connection,
                            const char *path,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer data)
{
  GTask *task = g_task_new (connection, cancellable, callback, data);
  TakeOver *self = g_new0 (TakeOver, 1);

  vd_error_quark (); /* so that the answer's error is one of ours */
  self->connection = g_object_ref (connection);
  self->path = path != NULL ? g_canonicalize_filename (path, NULL) : vd_library_default_path ();
  g_task_set_source_tag (task, vd_service_take_over_async);
  g_task_set_task_data (task, self, take_over_free);
  try (task);
}

gboolean
vd_service_take_over_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, vd_service_take_over_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

gboolean
vd_service_is_owned (const char *path)
{
  g_autofree char *folder =
    path != NULL ? g_canonicalize_filename (path, NULL) : vd_library_default_path ();
  g_autofree char *owner = NULL;

  return vd_library_find_owner (folder, &owner);
}
