/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The user's own network: a fake guest that writes Ethernet by hand talks to sockets of this
 * process through libslirp.
 */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake-guest.h"
#include "fake-net.h"
#include "net/vmm-net-tap.h"
#include "net/vmm-net-user.h"
#include "virtio/virtio-net.h"

#define RECEIVE  0
#define TRANSMIT 1

#define HEADER    sizeof (VmmNetHeader)
#define BUFFER    2048
#define N_BUFFERS FAKE_QUEUE_SIZE
#define WAIT_S    20

#define GUEST_ADDRESS 0x0a00020f
#define HOST_ADDRESS  0x0a000202

static const guint8 own_mac[] = { 0x02, 0, 0, 0, 0, 1 };

typedef struct {
  FakeGuest *guest;
  VmmNet *net;
  VmmDevice *device;
  FakeDriver *driver;
  guint64 buffers, frame;
  int socket; /* of the host, UDP */
  guint port;
} Fixture;

static int
udp_socket (guint *port)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  struct timeval patience = { WAIT_S, 0 };
  socklen_t length = sizeof address;
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &length), ==, 0);
  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  *port = ntohs (address.sin_port);
  return fd;
}

static void
offer (Fixture *f, guint n)
{
  for (guint i = 0; i < n; i++) {
    guint at = f->driver->queues[RECEIVE].next_avail % N_BUFFERS;
    FakeBuffer buffer = { f->buffers + at * BUFFER, BUFFER };

    fake_driver_send (f->driver, RECEIVE, NULL, 0, &buffer, 1);
  }
}

static void
set_up (Fixture *f, gconstpointer data)
{
  VmmVirtioNetConfig config = { 0 };
  g_autoptr (GError) error = NULL;

  memcpy (config.mac, own_mac, sizeof own_mac);
  f->guest = fake_guest_new ();
  f->net = config.net = vmm_net_user_new (NULL, f->guest->loop, &error);
  g_assert_no_error (error);
  f->device = vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_net_class), &f->guest->board,
                              "net0", &config, NULL);
  f->driver =
    fake_driver_new (f->guest, f->device, 1u << VIRTIO_NET_F_MRG_RXBUF | 1u << VIRTIO_NET_F_CSUM);
  f->buffers = fake_guest_alloc (f->guest, N_BUFFERS * BUFFER);
  f->frame = fake_guest_alloc (f->guest, VMM_NET_MAX_SIZE);
  f->socket = udp_socket (&f->port);
  offer (f, N_BUFFERS - 1);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_driver_free (f->driver);
  vmm_device_free (f->device);
  vmm_net_free (f->net);
  fake_guest_free (f->guest);
  close (f->socket);
}

static void
send_frame (Fixture *f, const VmmNetHeader *header, const guint8 *bytes, gsize length)
{
  FakeBuffer buffer = { f->frame, HEADER + length };
  guint8 *at = fake_guest_at (f->guest, f->frame, VMM_NET_MAX_SIZE);

  memcpy (at, header, HEADER);
  memcpy (at + HEADER, bytes, length);
  fake_driver_call (f->driver, TRANSMIT, &buffer, 1, NULL, 0);
}

/* The next frame; its buffer is offered anew. */
static const guint8 *
receive_frame (Fixture *f, gsize *length)
{
  FakeQueue *queue = &f->driver->queues[RECEIVE];
  guint at = queue->last_used % N_BUFFERS;
  guint32 head, written;

  while (fake_driver_get_used_index (f->driver, RECEIVE) == queue->last_used)
    fake_guest_wait_message (f->guest, RECEIVE + 1);
  g_assert_true (fake_driver_take_used (f->driver, RECEIVE, &head, &written));
  *length = written - HEADER;
  return (guint8 *) fake_guest_at (f->guest, f->buffers + at * BUFFER, BUFFER) + HEADER;
}

/* The next frame of the type, and of the protocol where it is IPv4. */
static const guint8 *
receive_kind (Fixture *f, guint type, guint protocol, gsize *length)
{
  for (guint i = 0; i < 16; i++) {
    const guint8 *frame = receive_frame (f, length);

    offer (f, 1);
    if ((guint) (frame[12] << 8 | frame[13]) == type && (protocol == 0 || frame[23] == protocol))
      return frame;
  }
  g_assert_not_reached ();
}

static void
put32 (guint8 *at, guint32 value)
{
  value = htonl (value);
  memcpy (at, &value, 4);
}

static void
ask_who_has (Fixture *f, guint32 address)
{
  static const guint8 start[] = { 255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6,
                                  0,   1,   8,   0,   6,   4,   0, 1, 2, 0, 0, 0, 0, 1 };
  VmmNetHeader header = { 0 };
  guint8 frame[60] = { 0 };

  memcpy (frame, start, sizeof start);
  put32 (frame + 28, GUEST_ADDRESS);
  put32 (frame + 38, address);
  send_frame (f, &header, frame, sizeof frame);
}

