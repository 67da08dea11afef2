/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpu-test.h"

#include <string.h>

#include "device/vmm-display-source.h"
#include "virtio/virtio-gpu.h"

VmmDevice *
gpu_test_new_device (FakeGuest *guest, VmmDisplay *display)
{
  VmmVirtioGpuConfig config = { .display = display, .width = 640, .height = 480 };

  return vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_gpu_class), &guest->board, "gpu0",
                         &config, NULL);
}

void
gpu_test_set_up (GpuTest *f, gconstpointer data)
{
  f->guest = fake_guest_new ();
  f->display = vmm_display_new ();
  f->device = gpu_test_new_device (f->guest, f->display);
  f->driver = fake_driver_new (f->guest, f->device, 0x0a);
  f->out = fake_guest_alloc (f->guest, 65536);
  f->in = fake_guest_alloc (f->guest, 2048);
  f->pixels = fake_guest_alloc (f->guest, 4 << 20);
}

void
gpu_test_tear_down (GpuTest *f, gconstpointer data)
{
  fake_driver_free (f->driver);
  vmm_device_free (f->device);
  vmm_display_free (f->display);
  fake_guest_free (f->guest);
}

guint32
gpu_test_send (GpuTest *f, guint queue, guint32 type, const guint32 *words, guint n)
{
  FakeBuffer out = { f->out, 24 + 4 * n }, in = { f->in, 2048 };
  guint32 *request = fake_guest_at (f->guest, f->out, 24 + 4 * n);
  guint32 *answer = fake_guest_at (f->guest, f->in, 2048);

  memset (request, 0, 24);
  memset (answer, 0, 2048);
  request[0] = type;
  if (n > 0)
    memcpy (request + 6, words, 4 * n);
  g_assert_cmpuint (fake_driver_call (f->driver, queue, &out, 1, &in, 1), >=, 24);
  return answer[0];
}

guint64
gpu_test_get_copied (GpuTest *f)
{
  guint64 frames, bytes;

  vmm_display_get_counters (f->display, &frames, &bytes);
  return bytes;
}

void
gpu_test_check_damage (GpuTest *f, int x, int y, int width, int height)
{
  VmmFrame frame;

  g_assert_true (vmm_display_take (f->display, &frame));
  g_assert_cmpint (frame.damage.x, ==, x);
  g_assert_cmpint (frame.damage.y, ==, y);
  g_assert_cmpint (frame.damage.width, ==, width);
  g_assert_cmpint (frame.damage.height, ==, height);
  vmm_buffer_unref (frame.buffer);
}

guint32
gpu_test_pixel_of (const VmmFrame *frame, guint x, guint y)
{
  guint32 pixel;

  memcpy (&pixel,
          vmm_buffer_get_pixels (frame->buffer) + frame->offset + (gsize) y * frame->stride + 4 * x,
          4);
  return pixel;
}

guint32
gpu_test_pixel (GpuTest *f, guint x, guint y)
{
  VmmFrame frame;
  guint32 value;

  g_assert_true (vmm_display_peek (f->display, &frame));
  value = gpu_test_pixel_of (&frame, x, y);
  vmm_buffer_unref (frame.buffer);
  return value;
}

void
gpu_test_check_off (GpuTest *f)
{
  VmmFrame frame;

  g_assert_false (vmm_display_peek (f->display, &frame));
}

guint32 *
gpu_test_guest_pixels (GpuTest *f)
{
  return fake_guest_at (f->guest, f->pixels, 4 << 20);
}

void
gpu_test_paint (GpuTest *f, guint n)
{
  guint32 *pixels = gpu_test_guest_pixels (f);

  for (guint i = 0; i < n; i++)
    pixels[i] = 0x01000000 + i;
}

void
gpu_test_make_image (GpuTest *f)
{
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, 100, 50), ==, OK);
  g_assert_cmphex (SEND (f, ATTACH, 1, 2, f->pixels + 10000, 0, 10000, 0, f->pixels, 0, 10000, 0),
                   ==, OK);
}

guint32
gpu_test_create_blob (GpuTest *f, guint32 id, guint64 address, guint32 size)
{
  return SEND (f, CREATE_BLOB, id, 1, 1, 1, 0, 0, size, 0, address, 0, size, 0);
}

guint32
gpu_test_show_blob (GpuTest *f,
                    guint32 id,
                    guint32 width,
                    guint32 height,
                    guint32 stride,
                    guint32 offset)
{
  return SEND (f, SET_SCANOUT_BLOB, 0, 0, width, height, 0, id, width, height, XRGB, 0, stride, 0,
               0, 0, offset, 0, 0, 0);
}

int
gpu_test_run_all (const GpuTestCase *tests, guint n_tests)
{
  for (guint i = 0; i < n_tests; i++)
    g_test_add (tests[i].name, GpuTest, NULL, gpu_test_set_up, tests[i].run, gpu_test_tear_down);
  return g_test_run ();
}
