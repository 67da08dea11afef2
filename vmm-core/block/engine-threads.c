/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The engine for hosts that refuse io_uring (a sysctl, a sandbox): a few threads that block.
 *
 * Threads: submit and completions on the loop, the transfers on the pool's threads; free on the
 * control thread.
 */
#include "block/block-private.h"

#define N_THREADS 4

struct _VmmBlockEngine {
  VmmHostFile *file;
  VmmLoop *loop;
  GThreadPool *pool;
  GMutex lock;
  VmmBlockRequest *finished; /* newest first; guarded by the lock */
};

/* Loop: the requests of the list are done. */
static void
threads_reap (gpointer data)
{
  VmmBlockEngine *self = data;
  VmmBlockRequest *request;

  g_mutex_lock (&self->lock);
  request = g_steal_pointer (&self->finished);
  g_mutex_unlock (&self->lock);

  while (request) {
    VmmBlockRequest *next = request->next;

    request->done (request, request->result);
    request = next;
  }
}

/* Pool. */
static void
threads_run (gpointer data, gpointer user_data)
{
  VmmBlockEngine *self = user_data;
  VmmBlockRequest *request = data;
  gboolean first;

  request->result = vmm_host_file_run (self->file, request);
  g_mutex_lock (&self->lock);
  first = self->finished == NULL;
  request->next = self->finished;
  self->finished = request;
  if (first)
    vmm_loop_post (self->loop, threads_reap, self);
  g_mutex_unlock (&self->lock);
}

static VmmBlockEngine *
threads_new (VmmHostFile *file, VmmLoop *loop)
{
  VmmBlockEngine *self = g_new0 (VmmBlockEngine, 1);

  self->file = file;
  self->loop = loop;
  g_mutex_init (&self->lock);
  self->pool = g_thread_pool_new (threads_run, self, N_THREADS, FALSE, NULL);
  return self;
}

static void
nothing (gpointer data)
{
}

/* The last completion may still be on its way out of the loop's list of posts. */
static void
threads_free (VmmBlockEngine *self)
{
  g_thread_pool_free (self->pool, FALSE, TRUE);
  vmm_loop_call (self->loop, nothing, NULL);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static void
threads_submit (VmmBlockEngine *self, VmmBlockRequest *request)
{
  g_thread_pool_push (self->pool, request, NULL);
}

static void
threads_kick (VmmBlockEngine *self)
{
}

const VmmBlockEngineClass vmm_block_threads = {
  .name = "threads",
  .new = threads_new,
  .free = threads_free,
  .submit = threads_submit,
  .kick = threads_kick,
};
