/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Channels: what the driver is told of its ports, bytes both ways, clients that come and go, and
 * nonsense on the control queue.
 */
#include <string.h>
#include <unistd.h>

#include "fake-channel.h"
#include "fake-guest.h"
#include "virtio/virtio-serial.h"

#define NAME           "org.qemu.guest_agent.0"
#define MULTIPORT      2
#define CONTROL_INPUT  2
#define CONTROL_OUTPUT 3
#define INPUT          4
#define OUTPUT         5
#define LONG_TEXT      (2 << 20) /* more than a socket holds */

enum { READY = 0, ADD = 1, PORT_READY = 3, OPEN = 6, PORT_NAME = 7 };

typedef struct {
  FakeGuest *guest;
  VmmDevice *device;
  FakeDriver *driver;
  int listen_fd;
} Fixture;

static VmmDevice *
serial_new (FakeGuest *guest, int fd)
{
  VmmVirtioSerialConfig config = { .n_channels = 1, .channels = { { NAME, fd } } };

  return vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_serial_class), &guest->board,
                         "serial1", &config, NULL);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->guest = fake_guest_new ();
  f->listen_fd = fake_channel_listen ();
  f->device = serial_new (f->guest, f->listen_fd);
  g_assert_nonnull (f->device);
  f->driver = fake_driver_new (f->guest, f->device, MULTIPORT);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_driver_free (f->driver);
  vmm_device_free (f->device);
  fake_guest_free (f->guest);
  close (f->listen_fd);
}

static int
client_new (Fixture *f)
{
  int fd = fake_channel_connect (f->listen_fd);

  fake_guest_settle (f->guest);
  return fd;
}

static FakeBuffer
buffer_new (Fixture *f, gconstpointer bytes, gsize length)
{
  FakeBuffer buffer = { fake_guest_alloc (f->guest, length), length };

  if (bytes)
    memcpy (fake_guest_at (f->guest, buffer.address, length), bytes, length);
  return buffer;
}

static void
say (Fixture *f, guint32 id, guint16 event, guint16 value)
{
  struct {
    guint32 id;
    guint16 event, value;
  } message = { id, event, value };
  FakeBuffer buffer = buffer_new (f, &message, sizeof message);

  fake_driver_call (f->driver, CONTROL_OUTPUT, &buffer, 1, NULL, 0);
  fake_guest_settle (f->guest);
}

/* The next thing the driver is told. */
static void
hear (Fixture *f, guint16 event, guint16 value, const char *rest)
{
  FakeBuffer buffer = buffer_new (f, NULL, 64);
  guint length = fake_driver_call (f->driver, CONTROL_INPUT, NULL, 0, &buffer, 1);
  guint8 *bytes = fake_guest_at (f->guest, buffer.address, 64);

  g_assert_cmpuint (length, ==, 8 + strlen (rest));
  g_assert_cmpuint (bytes[0], ==, 1);
  g_assert_cmpuint (bytes[4], ==, event);
  g_assert_cmpuint (bytes[6], ==, value);
  g_assert_cmpint (memcmp (bytes + 8, rest, strlen (rest)), ==, 0);
}

static void
open_port (Fixture *f, gboolean connected)
{
  say (f, 0, READY, 1);
  hear (f, ADD, 1, "");
  say (f, 1, PORT_READY, 1);
  hear (f, PORT_NAME, 1, NAME);
  hear (f, OPEN, connected, "");
  say (f, 1, OPEN, 1);
}

static void
expect_bytes (int fd, const char *expected)
{
  char bytes[64] = "";

  g_assert_cmpint (read (fd, bytes, sizeof bytes), ==, strlen (expected));
  g_assert_cmpstr (bytes, ==, expected);
}

static void
expect_end (int fd)
{
  char byte;

  g_assert_cmpint (read (fd, &byte, 1), ==, 0);
}

static void
test_ports (Fixture *f, gconstpointer data)
{
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 4, 4), ==, 2);
  open_port (f, FALSE);
}

