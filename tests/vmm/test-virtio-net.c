/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The network card over a back end that takes notes.
 */
#include <netinet/in.h>
#include <string.h>

#include "fake-guest.h"
#include "fake-net.h"
#include "virtio/virtio-net.h"

#define RECEIVE  0
#define TRANSMIT 1
#define CONTROL  2

#define HEADER         sizeof (VmmNetHeader)
#define BIT(number)    (G_GUINT64_CONSTANT (1) << (number))
#define NO_MERGE       GINT_TO_POINTER (1)
#define CONFIG_MESSAGE 0

static const guint8 own_mac[] = { 0x02, 0, 0, 0, 0, 1 };

typedef struct {
  FakeGuest *guest;
  FakeNet *net;
  VmmDevice *device;
  FakeDriver *driver;
} Fixture;

static VmmDevice *
card_new (FakeGuest *guest, FakeNet *net)
{
  VmmVirtioNetConfig config = { .net = &net->net };
  VmmDevice *device;

  memcpy (config.mac, own_mac, sizeof own_mac);
  device = vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_net_class), &guest->board, "net0",
                           &config, NULL);
  g_assert_nonnull (device);
  return device;
}

static guint64
usual_features (void)
{
  return BIT (VIRTIO_NET_F_CSUM) | BIT (VIRTIO_NET_F_GUEST_CSUM) | BIT (VIRTIO_NET_F_HOST_TSO4) |
         BIT (VIRTIO_NET_F_GUEST_TSO4) | BIT (VIRTIO_NET_F_MRG_RXBUF) | BIT (VIRTIO_NET_F_STATUS) |
         BIT (VIRTIO_NET_F_MAC) | BIT (VIRTIO_NET_F_CTRL_VQ) | BIT (VIRTIO_NET_F_CTRL_RX) |
         BIT (VIRTIO_NET_F_CTRL_VLAN) | BIT (VIRTIO_NET_F_GUEST_ANNOUNCE);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  guint64 features = usual_features ();

  if (data == NO_MERGE)
    features &= ~BIT (VIRTIO_NET_F_MRG_RXBUF);
  f->guest = fake_guest_new ();
  f->net = fake_net_new (f->guest->loop, VMM_NET_ALL_OFFLOADS);
  f->device = card_new (f->guest, f->net);
  f->driver = fake_driver_new (f->guest, f->device, features);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_driver_free (f->driver);
  vmm_device_free (f->device);
  vmm_net_free (&f->net->net);
  fake_guest_free (f->guest);
}

static FakeBuffer
put (Fixture *f, gconstpointer bytes, gsize length)
{
  FakeBuffer buffer = { fake_guest_alloc (f->guest, length + 1), length };

  memcpy (fake_guest_at (f->guest, buffer.address, length + 1), bytes, length);
  return buffer;
}

/* A header without wishes and a frame of @length bytes to @mac. */
static guint8 *
make_frame (const guint8 *mac, gsize length)
{
  guint8 *bytes = g_malloc0 (HEADER + length);

  for (gsize i = 0; i < length; i++)
    bytes[HEADER + i] = i % 251;
  memcpy (bytes + HEADER, mac, 6);
  bytes[HEADER + 12] = 0x08;
  bytes[HEADER + 13] = 0x00;
  return bytes;
}

static GBytes *
sent (Fixture *f, guint number)
{
  fake_guest_settle (f->guest);
  g_assert_cmpuint (f->net->sent->len, >, number);
  return g_ptr_array_index (f->net->sent, number);
}

