/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-gpu: images and blobs from their making to the screen, and what is copied and what is not.
 */
#include <string.h>

#include "gpu-test.h"

static void
test_image (GpuTest *f, gconstpointer data)
{
  gpu_test_paint (f, 5000);
  gpu_test_make_image (f);
  gpu_test_check_off (f);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 0, 0, 100, 50, 0, 1), ==, OK);
  gpu_test_check_damage (f, 0, 0, 100, 50);
  g_assert_cmphex (gpu_test_pixel (f, 5, 5), ==, 0); /* nothing was transferred yet */

  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 100, 50, 0, 0, 1, 0), ==, OK);
  g_assert_cmpuint (gpu_test_get_copied (f), ==, 20000);
  g_assert_cmphex (gpu_test_pixel (f, 0, 0), ==, 0x01000000 + 2500);
  g_assert_cmphex (gpu_test_pixel (f, 99, 24), ==, 0x01000000 + 4999);
  g_assert_cmphex (gpu_test_pixel (f, 0, 25), ==, 0x01000000);
  g_assert_cmphex (SEND (f, FLUSH, 10, 5, 20, 10, 1, 0), ==, OK);
  gpu_test_check_damage (f, 10, 5, 20, 10);
}

/* A part of an image: only its bytes move, and none beside them. */
static void
test_part (GpuTest *f, gconstpointer data)
{
  guint32 offset = (20 * 100 + 30) * 4;

  gpu_test_make_image (f);
  SEND (f, SET_SCANOUT, 0, 0, 100, 50, 0, 1);
  gpu_test_paint (f, 5000);
  g_assert_cmphex (SEND (f, TRANSFER, 30, 20, 10, 8, offset, 0, 1, 0), ==, OK);
  g_assert_cmpuint (gpu_test_get_copied (f), ==, 10 * 8 * 4);
  for (guint y = 18; y < 30; y++)
    for (guint x = 28; x < 42; x++) {
      gboolean inside = x >= 30 && x < 40 && y >= 20 && y < 28;
      guint at = y * 100 + x;

      /* The first half of the image lies in the second half of memory. */
      g_assert_cmphex (gpu_test_pixel (f, x, y), ==, inside ? 0x01000000 + (at + 2500) % 5000 : 0);
    }
}

/* A screen that shows a part of its image. */
static void
test_window (GpuTest *f, gconstpointer data)
{
  gpu_test_paint (f, 5000);
  gpu_test_make_image (f);
  SEND (f, TRANSFER, 0, 0, 100, 50, 0, 0, 1, 0);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 40, 10, 50, 30, 0, 1), ==, OK);
  gpu_test_check_damage (f, 0, 0, 50, 30);
  g_assert_cmphex (gpu_test_pixel (f, 3, 2), ==, 0x01000000 + 2500 + 12 * 100 + 43);
  SEND (f, FLUSH, 0, 0, 45, 15, 1, 0);
  gpu_test_check_damage (f, 0, 0, 5, 5);
  SEND (f, FLUSH, 60, 30, 40, 20, 1, 0);
  gpu_test_check_damage (f, 20, 20, 30, 10);
}

/* A blob is looked at where it lies: what the guest writes is on the screen, and nothing was
 * copied. */
static void
test_blob (GpuTest *f, gconstpointer data)
{
  g_assert_cmphex (gpu_test_create_blob (f, 1, f->pixels, 100 * PAGE), ==, OK);
  g_assert_cmphex (gpu_test_show_blob (f, 1, 320, 200, 1280, 4096), ==, OK);
  gpu_test_check_damage (f, 0, 0, 320, 200);
  gpu_test_paint (f, 102400);
  g_assert_cmphex (gpu_test_pixel (f, 7, 3), ==, 0x01000000 + 1024 + 3 * 320 + 7);
  g_assert_cmphex (SEND (f, FLUSH, 5, 6, 7, 8, 1, 0), ==, OK);
  gpu_test_check_damage (f, 5, 6, 7, 8);
  gpu_test_guest_pixels (f)[1024] = 0xabcdef;
  g_assert_cmphex (gpu_test_pixel (f, 0, 0), ==, 0xabcdef);
  /* Linux asks for a transfer all the same. */
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 320, 200, 0, 0, 1, 0), ==, OK);
  g_assert_cmpuint (gpu_test_get_copied (f), ==, 0);
}

