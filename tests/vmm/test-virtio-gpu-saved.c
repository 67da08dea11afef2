/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-gpu: pictures in a saved state, good and forged.
 */
#include <string.h>

#include "gpu-test.h"
#include "device/vmm-display-source.h"
#include "virtio/virtio-gpu-private.h"
#include "vmm-error.h"

static void
test_saved (GpuTest *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDisplay *display = vmm_display_new ();
  VmmDevice *other = gpu_test_new_device (guest, display);
  VmmFrame frame;
  VmmCursor cursor;
  gboolean blob = GPOINTER_TO_INT (data);

  gpu_test_paint (f, 102400);
  gpu_test_make_image (f);
  SEND (f, TRANSFER, 0, 0, 100, 50, 0, 0, 1, 0);
  if (blob) {
    SEND (f, UNREF, 1, 0);
    gpu_test_create_blob (f, 2, f->pixels, 100 * PAGE);
    gpu_test_show_blob (f, 2, 320, 200, 1280, 4096);
    SEND_CURSOR (f, UPDATE_CURSOR, 0, 100, 200, 0, 2, 3, 4, 0);
  } else {
    SEND (f, SET_SCANOUT, 10, 5, 50, 20, 0, 1);
  }
  fake_guest_copy_memory (guest, f->guest);
  fake_guest_check_saved (f->device, other);
  g_assert_true (vmm_display_take (display, &frame));
  g_assert_cmpuint (frame.width, ==, blob ? 320 : 50);
  g_assert_cmphex (gpu_test_pixel_of (&frame, 3, 2), ==, gpu_test_pixel (f, 3, 2));
  vmm_buffer_unref (frame.buffer);
  g_assert_true (vmm_display_take_cursor (display, &cursor));
  g_assert_cmpint (cursor.visible, ==, blob);
  if (blob)
    g_assert_cmpint (cursor.x, ==, 103);
  g_clear_pointer (&cursor.pixels, g_bytes_unref);
  vmm_device_free (other);
  vmm_display_free (display);
  fake_guest_free (guest);
}

/* The bytes of a saved state, each changed in turn: a load or an error, and a device that can
 * still be reset. */
static void
test_forged (GpuTest *f, gconstpointer data)
{
  g_autoptr (VmmState) state = vmm_state_new ();
  g_autoptr (GBytes) bytes = NULL;
  gsize size;

  gpu_test_create_blob (f, 2, f->pixels, 100 * PAGE);
  gpu_test_show_blob (f, 2, 320, 200, 1280, 4096);
  vmm_device_drain (f->device);
  g_assert_true (vmm_device_save (f->device, state, NULL));
  bytes = vmm_state_to_bytes (state);
  size = g_bytes_get_size (bytes);
  for (gsize at = 0; at < size; at++) {
    guint8 *copy = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
    g_autoptr (GBytes) changed = NULL;
    g_autoptr (VmmState) other = NULL;

    copy[at] ^= 0x81;
    changed = g_bytes_new_take (copy, size);
    other = vmm_state_from_bytes (changed, NULL);
    if (other)
      vmm_device_load (f->device, other, NULL);
  }
  vmm_device_reset (f->device);
  vmm_device_resume (f->device);
  fake_driver_free (f->driver);
  f->driver = fake_driver_new (f->guest, f->device, 0x0a);
  g_assert_cmphex (gpu_test_create_blob (f, 2, f->pixels, 100 * PAGE), ==, OK);
}

/* A guest cannot make a screen without pixels, and neither can a saved state. */
static void
test_no_pixels (GpuTest *f, gconstpointer data)
{
  VirtioGpu *gpu = (VirtioGpu *) f->device;
  guint32 *sides[] = { &gpu->scanout.rect.width, &gpu->scanout.rect.height };

  gpu_test_create_blob (f, 2, f->pixels, 100 * PAGE);
  gpu_test_show_blob (f, 2, 320, 200, 1280, 4096);
  vmm_device_drain (f->device);
  for (guint i = 0; i < G_N_ELEMENTS (sides); i++) {
    g_autoptr (VmmState) state = vmm_state_new ();
    g_autoptr (GError) error = NULL;
    guint32 side = *sides[i];

    *sides[i] = 0;
    g_assert_true (vmm_device_save (f->device, state, NULL));
    *sides[i] = side;
    g_assert_false (vmm_device_load (f->device, state, &error));
    g_assert_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT);
    *sides[i] = side;
  }
  vmm_device_reset (f->device);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/virtio-gpu/saved/image", GpuTest, GINT_TO_POINTER (FALSE), gpu_test_set_up,
              test_saved, gpu_test_tear_down);
  g_test_add ("/virtio-gpu/saved/blob", GpuTest, GINT_TO_POINTER (TRUE), gpu_test_set_up,
              test_saved, gpu_test_tear_down);
  g_test_add ("/virtio-gpu/no-pixels", GpuTest, NULL, gpu_test_set_up, test_no_pixels,
              gpu_test_tear_down);
  g_test_add ("/virtio-gpu/forged", GpuTest, NULL, gpu_test_set_up, test_forged,
              gpu_test_tear_down);
  return g_test_run ();
}