static void
test_features (Fixture *f, gconstpointer data)
{
  guint64 own = BIT (32) | BIT (28) | BIT (29) | BIT (VIRTIO_NET_F_MAC) |
                BIT (VIRTIO_NET_F_STATUS) | BIT (VIRTIO_NET_F_MRG_RXBUF) |
                BIT (VIRTIO_NET_F_CTRL_VQ) | BIT (VIRTIO_NET_F_CTRL_RX) |
                BIT (VIRTIO_NET_F_CTRL_RX_EXTRA) | BIT (VIRTIO_NET_F_CTRL_VLAN) |
                BIT (VIRTIO_NET_F_CTRL_MAC_ADDR) | BIT (VIRTIO_NET_F_GUEST_ANNOUNCE);
  FakeNet *plain = fake_net_new (f->guest->loop, 0);
  VmmDevice *card;
  g_autoptr (FakeDriver) driver = NULL;

  plain->net.mtu = 9000;
  card = card_new (f->guest, plain);
  driver = fake_driver_new (f->guest, card, 0);
  g_assert_cmphex (fake_driver_get_features (driver), ==, own | BIT (VIRTIO_NET_F_MTU));
  g_assert_cmpuint (fake_driver_read (driver, driver->config + 10, 2), ==, 9000);
  g_assert_cmpuint (plain->taken, ==, 0);
  vmm_device_free (card);
  vmm_net_free (&plain->net);

  own |= BIT (VIRTIO_NET_F_CSUM) | BIT (VIRTIO_NET_F_GUEST_CSUM) | BIT (VIRTIO_NET_F_HOST_TSO4) |
         BIT (VIRTIO_NET_F_HOST_TSO6) | BIT (VIRTIO_NET_F_HOST_ECN) |
         BIT (VIRTIO_NET_F_GUEST_TSO4) | BIT (VIRTIO_NET_F_GUEST_TSO6) |
         BIT (VIRTIO_NET_F_GUEST_ECN) | BIT (VIRTIO_NET_F_HOST_USO) |
         BIT (VIRTIO_NET_F_GUEST_USO4) | BIT (VIRTIO_NET_F_GUEST_USO6);
  g_assert_cmphex (fake_driver_get_features (f->driver), ==, own);
  for (guint i = 0; i < 6; i++)
    g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + i, 1), ==, own_mac[i]);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 6, 2), ==, 1);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 8, 2), ==, 1);
  /* The back end knows what this driver takes. */
  g_assert_cmphex (f->net->taken, ==, VMM_NET_CSUM | VMM_NET_TSO4);
}

/* Segments without checksums are nothing that a driver can want. */
static void
test_taken (Fixture *f, gconstpointer data)
{
  fake_driver_free (f->driver);
  f->driver = fake_driver_new (f->guest, f->device, BIT (VIRTIO_NET_F_GUEST_TSO4));
  fake_guest_settle (f->guest);
  g_assert_cmphex (f->net->taken, ==, 0);
}

static void
test_transmit (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *bytes = make_frame (own_mac, 300);
  FakeBuffer parts[] = { put (f, bytes, 5), put (f, bytes + 5, 20), put (f, bytes + 25, 287) };
  GBytes *got;

  g_assert_cmpuint (fake_driver_call (f->driver, TRANSMIT, parts, 3, NULL, 0), ==, 0);
  got = sent (f, 0);
  g_assert_cmpmem (g_bytes_get_data (got, NULL), g_bytes_get_size (got), bytes, HEADER + 300);
  g_assert_cmpuint (f->net->sent->len, ==, 1);
  g_assert_cmpuint (f->net->n_flushed, >, 0);
}

/* What cannot go now goes later, once and in order. */
static void
test_blocked (Fixture *f, gconstpointer data)
{
  guint32 head, written;

  f->net->blocked = TRUE;
  for (guint i = 0; i < 3; i++) {
    g_autofree guint8 *bytes = make_frame (own_mac, 100 + i);
    FakeBuffer buffer = put (f, bytes, HEADER + 100 + i);

    fake_driver_send (f->driver, TRANSMIT, &buffer, 1, NULL, 0);
  }
  fake_guest_settle (f->guest);
  g_assert_false (fake_driver_take_used (f->driver, TRANSMIT, &head, &written));
  vmm_device_drain (f->device); /* nothing is under way meanwhile */
  vmm_device_resume (f->device);
  fake_net_unblock (f->net);
  fake_guest_settle (f->guest);
  g_assert_cmpuint (f->net->sent->len, ==, 3);
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpuint (g_bytes_get_size (sent (f, i)), ==, HEADER + 100 + i);
    g_assert_true (fake_driver_take_used (f->driver, TRANSMIT, &head, &written));
  }
}

