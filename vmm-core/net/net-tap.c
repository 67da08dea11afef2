/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A tap device. Frames go between its descriptor and the guest's buffers without a copy of ours;
 * the kernel does what headers ask for.
 *
 * Threads: as vmm-net.h says.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net-vhost.h"
#include "net/vmm-net-tap.h"
#include "vmm-error.h"

#define TURN       64 /* frames before others on the loop have their turn */
#define MAX_QUEUES 8
/* Ethernet, a VLAN tag and the largest packet of a network with jumbo frames. */
#define PLAIN_SIZE (sizeof (VmmNetHeader) + 14 + 4 + 9216)

typedef struct _NetTap NetTap;

typedef struct {
  NetTap *tap;
  guint index;
  int fd;
  VmmSource *source; /* NULL while the guest has no room */
  gboolean full;     /* the card waits to send */
  int vhost;         /* while the kernel serves the guest's rings; or -1 */
} TapQueue;

struct _NetTap {
  VmmNet net;
  gboolean borrowed;
  gboolean may_vhost;
  guint taken;
  TapQueue queues[MAX_QUEUES];
};

static gboolean
net_tap_send (VmmNet *net, guint queue, const struct iovec *iov, guint n)
{
  NetTap *self = (NetTap *) net;
  TapQueue *tap = &self->queues[queue];

  if (writev (tap->fd, iov, n) >= 0 || errno != EAGAIN)
    return TRUE; /* or lost, where the device is down or does not like it */
  if (!tap->source)
    return TRUE; /* nobody would tell when it can be written */
  tap->full = TRUE;
  vmm_source_want_output (net->loop, tap->source, TRUE);
  return FALSE;
}

static void
unwatch (TapQueue *self)
{
  if (self->source)
    vmm_loop_remove (self->tap->net.loop, g_steal_pointer (&self->source));
}

/* FALSE when there is no more, or the guest has no room. */
static gboolean
receive_one (TapQueue *self)
{
  VmmNet *net = &self->tap->net;
  gboolean large = self->tap->taken & ~(VMM_NET_CSUM | VMM_NET_ECN);
  guint n_iov;
  const struct iovec *iov = net->card_class->reserve (
    net->card, self->index, large ? VMM_NET_MAX_SIZE : PLAIN_SIZE, &n_iov);
  gssize n;

  if (!iov) {
    unwatch (self);
    return FALSE;
  }
  n = readv (self->fd, iov, n_iov);
  net->card_class->commit (net->card, self->index, MAX (n, 0));
  return n > 0;
}

/* Loop: the descriptor can be read, or written. */
static void
tap_ready (gpointer data)
{
  TapQueue *self = data;
  VmmNet *net = &self->tap->net;

  if (!vmm_net_enter (net))
    return;
  if (self->full) {
    self->full = FALSE;
    vmm_source_want_output (net->loop, self->source, FALSE);
    net->card_class->writable (net->card, self->index);
  }
  for (guint i = 0; i < TURN && receive_one (self); i++)
    ;
  vmm_net_leave (net);
}

static void
net_tap_room (VmmNet *net, guint queue)
{
  TapQueue *self = &((NetTap *) net)->queues[queue];
  g_autoptr (GError) error = NULL;

  if (self->source || queue >= net->n_queues)
    return;
  self->source = vmm_loop_add_fd (net->loop, self->fd, tap_ready, self, &error);
  if (error)
    g_warning ("The guest's network stands still: %s", error->message);
  else if (self->full)
    vmm_source_want_output (net->loop, self->source, TRUE);
}

static guint
to_kernel (guint taken)
{
  return (taken & VMM_NET_CSUM ? TUN_F_CSUM : 0) | (taken & VMM_NET_TSO4 ? TUN_F_TSO4 : 0) |
         (taken & VMM_NET_TSO6 ? TUN_F_TSO6 : 0) | (taken & VMM_NET_ECN ? TUN_F_TSO_ECN : 0) |
         (taken & VMM_NET_USO ? TUN_F_USO4 | TUN_F_USO6 : 0);
}

static void
net_tap_set_taken (VmmNet *net, guint taken)
{
  NetTap *self = (NetTap *) net;

  if (ioctl (self->queues[0].fd, TUNSETOFFLOAD, to_kernel (taken)) < 0)
    g_warning ("The tap device does not do what it offered: %s", g_strerror (errno));
  self->taken = taken;
}

/* Frames are spread over the queues that are attached. */
static void
net_tap_set_pairs (VmmNet *net, guint n)
{
  NetTap *self = (NetTap *) net;

  for (guint i = 1; i < net->n_queues; i++) {
    struct ifreq request = { .ifr_flags = i < n ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };

    ioctl (self->queues[i].fd, TUNSETQUEUE, &request); /* EINVAL: so it is already */
  }
}

static gboolean
net_tap_take_rings (VmmNet *net,
                    guint pair,
                    VmmMemory *memory,
                    guint64 features,
                    const VmmVirtqueueLoan rings[2])
{
  NetTap *self = (NetTap *) net;
  TapQueue *queue = &self->queues[pair];
  g_autoptr (GError) error = NULL;

  if (!self->may_vhost)
    return FALSE;
  queue->vhost = vmm_vhost_start (queue->fd, memory, features, rings, &error);
  if (error)
    g_info ("The network is served by the machine itself: %s", error->message);
  if (queue->vhost < 0)
    return FALSE;
  unwatch (queue);
  return TRUE;
}

static void
net_tap_give_rings (VmmNet *net, guint pair, guint16 next[2])
{
  TapQueue *queue = &((NetTap *) net)->queues[pair];

  vmm_vhost_stop (queue->vhost, next);
  queue->vhost = -1;
}

