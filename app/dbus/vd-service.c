/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdService: the object on the bus, and the processes that it watches because they
 * hold machines of ours. Its methods are in vd-service-calls.c.
 *
 * Threads: main.
 */
#include "dbus/vd-service-private.h"
#include "dbus/vd-service-xml.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>
#include <string.h>

enum { RELEASED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (VdService, vd_service, G_TYPE_OBJECT)

gboolean
vd_service_release (VdService *self, GError **error)
{
  if (!self->releases) {
    g_set_error_literal (error, VD_ERROR, VD_ERROR_OWNED,
                         _("VirtDesk’s window has the library open. Close it and try again."));
    return FALSE;
  }
  if (!vd_library_release (self->library, error))
    return FALSE;
  g_signal_emit (self, signals[RELEASED], 0);
  return TRUE;
}

static GVariant *
on_get_property (GDBusConnection *connection,
                 const char *sender,
                 const char *path,
                 const char *interface,
                 const char *property,
                 GError **error,
                 gpointer data)
{
  VdService *self = data;

  if (strcmp (property, "Path") == 0)
    return g_variant_new_take_string (
      g_filename_display_name (vd_library_get_path (self->library)));
  return g_variant_new_boolean (self->releases);
}

static void
on_state_changed (VdService *self, GParamSpec *pspec, VdMachine *machine)
{
  g_autofree char *uuid = g_utf8_make_valid (vd_machine_get_uuid (machine), -1);

  g_dbus_connection_emit_signal (self->connection, NULL, VD_SERVICE_PATH, VD_SERVICE_INTERFACE,
                                 "Changed", g_variant_new ("(s)", uuid), NULL);
}

/* A process that held a machine of ours is gone. */
static void
on_holder_gone (GDBusConnection *connection, const char *name, gpointer data)
{
  VdService *self = data;
  GListModel *machines = vd_library_get_machines (self->library);

  for (guint i = 0; i < g_list_model_get_n_items (machines); i++) {
    g_autoptr (VdOwnMachine) machine = g_list_model_get_item (machines, i);

    vd_own_machine_lose_holder (machine, name);
  }
}

static void
watch_holder (VdService *self, VdOwnMachine *machine)
{
  const char *holder = vd_own_machine_get_holder (machine);
  guint watch;

  if (holder == NULL || !g_dbus_is_unique_name (holder))
    return;
  watch = g_bus_watch_name_on_connection (self->connection, holder, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                          NULL, on_holder_gone, self, NULL);
  g_array_append_val (self->watches, watch);
}

static void
on_machines_changed (VdService *self,
                     guint position,
                     guint removed,
                     guint added,
                     GListModel *machines)
{
  for (guint i = position; i < position + added; i++) {
    g_autoptr (VdOwnMachine) machine = g_list_model_get_item (machines, i);

    g_signal_handlers_disconnect_by_func (machine, on_state_changed, self);
    g_signal_connect_object (machine, "notify::state", G_CALLBACK (on_state_changed), self,
                             G_CONNECT_SWAPPED);
    if (removed == 0)
      watch_holder (self, machine);
  }
}

static void
vd_service_dispose (GObject *object)
{
  VdService *self = VD_SERVICE (object);

  if (self->registration != 0)
    g_dbus_connection_unregister_object (self->connection, self->registration);
  self->registration = 0;
  for (guint i = 0; i < self->watches->len; i++)
    g_bus_unwatch_name (g_array_index (self->watches, guint, i));
  g_array_set_size (self->watches, 0);
  g_clear_object (&self->library);
  g_clear_object (&self->connection);
  G_OBJECT_CLASS (vd_service_parent_class)->dispose (object);
}

static void
vd_service_finalize (GObject *object)
{
  g_array_unref (VD_SERVICE (object)->watches);
  G_OBJECT_CLASS (vd_service_parent_class)->finalize (object);
}

static void
vd_service_class_init (VdServiceClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = vd_service_dispose;
  G_OBJECT_CLASS (klass)->finalize = vd_service_finalize;
  signals[RELEASED] = g_signal_new ("released", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                    NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
vd_service_init (VdService *self)
{
  self->watches = g_array_new (FALSE, FALSE, sizeof (guint));
}

static gboolean export (VdService *self, GError **error)
{
  static const GDBusInterfaceVTable table = { vd_service_on_call, on_get_property };
  g_autoptr (GDBusNodeInfo) info = g_dbus_node_info_new_for_xml (vd_service_xml, error);

  if (info == NULL)
    return FALSE;
  self->registration = g_dbus_connection_register_object (
    self->connection, VD_SERVICE_PATH, info->interfaces[0], &table, self, NULL, error);
  return self->registration != 0;
}

char *
vd_service_make_name (const char *path)
{
  g_autofree char *usual = vd_library_default_path ();
  g_autofree char *folder = g_canonicalize_filename (path != NULL ? path : usual, NULL);
  g_autofree char *usual_folder = g_canonicalize_filename (usual, NULL);
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, folder, -1);

  return strcmp (folder, usual_folder) == 0
           ? g_strdup (VD_SERVICE_NAME)
           : g_strdup_printf ("%s.Library%.16s", VD_SERVICE_NAME, sum);
}

VdService *
vd_service_new (VdLibrary *library, GDBusConnection *connection, gboolean releases, GError **error)
{
  g_autoptr (VdService) self = g_object_new (VD_TYPE_SERVICE, NULL);
  GListModel *machines = vd_library_get_machines (library);

  self->library = g_object_ref (library);
  self->connection = g_object_ref (connection);
  self->releases = releases;
  if (!export (self, error))
    return NULL;
  vd_library_set_bus_name (library, g_dbus_connection_get_unique_name (connection));
  g_signal_connect_object (machines, "items-changed", G_CALLBACK (on_machines_changed), self,
                           G_CONNECT_SWAPPED);
  on_machines_changed (self, 0, 0, g_list_model_get_n_items (machines), machines);
  return g_steal_pointer (&self);
}
