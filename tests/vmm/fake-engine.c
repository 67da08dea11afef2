/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-engine.h"

#define N_OPS (VMM_BLOCK_WRITE_ZEROES + 1)

static struct {
  GMutex lock;
  GCond changed;
  VmmLoop *loop;
  VmmBlockEngine *threads;
  int errors[N_OPS];
  guint counts[N_OPS];
  gboolean holds;
  GPtrArray *held;
} engine;

static VmmBlockEngine *
engine_new (VmmHostFile *file, VmmLoop *loop)
{
  g_mutex_lock (&engine.lock);
  engine.loop = loop;
  engine.threads = vmm_block_threads.new (file, loop);
  engine.held = g_ptr_array_new ();
  g_mutex_unlock (&engine.lock);
  return engine.threads;
}

static void
engine_free (VmmBlockEngine *self)
{
  g_assert_cmpuint (engine.held->len, ==, 0);
  g_clear_pointer (&engine.held, g_ptr_array_unref);
  vmm_block_threads.free (self);
}

static void
fail_request (gpointer data)
{
  VmmBlockRequest *request = data;

  request->done (request, request->result);
}

static void
engine_submit (VmmBlockEngine *self, VmmBlockRequest *request)
{
  gboolean holds;
  int error;

  g_mutex_lock (&engine.lock);
  engine.counts[request->op]++;
  error = engine.errors[request->op];
  holds = engine.holds;
  if (holds)
    g_ptr_array_add (engine.held, request);
  g_cond_broadcast (&engine.changed);
  g_mutex_unlock (&engine.lock);
  if (holds)
    return;
  if (error == 0) {
    vmm_block_threads.submit (self, request);
    return;
  }
  request->result = error;
  vmm_loop_post (engine.loop, fail_request, request);
}

static void
engine_kick (VmmBlockEngine *self)
{
}

const VmmBlockEngineClass fake_engine = {
  "fake", engine_new, engine_free, engine_submit, engine_kick,
};

void
fake_engine_fail (VmmBlockOp op, int error)
{
  g_mutex_lock (&engine.lock);
  engine.errors[op] = error;
  g_mutex_unlock (&engine.lock);
}

void
fake_engine_hold (void)
{
  g_mutex_lock (&engine.lock);
  engine.holds = TRUE;
  g_mutex_unlock (&engine.lock);
}

void
fake_engine_wait_held (guint n)
{
  g_mutex_lock (&engine.lock);
  while (engine.held == NULL || engine.held->len < n)
    g_cond_wait (&engine.changed, &engine.lock);
  g_mutex_unlock (&engine.lock);
}

/* Loop. */
static void
submit_held (gpointer data)
{
  g_autoptr (GPtrArray) held = g_ptr_array_new ();

  g_mutex_lock (&engine.lock);
  engine.holds = FALSE;
  if (engine.held)
    g_ptr_array_extend_and_steal (held, g_steal_pointer (&engine.held));
  engine.held = g_ptr_array_new ();
  g_mutex_unlock (&engine.lock);
  for (guint i = 0; i < held->len; i++)
    vmm_block_threads.submit (engine.threads, g_ptr_array_index (held, i));
}

void
fake_engine_release (void)
{
  vmm_loop_call (engine.loop, submit_held, NULL);
}

guint
fake_engine_take_count (VmmBlockOp op)
{
  guint count;

  g_mutex_lock (&engine.lock);
  count = engine.counts[op];
  engine.counts[op] = 0;
  g_mutex_unlock (&engine.lock);
  return count;
}
