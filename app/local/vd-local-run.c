/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLocalRun. When the machine stops, whoever stopped it, its listener pushes one
 * call onto the control thread, which takes the last picture, frees the machine
 * and says that it is over. So a disk is free before anybody can start again.
 *
 * Threads: new and finalize main; verbs and on_end control; the listener wherever.
 */
#include "local/vd-local-run.h"
#include "local/vd-local-config.h"
#include "local/vd-local-display.h"
#include "local/vd-local-engine.h"
#include "library/vd-file-check.h"
#include "library/vd-file.h"
#include "library/vd-own-machine.h"
#include "library/vd-saved.h"
#include "vd-error.h"

#include "vmm.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

struct _VdLocalRun {
  VdRun parent_instance;

  VdConfig *config; /* a frozen copy */
  char *folder;
  VmmMachine *machine; /* control */
  gint stopped;        /* atomic: the listener has said so */
};

G_DEFINE_FINAL_TYPE (VdLocalRun, vd_local_run, VD_TYPE_RUN)

static void
take_last_picture (VdLocalRun *self)
{
  g_autofree char *path = g_build_filename (self->folder, VD_SCREENSHOT_FILE, NULL);
  g_autofree char *part = g_build_filename (self->folder, VD_PART_PREFIX "picture", NULL);
  VmmDisplay *display = vmm_machine_get_display (self->machine);
  g_autoptr (GError) error = NULL;

  if (display == NULL)
    return;
  if (!vmm_display_save_last (display, part, &error))
    g_debug ("no last picture: %s", error->message);
  else if (g_chmod (part, 0600) < 0 || g_rename (part, path) < 0) /* as all files of a library */
    g_message ("no last picture: %s", g_strerror (errno));
}

static void
free_machine (VdLocalRun *self)
{
  VdDisplay *display = vd_run_get_display (VD_RUN (self));

  if (display != NULL)
    vd_local_display_detach (VD_LOCAL_DISPLAY (display));
  g_clear_pointer (&self->machine, vmm_machine_free);
}

/* Control. Takes the reference that the listener took; it goes on the main thread, because it may
 * be the last one. */
static void
on_end (gpointer data)
{
  VdLocalRun *self = data;
  VmmEnd end = { VMM_END_STOPPED };
  g_autofree char *message = NULL, *registers = NULL;
  gboolean crashed;

  if (self->machine != NULL) {
    vmm_machine_wait (self->machine);
    end = vmm_machine_get_end (self->machine);
    message = g_strdup (end.message);
    registers = g_strdup (end.registers);
    take_last_picture (self);
    free_machine (self);
  }
  crashed = end.kind == VMM_END_CRASHED;
  vd_run_post (VD_RUN (self), crashed ? VD_RUN_CRASHED : VD_RUN_OFF, message, registers);
  vd_unref_on_main (self);
}

static void
note_stopped (VdLocalRun *self)
{
  g_autoptr (GError) error = NULL;

  if (!g_atomic_int_compare_and_exchange (&self->stopped, FALSE, TRUE))
    return;
  g_object_ref (self);
  if (!vd_worker_push (vd_run_get_worker (VD_RUN (self)), on_end, self, &error))
    g_warning ("the control thread is gone: %s", error->message);
}

static void
on_state_changed (VmmMachine *machine, VmmMachineState state, gpointer data)
{
  switch (state) {
  case VMM_MACHINE_RUNNING:
    vd_run_post (data, VD_RUN_RUNNING, NULL, NULL);
    break;
  case VMM_MACHINE_PAUSED:
    vd_run_post (data, VD_RUN_PAUSED, NULL, NULL);
    break;
  case VMM_MACHINE_STOPPED:
    note_stopped (data);
    break;
  case VMM_MACHINE_READY:
    break;
  }
}

static void
on_paused_for (VmmMachine *machine, const char *device, const char *why, gpointer data)
{
  /* Translators: followed by a sentence that says why, and what to do. */
  g_autofree char *problem =
    g_strdup_printf (_("The machine was paused so that nothing is lost. %s"), why);

  g_message ("device %s asked for a pause: %s", device, why);
  vd_run_post (data, VD_RUN_PAUSED, problem, NULL);
}

static void
on_device_broken (VmmMachine *machine, const char *device, const char *why, gpointer data)
{
  g_autofree char *problem = NULL;

  g_message ("device %s has a problem: %s", device, why);
  if (vmm_machine_get_state (machine) != VMM_MACHINE_RUNNING)
    return;
  /* Translators: the name of a device such as “disk0”, and a sentence. */
  problem = g_strdup_printf (_("A device of the machine, “%s”, has a problem. %s"), device, why);
  vd_run_post (data, VD_RUN_RUNNING, problem, NULL);
}

