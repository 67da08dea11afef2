/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vdctl serve: owns the library where there is no display. A window that opens takes
 * it over: what is off at once, what runs when it stops.
 */
#include "tools/vdctl.h"
#include "vd-error.h"

#include <glib-unix.h>
#include <glib/gi18n-lib.h>

typedef struct {
  VdLibrary *library;
  VdService *service; /* NULL without a bus */
  GDBusConnection *connection;
  GMainLoop *loop;
  gboolean released;
} Server;

/* A window may take the name at any time, and the process ends soon after: nothing depends on the
 * answers, so they are not waited for. */
static void
ask_bus (Server *self, const char *method, GVariant *args)
{
  g_dbus_connection_call (self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                          "org.freedesktop.DBus", method, args, NULL, G_DBUS_CALL_FLAGS_NONE, -1,
                          NULL, NULL, NULL);
}

static void
take_name (Server *self)
{
  g_autofree char *name = vd_service_make_name (vd_library_get_path (self->library));

  ask_bus (
    self, "RequestName",
    g_variant_new ("(su)", name,
                   G_BUS_NAME_OWNER_FLAGS_ALLOW_REPLACEMENT | G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE));
}

static void
drop_name (Server *self)
{
  g_autofree char *name = vd_service_make_name (vd_library_get_path (self->library));

  ask_bus (self, "ReleaseName", g_variant_new ("(s)", name));
}

static void
quit_when_empty (Server *self)
{
  if (self->released && g_list_model_get_n_items (vd_library_get_machines (self->library)) == 0)
    g_main_loop_quit (self->loop);
}

static void
on_released (Server *self)
{
  self->released = TRUE;
  drop_name (self);
  g_message ("the library was taken over");
  quit_when_empty (self);
}

static gboolean
on_signal (gpointer data)
{
  Server *self = data;

  g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

static gboolean
open_bus (Server *self, GError **error)
{
  self->connection = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, NULL);
  if (self->connection == NULL)
    return TRUE;
  g_dbus_connection_set_exit_on_close (self->connection, FALSE);
  self->service = vd_service_new (self->library, self->connection, TRUE, error);
  if (self->service == NULL)
    return FALSE;
  g_signal_connect_swapped (self->service, "released", G_CALLBACK (on_released), self);
  take_name (self);
  return TRUE;
}

static void
on_started (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;

  if (!vd_job_wait_finish (VD_JOB (source), result, &error))
    g_printerr ("vdctl: %s\n", error->message);
}

static gboolean
start_machine (Server *self, const char *name, GError **error)
{
  VdMachine *machine = vd_library_find (self->library, name);
  g_autoptr (VdJob) job = NULL;

  if (machine == NULL) {
    g_set_error (error, VD_ERROR, VD_ERROR_NOT_FOUND,
                 _("There is no machine “%s”, or more than one; see “vdctl list”."), name);
    return FALSE;
  }
  job = vd_machine_start (machine);
  vd_job_wait_async (job, NULL, on_started, NULL);
  return TRUE;
}

static gboolean
begin (Server *self, char **names, GError **error)
{
  const char *notice = vd_library_get_notice (self->library);

  if (notice != NULL)
    g_printerr ("%s\n", notice);
  if (!open_bus (self, error))
    return FALSE;
  if (self->connection == NULL && *names == NULL) {
    g_set_error_literal (
      error, VD_ERROR, VD_ERROR_FAILED,
      _("There is no session bus over which anybody could ask for anything; name "
        "the machines to start, or run it under dbus-run-session."));
    return FALSE;
  }
  for (; *names != NULL; names++)
    if (!start_machine (self, *names, error))
      return FALSE;
  return TRUE;
}

static void
serve (Server *self)
{
  GListModel *machines = vd_library_get_machines (self->library);
  guint interrupt = g_unix_signal_add (SIGINT, on_signal, self);
  guint terminate = g_unix_signal_add (SIGTERM, on_signal, self);
  gulong changed =
    g_signal_connect_swapped (machines, "items-changed", G_CALLBACK (quit_when_empty), self);

  g_print (_("Serving %s\n"), vd_library_get_path (self->library));
  g_main_loop_run (self->loop);
  g_signal_handler_disconnect (machines, changed);
  g_source_remove (interrupt);
  g_source_remove (terminate);
}

static void
end (Server *self)
{
  vd_library_close (self->library);
  /* Whoever took it over waits for the answer. */
  if (self->connection != NULL)
    g_dbus_connection_flush_sync (self->connection, NULL, NULL);
  g_clear_object (&self->service);
  g_clear_object (&self->connection);
  g_clear_object (&self->library);
  g_clear_pointer (&self->loop, g_main_loop_unref);
}

VdctlStatus
vdctl_serve (const VdctlOptions *options, int argc, char **argv)
{
  Server server = { 0 };
  GError *error = NULL;

  if (!vdctl_parse (
        &argc, &argv, _("[MACHINE…]"),
        _("Owns the library and keeps machines running where there is no display, until "
          "SIGTERM. Starts the machines that are named."),
        NULL, 0, G_MAXINT))
    return VDCTL_USAGE;
  server.library = vd_library_open (options->path, &error);
  if (server.library == NULL)
    return vdctl_fail (error);
  server.loop = g_main_loop_new (NULL, FALSE);
  if (begin (&server, argv + 1, &error))
    serve (&server);
  end (&server);
  return error == NULL ? VDCTL_OK : vdctl_fail (error);
}
