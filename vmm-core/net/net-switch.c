/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The ports of a private network. The sender's loop copies a frame out of its guest and into the
 * inboxes of those who shall have it, as they can take it; the receiver's loop puts it into its
 * guest.
 *
 * Threads: as vmm-net.h says.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "net/net-offload.h"
#include "net/net-protocol.h"
#include "net/net-switch-private.h"

#define MAX_BYTES (4 << 20) /* that wait for one machine; what comes then is lost */
#define TURN      256       /* frames before others on the loop have their turn */

typedef struct {
  VmmNet net;
  Switch *network;
  SwitchInbox *inbox;
  VmmSource *source;
  gboolean full;  /* the guest has no room */
  GQueue in_hand; /* GBytes: out of the inbox, on the way to the guest */
  guint8 *frame;  /* one that the guest sends */
} NetSwitch;

/* Who shall have the frame that is sent. */
typedef struct {
  SwitchInbox *inboxes[SWITCH_MAX_PORTS];
  guint n;
} Targets;

static void
wake (SwitchInbox *self)
{
  guint64 one = 1;

  if (write (self->wake_fd, &one, sizeof one) < 0)
    g_debug ("A private network cannot wake a machine: %s", g_strerror (errno));
}

static void
put_in (SwitchInbox *self, GBytes *frame)
{
  gboolean was_empty = FALSE;
  gsize size = g_bytes_get_size (frame);

  g_mutex_lock (&self->lock);
  if (self->n_bytes + size <= MAX_BYTES) {
    was_empty = g_queue_is_empty (&self->frames);
    g_queue_push_tail (&self->frames, g_bytes_ref (frame));
    self->n_bytes += size;
  }
  g_mutex_unlock (&self->lock);
  if (was_empty)
    wake (self);
}

/* The bytes are shared between those who get them: each guest gets a copy of its own. */
static gboolean
put_in_all (gpointer data, const struct iovec *iov, guint n)
{
  Targets *targets = data;
  g_autoptr (GBytes) frame = NULL;
  gsize size = 0, at = 0;
  guint8 *bytes;

  for (guint i = 0; i < n; i++)
    size += iov[i].iov_len;
  bytes = g_malloc (size);
  for (guint i = 0; i < n; i++) {
    memcpy (bytes + at, iov[i].iov_base, iov[i].iov_len);
    at += iov[i].iov_len;
  }
  frame = g_bytes_new_take (bytes, size);
  for (guint i = 0; i < targets->n; i++)
    put_in (targets->inboxes[i], frame);
  return TRUE;
}

static gboolean
net_switch_send (VmmNet *net, guint queue, const struct iovec *iov, guint n)
{
  NetSwitch *self = (NetSwitch *) net;
  guint taken = VMM_NET_ALL_OFFLOADS;
  Targets targets;
  gsize length = 0;

  for (guint i = 1; i < n && length + iov[i].iov_len <= VMM_NET_MAX_FRAME; i++) {
    memcpy (self->frame + length, iov[i].iov_base, iov[i].iov_len);
    length += iov[i].iov_len;
  }
  targets.n = switch_find (self->network, self->inbox, self->frame, self->frame + ETHER_SOURCE,
                           targets.inboxes);
  for (guint i = 0; i < targets.n; i++)
    taken &= __atomic_load_n (&targets.inboxes[i]->taken, __ATOMIC_RELAXED);
  if (targets.n > 0)
    vmm_net_resolve (iov[0].iov_base, self->frame, length, taken, put_in_all, &targets);
  for (guint i = 0; i < targets.n; i++)
    switch_inbox_unref (targets.inboxes[i]);
  return TRUE;
}

/* What the guest took is no longer ours to hold. */
static void
forget (NetSwitch *self, gsize size)
{
  g_mutex_lock (&self->inbox->lock);
  self->inbox->n_bytes -= size;
  g_mutex_unlock (&self->inbox->lock);
}

static void
take_out (NetSwitch *self)
{
  GBytes *frame;

  g_mutex_lock (&self->inbox->lock);
  while ((frame = g_queue_pop_head (&self->inbox->frames)))
    g_queue_push_tail (&self->in_hand, frame);
  g_mutex_unlock (&self->inbox->lock);
}

/* FALSE when there is nothing more to do now. */
static gboolean
deliver_one (NetSwitch *self)
{
  struct iovec iov;
  GBytes *frame = g_queue_peek_head (&self->in_hand);

  if (!frame)
    return FALSE;
  iov.iov_base = (void *) g_bytes_get_data (frame, &iov.iov_len);
  if (!vmm_net_deliver (&self->net, 0, &iov, 1)) {
    self->full = TRUE;
    return FALSE;
  }
  forget (self, iov.iov_len);
  g_bytes_unref (g_queue_pop_head (&self->in_hand));
  return TRUE;
}

static void
deliver (NetSwitch *self)
{
  guint left = TURN;

  self->full = FALSE;
  take_out (self);
  while (left > 0 && deliver_one (self))
    left--;
  if (left == 0)
    wake (self->inbox);
}

/* Loop: the inbox is not empty any more. */
static void
inbox_filled (gpointer data)
{
  NetSwitch *self = data;

  if (!vmm_net_enter (&self->net))
    return;
  if (!self->full)
    deliver (self);
  vmm_net_leave (&self->net);
}

static void
net_switch_room (VmmNet *net, guint queue)
{
  deliver ((NetSwitch *) net);
}

static void
forget_all (NetSwitch *self)
{
  GBytes *frame;

  take_out (self);
  while ((frame = g_queue_pop_head (&self->in_hand))) {
    forget (self, g_bytes_get_size (frame));
    g_bytes_unref (frame);
  }
}

static void
net_switch_set_taken (VmmNet *net, guint taken)
{
  NetSwitch *self = (NetSwitch *) net;

  __atomic_store_n (&self->inbox->taken, taken, __ATOMIC_RELAXED);
  forget_all (self);
}

static void
stop (gpointer data)
{
  NetSwitch *self = data;

  vmm_loop_remove (self->net.loop, self->source);
}

static void
net_switch_free (VmmNet *net)
{
  NetSwitch *self = (NetSwitch *) net;

  if (self->network)
    switch_leave (self->network, self->inbox);
  if (self->source)
    vmm_loop_call (net->loop, stop, self);
  if (self->inbox) {
    forget_all (self);
    switch_inbox_unref (self->inbox);
  }
  g_free (self->frame);
  g_free (self);
}

static const VmmNetClass net_switch_class = {
  .name = "switch",
  .free = net_switch_free,
  .send = net_switch_send,
  .room = net_switch_room,
  .set_taken = net_switch_set_taken,
};

VmmNet *
vmm_net_switch_new (VmmNetworks *networks, const char *name, VmmLoop *loop, GError **error)
{
  NetSwitch *self = g_new0 (NetSwitch, 1);

  self->net = (VmmNet) {
    .klass = &net_switch_class,
    .loop = loop,
    .n_queues = 1,
    .takes = VMM_NET_ALL_OFFLOADS,
    .gives = VMM_NET_ALL_OFFLOADS,
  };
  g_queue_init (&self->in_hand);
  self->frame = g_malloc (VMM_NET_MAX_FRAME);
  self->inbox = switch_inbox_new (error);
  if (self->inbox)
    self->source = vmm_loop_add_eventfd (loop, self->inbox->wake_fd, inbox_filled, self, error);
  if (self->source)
    self->network = switch_join (networks, name, self->inbox, error);
  if (self->network)
    return &self->net;
  net_switch_free (&self->net);
  return NULL;
}
