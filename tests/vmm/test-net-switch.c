/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Private networks: machines with loops of their own, cards with drivers that write rings.
 */
#include <netinet/in.h>
#include <string.h>

#include "fake-guest.h"
#include "fake-net.h"
#include "net/vmm-net-switch.h"
#include "virtio/virtio-net.h"

#define RECEIVE  0
#define TRANSMIT 1

#define HEADER      sizeof (VmmNetHeader)
#define BUFFER      2048
#define N_BUFFERS   FAKE_QUEUE_SIZE
#define BIT(number) (G_GUINT64_CONSTANT (1) << (number))

#define PLAIN BIT (VIRTIO_NET_F_MRG_RXBUF)
#define LARGE                                                                                      \
  (PLAIN | BIT (VIRTIO_NET_F_CSUM) | BIT (VIRTIO_NET_F_HOST_TSO4) |                                \
   BIT (VIRTIO_NET_F_GUEST_CSUM) | BIT (VIRTIO_NET_F_GUEST_TSO4))

typedef struct {
  FakeGuest *guest;
  VmmNet *net;
  VmmDevice *device;
  FakeDriver *driver;
  guint8 mac[6];
  guint64 buffers; /* of the receive queue */
  guint64 frame;   /* to send */
} Machine;

static Machine *
machine_new (VmmNetworks *networks, const char *name, guint8 number, guint64 features)
{
  Machine *self = g_new0 (Machine, 1);
  VmmVirtioNetConfig config = { 0 };
  const guint8 mac[] = { 0x02, 0, 0, 0, 0, number };

  memcpy (self->mac, mac, sizeof mac);
  memcpy (config.mac, mac, sizeof mac);
  self->guest = fake_guest_new ();
  self->net = config.net = vmm_net_switch_new (networks, name, self->guest->loop, NULL);
  g_assert_nonnull (self->net);
  self->device = vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_net_class),
                                 &self->guest->board, "net0", &config, NULL);
  self->driver = fake_driver_new (self->guest, self->device, features);
  self->buffers = fake_guest_alloc (self->guest, N_BUFFERS * BUFFER);
  self->frame = fake_guest_alloc (self->guest, VMM_NET_MAX_SIZE);
  return self;
}

static void
machine_free (Machine *self)
{
  fake_driver_free (self->driver);
  vmm_device_free (self->device);
  vmm_net_free (self->net);
  fake_guest_free (self->guest);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Machine, machine_free)

static void
open_ears (Machine *self, guint n)
{
  for (guint i = 0; i < n; i++) {
    guint at = self->driver->queues[RECEIVE].next_avail % N_BUFFERS;
    FakeBuffer buffer = { self->buffers + at * BUFFER, BUFFER };

    fake_driver_send (self->driver, RECEIVE, NULL, 0, &buffer, 1);
  }
  fake_guest_settle (self->guest);
}

static void
send_bytes (Machine *self, const VmmNetHeader *header, const guint8 *bytes, gsize length)
{
  FakeBuffer buffer = { self->frame, HEADER + length };
  guint8 *at = fake_guest_at (self->guest, self->frame, VMM_NET_MAX_SIZE);

  memcpy (at, header, HEADER);
  memcpy (at + HEADER, bytes, length);
  fake_driver_call (self->driver, TRANSMIT, &buffer, 1, NULL, 0);
}

static void
send_to (Machine *self, const guint8 *mac, guint8 word)
{
  VmmNetHeader header = { 0 };
  guint8 bytes[100];

  memset (bytes, word, sizeof bytes);
  memcpy (bytes, mac, 6);
  memcpy (bytes + 6, self->mac, 6);
  bytes[12] = 0x08;
  send_bytes (self, &header, bytes, sizeof bytes);
}

/* The next frame that came, with its header; NULL for none. */
static const guint8 *
heard (Machine *self, guint32 *length)
{
  guint at = self->driver->queues[RECEIVE].last_used % N_BUFFERS;
  guint32 head;

  fake_guest_settle (self->guest);
  fake_guest_settle (self->guest);
  if (!fake_driver_take_used (self->driver, RECEIVE, &head, length))
    return NULL;
  return fake_guest_at (self->guest, self->buffers + at * BUFFER, BUFFER);
}

static guint
hears (Machine *self)
{
  guint32 length;
  const guint8 *bytes = heard (self, &length);

  return bytes ? bytes[HEADER + 50] : 0;
}

static const guint8 everybody[] = { 255, 255, 255, 255, 255, 255 };

