/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The loop thread: one epoll set. Removing a source from another thread waits for the function
 * that runs; the memory of a removed source is freed between two rounds, because a round may have
 * its event in hand already.
 *
 * Threads: as vmm-loop.h says.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/vmm-loop.h"
#include "vmm-error.h"

#define EVENTS_A_ROUND 16

typedef enum {
  SOURCE_FD,
  SOURCE_EVENTFD,
  SOURCE_TIMER,
  SOURCE_WAKE, /* the loop's own: something was posted */
} SourceKind;

struct _VmmSource {
  SourceKind kind;
  int fd;
  VmmLoopFunc func;
  gpointer data;
  gboolean removed;
};

typedef struct {
  VmmLoopFunc func;
  gpointer data;
  gboolean *done; /* someone waits for it */
} Post;

struct _VmmLoop {
  GThread *thread;
  int epoll;
  VmmSource *wake;
  VmmPollSet poll_set; /* of the loop's thread */

  GMutex lock; /* of everything below */
  GCond changed;
  GQueue posts;
  GPtrArray *sources;
  GPtrArray *removed;
  VmmSource *running;
  gboolean quit;
};

static void
source_free (VmmSource *self)
{
  if (self->kind == SOURCE_TIMER || self->kind == SOURCE_WAKE)
    close (self->fd);
  g_free (self);
}

static VmmSource *
loop_fail (const char *what, int why, GError **error)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "%s: %s.", what, g_strerror (why));
  return NULL;
}

/* The array owns the source before the loop can see it. */
static VmmSource *
vmm_loop_add (VmmLoop *self,
              SourceKind kind,
              int fd,
              VmmLoopFunc func,
              gpointer data,
              GError **error)
{
  VmmSource *source = g_new0 (VmmSource, 1);
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = source };

  source->kind = kind;
  source->fd = fd;
  source->func = func;
  source->data = data;

  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->sources, source);
  g_mutex_unlock (&self->lock);

  /* A regular file cannot be watched: nothing ever arrives. */
  if (epoll_ctl (self->epoll, EPOLL_CTL_ADD, fd, &event) == 0 || errno == EPERM)
    return source;
  loop_fail ("An event loop cannot watch one more descriptor", errno, error);
  g_mutex_lock (&self->lock);
  g_ptr_array_remove_fast (self->sources, source);
  g_mutex_unlock (&self->lock);
  return NULL;
}

VmmSource *
vmm_loop_add_fd (VmmLoop *self, int fd, VmmLoopFunc func, gpointer data, GError **error)
{
  return vmm_loop_add (self, SOURCE_FD, fd, func, data, error);
}

void
vmm_source_want_output (VmmLoop *self, VmmSource *source, gboolean want)
{
  struct epoll_event event = { .events = EPOLLIN | (want ? EPOLLOUT : 0), .data.ptr = source };

  g_return_if_fail (source->kind == SOURCE_FD);

  epoll_ctl (self->epoll, EPOLL_CTL_MOD, source->fd, &event);
}

VmmSource *
vmm_loop_add_eventfd (VmmLoop *self, int fd, VmmLoopFunc func, gpointer data, GError **error)
{
  return vmm_loop_add (self, SOURCE_EVENTFD, fd, func, data, error);
}

gint64
vmm_loop_now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

