/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdOwnMachine: the verbs of VdMachine as jobs on the run's worker, and what the
 * run says as the state of the machine. What was found on disk is read in
 * vd-own-machine-load.c.
 *
 * Threads: main; bodies on the run's worker.
 */
#include "library/vd-own-machine-private.h"
#include "library/vd-job-private.h"
#include "library/vd-picture.h"
#include "library/vd-saved.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>

G_DEFINE_FINAL_TYPE (VdOwnMachine, vd_own_machine, VD_TYPE_MACHINE)

/* What a job's body needs: nothing of the machine itself. */
typedef struct {
  VdRun *run;
  gboolean (*verb) (VdRun *run, GError **error); /* NULL: start */
  gboolean adopt;
  char *running_file;
  char *bus_name;
} Call;

static void
call_free (gpointer data)
{
  Call *call = data;

  g_clear_object (&call->run);
  g_free (call->running_file);
  g_free (call->bus_name);
  g_free (call);
}

static gboolean
start_body (VdJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  Call *call = data;
  VdRunClass *klass = VD_RUN_GET_CLASS (call->run);
  g_autoptr (GError) cause = NULL;
  gboolean ok;

  if (!vd_run_lock (call->run, call->running_file, call->bus_name, error))
    return FALSE;
  ok =
    call->adopt ? klass->adopt (call->run, &cause) : klass->start (call->run, cancellable, &cause);
  if (ok)
    return TRUE;
  /* What could not be looked for may be running still. */
  vd_run_unlock (call->run, call->adopt && !g_error_matches (cause, VD_ERROR, VD_ERROR_NOT_FOUND));
  g_propagate_error (error, g_steal_pointer (&cause));
  return FALSE;
}

static gboolean
verb_body (VdJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  Call *call = data;

  return call->verb (call->run, error);
}

static void
drop_run (VdOwnMachine *self)
{
  vd_machine_set_display (VD_MACHINE (self), NULL);
  g_signal_handlers_disconnect_by_data (self->run, self);
  g_clear_object (&self->run);
}

void
vd_own_machine_find_screenshot (VdOwnMachine *self)
{
  g_autofree char *path = g_build_filename (self->folder, VD_SCREENSHOT_FILE, NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);

  if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
    vd_machine_set_screenshot (VD_MACHINE (self), file);
}

void
vd_own_machine_find_saved (VdOwnMachine *self)
{
  vd_machine_set_saved (VD_MACHINE (self), vd_saved_find (self->folder) != VD_ENGINE_AUTO);
}

static void save_last_picture (VdOwnMachine *self);

static void
on_run_changed (VdOwnMachine *self, guint state, const char *problem, const char *details)
{
  VdMachine *machine = VD_MACHINE (self);

  vd_own_machine_find_saved (self);
  switch (state) {
  case VD_RUN_RUNNING:
    /* A guest that was asked to turn off and is still at it does not "run" again. */
    if (vd_machine_get_state (machine) != VD_MACHINE_STOPPING)
      vd_machine_set_state (machine, VD_MACHINE_RUNNING, problem);
    vd_machine_set_display (machine, vd_run_get_display (self->run));
    break;
  case VD_RUN_PAUSED:
    vd_machine_set_state (machine, VD_MACHINE_PAUSED, problem);
    vd_machine_set_display (machine, vd_run_get_display (self->run));
    break;
  case VD_RUN_OFF:
  case VD_RUN_CRASHED:
    vd_run_unlock (self->run, FALSE);
    save_last_picture (self);
    drop_run (self);
    vd_machine_set_details (machine, details);
    vd_machine_set_state (machine, state == VD_RUN_OFF ? VD_MACHINE_OFF : VD_MACHINE_CRASHED,
                          problem);
    break;
  }
}

static void
start_done (VdJob *job, gpointer data, const GError *error)
{
  Call *call = data;
  VdOwnMachine *self = VD_OWN_MACHINE (vd_job_get_machine (job));

  if (error == NULL || self->run != call->run)
    return; /* it runs, or the library was closed meanwhile */
  drop_run (self);
  if (!call->adopt)
    vd_machine_set_state (VD_MACHINE (self), VD_MACHINE_OFF, NULL);
  else if (g_error_matches (error, VD_ERROR, VD_ERROR_NOT_FOUND))
    vd_own_machine_set_lost (self);
  else
    vd_machine_set_state (VD_MACHINE (self), VD_MACHINE_CRASHED, error->message);
}

static void
set_run (VdOwnMachine *self, VdRun *run)
{
  self->run = run;
  g_signal_connect_object (run, "changed", G_CALLBACK (on_run_changed), self, G_CONNECT_SWAPPED);
}

