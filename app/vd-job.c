/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdJob: a blocking body on a worker, and what a person sees of it on the main
 * thread. The worker only posts; every property changes in an idle of the default
 * main context.
 *
 * Threads: main, except where vd-job.h says any.
 */
#include "vd-machine.h"
#include "library/vd-job-private.h"

struct _VdJob {
  GObject parent_instance;

  /* Owned */
  char *title;
  VdMachine *machine;
  GCancellable *cancellable;
  GError *error;
  gpointer data;
  GDestroyNotify destroy;

  VdJobBody body;
  VdJobDone done;
  VdJobState state;
  double progress;

  GMutex lock;   /* guards the next two */
  double posted; /* progress that waits for the main thread */
  gboolean is_posted;
};

enum { PROP_0, PROP_TITLE, PROP_PROGRESS, PROP_STATE, PROP_MACHINE, N_PROPS };
static GParamSpec *props[N_PROPS];
static guint finished_signal;

G_DEFINE_FINAL_TYPE (VdJob, vd_job, G_TYPE_OBJECT)
G_DEFINE_ENUM_TYPE (VdJobState,
                    vd_job_state,
                    G_DEFINE_ENUM_VALUE (VD_JOB_WAITING, "waiting"),
                    G_DEFINE_ENUM_VALUE (VD_JOB_RUNNING, "running"),
                    G_DEFINE_ENUM_VALUE (VD_JOB_DONE, "done"),
                    G_DEFINE_ENUM_VALUE (VD_JOB_FAILED, "failed"),
                    G_DEFINE_ENUM_VALUE (VD_JOB_CANCELLED, "cancelled"))

/* Never g_main_context_invoke: it would run @func here when nobody iterates the main context. */
static void
post (VdJob *self, GSourceFunc func)
{
  g_idle_add_full (G_PRIORITY_DEFAULT, func, g_object_ref (self), g_object_unref);
}

static void
set_state (VdJob *self, VdJobState state)
{
  if (self->state == state)
    return;
  self->state = state;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
}

static void
drop_data (VdJob *self)
{
  gpointer data = g_steal_pointer (&self->data);

  if (data != NULL && self->destroy != NULL)
    self->destroy (data);
}

static gboolean
on_finished (gpointer data)
{
  VdJob *self = data;
  VdJobState state = VD_JOB_DONE;

  if (g_error_matches (self->error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    state = VD_JOB_CANCELLED;
  else if (self->error != NULL)
    state = VD_JOB_FAILED;

  if (self->done != NULL)
    self->done (self, self->data, self->error);
  drop_data (self);
  if (state == VD_JOB_CANCELLED)
    g_clear_error (&self->error);

  set_state (self, state);
  g_signal_emit (self, finished_signal, 0);
  return G_SOURCE_REMOVE;
}

static gboolean
on_running (gpointer data)
{
  VdJob *self = data;

  if (self->state == VD_JOB_WAITING)
    set_state (self, VD_JOB_RUNNING);
  return G_SOURCE_REMOVE;
}

/* Takes a reference, which goes with the idle: the last one must not end on a worker. */
static void
finish (VdJob *self)
{
  g_idle_add_full (G_PRIORITY_DEFAULT, on_finished, self, g_object_unref);
}

/* Worker. Takes the reference that the queue held. */
static void
run (gpointer data)
{
  VdJob *self = data;

  if (!g_cancellable_set_error_if_cancelled (self->cancellable, &self->error)) {
    post (self, on_running);
    if (!self->body (self, self->data, self->cancellable, &self->error) && self->error == NULL)
      g_set_error_literal (&self->error, G_IO_ERROR, G_IO_ERROR_FAILED, self->title);
  }
  finish (self);
}

static gpointer
run_thread (gpointer data)
{
  run (data);
  return NULL;
}

static void
start (VdJob *self, VdWorker *worker)
{
  GThread *thread;

  g_object_ref (self);
  if (worker != NULL) {
    if (vd_worker_push (worker, run, self, &self->error))
      return;
  } else {
    thread = g_thread_try_new ("vd-job", run_thread, self, &self->error);
    if (thread != NULL) {
      g_thread_unref (thread);
      return;
    }
  }
  finish (self);
}

VdJob *
vd_job_new_full (const char *title,
                 VdMachine *machine,
                 VdWorker *worker,
                 VdJobBody body,
                 VdJobDone done,
                 gpointer data,
                 GDestroyNotify destroy)
{
  VdJob *self = g_object_new (VD_TYPE_JOB, NULL);

  self->title = g_strdup (title);
  self->machine = machine != NULL ? g_object_ref (machine) : NULL;
  self->body = body;
  self->done = done;
  self->data = data;
  self->destroy = destroy;
  start (self, worker);
  return self;
}

/**
 * vd_job_new:
 * @title: what a person reads, translated
 * @body: blocks on a thread of its own; FALSE with an error when it failed, with
 *   G_IO_ERROR_CANCELLED when it stopped because of its cancellable
 * @destroy: frees @data on the main thread, before "finished"
 *
 * Begins at once.
 */
VdJob *
vd_job_new (const char *title,
            VdMachine *machine,
            VdJobBody body,
            gpointer data,
            GDestroyNotify destroy)
{
  return vd_job_new_full (title, machine, NULL, body, NULL, data, destroy);
}

VdJob *
vd_job_new_failed (const char *title, VdMachine *machine, GError *error)
{
  VdJob *self = g_object_new (VD_TYPE_JOB, NULL);

  self->title = g_strdup (title);
  self->machine = machine != NULL ? g_object_ref (machine) : NULL;
  self->error = error;
  self->state = VD_JOB_FAILED;
  return self;
}

const char *
vd_job_get_title (VdJob *self)
{
  return self->title;
}

VdJobState
vd_job_get_state (VdJob *self)
{
  return self->state;
}

double
vd_job_get_progress (VdJob *self)
{
  return self->progress;
}

VdMachine *
vd_job_get_machine (VdJob *self)
{
  return self->machine;
}

const GError *
vd_job_get_error (VdJob *self)
{
  /* Until then the worker may be writing it. */
  return self->state == VD_JOB_FAILED ? self->error : NULL;
}

gboolean
vd_job_is_finished (VdJob *self)
{
  return self->state >= VD_JOB_DONE;
}

void
vd_job_cancel (VdJob *self)
{
  g_cancellable_cancel (self->cancellable);
}

GCancellable *
vd_job_get_cancellable (VdJob *self)
{
  return self->cancellable;
}

static gboolean
on_progress (gpointer data)
{
  VdJob *self = data;

  g_mutex_lock (&self->lock);
  self->progress = self->posted;
  self->is_posted = FALSE;
  g_mutex_unlock (&self->lock);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_PROGRESS]);
  return G_SOURCE_REMOVE;
}

