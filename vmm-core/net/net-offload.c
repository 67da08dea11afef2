/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See net-offload.h. No number of a frame is used before it is held against the frame's length.
 *
 * Threads: any.
 */
#include "net/net-offload.h"

#include <netinet/in.h>
#include <string.h>

#include "net/net-protocol.h"

#define MAX_HEADERS     512 /* bytes before the payload of a frame that we cut */
#define MAX_VLAN_TAGS   2
#define MAX_V6_OPTIONS  8
#define CHECKSUM_LENGTH 2

static guint
get16 (const guint8 *bytes)
{
  return bytes[0] << 8 | bytes[1];
}

static void
put16 (guint8 *bytes, guint value)
{
  bytes[0] = value >> 8;
  bytes[1] = value;
}

static guint32
get32 (const guint8 *bytes)
{
  return (guint32) get16 (bytes) << 16 | get16 (bytes + 2);
}

static void
put32 (guint8 *bytes, guint32 value)
{
  put16 (bytes, value >> 16);
  put16 (bytes + 2, value & 0xffff);
}

/* The sum is the same in either byte order, so it is taken in words of the host. */
guint64
vmm_net_sum (guint64 sum, const void *bytes, gsize length)
{
  const guint8 *at = bytes;
  guint16 last = 0;

  for (; length >= sizeof (guint32); at += sizeof (guint32), length -= sizeof (guint32)) {
    guint32 word;

    memcpy (&word, at, sizeof word);
    sum += word;
  }
  if (length >= sizeof last) {
    memcpy (&last, at, sizeof last);
    sum += last;
    at += sizeof last;
    length -= sizeof last;
  }
  last = 0;
  memcpy (&last, at, length);
  return sum + last;
}

guint16
vmm_net_fold (guint64 sum)
{
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

/* Behind the Ethernet header and its tags; returns the type. */
static guint
skip_ethernet (const guint8 *frame, gsize length, guint *offset)
{
  guint at = ETHER_TYPE, type;

  if (length < ETHER_LENGTH)
    return 0;
  type = get16 (frame + at);
  for (guint i = 0; i < MAX_VLAN_TAGS && (type == ETHER_VLAN || type == ETHER_SERVICE_VLAN); i++) {
    at += ETHER_TAG_LENGTH;
    if (at + 2 > length)
      return 0;
    type = get16 (frame + at);
  }
  *offset = at + 2;
  return type;
}

static gboolean
layout_ip4 (const guint8 *frame, gsize length, VmmNetLayout *layout)
{
  const guint8 *ip = frame + layout->network;
  guint header;

  if (layout->network + IP4_LENGTH > length || ip[0] >> 4 != 4)
    return FALSE;
  header = (ip[0] & 0xf) * 4;
  if (header < IP4_LENGTH || layout->network + header > length ||
      (get16 (ip + IP4_FRAGMENT) & (IP4_MORE | IP4_OFFSET_MASK)))
    return FALSE;
  layout->version = 4;
  layout->protocol = ip[IP4_PROTOCOL];
  layout->transport = layout->network + header;
  return TRUE;
}

static gboolean
layout_ip6 (const guint8 *frame, gsize length, VmmNetLayout *layout)
{
  guint at = layout->network + IP6_LENGTH;
  guint8 next;

  if (at > length || frame[layout->network] >> 4 != 6)
    return FALSE;
  next = frame[layout->network + IP6_NEXT];
  for (guint i = 0; i < MAX_V6_OPTIONS &&
                    (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS);
       i++) {
    if (at + IP6_OPTION_UNIT > length)
      return FALSE;
    next = frame[at];
    at += (frame[at + 1] + 1) * IP6_OPTION_UNIT;
  }
  layout->version = 6;
  layout->protocol = next;
  layout->transport = at;
  return TRUE;
}

gboolean
vmm_net_layout (const guint8 *frame, gsize length, VmmNetLayout *layout)
{
  guint type = skip_ethernet (frame, length, &layout->network);
  guint header = UDP_LENGTH;

  if (type == ETHER_IP4 ? !layout_ip4 (frame, length, layout)
                        : type != ETHER_IP6 || !layout_ip6 (frame, length, layout))
    return FALSE;
  if (layout->protocol == IPPROTO_TCP) {
    if (layout->transport + TCP_LENGTH > length)
      return FALSE;
    header = (frame[layout->transport + TCP_DATA_OFFSET] >> 4) * 4;
    if (header < TCP_LENGTH)
      return FALSE;
  } else if (layout->protocol != IPPROTO_UDP) {
    return FALSE;
  }
  layout->payload = layout->transport + header;
  return layout->payload <= length;
}

/* The offload that a kind of segmentation needs; 0 where there is no such kind. */
static guint
offload_of (guint8 gso_type)
{
  guint ecn = gso_type & VIRTIO_NET_HDR_GSO_ECN ? VMM_NET_ECN : 0;

  switch (gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
  case VIRTIO_NET_HDR_GSO_TCPV4:
    return VMM_NET_TSO4 | ecn;
  case VIRTIO_NET_HDR_GSO_TCPV6:
    return VMM_NET_TSO6 | ecn;
  case VIRTIO_NET_HDR_GSO_UDP_L4:
    return ecn ? 0 : VMM_NET_USO;
  default:
    return 0;
  }
}

gboolean
vmm_net_header_is_good (const VmmNetHeader *header, gsize length, guint offered)
{
  gboolean needs_csum = header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
  guint offload;

  if (needs_csum && (!(offered & VMM_NET_CSUM) ||
                     (gsize) header->csum_start + header->csum_offset + CHECKSUM_LENGTH > length))
    return FALSE;
  if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE)
    return TRUE;
  offload = offload_of (header->gso_type);
  return offload != 0 && !(offload & ~offered) && needs_csum && header->gso_size > 0;
}