/* As QEMU's machines, but that it runs on: what its system wrote on the screen can be read. */
static void
on_panicked (VmmMachine *machine, gpointer data)
{
  vd_run_post (
    data, VD_RUN_RUNNING,
    _("The system in the machine stopped with an error of its own (a panic). Restart it, "
      "or force it off."),
    NULL);
}

static void
on_reset (VmmMachine *machine, gpointer data)
{
  if (vmm_machine_get_state (machine) == VMM_MACHINE_RUNNING)
    vd_run_post (data, VD_RUN_RUNNING, NULL, NULL); /* what was wrong with it is over */
}

static const VmmListener listener = {
  .state_changed = on_state_changed,
  .paused_for = on_paused_for,
  .device_broken = on_device_broken,
  .panicked = on_panicked,
  .was_reset = on_reset,
};

static void
attach_display (VdLocalRun *self)
{
  VdDisplay *display = vd_run_get_display (VD_RUN (self));

  if (display != NULL)
    vd_local_display_attach (VD_LOCAL_DISPLAY (display), vmm_machine_get_display (self->machine),
                             vmm_machine_get_input (self->machine));
}

static VmmMachine *
make_machine (VdLocalRun *self, GError **error)
{
  g_autoptr (VmmConfig) config = NULL;
  VmmMachine *machine;

  if (!vd_check_disk_files (self->config, error))
    return NULL;
  config = vd_local_config_new (self->config, self->folder, error);
  if (config == NULL)
    return NULL;
  if (vd_saved_find (self->folder) == VD_ENGINE_LOCAL)
    config->load = vd_saved_get_state (self->folder, VD_ENGINE_LOCAL);
  machine = vmm_machine_new (config, &listener, self, error);
  if (machine == NULL)
    vd_local_map_error (error);
  return machine;
}

/* The machine is made, and where it was saved it is as it was then. */
static gboolean
go (VdLocalRun *self, GCancellable *cancellable, GError **error)
{
  gboolean saved = vd_saved_find (self->folder) == VD_ENGINE_LOCAL;

  if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
      (saved && !vd_saved_take (self->folder, VD_ENGINE_LOCAL, error)))
    return FALSE;
  if (!vmm_machine_start (self->machine, error)) {
    if (saved)
      vd_saved_give_back (self->folder, VD_ENGINE_LOCAL, NULL);
    return FALSE;
  }
  if (saved)
    vd_saved_remove (self->folder, NULL);
  return TRUE;
}

static gboolean
vd_local_run_start (VdRun *run, GCancellable *cancellable, GError **error)
{
  VdLocalRun *self = VD_LOCAL_RUN (run);

  self->machine = make_machine (self, error);
  if (self->machine == NULL)
    return FALSE;
  attach_display (self);
  if (go (self, cancellable, error))
    return TRUE;

  vd_local_map_error (error);
  g_atomic_int_set (&self->stopped, TRUE); /* nothing ran: nothing ends */
  free_machine (self);
  return FALSE;
}

static gboolean
check_runs (VdLocalRun *self, GError **error)
{
  if (self->machine != NULL)
    return TRUE;
  g_set_error_literal (error, VD_ERROR, VD_ERROR_STATE, _("The machine is off already."));
  return FALSE;
}

#define VERB(name, call)                                                                           \
  static gboolean vd_local_run_##name (VdRun *run, GError **error)                                 \
  {                                                                                                \
    VdLocalRun *self = VD_LOCAL_RUN (run);                                                         \
                                                                                                   \
    if (!check_runs (self, error))                                                                 \
      return FALSE;                                                                                \
    if (call (self->machine, error))                                                               \
      return TRUE;                                                                                 \
    vd_local_map_error (error);                                                                    \
    return FALSE;                                                                                  \
  }

VERB (pause, vmm_machine_pause)
VERB (resume, vmm_machine_resume)
VERB (reset, vmm_machine_reset)

static void
map_disc_error (GError **error)
{
  g_autoptr (GError) cause = g_steal_pointer (error);

  if (g_error_matches (cause, VMM_ERROR, VMM_ERROR_STATE))
    g_set_error_literal (
      error, VD_ERROR, VD_ERROR_DISC_LOCKED,
      _("The system in the machine uses the disc. It was asked to give it away; "
        "try again in a moment."));
  else
    *error = g_steal_pointer (&cause);
}

