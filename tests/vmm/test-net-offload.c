/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Checksums and segmentation in software, held against the book's slow way.
 */
#include <netinet/in.h>
#include <string.h>

#include "fake-net.h"
#include "net/net-offload.h"

typedef struct {
  GPtrArray *frames; /* GBytes, without headers */
  VmmNetHeader last;
  guint left; /* how many it takes */
} Taker;

static gboolean
take (gpointer data, const struct iovec *iov, guint n)
{
  Taker *taker = data;
  GByteArray *bytes = g_byte_array_new ();

  g_assert_cmpuint (iov[0].iov_len, ==, sizeof taker->last);
  memcpy (&taker->last, iov[0].iov_base, sizeof taker->last);
  for (guint i = 1; i < n; i++)
    g_byte_array_append (bytes, iov[i].iov_base, iov[i].iov_len);
  g_ptr_array_add (taker->frames, g_byte_array_free_to_bytes (bytes));
  return --taker->left > 0;
}

static Taker
taker_new (guint left)
{
  return (Taker) { g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref), { 0 }, left };
}

static guint
gso_type (const FakeFrameKind *kind)
{
  if (kind->protocol == IPPROTO_UDP)
    return VIRTIO_NET_HDR_GSO_UDP_L4;
  return kind->version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
}

static VmmNetHeader
header_of (const FakeFrameKind *kind, const FakeFrame *frame, guint gso_size)
{
  return (VmmNetHeader) {
    .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
    .gso_type = gso_size ? gso_type (kind) : VIRTIO_NET_HDR_GSO_NONE,
    .gso_size = gso_size,
    .csum_start = frame->transport,
    .csum_offset = kind->protocol == IPPROTO_UDP ? 6 : 16,
  };
}

static const FakeFrameKind kinds[] = {
  { 4, IPPROTO_TCP, 0, 5000, FALSE }, { 4, IPPROTO_TCP, 1, 5001, TRUE },
  { 6, IPPROTO_TCP, 0, 4999, FALSE }, { 6, IPPROTO_TCP, 2, 4321, TRUE },
  { 4, IPPROTO_UDP, 0, 3001, TRUE },  { 6, IPPROTO_UDP, 0, 2500, FALSE },
  { 4, IPPROTO_TCP, 0, 1, FALSE },    { 4, IPPROTO_TCP, 0, 65483, FALSE },
};

static void
test_layout (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autofree FakeFrame *frame = fake_frame_new (&kinds[i]);
    VmmNetLayout layout;

    g_assert_true (vmm_net_layout (frame->bytes, frame->length, &layout));
    g_assert_cmpuint (layout.network, ==, frame->network);
    g_assert_cmpuint (layout.transport, ==, frame->transport);
    g_assert_cmpuint (layout.payload, ==, frame->payload);
    g_assert_cmpuint (layout.version, ==, kinds[i].version);
    g_assert_cmpuint (layout.protocol, ==, kinds[i].protocol);
    /* Whatever is cut off its end, nothing behind it is read. */
    for (gsize length = 0; length < frame->payload; length++) {
      g_autofree guint8 *part = g_memdup2 (frame->bytes, length);

      g_assert_false (vmm_net_layout (part, length, &layout));
    }
  }
}

static void
test_odd_frames (void)
{
  g_autofree FakeFrame *frame = fake_frame_new (&kinds[0]);
  static const struct {
    guint at;
    guint8 value;
  } spoilt[] = {
    { 12, 0x09 },                       /* no IP */
    { 14, 0x65 },                       /* IPv6 under IPv4's number */
    { 14, 0x44 },                       /* header too short */
    { 20, 0x20 },                       /* more fragments */
    { 21, 0x01 },                       /* not the first fragment */
    { 23, IPPROTO_ICMP }, { 46, 0x40 }, /* TCP header too short */
  };
  VmmNetLayout layout;

  for (guint i = 0; i < G_N_ELEMENTS (spoilt); i++) {
    g_autofree guint8 *bytes = g_memdup2 (frame->bytes, frame->length);

    bytes[spoilt[i].at] = spoilt[i].value;
    g_assert_false (vmm_net_layout (bytes, frame->length, &layout));
  }
}

static void
test_checksum (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autofree FakeFrame *frame = fake_frame_new (&kinds[i]);
    VmmNetHeader header = header_of (&kinds[i], frame, 0);
    Taker taker = taker_new (G_MAXUINT);

    g_assert_true (vmm_net_header_is_good (&header, frame->length, VMM_NET_CSUM));
    g_assert_true (vmm_net_resolve (&header, frame->bytes, frame->length, 0, take, &taker));
    g_assert_cmpuint (taker.frames->len, ==, 1);
    g_assert_cmpuint (taker.last.flags, ==, 0);
    fake_frame_check (frame->bytes, frame->length);
    g_ptr_array_unref (taker.frames);
  }
}