guint64
vmm_net_pseudo_sum (const guint8 *frame, const VmmNetLayout *layout, gsize length)
{
  const guint8 *ip = frame + layout->network;
  guint64 sum = g_htonl (length) + (guint64) g_htons (layout->protocol);

  if (layout->version == 4)
    return vmm_net_sum (sum, ip + IP4_SOURCE, 2 * IP4_ADDRESS_LENGTH);
  return vmm_net_sum (sum, ip + IP6_SOURCE, 2 * IP6_ADDRESS_LENGTH);
}

/* UDP says "no checksum" by 0, so a sum that is 0 is written the other way. */
static guint16
finish_checksum (guint64 sum)
{
  guint16 checksum = ~vmm_net_fold (sum);

  return checksum ? checksum : 0xffff;
}

void
vmm_net_complete (const VmmNetHeader *header, guint8 *frame, gsize length)
{
  guint16 checksum;

  if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
    return;
  checksum =
    finish_checksum (vmm_net_sum (0, frame + header->csum_start, length - header->csum_start));
  memcpy (frame + header->csum_start + header->csum_offset, &checksum, sizeof checksum);
}

/* One frame that is cut into segments. */
typedef struct {
  VmmNetLayout layout;
  const guint8 *frame;
  gsize length;
  guint gso_size;
  guint8 headers[MAX_HEADERS]; /* of the segment at hand */
} Cut;

static void
fix_network (Cut *self, guint number, gsize transport_length)
{
  guint8 *ip = self->headers + self->layout.network;
  gsize length = self->layout.transport - self->layout.network + transport_length;
  guint16 checksum;

  if (self->layout.version == 6) {
    put16 (ip + IP6_PAYLOAD_LENGTH, length - IP6_LENGTH);
    return;
  }
  put16 (ip + IP4_TOTAL_LENGTH, length);
  put16 (ip + IP4_ID, get16 (ip + IP4_ID) + number);
  put16 (ip + IP4_CHECKSUM, 0);
  checksum = ~vmm_net_fold (vmm_net_sum (0, ip, self->layout.transport - self->layout.network));
  memcpy (ip + IP4_CHECKSUM, &checksum, sizeof checksum);
}

/* Returns where the checksum is. */
static guint8 *
fix_transport (Cut *self, guint number, gboolean last, gsize transport_length)
{
  guint8 *transport = self->headers + self->layout.transport;

  if (self->layout.protocol == IPPROTO_UDP) {
    put16 (transport + UDP_TOTAL_LENGTH, transport_length);
    return transport + UDP_CHECKSUM;
  }
  put32 (transport + TCP_SEQUENCE, get32 (transport + TCP_SEQUENCE) + number * self->gso_size);
  if (number > 0) /* the first one told of the congestion */
    transport[TCP_FLAGS] &= ~TCP_CWR;
  if (!last)
    transport[TCP_FLAGS] &= ~(TCP_FIN | TCP_PUSH);
  return transport + TCP_CHECKSUM;
}

