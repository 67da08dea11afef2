/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmPollSet, alone and in a loop.
 */
#include "base/vmm-loop.h"

typedef struct {
  VmmPollSet *set;
  guint work;     /* how often it finds something */
  guint late;     /* how often something comes when it is to sleep */
  gboolean leave; /* when it is polled */
  guint n_polls, n_sleeps;
} Ring;

static gboolean
ring_poll (gpointer data)
{
  Ring *self = data;

  self->n_polls++;
  if (self->leave)
    vmm_poll_set_remove (self->set, self);
  if (self->work == 0)
    return FALSE;
  self->work--;
  return TRUE;
}

static gboolean
ring_sleep (gpointer data)
{
  Ring *self = data;

  self->n_sleeps++;
  if (self->late == 0)
    return FALSE;
  self->late--;
  self->work++;
  return TRUE;
}

static const VmmPollFuncs ring_funcs = { ring_poll, ring_sleep };

static void
test_until_nothing (void)
{
  Ring one = { .work = 3 }, other = { .work = 1 };
  VmmPollSet set;

  vmm_poll_set_init (&set);
  g_assert_true (vmm_poll_set_run (&set));
  vmm_poll_set_add (&set, &ring_funcs, &one);
  vmm_poll_set_add (&set, &ring_funcs, &other);
  g_assert_true (vmm_poll_set_run (&set));
  g_assert_cmpuint (one.n_polls, ==, 4);
  g_assert_cmpuint (other.n_polls, ==, 4);
  g_assert_cmpuint (one.n_sleeps, ==, 1);
  g_assert_cmpuint (other.n_sleeps, ==, 1);
  vmm_poll_set_clear (&set);
}

/* Each is told that the loop sleeps, and each that it does not has it polled again. */
static void
test_last_moment (void)
{
  Ring one = { .late = 1 }, other = { 0 };
  VmmPollSet set;

  vmm_poll_set_init (&set);
  vmm_poll_set_add (&set, &ring_funcs, &one);
  vmm_poll_set_add (&set, &ring_funcs, &other);
  g_assert_false (vmm_poll_set_run (&set));
  g_assert_cmpuint (other.n_sleeps, ==, 1);
  g_assert_true (vmm_poll_set_run (&set));
  g_assert_cmpuint (one.work, ==, 0);
  g_assert_cmpuint (one.n_sleeps, ==, 2);
  vmm_poll_set_clear (&set);
}

/* One that always has something does not keep the others of the loop from their turn. */
static void
test_turn (void)
{
  Ring busy = { .work = G_MAXUINT };
  VmmPollSet set;

  vmm_poll_set_init (&set);
  vmm_poll_set_add (&set, &ring_funcs, &busy);
  g_assert_false (vmm_poll_set_run (&set));
  g_assert_cmpuint (busy.n_polls, <=, 64);
  g_assert_cmpuint (busy.n_sleeps, ==, 0);
  vmm_poll_set_clear (&set);
}

static void
test_removal (void)
{
  Ring first = { .leave = TRUE }, second = { .work = 1 };
  VmmPollSet set;

  first.set = &set;
  vmm_poll_set_init (&set);
  vmm_poll_set_add (&set, &ring_funcs, &first);
  vmm_poll_set_add (&set, &ring_funcs, &second);
  g_assert_true (vmm_poll_set_run (&set));
  g_assert_cmpuint (first.n_polls, ==, 1);
  g_assert_cmpuint (first.n_sleeps, ==, 0);
  g_assert_cmpuint (second.work, ==, 0);
  g_assert_cmpuint (second.n_sleeps, ==, 1);
  vmm_poll_set_remove (&set, &first);
  vmm_poll_set_clear (&set);
}

/* Short sleeps make it look longer, up to a bound; a long one ends that. */
static void
test_window (void)
{
  gint64 before = 0;
  VmmPollSet set;

  vmm_poll_set_init (&set);
  for (guint i = 0; i < 10; i++) {
    vmm_poll_set_slept (&set, VMM_POLL_MAX_NS);
    g_assert_cmpint (set.window_ns, >, before == VMM_POLL_MAX_NS ? 0 : before);
    g_assert_cmpint (set.window_ns, <=, VMM_POLL_MAX_NS);
    before = set.window_ns;
  }
  g_assert_cmpint (set.window_ns, ==, VMM_POLL_MAX_NS);
  vmm_poll_set_slept (&set, 10);
  g_assert_cmpint (set.window_ns, ==, VMM_POLL_MAX_NS);
  vmm_poll_set_slept (&set, VMM_POLL_MAX_NS + 1);
  g_assert_cmpint (set.window_ns, ==, 0);
  vmm_poll_set_clear (&set);
}

static void
give_work (gpointer data)
{
  ((Ring *) data)->work = 5;
}

static void
look (gpointer data)
{
  Ring *self = data;

  g_assert_cmpuint (self->work, ==, 0);
  g_assert_cmpuint (self->n_sleeps, >, 0);
}

/* What one source of the loop puts into a ring is found without another event. */
static void
test_loop (void)
{
  g_autoptr (VmmLoop) loop = vmm_loop_new ("test", NULL);
  Ring ring = { 0 };

  vmm_loop_add_poller (loop, &ring_funcs, &ring);
  vmm_loop_call (loop, give_work, &ring);
  vmm_loop_call (loop, look, &ring);
  vmm_loop_remove_poller (loop, &ring);
  ring.work = 1;
  vmm_loop_call (loop, give_work, &ring);
  ring.n_polls = 0;
  vmm_loop_call (loop, give_work, &ring);
  g_assert_cmpuint (ring.n_polls, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/poll-set/until-nothing", test_until_nothing);
  g_test_add_func ("/poll-set/last-moment", test_last_moment);
  g_test_add_func ("/poll-set/turn", test_turn);
  g_test_add_func ("/poll-set/removal", test_removal);
  g_test_add_func ("/poll-set/window", test_window);
  g_test_add_func ("/poll-set/loop", test_loop);
  return g_test_run ();
}
