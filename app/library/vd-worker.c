/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdWorker: a queue and the thread that empties it. The thread owns a reference
 * to the queue only, so the last unref may happen on the thread itself.
 *
 * Threads: any.
 */
#include "vd-worker.h"

typedef struct {
  VdWorkerFunc func; /* NULL: end of the thread */
  gpointer data;
} Call;

struct _VdWorker {
  gatomicrefcount ref_count;
  GMutex lock;
  char *name;
  GAsyncQueue *calls; /* of Call */
  GThread *thread;    /* NULL until the first call */
};

static gpointer
vd_worker_thread (gpointer data)
{
  g_autoptr (GAsyncQueue) calls = data;

  for (;;) {
    g_autofree Call *call = g_async_queue_pop (calls);

    if (call->func == NULL)
      return NULL;
    call->func (call->data);
  }
}

static void
push (VdWorker *self, VdWorkerFunc func, gpointer data)
{
  Call *call = g_new (Call, 1);

  *call = (Call) { func, data };
  g_async_queue_push (self->calls, call);
}

VdWorker *
vd_worker_new (const char *name)
{
  VdWorker *self = g_new0 (VdWorker, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  self->name = g_strndup (name, 15);
  self->calls = g_async_queue_new ();
  return self;
}

VdWorker *
vd_worker_ref (VdWorker *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
vd_worker_unref (VdWorker *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  if (self->thread != NULL) {
    push (self, NULL, NULL);
    g_thread_unref (self->thread);
  }
  g_async_queue_unref (self->calls);
  g_mutex_clear (&self->lock);
  g_free (self->name);
  g_free (self);
}

gboolean
vd_worker_push (VdWorker *self, VdWorkerFunc func, gpointer data, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->thread == NULL) {
    self->thread =
      g_thread_try_new (self->name, vd_worker_thread, g_async_queue_ref (self->calls), error);
    if (self->thread == NULL) {
      g_async_queue_unref (self->calls);
      return FALSE;
    }
  }
  push (self, func, data);
  return TRUE;
}

typedef struct {
  GMutex lock;
  GCond cond;
  gboolean done;
} Sync;

static void
on_sync (gpointer data)
{
  Sync *sync = data;

  g_mutex_lock (&sync->lock);
  sync->done = TRUE;
  g_cond_signal (&sync->cond);
  g_mutex_unlock (&sync->lock);
}

void
vd_worker_sync (VdWorker *self)
{
  Sync sync = { .done = FALSE };

  g_mutex_init (&sync.lock);
  g_cond_init (&sync.cond);
  if (vd_worker_push (self, on_sync, &sync, NULL)) {
    g_mutex_lock (&sync.lock);
    while (!sync.done)
      g_cond_wait (&sync.cond, &sync.lock);
    g_mutex_unlock (&sync.lock);
  }
  g_cond_clear (&sync.cond);
  g_mutex_clear (&sync.lock);
}

gboolean
vd_worker_is_current (VdWorker *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->thread == g_thread_self ();
}

static gboolean
do_nothing (gpointer object)
{
  return G_SOURCE_REMOVE;
}

void
vd_unref_on_main (gpointer object)
{
  g_idle_add_full (G_PRIORITY_DEFAULT, do_nothing, object, g_object_unref);
}
