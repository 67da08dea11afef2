/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-gpu: requests that are wrong, or want too much.
 */
#include <string.h>

#include "gpu-test.h"

static void
test_wrong_images (GpuTest *f, gconstpointer data)
{
  g_assert_cmphex (SEND (f, CREATE_2D, 0, XRGB, 10, 10), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, 99, 10, 10), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, 0, 10), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, 10, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, 100000, 1), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, G_MAXUINT32, G_MAXUINT32), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, 16384, 16384), ==, OUT_OF_MEMORY);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB), ==, INVALID_PARAMETER); /* cut short */
  gpu_test_make_image (f);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, 10, 10), ==, INVALID_RESOURCE);
  g_assert_cmphex (gpu_test_create_blob (f, 1, f->pixels, PAGE), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, f->pixels, 0, PAGE, 0), ==, UNSPEC);
  g_assert_cmphex (SEND (f, DETACH, 1, 0), ==, OK);
  g_assert_cmphex (SEND (f, DETACH, 1, 0), ==, UNSPEC);
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 1, 1, 0, 0, 1, 0), ==, UNSPEC);
  g_assert_cmphex (SEND (f, DETACH, 2, 0), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, 0x999, 0), ==, UNSPEC);
  g_assert_cmpuint (f->guest->platform.n_broken, ==, 0);
}

static void
test_wrong_entries (GpuTest *f, gconstpointer data)
{
  SEND (f, CREATE_2D, 1, XRGB, 100, 50);
  g_assert_cmphex (SEND (f, ATTACH, 2, 1, f->pixels, 0, PAGE, 0), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, ATTACH, 1, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, ATTACH, 1, 2, f->pixels, 0, PAGE, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, ATTACH, 1, G_MAXUINT32, f->pixels, 0, PAGE, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, f->pixels, 0, 0, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, FAKE_MEMORY - 10, 0, PAGE, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, 0, G_MAXUINT32, PAGE, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, 0xfffff000, G_MAXUINT32, PAGE * 2, 0), ==,
                   INVALID_PARAMETER);
  /* None of them stayed. */
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, f->pixels, 0, 20000, 0), ==, OK);
}

static void
test_wrong_transfers (GpuTest *f, gconstpointer data)
{
  gpu_test_make_image (f);
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 101, 50, 0, 0, 1, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, TRANSFER, 1, 0, 100, 50, 0, 0, 1, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, TRANSFER, G_MAXUINT32, 0, 2, 1, 0, 0, 1, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, TRANSFER, 0, G_MAXUINT32 - 1, 1, 3, 0, 0, 1, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 100, 50, 4, 0, 1, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 1, 1, 20000, 0, 1, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 1, 1, G_MAXUINT32, G_MAXUINT32, 1, 0), ==,
                   INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 1, 1, 0, 0, 7, 0), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 0, 0, 0, 0, 1, 0), ==, OK);
  g_assert_cmphex (SEND (f, TRANSFER, 99, 49, 1, 1, 19996, 0, 1, 0), ==, OK);
  g_assert_cmpuint (gpu_test_get_copied (f), ==, 4);
}

