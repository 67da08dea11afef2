/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLibvirtRun: a transient domain, made from the config anew at each start. Events
 * come on the main thread; the end of the domain is dealt with on the worker.
 *
 * Threads: new, finalize, on_event and on_changed main; the rest the worker.
 */
#include "libvirt/vd-libvirt-run.h"
#include "libvirt/vd-libvirt-engine.h"
#include "libvirt/vd-libvirt-xml.h"
#include "local/vd-local-engine.h"
#include "library/vd-file-check.h"
#include "library/vd-file.h"
#include "library/vd-own-machine.h"
#include "spice/vd-spice-display.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>

#define MAX_EXTRA (1 << 20) /* bytes */

struct _VdLibvirtRun {
  VdRun parent_instance;

  VdLibvirtConnection *connection;
  VdConfig *config; /* a frozen copy */
  char *folder;

  /* Worker */
  virDomainPtr domain;
  int watch;

  gint ended; /* atomic: VIR_DOMAIN_EVENT_STOPPED_* + 1 */
};

G_DEFINE_FINAL_TYPE (VdLibvirtRun, vd_libvirt_run, VD_TYPE_RUN)

static void
drop_domain (VdLibvirtRun *self)
{
  vd_libvirt_connection_unwatch (self->connection, self->watch);
  self->watch = -1;
  g_clear_pointer (&self->domain, virDomainFree);
}

static void
post_end (VdLibvirtRun *self, int detail)
{
  g_autofree char *log = NULL;

  switch (detail) {
  case VIR_DOMAIN_EVENT_STOPPED_CRASHED:
    vd_run_post (
      VD_RUN (self), VD_RUN_CRASHED,
      _("The system in the machine stopped with an error of its own (a panic). Start it "
        "again."),
      NULL);
    break;
  case VIR_DOMAIN_EVENT_STOPPED_FAILED:
    log = vd_libvirt_connection_read_log (self->connection, vd_config_get_uuid (self->config));
    vd_run_post (VD_RUN (self), VD_RUN_CRASHED,
                 _("QEMU ended unexpectedly. Start the machine again."), log);
    break;
  default:
    vd_run_post (VD_RUN (self), VD_RUN_OFF, NULL, NULL);
  }
}

/* Takes the reference that on_event took. */
static void
on_end (gpointer data)
{
  VdLibvirtRun *self = data;

  drop_domain (self);
  post_end (self, g_atomic_int_get (&self->ended) - 1);
  vd_unref_on_main (self);
}

static void
note_end (VdLibvirtRun *self, int detail)
{
  if (!g_atomic_int_compare_and_exchange (&self->ended, 0, detail + 1))
    return;
  vd_worker_push (vd_run_get_worker (VD_RUN (self)), on_end, g_object_ref (self), NULL);
}

static void
post_paused (VdLibvirtRun *self, int detail)
{
  vd_run_post (VD_RUN (self), VD_RUN_PAUSED,
               detail == VIR_DOMAIN_EVENT_SUSPENDED_IOERROR
                 ? _("A disk could not be read or written; make sure that the disk of this "
                     "computer is not full, and resume the machine.")
                 : NULL,
               NULL);
}

static void
on_event (gpointer data, int event, int detail)
{
  switch (event) {
  case VIR_DOMAIN_EVENT_RESUMED:
    vd_run_post (data, VD_RUN_RUNNING, NULL, NULL);
    break;
  case VIR_DOMAIN_EVENT_SUSPENDED:
    post_paused (data, detail);
    break;
  case VIR_DOMAIN_EVENT_STOPPED:
    note_end (data, detail);
    break;
  default:
    break;
  }
}

static char *
read_extra (VdLibvirtRun *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, VD_EXTRA_FILE, NULL);
  g_autoptr (GError) cause = NULL;
  gsize length;
  char *extra = vd_file_read (path, MAX_EXTRA, &length, &cause);

  if (extra == NULL && !g_error_matches (cause, VD_ERROR, VD_ERROR_NOT_FOUND))
    g_propagate_error (error, g_steal_pointer (&cause));
  return extra;
}

static char *
make_xml (VdLibvirtRun *self, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autofree char *extra = read_extra (self, &cause);

  if (cause != NULL) {
    g_propagate_error (error, g_steal_pointer (&cause));
    return NULL;
  }
  return vd_libvirt_make_xml (self->config, self->folder, extra, vd_local_check_kvm (NULL), error);
}