/* Frames that make no sense are lost; the next one is not. */
static void
test_lost_frames (Fixture *f, gconstpointer data)
{
  static const VmmNetHeader headers[] = {
    { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4 },
    { .flags = 1, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 0, .csum_start = 34 },
    { .flags = 1, .csum_start = 0xffff, .csum_offset = 0xffff },
    { .flags = 1, .csum_start = 99, .csum_offset = 0 },
    { .flags = 1, .gso_type = 9, .gso_size = 100 },
  };
  g_autofree guint8 *bytes = make_frame (own_mac, 100);
  FakeBuffer good = put (f, bytes, HEADER + 100), bad;

  for (guint i = 0; i < G_N_ELEMENTS (headers); i++) {
    memcpy (bytes, &headers[i], HEADER);
    bad = put (f, bytes, HEADER + 100);
    fake_driver_call (f->driver, TRANSMIT, &bad, 1, NULL, 0);
  }
  bad = put (f, bytes, HEADER + 13); /* too short for Ethernet */
  fake_driver_call (f->driver, TRANSMIT, &bad, 1, NULL, 0);
  bad = (FakeBuffer) { fake_guest_alloc (f->guest, 70000), 70000 };
  fake_driver_call (f->driver, TRANSMIT, &bad, 1, NULL, 0);
  fake_driver_call (f->driver, TRANSMIT, &good, 1, NULL, 0);
  fake_guest_settle (f->guest);
  g_assert_cmpuint (f->net->sent->len, ==, 1);
}

static void
test_no_header (Fixture *f, gconstpointer data)
{
  FakeBuffer buffer = { fake_guest_alloc (f->guest, 16), HEADER - 1 };

  fake_driver_send (f->driver, TRANSMIT, &buffer, 1, NULL, 0);
  fake_driver_check_broken (f->driver, "frame without a header");
}

/* @n buffers of @size bytes each. */
static guint64
offer (Fixture *f, guint n, gsize size)
{
  guint64 address = fake_guest_alloc (f->guest, n * size);

  for (guint i = 0; i < n; i++) {
    FakeBuffer buffer = { address + i * size, size };

    fake_driver_send (f->driver, RECEIVE, NULL, 0, &buffer, 1);
  }
  fake_guest_settle (f->guest);
  return address;
}

static void
test_receive (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *bytes = make_frame (own_mac, 100);
  guint64 address = offer (f, 2, 256);
  guint32 head, written;
  guint16 n;

  g_assert_true (fake_net_give (f->net, 0, bytes, HEADER + 100));
  g_assert_true (fake_driver_take_used (f->driver, RECEIVE, &head, &written));
  g_assert_cmpuint (written, ==, HEADER + 100);
  g_assert_false (fake_driver_take_used (f->driver, RECEIVE, &head, &written));
  memcpy (&n, fake_guest_at (f->guest, address + 10, 2), 2);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpmem (fake_guest_at (f->guest, address + HEADER, 100), 100, bytes + HEADER, 100);
  g_assert_cmpuint (fake_guest_take_message (f->guest, RECEIVE + 1), ==, 1);
  /* The second buffer is still the guest's to lose. */
  g_assert_true (fake_net_give (f->net, 0, bytes, HEADER + 100));
  g_assert_false (fake_net_give (f->net, 0, bytes, HEADER + 100));
  g_assert_true (fake_driver_take_used (f->driver, RECEIVE, &head, &written));
  /* And more room is heard of. */
  n = f->net->n_rooms;
  offer (f, 1, 256);
  g_assert_cmpuint (f->net->n_rooms, >, n);
  g_assert_true (fake_net_give (f->net, 0, bytes, HEADER + 100));
}

static void
test_merge (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *bytes = make_frame (own_mac, 1000), *got = g_malloc (HEADER + 1000);
  guint64 address = offer (f, 5, 300);
  guint32 head, written, at = 0;
  guint16 n;

  g_assert_true (fake_net_give (f->net, 0, bytes, HEADER + 1000));
  memcpy (&n, fake_guest_at (f->guest, address + 10, 2), 2);
  g_assert_cmpuint (n, ==, 4);
  for (guint i = 0; i < n; i++) {
    g_assert_true (fake_driver_take_used (f->driver, RECEIVE, &head, &written));
    g_assert_cmpuint (written, ==, i < 3 ? 300 : 112);
    memcpy (got + at, fake_guest_at (f->guest, address + 300 * i, written), written);
    at += written;
  }
  g_assert_cmpmem (got + HEADER, 1000, bytes + HEADER, 1000);
  g_assert_false (fake_driver_take_used (f->driver, RECEIVE, &head, &written));
  /* One is left, which is too little for this and enough for less. */
  g_assert_false (fake_net_give (f->net, 0, bytes, HEADER + 1000));
  g_assert_true (fake_net_give (f->net, 0, bytes, HEADER + 100));
  g_assert_true (fake_driver_take_used (f->driver, RECEIVE, &head, &written));
}