/* Any thread. However often it is called, one notification is under way at most. */
void
vd_job_set_progress (VdJob *self, double progress)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->posted = progress < 0 ? -1 : MIN (progress, 1);
  if (!self->is_posted)
    post (self, on_progress);
  self->is_posted = TRUE;
}

static void
return_to_waiter (VdJob *self, GTask *task)
{
  if (self->state == VD_JOB_DONE)
    g_task_return_boolean (task, TRUE);
  else if (self->state == VD_JOB_FAILED)
    g_task_return_error (task, g_error_copy (self->error));
  else
    g_task_return_new_error_literal (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, self->title);
}

static void
on_wait_over (VdJob *self, GTask *task)
{
  return_to_waiter (self, task);
  /* The task holds the job: without this they would keep each other. */
  g_signal_handlers_disconnect_by_func (self, on_wait_over, task);
}

void
vd_job_wait_async (VdJob *self,
                   GCancellable *cancellable,
                   GAsyncReadyCallback callback,
                   gpointer data)
{
  GTask *task = g_task_new (self, cancellable, callback, data);

  g_return_if_fail (VD_IS_JOB (self));

  g_task_set_source_tag (task, vd_job_wait_async);
  g_task_set_check_cancellable (task, FALSE);
  if (!vd_job_is_finished (self)) {
    g_signal_connect_data (self, "finished", G_CALLBACK (on_wait_over), task,
                           (GClosureNotify) (void (*) (void)) g_object_unref, 0);
    return;
  }
  return_to_waiter (self, task);
  g_object_unref (task);
}

gboolean
vd_job_wait_finish (VdJob *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
vd_job_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  VdJob *self = VD_JOB (object);

  switch (id) {
  case PROP_TITLE:
    g_value_set_string (value, self->title);
    break;
  case PROP_PROGRESS:
    g_value_set_double (value, self->progress);
    break;
  case PROP_STATE:
    g_value_set_enum (value, self->state);
    break;
  case PROP_MACHINE:
    g_value_set_object (value, self->machine);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
vd_job_finalize (GObject *object)
{
  VdJob *self = VD_JOB (object);

  drop_data (self);
  g_clear_error (&self->error);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->machine);
  g_free (self->title);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (vd_job_parent_class)->finalize (object);
}

static void
vd_job_class_init (VdJobClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->get_property = vd_job_get_property;
  object_class->finalize = vd_job_finalize;

  props[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, NULL, flags);
  props[PROP_PROGRESS] = g_param_spec_double ("progress", NULL, NULL, -1, 1, -1, flags);
  props[PROP_STATE] =
    g_param_spec_enum ("state", NULL, NULL, VD_TYPE_JOB_STATE, VD_JOB_WAITING, flags);
  props[PROP_MACHINE] = g_param_spec_object ("machine", NULL, NULL, VD_TYPE_MACHINE, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);

  finished_signal = g_signal_new ("finished", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void
vd_job_init (VdJob *self)
{
  self->cancellable = g_cancellable_new ();
  self->progress = -1;
  g_mutex_init (&self->lock);
}