/* Takes self->domain, which runs. */
static gboolean
begin (VdLibvirtRun *self, GError **error)
{
  int state = VIR_DOMAIN_NOSTATE;

  self->watch = vd_libvirt_connection_watch (self->connection, self->domain, on_event,
                                             g_object_ref (self), vd_unref_on_main);
  if (self->watch < 0 || virDomainGetState (self->domain, &state, NULL, 0) < 0) {
    vd_libvirt_set_error (error);
    return FALSE;
  }
  /* It may have ended before it was watched. */
  if (state == VIR_DOMAIN_SHUTOFF)
    note_end (self, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN);
  vd_run_post (VD_RUN (self), state == VIR_DOMAIN_PAUSED ? VD_RUN_PAUSED : VD_RUN_RUNNING, NULL,
               NULL);
  return TRUE;
}

static gboolean
vd_libvirt_run_adopt (VdRun *run, GError **error)
{
  VdLibvirtRun *self = VD_LIBVIRT_RUN (run);
  virConnectPtr connection = vd_libvirt_connection_open (self->connection, error);

  if (connection == NULL)
    return FALSE;
  self->domain = virDomainLookupByUUIDString (connection, vd_config_get_uuid (self->config));
  if (self->domain == NULL) {
    vd_libvirt_set_error (error);
    return FALSE;
  }
  if (begin (self, error))
    return TRUE;
  drop_domain (self);
  return FALSE;
}

static gboolean
create_domain (VdLibvirtRun *self, virConnectPtr connection, GError **error)
{
  g_autofree char *xml = make_xml (self, error);

  if (xml == NULL)
    return FALSE;
  self->domain = virDomainCreateXML (connection, xml, 0);
  if (self->domain != NULL)
    return TRUE;
  vd_libvirt_set_error (error);
  g_debug ("the domain was %s", xml);
  return FALSE;
}

static gboolean
vd_libvirt_run_start (VdRun *run, GCancellable *cancellable, GError **error)
{
  VdLibvirtRun *self = VD_LIBVIRT_RUN (run);
  virConnectPtr connection = vd_libvirt_connection_open (self->connection, error);

  if (connection == NULL || g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  /* Left by a process that could not be adopted from at the time. */
  if (vd_libvirt_run_adopt (run, NULL))
    return TRUE;
  if (!vd_check_files (self->config, error) || !create_domain (self, connection, error))
    return FALSE;
  if (!g_cancellable_set_error_if_cancelled (cancellable, error) && begin (self, error))
    return TRUE;
  virDomainDestroy (self->domain);
  drop_domain (self);
  return FALSE;
}

static gboolean
call (VdRun *run, int (*verb) (virDomainPtr domain), GError **error)
{
  VdLibvirtRun *self = VD_LIBVIRT_RUN (run);

  if (self->domain == NULL) {
    g_set_error_literal (error, VD_ERROR, VD_ERROR_STATE, _("The machine is off already."));
    return FALSE;
  }
  if (verb (self->domain) == 0)
    return TRUE;
  vd_libvirt_set_error (error);
  return FALSE;
}

static gboolean
vd_libvirt_run_pause (VdRun *run, GError **error)
{
  return call (run, virDomainSuspend, error);
}

static gboolean
vd_libvirt_run_resume (VdRun *run, GError **error)
{
  return call (run, virDomainResume, error);
}

/* Off already, perhaps while we asked, is what one wanted. */
static gboolean
end (VdRun *run, int (*verb) (virDomainPtr domain), GError **error)
{
  VdLibvirtRun *self = VD_LIBVIRT_RUN (run);
  g_autoptr (GError) cause = NULL;

  if (self->domain == NULL || call (run, verb, &cause) ||
      g_error_matches (cause, VD_ERROR, VD_ERROR_NOT_FOUND) ||
      virDomainIsActive (self->domain) == 0)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&cause));
  return FALSE;
}

static gboolean
vd_libvirt_run_power_off (VdRun *run, GError **error)
{
  return end (run, virDomainShutdown, error);
}

