/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The user's own network: frames to and from libslirp.
 *
 * libslirp takes TCP segments of any length that IP can carry but wants their checksums right, so
 * segmentation is left to nobody and checksums are completed here.
 *
 * Threads: as net-user-private.h says.
 */
#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "net/net-offload.h"
#include "net/net-user-private.h"
#include "vmm-error.h"

#define DEFAULT_NETWORK "10.0.2.0/24"
#define MIN_PREFIX      8
#define MAX_PREFIX      27 /* the guest's address must be in it */
#define HOST_NUMBER     2
#define DNS_NUMBER      3
#define GUEST_NUMBER    15

#define PREFIX6        "fec0::"
#define PREFIX6_LENGTH 64
#define HOST6          "fec0::2"
#define DNS6           "fec0::3"

/* Frames that wait for a guest that has no room; more are lost, and TCP sends them again. */
#define MAX_WAITING (4 << 20)

static GMutex libslirp; /* a global for the globals of others */

void
vmm_net_user_lock (void)
{
  g_mutex_lock (&libslirp);
}

void
vmm_net_user_unlock (void)
{
  g_mutex_unlock (&libslirp);
}

static void
keep_waiting (VmmNetUser *self, const struct iovec *iov, guint n)
{
  g_autoptr (GByteArray) bytes = NULL;
  gsize size = 0;

  for (guint i = 0; i < n; i++)
    size += iov[i].iov_len;
  if (self->n_waiting + size > MAX_WAITING)
    return;
  bytes = g_byte_array_sized_new (size);
  for (guint i = 0; i < n; i++)
    g_byte_array_append (bytes, iov[i].iov_base, iov[i].iov_len);
  g_queue_push_tail (&self->waiting, g_byte_array_free_to_bytes (g_steal_pointer (&bytes)));
  self->n_waiting += size;
}

static void
forget_waiting (VmmNetUser *self)
{
  g_queue_clear_full (&self->waiting, (GDestroyNotify) g_bytes_unref);
  self->n_waiting = 0;
}

gboolean
vmm_net_user_deliver_waiting (VmmNetUser *self)
{
  while (!g_queue_is_empty (&self->waiting)) {
    GBytes *bytes = g_queue_peek_head (&self->waiting);
    gsize size;
    const void *data = g_bytes_get_data (bytes, &size);
    struct iovec iov = { (void *) data, size };

    if (!vmm_net_deliver (&self->net, 0, &iov, 1))
      return FALSE;
    self->n_waiting -= size;
    g_bytes_unref (g_queue_pop_head (&self->waiting));
  }
  return TRUE;
}

/* For the guest, in the order of libslirp: behind what waits already. */
static gboolean
deliver (gpointer data, const struct iovec *iov, guint n)
{
  VmmNetUser *self = data;

  if (g_queue_is_empty (&self->waiting) && vmm_net_deliver (&self->net, 0, iov, n))
    return TRUE;
  keep_waiting (self, iov, n);
  vmm_net_user_suspend (self, TRUE);
  return TRUE;
}

/* libslirp: a frame for the guest; its checksums are right. */
static slirp_ssize_t
send_packet (const void *frame, size_t length, void *data)
{
  VmmNetUser *self = data;
  VmmNetHeader header = {
    .flags = self->taken & VMM_NET_CSUM ? VIRTIO_NET_HDR_F_DATA_VALID : 0,
    .gso_type = VIRTIO_NET_HDR_GSO_NONE,
  };
  struct iovec iov[] = { { &header, sizeof header }, { (void *) frame, length } };

  self->active_ns = vmm_net_user_now_ns (self);
  deliver (self, iov, G_N_ELEMENTS (iov));
  return length;
}

static void
guest_error (const char *message, void *data)
{
  g_debug ("The guest's network traffic is wrong: %s", message);
}

static void
notify (void *data)
{
}

static const SlirpCb callbacks = {
  .send_packet = send_packet,
  .guest_error = guest_error,
  .clock_get_ns = vmm_net_user_now_ns,
  .timer_new_opaque = vmm_net_user_timer_new,
  .timer_free = vmm_net_user_timer_free,
  .timer_mod = vmm_net_user_timer_mod,
  .register_poll_fd = vmm_net_user_fd_ignore,
  .unregister_poll_fd = vmm_net_user_fd_forget,
  .notify = notify,
};

/* The frame lies in our buffer, whole or as new headers for it. */
static gboolean
input (gpointer data, const struct iovec *iov, guint n)
{
  VmmNetUser *self = data;
  gsize length = 0;

  for (guint i = 1; i < n; i++)
    length += iov[i].iov_len;
  if (n > 2)
    memcpy (self->frame, iov[1].iov_base, iov[1].iov_len);
  slirp_input (self->slirp, self->frame, length);
  return TRUE;
}

