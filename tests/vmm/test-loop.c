/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmLoop: what it promises about who runs when.
 */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/vmm-loop.h"
#include "vmm-error.h"

typedef struct {
  VmmLoop *loop;
  VmmSource *source;
  int fd;
  gint n;           /* calls */
  gint go, entered; /* atomics by which a test holds a function */
  GMutex lock;
  GCond cond;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->loop = vmm_loop_new ("test", NULL);
  f->fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
  g_mutex_init (&f->lock);
  g_cond_init (&f->cond);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  vmm_loop_free (f->loop);
  close (f->fd);
  g_mutex_clear (&f->lock);
  g_cond_clear (&f->cond);
}

static void
nothing (gpointer data)
{
}

static void
settle (Fixture *f)
{
  for (guint i = 0; i < 3; i++)
    vmm_loop_call (f->loop, nothing, NULL);
}

static void
ring (Fixture *f)
{
  guint64 one = 1;

  g_assert_cmpint (write (f->fd, &one, sizeof one), ==, sizeof one);
}

static void
count (gpointer data)
{
  Fixture *f = data;

  g_assert_true (vmm_loop_is_current (f->loop));
  g_atomic_int_inc (&f->n);
}

static void
test_eventfd (Fixture *f, gconstpointer data)
{
  guint64 value;

  f->source = vmm_loop_add_eventfd (f->loop, f->fd, count, f, NULL);
  settle (f);
  g_assert_cmpint (g_atomic_int_get (&f->n), ==, 0);
  for (int i = 1; i <= 3; i++) {
    ring (f);
    settle (f);
    g_assert_cmpint (g_atomic_int_get (&f->n), ==, i);
  }
  /* It was read. */
  g_assert_cmpint (read (f->fd, &value, sizeof value), <, 0);
  vmm_loop_remove (f->loop, f->source);
  ring (f);
  settle (f);
  g_assert_cmpint (g_atomic_int_get (&f->n), ==, 3);
}

/* A plain descriptor is for its function to read. */
static void
read_all (gpointer data)
{
  Fixture *f = data;
  guint64 value;

  count (data);
  g_assert_cmpint (read (f->fd, &value, sizeof value), ==, sizeof value);
}

static void
test_fd (Fixture *f, gconstpointer data)
{
  f->source = vmm_loop_add_fd (f->loop, f->fd, read_all, f, NULL);
  ring (f);
  settle (f);
  g_assert_cmpint (g_atomic_int_get (&f->n), ==, 1);
  vmm_loop_remove (f->loop, f->source);
}

static void
test_timer (Fixture *f, gconstpointer data)
{
  f->source = vmm_loop_add_timer (f->loop, count, f, NULL);
  settle (f);
  g_assert_cmpint (g_atomic_int_get (&f->n), ==, 0);
  /* One that is due, one that is not, one that was called off. */
  vmm_source_arm (f->source, 1);
  settle (f);
  g_assert_cmpint (g_atomic_int_get (&f->n), ==, 1);
  vmm_source_arm (f->source, G_MAXINT64);
  settle (f);
  g_assert_cmpint (g_atomic_int_get (&f->n), ==, 1);
  vmm_source_arm (f->source, 0);
  settle (f);
  g_assert_cmpint (g_atomic_int_get (&f->n), ==, 1);
  vmm_loop_remove (f->loop, f->source);
}

static void
remove_self (gpointer data)
{
  Fixture *f = data;

  count (data);
  vmm_loop_remove (f->loop, f->source);
}

static void
test_remove_self (Fixture *f, gconstpointer data)
{
  f->source = vmm_loop_add_fd (f->loop, f->fd, remove_self, f, NULL);
  ring (f);
  settle (f);
  ring (f);
  settle (f);
  g_assert_cmpint (g_atomic_int_get (&f->n), ==, 1);
}

static void
hold (gpointer data)
{
  Fixture *f = data;

  g_mutex_lock (&f->lock);
  f->entered = 1;
  g_cond_broadcast (&f->cond);
  while (!f->go)
    g_cond_wait (&f->cond, &f->lock);
  g_atomic_int_set (&f->n, 1);
  g_mutex_unlock (&f->lock);
}

static gpointer
let_go (gpointer data)
{
  Fixture *f = data;

  g_usleep (20000);
  g_mutex_lock (&f->lock);
  f->go = 1;
  g_cond_broadcast (&f->cond);
  g_mutex_unlock (&f->lock);
  return NULL;
}