/* A driver of one buffer a frame loses what does not fit. */
static void
test_no_merge (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *bytes = make_frame (own_mac, 1000);
  guint32 head, written;

  offer (f, 3, 300);
  g_assert_true (fake_net_give (f->net, 0, bytes, HEADER + 1000));
  g_assert_false (fake_driver_take_used (f->driver, RECEIVE, &head, &written));
  g_assert_true (fake_net_give (f->net, 0, bytes, HEADER + 200));
  g_assert_true (fake_driver_take_used (f->driver, RECEIVE, &head, &written));
  g_assert_cmpuint (written, ==, HEADER + 200);
  g_assert_false (fake_driver_take_used (f->driver, RECEIVE, &head, &written));
}

/* Buffers without a byte, or all in crumbs: no frame, no harm. */
static void
test_crumbs (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *bytes = make_frame (own_mac, 100);
  FakeBuffer none = { fake_guest_alloc (f->guest, 64), 0 };
  guint32 head, written;

  fake_driver_send (f->driver, RECEIVE, NULL, 0, &none, 1);
  for (guint i = 0; i < 14; i++)
    offer (f, 1, 1);
  g_assert_false (fake_net_give (f->net, 0, bytes, HEADER + 100));
  offer (f, 1, 200);
  g_assert_true (fake_net_give (f->net, 0, bytes, HEADER + 100));
  for (guint i = 0; i < 16; i++)
    g_assert_true (fake_driver_take_used (f->driver, RECEIVE, &head, &written));
}

/* One byte more to read than there is memory. */
static void
test_wrong_buffer (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *bytes = make_frame (own_mac, 100);
  FakeBuffer buffer = { FAKE_MEMORY - 255, 256 };

  fake_driver_send (f->driver, RECEIVE, NULL, 0, &buffer, 1);
  fake_guest_settle (f->guest);
  g_assert_false (fake_net_give (f->net, 0, bytes, HEADER + 100));
  fake_driver_check_broken (f->driver, "outside its memory");
}

/* The answer of the control queue. */
static guint8
control (Fixture *f, gconstpointer bytes, gsize length)
{
  FakeBuffer out = put (f, bytes, length), in = put (f, "\xff", 1);
  guint32 written = fake_driver_call (f->driver, CONTROL, &out, 1, &in, 1);

  g_assert_cmpuint (written, ==, 1);
  return *(guint8 *) fake_guest_at (f->guest, in.address, 1);
}

#define CONTROL_WORD(f, text) control (f, text, sizeof (text) - 1)

static gboolean
arrives (Fixture *f, const guint8 *mac, guint vlan)
{
  g_autofree guint8 *bytes = make_frame (mac, 100);
  guint32 head, written;
  gboolean came;

  if (vlan) {
    const guint8 tag[] = { 0x81, 0, vlan >> 8, vlan };

    memcpy (bytes + HEADER + 12, tag, sizeof tag);
  }
  offer (f, 1, 256);
  g_assert_true (fake_net_give (f->net, 0, bytes, HEADER + 100));
  came = fake_driver_take_used (f->driver, RECEIVE, &head, &written);
  if (!came) { /* the buffer is still there */
    memcpy (bytes + HEADER, own_mac, 6);
    memset (bytes + HEADER + 12, 0, 4);
    g_assert_true (fake_net_give (f->net, 0, bytes, HEADER + 100));
    g_assert_true (fake_driver_take_used (f->driver, RECEIVE, &head, &written));
  }
  return came;
}

