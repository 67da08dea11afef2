/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The way of a request. On the loop it is cut into parts, each of one kind: those whose bytes have
 * a place in the file go to the file, zeroes are answered, holes are the backing image's, and the
 * rest is a job for the worker. A part that the worker has made easy comes back and goes the short
 * way.
 *
 * Threads: loop; what says so, the worker or the control thread.
 */
#include <errno.h>

#include "block/qcow2-private.h"

typedef struct {
  VmmBlockRequest request; /* first */
  Qcow2 *image;
  VmmBlockRequest *whole; /* what it is a part of */
  guint64 end;            /* of it in the file, where it is there; else 0 */
  guint epoch;            /* likewise */
  struct iovec *iov;
  guint n_iov_room;
} Part;

static void
part_free (gpointer data)
{
  Part *part = data;

  g_free (part->iov);
  g_free (part);
}

void
qcow2_free_parts (Qcow2 *self)
{
  g_ptr_array_set_free_func (self->spare, part_free);
  g_ptr_array_unref (self->spare);
}

static Part *
take_part (Qcow2 *self)
{
  Part *part;

  if (self->spare->len > 0)
    return g_ptr_array_steal_index_fast (self->spare, self->spare->len - 1);
  part = g_new0 (Part, 1);
  part->image = self;
  return part;
}

static void
part_done (VmmBlockRequest *request, int error)
{
  Part *part = (Part *) request;
  VmmBlockRequest *whole = part->whole;

  g_ptr_array_add (part->image->spare, part);
  if (error < 0 && whole->result == 0)
    whole->result = error;
  if (--whole->n_parts == 0)
    whole->done (whole, whole->result);
}

/* The file is done with it. Of a write that failed a part may be there. */
static void
file_done (VmmBlockRequest *request, int error)
{
  Part *part = (Part *) request;
  Qcow2 *self = part->image;

  g_mutex_lock (&self->lock);
  if (request->op == VMM_BLOCK_WRITE)
    self->file_end = MAX (self->file_end, part->end);
  if (--self->n_inflight[part->epoch] == 0)
    g_cond_signal (&self->idle);
  g_mutex_unlock (&self->lock);
  part_done (request, error);
}

/* Bytes [skip, skip + length) of @whole. */
static Part *
cut (Qcow2 *self, VmmBlockRequest *whole, guint64 skip, guint64 length)
{
  Part *part = take_part (self);

  if (part->n_iov_room < whole->n_iov) {
    part->n_iov_room = whole->n_iov;
    part->iov = g_renew (struct iovec, part->iov, part->n_iov_room);
  }
  part->whole = whole;
  part->request = (VmmBlockRequest) { .op = whole->op,
                                      .unmap = whole->unmap,
                                      .offset = whole->offset + skip,
                                      .length = length,
                                      .iov = part->iov,
                                      .done = part_done };
  part->request.n_iov = vmm_iov_slice (whole->iov, whole->n_iov, skip, length, part->iov);
  whole->n_parts++;
  return part;
}

static void dispatch (Qcow2 *self, VmmBlockRequest *request);

/* Loop: the worker is done with them. */
static void
reap (gpointer data)
{
  Qcow2 *self = data;
  VmmBlockRequest *request, *next;

  g_mutex_lock (&self->lock);
  request = g_steal_pointer (&self->finished);
  g_mutex_unlock (&self->lock);

  for (; request; request = next) {
    next = request->next;
    if (request->result != QCOW2_RETRY) {
      part_done (request, request->result);
      continue;
    }
    request->offset += request->moved;
    request->length -= request->moved;
    dispatch (self, request);
  }
  qcow2_kick (&self->parent);
}

static int
run_job (Qcow2 *self, VmmBlockRequest *request)
{
  switch (request->op) {
  case VMM_BLOCK_READ:
    return qcow2_read (self, request);
  case VMM_BLOCK_WRITE:
    return qcow2_write (self, request);
  case VMM_BLOCK_FLUSH:
    return qcow2_commit (self);
  case VMM_BLOCK_DISCARD:
  case VMM_BLOCK_WRITE_ZEROES:
    return qcow2_write_zeroes (self, request);
  }
  return -EINVAL;
}

/* Control's, for qcow2_call_worker. */
typedef struct {
  VmmBlockRequest request; /* first; no done: how the worker knows it */
  Qcow2Func func;
  gpointer data;
  GCond cond;
  gboolean finished; /* under the lock */
} Call;

/* Worker. */
static void
work (gpointer data, gpointer user_data)
{
  Qcow2 *self = user_data;
  VmmBlockRequest *request = data;
  Call *call = request->done ? NULL : data;
  int result = call ? call->func (self, call->data) : run_job (self, request);
  gboolean first;

  g_mutex_lock (&self->lock);
  request->result = result;
  if (call) {
    call->finished = TRUE;
    g_cond_signal (&call->cond);
  } else {
    first = self->finished == NULL;
    request->next = self->finished;
    self->finished = request;
    if (first)
      vmm_loop_post (self->parent.loop, reap, self);
  }
  g_mutex_unlock (&self->lock);
}