static void
test_who_has (Fixture *f, gconstpointer data)
{
  const guint8 *frame;
  gsize length;
  guint32 address;

  ask_who_has (f, HOST_ADDRESS);
  frame = receive_kind (f, 0x0806, 0, &length);
  g_assert_cmpuint (frame[21], ==, 2);
  g_assert_cmpmem (frame, 6, own_mac, 6);
  memcpy (&address, frame + 28, 4);
  g_assert_cmphex (ntohl (address), ==, HOST_ADDRESS);
}

/* To a port of the host, its checksum left over. */
static void
send_udp (Fixture *f, guint port, guint payload)
{
  const FakeFrameKind kind = { 4, IPPROTO_UDP, 0, payload, FALSE };
  g_autofree FakeFrame *frame = fake_frame_new (&kind);
  VmmNetHeader header = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                          .csum_start = frame->transport,
                          .csum_offset = 6 };
  guint8 *ip = frame->bytes + frame->network;
  guint32 sum = 0;

  memcpy (frame->bytes + 6, own_mac, 6);
  put32 (ip + 12, GUEST_ADDRESS);
  put32 (ip + 16, HOST_ADDRESS);
  ip[10] = ip[11] = 0;
  for (guint i = 0; i < 20; i += 2)
    sum += ip[i] << 8 | ip[i + 1];
  sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
  ip[10] = sum >> 8;
  ip[11] = sum;
  ip[22] = port >> 8;
  ip[23] = port;
  /* The pseudo-header again, for these addresses. */
  sum = IPPROTO_UDP + 8 + payload;
  for (guint i = 12; i < 20; i += 2)
    sum += ip[i] << 8 | ip[i + 1];
  sum = (sum & 0xffff) + (sum >> 16);
  ip[26] = sum >> 8;
  ip[27] = sum;
  send_frame (f, &header, frame->bytes, frame->length);
}

static void
test_udp (Fixture *f, gconstpointer data)
{
  guint8 got[2000];
  struct sockaddr_in peer;
  socklen_t peer_length = sizeof peer;
  const guint8 *frame;
  gsize length;
  gssize n;

  ask_who_has (f, HOST_ADDRESS);
  send_udp (f, f->port, 777);
  n = recvfrom (f->socket, got, sizeof got, 0, (struct sockaddr *) &peer, &peer_length);
  g_assert_cmpint (n, ==, 777);
  for (guint i = 0; i < 777; i++)
    g_assert_cmpuint (got[i], ==, i & 0xff);
  g_assert_cmpint (sendto (f->socket, "answer", 6, 0, (struct sockaddr *) &peer, peer_length), ==,
                   6);
  frame = receive_kind (f, 0x0800, IPPROTO_UDP, &length);
  g_assert_cmpmem (frame + 42, 6, "answer", 6);
  fake_frame_check (frame, 14 + (frame[16] << 8 | frame[17]));
}

/* What comes while the guest has no room waits, in order, and the loop is free meanwhile. */
static void
test_no_room (Fixture *f, gconstpointer data)
{
  struct sockaddr_in peer;
  socklen_t peer_length = sizeof peer;
  const int n = 100;
  guint8 got[2000];
  int next = 0;
  gsize length;

  ask_who_has (f, HOST_ADDRESS);
  send_udp (f, f->port, 10);
  g_assert_cmpint (
    recvfrom (f->socket, got, sizeof got, 0, (struct sockaddr *) &peer, &peer_length), ==, 10);
  for (guint8 i = 0; i < n; i++) {
    g_assert_cmpint (sendto (f->socket, &i, 1, 0, (struct sockaddr *) &peer, peer_length), ==, 1);
    fake_guest_settle (f->guest);
  }
  while (next < n) {
    const guint8 *frame = receive_kind (f, 0x0800, IPPROTO_UDP, &length);

    g_assert_cmpuint (frame[42], ==, next);
    next++;
  }
}