static void
test_filter (Fixture *f, gconstpointer data)
{
  static const guint8 other[] = { 0x02, 0, 0, 0, 0, 2 },
                      broadcast[] = { 255, 255, 255, 255, 255, 255 };
  static const guint8 group[] = { 0x33, 0x33, 0, 0, 0, 1 };

  /* At first, all. */
  g_assert_true (arrives (f, other, 0));
  g_assert_cmpuint (CONTROL_WORD (f, "\0\0\0"), ==, VIRTIO_NET_OK);
  g_assert_true (arrives (f, own_mac, 0));
  g_assert_true (arrives (f, broadcast, 0));
  g_assert_false (arrives (f, other, 0));
  g_assert_false (arrives (f, group, 0));
  /* The table: one of each kind. */
  g_assert_cmpuint (CONTROL_WORD (f, "\1\0\1\0\0\0\2\0\0\0\0\2\1\0\0\0\x33\x33\0\0\0\1"), ==,
                    VIRTIO_NET_OK);
  g_assert_true (arrives (f, other, 0));
  g_assert_true (arrives (f, group, 0));
  g_assert_cmpuint (CONTROL_WORD (f, "\1\0\0\0\0\0\0\0\0\0"), ==, VIRTIO_NET_OK);
  g_assert_false (arrives (f, other, 0));
  g_assert_false (arrives (f, group, 0));
  /* All of a kind, none of a kind. */
  g_assert_cmpuint (CONTROL_WORD (f, "\0\1\1"), ==, VIRTIO_NET_OK);
  g_assert_true (arrives (f, group, 0));
  g_assert_cmpuint (CONTROL_WORD (f, "\0\3\1"), ==, VIRTIO_NET_OK);
  g_assert_false (arrives (f, group, 0));
  g_assert_cmpuint (CONTROL_WORD (f, "\0\2\1"), ==, VIRTIO_NET_OK);
  g_assert_true (arrives (f, other, 0));
  g_assert_cmpuint (CONTROL_WORD (f, "\0\5\1"), ==, VIRTIO_NET_OK);
  g_assert_false (arrives (f, broadcast, 0));
  /* Networks by their tags. */
  g_assert_false (arrives (f, own_mac, 0x123));
  g_assert_cmpuint (CONTROL_WORD (f, "\2\0\x23\1"), ==, VIRTIO_NET_OK);
  g_assert_true (arrives (f, own_mac, 0x123));
  g_assert_false (arrives (f, own_mac, 0x124));
  g_assert_cmpuint (CONTROL_WORD (f, "\2\1\x23\1"), ==, VIRTIO_NET_OK);
  g_assert_false (arrives (f, own_mac, 0x123));
}

/* A table with more addresses than we keep: then all of that kind. */
static void
test_large_table (Fixture *f, gconstpointer data)
{
  static const guint8 group[] = { 0x33, 0x33, 0, 0, 0, 1 };
  g_autofree guint8 *command = g_malloc0 (2 + 4 + 4 + 100 * 6);

  CONTROL_WORD (f, "\0\0\0");
  command[0] = 1;
  command[6] = 100;
  g_assert_cmpuint (control (f, command, 2 + 4 + 4 + 100 * 6), ==, VIRTIO_NET_OK);
  g_assert_true (arrives (f, group, 0));
}

static void
test_wrong_commands (Fixture *f, gconstpointer data)
{
  static const struct {
    const char *bytes;
    gsize length;
  } wrong[] = {
    { "", 0 },
    { "\0", 1 },
    { "\0\0", 2 },             /* no value */
    { "\0\6\1", 3 },           /* no such mode */
    { "\x63\0\1", 3 },         /* no such class */
    { "\1\0\1\0\0\0", 6 },     /* a table cut short */
    { "\1\0\1\0\0\0\2\0", 8 }, /* within an address */
    { "\1\0\xff\xff\xff\xff", 6 },
    { "\1\0\xff\xff\xff\xff\xff\xff\xff\xff", 10 },
    { "\1\1\2\0\0\0\0", 7 },
    { "\1\2\2\0\0\0\0\1", 8 },
    { "\2\0\1", 3 },
    { "\2\0\0\x10", 4 }, /* tag 4096 */
    { "\2\2\1\0", 4 },
    { "\3\1", 2 },
    { "\4\0\1\0", 4 }, /* pairs of queues: was not offered */
  };

  CONTROL_WORD (f, "\0\0\0");
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    FakeBuffer in = put (f, "\xff", 1), out;
    guint8 *answer = fake_guest_at (f->guest, in.address, 1);

    if (wrong[i].length == 0) {
      fake_driver_call (f->driver, CONTROL, NULL, 0, &in, 1);
    } else {
      out = put (f, wrong[i].bytes, wrong[i].length);
      fake_driver_call (f->driver, CONTROL, &out, 1, &in, 1);
    }
    g_assert_cmpuint (*answer, ==, VIRTIO_NET_ERR);
  }
  g_assert_true (arrives (f, own_mac, 0));
  g_assert_false (arrives (f, (const guint8[]) { 2, 0, 0, 0, 0, 2 }, 0));
}

