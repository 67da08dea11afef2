/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The io_uring engine: a ring that the loop watches. What the ring has no room for waits in a list.
 *
 * Threads: new and submit, kick and completions on the loop; free on the control thread.
 */
#include <errno.h>
#include <liburing.h>

#include "block/block-private.h"

#define N_ENTRIES 128

/* How a request went to the ring: in its result, until there is one. */
enum { CACHED, DIRECT };

struct _VmmBlockEngine {
  VmmHostFile *file;
  VmmLoop *loop;
  VmmSource *source;
  struct io_uring ring;
  guint n_under_way; /* in the ring */
  VmmBlockRequest *waiting, **waiting_end;
};

static void
prepare (VmmBlockEngine *self, struct io_uring_sqe *sqe, VmmBlockRequest *request)
{
  guint64 offset = request->offset + request->moved;
  int fd = vmm_host_file_choose_fd (self->file, request->iov, request->n_iov, offset);

  request->result = fd == self->file->fd ? CACHED : DIRECT;
  switch (request->op) {
  case VMM_BLOCK_READ:
    io_uring_prep_readv (sqe, fd, request->iov, request->n_iov, offset);
    break;
  case VMM_BLOCK_WRITE:
    io_uring_prep_writev (sqe, fd, request->iov, request->n_iov, offset);
    break;
  case VMM_BLOCK_FLUSH:
    io_uring_prep_fsync (sqe, self->file->fd, IORING_FSYNC_DATASYNC);
    break;
  case VMM_BLOCK_DISCARD:
  case VMM_BLOCK_WRITE_ZEROES:
    io_uring_prep_fallocate (sqe, self->file->fd, vmm_host_file_zero_mode (request), offset,
                             request->length);
    break;
  }
  io_uring_sqe_set_data (sqe, request);
}

static void
append (VmmBlockEngine *self, VmmBlockRequest *request)
{
  request->next = NULL;
  *self->waiting_end = request;
  self->waiting_end = &request->next;
}

/* The completion ring holds twice the entries, so it never overflows. */
static void
fill_ring (VmmBlockEngine *self)
{
  while (self->waiting && self->n_under_way < N_ENTRIES) {
    struct io_uring_sqe *sqe = io_uring_get_sqe (&self->ring);
    VmmBlockRequest *request = self->waiting;

    if (!sqe)
      return;
    self->waiting = request->next;
    if (!self->waiting)
      self->waiting_end = &self->waiting;
    prepare (self, sqe, request);
    self->n_under_way++;
  }
}

static void
uring_submit (VmmBlockEngine *self, VmmBlockRequest *request)
{
  append (self, request);
}

/* Where the kernel takes none now it has requests of ours; we come here again when they are done.
 */
static void
uring_kick (VmmBlockEngine *self)
{
  do {
    fill_ring (self);
  } while (io_uring_sq_ready (&self->ring) > 0 && io_uring_submit (&self->ring) > 0);
}

static gboolean
must_cache (VmmBlockEngine *self, const VmmBlockRequest *request, int result)
{
  return request->result == DIRECT &&
         vmm_host_file_must_cache (self->file, self->file->direct_fd, result);
}

static void
complete (VmmBlockEngine *self, VmmBlockRequest *request, int result)
{
  gboolean moves = request->op == VMM_BLOCK_READ || request->op == VMM_BLOCK_WRITE;

  if (result == -EINTR || result == -EAGAIN || must_cache (self, request, result)) {
    append (self, request);
  } else if (result < 0) {
    request->done (request, result);
  } else if (moves && result == 0 && request->length > 0) {
    request->done (request, -EIO); /* the file became shorter */
  } else if (moves && !vmm_block_request_advance (request, result)) {
    append (self, request);
  } else {
    request->done (request, 0);
  }
}

/* Loop: completions are there. */
static void
uring_reap (gpointer data)
{
  VmmBlockEngine *self = data;
  struct io_uring_cqe *cqe;

  while (io_uring_peek_cqe (&self->ring, &cqe) == 0) {
    VmmBlockRequest *request = io_uring_cqe_get_data (cqe);
    int result = cqe->res;

    io_uring_cqe_seen (&self->ring, cqe);
    self->n_under_way--;
    complete (self, request, result);
  }
  uring_kick (self);
}

static gboolean
uring_sleep (gpointer data)
{
  VmmBlockEngine *self = data;

  return io_uring_cq_ready (&self->ring) > 0;
}

static gboolean
uring_poll (gpointer data)
{
  gboolean found = uring_sleep (data);

  if (found)
    uring_reap (data);
  return found;
}

static const VmmPollFuncs uring_poll_funcs = { uring_poll, uring_sleep };

static VmmBlockEngine *
uring_new (VmmHostFile *file, VmmLoop *loop)
{
  VmmBlockEngine *self = g_new0 (VmmBlockEngine, 1);

  if (io_uring_queue_init (N_ENTRIES, &self->ring, 0) < 0) {
    g_free (self);
    return NULL;
  }
  self->file = file;
  self->loop = loop;
  self->waiting_end = &self->waiting;
  self->source = vmm_loop_add_fd (loop, self->ring.ring_fd, uring_reap, self, NULL);
  if (self->source) {
    vmm_loop_add_poller (loop, &uring_poll_funcs, self);
    return self;
  }
  io_uring_queue_exit (&self->ring);
  g_free (self);
  return NULL;
}

static void
uring_free (VmmBlockEngine *self)
{
  vmm_loop_remove_poller (self->loop, self);
  vmm_loop_remove (self->loop, self->source);
  io_uring_queue_exit (&self->ring);
  g_free (self);
}

const VmmBlockEngineClass vmm_block_uring = {
  .name = "io_uring",
  .new = uring_new,
  .free = uring_free,
  .submit = uring_submit,
  .kick = uring_kick,
};