/* Nothing is done for one who does it himself. */
static void
test_passed_on (void)
{
  g_autofree FakeFrame *frame = fake_frame_new (&kinds[0]);
  g_autofree guint8 *before = g_memdup2 (frame->bytes, frame->length);
  VmmNetHeader header = header_of (&kinds[0], frame, 1000);
  Taker taker = taker_new (G_MAXUINT);

  vmm_net_resolve (&header, frame->bytes, frame->length, VMM_NET_ALL_OFFLOADS, take, &taker);
  g_assert_cmpuint (taker.frames->len, ==, 1);
  g_assert_cmpmem (&taker.last, sizeof taker.last, &header, sizeof header);
  g_assert_cmpmem (before, frame->length, frame->bytes, frame->length);
  g_ptr_array_unref (taker.frames);
}

static guint32
sequence_of (const guint8 *tcp)
{
  return (guint32) tcp[4] << 24 | tcp[5] << 16 | tcp[6] << 8 | tcp[7];
}

/* Of @whole, which was cut. */
static void
check_segments (const FakeFrameKind *kind,
                const FakeFrame *whole,
                guint gso_size,
                GPtrArray *frames)
{
  guint n = (kind->payload + gso_size - 1) / gso_size;
  gsize done = 0;

  g_assert_cmpuint (frames->len, ==, n);
  for (guint i = 0; i < n; i++) {
    gsize length;
    const guint8 *bytes = g_bytes_get_data (g_ptr_array_index (frames, i), &length);
    gsize payload = length - whole->payload;

    fake_frame_check (bytes, length);
    g_assert_cmpmem (bytes, 12, whole->bytes, 12);
    g_assert_cmpuint (payload, ==, MIN (gso_size, kind->payload - done));
    g_assert_cmpmem (bytes + whole->payload, payload, whole->bytes + whole->payload + done,
                     payload);
    if (kind->protocol == IPPROTO_TCP) {
      const guint8 *tcp = bytes + whole->transport;

      g_assert_cmpuint (sequence_of (tcp), ==, 0xffffff00 + (guint32) done);
      g_assert_cmpuint (tcp[13], ==, 0x10 | (i == 0 ? 0x80 : 0) | (i + 1 == n ? 0x09 : 0));
    }
    if (kind->version == 4)
      g_assert_cmpuint (bytes[whole->network + 4] << 8 | bytes[whole->network + 5], ==,
                        (0xfffe + i) & 0xffff);
    done += payload;
  }
  g_assert_cmpuint (done, ==, kind->payload);
}

static void
test_segments (void)
{
  static const guint sizes[] = { 1460, 1448, 500, 999, 65000 };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    for (guint k = 0; k < G_N_ELEMENTS (sizes); k++) {
      g_autofree FakeFrame *frame = fake_frame_new (&kinds[i]);
      VmmNetHeader header = header_of (&kinds[i], frame, sizes[k]);
      Taker taker = taker_new (G_MAXUINT);

      g_assert_true (vmm_net_header_is_good (&header, frame->length, VMM_NET_ALL_OFFLOADS));
      g_assert_true (vmm_net_resolve (&header, frame->bytes, frame->length, 0, take, &taker));
      check_segments (&kinds[i], frame, sizes[k], taker.frames);
      g_ptr_array_unref (taker.frames);
    }
}

/* A receiver of large segments that wants their checksums: one, made good. */
static void
test_whole_segment (void)
{
  g_autofree FakeFrame *frame = fake_frame_new (&kinds[1]);
  VmmNetHeader header = header_of (&kinds[1], frame, 1000);
  Taker taker = taker_new (G_MAXUINT);

  memset (frame->bytes + frame->network + 2, 0, 2); /* some leave the length out */
  vmm_net_resolve (&header, frame->bytes, frame->length, VMM_NET_TSO4, take, &taker);
  check_segments (&kinds[1], frame, kinds[1].payload, taker.frames);
  g_ptr_array_unref (taker.frames);
}

static void
test_stopped (void)
{
  g_autofree FakeFrame *frame = fake_frame_new (&kinds[0]);
  VmmNetHeader header = header_of (&kinds[0], frame, 1000);
  Taker taker = taker_new (2);

  g_assert_false (vmm_net_resolve (&header, frame->bytes, frame->length, 0, take, &taker));
  g_assert_cmpuint (taker.frames->len, ==, 2);
  g_ptr_array_unref (taker.frames);
}