/* No room for the answer: no harm. */
static void
test_no_answer (Fixture *f, gconstpointer data)
{
  FakeBuffer out = put (f, "\0\0\0", 3);

  g_assert_cmpuint (fake_driver_call (f->driver, CONTROL, &out, 1, NULL, 0), ==, 0);
  g_assert_false (arrives (f, (const guint8[]) { 2, 0, 0, 0, 0, 2 }, 0));
}

static void
test_set_mac (Fixture *f, gconstpointer data)
{
  static const guint8 other[] = { 0x02, 1, 2, 3, 4, 5 };

  CONTROL_WORD (f, "\0\0\0");
  g_assert_cmpuint (CONTROL_WORD (f, "\1\1\2\1\2\3\4\5"), ==, VIRTIO_NET_OK);
  offer (f, 1, 256);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 5, 1), ==, 5);
  {
    g_autofree guint8 *bytes = make_frame (other, 60);
    guint32 head, written;

    g_assert_true (fake_net_give (f->net, 0, bytes, HEADER + 60));
    g_assert_true (fake_driver_take_used (f->driver, RECEIVE, &head, &written));
  }
  /* A new driver finds the card as it was made. */
  fake_driver_set_status (f->driver, 0);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 5, 1), ==, 1);
}

static void
test_link (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *bytes = make_frame (own_mac, 100);
  FakeBuffer buffer = put (f, bytes, HEADER + 100);
  guint n_rooms;

  offer (f, 2, 256);
  vmm_virtio_net_set_link (f->device, FALSE);
  g_assert_false (vmm_virtio_net_get_link (f->device));
  g_assert_cmpuint (fake_guest_take_message (f->guest, CONFIG_MESSAGE), ==, 1);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 6, 2), ==, 0);
  g_assert_false (fake_net_give (f->net, 0, bytes, HEADER + 100));
  fake_driver_call (f->driver, TRANSMIT, &buffer, 1, NULL, 0); /* lost, as on a loose cable */
  g_assert_cmpuint (f->net->sent->len, ==, 0);
  n_rooms = f->net->n_rooms;
  vmm_virtio_net_set_link (f->device, TRUE);
  vmm_virtio_net_set_link (f->device, TRUE);
  g_assert_cmpuint (fake_guest_take_message (f->guest, CONFIG_MESSAGE), ==, 1);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 6, 2), ==, 1);
  fake_guest_settle (f->guest);
  g_assert_cmpuint (f->net->n_rooms, >, n_rooms);
  g_assert_true (fake_net_give (f->net, 0, bytes, HEADER + 100));
  fake_driver_call (f->driver, TRANSMIT, &buffer, 1, NULL, 0);
  g_assert_cmpuint (f->net->sent->len, ==, 1);
}

/* A card that the host has taken its network from takes what the guest sends, and its cable is out.
 */
static void
test_disconnected (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *bytes = make_frame (own_mac, 100);
  FakeBuffer buffer = put (f, bytes, HEADER + 100);

  f->net->blocked = TRUE;
  offer (f, 2, 256);
  fake_driver_send (f->driver, TRANSMIT, &buffer, 1, NULL, 0);
  vmm_device_drain (f->device);
  vmm_virtio_net_disconnect (f->device);
  vmm_net_free (&f->net->net);
  f->net = fake_net_new (f->guest->loop, 0);
  vmm_device_resume (f->device);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 6, 2), ==, 0);
  fake_guest_wait_message (f->guest, TRANSMIT + 1);
  CONTROL_WORD (f, "\1\1\2\1\2\3\4\5");
  fake_driver_set_status (f->driver, 0);
  g_assert_cmpuint (fake_driver_get_status (f->driver), ==, 0);
}

