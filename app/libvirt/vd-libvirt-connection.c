/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLibvirtConnection. libvirt has one event loop a process (the main context, here)
 * and reads qemu.conf from the folder it works in; both are prepared here.
 *
 * Threads: any, except those marked worker.
 */
#include "libvirt/vd-libvirt-connection.h"
#include "library/vd-file.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <libvirt-glib/libvirt-glib.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <unistd.h>

#define MAX_LOG   (4 * 1024 * 1024) /* bytes that are looked through */
#define MAX_SHOWN 4096              /* bytes of it that a person gets */
#define MAX_ROOT  44 /* bytes: a socket's path holds 107, and QEMU's monitor adds up to 60 */
#define N_TRIES   50 /* for the process before us to be gone */
#define TRY_PAUSE (100 * 1000) /* us */

struct _VdLibvirtConnection {
  gatomicrefcount ref_count;
  VdWorker *worker;
  char *folder;
  virConnectPtr connection; /* worker */
};

/* As root, QEMU is to stay root and leave the files of the library alone. */
static const char conf_user[] = "stdio_handler = \"file\"\n"
                                "remember_owner = 0\n";
static const char conf_root[] = "stdio_handler = \"file\"\n"
                                "remember_owner = 0\n"
                                "security_driver = \"none\"\n"
                                "user = \"root\"\n"
                                "group = \"root\"\n"
                                "dynamic_ownership = 0\n"
                                "cgroup_controllers = [ ]\n"
                                "namespaces = [ ]\n";

