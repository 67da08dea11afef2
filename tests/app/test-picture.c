/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A frame as PNG: the colours in their places, and no byte read that is not there.
 */
#include "app-test.h"
#include "library/vd-picture.h"

#include <png.h>

#define W 3
#define H 2

static const guint32 fourccs[] = { 0x34325258, 0x34325241, 0x34324258, 0x34324241 };

/* Rows of five pixels behind eight bytes; (x, y) has red x + 1, green y + 1, blue 9. */
static void
make_frame (VdFrame *frame, guint32 fourcc)
{
  gsize stride = 5 * 4, size = 8 + stride + W * 4;
  guint8 *data = g_malloc (size);
  gboolean bgr = fourcc == fourccs[0] || fourcc == fourccs[1];

  memset (data, 0xee, size);
  for (guint y = 0; y < H; y++) {
    for (guint x = 0; x < W; x++) {
      guint8 *at = data + 8 + y * stride + x * 4;

      at[bgr ? 2 : 0] = x + 1;
      at[1] = y + 1;
      at[bgr ? 0 : 2] = 9;
    }
  }
  *frame = (VdFrame) { .pixels = g_bytes_new_take (data, size),
                       .offset = 8,
                       .width = W,
                       .height = H,
                       .stride = stride,
                       .fourcc = fourcc,
                       .dmabuf = -1 };
}

static void
test_formats (void)
{
  g_autofree char *folder = app_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.png", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (fourccs); i++) {
    png_image image = { .version = PNG_IMAGE_VERSION };
    guint8 rgb[W * H * 3];
    g_auto (VdFrame) frame = { 0 };
    g_autoptr (GError) error = NULL;

    make_frame (&frame, fourccs[i]);
    vd_frame_save_png (&frame, path, &error);
    g_assert_no_error (error);
    g_assert_true (png_image_begin_read_from_file (&image, path));
    g_assert_cmpuint (image.width, ==, W);
    g_assert_cmpuint (image.height, ==, H);
    image.format = PNG_FORMAT_RGB;
    g_assert_true (png_image_finish_read (&image, NULL, rgb, 0, NULL));
    for (guint p = 0; p < W * H; p++) {
      g_assert_cmpuint (rgb[p * 3], ==, p % W + 1);
      g_assert_cmpuint (rgb[p * 3 + 1], ==, p / W + 1);
      g_assert_cmpuint (rgb[p * 3 + 2], ==, 9);
    }
  }
  app_test_remove_folder (g_steal_pointer (&folder));
}

static void
assert_refused (const VdFrame *frame)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (vd_frame_save_png (frame, "/nowhere/a.png", &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_STATE);
}

static void
test_refused (void)
{
  g_auto (VdFrame) frame = { 0 };
  VdFrame bad = { 0 };
  g_autoptr (GError) error = NULL;

  assert_refused (&bad);
  make_frame (&frame, fourccs[0]);
  bad = frame;
  bad.height++;
  assert_refused (&bad);
  bad = frame;
  bad.offset++;
  assert_refused (&bad);
  bad = frame;
  bad.offset = G_MAXSIZE - 4;
  assert_refused (&bad);
  bad = frame;
  bad.stride = W * 4 - 1;
  assert_refused (&bad);
  bad = frame;
  bad.width = 0;
  assert_refused (&bad);
  bad = frame;
  bad.width = bad.stride = G_MAXUINT;
  assert_refused (&bad);
  bad = frame;
  bad.fourcc = 0;
  assert_refused (&bad);
  /* A good one into a place that is none. */
  g_assert_false (vd_frame_save_png (&frame, "/nowhere/a.png", &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_NOT_FOUND);
  g_clear_error (&error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/picture/formats", test_formats);
  g_test_add_func ("/picture/refused", test_refused);
  return g_test_run ();
}