static void
test_wrong_headers (void)
{
  const guint8 csum = VIRTIO_NET_HDR_F_NEEDS_CSUM;
  const struct {
    VmmNetHeader header;
    gsize length;
    guint offered;
  } wrong[] = {
    { { csum, 0, 0, 0, .csum_start = 0, .csum_offset = 0 }, 60, 0 }, /* was not offered */
    { { csum, 0, 0, 0, .csum_start = 59, .csum_offset = 0 }, 60, VMM_NET_ALL_OFFLOADS },
    { { csum, 0, 0, 0, .csum_start = 0, .csum_offset = 59 }, 60, VMM_NET_ALL_OFFLOADS },
    { { csum, 0, 0, 0, .csum_start = 65535, .csum_offset = 65535 }, 60, VMM_NET_ALL_OFFLOADS },
    { { csum, VIRTIO_NET_HDR_GSO_TCPV4, 0, 0, .csum_start = 34 }, 60, VMM_NET_ALL_OFFLOADS },
    { { 0, VIRTIO_NET_HDR_GSO_TCPV4, 0, 100 }, 60, VMM_NET_ALL_OFFLOADS }, /* no checksum */
    { { csum, VIRTIO_NET_HDR_GSO_TCPV4, 0, 100, .csum_start = 34 }, 60, VMM_NET_CSUM },
    { { csum, VIRTIO_NET_HDR_GSO_TCPV6, 0, 100 }, 60, VMM_NET_CSUM | VMM_NET_TSO4 },
    { { csum, VIRTIO_NET_HDR_GSO_UDP_L4, 0, 100 }, 60, VMM_NET_TCP_OFFLOADS },
    { { csum, VIRTIO_NET_HDR_GSO_UDP, 0, 100 }, 60, VMM_NET_ALL_OFFLOADS },
    { { csum, 2, 0, 100 }, 60, VMM_NET_ALL_OFFLOADS },
    { { csum, 0x7f, 0, 100 }, 60, VMM_NET_ALL_OFFLOADS },
    { { csum, VIRTIO_NET_HDR_GSO_ECN, 0, 100 }, 60, VMM_NET_ALL_OFFLOADS },
    { { csum, VIRTIO_NET_HDR_GSO_UDP_L4 | VIRTIO_NET_HDR_GSO_ECN, 0, 100 },
      60,
      VMM_NET_ALL_OFFLOADS },
    { { csum, VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN, 0, 100 },
      60,
      VMM_NET_CSUM | VMM_NET_TSO4 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_false (vmm_net_header_is_good (&wrong[i].header, wrong[i].length, wrong[i].offered));
}

/* What cannot be cut is lost, and nothing comes of it. */
static void
test_uncut (void)
{
  static const struct {
    guint gso_size, gso_type;
    guint kind;
  } uncut[] = {
    { 31, VIRTIO_NET_HDR_GSO_TCPV4, 7 },   /* more segments than anybody needs */
    { 1000, VIRTIO_NET_HDR_GSO_TCPV6, 0 }, /* of another kind than it says */
    { 1000, VIRTIO_NET_HDR_GSO_TCPV4, 2 },  { 1000, VIRTIO_NET_HDR_GSO_TCPV4, 4 },
    { 1000, VIRTIO_NET_HDR_GSO_UDP_L4, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (uncut); i++) {
    g_autofree FakeFrame *frame = fake_frame_new (&kinds[uncut[i].kind]);
    VmmNetHeader header = header_of (&kinds[uncut[i].kind], frame, uncut[i].gso_size);
    Taker taker = taker_new (G_MAXUINT);

    header.gso_type = uncut[i].gso_type;
    g_assert_true (vmm_net_resolve (&header, frame->bytes, frame->length, 0, take, &taker));
    g_assert_cmpuint (taker.frames->len, ==, 0);
    g_ptr_array_unref (taker.frames);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/net-offload/layout", test_layout);
  g_test_add_func ("/net-offload/odd-frames", test_odd_frames);
  g_test_add_func ("/net-offload/checksum", test_checksum);
  g_test_add_func ("/net-offload/passed-on", test_passed_on);
  g_test_add_func ("/net-offload/segments", test_segments);
  g_test_add_func ("/net-offload/whole-segment", test_whole_segment);
  g_test_add_func ("/net-offload/stopped", test_stopped);
  g_test_add_func ("/net-offload/wrong-headers", test_wrong_headers);
  g_test_add_func ("/net-offload/uncut", test_uncut);
  return g_test_run ();
}