VdLibvirtConnection *
vd_libvirt_connection_new (const char *folder)
{
  VdLibvirtConnection *self = g_new0 (VdLibvirtConnection, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->folder = g_strdup (folder);
  self->worker = vd_worker_new ("vd-libvirt");
  return self;
}

VdLibvirtConnection *
vd_libvirt_connection_ref (VdLibvirtConnection *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
vd_libvirt_connection_unref (VdLibvirtConnection *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  if (self->connection != NULL)
    virConnectClose (self->connection);
  vd_worker_unref (self->worker);
  g_free (self->folder);
  g_free (self);
}

VdWorker *
vd_libvirt_connection_get_worker (VdLibvirtConnection *self)
{
  return self->worker;
}

/* libvirt prints errors unless told otherwise; we hand them on. */
static void
ignore_error (void *data, virErrorPtr error)
{
}

/* What belongs to the process: made once, and it stays. libvirt's own default loop would run the
 * main context on whatever thread runs it, so its events come through libvirt-glib instead. */
void
vd_libvirt_connection_prepare (VdLibvirtConnection *self)
{
  static gsize done = 0;

  vd_folder_make (self->folder, NULL); /* if it cannot be made, the first open says why */
  if (!g_once_init_enter (&done))
    return;
  virSetErrorFunc (NULL, ignore_error);
  gvir_event_register ();
  g_once_init_leave (&done, 1);
}

static gboolean
write_conf (VdLibvirtConnection *self, GError **error)
{
  g_autofree char *folder = g_build_filename (self->folder, "etc", NULL);
  g_autofree char *path = g_build_filename (folder, "qemu.conf", NULL);
  const char *conf = geteuid () == 0 ? conf_root : conf_user;

  return vd_folder_make (folder, error) && vd_file_replace (path, conf, strlen (conf), error);
}

/* The folder under a name that is short enough for the sockets in it. */
static char *
short_root (VdLibvirtConnection *self, GError **error)
{
  g_autofree char *sum = NULL;
  g_autofree char *root = NULL;
  g_autofree char *name = NULL;

  if (strlen (self->folder) <= MAX_ROOT)
    return g_strdup (self->folder);
  sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, self->folder, -1);
  name = g_strdup_printf ("virtdesk-%.8s", sum);
  root = g_build_filename (g_get_user_runtime_dir (), name, NULL);
  g_unlink (root);
  if (strlen (root) > MAX_ROOT || symlink (self->folder, root) < 0) {
    g_set_error (
      error, VD_ERROR, VD_ERROR_FAILED,
      _("The name of the folder “%s” is too long for QEMU’s sockets; use a library in a "
        "folder with a shorter name."),
      self->folder);
    return NULL;
  }
  return g_steal_pointer (&root);
}

static gboolean
is_taken (void)
{
  const char *message = virGetLastErrorMessage ();

  return message != NULL && strstr (message, "pid file") != NULL;
}

/* The process that had the library before us may still be on its way out. */
static virConnectPtr
connect_patiently (const char *root)
{
  g_autofree char *escaped = g_uri_escape_string (root, "/", FALSE);
  g_autofree char *uri = g_strdup_printf ("qemu:///embed?root=%s", escaped);
  virConnectPtr connection = virConnectOpen (uri);

  for (guint i = 0; connection == NULL && is_taken () && i < N_TRIES; i++) {
    g_usleep (TRY_PAUSE);
    connection = virConnectOpen (uri);
  }
  return connection;
}

virConnectPtr
vd_libvirt_connection_open (VdLibvirtConnection *self, GError **error)
{
  g_autofree char *root = NULL;

  if (self->connection != NULL)
    return self->connection;
  if (!write_conf (self, error) || (root = short_root (self, error)) == NULL)
    return NULL;
  self->connection = connect_patiently (root);
  if (self->connection == NULL && is_taken ())
    g_set_error_literal (error, VD_ERROR, VD_ERROR_OWNED,
                         _("Another process still runs machines of this library on QEMU; start "
                           "this one when they are off."));
  else if (self->connection == NULL)
    vd_libvirt_set_error (error);
  return self->connection;
}

void
vd_libvirt_connection_close (VdLibvirtConnection *self)
{
  g_clear_pointer (&self->connection, virConnectClose);
}

typedef struct {
  VdLibvirtEvent func;
  gpointer data;
  GDestroyNotify destroy;
} Watch;

static void
watch_free (void *data)
{
  Watch *watch = data;

  watch->destroy (watch->data);
  g_free (watch);
}

static int
on_lifecycle (virConnectPtr connection, virDomainPtr domain, int event, int detail, void *data)
{
  Watch *watch = data;

  watch->func (watch->data, event, detail);
  return 0;
}

int
vd_libvirt_connection_watch (VdLibvirtConnection *self,
                             virDomainPtr domain,
                             VdLibvirtEvent func,
                             gpointer data,
                             GDestroyNotify destroy)
{
  Watch *watch = g_new (Watch, 1);
  int id;

  *watch = (Watch) { func, data, destroy };
  id =
    virConnectDomainEventRegisterAny (self->connection, domain, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                      VIR_DOMAIN_EVENT_CALLBACK (on_lifecycle), watch, watch_free);
  if (id < 0)
    watch_free (watch);
  return id;
}

void
vd_libvirt_connection_unwatch (VdLibvirtConnection *self, int watch)
{
  if (watch >= 0 && self->connection != NULL)
    virConnectDomainEventDeregisterAny (self->connection, watch);
}

char *
vd_libvirt_connection_read_log (VdLibvirtConnection *self, const char *name)
{
  g_autofree char *path = g_strdup_printf ("%s/log/qemu/%s.log", self->folder, name);
  g_autofree char *log = NULL;
  gsize length, start;

  log = vd_file_read (path, MAX_LOG, &length, NULL);
  if (log == NULL)
    return NULL;
  start = length > MAX_SHOWN ? length - MAX_SHOWN : 0;
  return g_utf8_make_valid (log + start, length - start);
}

/* Causes that only QEMU's words tell. */
static const struct {
  const char *part;
  VdError code;
} causes[] = {
  { "Failed to get \"write\" lock", VD_ERROR_DISK_BUSY },
  { "Failed to get shared \"write\" lock", VD_ERROR_DISK_BUSY },
  { "cannot set up guest memory", VD_ERROR_NO_MEMORY },
  { "Cannot allocate memory", VD_ERROR_NO_MEMORY },
  { "No space left on device", VD_ERROR_NO_SPACE },
  { "could not open kernel file", VD_ERROR_KERNEL },
  { "invalid kernel header", VD_ERROR_KERNEL },
  { "linux kernel too old", VD_ERROR_KERNEL },
  { "No such file or directory", VD_ERROR_NOT_FOUND },
};

static const char *
sentence_for (VdError code)
{
  switch (code) {
  case VD_ERROR_DISK_BUSY:
    return _("A disk of the machine is in use by another program; close that and try again.");
  case VD_ERROR_NO_MEMORY:
    return _("There is not enough free memory; give the machine less or close other programs.");
  case VD_ERROR_NO_SPACE:
    return _("The disk of this computer is full; make room and try again.");
  case VD_ERROR_KERNEL:
    return _("The kernel cannot be used by QEMU; choose another one.");
  default:
    return NULL;
  }
}

void
vd_libvirt_set_error (GError **error)
{
  virErrorPtr last = virGetLastError ();
  const char *message = last != NULL && last->message != NULL ? last->message : "";
  VdError code = VD_ERROR_FAILED;
  const char *sentence;

  for (guint i = 0; i < G_N_ELEMENTS (causes) && code == VD_ERROR_FAILED; i++)
    if (strstr (message, causes[i].part) != NULL)
      code = causes[i].code;
  if (last != NULL && last->code == VIR_ERR_NO_DOMAIN)
    code = VD_ERROR_NOT_FOUND;
  sentence = sentence_for (code);
  if (sentence != NULL)
    g_set_error_literal (error, VD_ERROR, code, sentence);
  else
    g_set_error (error, VD_ERROR, code, _("QEMU could not do it: %s"), message);
}
