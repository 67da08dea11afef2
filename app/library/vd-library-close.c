/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Closing a library: every run, every engine and the library's own work end on
 * workers, which may take long or hang. So the ends are queued first and waited for
 * together, and not for ever: what is late keeps its locks until it ends, or until
 * this process does.
 *
 * Threads: main.
 */
#include "library/vd-library-private.h"
#include "library/vd-run.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>

struct _VdClosing {
  gatomicrefcount ref_count;
  GMutex lock;
  GCond cond;
  guint n_left; /* workers that have not come to their end; guarded by lock */

  /* Main. Owned, NULL once let go of */
  GPtrArray *runs;
  VdLock *library_lock;
  GTask *task; /* of the one who waits */
  guint timeout;
};

VdClosing *
vd_closing_new (void)
{
  VdClosing *self = g_new0 (VdClosing, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->runs = g_ptr_array_new_with_free_func (g_object_unref);
  return self;
}

void
vd_closing_unref (VdClosing *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->runs, g_ptr_array_unref);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self);
}

static void
unref (gpointer data)
{
  vd_closing_unref (data);
}

static gboolean
is_over (VdClosing *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->n_left == 0;
}

static void
answer (VdClosing *self, gboolean closed)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  g_clear_handle_id (&self->timeout, g_source_remove);
  if (task != NULL && closed)
    g_task_return_boolean (task, TRUE);
  else if (task != NULL)
    g_task_return_new_error_literal (task, VD_ERROR, VD_ERROR_FAILED,
                                     _("A machine does not end; it ends with VirtDesk."));
}

/* All have ended: the locks go. */
static void
let_go (VdClosing *self)
{
  for (guint i = 0; i < self->runs->len; i++)
    vd_run_unlock (self->runs->pdata[i], vd_run_survives (self->runs->pdata[i]));
  g_ptr_array_set_size (self->runs, 0);
  g_clear_pointer (&self->library_lock, vd_lock_remove);
  answer (self, TRUE);
}

static gboolean
on_all_arrived (gpointer data)
{
  if (is_over (data)) /* more may have been added since */
    let_go (data);
  return G_SOURCE_REMOVE;
}

/* Worker. The last thing in its queue; takes a reference. */
static void
arrive (gpointer data)
{
  VdClosing *self = data;
  gboolean last;

  g_mutex_lock (&self->lock);
  last = --self->n_left == 0;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
  if (last)
    g_idle_add_full (G_PRIORITY_DEFAULT, on_all_arrived, self, unref);
  else
    vd_closing_unref (self);
}

void
vd_closing_add_worker (VdClosing *self, VdWorker *worker)
{
  g_mutex_lock (&self->lock);
  self->n_left++;
  g_mutex_unlock (&self->lock);
  g_atomic_ref_count_inc (&self->ref_count);
  if (!vd_worker_push (worker, arrive, self, NULL))
    arrive (self); /* no thread, so nothing runs on it */
}

void
vd_closing_add_machine (VdClosing *self, VdOwnMachine *machine)
{
  VdRun *run = vd_own_machine_leave (machine);

  if (run == NULL)
    return;
  g_ptr_array_add (self->runs, run);
  vd_closing_add_worker (self, vd_run_get_worker (run));
}

gboolean
vd_closing_wait (VdClosing *self, guint timeout)
{
  gint64 end = g_get_monotonic_time () + timeout * G_TIME_SPAN_MILLISECOND;
  gboolean in_time = TRUE;

  g_mutex_lock (&self->lock);
  while (self->n_left > 0 && in_time)
    in_time = g_cond_wait_until (&self->cond, &self->lock, end);
  g_mutex_unlock (&self->lock);
  if (in_time)
    let_go (self);
  return in_time;
}

/* Everything in the library is told to end. */
static VdClosing *
begin (VdLibrary *self)
{
  VdClosing *closing = vd_closing_new ();
  GListModel *machines = vd_library_get_machines (self);

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->jobs)); i++) {
    g_autoptr (VdJob) job = g_list_model_get_item (G_LIST_MODEL (self->jobs), i);

    vd_job_cancel (job);
  }
  for (guint i = g_list_model_get_n_items (machines); i-- > 0;) {
    g_autoptr (VdOwnMachine) machine = g_list_model_get_item (machines, i);

    vd_library_remove (self, VD_MACHINE (machine));
    vd_closing_add_machine (closing, machine);
  }
  for (guint i = 0; i < g_list_model_get_n_items (self->engines); i++) {
    g_autoptr (VdEngine) engine = g_list_model_get_item (self->engines, i);
    VdWorker *worker = vd_engine_close (engine);

    if (worker != NULL)
      vd_closing_add_worker (closing, worker);
  }
  vd_closing_add_worker (closing, self->worker);
  g_clear_pointer (&self->worker, vd_worker_unref);
  closing->library_lock = g_steal_pointer (&self->lock);
  return closing;
}

void
vd_library_close (VdLibrary *self)
{
  VdClosing *closing;

  g_return_if_fail (VD_IS_LIBRARY (self));

  if (self->worker == NULL)
    return;
  closing = begin (self);
  if (!vd_closing_wait (closing, self->close_timeout))
    g_message ("something in %s does not end; it is left behind", self->path);
  vd_closing_unref (closing);
}

static gboolean
on_timeout (gpointer data)
{
  VdClosing *self = data;

  self->timeout = 0;
  answer (self, FALSE);
  return G_SOURCE_REMOVE;
}

void
vd_library_close_async (VdLibrary *self, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, data);
  VdClosing *closing;

  g_return_if_fail (VD_IS_LIBRARY (self));

  g_task_set_source_tag (task, vd_library_close_async);
  if (self->worker == NULL) {
    g_task_return_boolean (task, TRUE);
    return;
  }
  closing = begin (self);
  closing->task = g_steal_pointer (&task);
  /* The last worker that arrives posts the end, so this is not missed. */
  closing->timeout =
    g_timeout_add_full (G_PRIORITY_DEFAULT, self->close_timeout, on_timeout, closing, unref);
}

gboolean
vd_library_close_finish (VdLibrary *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
