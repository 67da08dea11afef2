/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The engine for hosts that refuse io_uring (a sysctl, a sandbox): a few threads that block.
 *
 * Threads: submit and completions on the loop, the transfers on the pool's threads; free on the
 * control thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "block/block-private.h"

#define N_THREADS 4

struct _VmmBlockEngine {
  int fd;
  VmmLoop *loop;
  GThreadPool *pool;
  GMutex lock;
  VmmBlockRequest *finished; /* newest first; guarded by the lock */
};

static int
move_bytes (VmmBlockEngine *self, VmmBlockRequest *request)
{
  while (request->moved < request->length) {
    guint64 offset = request->offset + request->moved;
    int n_iov = MIN (request->n_iov, IOV_MAX);
    gssize n;

    if (request->op == VMM_BLOCK_READ)
      n = preadv (self->fd, request->iov, n_iov, offset);
    else
      n = pwritev (self->fd, request->iov, n_iov, offset);
    if (n < 0 && errno != EINTR)
      return -errno;
    if (n == 0)
      return -EIO; /* the file became shorter */
    if (n > 0)
      vmm_block_request_advance (request, n);
  }
  return 0;
}

static int
run_request (VmmBlockEngine *self, VmmBlockRequest *request)
{
  int result = 0;

  switch (request->op) {
  case VMM_BLOCK_READ:
  case VMM_BLOCK_WRITE:
    return move_bytes (self, request);
  case VMM_BLOCK_FLUSH:
    result = fdatasync (self->fd);
    break;
  case VMM_BLOCK_DISCARD:
  case VMM_BLOCK_WRITE_ZEROES:
    result = fallocate (self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, request->offset,
                        request->length);
    break;
  }
  return result < 0 ? -errno : 0;
}

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

  request->result = run_request (self, request);
  g_mutex_lock (&self->lock);
  first = self->finished == NULL;
  request->next = self->finished;
  self->finished = request;
  if (first)
    vmm_loop_post (self->loop, threads_reap, self);
  g_mutex_unlock (&self->lock);
}

static VmmBlockEngine *
threads_new (int fd, VmmLoop *loop)
{
  VmmBlockEngine *self = g_new0 (VmmBlockEngine, 1);

  self->fd = fd;
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