static VdJob *
start_run (VdOwnMachine *self,
           VdEngine *engine,
           VdConfig *config,
           const char *title,
           gboolean adopt)
{
  VdMachine *machine = VD_MACHINE (self);
  Call *call = g_new0 (Call, 1);

  set_run (self, vd_engine_new_run (engine, config, self->folder));
  call->run = g_object_ref (self->run);
  call->adopt = adopt;
  call->running_file = g_build_filename (self->folder, VD_RUNNING_FILE, NULL);
  call->bus_name = g_strdup (self->bus_name);
  vd_machine_set_details (machine, NULL);
  vd_machine_set_state (machine, VD_MACHINE_STARTING, NULL);
  return vd_job_new_full (title, machine, vd_run_get_worker (self->run), start_body, start_done,
                          call, call_free);
}

/* What was saved goes on where it was saved, and as what it was. */
static VdEngine *
choose_engine (VdOwnMachine *self, VdConfig **config, GError **error)
{
  VdMachine *machine = VD_MACHINE (self);
  VdEngineKind kind = vd_saved_find (self->folder);
  VdEngine *engine;

  if (kind == VD_ENGINE_AUTO) {
    *config = g_object_ref (vd_machine_get_config (machine));
    return vd_engine_list_choose (self->engines, *config, self->folder, NULL, error);
  }
  engine = vd_engine_list_find (self->engines, kind);
  *config = vd_saved_load_config (self->folder, kind, vd_machine_get_uuid (machine), error);
  if (*config == NULL || !vd_engine_check (engine, *config, self->folder, error))
    return NULL;
  return engine;
}

static VdJob *
vd_own_machine_start (VdMachine *machine)
{
  VdOwnMachine *self = VD_OWN_MACHINE (machine);
  g_autofree char *title = g_strdup_printf (_("Start “%s”"), vd_machine_get_name (machine));
  g_autoptr (VdConfig) config = NULL;
  GError *error = NULL;
  VdEngine *engine;

  if (vd_machine_get_read_only (machine)) {
    g_set_error (&error, VD_ERROR, VD_ERROR_READ_ONLY,
                 _("“%s” was made by a newer VirtDesk; update VirtDesk to start it."),
                 vd_machine_get_name (machine));
    return vd_job_new_failed (title, machine, error);
  }
  engine = choose_engine (self, &config, &error);
  if (engine == NULL)
    return vd_job_new_failed (title, machine, error);
  vd_own_machine_update_engine (self);
  return start_run (self, engine, config, title, FALSE);
}

void
vd_own_machine_adopt (VdOwnMachine *self, VdEngine *engine)
{
  g_autofree char *title =
    g_strdup_printf (_("Find “%s”"), vd_machine_get_name (VD_MACHINE (self)));
  VdJob *job = start_run (self, engine, vd_machine_get_config (VD_MACHINE (self)), title, TRUE);

  /* The job lives until it is finished; what it finds is the machine's state. */
  g_object_unref (job);
}

static VdJob *
run_verb (VdOwnMachine *self,
          const char *title,
          gboolean (*verb) (VdRun *, GError **),
          VdJobDone done)
{
  Call *call = g_new0 (Call, 1);

  call->run = g_object_ref (self->run);
  call->verb = verb;
  return vd_job_new_full (title, VD_MACHINE (self), vd_run_get_worker (self->run), verb_body, done,
                          call, call_free);
}

static VdJob *
vd_own_machine_pause (VdMachine *machine)
{
  VdOwnMachine *self = VD_OWN_MACHINE (machine);

  return run_verb (self, _("Pause"), VD_RUN_GET_CLASS (self->run)->pause, NULL);
}

static VdJob *
vd_own_machine_resume (VdMachine *machine)
{
  VdOwnMachine *self = VD_OWN_MACHINE (machine);

  return run_verb (self, _("Resume"), VD_RUN_GET_CLASS (self->run)->resume, NULL);
}

static void
power_off_done (VdJob *job, gpointer data, const GError *error)
{
  VdMachine *machine = vd_job_get_machine (job);

  if (error == NULL && vd_machine_get_state (machine) == VD_MACHINE_RUNNING)
    vd_machine_set_state (machine, VD_MACHINE_STOPPING, NULL);
}

static VdJob *
vd_own_machine_power_off (VdMachine *machine)
{
  VdOwnMachine *self = VD_OWN_MACHINE (machine);

  return run_verb (self, _("Turn Off"), VD_RUN_GET_CLASS (self->run)->power_off, power_off_done);
}

