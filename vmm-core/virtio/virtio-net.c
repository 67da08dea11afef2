/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-net: features, configuration and life. The card offers its guest what the back end can do
 * and no more, so no frame needs work in between.
 *
 * Threads: loop, device locked, unless virtio.h says otherwise.
 */
#include <linux/virtio_ids.h>
#include <string.h>

#include "virtio/virtio-net-private.h"

#define CLASS_ETHERNET 0x020000
#define CONFIG_SIZE    12 /* up to the MTU */
#define TURN           256

#define BIT(number) (G_GUINT64_CONSTANT (1) << (number))

static const VmmField virtio_net_fields[] = {
  VMM_FIELD_PART (VirtioNet, parent, vmm_virtio_fields, "virtio"),
  VMM_EXEMPT (VirtioNet, net, "from the configuration"),
  VMM_EXEMPT (VirtioNet, none, "likewise"),
  VMM_EXEMPT (VirtioNet, own_mac, "from the configuration"),
  VMM_FIELD (VirtioNet, mac, VMM_FIELD_BYTES, "mac"),
  VMM_FIELD (VirtioNet, link_down, VMM_FIELD_BOOL, "link-down"),
  VMM_FIELD (VirtioNet, announce, VMM_FIELD_BOOL, "announce"),
  VMM_EXEMPT (VirtioNet, announce_due, "set by loading"),
  VMM_FIELD (VirtioNet, n_pairs, VMM_FIELD_UINT32, "n-pairs"),
  VMM_FIELD_PART (VirtioNet, filter, net_filter_fields, "filter"),
  VMM_EXEMPT (VirtioNet, told_taken, "the back end is told anew"),
  VMM_EXEMPT (VirtioNet, told_pairs, "likewise"),
  VMM_EXEMPT (VirtioNet, reservation, "empty outside of a turn"),
  VMM_EXEMPT (VirtioNet, lent, "taken back before"),
  VMM_EXEMPT (VirtioNet, alone, "is tried anew"),
  VMM_EXEMPT (VirtioNet, n_sent, "counts this run"),
  VMM_EXEMPT (VirtioNet, n_received, "counts this run"),
  VMM_FIELD_LAST,
};

/* A feature of virtio, and what it says of the side it is about. */
static const struct {
  guint offload, host, guest;
} offload_features[] = {
  { VMM_NET_CSUM, VIRTIO_NET_F_CSUM, VIRTIO_NET_F_GUEST_CSUM },
  { VMM_NET_TSO4, VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_GUEST_TSO4 },
  { VMM_NET_TSO6, VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_GUEST_TSO6 },
  { VMM_NET_ECN, VIRTIO_NET_F_HOST_ECN, VIRTIO_NET_F_GUEST_ECN },
};

static guint64
virtio_net_get_features (VmmVirtio *virtio)
{
  VirtioNet *self = (VirtioNet *) virtio;
  guint64 features = BIT (VIRTIO_NET_F_MAC) | BIT (VIRTIO_NET_F_STATUS) |
                     BIT (VIRTIO_NET_F_MRG_RXBUF) | BIT (VIRTIO_NET_F_CTRL_VQ) |
                     BIT (VIRTIO_NET_F_CTRL_RX) | BIT (VIRTIO_NET_F_CTRL_RX_EXTRA) |
                     BIT (VIRTIO_NET_F_CTRL_VLAN) | BIT (VIRTIO_NET_F_CTRL_MAC_ADDR) |
                     BIT (VIRTIO_NET_F_GUEST_ANNOUNCE);

  for (guint i = 0; i < G_N_ELEMENTS (offload_features); i++) {
    if (self->net->takes & offload_features[i].offload)
      features |= BIT (offload_features[i].host);
    if (self->net->gives & offload_features[i].offload)
      features |= BIT (offload_features[i].guest);
  }
  if (self->net->takes & VMM_NET_USO)
    features |= BIT (VIRTIO_NET_F_HOST_USO);
  if (self->net->gives & VMM_NET_USO)
    features |= BIT (VIRTIO_NET_F_GUEST_USO4) | BIT (VIRTIO_NET_F_GUEST_USO6);
  if (self->net->n_queues > 1)
    features |= BIT (VIRTIO_NET_F_MQ);
  if (self->net->mtu > 0)
    features |= BIT (VIRTIO_NET_F_MTU);
  return features;
}