static void
test_learning (void)
{
  g_autoptr (VmmNetworks) networks = vmm_networks_new ();
  g_autoptr (Machine) a = machine_new (networks, "attic", 1, PLAIN);
  g_autoptr (Machine) b = machine_new (networks, "attic", 2, PLAIN);
  g_autoptr (Machine) c = machine_new (networks, "attic", 3, PLAIN);

  open_ears (a, N_BUFFERS);
  open_ears (b, N_BUFFERS);
  open_ears (c, N_BUFFERS);
  send_to (a, b->mac, 1); /* nobody knows where that is */
  g_assert_cmpuint (hears (b), ==, 1);
  g_assert_cmpuint (hears (c), ==, 1);
  g_assert_cmpuint (hears (a), ==, 0);
  send_to (b, a->mac, 2);
  g_assert_cmpuint (hears (a), ==, 2);
  g_assert_cmpuint (hears (c), ==, 0);
  send_to (a, b->mac, 3);
  g_assert_cmpuint (hears (b), ==, 3);
  g_assert_cmpuint (hears (c), ==, 0);
  send_to (c, everybody, 4);
  g_assert_cmpuint (hears (a), ==, 4);
  g_assert_cmpuint (hears (b), ==, 4);
  g_assert_cmpuint (hears (c), ==, 0);
  /* An address that moves is found where it spoke last. */
  memcpy (c->mac, b->mac, 6);
  send_to (c, everybody, 5);
  g_assert_cmpuint (hears (a), ==, 5);
  g_assert_cmpuint (hears (b), ==, 5);
  send_to (a, b->mac, 6);
  g_assert_cmpuint (hears (c), ==, 6);
  g_assert_cmpuint (hears (b), ==, 0);
}

static void
test_apart (void)
{
  g_autoptr (VmmNetworks) networks = vmm_networks_new (), others = vmm_networks_new ();
  g_autoptr (Machine) a = machine_new (networks, "attic", 1, PLAIN);
  g_autoptr (Machine) b = machine_new (networks, "cellar", 2, PLAIN);
  g_autoptr (Machine) c = machine_new (others, "attic", 3, PLAIN);
  g_autoptr (Machine) d = machine_new (networks, "attic", 4, PLAIN);

  open_ears (b, 4);
  open_ears (c, 4);
  open_ears (d, 4);
  send_to (a, everybody, 1);
  g_assert_cmpuint (hears (d), ==, 1);
  g_assert_cmpuint (hears (b), ==, 0);
  g_assert_cmpuint (hears (c), ==, 0);
}

/* The length of the next frame, in as many buffers as it takes; 0 when there is none. */
static gsize
hears_whole (Machine *self)
{
  guint in_ring =
    self->driver->queues[RECEIVE].next_avail - self->driver->queues[RECEIVE].last_used;
  guint16 n_buffers;
  guint32 part, total;
  const guint8 *bytes;

  open_ears (self, N_BUFFERS - (guint16) in_ring);
  bytes = heard (self, &total);
  if (!bytes)
    return 0;
  memcpy (&n_buffers, bytes + 10, sizeof n_buffers);
  for (guint i = 1; i < n_buffers; i++) {
    g_assert_nonnull (heard (self, &part));
    total += part;
  }
  return total - HEADER;
}

/* One does not read: it loses frames beyond a bound, and the others hear all. */
static void
test_deaf (void)
{
  g_autoptr (VmmNetworks) networks = vmm_networks_new ();
  g_autoptr (Machine) a = machine_new (networks, "attic", 1, LARGE);
  g_autoptr (Machine) deaf = machine_new (networks, "attic", 2, LARGE);
  g_autoptr (Machine) c = machine_new (networks, "attic", 3, PLAIN);
  const FakeFrameKind kind = { 4, IPPROTO_TCP, 0, 25000, FALSE };
  g_autofree FakeFrame *frame = fake_frame_new (&kind);
  VmmNetHeader header = { 0 };
  gsize length;
  guint n = 0;

  memcpy (frame->bytes, deaf->mac, 6);
  memcpy (frame->bytes + 6, a->mac, 6);
  open_ears (c, N_BUFFERS);
  send_to (deaf, everybody, 1);
  g_assert_cmpuint (hears (c), ==, 1);
  for (guint i = 0; i < 200; i++) /* 5 million bytes */
    send_bytes (a, &header, frame->bytes, frame->length);
  for (guint i = 0; i < 50; i++) {
    send_to (a, c->mac, 2);
    g_assert_cmpuint (hears (c), ==, 2);
    open_ears (c, 1);
  }
  /* It wakes up, and finds what fitted, whole. */
  while ((length = hears_whole (deaf)))
    if (length > 100) {
      g_assert_cmpuint (length, ==, frame->length);
      n++;
    }
  g_assert_cmpuint (n, >, 100);
  g_assert_cmpuint (n, <, 200);
}