VmmSource *
vmm_loop_add_timer (VmmLoop *self, VmmLoopFunc func, gpointer data, GError **error)
{
  int fd = timerfd_create (CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

  if (fd < 0)
    return loop_fail ("A timer cannot be made", errno, error);
  return vmm_loop_add (self, SOURCE_TIMER, fd, func, data, error);
}

void
vmm_source_arm (VmmSource *source, gint64 when_ns)
{
  struct itimerspec when = { 0 };

  g_return_if_fail (source->kind == SOURCE_TIMER);

  if (when_ns > 0) {
    when.it_value.tv_sec = when_ns / 1000000000;
    when.it_value.tv_nsec = when_ns % 1000000000;
  }
  timerfd_settime (source->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void
vmm_loop_remove (VmmLoop *self, VmmSource *source)
{
  guint at;

  g_mutex_lock (&self->lock);
  source->removed = TRUE;
  epoll_ctl (self->epoll, EPOLL_CTL_DEL, source->fd, NULL);
  while (self->running == source && !vmm_loop_is_current (self))
    g_cond_wait (&self->changed, &self->lock);
  /* The loop may still hold it among the events of this round: it is freed in the next. */
  if (g_ptr_array_find (self->sources, source, &at))
    g_ptr_array_add (self->removed, g_ptr_array_steal_index_fast (self->sources, at));
  g_mutex_unlock (&self->lock);
}

/* Counts of eventfds and timers are read away here; a timer that was armed anew meanwhile has
 * nothing to read. */
static gboolean
source_is_due (VmmSource *self)
{
  guint64 count;

  if (self->kind == SOURCE_FD)
    return TRUE;
  return read (self->fd, &count, sizeof count) == sizeof count || self->kind == SOURCE_WAKE;
}

static void
vmm_loop_dispatch (VmmLoop *self, VmmSource *source)
{
  g_mutex_lock (&self->lock);
  if (source->removed || source->kind == SOURCE_WAKE) {
    if (!source->removed)
      source_is_due (source);
    g_mutex_unlock (&self->lock);
    return;
  }
  self->running = source;
  g_mutex_unlock (&self->lock);

  if (source_is_due (source))
    source->func (source->data);

  g_mutex_lock (&self->lock);
  self->running = NULL;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* Only what was there at the beginning: a function that posts itself must not starve the rest. */
static void
vmm_loop_run_posts (VmmLoop *self)
{
  GQueue posts;
  Post *post;

  g_mutex_lock (&self->lock);
  posts = self->posts;
  g_queue_init (&self->posts);
  g_mutex_unlock (&self->lock);

  while ((post = g_queue_pop_head (&posts))) {
    post->func (post->data);
    if (post->done) {
      g_mutex_lock (&self->lock);
      *post->done = TRUE;
      g_cond_broadcast (&self->changed);
      g_mutex_unlock (&self->lock);
    }
    g_free (post);
  }
}

static gboolean
vmm_loop_goes_on (VmmLoop *self)
{
  gboolean goes_on;

  g_mutex_lock (&self->lock);
  g_ptr_array_set_size (self->removed, 0);
  goes_on = !self->quit || !g_queue_is_empty (&self->posts);
  g_mutex_unlock (&self->lock);
  return goes_on;
}

/* Sleeps where nothing is to be polled. */
static int
wait_for_events (VmmLoop *self, struct epoll_event *events)
{
  gint64 start;
  int n;

  if (!vmm_poll_set_run (&self->poll_set))
    return epoll_wait (self->epoll, events, EVENTS_A_ROUND, 0);
  start = vmm_loop_now_ns ();
  n = epoll_wait (self->epoll, events, EVENTS_A_ROUND, -1);
  vmm_poll_set_slept (&self->poll_set, vmm_loop_now_ns () - start);
  return n;
}

static gpointer
vmm_loop_run (gpointer data)
{
  VmmLoop *self = data;
  struct epoll_event events[EVENTS_A_ROUND];

  while (vmm_loop_goes_on (self)) {
    int n = wait_for_events (self, events);

    for (int i = 0; i < n; i++)
      vmm_loop_dispatch (self, events[i].data.ptr);
    vmm_loop_run_posts (self);
  }
  return NULL;
}

/* Signals of the process belong to whoever started it; those that a thread causes itself (SIGBUS)
 * come through all the same. */
static GThread *
start_thread (const char *name, GThreadFunc func, gpointer data, GError **error)
{
  sigset_t all, before;
  GThread *thread;

  sigfillset (&all);
  sigdelset (&all, SIGBUS);
  sigdelset (&all, SIGSEGV);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  thread = g_thread_try_new (name, func, data, error);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  return thread;
}

VmmLoop *
vmm_loop_new (const char *thread_name, GError **error)
{
  VmmLoop *self = g_new0 (VmmLoop, 1);
  int wake;

  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->posts);
  vmm_poll_set_init (&self->poll_set);
  self->sources = g_ptr_array_new_with_free_func ((GDestroyNotify) source_free);
  self->removed = g_ptr_array_new_with_free_func ((GDestroyNotify) source_free);
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  wake = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (self->epoll < 0 || wake < 0) {
    loop_fail ("An event loop cannot be made", errno, error);
    if (wake >= 0)
      close (wake);
    vmm_loop_free (self);
    return NULL;
  }
  self->wake = vmm_loop_add (self, SOURCE_WAKE, wake, NULL, NULL, error);
  if (self->wake)
    self->thread = start_thread (thread_name, vmm_loop_run, self, error);
  if (!self->thread)
    g_clear_pointer (&self, vmm_loop_free);
  return self;
}

static void
vmm_loop_queue (VmmLoop *self, VmmLoopFunc func, gpointer data, gboolean *done)
{
  Post *post = g_new (Post, 1);
  guint64 one = 1;

  *post = (Post) { func, data, done };
  if (g_queue_is_empty (&self->posts) && write (self->wake->fd, &one, sizeof one) < 0)
    g_warning ("The loop cannot be woken: %s", g_strerror (errno));
  g_queue_push_tail (&self->posts, post);
}

void
vmm_loop_free (VmmLoop *self)
{
  guint64 one = 1;

  if (self->thread) {
    g_mutex_lock (&self->lock);
    self->quit = TRUE;
    if (write (self->wake->fd, &one, sizeof one) < 0)
      g_warning ("The loop cannot be woken: %s", g_strerror (errno));
    g_mutex_unlock (&self->lock);
    g_thread_join (self->thread);
  }
  vmm_poll_set_clear (&self->poll_set);
  g_ptr_array_unref (self->sources);
  g_ptr_array_unref (self->removed);
  if (self->epoll >= 0)
    close (self->epoll);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
vmm_loop_post (VmmLoop *self, VmmLoopFunc func, gpointer data)
{
  g_mutex_lock (&self->lock);
  vmm_loop_queue (self, func, data, NULL);
  g_mutex_unlock (&self->lock);
}

void
vmm_loop_call (VmmLoop *self, VmmLoopFunc func, gpointer data)
{
  gboolean done = FALSE;

  if (vmm_loop_is_current (self)) {
    func (data);
    return;
  }
  g_mutex_lock (&self->lock);
  vmm_loop_queue (self, func, data, &done);
  while (!done)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
}

gboolean
vmm_loop_is_current (VmmLoop *self)
{
  return self->thread == g_thread_self ();
}

/* A change of the set of pollers, made on the loop. */
typedef struct {
  VmmPollSet *set;
  const VmmPollFuncs *funcs; /* NULL: remove */
  gpointer data;
} PollerChange;

static void
change_pollers (gpointer data)
{
  PollerChange *change = data;

  if (change->funcs)
    vmm_poll_set_add (change->set, change->funcs, change->data);
  else
    vmm_poll_set_remove (change->set, change->data);
}

void
vmm_loop_add_poller (VmmLoop *self, const VmmPollFuncs *funcs, gpointer data)
{
  PollerChange change = { &self->poll_set, funcs, data };

  vmm_loop_call (self, change_pollers, &change);
}

void
vmm_loop_remove_poller (VmmLoop *self, gpointer data)
{
  PollerChange change = { &self->poll_set, NULL, data };

  vmm_loop_call (self, change_pollers, &change);
}