static void
test_forward (Fixture *f, gconstpointer data)
{
  guint port, other_port;
  int probe = udp_socket (&port), other = udp_socket (&other_port);
  g_autoptr (VmmForward) forward = NULL, taken = NULL, wrong = NULL;
  g_autoptr (GError) error = NULL;
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  const guint8 *frame;
  gsize length;

  close (probe); /* a port that is free */
  forward = vmm_forward_new (TRUE, NULL, port, 53);
  ask_who_has (f, HOST_ADDRESS);
  g_assert_true (vmm_net_user_add_forward (f->net, forward, &error));
  address.sin_port = htons (port);
  g_assert_cmpint (sendto (other, "knock", 5, 0, (struct sockaddr *) &address, sizeof address), ==,
                   5);
  frame = receive_kind (f, 0x0800, IPPROTO_UDP, &length);
  g_assert_cmpmem (frame + 42, 5, "knock", 5);
  g_assert_cmpuint (frame[36] << 8 | frame[37], ==, 53);

  /* Ours is taken now, the other was before. */
  for (guint i = 0; i < 2; i++) {
    g_autofree char *number = g_strdup_printf ("%u", i ? other_port : port);

    g_clear_pointer (&taken, vmm_forward_free);
    taken = vmm_forward_new (TRUE, "127.0.0.1", i ? other_port : port, 99);
    g_assert_false (vmm_net_user_add_forward (f->net, taken, &error));
    g_assert_nonnull (strstr (error->message, number));
    g_assert_nonnull (strstr (error->message, "is taken"));
    g_clear_error (&error);
  }
  g_assert_true (vmm_net_user_remove_forward (f->net, forward, &error));
  g_assert_false (vmm_net_user_remove_forward (f->net, forward, &error));
  g_assert_nonnull (strstr (error->message, "is not forwarded"));
  g_clear_error (&error);
  wrong = vmm_forward_new (FALSE, "localhost", 1, 1);
  g_assert_false (vmm_net_user_add_forward (f->net, wrong, &error));
  g_assert_nonnull (strstr (error->message, "localhost"));
  close (other);
}

static void
test_tcp_forward_taken (Fixture *f, gconstpointer data)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_autoptr (VmmForward) forward = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 1), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &length), ==, 0);
  forward = vmm_forward_new (FALSE, NULL, ntohs (address.sin_port), 22);
  g_assert_false (vmm_net_user_add_forward (f->net, forward, &error));
  g_assert_nonnull (strstr (error->message, "is taken"));
  close (fd);
  g_clear_error (&error);
  g_assert_true (vmm_net_user_add_forward (f->net, forward, &error));
  g_assert_true (vmm_net_user_remove_forward (f->net, forward, &error));
}

/* Everything but what is meant: none of it reaches anything, and the network lives on. */
static void
test_odd_frames (Fixture *f, gconstpointer data)
{
  const FakeFrameKind kind = { 4, IPPROTO_TCP, 0, 1000, TRUE };
  g_autofree FakeFrame *whole = fake_frame_new (&kind);
  VmmNetHeader header = { 0 };
  gsize length;

  for (gsize cut = 14; cut < whole->length; cut += 7)
    send_frame (f, &header, whole->bytes, cut);
  for (guint i = 0; i < 100; i++) {
    whole->bytes[12 + i % 60] ^= 1 + i;
    send_frame (f, &header, whole->bytes, whole->length);
  }
  ask_who_has (f, HOST_ADDRESS);
  receive_kind (f, 0x0806, 0, &length);
}

static void
test_networks (void)
{
  static const char *const wrong[] = { "",           "10.0.2.0",   "10.0.2.0/",  "10.0.2.0/28",
                                       "10.0.2/24",  "10.0.2.0/7", "10.0.2.0/x", "fe80::/64",
                                       "1.2.3.4/24x" };
  g_autoptr (VmmLoop) loop = vmm_loop_new ("loop", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (vmm_net_user_new (wrong[i], loop, &error));
    g_assert_nonnull (strstr (error->message, "is no network"));
  }
  {
    g_autoptr (VmmNet) net = vmm_net_user_new ("192.168.7.0/24", loop, NULL);

    g_assert_nonnull (net);
  }
}

/* What is no tap device is refused in words. (Real ones are in tests/box.) */
static void
test_no_tap (void)
{
  g_autoptr (VmmLoop) loop = vmm_loop_new ("loop", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (vmm_net_tap_new_for_fd (0, TRUE, loop, &error));
  g_assert_nonnull (strstr (error->message, "is no tap device"));
  g_clear_error (&error);
  g_assert_null (vmm_net_tap_new ("no/such", 2, TRUE, loop, &error));
  g_assert_nonnull (strstr (error->message, "“no/such”"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/net-user/who-has", Fixture, NULL, set_up, test_who_has, tear_down);
  g_test_add ("/net-user/udp", Fixture, NULL, set_up, test_udp, tear_down);
  g_test_add ("/net-user/no-room", Fixture, NULL, set_up, test_no_room, tear_down);
  g_test_add ("/net-user/forward", Fixture, NULL, set_up, test_forward, tear_down);
  g_test_add ("/net-user/tcp-forward-taken", Fixture, NULL, set_up, test_tcp_forward_taken,
              tear_down);
  g_test_add ("/net-user/odd-frames", Fixture, NULL, set_up, test_odd_frames, tear_down);
  g_test_add_func ("/net-user/networks", test_networks);
  g_test_add_func ("/net-user/no-tap", test_no_tap);
  return g_test_run ();
}