static gboolean
vd_libvirt_run_set_disc (VdRun *run, guint drive, const char *path, gboolean force, GError **error)
{
  VdLibvirtRun *self = VD_LIBVIRT_RUN (run);
  g_autofree char *xml = vd_libvirt_make_disc_xml (self->config, drive, path);
  guint flags = VIR_DOMAIN_DEVICE_MODIFY_LIVE | (force ? VIR_DOMAIN_DEVICE_MODIFY_FORCE : 0);

  if (self->domain == NULL) {
    g_set_error_literal (error, VD_ERROR, VD_ERROR_STATE, _("The machine is off already."));
    return FALSE;
  }
  if (path != NULL && !vd_check_disc_file (path, error))
    return FALSE;
  if (virDomainUpdateDeviceFlags (self->domain, xml, flags) == 0)
    return TRUE;
  vd_libvirt_set_error (error);
  return FALSE;
}

static int
reset_domain (virDomainPtr domain)
{
  return virDomainReset (domain, 0);
}

static gboolean
vd_libvirt_run_reset (VdRun *run, GError **error)
{
  return call (run, reset_domain, error);
}

static gboolean
vd_libvirt_run_force_off (VdRun *run, GError **error)
{
  return end (run, virDomainDestroy, error);
}

static void
vd_libvirt_run_close (VdRun *run)
{
  drop_domain (VD_LIBVIRT_RUN (run));
}

/* For the display. */
static int
open_graphics (gpointer data, GError **error)
{
  VdLibvirtRun *self = data;
  int fd = self->domain != NULL
             ? virDomainOpenGraphicsFD (self->domain, 0, VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH)
             : -1;

  if (fd < 0 && self->domain != NULL)
    vd_libvirt_set_error (error);
  else if (fd < 0)
    g_set_error_literal (error, VD_ERROR, VD_ERROR_STATE, _("The machine is off already."));
  return fd;
}

static void
on_changed (VdRun *run, guint state)
{
  VdLibvirtRun *self = VD_LIBVIRT_RUN (run);
  VdSpiceDisplay *display = VD_SPICE_DISPLAY (vd_run_get_display (run));

  if (state >= VD_RUN_OFF)
    vd_spice_display_disconnect (display);
  else if (!vd_spice_display_is_connected (display))
    vd_spice_display_connect (display, vd_run_get_worker (run), open_graphics, G_OBJECT (self));
}

static void
vd_libvirt_run_finalize (GObject *object)
{
  VdLibvirtRun *self = VD_LIBVIRT_RUN (object);

  g_clear_object (&self->config);
  g_clear_pointer (&self->connection, vd_libvirt_connection_unref);
  g_free (self->folder);
  G_OBJECT_CLASS (vd_libvirt_run_parent_class)->finalize (object);
}

static void
vd_libvirt_run_class_init (VdLibvirtRunClass *klass)
{
  VdRunClass *run_class = VD_RUN_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = vd_libvirt_run_finalize;
  run_class->kind = VD_ENGINE_LIBVIRT;
  run_class->survives = TRUE;
  run_class->start = vd_libvirt_run_start;
  run_class->adopt = vd_libvirt_run_adopt;
  run_class->pause = vd_libvirt_run_pause;
  run_class->resume = vd_libvirt_run_resume;
  run_class->power_off = vd_libvirt_run_power_off;
  run_class->force_off = vd_libvirt_run_force_off;
  run_class->reset = vd_libvirt_run_reset;
  run_class->set_disc = vd_libvirt_run_set_disc;
  run_class->close = vd_libvirt_run_close;
}

static void
vd_libvirt_run_init (VdLibvirtRun *self)
{
  self->watch = -1;
}

VdRun *
vd_libvirt_run_new (VdEngine *engine, VdConfig *config, const char *folder)
{
  VdLibvirtRun *self = g_object_new (VD_TYPE_LIBVIRT_RUN, NULL);

  self->connection =
    vd_libvirt_connection_ref (vd_libvirt_engine_get_connection (VD_LIBVIRT_ENGINE (engine)));
  self->config = vd_config_copy (config);
  self->folder = g_strdup (folder);
  vd_libvirt_connection_prepare (self->connection);
  vd_run_set_worker (VD_RUN (self), vd_libvirt_connection_get_worker (self->connection));
  if (vd_config_get_graphics (config)) {
    g_autoptr (VdSpiceDisplay) display = vd_spice_display_new ();

    vd_run_set_display (VD_RUN (self), VD_DISPLAY (display));
    g_signal_connect (self, "changed", G_CALLBACK (on_changed), NULL);
  }
  return VD_RUN (self);
}
