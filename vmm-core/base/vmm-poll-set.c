/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-poll-set.h.
 */
#include "base/vmm-poll-set.h"

#include "base/vmm-loop.h"

#define FIRST_WINDOW_NS 4000
/* Rounds that find something before the loop's other sources have their turn. */
#define TURN 32

void
vmm_poll_set_init (VmmPollSet *self)
{
  *self = (VmmPollSet) { .pollers = g_array_new (FALSE, FALSE, sizeof (VmmPoller)) };
}

void
vmm_poll_set_clear (VmmPollSet *self)
{
  g_clear_pointer (&self->pollers, g_array_unref);
}

void
vmm_poll_set_add (VmmPollSet *self, const VmmPollFuncs *funcs, gpointer data)
{
  VmmPoller poller = { funcs, data };

  g_array_append_val (self->pollers, poller);
}

void
vmm_poll_set_remove (VmmPollSet *self, gpointer data)
{
  for (guint i = 0; i < self->pollers->len; i++)
    if (g_array_index (self->pollers, VmmPoller, i).data == data) {
      g_array_remove_index (self->pollers, i);
      return;
    }
}

/* A poller may remove itself or another: the next one is in its place then. */
static gboolean
poll_each (VmmPollSet *self)
{
  gboolean found = FALSE;

  for (guint i = 0; i < self->pollers->len;) {
    VmmPoller poller = g_array_index (self->pollers, VmmPoller, i);

    found = poller.funcs->poll (poller.data) || found;
    if (i < self->pollers->len && g_array_index (self->pollers, VmmPoller, i).data == poller.data)
      i++;
  }
  return found;
}

static gboolean
may_sleep (VmmPollSet *self)
{
  gboolean late = FALSE;

  for (guint i = 0; i < self->pollers->len; i++) {
    VmmPoller poller = g_array_index (self->pollers, VmmPoller, i);

    late = poller.funcs->sleep (poller.data) || late;
  }
  return !late;
}

/* Whether something came within the window. */
static gboolean
look_for_a_while (VmmPollSet *self)
{
  gint64 end = self->window_ns > 0 ? vmm_loop_now_ns () + self->window_ns : 0;

  while (end > 0 && vmm_loop_now_ns () < end)
    if (poll_each (self))
      return TRUE;
  return FALSE;
}

gboolean
vmm_poll_set_run (VmmPollSet *self)
{
  guint n = 0;

  while (n < TURN && (poll_each (self) || look_for_a_while (self)))
    n++;
  return n < TURN && may_sleep (self);
}

void
vmm_poll_set_slept (VmmPollSet *self, gint64 ns)
{
  if (ns > VMM_POLL_MAX_NS)
    self->window_ns = 0;
  else if (ns > self->window_ns)
    self->window_ns = CLAMP (2 * self->window_ns, FIRST_WINDOW_NS, VMM_POLL_MAX_NS);
}