static void
test_both_ways (Fixture *f, gconstpointer data)
{
  int client = client_new (f);
  FakeBuffer out = buffer_new (f, "pong", 4), in = buffer_new (f, NULL, 16);

  open_port (f, TRUE);
  fake_driver_call (f->driver, OUTPUT, &out, 1, NULL, 0);
  expect_bytes (client, "pong");
  g_assert_cmpint (write (client, "ping", 4), ==, 4);
  g_assert_cmpuint (fake_driver_call (f->driver, INPUT, NULL, 0, &in, 1), ==, 4);
  g_assert_cmpint (memcmp (fake_guest_at (f->guest, in.address, 4), "ping", 4), ==, 0);
  close (client);
}

/* Without a client what is said goes nowhere, and the guest is told when one comes and goes. */
static void
test_clients (Fixture *f, gconstpointer data)
{
  FakeBuffer out = buffer_new (f, "lost", 4), in = buffer_new (f, NULL, 16);
  int first, second;

  open_port (f, FALSE);
  fake_driver_call (f->driver, OUTPUT, &out, 1, NULL, 0);
  first = client_new (f);
  hear (f, OPEN, 1, "");
  second = client_new (f);
  expect_end (second); /* one at a time */
  close (second);
  fake_driver_send (f->driver, INPUT, NULL, 0, &in, 1);
  close (first);
  hear (f, OPEN, 0, "");
  first = client_new (f);
  hear (f, OPEN, 1, "");
  close (first);
}

/* A client that reads slowly loses nothing, and the request is given back when all of it is out. */
static void
test_slow (Fixture *f, gconstpointer data)
{
  g_autofree guint32 *words = g_new (guint32, LONG_TEXT / sizeof (guint32));
  g_autofree guint8 *heard = g_malloc (LONG_TEXT);
  FakeBuffer out;
  guint32 head, written;
  gsize n = 0;
  int client = client_new (f);

  for (guint i = 0; i < LONG_TEXT / sizeof (guint32); i++)
    words[i] = i;
  out = buffer_new (f, words, LONG_TEXT);
  open_port (f, TRUE);
  fake_driver_send (f->driver, OUTPUT, &out, 1, NULL, 0);
  fake_guest_settle (f->guest);
  g_assert_false (fake_driver_take_used (f->driver, OUTPUT, &head, &written));
  while (n < LONG_TEXT) {
    gssize more = read (client, heard + n, LONG_TEXT - n);

    g_assert_cmpint (more, >, 0);
    n += more;
  }
  g_assert_cmpint (memcmp (heard, words, LONG_TEXT), ==, 0);
  fake_guest_wait_message (f->guest, OUTPUT + 1);
  g_assert_true (fake_driver_take_used (f->driver, OUTPUT, &head, &written));
  close (client);
}

/* One that nobody listened to is not in the way of the next. */
static void
test_unnoticed (Fixture *f, gconstpointer data)
{
  int client = client_new (f);

  close (client);
  client = client_new (f);
  open_port (f, TRUE);
  g_assert_cmpint (write (client, "x", 1), ==, 1);
  close (client);
}

static void
test_nonsense (Fixture *f, gconstpointer data)
{
  FakeBuffer tiny = buffer_new (f, "abc", 3);

  say (f, 0, OPEN, 1);
  say (f, 2, PORT_READY, 1);
  say (f, G_MAXUINT32, OPEN, 1);
  say (f, 1, 0x1234, 1);
  fake_driver_call (f->driver, CONTROL_OUTPUT, &tiny, 1, NULL, 0);
  fake_driver_call (f->driver, 1, &tiny, 1, NULL, 0); /* port 0 */
  open_port (f, FALSE);
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeGuest) other = fake_guest_new ();
  VmmDevice *device = serial_new (other, f->listen_fd);

  open_port (f, FALSE);
  vmm_device_drain (f->device);
  fake_guest_check_saved (f->device, device);
  vmm_device_free (device);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*func) (Fixture *f, gconstpointer data);
  } tests[] = {
    { "/virtio-serial/ports", test_ports },     { "/virtio-serial/both-ways", test_both_ways },
    { "/virtio-serial/clients", test_clients }, { "/virtio-serial/unnoticed", test_unnoticed },
    { "/virtio-serial/slow", test_slow },       { "/virtio-serial/nonsense", test_nonsense },
    { "/virtio-serial/saved", test_saved },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].func, tear_down);
  return g_test_run ();
}
