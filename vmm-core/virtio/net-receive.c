/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-net: frames for the guest, put into its buffers where they lie; and which of them it
 * wants.
 *
 * Threads: loop, device locked.
 */
#include <string.h>

#include "net/net-protocol.h"
#include "virtio/virtio-net-private.h"

#define N_BUFFERS_OFFSET G_STRUCT_OFFSET (VmmNetHeader, num_buffers)
#define GROUP_BIT        0x01 /* in the first byte of an address */
#define VLAN_MASK        0x0fff

const VmmField net_filter_fields[] = {
  VMM_FIELD (NetFilter, promiscuous, VMM_FIELD_BOOL, "promiscuous"),
  VMM_FIELD (NetFilter, all_multicast, VMM_FIELD_BOOL, "all-multicast"),
  VMM_FIELD (NetFilter, all_unicast, VMM_FIELD_BOOL, "all-unicast"),
  VMM_FIELD (NetFilter, no_multicast, VMM_FIELD_BOOL, "no-multicast"),
  VMM_FIELD (NetFilter, no_unicast, VMM_FIELD_BOOL, "no-unicast"),
  VMM_FIELD (NetFilter, no_broadcast, VMM_FIELD_BOOL, "no-broadcast"),
  VMM_FIELD (NetFilter, n_unicast, VMM_FIELD_UINT32, "n-unicast"),
  VMM_FIELD (NetFilter, n_multicast, VMM_FIELD_UINT32, "n-multicast"),
  VMM_FIELD (NetFilter, macs, VMM_FIELD_BYTES, "macs"),
  VMM_FIELD (NetFilter, vlans, VMM_FIELD_BYTES, "vlans"),
  VMM_FIELD_LAST,
};

/* Until a driver asks for less, all frames are wanted: one that knows no control queue could not
 * ask for more. */
void
net_filter_reset (NetFilter *filter)
{
  *filter = (NetFilter) { .promiscuous = TRUE };
}

