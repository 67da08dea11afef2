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

/* Buffers of the guest that were taken off a queue for frames, in their order. What a frame does
 * not use stays for the next one, until the device is left. */
typedef struct {
  guint queue;
  guint first_head, n_heads; /* the first that is not used, and the end */
  guint first_iov, n_iov;    /* likewise */
  gsize size;                /* of those that are not used */
  gsize given;               /* of what the back end has in hand */
  guint16 heads[NET_QUEUE_SIZE];
  guint32 sizes[NET_QUEUE_SIZE];  /* of each head */
  guint16 counts[NET_QUEUE_SIZE]; /* of its vectors */
  struct iovec iov[2 * VMM_VIRTQUEUE_MAX_SEGMENTS];
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
  VmmNet none; /* what @net is once it was lost */
  guint8 own_mac[VMM_NET_MAC_LENGTH];
  guint8 mac[VMM_NET_MAC_LENGTH]; /* the driver may set another */
  gboolean link_down;
  gboolean announce;     /* the guest is asked to tell the network where it is */
  gboolean announce_due; /* when the machine goes on */
  guint32 n_pairs;       /* in use */
  NetFilter filter;
  guint told_taken, told_pairs; /* what the back end knows */
  NetReservation *reservation;
  guint lent;     /* pairs that the back end serves, a bit each */
  gboolean alone; /* it does not want any */
  guint64 n_sent, n_received;
} VirtioNet;

extern const VmmField net_filter_fields[];

/* net-transmit.c */
void net_transmit (VirtioNet *self, guint pair);
/* net-receive.c: for VmmNetCardClass. */
const struct iovec *net_reserve (gpointer card, guint queue, gsize size, guint *n);
void net_commit (gpointer card, guint queue, gsize length);
/* No more frames for now: unused buffers go back, and the guest hears of the used ones. */
void net_settle (VirtioNet *self);
void net_filter_reset (NetFilter *filter);
/* net-control.c */
void net_control (VirtioNet *self, guint index);

G_END_DECLS