static gboolean
vd_local_run_set_disc (VdRun *run, guint drive, const char *path, gboolean force, GError **error)
{
  VdLocalRun *self = VD_LOCAL_RUN (run);
  g_autofree char *id = g_strdup_printf ("cdrom%u", drive);
  g_autoptr (GError) cause = NULL;

  if (!check_runs (self, error))
    return FALSE;
  if (path != NULL ? vmm_machine_insert (self->machine, id, path, force, &cause)
                   : vmm_machine_eject (self->machine, id, force, &cause))
    return TRUE;
  map_disc_error (&cause);
  vd_local_map_error (&cause);
  g_propagate_error (error, g_steal_pointer (&cause));
  return FALSE;
}

/* Off already, perhaps while we asked, is what one wanted. */
static gboolean
vd_local_run_power_off (VdRun *run, GError **error)
{
  VdLocalRun *self = VD_LOCAL_RUN (run);

  if (self->machine != NULL)
    vmm_machine_power_button (self->machine);
  return TRUE;
}

static gboolean
vd_local_run_force_off (VdRun *run, GError **error)
{
  VdLocalRun *self = VD_LOCAL_RUN (run);

  if (self->machine != NULL)
    vmm_machine_stop (self->machine);
  return TRUE;
}

typedef struct {
  VdJob *job;
  GCancellable *cancellable;
} Saving;

static gboolean
report (gpointer data, guint64 done, guint64 total)
{
  Saving *saving = data;

  vd_job_set_progress (saving->job, total > 0 ? (double) done / total : 0);
  return !g_cancellable_is_cancelled (saving->cancellable);
}

static gboolean
write_machine (VdLocalRun *self, VdJob *job, GCancellable *cancellable, GError **error)
{
  Saving saving = { job, cancellable };
  VmmProgress progress = { report, &saving };
  g_autofree char *path = vd_saved_begin (self->folder, error);

  if (path != NULL && vmm_machine_save (self->machine, path, &progress, error) &&
      vd_saved_commit (self->folder, VD_ENGINE_LOCAL, self->config, error))
    return TRUE;
  vd_saved_abort (self->folder);
  if (!g_cancellable_is_cancelled (cancellable))
    return FALSE;
  g_clear_error (error);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static gboolean
vd_local_run_save (VdRun *run, VdJob *job, GCancellable *cancellable, GError **error)
{
  VdLocalRun *self = VD_LOCAL_RUN (run);
  gboolean ran;

  if (!check_runs (self, error))
    return FALSE;
  ran = vmm_machine_get_state (self->machine) == VMM_MACHINE_RUNNING;
  if ((!ran || vmm_machine_pause (self->machine, error)) &&
      write_machine (self, job, cancellable, error)) {
    vmm_machine_stop (self->machine);
    return TRUE;
  }
  if (ran)
    vmm_machine_resume (self->machine, NULL);
  vd_local_map_error (error);
  return FALSE;
}

static void
vd_local_run_close (VdRun *run)
{
  VdLocalRun *self = VD_LOCAL_RUN (run);

  if (self->machine == NULL)
    return;
  vmm_machine_stop (self->machine);
  vmm_machine_wait (self->machine);
  take_last_picture (self);
  free_machine (self);
}

static void
vd_local_run_finalize (GObject *object)
{
  VdLocalRun *self = VD_LOCAL_RUN (object);

  /* Started machines are gone by now: on_end held a reference. */
  g_clear_object (&self->config);
  g_free (self->folder);
  G_OBJECT_CLASS (vd_local_run_parent_class)->finalize (object);
}

static void
vd_local_run_class_init (VdLocalRunClass *klass)
{
  VdRunClass *run_class = VD_RUN_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = vd_local_run_finalize;
  run_class->kind = VD_ENGINE_LOCAL;
  run_class->start = vd_local_run_start;
  run_class->pause = vd_local_run_pause;
  run_class->resume = vd_local_run_resume;
  run_class->power_off = vd_local_run_power_off;
  run_class->force_off = vd_local_run_force_off;
  run_class->reset = vd_local_run_reset;
  run_class->set_disc = vd_local_run_set_disc;
  run_class->save = vd_local_run_save;
  run_class->close = vd_local_run_close;
}

static void
vd_local_run_init (VdLocalRun *self)
{
}

VdRun *
vd_local_run_new (VdEngine *engine, VdConfig *config, const char *folder)
{
  VdLocalRun *self = g_object_new (VD_TYPE_LOCAL_RUN, NULL);

  vd_run_set_worker (VD_RUN (self), NULL);
  self->config = vd_config_copy (config);
  self->folder = g_strdup (folder);
  if (vd_config_get_graphics (config)) {
    g_autoptr (VdLocalDisplay) display = vd_local_display_new ();

    vd_run_set_display (VD_RUN (self), VD_DISPLAY (display));
  }
  return VD_RUN (self);
}