static void
stop (gpointer data)
{
  NetTap *self = data;

  for (guint i = 0; i < self->net.n_queues; i++)
    unwatch (&self->queues[i]);
}

static void
net_tap_free (VmmNet *net)
{
  NetTap *self = (NetTap *) net;

  vmm_loop_call (net->loop, stop, self);
  for (guint i = 0; i < net->n_queues && !self->borrowed; i++)
    if (self->queues[i].fd >= 0)
      close (self->queues[i].fd);
  g_free (self);
}

static const VmmNetClass net_tap_class = {
  .name = "tap",
  .free = net_tap_free,
  .send = net_tap_send,
  .room = net_tap_room,
  .set_taken = net_tap_set_taken,
  .set_pairs = net_tap_set_pairs,
  .take_rings = net_tap_take_rings,
  .give_rings = net_tap_give_rings,
};

static NetTap *
tap_new (gboolean vhost, VmmLoop *loop)
{
  NetTap *self = g_new0 (NetTap, 1);

  self->net = (VmmNet) { .klass = &net_tap_class, .loop = loop };
  for (guint i = 0; i < MAX_QUEUES; i++)
    self->queues[i] = (TapQueue) { .tap = self, .index = i, .fd = -1, .vhost = -1 };
  self->may_vhost = vhost;
  return self;
}

static guint
get_mtu (const char *name)
{
  struct ifreq request = { 0 };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  guint mtu = 0;

  g_strlcpy (request.ifr_name, name, sizeof request.ifr_name);
  if (fd >= 0 && ioctl (fd, SIOCGIFMTU, &request) == 0)
    mtu = request.ifr_mtu;
  if (fd >= 0)
    close (fd);
  return mtu;
}

/* What the kernel offers on this device. */
static gboolean
probe (NetTap *self, const char *name, GError **error)
{
  int size = sizeof (VmmNetHeader), fd = self->queues[0].fd;
  guint offers = VMM_NET_ALL_OFFLOADS;

  for (guint i = 0; i < self->net.n_queues; i++)
    if (ioctl (self->queues[i].fd, TUNSETVNETHDRSZ, &size) < 0) {
      g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "The tap device “%s” cannot be used: %s.", name,
                   g_strerror (errno));
      return FALSE;
    }
  if (ioctl (fd, TUNSETOFFLOAD, to_kernel (offers)) < 0) /* before Linux 6.2 */
    offers &= ~VMM_NET_USO;
  if (ioctl (fd, TUNSETOFFLOAD, to_kernel (offers)) < 0)
    offers = 0;
  ioctl (fd, TUNSETOFFLOAD, 0);
  self->net.takes = VMM_NET_TCP_OFFLOADS | (offers & VMM_NET_USO);
  self->net.gives = offers;
  self->net.mtu = get_mtu (name);
  return TRUE;
}

static void
set_open_error (const char *name, int why, GError **error)
{
  if (why == EPERM || why == EACCES)
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO,
                 "The tap device “%s” may not be used by you. An administrator can make one for "
                 "you: ip tuntap add dev %s mode tap user %s",
                 name, name, g_get_user_name ());
  else if (why == EBUSY)
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO,
                 "The tap device “%s” is used by another program, or has no queue left.", name);
  else
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "The tap device “%s” cannot be opened: %s.", name,
                 g_strerror (why));
}

/* One queue of the device, or -1 with errno. */
static int
open_queue (const char *name, gboolean multi_queue)
{
  struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
  int fd = open ("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), why;

  if (fd < 0)
    return -1;
  if (multi_queue)
    request.ifr_flags |= IFF_MULTI_QUEUE;
  g_strlcpy (request.ifr_name, name, sizeof request.ifr_name);
  if (ioctl (fd, TUNSETIFF, &request) == 0)
    return fd;
  why = errno;
  close (fd);
  errno = why;
  return -1;
}

/* A device was made with several queues or without, and must be opened so. */
static gboolean
open_queues (NetTap *self, const char *name, guint n)
{
  gboolean multi_queue = n > 1;
  int fd = open_queue (name, multi_queue);

  if (fd < 0 && errno == EINVAL) {
    multi_queue = !multi_queue;
    fd = open_queue (name, multi_queue);
  }
  while (fd >= 0) {
    self->queues[self->net.n_queues++].fd = fd;
    if (!multi_queue || self->net.n_queues == n)
      return TRUE;
    fd = open_queue (name, TRUE);
  }
  return self->net.n_queues > 0;
}

VmmNet *
vmm_net_tap_new (const char *name, guint n_queues, gboolean vhost, VmmLoop *loop, GError **error)
{
  NetTap *self = tap_new (vhost, loop);

  if (!open_queues (self, name, CLAMP (n_queues, 1, MAX_QUEUES)))
    set_open_error (name, errno, error);
  else if (probe (self, name, error))
    return &self->net;
  net_tap_free (&self->net);
  return NULL;
}

VmmNet *
vmm_net_tap_new_for_fd (int fd, gboolean vhost, VmmLoop *loop, GError **error)
{
  NetTap *self = tap_new (vhost, loop);
  struct ifreq request = { 0 };

  self->borrowed = TRUE;
  self->queues[0].fd = fd;
  self->net.n_queues = 1;
  if (ioctl (fd, TUNGETIFF, &request) < 0 || !(request.ifr_flags & IFF_VNET_HDR))
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO,
                 "The descriptor %d is no tap device that was opened with IFF_VNET_HDR.", fd);
  else if (fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) | O_NONBLOCK) < 0)
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "The descriptor %d cannot be used: %s.", fd,
                 g_strerror (errno));
  else if (probe (self, request.ifr_name, error))
    return &self->net;
  net_tap_free (&self->net);
  return NULL;
}
