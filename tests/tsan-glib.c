/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GLib's locks are made of futexes inside a library that is not instrumented, so ThreadSanitizer
 * sees neither them nor what they order. Under it the tests call these instead, which tell it. (To
 * suppress every report with GLib on the stack would hide all of ours: GLib starts each thread and
 * each test.)
 */
#include <dlfcn.h>
#include <glib.h>

void __tsan_acquire (void *address);
void __tsan_release (void *address);

#define REAL(name) ((__typeof__ (&name)) real (#name))

static void *
real (const char *name)
{
  return dlsym (RTLD_NEXT, name);
}

/* What a lock guards was left by the last who had it. */
#define LOCK(type, lock_name)                                                                      \
  void lock_name (type *lock)                                                                      \
  {                                                                                                \
    static __typeof__ (&lock_name) next;                                                           \
                                                                                                   \
    if (!next)                                                                                     \
      next = REAL (lock_name);                                                                     \
    next (lock);                                                                                   \
    __tsan_acquire (lock);                                                                         \
  }
#define UNLOCK(type, unlock_name)                                                                  \
  void unlock_name (type *lock)                                                                    \
  {                                                                                                \
    static __typeof__ (&unlock_name) next;                                                         \
                                                                                                   \
    if (!next)                                                                                     \
      next = REAL (unlock_name);                                                                   \
    __tsan_release (lock);                                                                         \
    next (lock);                                                                                   \
  }

#undef g_mutex_lock
#undef g_mutex_unlock
LOCK (GMutex, g_mutex_lock)
UNLOCK (GMutex, g_mutex_unlock)
LOCK (GRWLock, g_rw_lock_writer_lock)
UNLOCK (GRWLock, g_rw_lock_writer_unlock)
LOCK (GRWLock, g_rw_lock_reader_lock)
UNLOCK (GRWLock, g_rw_lock_reader_unlock)

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  __tsan_release (mutex);
  REAL (g_cond_wait) (cond, mutex);
  __tsan_acquire (mutex);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean signalled;

  __tsan_release (mutex);
  signalled = REAL (g_cond_wait_until) (cond, mutex, end_time);
  __tsan_acquire (mutex);
  return signalled;
}

/* Whoever frees the last reference sees what the others did before they let go. */
static __thread GDestroyNotify clear_now;

static void
clear_after_all (gpointer box)
{
  __tsan_acquire (box);
  if (clear_now)
    clear_now (box);
}

void
g_atomic_rc_box_release_full (gpointer box, GDestroyNotify clear_func)
{
  __tsan_release (box);
  clear_now = clear_func;
  REAL (g_atomic_rc_box_release_full) (box, clear_after_all);
}

void
g_atomic_rc_box_release (gpointer box)
{
  g_atomic_rc_box_release_full (box, NULL);
}

/* A pool hands its work from one thread to another. */
typedef struct {
  GFunc func;
  gpointer data;
} Work;

static void
work (gpointer item, gpointer data)
{
  Work *self = data;

  __tsan_acquire (item);
  self->func (item, self->data);
}

GThreadPool *
g_thread_pool_new (GFunc func, gpointer data, gint max_threads, gboolean exclusive, GError **error)
{
  Work *self = g_new (Work, 1); /* as long as the test */

  *self = (Work) { func, data };
  return REAL (g_thread_pool_new) (work, self, max_threads, exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer item, GError **error)
{
  __tsan_release (item);
  return REAL (g_thread_pool_push) (pool, item, error);
}

/* So does a queue, */
void
g_async_queue_push (GAsyncQueue *queue, gpointer item)
{
  __tsan_release (queue);
  REAL (g_async_queue_push) (queue, item);
}

gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  gpointer item = REAL (g_async_queue_pop) (queue);

  __tsan_acquire (queue);
  return item;
}

/* and a main context. */
typedef struct {
  GSourceFunc func;
  gpointer data;
  GDestroyNotify notify;
} Callback;

static gboolean
call_back (gpointer data)
{
  Callback *self = data;

  __tsan_acquire (self);
  return self->func (self->data);
}

static void
callback_free (gpointer data)
{
  Callback *self = data;

  __tsan_acquire (self);
  if (self->notify)
    self->notify (self->data);
  g_free (self);
}

guint
g_idle_add_full (gint priority, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  Callback *self = g_new (Callback, 1);

  *self = (Callback) { func, data, notify };
  __tsan_release (self);
  return REAL (g_idle_add_full) (priority, call_back, self, callback_free);
}