/* Pages here and there, in any order: one picture without a copy. */
static void
test_scattered (GpuTest *f, gconstpointer data)
{
  guint32 words[10 + 4 * 64] = { 1, 1, 1, 64, 0, 0, 64 * PAGE, 0 };

  for (guint i = 0; i < 64; i++) {
    guint page = i * 37 % 64 * 2;

    words[8 + 4 * i] = f->pixels + page * PAGE;
    words[8 + 4 * i + 2] = PAGE;
    gpu_test_guest_pixels (f)[page * 1024] = i;
    gpu_test_guest_pixels (f)[page * 1024 + 1023] = i + 1000;
  }
  g_assert_cmphex (gpu_test_send (f, CONTROL, CREATE_BLOB, words, 8 + 4 * 64), ==, OK);
  g_assert_cmphex (gpu_test_show_blob (f, 1, 1024, 64, 4096, 0), ==, OK);
  for (guint i = 0; i < 64; i++) {
    g_assert_cmphex (gpu_test_pixel (f, 0, i), ==, i);
    g_assert_cmphex (gpu_test_pixel (f, 1023, i), ==, i + 1000);
  }
  g_assert_cmpuint (gpu_test_get_copied (f), ==, 0);
}

/* Not whole pages: copied, when it is shown and as much as is flushed. */
static void
test_crooked_blob (GpuTest *f, gconstpointer data)
{
  gpu_test_paint (f, 10000);
  g_assert_cmphex (gpu_test_create_blob (f, 1, f->pixels + 16, 20000), ==, OK);
  g_assert_cmphex (gpu_test_show_blob (f, 1, 100, 50, 400, 0), ==, OK);
  g_assert_cmpuint (gpu_test_get_copied (f), ==, 20000);
  g_assert_cmphex (gpu_test_pixel (f, 3, 2), ==, 0x01000000 + 4 + 203);
  gpu_test_guest_pixels (f)[4 + 203] = 0xabcdef;
  g_assert_cmphex (gpu_test_pixel (f, 3, 2), ==, 0x01000000 + 4 + 203);
  g_assert_cmphex (SEND (f, FLUSH, 3, 2, 5, 1, 1, 0), ==, OK);
  g_assert_cmphex (gpu_test_pixel (f, 3, 2), ==, 0xabcdef);
  g_assert_cmpuint (gpu_test_get_copied (f), ==, 20000 + 20);
}

/* The picture that a viewer holds stays when the guest takes the resource away. */
static void
test_unref (GpuTest *f, gconstpointer data)
{
  VmmFrame frame;

  gpu_test_paint (f, 102400);
  gpu_test_create_blob (f, 1, f->pixels, 100 * PAGE);
  gpu_test_show_blob (f, 1, 320, 200, 1280, 0);
  g_assert_true (vmm_display_take (f->display, &frame));
  g_assert_cmphex (SEND (f, UNREF, 1, 0), ==, OK);
  gpu_test_check_off (f);
  g_assert_cmphex (gpu_test_pixel_of (&frame, 5, 0), ==, 0x01000005);
  vmm_buffer_unref (frame.buffer);
  g_assert_cmphex (SEND (f, UNREF, 1, 0), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, FLUSH, 0, 0, 1, 1, 1, 0), ==, INVALID_RESOURCE);
}

static void
test_off (GpuTest *f, gconstpointer data)
{
  gpu_test_create_blob (f, 1, f->pixels, 100 * PAGE);
  gpu_test_show_blob (f, 1, 320, 200, 1280, 0);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 0, 0, 0, 0, 0, 0), ==, OK);
  gpu_test_check_off (f);
  /* A flush of what is not shown is no news. */
  {
    VmmFrame frame;

    vmm_display_take (f->display, &frame);
    SEND (f, FLUSH, 0, 0, 10, 10, 1, 0);
    g_assert_false (vmm_display_take (f->display, &frame));
  }
}