static gboolean
is_in_table (const NetFilter *filter, guint first, guint n, const guint8 *mac)
{
  for (guint i = first; i < first + n && i < NET_MAX_MACS; i++)
    if (memcmp (filter->macs[i], mac, VMM_NET_MAC_LENGTH) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
wants_address (const VirtioNet *self, const guint8 *mac)
{
  static const guint8 broadcast[VMM_NET_MAC_LENGTH] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
  const NetFilter *filter = &self->filter;

  if (memcmp (mac, broadcast, sizeof broadcast) == 0)
    return !filter->no_broadcast;
  if (mac[0] & GROUP_BIT)
    return !filter->no_multicast &&
           (filter->all_multicast ||
            is_in_table (filter, filter->n_unicast, filter->n_multicast, mac));
  return !filter->no_unicast &&
         (filter->all_unicast || memcmp (mac, self->mac, sizeof self->mac) == 0 ||
          is_in_table (filter, 0, filter->n_unicast, mac));
}

static gboolean
wants_vlan (VirtioNet *self, const guint8 *frame)
{
  guint tag;

  if ((frame[ETHER_TYPE] << 8 | frame[ETHER_TYPE + 1]) != ETHER_VLAN ||
      !vmm_virtio_has_feature (&self->parent, VIRTIO_NET_F_CTRL_VLAN))
    return TRUE;
  tag = (frame[ETHER_LENGTH] << 8 | frame[ETHER_LENGTH + 1]) & VLAN_MASK;
  return self->filter.vlans[tag / 8] >> tag % 8 & 1;
}

/* @length with the header; of the room that was given last. */
static gboolean
is_wanted (VirtioNet *self, gsize length)
{
  const NetReservation *room = self->reservation;
  guint8 frame[ETHER_LENGTH + ETHER_TAG_LENGTH] = { 0 };

  if (length < sizeof (VmmNetHeader) + VMM_NET_MIN_FRAME || length > room->given)
    return FALSE;
  vmm_iov_read (room->iov + room->first_iov, room->n_iov - room->first_iov, sizeof (VmmNetHeader),
                frame, MIN (sizeof frame, length - sizeof (VmmNetHeader)));
  return self->filter.promiscuous || (wants_address (self, frame) && wants_vlan (self, frame));
}

/* Unused buffers go back to the guest's ring, the last first. */
static void
give_back (VirtioNet *self)
{
  NetReservation *room = self->reservation;

  for (; room->n_heads > room->first_head; room->n_heads--)
    vmm_virtio_unpop (&self->parent, room->queue);
  room->first_head = room->n_heads = room->first_iov = room->n_iov = 0;
  room->size = 0;
}

void
net_settle (VirtioNet *self)
{
  give_back (self);
  for (guint i = 0; i < self->net->n_queues; i++)
    vmm_virtio_notify (&self->parent, NET_RECEIVE (i));
}

/* What is not used moves to the front. */
static void
make_space (NetReservation *room)
{
  guint n = room->n_heads - room->first_head;

  memmove (room->heads, room->heads + room->first_head, n * sizeof *room->heads);
  memmove (room->sizes, room->sizes + room->first_head, n * sizeof *room->sizes);
  memmove (room->counts, room->counts + room->first_head, n * sizeof *room->counts);
  room->first_head = 0;
  room->n_heads = n;
  n = room->n_iov - room->first_iov;
  memmove (room->iov, room->iov + room->first_iov, n * sizeof *room->iov);
  room->first_iov = 0;
  room->n_iov = n;
}

/* One more buffer; FALSE where the guest has none, or these are too many parts already. */
static gboolean
add_buffer (VirtioNet *self)
{
  NetReservation *room = self->reservation;
  VmmRequest request;
  gsize size;

  if (room->n_heads == NET_QUEUE_SIZE ||
      room->n_iov + VMM_VIRTQUEUE_MAX_SEGMENTS > G_N_ELEMENTS (room->iov))
    make_space (room);
  if (room->n_heads == NET_QUEUE_SIZE ||
      room->n_iov + VMM_VIRTQUEUE_MAX_SEGMENTS > G_N_ELEMENTS (room->iov) ||
      !vmm_virtio_pop (&self->parent, room->queue, &request))
    return FALSE;
  size = vmm_iov_size (request.in, request.n_in);
  room->heads[room->n_heads] = request.head;
  room->sizes[room->n_heads] = MIN (size, G_MAXUINT32);
  room->counts[room->n_heads++] = request.n_in;
  memcpy (room->iov + room->n_iov, request.in, request.n_in * sizeof *request.in);
  room->n_iov += request.n_in;
  room->size += size;
  return TRUE;
}

const struct iovec *
net_reserve (gpointer card, guint queue, gsize size, guint *n)
{
  VirtioNet *self = card;
  NetReservation *room = self->reservation;
  gboolean merge = vmm_virtio_has_feature (&self->parent, VIRTIO_NET_F_MRG_RXBUF);

  if (room->queue != NET_RECEIVE (queue))
    give_back (self);
  room->queue = NET_RECEIVE (queue);
  if (self->link_down || queue >= self->n_pairs)
    return NULL;
  while ((room->first_head == room->n_heads || (merge && room->size < size)) && add_buffer (self))
    ;
  if (room->first_head == room->n_heads || (merge && room->size < size))
    return NULL;
  *n = merge ? room->n_iov - room->first_iov : room->counts[room->first_head];
  room->given = merge ? room->size : room->sizes[room->first_head];
  return room->iov + room->first_iov;
}

void
net_commit (gpointer card, guint queue, gsize length)
{
  VirtioNet *self = card;
  NetReservation *room = self->reservation;
  guint32 written[NET_QUEUE_SIZE];
  const struct iovec *iov = room->iov + room->first_iov;
  guint n_iov = room->n_iov - room->first_iov, first = room->first_head;
  guint16 n = 0;

  if (!is_wanted (self, length))
    return;
  for (gsize left = length; left > 0; n++) {
    written[n] = MIN (left, room->sizes[first + n]);
    left -= written[n];
    room->size -= room->sizes[first + n];
    room->first_iov += room->counts[first + n];
  }
  vmm_iov_write (iov, n_iov, N_BUFFERS_OFFSET, &n, sizeof n);
  vmm_virtio_push_many (&self->parent, room->queue, room->heads + first, written, n);
  room->first_head += n;
  __atomic_add_fetch (&self->n_received, 1, __ATOMIC_RELAXED);
}