/* While the machine stands still, and while nobody drives the card, no frame comes. */
static void
test_drained (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *bytes = make_frame (own_mac, 100);

  offer (f, 3, 256);
  vmm_device_drain (f->device);
  g_assert_false (fake_net_give (f->net, 0, bytes, HEADER + 100));
  vmm_device_resume (f->device);
  g_assert_true (fake_net_give (f->net, 0, bytes, HEADER + 100));
  fake_driver_set_status (f->driver, 0);
  g_assert_cmpuint (fake_driver_get_status (f->driver), ==, 0);
  g_assert_false (fake_net_give (f->net, 0, bytes, HEADER + 100));
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  FakeNet *net = fake_net_new (guest->loop, VMM_NET_ALL_OFFLOADS);
  VmmDevice *other = card_new (guest, net);
  g_autofree guint8 *bytes = make_frame (own_mac, 100);

  CONTROL_WORD (f, "\0\0\0");
  CONTROL_WORD (f, "\1\1\2\1\2\3\4\5");
  CONTROL_WORD (f, "\1\0\1\0\0\0\2\0\0\0\0\2\1\0\0\0\x33\x33\0\0\0\1");
  CONTROL_WORD (f, "\2\0\x23\1");
  fake_guest_copy_memory (guest, f->guest);
  fake_guest_check_saved (f->device, other);
  /* What was loaded tells its network where it is, when it goes on. */
  f->driver->guest = guest;
  vmm_device_resume (other);
  fake_guest_settle (guest);
  g_assert_cmpuint (fake_guest_take_message (guest, CONFIG_MESSAGE), ==, 1);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 6, 2), ==, 3);
  g_assert_cmphex (net->taken, ==, VMM_NET_CSUM | VMM_NET_TSO4);
  vmm_device_free (other);
  vmm_net_free (&net->net);
  f->driver->guest = f->guest;
  fake_guest_free (guest);
}

static void
test_announce (Fixture *f, gconstpointer data)
{
  g_autoptr (VmmState) state = vmm_state_new ();

  vmm_device_drain (f->device);
  g_assert_true (vmm_device_save (f->device, state, NULL));
  g_assert_true (vmm_device_load (f->device, state, NULL));
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 6, 2), ==, 1);
  vmm_device_resume (f->device);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 6, 2), ==, 3);
  g_assert_cmpuint (CONTROL_WORD (f, "\3\0"), ==, VIRTIO_NET_OK);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 6, 2), ==, 1);
  vmm_device_drain (f->device);
  vmm_device_resume (f->device);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 6, 2), ==, 1);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*test) (Fixture *f, gconstpointer data);
    gconstpointer data;
  } tests[] = {
    { "features", test_features, NULL },
    { "taken", test_taken, NULL },
    { "transmit", test_transmit, NULL },
    { "blocked", test_blocked, NULL },
    { "lost-frames", test_lost_frames, NULL },
    { "no-header", test_no_header, NULL },
    { "receive", test_receive, NULL },
    { "merge", test_merge, NULL },
    { "no-merge", test_no_merge, NO_MERGE },
    { "crumbs", test_crumbs, NULL },
    { "wrong-buffer", test_wrong_buffer, NULL },
    { "filter", test_filter, NULL },
    { "large-table", test_large_table, NULL },
    { "wrong-commands", test_wrong_commands, NULL },
    { "no-answer", test_no_answer, NULL },
    { "set-mac", test_set_mac, NULL },
    { "link", test_link, NULL },
    { "disconnected", test_disconnected, NULL },
    { "drained", test_drained, NULL },
    { "saved", test_saved, NULL },
    { "announce", test_announce, NULL },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++) {
    g_autofree char *path = g_strdup_printf ("/virtio-net/%s", tests[i].name);

    g_test_add (path, Fixture, tests[i].data, set_up, tests[i].test, tear_down);
  }
  return g_test_run ();
}