/* The function is in the middle of its work: remove waits for its end. */
static void
test_remove_waits (Fixture *f, gconstpointer data)
{
  GThread *thread;

  f->source = vmm_loop_add_eventfd (f->loop, f->fd, hold, f, NULL);
  ring (f);
  g_mutex_lock (&f->lock);
  while (!f->entered)
    g_cond_wait (&f->cond, &f->lock);
  g_mutex_unlock (&f->lock);
  thread = g_thread_new ("go", let_go, f);
  vmm_loop_remove (f->loop, f->source);
  g_assert_cmpint (g_atomic_int_get (&f->n), ==, 1);
  g_thread_join (thread);
}

static void
call_inside (gpointer data)
{
  Fixture *f = data;

  vmm_loop_call (f->loop, count, f);
}

static void
test_call (Fixture *f, gconstpointer data)
{
  g_assert_false (vmm_loop_is_current (f->loop));
  vmm_loop_call (f->loop, count, f);
  g_assert_cmpint (g_atomic_int_get (&f->n), ==, 1);
  /* On the loop itself it is a plain call. */
  vmm_loop_call (f->loop, call_inside, f);
  g_assert_cmpint (g_atomic_int_get (&f->n), ==, 2);
}

static void
post_again (gpointer data)
{
  Fixture *f = data;

  if (g_atomic_int_add (&f->n, 1) < 1000)
    vmm_loop_post (f->loop, post_again, f);
}

/* What posts itself for ever must not keep descriptors waiting. */
static void
test_fair (Fixture *f, gconstpointer data)
{
  gint seen;

  f->source = vmm_loop_add_eventfd (f->loop, f->fd, call_inside, f, NULL);
  vmm_loop_post (f->loop, post_again, f);
  ring (f);
  settle (f);
  seen = g_atomic_int_get (&f->n);
  g_assert_cmpint (seen, >=, 2);
  vmm_loop_remove (f->loop, f->source);
}

static gpointer
post_many (gpointer data)
{
  Fixture *f = data;

  for (guint i = 0; i < 1000; i++)
    vmm_loop_post (f->loop, count, f);
  return NULL;
}

/* From several threads, and what was posted before the end runs before the end. */
static void
test_posts (Fixture *f, gconstpointer data)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("poster", post_many, f);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  vmm_loop_free (f->loop);
  g_assert_cmpint (g_atomic_int_get (&f->n), ==, 4000);
  f->loop = vmm_loop_new ("test", NULL);
}

/* A regular file cannot be watched; that is no error. */
static void
test_regular_file (Fixture *f, gconstpointer data)
{
  int fd = open ("/proc/self/exe", O_RDONLY | O_CLOEXEC);

  f->source = vmm_loop_add_fd (f->loop, fd, count, f, NULL);
  settle (f);
  vmm_loop_remove (f->loop, f->source);
  g_assert_cmpint (g_atomic_int_get (&f->n), ==, 0);
  close (fd);
}

/* The lowest limit under which @n more descriptors can be made. */
static void
limit_descriptors (int n, struct rlimit *before)
{
  struct rlimit limit;
  int next = dup (0);

  close (next);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, before), ==, 0);
  limit = *before;
  limit.rlim_cur = next + n;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

static void
check_error (GError **error)
{
  g_assert_error (*error, VMM_ERROR, VMM_ERROR_IO);
  g_assert_true (g_str_has_suffix ((*error)->message, "."));
  g_clear_error (error);
}

/* What cannot be made is said, and leaves nothing behind. */
static void
test_no_descriptor (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  struct rlimit before;

  limit_descriptors (0, &before);
  g_assert_null (vmm_loop_add_timer (f->loop, count, f, &error));
  setrlimit (RLIMIT_NOFILE, &before);
  check_error (&error);
  g_assert_null (vmm_loop_add_fd (f->loop, 100000, count, f, &error));
  check_error (&error);
  for (int n = 0; n < 2; n++) {
    limit_descriptors (n, &before);
    g_assert_null (vmm_loop_new ("test", &error));
    setrlimit (RLIMIT_NOFILE, &before);
    check_error (&error);
  }
  test_eventfd (f, data);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/loop/eventfd", test_eventfd },
    { "/loop/fd", test_fd },
    { "/loop/timer", test_timer },
    { "/loop/remove-self", test_remove_self },
    { "/loop/remove-waits", test_remove_waits },
    { "/loop/call", test_call },
    { "/loop/fair", test_fair },
    { "/loop/posts", test_posts },
    { "/loop/regular-file", test_regular_file },
    { "/loop/no-descriptor", test_no_descriptor },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