static GThreadPool *
get_worker (Qcow2 *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!self->worker)
    self->worker = g_thread_pool_new (work, self, 1, FALSE, NULL);
  return self->worker;
}

int
qcow2_call_worker (Qcow2 *self, Qcow2Func func, gpointer data)
{
  Call call = { .func = func, .data = data };

  g_cond_init (&call.cond);
  g_thread_pool_push (get_worker (self), &call, NULL);
  g_mutex_lock (&self->lock);
  while (!call.finished)
    g_cond_wait (&call.cond, &self->lock);
  g_mutex_unlock (&self->lock);
  g_cond_clear (&call.cond);
  return call.request.result;
}

static void
give_to_worker (Qcow2 *self, Part *part)
{
  g_thread_pool_push (get_worker (self), &part->request, NULL);
}

static void
give_to_file (Qcow2 *self, Part *part, guint64 host, guint epoch)
{
  part->request.offset = host;
  part->request.done = file_done;
  part->end = host + part->request.length;
  part->epoch = epoch;
  vmm_host_file_submit (self->parent.file, &part->request);
}

static void
answer_zeroes (VmmBlockRequest *request, guint64 skip, guint64 length)
{
  g_autofree struct iovec *iov = g_new (struct iovec, request->n_iov);

  vmm_iov_clear (iov, vmm_iov_slice (request->iov, request->n_iov, skip, length, iov));
}

/* What the image itself says nothing about. */
static guint64
start_hole (Qcow2 *self, VmmBlockRequest *request, guint64 skip, const Qcow2Run *run)
{
  guint64 offset = request->offset + skip, end, length;

  if (qcow2_reads_zero (self, offset, run)) {
    answer_zeroes (request, skip, run->length);
    return run->length;
  }
  end = vmm_block_get_size (self->backing);
  length = MIN (run->length, end - offset);
  vmm_block_submit (self->backing, &cut (self, request, skip, length)->request);
  return length;
}

/* What is next after @skip bytes: a run, and whether it goes to the file. */
static gboolean
find_next (Qcow2 *self, VmmBlockRequest *request, guint64 skip, Qcow2Run *run, guint *epoch)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gboolean reads = request->op == VMM_BLOCK_READ;

  qcow2_map (self, request->offset + skip, request->length - skip, run);
  if (run->kind != QCOW2_DATA || (!reads && (!run->own || self->corrupt)))
    return FALSE;
  if (reads && run->host >= self->file_end) {
    run->kind = QCOW2_ZERO;
    return FALSE;
  }
  if (reads)
    run->length = MIN (run->length, self->file_end - run->host);
  *epoch = self->epoch;
  self->n_inflight[*epoch]++;
  return TRUE;
}

static gboolean
is_easy_to_read (const Qcow2Run *run)
{
  return run->kind == QCOW2_HOLE || run->kind == QCOW2_ZERO;
}

/* Starts what is next after @skip bytes; returns how many that are. */
static guint64
start_next (Qcow2 *self, VmmBlockRequest *request, guint64 skip)
{
  Qcow2Run run;
  guint epoch;

  if (find_next (self, request, skip, &run, &epoch)) {
    give_to_file (self, cut (self, request, skip, run.length), run.host, epoch);
    return run.length;
  }
  if (request->op == VMM_BLOCK_READ && is_easy_to_read (&run))
    return start_hole (self, request, skip, &run);
  give_to_worker (self, cut (self, request, skip, run.length));
  return run.length;
}

static gboolean
needs_commit (Qcow2 *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->unsaved;
}

/* One part more is counted until the end, so that none of them is the last meanwhile. */
static void
dispatch (Qcow2 *self, VmmBlockRequest *request)
{
  gboolean moves = request->op == VMM_BLOCK_READ || request->op == VMM_BLOCK_WRITE;

  request->result = 0;
  request->n_parts = 1;
  if (request->op == VMM_BLOCK_FLUSH && !needs_commit (self))
    vmm_host_file_submit (self->parent.file, &cut (self, request, 0, 0)->request);
  else if (!moves)
    give_to_worker (self, cut (self, request, 0, request->length));
  for (guint64 done = 0; moves && done < request->length;)
    done += start_next (self, request, done);
  if (--request->n_parts == 0)
    vmm_block_request_finish_later (request, self->parent.loop, request->result);
}

void
qcow2_submit (VmmBlock *block, VmmBlockRequest *request)
{
  gboolean changes = request->op != VMM_BLOCK_READ && request->op != VMM_BLOCK_FLUSH;

  if (changes && block->readonly)
    vmm_block_request_finish_later (request, block->loop, -EBADF);
  else if (request->op == VMM_BLOCK_DISCARD && !block->discard)
    vmm_block_request_finish_later (request, block->loop, 0);
  else
    dispatch ((Qcow2 *) block, request);
}

void
qcow2_kick (VmmBlock *block)
{
  Qcow2 *self = (Qcow2 *) block;

  vmm_host_file_kick (block->file);
  if (self->backing)
    vmm_block_kick (self->backing);
}
