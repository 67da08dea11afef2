/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How libslirp waits on a VmmLoop: an epoll set of its sockets and one timer, both told of a change
 * only. Where no socket is ready and nothing is due, nothing runs.
 *
 * Threads: as net-user-private.h says.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "net/net-user-private.h"
#include "vmm-error.h"

#define EVENTS_A_ROUND 64
#define NS_A_MS        1000000
/* What libslirp says where it waits for nothing. */
#define NOTHING_DUE_MS 1000
/* It ticks twice a second while it has any connection, even one that only listens. The longer
 * nothing crosses the less there is to time: a tick comes after this part of the silence. */
#define SILENCE_PART 8

static const struct {
  int slirp;
  guint32 epoll;
} events_map[] = {
  { SLIRP_POLL_IN, EPOLLIN },   { SLIRP_POLL_OUT, EPOLLOUT }, { SLIRP_POLL_PRI, EPOLLPRI },
  { SLIRP_POLL_ERR, EPOLLERR }, { SLIRP_POLL_HUP, EPOLLHUP },
};

static guint32
to_epoll (int slirp)
{
  guint32 events = 0;

  for (guint i = 0; i < G_N_ELEMENTS (events_map); i++)
    if (slirp & events_map[i].slirp)
      events |= events_map[i].epoll;
  return events;
}

static int
to_slirp (guint32 epoll)
{
  int events = 0;

  for (guint i = 0; i < G_N_ELEMENTS (events_map); i++)
    if (epoll & events_map[i].epoll)
      events |= events_map[i].slirp;
  return events;
}

/* One clock for all instances, because they share libslirp's. */
gint64
vmm_net_user_now_ns (void *data)
{
  return vmm_loop_now_ns ();
}

/* There is one timer only: that of router advertisements. */
void *
vmm_net_user_timer_new (SlirpTimerId id, void *timer_data, void *data)
{
  return id == SLIRP_TIMER_RA ? data : NULL;
}

void
vmm_net_user_timer_free (void *timer, void *data)
{
  ((VmmNetUser *) data)->advertise_ms = 0;
}

/* It is armed with the rest, by the refill that follows. */
void
vmm_net_user_timer_mod (void *timer, gint64 when_ms, void *data)
{
  if (timer)
    ((VmmNetUser *) data)->advertise_ms = when_ms;
}

static UserWatch *
watch_of (VmmNetUser *self, int fd)
{
  if ((guint) fd >= self->watches->len)
    g_array_set_size (self->watches, fd + 1);
  return &g_array_index (self->watches, UserWatch, fd);
}

void
vmm_net_user_fd_ignore (int fd, void *data)
{
}

/* The descriptor is about to be closed, and its number will come again. */
void
vmm_net_user_fd_forget (int fd, void *data)
{
  VmmNetUser *self = data;

  if (fd < 0)
    return;
  if (watch_of (self, fd)->wanted)
    epoll_ctl (self->epoll, EPOLL_CTL_DEL, fd, NULL);
  watch_of (self, fd)->wanted = 0;
}

static void
watch_fd (VmmNetUser *self, guint index)
{
  UserPoll *poll = &g_array_index (self->polls, UserPoll, index);
  UserWatch *watch = watch_of (self, poll->fd);
  struct epoll_event event = { .events = to_epoll (poll->wanted), .data.fd = poll->fd };

  if (watch->wanted != poll->wanted) {
    int op = watch->wanted ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (epoll_ctl (self->epoll, op, poll->fd, &event) < 0)
      g_warning ("A connection of the guest cannot be watched: %s", g_strerror (errno));
    else
      watch->wanted = poll->wanted;
  }
  watch->index = index;
  watch->round = self->round;
}

static int
add_poll (int fd, int events, void *data)
{
  VmmNetUser *self = data;
  UserPoll poll = { .fd = fd, .wanted = events };

  g_array_append_val (self->polls, poll);
  return self->polls->len - 1;
}

static int
get_events (int index, void *data)
{
  VmmNetUser *self = data;

  if (index < 0 || (guint) index >= self->polls->len)
    return 0;
  return g_array_index (self->polls, UserPoll, index).happened;
}