static void
test_cursor (GpuTest *f, gconstpointer data)
{
  VmmCursor cursor;

  gpu_test_paint (f, 64 * 64);
  g_assert_cmphex (SEND (f, CREATE_2D, 9, ARGB, 64, 64), ==, OK);
  SEND (f, ATTACH, 9, 1, f->pixels, 0, 64 * 64 * 4, 0);
  SEND (f, TRANSFER, 0, 0, 64, 64, 0, 0, 9, 0);
  g_assert_cmphex (SEND_CURSOR (f, UPDATE_CURSOR, 0, 100, 200, 0, 9, 3, 4, 0), ==, OK);
  g_assert_true (vmm_display_take_cursor (f->display, &cursor));
  g_assert_true (cursor.visible);
  g_assert_cmpint (cursor.x, ==, 103);
  g_assert_cmpint (cursor.y, ==, 204);
  g_assert_cmpuint (cursor.hot_x, ==, 3);
  g_assert_cmpuint (cursor.width, ==, 64);
  g_assert_cmphex (((const guint32 *) g_bytes_get_data (cursor.pixels, NULL))[65], ==, 0x01000041);
  g_bytes_unref (cursor.pixels);
  g_assert_cmphex (SEND_CURSOR (f, MOVE_CURSOR, 0, 1, 2, 0, 9, 0, 0, 0), ==, OK);
  g_assert_true (vmm_display_take_cursor (f->display, &cursor));
  g_assert_cmpint (cursor.x, ==, 4);
  g_assert_true (cursor.visible);
  g_bytes_unref (cursor.pixels);
  g_assert_cmphex (SEND_CURSOR (f, UPDATE_CURSOR, 0, 1, 2, 0, 0, 0, 0, 0), ==, OK);
  g_assert_true (vmm_display_take_cursor (f->display, &cursor));
  g_assert_false (cursor.visible);
  g_assert_null (cursor.pixels);

  /* A blob does not say its size: 64 x 64. One that is smaller has no picture. */
  gpu_test_create_blob (f, 10, f->pixels, 64 * 64 * 4);
  SEND_CURSOR (f, UPDATE_CURSOR, 0, 0, 0, 0, 10, 0, 0, 0);
  g_assert_true (vmm_display_take_cursor (f->display, &cursor));
  g_assert_cmphex (((const guint32 *) g_bytes_get_data (cursor.pixels, NULL))[65], ==, 0x01000041);
  g_bytes_unref (cursor.pixels);
  gpu_test_create_blob (f, 11, f->pixels, PAGE);
  SEND_CURSOR (f, UPDATE_CURSOR, 0, 0, 0, 0, 11, 0, 0, 0);
  g_assert_true (vmm_display_take_cursor (f->display, &cursor));
  g_assert_null (cursor.pixels);
  g_assert_cmphex (SEND_CURSOR (f, UPDATE_CURSOR, 0, 0, 0, 0, 99, 0, 0, 0), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND_CURSOR (f, UPDATE_CURSOR, 1, 0, 0, 0, 0, 0, 0, 0), ==, INVALID_SCANOUT);
  /* The picture goes with its resource. */
  SEND_CURSOR (f, UPDATE_CURSOR, 0, 0, 0, 0, 10, 0, 0, 0);
  SEND (f, UNREF, 10, 0);
  g_assert_true (vmm_display_take_cursor (f->display, &cursor));
  g_assert_false (cursor.visible);
}

int
main (int argc, char **argv)
{
  static const GpuTestCase tests[] = {
    { "/virtio-gpu/image", test_image },         { "/virtio-gpu/part", test_part },
    { "/virtio-gpu/window", test_window },       { "/virtio-gpu/blob", test_blob },
    { "/virtio-gpu/scattered", test_scattered }, { "/virtio-gpu/crooked-blob", test_crooked_blob },
    { "/virtio-gpu/unref", test_unref },         { "/virtio-gpu/off", test_off },
    { "/virtio-gpu/cursor", test_cursor },
  };

  g_test_init (&argc, &argv, NULL);
  return gpu_test_run_all (tests, G_N_ELEMENTS (tests));
}
