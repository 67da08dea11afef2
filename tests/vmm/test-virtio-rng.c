/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "fake-guest.h"
#include "virtio/virtio-rng.h"

typedef struct {
  FakeGuest *guest;
  VmmDevice *device;
  FakeDriver *driver;
} Fixture;

static VmmDevice *
rng_new (FakeGuest *guest)
{
  VmmVirtioRngConfig config = { 0 };

  return vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_rng_class), &guest->board, "rng0",
                         &config, NULL);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->guest = fake_guest_new ();
  f->device = rng_new (f->guest);
  f->driver = fake_driver_new (f->guest, f->device, 0);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_driver_free (f->driver);
  vmm_device_free (f->device);
  fake_guest_free (f->guest);
}

static void
test_bytes (Fixture *f, gconstpointer data)
{
  FakeBuffer buffer = { fake_guest_alloc (f->guest, 8192), 64 };
  guint8 first[64], *bytes = fake_guest_at (f->guest, buffer.address, 8192);
  guint8 zeros[64] = { 0 };

  g_assert_cmpuint (fake_driver_call (f->driver, 0, NULL, 0, &buffer, 1), ==, 64);
  memcpy (first, bytes, 64);
  g_assert_true (memcmp (first, zeros, 64) != 0);
  g_assert_cmpmem (bytes + 64, 64, zeros, 64);
  g_assert_cmpuint (fake_driver_call (f->driver, 0, NULL, 0, &buffer, 1), ==, 64);
  g_assert_true (memcmp (first, bytes, 64) != 0);
  /* A big wish is served in part, and never more than there is room. */
  buffer.length = 8192;
  g_assert_cmpuint (fake_driver_call (f->driver, 0, NULL, 0, &buffer, 1), ==, 4096);
}

static void
test_no_room (Fixture *f, gconstpointer data)
{
  FakeBuffer buffer = { fake_guest_alloc (f->guest, 64), 64 };

  g_assert_cmpuint (fake_driver_call (f->driver, 0, &buffer, 1, NULL, 0), ==, 0);
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDevice *other = rng_new (guest);

  fake_guest_check_saved (f->device, other);
  vmm_device_free (other);
  fake_guest_free (guest);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/virtio-rng/bytes", Fixture, NULL, set_up, test_bytes, tear_down);
  g_test_add ("/virtio-rng/no-room", Fixture, NULL, set_up, test_no_room, tear_down);
  g_test_add ("/virtio-rng/saved", Fixture, NULL, set_up, test_saved, tear_down);
  return g_test_run ();
}
