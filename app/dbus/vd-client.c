/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdClient.
 *
 * Threads: main.
 */
#include "dbus/vd-client.h"
#include "dbus/vd-service-xml.h"
#include "library/vd-library-private.h"
#include "vd-error.h"

#include <errno.h>
#include <gio/gunixfdlist.h>
#include <glib/gi18n-lib.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME_PAUSE 100 /* ms */
#define N_RACES    5   /* lost to others who open it at the same time */
#define N_NAMELESS 10  /* tries for an owner that has no name on the bus yet */

struct _VdClient {
  GDBusConnection *connection; /* the bus, or our end of the pair */
  char *owner;                 /* unique name; NULL: direct */
  GCancellable *cancellable;

  /* Direct */
  VdLibrary *library;
  VdService *service;
  GDBusConnection *peer;
};

typedef struct {
  GAsyncResult *result;
} Wait;

static void
on_ready (GObject *source, GAsyncResult *result, gpointer data)
{
  ((Wait *) data)->result = g_object_ref (result);
}

static GAsyncResult *
wait_for (Wait *wait)
{
  while (wait->result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return wait->result;
}

static void
begin_connection (int fd, gboolean server, Wait *wait)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, NULL);
  g_autoptr (GSocketConnection) stream = g_socket_connection_factory_create_connection (socket);
  g_autofree char *guid = server ? g_dbus_generate_guid () : NULL;
  GDBusConnectionFlags flags = server ? G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER
                                      : G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT;

  g_dbus_connection_new (G_IO_STREAM (stream), guid,
                         flags | G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING, NULL, NULL,
                         on_ready, wait);
}

static GDBusConnection *
end_connection (Wait *wait, GError **error)
{
  g_autoptr (GAsyncResult) result = wait_for (wait);

  return g_dbus_connection_new_finish (result, error);
}

/* Both ends at once: each waits for the other's greeting. */
static gboolean
connect_pair (VdClient *self, GError **error)
{
  Wait ours = { NULL }, theirs = { NULL };
  int fds[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
    g_set_error (error, VD_ERROR, VD_ERROR_FAILED, "%s", g_strerror (errno));
    return FALSE;
  }
  begin_connection (fds[0], FALSE, &ours);
  begin_connection (fds[1], TRUE, &theirs);
  self->connection = end_connection (&ours, error);
  self->peer = end_connection (&theirs, self->connection != NULL ? error : NULL);
  return self->connection != NULL && self->peer != NULL;
}

static gboolean
open_direct (VdClient *self, const char *path, GError **error)
{
  self->library = vd_library_open (path, error);
  if (self->library == NULL || !connect_pair (self, error))
    return FALSE;
  self->service = vd_service_new (self->library, self->peer, FALSE, error);
  if (self->service == NULL)
    return FALSE;
  g_dbus_connection_start_message_processing (self->peer);
  g_dbus_connection_start_message_processing (self->connection);
  return TRUE;
}

/* The owner wrote its name into the lock; it is asked only if it is still that library's. */
static gboolean
open_remote (VdClient *self, const char *owner, GError **error)
{
  if (owner == NULL || !g_dbus_is_unique_name (owner)) {
    g_set_error_literal (error, VD_ERROR, VD_ERROR_OWNED,
                         _("Another program has the library open and cannot be asked over the "
                           "session bus. Close it and try again."));
    return FALSE;
  }
  self->connection = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, error);
  if (self->connection == NULL) {
    g_prefix_error (error, "%s ",
                    _("Another program has the library open, and there is no session bus to ask "
                      "it."));
    return FALSE;
  }
  self->owner = g_strdup (owner);
  return TRUE;
}

static gboolean
on_pause_over (gpointer over)
{
  *(gboolean *) over = TRUE;
  return G_SOURCE_REMOVE;
}

static void
pause_for_name (void)
{
  gboolean over = FALSE;

  g_timeout_add (NAME_PAUSE, on_pause_over, &over);
  while (!over)
    g_main_context_iteration (NULL, TRUE);
}

/* An owner that has just begun has no name yet, and one that needs none is soon done. */
static gboolean
find_owner (const char *folder, char **owner)
{
  gboolean owned = vd_library_find_owner (folder, owner);

  for (guint i = 0; owned && *owner == NULL && i < N_NAMELESS; i++) {
    pause_for_name ();
    owned = vd_library_find_owner (folder, owner);
  }
  return owned;
}

/* Somebody may take the library between the look and the open. */
static gboolean
open_either (VdClient *self, const char *folder, GError **error)
{
  for (guint i = 0;; i++) {
    g_autofree char *owner = NULL;
    g_autoptr (GError) cause = NULL;

    if (find_owner (folder, &owner))
      return open_remote (self, owner, error);
    if (open_direct (self, folder, &cause))
      return TRUE;
    if (i == N_RACES || !g_error_matches (cause, VD_ERROR, VD_ERROR_OWNED)) {
      g_propagate_error (error, g_steal_pointer (&cause));
      return FALSE;
    }
  }
}