static void
test_wrong_screens (GpuTest *f, gconstpointer data)
{
  gpu_test_make_image (f);
  gpu_test_create_blob (f, 2, f->pixels, 10 * PAGE);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 0, 0, 100, 50, 1, 1), ==, INVALID_SCANOUT);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 0, 0, 100, 50, 0, 3), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 0, 0, 100, 50, 0, 2), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 0, 0, 100, 51, 0, 1), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, SET_SCANOUT, G_MAXUINT32, 0, 100, 50, 0, 1), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 0, 0, 0, 50, 0, 1), ==, INVALID_PARAMETER);
  g_assert_cmphex (gpu_test_show_blob (f, 1, 100, 50, 400, 0), ==, INVALID_RESOURCE);
  g_assert_cmphex (gpu_test_show_blob (f, 2, 100, 103, 400, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (gpu_test_show_blob (f, 2, 100, 50, 396, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (gpu_test_show_blob (f, 2, 100, 50, 402, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (gpu_test_show_blob (f, 2, 100, 50, 400, 40964), ==, INVALID_PARAMETER);
  g_assert_cmphex (gpu_test_show_blob (f, 2, 100, 50, 400, 20964), ==, INVALID_PARAMETER);
  g_assert_cmphex (gpu_test_show_blob (f, 2, 100, 50, 400, 2), ==, INVALID_PARAMETER);
  g_assert_cmphex (gpu_test_show_blob (f, 2, 20000, 1, 80000, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (gpu_test_show_blob (f, 2, 100, 50, 0xfffffffc, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (gpu_test_show_blob (f, 2, G_MAXUINT32, G_MAXUINT32, 0xfffffffc, 0), ==,
                   INVALID_PARAMETER);
  gpu_test_check_off (f);
  g_assert_cmphex (gpu_test_show_blob (f, 2, 100, 50, 400, 20960), ==, OK);
}

static void
test_wrong_blobs (GpuTest *f, gconstpointer data)
{
  /* Host memory, no memory, more than the entries have, more than anybody needs. */
  g_assert_cmphex (SEND (f, CREATE_BLOB, 1, 2, 1, 1, 0, 0, PAGE, 0, f->pixels, 0, PAGE, 0), ==,
                   INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_BLOB, 1, 1, 1, 1, 0, 0, 0, 0, f->pixels, 0, PAGE, 0), ==,
                   INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_BLOB, 1, 1, 1, 1, 0, 0, PAGE + 1, 0, f->pixels, 0, PAGE, 0), ==,
                   INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_BLOB, 1, 1, 1, 1, 0, 0, 0, 1, f->pixels, 0, PAGE, 0), ==,
                   INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_BLOB, 1, 1, 1, 0, 0, 0, PAGE, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_BLOB, 0, 1, 1, 1, 0, 0, PAGE, 0, f->pixels, 0, PAGE, 0), ==,
                   INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, f->pixels, 0, PAGE, 0), ==, INVALID_RESOURCE);
  gpu_test_create_blob (f, 1, f->pixels, PAGE);
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, f->pixels, 0, PAGE, 0), ==, UNSPEC);
  g_assert_cmphex (SEND (f, DETACH, 1, 0), ==, UNSPEC);
  g_assert_cmphex (SEND (f, FLUSH, G_MAXUINT32, G_MAXUINT32, 5, 5, 1, 0), ==, OK);
  g_assert_cmphex (SEND (f, FLUSH, 0, 0, G_MAXUINT32, 5, 1, 0), ==, INVALID_PARAMETER);
}

/* Host memory has an end, long before the host's has. */
static void
test_greed (GpuTest *f, gconstpointer data)
{
  guint32 answer = OK;
  guint n = 0;

  while (answer == OK && n < 1000)
    answer = SEND (f, CREATE_2D, ++n, XRGB, 4096, 4096);
  g_assert_cmphex (answer, ==, OUT_OF_MEMORY);
  g_assert_cmpuint (n, <=, 9);
  g_assert_cmphex (SEND (f, UNREF, 1, 0), ==, OK);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, 4096, 4096), ==, OK);
  fake_driver_set_status (f->driver, 0);
  fake_driver_free (f->driver);
  f->driver = fake_driver_new (f->guest, f->device, 0x0a);
  for (n = 1, answer = OK; answer == OK && n < 100000; n++)
    answer = SEND (f, CREATE_2D, n, XRGB, 1, 1);
  g_assert_cmphex (answer, ==, OUT_OF_MEMORY);
  g_assert_cmpuint (n, <, 10000);
}

int
main (int argc, char **argv)
{
  static const GpuTestCase tests[] = {
    { "/virtio-gpu/wrong-images", test_wrong_images },
    { "/virtio-gpu/wrong-entries", test_wrong_entries },
    { "/virtio-gpu/wrong-transfers", test_wrong_transfers },
    { "/virtio-gpu/wrong-screens", test_wrong_screens },
    { "/virtio-gpu/wrong-blobs", test_wrong_blobs },
    { "/virtio-gpu/greed", test_greed },
  };

  g_test_init (&argc, &argv, NULL);
  return gpu_test_run_all (tests, G_N_ELEMENTS (tests));
}