static void
arm (VmmNetUser *self, guint32 timeout_ms)
{
  gint64 now = vmm_net_user_now_ns (self), when = 0;

  if (timeout_ms < NOTHING_DUE_MS)
    when = now + MAX ((gint64) timeout_ms * NS_A_MS, (now - self->active_ns) / SILENCE_PART);
  if (self->advertise_ms != 0 && (when == 0 || self->advertise_ms * NS_A_MS < when))
    when = self->advertise_ms * NS_A_MS;
  vmm_source_arm (self->timer, self->source ? when : 0);
}

void
vmm_net_user_refill (VmmNetUser *self)
{
  guint32 timeout_ms = G_MAXUINT32;
  GArray *before = self->polls;

  self->polls = self->old_polls;
  self->old_polls = before;
  g_array_set_size (self->polls, 0);
  self->round++;
  slirp_pollfds_fill (self->slirp, &timeout_ms, add_poll, self);
  for (guint i = 0; i < self->polls->len; i++)
    watch_fd (self, i);
  for (guint i = 0; i < before->len; i++) {
    int fd = g_array_index (before, UserPoll, i).fd;

    if (watch_of (self, fd)->round != self->round)
      vmm_net_user_fd_forget (fd, self);
  }
  arm (self, timeout_ms);
}

void
vmm_net_user_tick (VmmNetUser *self)
{
  slirp_pollfds_poll (self->slirp, 1, get_events, self);
}

/* Loop: some sockets are ready. */
static void
sockets_ready (gpointer data)
{
  VmmNetUser *self = data;
  struct epoll_event events[EVENTS_A_ROUND];
  int n;

  if (!vmm_net_enter (&self->net))
    return;
  vmm_net_user_lock ();
  self->active_ns = vmm_net_user_now_ns (self);
  n = epoll_wait (self->epoll, events, EVENTS_A_ROUND, 0);
  for (int i = 0; i < n; i++) {
    UserWatch *watch = watch_of (self, events[i].data.fd);

    if (watch->round == self->round)
      g_array_index (self->polls, UserPoll, watch->index).happened = to_slirp (events[i].events);
  }
  slirp_pollfds_poll (self->slirp, 0, get_events, self);
  vmm_net_user_refill (self);
  vmm_net_user_unlock ();
  vmm_net_leave (&self->net);
}

/* Loop: something is due. */
static void
timer_due (gpointer data)
{
  VmmNetUser *self = data;

  if (!vmm_net_enter (&self->net))
    return;
  vmm_net_user_lock ();
  vmm_net_user_tick (self);
  if (self->advertise_ms != 0 && self->advertise_ms * NS_A_MS <= vmm_net_user_now_ns (self))
    slirp_handle_timer (self->slirp, SLIRP_TIMER_RA, NULL);
  vmm_net_user_refill (self);
  vmm_net_user_unlock ();
  vmm_net_leave (&self->net);
}

void
vmm_net_user_suspend (VmmNetUser *self, gboolean suspend)
{
  g_autoptr (GError) error = NULL;

  if (suspend == (self->source == NULL))
    return;
  if (suspend) {
    vmm_source_arm (self->timer, 0);
    vmm_loop_remove (self->net.loop, g_steal_pointer (&self->source));
    return;
  }
  self->source = vmm_loop_add_fd (self->net.loop, self->epoll, sockets_ready, self, &error);
  if (error)
    g_warning ("The guest's network stands still: %s", error->message);
}

gboolean
vmm_net_user_start_polling (VmmNetUser *self, GError **error)
{
  self->polls = g_array_new (FALSE, TRUE, sizeof (UserPoll));
  self->old_polls = g_array_new (FALSE, TRUE, sizeof (UserPoll));
  self->watches = g_array_new (FALSE, TRUE, sizeof (UserWatch));
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  if (self->epoll < 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "No descriptor for the user's network: %s.",
                 g_strerror (errno));
    return FALSE;
  }
  self->timer = vmm_loop_add_timer (self->net.loop, timer_due, self, error);
  return self->timer != NULL;
}

void
vmm_net_user_stop_polling (VmmNetUser *self)
{
  if (self->source)
    vmm_loop_remove (self->net.loop, g_steal_pointer (&self->source));
  if (self->timer)
    vmm_loop_remove (self->net.loop, g_steal_pointer (&self->timer));
}
