/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdJob and VdWorker: order, progress, cancelling, and who sees what on which thread.
 */
#include "app-test.h"
#include "library/vd-job-private.h"

typedef struct {
  GMutex lock;
  GCond cond;
  gboolean open; /* the body may go on */
  gboolean entered;
  GString *order;
  GThread *main;
  guint n_done, n_destroyed;
} Gate;

static Gate *
gate_new (void)
{
  Gate *gate = g_new0 (Gate, 1);

  g_mutex_init (&gate->lock);
  g_cond_init (&gate->cond);
  gate->order = g_string_new (NULL);
  gate->main = g_thread_self ();
  return gate;
}

static void
gate_free (Gate *gate)
{
  g_string_free (gate->order, TRUE);
  g_cond_clear (&gate->cond);
  g_mutex_clear (&gate->lock);
  g_free (gate);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Gate, gate_free)

static void
pass (Gate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->entered = TRUE;
  g_cond_broadcast (&gate->cond);
  while (!gate->open)
    g_cond_wait (&gate->cond, &gate->lock);
  g_mutex_unlock (&gate->lock);
}

static void
wait_until_entered (Gate *gate)
{
  g_mutex_lock (&gate->lock);
  while (!gate->entered)
    g_cond_wait (&gate->cond, &gate->lock);
  g_mutex_unlock (&gate->lock);
}

static void
open_gate (Gate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->open = TRUE;
  g_cond_broadcast (&gate->cond);
  g_mutex_unlock (&gate->lock);
}

static gboolean
body_passes (VdJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  Gate *gate = data;

  g_assert_true (g_thread_self () != gate->main);
  pass (gate);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static gboolean
body_fails (VdJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  g_set_error_literal (error, VD_ERROR, VD_ERROR_DISK, "No.");
  return FALSE;
}

static void
on_done (VdJob *job, gpointer data, const GError *error)
{
  Gate *gate = data;

  g_assert_true (g_thread_self () == gate->main);
  g_assert_false (vd_job_is_finished (job));
  g_assert_cmpuint (gate->n_destroyed, ==, 0);
  gate->n_done++;
}

static void
on_destroy (gpointer data)
{
  Gate *gate = data;

  g_assert_true (g_thread_self () == gate->main);
  gate->n_destroyed++;
}

static void
on_finished (VdJob *job, Gate *gate)
{
  g_assert_true (vd_job_is_finished (job));
  g_assert_cmpuint (gate->n_destroyed, ==, 1);
  g_string_append_c (gate->order, 'f');
}

static void
finish (VdJob *job)
{
  while (!vd_job_is_finished (job))
    g_main_context_iteration (NULL, TRUE);
}

static void
test_done (void)
{
  g_autoptr (Gate) gate = gate_new ();
  g_autoptr (VdJob) job =
    vd_job_new_full ("Work", NULL, NULL, body_passes, on_done, gate, on_destroy);

  g_signal_connect (job, "finished", G_CALLBACK (on_finished), gate);
  g_assert_cmpint (vd_job_get_state (job), ==, VD_JOB_WAITING);
  g_assert_cmpstr (vd_job_get_title (job), ==, "Work");
  open_gate (gate);
  finish (job);
  g_assert_cmpint (vd_job_get_state (job), ==, VD_JOB_DONE);
  g_assert_null (vd_job_get_error (job));
  g_assert_cmpuint (gate->n_done, ==, 1);
  g_assert_cmpstr (gate->order->str, ==, "f");
}

static void
on_waited (GObject *source, GAsyncResult *result, gpointer data)
{
  GError **error = data;

  g_assert_cmpint (vd_job_wait_finish (VD_JOB (source), result, error), ==, *error == NULL);
  if (*error == NULL)
    *error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_EXISTS, "well");
}