static VdJob *
vd_own_machine_force_off (VdMachine *machine)
{
  VdOwnMachine *self = VD_OWN_MACHINE (machine);

  return run_verb (self, _("Force Off"), VD_RUN_GET_CLASS (self->run)->force_off, NULL);
}

static void
reset_done (VdJob *job, gpointer data, const GError *error)
{
  VdMachine *machine = vd_job_get_machine (job);

  if (error == NULL && vd_machine_get_state (machine) == VD_MACHINE_STOPPING)
    vd_machine_set_state (machine, VD_MACHINE_RUNNING, NULL);
}

static VdJob *
vd_own_machine_reset (VdMachine *machine)
{
  VdOwnMachine *self = VD_OWN_MACHINE (machine);

  return run_verb (self, _("Reset"), VD_RUN_GET_CLASS (self->run)->reset, reset_done);
}

static gboolean
save_body (VdJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  Call *call = data;

  return VD_RUN_GET_CLASS (call->run)->save (call->run, job, cancellable, error);
}

static gboolean
vd_own_machine_can_save (VdMachine *machine)
{
  VdOwnMachine *self = VD_OWN_MACHINE (machine);

  return self->run != NULL && VD_RUN_GET_CLASS (self->run)->save != NULL;
}

static VdJob *
vd_own_machine_save (VdMachine *machine)
{
  VdOwnMachine *self = VD_OWN_MACHINE (machine);
  g_autofree char *title = g_strdup_printf (_("Save “%s”"), vd_machine_get_name (machine));
  Call *call;

  if (!vd_own_machine_can_save (machine))
    return vd_job_new_failed (
      title, machine,
      g_error_new_literal (
        VD_ERROR, VD_ERROR_UNSUPPORTED,
        _("Only a machine that runs on VirtDesk’s own engine can be saved; this "
          "one runs on QEMU. Turn it off, or pause it.")));
  call = g_new0 (Call, 1);
  call->run = g_object_ref (self->run);
  return vd_job_new_full (title, machine, vd_run_get_worker (self->run), save_body, NULL, call,
                          call_free);
}

static gboolean
discard_body (VdJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  return vd_saved_remove (data, error);
}

static void
discard_done (VdJob *job, gpointer data, const GError *error)
{
  vd_own_machine_find_saved (VD_OWN_MACHINE (vd_job_get_machine (job)));
}

static VdJob *
vd_own_machine_discard (VdMachine *machine)
{
  VdOwnMachine *self = VD_OWN_MACHINE (machine);

  return vd_job_new_full (_("Discard What Was Saved"), machine, self->worker, discard_body,
                          discard_done, g_strdup (self->folder), g_free);
}

typedef struct {
  VdRun *run;
  guint drive;
  char *path;
  gboolean force;
} Disc;

static void
disc_free (gpointer data)
{
  Disc *disc = data;

  g_object_unref (disc->run);
  g_free (disc->path);
  g_free (disc);
}

static gboolean
disc_body (VdJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  Disc *disc = data;

  return VD_RUN_GET_CLASS (disc->run)->set_disc (disc->run, disc->drive, disc->path, disc->force,
                                                 error);
}

static VdJob *
vd_own_machine_set_disc (VdMachine *machine, guint drive, const char *path, gboolean force)
{
  VdOwnMachine *self = VD_OWN_MACHINE (machine);
  Disc *disc = g_new (Disc, 1);

  *disc = (Disc) { g_object_ref (self->run), drive, g_strdup (path), force };
  return vd_job_new_full (path != NULL ? _("Change the Disc") : _("Eject"), machine,
                          vd_run_get_worker (self->run), disc_body, NULL, disc, disc_free);
}

typedef struct {
  VdFrame frame;
  GFile *last; /* used where there is no frame */
  GFile *target;
} Picture;

static void
picture_free (gpointer data)
{
  Picture *picture = data;

  vd_frame_clear (&picture->frame);
  g_clear_object (&picture->last);
  g_clear_object (&picture->target);
  g_free (picture);
}

static gboolean
picture_body (VdJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  Picture *picture = data;

  if (picture->frame.pixels != NULL)
    return vd_frame_save_png (&picture->frame, g_file_peek_path (picture->target), error);
  if (picture->last != NULL)
    return g_file_copy (picture->last, picture->target, G_FILE_COPY_OVERWRITE, cancellable, NULL,
                        NULL, error);
  g_set_error_literal (error, VD_ERROR, VD_ERROR_STATE, _("The screen shows no picture yet."));
  return FALSE;
}