VdClient *
vd_client_new (const char *path, GError **error)
{
  g_autoptr (VdClient) self = g_new0 (VdClient, 1);
  g_autofree char *folder =
    path != NULL ? g_canonicalize_filename (path, NULL) : vd_library_default_path ();

  vd_error_quark (); /* so that an answer's error is one of ours again */
  self->cancellable = g_cancellable_new ();
  return open_either (self, folder, error) ? g_steal_pointer (&self) : NULL;
}

void
vd_client_free (VdClient *self)
{
  g_clear_object (&self->service);
  if (self->library != NULL)
    vd_library_close (self->library);
  g_clear_object (&self->library);
  g_clear_object (&self->peer);
  g_clear_object (&self->connection);
  g_clear_object (&self->cancellable);
  g_free (self->owner);
  g_free (self);
}

gboolean
vd_client_is_direct (VdClient *self)
{
  return self->library != NULL;
}

void
vd_client_cancel (VdClient *self)
{
  g_cancellable_cancel (self->cancellable);
}

/* What an answer must look like: who owns the library may be any program, or of another version. */
static GVariantType *
get_reply_type (const char *method)
{
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (vd_service_xml, NULL);
  GDBusMethodInfo *info = g_dbus_interface_info_lookup_method (node->interfaces[0], method);
  g_autoptr (GString) type = g_string_new ("(");

  for (guint i = 0; info->out_args != NULL && info->out_args[i] != NULL; i++)
    g_string_append (type, info->out_args[i]->signature);
  g_string_append_c (type, ')');
  return g_variant_type_new (type->str);
}

static void
set_nonsense (GError **error)
{
  g_set_error_literal (error, VD_ERROR, VD_ERROR_FAILED,
                       _("The program that has the library open gives an answer that makes no "
                         "sense; it may be of another version. Close it and try again."));
}

static GVariant *
call_owner (VdClient *self,
            const char *owner,
            const char *method,
            GVariant *args,
            GUnixFDList **fds,
            GError **error)
{
  g_autoptr (GVariantType) type = get_reply_type (method);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) cause = NULL;
  Wait wait = { NULL };
  GVariant *reply;

  g_dbus_connection_call_with_unix_fd_list (
    self->connection, owner, VD_SERVICE_PATH, VD_SERVICE_INTERFACE, method, args, type,
    G_DBUS_CALL_FLAGS_NO_AUTO_START, G_MAXINT, NULL, self->cancellable, on_ready, &wait);
  result = wait_for (&wait);
  reply = g_dbus_connection_call_with_unix_fd_list_finish (self->connection, fds, result, &cause);
  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT))
    set_nonsense (error);
  else if (cause != NULL)
    g_propagate_error (error, g_steal_pointer (&cause));
  return reply;
}

/* Who holds the machine that @args names, where that is another than the owner of the library. */
static char *
find_holder (VdClient *self, GVariant *args)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) properties = NULL;
  g_autofree char *holder = NULL;
  const char *name;

  if (args == NULL || *g_variant_get_type_string (args) != '(' ||
      g_variant_get_type_string (args)[1] != 's')
    return NULL; /* its first argument names no machine */
  g_variant_get_child (args, 0, "&s", &name);
  reply = call_owner (self, self->owner, "Show", g_variant_new ("(s)", name), NULL, NULL);
  if (reply == NULL)
    return NULL;
  properties = g_variant_get_child_value (reply, 0);
  g_variant_lookup (properties, "holder", "s", &holder);
  return holder != NULL && g_dbus_is_unique_name (holder) ? g_steal_pointer (&holder) : NULL;
}

static int
take_fd (GUnixFDList *fds, GError **error)
{
  if (fds != NULL && g_unix_fd_list_get_length (fds) == 1)
    return g_unix_fd_list_get (fds, 0, error);
  set_nonsense (error);
  return -1;
}

GVariant *
vd_client_call (VdClient *self, const char *method, GVariant *args, int *fd, GError **error)
{
  g_autoptr (GVariant) owned_args = args != NULL ? g_variant_ref_sink (args) : NULL;
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GError) cause = NULL;
  g_autofree char *holder = NULL;
  g_autoptr (GVariant) reply = call_owner (self, self->owner, method, owned_args, &fds, &cause);

  /* What a window took over may still run under the process that it took over from; or it came to
   * the owner since. */
  if (g_error_matches (cause, VD_ERROR, VD_ERROR_OWNED) && self->owner != NULL) {
    g_clear_error (&cause);
    holder = find_holder (self, owned_args);
    reply =
      call_owner (self, holder != NULL ? holder : self->owner, method, owned_args, &fds, &cause);
  }
  if (cause != NULL) {
    g_dbus_error_strip_remote_error (cause);
    g_propagate_error (error, g_steal_pointer (&cause));
    return NULL;
  }
  if (fd != NULL && (*fd = take_fd (fds, error)) < 0)
    return NULL;
  return g_steal_pointer (&reply);
}