static void
test_failed (void)
{
  g_autoptr (GError) first = NULL;
  g_autoptr (GError) second = NULL;
  g_autoptr (VdJob) job = vd_job_new ("Work", NULL, body_fails, NULL, NULL);

  vd_job_wait_async (job, NULL, on_waited, &first);
  while (first == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (first, VD_ERROR, VD_ERROR_DISK);
  /* Whoever comes late gets the same. */
  vd_job_wait_async (job, NULL, on_waited, &second);
  while (second == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (second, VD_ERROR, VD_ERROR_DISK);
  g_assert_error (vd_job_get_error (job), VD_ERROR, VD_ERROR_DISK);
}

static void
test_cancelled (void)
{
  g_autoptr (Gate) gate = gate_new ();
  g_autoptr (VdJob) job =
    vd_job_new_full ("Work", NULL, NULL, body_passes, on_done, gate, on_destroy);

  wait_until_entered (gate);
  vd_job_cancel (job);
  open_gate (gate);
  finish (job);
  g_assert_cmpint (vd_job_get_state (job), ==, VD_JOB_CANCELLED);
  g_assert_null (vd_job_get_error (job)); /* never shown */
  g_assert_cmpuint (gate->n_destroyed, ==, 1);
}

/* What waits behind a busy worker need not run at all. */
static void
test_cancelled_in_queue (void)
{
  g_autoptr (Gate) gate = gate_new ();
  g_autoptr (VdWorker) worker = vd_worker_new ("test");
  g_autoptr (VdJob) first = vd_job_new_full ("1", NULL, worker, body_passes, NULL, gate, NULL);
  g_autoptr (VdJob) second = vd_job_new_full ("2", NULL, worker, body_fails, NULL, NULL, NULL);

  wait_until_entered (gate);
  vd_job_cancel (second);
  open_gate (gate);
  finish (first);
  finish (second);
  g_assert_cmpint (vd_job_get_state (first), ==, VD_JOB_DONE);
  g_assert_cmpint (vd_job_get_state (second), ==, VD_JOB_CANCELLED);
}

static gboolean
body_reports (VdJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i <= 1000; i++)
    vd_job_set_progress (job, i / 1000.0);
  vd_job_set_progress (job, 7);
  pass (data);
  return TRUE;
}

static void
on_progress (VdJob *job, GParamSpec *pspec, guint *n)
{
  (*n)++;
}

static void
test_progress (void)
{
  g_autoptr (Gate) gate = gate_new ();
  g_autoptr (VdJob) job = vd_job_new ("Work", NULL, body_reports, gate, NULL);
  guint n = 0;

  g_assert_cmpfloat (vd_job_get_progress (job), ==, -1);
  g_signal_connect (job, "notify::progress", G_CALLBACK (on_progress), &n);
  wait_until_entered (gate);
  open_gate (gate);
  finish (job);
  /* A thousand reports while nobody looked are one notification. */
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpfloat (vd_job_get_progress (job), ==, 1);
}

static void
append (gpointer data)
{
  Gate *gate = data;

  g_string_append_printf (gate->order, "%" G_GSIZE_FORMAT " ", gate->order->len);
}

static void
test_worker (void)
{
  g_autoptr (Gate) gate = gate_new ();
  g_autoptr (GString) expected = g_string_new (NULL);
  VdWorker *worker = vd_worker_new ("a name that is much too long for a thread");

  for (guint i = 0; i < 100; i++) {
    g_assert_true (vd_worker_push (worker, append, gate, NULL));
    g_string_append_printf (expected, "%" G_GSIZE_FORMAT " ", expected->len);
  }
  g_assert_false (vd_worker_is_current (worker));
  vd_worker_sync (worker);
  g_assert_cmpstr (gate->order->str, ==, expected->str);
  vd_worker_unref (worker);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/job/done", test_done);
  g_test_add_func ("/job/failed", test_failed);
  g_test_add_func ("/job/cancelled", test_cancelled);
  g_test_add_func ("/job/cancelled-in-queue", test_cancelled_in_queue);
  g_test_add_func ("/job/progress", test_progress);
  g_test_add_func ("/job/worker", test_worker);
  return g_test_run ();
}