static VdJob *
vd_own_machine_save_screenshot (VdMachine *machine, GFile *file)
{
  VdOwnMachine *self = VD_OWN_MACHINE (machine);
  VdDisplay *display = vd_machine_get_display (machine);
  GFile *last = vd_machine_get_screenshot (machine);
  Picture *picture;
  GError *error = NULL;

  if (g_file_peek_path (file) == NULL) {
    g_set_error_literal (&error, VD_ERROR, VD_ERROR_INVALID,
                         _("A picture can be saved in a folder of this computer only."));
    return vd_job_new_failed (_("Save Screenshot"), machine, error);
  }
  picture = g_new0 (Picture, 1);
  picture->target = g_object_ref (file);
  if (display != NULL)
    vd_display_peek_frame (display, &picture->frame);
  else
    picture->last = g_object_ref (last);
  return vd_job_new_full (_("Save Screenshot"), machine, self->worker, picture_body, NULL, picture,
                          picture_free);
}

static void
last_picture_done (VdJob *job, gpointer data, const GError *error)
{
  vd_own_machine_find_screenshot (VD_OWN_MACHINE (vd_job_get_machine (job)));
}

/* What the display still shows of a run that is over; where it shows nothing, the engine has
 * written the picture itself. */
static void
save_last_picture (VdOwnMachine *self)
{
  VdDisplay *display = vd_run_get_display (self->run);
  g_autofree char *path = g_build_filename (self->folder, VD_SCREENSHOT_FILE, NULL);
  Picture *picture = g_new0 (Picture, 1);

  if (display == NULL || !vd_display_peek_frame (display, &picture->frame)) {
    picture_free (picture);
    vd_own_machine_find_screenshot (self);
    return;
  }
  picture->target = g_file_new_for_path (path);
  g_object_unref (vd_job_new_full (_("Save Screenshot"), VD_MACHINE (self), self->worker,
                                   picture_body, last_picture_done, picture, picture_free));
}

const char *
vd_own_machine_get_folder (VdOwnMachine *self)
{
  return self->folder;
}

void
vd_own_machine_set_bus_name (VdOwnMachine *self, const char *bus_name)
{
  g_set_str (&self->bus_name, bus_name);
}

void
vd_own_machine_set_worker (VdOwnMachine *self, VdWorker *worker)
{
  g_clear_pointer (&self->worker, vd_worker_unref);
  self->worker = vd_worker_ref (worker);
}

gboolean
vd_own_machine_can_leave (VdOwnMachine *self)
{
  return self->run == NULL || vd_run_survives (self->run);
}

static void
close_run (gpointer data)
{
  VdRun *run = data;

  VD_RUN_GET_CLASS (run)->close (run);
}

VdRun *
vd_own_machine_leave (VdOwnMachine *self)
{
  VdRun *run;

  if (self->run == NULL)
    return NULL;
  run = g_object_ref (self->run);
  drop_run (self);
  vd_worker_push (vd_run_get_worker (run), close_run, run, NULL);
  vd_machine_set_state (VD_MACHINE (self), VD_MACHINE_OFF, NULL);
  return run;
}

static void
vd_own_machine_finalize (GObject *object)
{
  VdOwnMachine *self = VD_OWN_MACHINE (object);

  g_clear_handle_id (&self->retry, g_source_remove);
  g_clear_object (&self->run);
  g_clear_pointer (&self->worker, vd_worker_unref);
  g_clear_object (&self->monitor);
  g_clear_object (&self->engines);
  g_free (self->folder);
  g_free (self->bus_name);
  g_free (self->holder);
  G_OBJECT_CLASS (vd_own_machine_parent_class)->finalize (object);
}

static void
vd_own_machine_class_init (VdOwnMachineClass *klass)
{
  VdMachineClass *machine_class = VD_MACHINE_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = vd_own_machine_finalize;
  machine_class->start = vd_own_machine_start;
  machine_class->pause = vd_own_machine_pause;
  machine_class->resume = vd_own_machine_resume;
  machine_class->power_off = vd_own_machine_power_off;
  machine_class->force_off = vd_own_machine_force_off;
  machine_class->reset = vd_own_machine_reset;
  machine_class->save = vd_own_machine_save;
  machine_class->can_save = vd_own_machine_can_save;
  machine_class->discard = vd_own_machine_discard;
  machine_class->set_disc = vd_own_machine_set_disc;
  machine_class->save_screenshot = vd_own_machine_save_screenshot;
}

static void
vd_own_machine_init (VdOwnMachine *self)
{
}
