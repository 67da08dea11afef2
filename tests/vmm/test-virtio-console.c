/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fake-guest.h"
#include "virtio/virtio-console.h"

#define INPUT  0
#define OUTPUT 1

typedef struct {
  FakeGuest *guest;
  VmmDevice *device;
  FakeDriver *driver;
  int to_guest[2], from_guest[2];
} Fixture;

static VmmDevice *
console_new (FakeGuest *guest, int in_fd, int out_fd)
{
  VmmVirtioConsoleConfig config = { .in_fd = in_fd, .out_fd = out_fd };

  return vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_console_class), &guest->board,
                         "console0", &config, NULL);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->guest = fake_guest_new ();
  g_assert_cmpint (pipe2 (f->to_guest, O_CLOEXEC), ==, 0);
  g_assert_cmpint (pipe2 (f->from_guest, O_CLOEXEC), ==, 0);
  f->device = console_new (f->guest, f->to_guest[0], f->from_guest[1]);
  f->driver = fake_driver_new (f->guest, f->device, 0);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_driver_free (f->driver);
  vmm_device_free (f->device);
  fake_guest_free (f->guest);
  for (guint i = 0; i < 2; i++) {
    close (f->to_guest[i]);
    close (f->from_guest[i]);
  }
}

static FakeBuffer
text_buffer (Fixture *f, const char *text)
{
  FakeBuffer buffer = { fake_guest_alloc (f->guest, strlen (text)), strlen (text) };

  memcpy (fake_guest_at (f->guest, buffer.address, buffer.length), text, buffer.length);
  return buffer;
}

static void
hear (Fixture *f, const char *expected)
{
  char got[256] = "";

  g_assert_cmpint (read (f->from_guest[0], got, sizeof got), ==, strlen (expected));
  g_assert_cmpstr (got, ==, expected);
}

static void
type (Fixture *f, const char *text)
{
  g_assert_cmpint (write (f->to_guest[1], text, strlen (text)), ==, strlen (text));
  fake_guest_settle (f->guest);
}

static void
test_output (Fixture *f, gconstpointer data)
{
  FakeBuffer parts[] = { text_buffer (f, "hello, "), text_buffer (f, "world\n") };

  g_assert_cmpuint (fake_driver_call (f->driver, OUTPUT, parts, 2, NULL, 0), ==, 0);
  hear (f, "hello, world\n");
}

static void
test_input (Fixture *f, gconstpointer data)
{
  FakeBuffer buffer = { fake_guest_alloc (f->guest, 4), 4 };
  char *bytes = fake_guest_at (f->guest, buffer.address, 4);
  guint32 head, written;

  /* Without a buffer it waits where it is. */
  type (f, "abcdef");
  g_assert_false (fake_driver_take_used (f->driver, INPUT, &head, &written));
  g_assert_cmpuint (fake_driver_call (f->driver, INPUT, NULL, 0, &buffer, 1), ==, 4);
  g_assert_cmpmem (bytes, 4, "abcd", 4);
  g_assert_cmpuint (fake_driver_call (f->driver, INPUT, NULL, 0, &buffer, 1), ==, 2);
  g_assert_cmpmem (bytes, 2, "ef", 2);
  /* And a buffer waits for input. */
  fake_driver_send (f->driver, INPUT, NULL, 0, &buffer, 1);
  fake_guest_settle (f->guest);
  g_assert_false (fake_driver_take_used (f->driver, INPUT, &head, &written));
  type (f, "g");
  g_assert_true (fake_driver_take_used (f->driver, INPUT, &head, &written));
  g_assert_cmpuint (written, ==, 1);
}

static void
test_hang_up (Fixture *f, gconstpointer data)
{
  FakeBuffer buffer = { fake_guest_alloc (f->guest, 4), 4 };
  guint32 head, written;

  fake_driver_send (f->driver, INPUT, NULL, 0, &buffer, 1);
  close (f->to_guest[1]);
  fake_guest_settle (f->guest);
  g_assert_false (fake_driver_take_used (f->driver, INPUT, &head, &written));
  f->to_guest[1] = open ("/dev/null", O_WRONLY | O_CLOEXEC);
}

/* More than the pipe takes: nothing is lost, nothing twice, and the loop is free meanwhile. */
static void
test_slow_reader (Fixture *f, gconstpointer data)
{
  const gsize size = 300000;
  FakeBuffer buffer = { fake_guest_alloc (f->guest, size), size };
  guint8 *bytes = fake_guest_at (f->guest, buffer.address, size);
  g_autofree guint8 *got = g_malloc (size);
  gsize n = 0;
  guint32 head, written;

  for (gsize i = 0; i < size; i++)
    bytes[i] = i % 251;
  fake_driver_send (f->driver, OUTPUT, &buffer, 1, NULL, 0);
  fake_guest_settle (f->guest);
  g_assert_false (fake_driver_take_used (f->driver, OUTPUT, &head, &written));
  while (n < size) {
    gssize part = read (f->from_guest[0], got + n, size - n);

    g_assert_cmpint (part, >, 0);
    n += part;
  }
  g_assert_cmpmem (got, size, bytes, size);
  fake_guest_settle (f->guest);
  while (!fake_driver_take_used (f->driver, OUTPUT, &head, &written))
    fake_guest_settle (f->guest);
}

/* Buffers over the same memory again and again: a request without end. */
static void
test_endless (Fixture *f, gconstpointer data)
{
  int sink = open ("/dev/null", O_WRONLY | O_CLOEXEC);
  VmmDevice *device = console_new (f->guest, -1, sink);
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, device, 0);
  FakeBuffer buffers[FAKE_QUEUE_SIZE];
  guint32 head, written;

  for (guint i = 0; i < FAKE_QUEUE_SIZE; i++)
    buffers[i] = (FakeBuffer) { 0, FAKE_MEMORY };
  fake_driver_send (driver, OUTPUT, buffers, FAKE_QUEUE_SIZE, NULL, 0);
  fake_guest_settle (f->guest);
  g_assert_false (fake_driver_take_used (driver, OUTPUT, &head, &written));
  vmm_device_drain (device); /* nobody waits for it */
  vmm_device_free (device);
  close (sink);
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDevice *other = console_new (guest, -1, -1);

  fake_guest_check_saved (f->device, other);
  vmm_device_free (other);
  fake_guest_free (guest);
}

/* Nobody listens, nobody speaks. */
static void
test_alone (Fixture *f, gconstpointer data)
{
  VmmDevice *device = console_new (f->guest, -1, -1);
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, device, 0);
  FakeBuffer buffer = text_buffer (f, "into the void");

  g_assert_cmpuint (fake_driver_call (driver, OUTPUT, &buffer, 1, NULL, 0), ==, 0);
  vmm_device_free (device);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/virtio-console/output", Fixture, NULL, set_up, test_output, tear_down);
  g_test_add ("/virtio-console/input", Fixture, NULL, set_up, test_input, tear_down);
  g_test_add ("/virtio-console/hang-up", Fixture, NULL, set_up, test_hang_up, tear_down);
  g_test_add ("/virtio-console/slow-reader", Fixture, NULL, set_up, test_slow_reader, tear_down);
  g_test_add ("/virtio-console/endless", Fixture, NULL, set_up, test_endless, tear_down);
  g_test_add ("/virtio-console/saved", Fixture, NULL, set_up, test_saved, tear_down);
  g_test_add ("/virtio-console/alone", Fixture, NULL, set_up, test_alone, tear_down);
  return g_test_run ();
}