static gboolean
net_user_send (VmmNet *net, guint queue, const struct iovec *iov, guint n)
{
  VmmNetUser *self = (VmmNetUser *) net;
  gsize length = 0;

  for (guint i = 1; i < n && length + iov[i].iov_len <= VMM_NET_MAX_FRAME; i++) {
    memcpy (self->frame + length, iov[i].iov_base, iov[i].iov_len);
    length += iov[i].iov_len;
  }
  vmm_net_user_lock ();
  if (!self->fresh) {
    self->active_ns = vmm_net_user_now_ns (self);
    vmm_net_user_tick (self);
  }
  self->fresh = TRUE;
  vmm_net_resolve (iov[0].iov_base, self->frame, length, self->net.takes & ~VMM_NET_CSUM, input,
                   self);
  vmm_net_user_unlock ();
  return TRUE;
}

/* A tick sends off what waited for the guest to say where it is. */
static void
net_user_flush (VmmNet *net)
{
  VmmNetUser *self = (VmmNetUser *) net;

  if (!self->fresh)
    return;
  self->fresh = FALSE;
  vmm_net_user_lock ();
  vmm_net_user_tick (self);
  vmm_net_user_refill (self);
  vmm_net_user_unlock ();
}

static void
net_user_room (VmmNet *net, guint queue)
{
  VmmNetUser *self = (VmmNetUser *) net;

  if (self->source || !vmm_net_user_deliver_waiting (self))
    return;
  vmm_net_user_suspend (self, FALSE);
  vmm_net_user_lock ();
  vmm_net_user_tick (self);
  vmm_net_user_refill (self);
  vmm_net_user_unlock ();
}

static void
net_user_set_taken (VmmNet *net, guint taken)
{
  VmmNetUser *self = (VmmNetUser *) net;

  self->taken = taken;
  forget_waiting (self);
}

static void
stop (gpointer data)
{
  vmm_net_user_stop_polling (data);
}

static void
net_user_free (VmmNet *net)
{
  VmmNetUser *self = (VmmNetUser *) net;

  vmm_loop_call (net->loop, stop, self);
  if (self->slirp) {
    vmm_net_user_lock ();
    slirp_cleanup (self->slirp);
    vmm_net_user_unlock ();
  }
  if (self->epoll >= 0)
    close (self->epoll);
  forget_waiting (self);
  g_array_unref (self->polls);
  g_array_unref (self->old_polls);
  g_array_unref (self->watches);
  g_free (self->frame);
  g_free (self);
}

static const VmmNetClass net_user_class = {
  .name = "user",
  .free = net_user_free,
  .send = net_user_send,
  .flush = net_user_flush,
  .room = net_user_room,
  .set_taken = net_user_set_taken,
};

static gboolean
parse_network (VmmNetUser *self, const char *text, GError **error)
{
  const char *slash = strchr (text, '/');
  g_autofree char *address = slash ? g_strndup (text, slash - text) : NULL;
  guint64 prefix;

  if (slash && inet_pton (AF_INET, address, &self->network) == 1 &&
      g_ascii_string_to_unsigned (slash + 1, 10, MIN_PREFIX, MAX_PREFIX, &prefix, NULL)) {
    self->mask.s_addr = g_htonl (G_MAXUINT32 << (32 - prefix));
    self->network.s_addr &= self->mask.s_addr;
    return TRUE;
  }
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
               "“%s” is no network: give an address and a length from 8 to 27, such as "
               "10.0.2.0/24.",
               text);
  return FALSE;
}

static struct in_addr
address_of (VmmNetUser *self, guint number)
{
  return (struct in_addr) { self->network.s_addr | g_htonl (number) };
}

static gboolean
make_slirp (VmmNetUser *self, GError **error)
{
  SlirpConfig config = {
    .version = 4,
    .in_enabled = true,
    .vnetwork = self->network,
    .vnetmask = self->mask,
    .vhost = address_of (self, HOST_NUMBER),
    .vdhcp_start = address_of (self, GUEST_NUMBER),
    .vnameserver = address_of (self, DNS_NUMBER),
    .in6_enabled = true,
    .vprefix_len = PREFIX6_LENGTH,
  };

  inet_pton (AF_INET6, PREFIX6, &config.vprefix_addr6);
  inet_pton (AF_INET6, HOST6, &config.vhost6);
  inet_pton (AF_INET6, DNS6, &config.vnameserver6);
  vmm_net_user_lock ();
  self->slirp = slirp_new (&config, &callbacks, self);
  vmm_net_user_unlock ();
  if (!self->slirp)
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO,
                 "The user's network cannot be made: libslirp refuses it.");
  return self->slirp != NULL;
}

VmmNet *
vmm_net_user_new (const char *network, VmmLoop *loop, GError **error)
{
  VmmNetUser *self = g_new0 (VmmNetUser, 1);

  self->net = (VmmNet) {
    .klass = &net_user_class,
    .loop = loop,
    .n_queues = 1,
    .takes = VMM_NET_CSUM | VMM_NET_TSO4,
    .gives = VMM_NET_CSUM,
  };
  self->frame = g_malloc (VMM_NET_MAX_FRAME);
  self->epoll = -1;
  g_queue_init (&self->waiting);
  if (vmm_net_user_start_polling (self, error) &&
      parse_network (self, network ? network : DEFAULT_NETWORK, error) && make_slirp (self, error))
    return &self->net;
  net_user_free (&self->net);
  return NULL;
}