/* What the guest takes, as the back end knows it. */
static guint
get_taken (VirtioNet *self)
{
  guint taken = 0;

  for (guint i = 0; i < G_N_ELEMENTS (offload_features); i++)
    if (vmm_virtio_has_feature (&self->parent, offload_features[i].guest))
      taken |= offload_features[i].offload;
  if (vmm_virtio_has_feature (&self->parent, VIRTIO_NET_F_GUEST_USO4) &&
      vmm_virtio_has_feature (&self->parent, VIRTIO_NET_F_GUEST_USO6))
    taken |= VMM_NET_USO;
  return taken & VMM_NET_CSUM ? taken : 0;
}

static void
virtio_net_read_config (VmmVirtio *virtio, guint8 *bytes)
{
  VirtioNet *self = (VirtioNet *) virtio;
  struct virtio_net_config config = {
    .status =
      (self->link_down ? 0 : VIRTIO_NET_S_LINK_UP) | (self->announce ? VIRTIO_NET_S_ANNOUNCE : 0),
    .max_virtqueue_pairs = self->net->n_queues,
    .mtu = self->net->mtu,
  };

  memcpy (config.mac, self->mac, sizeof config.mac);
  memcpy (bytes, &config, CONFIG_SIZE);
}

/* Before a driver that knows of more pairs, the control queue is behind the first. */
static gboolean
is_control (VirtioNet *self, guint index)
{
  guint n = vmm_virtio_has_feature (&self->parent, VIRTIO_NET_F_MQ) ? self->net->n_queues : 1;

  return index == 2 * n;
}

/* The back end learns of the driver's wishes. */
static void
tell (VirtioNet *self)
{
  guint taken = get_taken (self);

  if (taken != self->told_taken)
    vmm_net_set_taken (self->net, taken);
  if (self->n_pairs != self->told_pairs)
    vmm_net_set_pairs (self->net, self->n_pairs);
  self->told_taken = taken;
  self->told_pairs = self->n_pairs;
}

/* Whether the back end serves this pair itself. */
static gboolean
lend (VirtioNet *self, guint pair)
{
  const VmmNetClass *klass = self->net->klass;
  VmmVirtio *virtio = &self->parent;
  VmmVirtqueueLoan rings[2];

  if (!klass->take_rings || self->alone || self->link_down || pair >= self->n_pairs ||
      !vmm_virtio_lend_queue (virtio, NET_RECEIVE (pair), &rings[0]))
    return FALSE;
  if (!vmm_virtio_lend_queue (virtio, NET_TRANSMIT (pair), &rings[1])) {
    vmm_virtio_take_back_queue (virtio, NET_RECEIVE (pair), rings[0].next);
    return FALSE;
  }
  if (klass->take_rings (self->net, pair, virtio->parent.parent.board->memory,
                         virtio->driver_features, rings)) {
    self->lent |= 1u << pair;
    for (guint i = 0; i < G_N_ELEMENTS (rings); i++)
      vmm_virtio_ring (virtio, NET_RECEIVE (pair) + i);
    return TRUE;
  }
  self->alone = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (rings); i++)
    vmm_virtio_take_back_queue (virtio, NET_RECEIVE (pair) + i, rings[i].next);
  return FALSE;
}

static void
take_back (VirtioNet *self)
{
  for (guint pair = 0; pair < self->net->n_queues; pair++) {
    guint16 next[2];

    if (!(self->lent >> pair & 1))
      continue;
    self->net->klass->give_rings (self->net, pair, next);
    for (guint i = 0; i < G_N_ELEMENTS (next); i++)
      vmm_virtio_take_back_queue (&self->parent, NET_RECEIVE (pair) + i, next[i]);
  }
  self->lent = 0;
}

static void
virtio_net_stop (VmmVirtio *virtio)
{
  take_back ((VirtioNet *) virtio);
}

static void
virtio_net_process (VmmVirtio *virtio, guint index)
{
  VirtioNet *self = (VirtioNet *) virtio;

  tell (self);
  if (!is_control (self, index) && lend (self, index / 2))
    return;
  if (is_control (self, index)) {
    net_control (self, index);
    tell (self);
  } else if (index == NET_TRANSMIT (index / 2)) {
    net_transmit (self, index / 2);
  } else {
    vmm_net_room (self->net, index / 2);
  }
  net_settle (self);
}

static void
card_enter (gpointer card)
{
  vmm_device_lock (card);
}

static void
card_leave (gpointer card)
{
  net_settle (card);
  vmm_device_unlock (card);
}

static void
card_writable (gpointer card, guint queue)
{
  net_transmit (card, queue);
}

static const VmmNetCardClass card_class = {
  .enter = card_enter,
  .leave = card_leave,
  .reserve = net_reserve,
  .commit = net_commit,
  .writable = card_writable,
};