/* A large segment becomes small ones for who takes no large ones. */
static void
test_offloads (void)
{
  g_autoptr (VmmNetworks) networks = vmm_networks_new ();
  g_autoptr (Machine) a = machine_new (networks, "attic", 1, LARGE);
  g_autoptr (Machine) b = machine_new (networks, "attic", 2, PLAIN);
  g_autoptr (Machine) c = machine_new (networks, "attic", 3, LARGE);
  const FakeFrameKind kind = { 4, IPPROTO_TCP, 0, 5000, FALSE };
  g_autofree FakeFrame *frame = fake_frame_new (&kind);
  VmmNetHeader header = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                          .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                          .gso_size = 1460,
                          .csum_start = frame->transport,
                          .csum_offset = 16 };
  VmmNetHeader got;
  const guint8 *bytes;
  guint32 length;

  memcpy (frame->bytes + 6, a->mac, 6);
  open_ears (b, N_BUFFERS);
  open_ears (c, N_BUFFERS);
  send_to (b, everybody, 1);
  send_to (c, everybody, 1);
  g_assert_cmpuint (hears (c), ==, 1);
  g_assert_cmpuint (hears (b), ==, 1);
  memcpy (frame->bytes, b->mac, 6);
  send_bytes (a, &header, frame->bytes, frame->length);
  for (guint i = 0; i < 4; i++) {
    bytes = heard (b, &length);
    g_assert_nonnull (bytes);
    memcpy (&got, bytes, sizeof got);
    g_assert_cmpuint (got.flags | got.gso_type, ==, 0);
    g_assert_cmpuint (length, ==, HEADER + 54 + (i < 3 ? 1460 : 5000 - 3 * 1460));
    fake_frame_check (bytes + HEADER, length - HEADER);
  }
  g_assert_null (heard (b, &length));
  g_assert_null (heard (c, &length));
  memcpy (frame->bytes, c->mac, 6);
  send_bytes (a, &header, frame->bytes, frame->length);
  bytes = heard (c, &length);
  g_assert_nonnull (bytes);
  memcpy (&got, bytes, sizeof got);
  g_assert_cmpuint (got.gso_size, ==, 1460);
  g_assert_cmpuint (got.num_buffers, ==, 3);
}

/* A guest that speaks for hundreds pushes nobody out. */
static void
test_many_addresses (void)
{
  g_autoptr (VmmNetworks) networks = vmm_networks_new ();
  g_autoptr (Machine) a = machine_new (networks, "attic", 1, PLAIN);
  g_autoptr (Machine) liar = machine_new (networks, "attic", 2, PLAIN);
  g_autoptr (Machine) c = machine_new (networks, "attic", 3, PLAIN);

  open_ears (c, N_BUFFERS);
  for (guint i = 0; i < 300; i++) {
    liar->mac[3] = i;
    liar->mac[4] = i >> 8;
    send_to (liar, a->mac, 1);
    g_assert_cmpuint (hears (c), ==, 1);
    open_ears (c, 1);
  }
  open_ears (liar, 4);
  send_to (a, everybody, 2);
  g_assert_cmpuint (hears (liar), ==, 2);
  g_assert_cmpuint (hears (c), ==, 2);
  send_to (c, a->mac, 3); /* known still */
  g_assert_cmpuint (hears (liar), ==, 0);
}

/* Who leaves is forgotten while others talk to him. */
static void
test_leaving (void)
{
  g_autoptr (VmmNetworks) networks = vmm_networks_new ();
  g_autoptr (Machine) a = machine_new (networks, "attic", 1, PLAIN);
  g_autoptr (Machine) c = machine_new (networks, "attic", 3, PLAIN);

  open_ears (c, N_BUFFERS);
  for (guint i = 0; i < 5; i++) {
    g_autoptr (Machine) b = machine_new (networks, "attic", 2, PLAIN);

    open_ears (b, 4);
    send_to (b, everybody, 1);
    g_assert_cmpuint (hears (c), ==, 1);
    send_to (a, b->mac, 2);
    g_assert_cmpuint (hears (b), ==, 2);
    g_assert_cmpuint (hears (c), ==, 0);
  }
  send_to (a, (const guint8[]) { 2, 0, 0, 0, 0, 2 }, 3);
  g_assert_cmpuint (hears (c), ==, 3);
}

static void
test_full (void)
{
  g_autoptr (VmmNetworks) networks = vmm_networks_new ();
  g_autoptr (GPtrArray) nets = g_ptr_array_new_with_free_func ((GDestroyNotify) vmm_net_free);
  g_autoptr (VmmLoop) loop = vmm_loop_new ("loop", NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 64; i++)
    g_ptr_array_add (nets, vmm_net_switch_new (networks, "attic", loop, NULL));
  g_assert_null (vmm_net_switch_new (networks, "attic", loop, &error));
  g_assert_nonnull (strstr (error->message, "“attic” is full"));
  g_ptr_array_remove_index (nets, 10);
  g_ptr_array_add (nets, vmm_net_switch_new (networks, "attic", loop, NULL));
  g_assert_nonnull (g_ptr_array_index (nets, 63));
  g_ptr_array_set_size (nets, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/net-switch/learning", test_learning);
  g_test_add_func ("/net-switch/apart", test_apart);
  g_test_add_func ("/net-switch/deaf", test_deaf);
  g_test_add_func ("/net-switch/offloads", test_offloads);
  g_test_add_func ("/net-switch/many-addresses", test_many_addresses);
  g_test_add_func ("/net-switch/leaving", test_leaving);
  g_test_add_func ("/net-switch/full", test_full);
  return g_test_run ();
}
