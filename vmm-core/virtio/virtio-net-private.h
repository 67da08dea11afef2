/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-net inside: the device, its features and its life (virtio-net.c), what the guest sends
 * (net-transmit.c), what it is sent (net-receive.c), what it asks for (net-control.c).
 *
 * Threads: loop, device locked.
 */
#pragma once

#include "virtio/virtio-net.h"

G_BEGIN_DECLS

#define NET_QUEUE_SIZE 256
#define NET_MAX_MACS   64
#define NET_N_VLANS    4096

/* Queues come in pairs: receive, transmit; the last one is for control. */
#define NET_RECEIVE(pair)  (2 * (pair))
#define NET_TRANSMIT(pair) (2 * (pair) + 1)

/* Buffers of the guest that were taken for one frame and not yet given back. */
typedef struct {
  guint queue;
  guint n_heads, n_iov;
  gsize size;
  guint16 heads[NET_QUEUE_SIZE];
  guint32 sizes[NET_QUEUE_SIZE]; /* of each head */
  struct iovec iov[VMM_VIRTQUEUE_MAX_SEGMENTS];
} NetReservation;

/* Which frames the guest wants (5.1.6.5). */
typedef struct {
  gboolean promiscuous, all_multicast, all_unicast;
  gboolean no_multicast, no_unicast, no_broadcast;
  guint32 n_unicast, n_multicast; /* of the table; more than it holds: all of that kind */
  guint8 macs[NET_MAX_MACS][VMM_NET_MAC_LENGTH]; /* unicast ones first */
  guint8 vlans[NET_N_VLANS / 8];
} NetFilter;

typedef struct {
  VmmVirtio parent;
  VmmNet *net;
  guint8 own_mac[VMM_NET_MAC_LENGTH];
  guint8 mac[VMM_NET_MAC_LENGTH]; /* the driver may set another */
  gboolean link_down;
  gboolean announce;     /* the guest is asked to tell the network where it is */
  gboolean announce_due; /* when the machine goes on */
  guint32 n_pairs;       /* in use */
  NetFilter filter;
  guint told; /* VmmNetOffloads that the back end knows of */
  NetReservation *reservation;
  guint64 n_sent, n_received;
} VirtioNet;

extern const VmmField net_filter_fields[];

/* net-transmit.c */
void net_transmit (VirtioNet *self, guint pair);
/* net-receive.c: for VmmNetCardClass. */
const struct iovec *net_reserve (gpointer card, guint queue, gsize size, guint *n);
void net_commit (gpointer card, guint queue, gsize length);
void net_filter_reset (NetFilter *filter);
/* net-control.c */
void net_control (VirtioNet *self, guint index);

G_END_DECLS