static void
virtio_net_reset (VmmVirtio *virtio)
{
  VirtioNet *self = (VirtioNet *) virtio;

  memcpy (self->mac, self->own_mac, sizeof self->mac);
  self->announce = FALSE;
  self->n_pairs = 1;
  self->alone = FALSE;
  net_filter_reset (&self->filter);
}

static void
virtio_net_resumed (VmmVirtio *virtio)
{
  VirtioNet *self = (VirtioNet *) virtio;

  if (!self->announce_due)
    return;
  self->announce_due = FALSE;
  if (!vmm_virtio_has_feature (virtio, VIRTIO_NET_F_GUEST_ANNOUNCE))
    return;
  self->announce = TRUE;
  vmm_virtio_config_changed (virtio);
}

static gboolean
virtio_net_loaded (VmmVirtio *virtio, GError **error)
{
  VirtioNet *self = (VirtioNet *) virtio;

  self->n_pairs = CLAMP (self->n_pairs, 1, self->net->n_queues);
  self->filter.n_unicast = MIN (self->filter.n_unicast, NET_MAX_MACS);
  self->filter.n_multicast = MIN (self->filter.n_multicast, NET_MAX_MACS - self->filter.n_unicast);
  self->announce_due = TRUE;
  return TRUE;
}

static guint
virtio_net_count_queues (gconstpointer config)
{
  return 2 * ((const VmmVirtioNetConfig *) config)->net->n_queues + 1;
}

static gboolean
virtio_net_realize (VmmVirtio *virtio, gconstpointer data, GError **error)
{
  VirtioNet *self = (VirtioNet *) virtio;
  const VmmVirtioNetConfig *config = data;

  self->net = config->net;
  memcpy (self->own_mac, config->mac, sizeof self->own_mac);
  self->reservation = g_new0 (NetReservation, 1);
  virtio_net_reset (virtio);
  vmm_net_connect (self->net, &card_class, self);
  return TRUE;
}

static void
virtio_net_unrealize (VmmVirtio *virtio)
{
  VirtioNet *self = (VirtioNet *) virtio;

  vmm_net_connect (self->net, NULL, NULL);
  g_free (self->reservation);
}

void
vmm_virtio_net_disconnect (VmmDevice *device)
{
  VirtioNet *self = (VirtioNet *) device;

  vmm_virtio_net_set_link (device, FALSE);
  vmm_net_connect (self->net, NULL, NULL);
  vmm_device_lock (device);
  vmm_net_none_init (&self->none, self->net);
  self->net = &self->none;
  vmm_device_unlock (device);
}

void
vmm_virtio_net_set_link (VmmDevice *device, gboolean up)
{
  VirtioNet *self = (VirtioNet *) device;

  vmm_device_lock (device);
  if (self->link_down == up) {
    self->link_down = !up;
    take_back (self);
    vmm_virtio_config_changed (&self->parent);
    if (up)
      vmm_virtio_look_again (&self->parent);
  }
  vmm_device_unlock (device);
}

gboolean
vmm_virtio_net_get_link (VmmDevice *device)
{
  VirtioNet *self = (VirtioNet *) device;
  gboolean up;

  vmm_device_lock (device);
  up = !self->link_down;
  vmm_device_unlock (device);
  return up;
}

void
vmm_virtio_net_get_counters (VmmDevice *device, guint64 *n_sent, guint64 *n_received)
{
  VirtioNet *self = (VirtioNet *) device;

  *n_sent = __atomic_load_n (&self->n_sent, __ATOMIC_RELAXED);
  *n_received = __atomic_load_n (&self->n_received, __ATOMIC_RELAXED);
}

const VmmVirtioClass vmm_virtio_net_class = {
  VMM_VIRTIO_PARENT (VirtioNet, "virtio-net", 1, virtio_net_fields),
  .virtio_id = VIRTIO_ID_NET,
  .class_code = CLASS_ETHERNET,
  .queue_size = NET_QUEUE_SIZE,
  .config_size = CONFIG_SIZE,
  .turn = TURN,
  .count_queues = virtio_net_count_queues,
  .realize = virtio_net_realize,
  .unrealize = virtio_net_unrealize,
  .get_features = virtio_net_get_features,
  .read_config = virtio_net_read_config,
  .process = virtio_net_process,
  .stop = virtio_net_stop,
  .reset = virtio_net_reset,
  .resumed = virtio_net_resumed,
  .loaded = virtio_net_loaded,
};