static gboolean
cut_one (Cut *self, guint number, VmmNetFrameFunc func, gpointer data)
{
  gsize offset = self->layout.payload + (gsize) number * self->gso_size;
  gsize payload = MIN (self->gso_size, self->length - offset);
  guint headers = self->layout.payload, transport = self->layout.transport;
  gsize transport_length = headers - transport + payload;
  VmmNetHeader header = { .gso_type = VIRTIO_NET_HDR_GSO_NONE };
  struct iovec iov[] = { { &header, sizeof header },
                         { self->headers, headers },
                         { (guint8 *) self->frame + offset, payload } };
  guint8 *checksum_at;
  guint16 checksum = 0;
  guint64 sum;

  memcpy (self->headers, self->frame, headers);
  fix_network (self, number, transport_length);
  checksum_at = fix_transport (self, number, offset + payload == self->length, transport_length);
  memcpy (checksum_at, &checksum, sizeof checksum);
  sum = vmm_net_pseudo_sum (self->headers, &self->layout, transport_length);
  sum = vmm_net_sum (sum, self->headers + transport, headers - transport);
  checksum = finish_checksum (vmm_net_sum (sum, self->frame + offset, payload));
  memcpy (checksum_at, &checksum, sizeof checksum);
  return func (data, iov, G_N_ELEMENTS (iov));
}

/* Whether the frame is of the kind that its header says, and can be cut. */
static gboolean
can_be_cut (const Cut *self, guint8 gso_type)
{
  const VmmNetLayout *layout = &self->layout;
  gsize payload = self->length - layout->payload;

  if (layout->payload > MAX_HEADERS || payload == 0 ||
      payload > (gsize) self->gso_size * VMM_NET_MAX_SEGMENTS)
    return FALSE;
  switch (gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
  case VIRTIO_NET_HDR_GSO_TCPV4:
    return layout->version == 4 && layout->protocol == IPPROTO_TCP;
  case VIRTIO_NET_HDR_GSO_TCPV6:
    return layout->version == 6 && layout->protocol == IPPROTO_TCP;
  default:
    return layout->protocol == IPPROTO_UDP;
  }
}

static gboolean
cut_all (const VmmNetHeader *header,
         const guint8 *frame,
         gsize length,
         VmmNetFrameFunc func,
         gpointer data)
{
  Cut cut = { .frame = frame, .length = length, .gso_size = header->gso_size };
  guint n;

  if (!vmm_net_layout (frame, length, &cut.layout) || !can_be_cut (&cut, header->gso_type))
    return TRUE;
  n = (length - cut.layout.payload + cut.gso_size - 1) / cut.gso_size;
  for (guint i = 0; i < n; i++)
    if (!cut_one (&cut, i, func, data))
      return FALSE;
  return TRUE;
}

gboolean
vmm_net_resolve (const VmmNetHeader *header,
                 guint8 *frame,
                 gsize length,
                 guint taken,
                 VmmNetFrameFunc func,
                 gpointer data)
{
  VmmNetHeader rest = *header;
  struct iovec iov[] = { { &rest, sizeof rest }, { frame, length } };
  gboolean cut = header->gso_type != VIRTIO_NET_HDR_GSO_NONE;
  gboolean whole = cut && !(offload_of (header->gso_type) & ~taken);

  if (cut && !(whole && (taken & VMM_NET_CSUM))) {
    if (whole) /* in one segment, which only has its headers and checksum made good */
      rest.gso_size = G_MAXUINT16;
    return cut_all (&rest, frame, length, func, data);
  }
  if (!(taken & VMM_NET_CSUM)) {
    vmm_net_complete (header, frame, length);
    rest = (VmmNetHeader) { .gso_type = VIRTIO_NET_HDR_GSO_NONE };
  }
  return func (data, iov, G_N_ELEMENTS (iov));
}
