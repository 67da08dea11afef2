/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vd-texture: frames of every format become textures of the right colours, and frames that lie
 * about their size become none.
 */
#include <drm/drm_fourcc.h>
#include <gtk/gtk.h>

#include "console/vd-texture.h"

#define WIDTH  8
#define HEIGHT 4

static VdFrame
make_frame (guint32 fourcc, const guint8 pixel[4])
{
  guint8 *data = g_malloc (WIDTH * HEIGHT * 4);

  for (guint i = 0; i < WIDTH * HEIGHT; i++)
    memcpy (data + i * 4, pixel, 4);
  return (VdFrame) { .pixels = g_bytes_new_take (data, WIDTH * HEIGHT * 4),
                     .width = WIDTH,
                     .height = HEIGHT,
                     .stride = WIDTH * 4,
                     .fourcc = fourcc,
                     .dmabuf = -1 };
}

static guint32
colour_at (GdkTexture *texture, guint x, guint y)
{
  guint width = gdk_texture_get_width (texture), height = gdk_texture_get_height (texture);
  g_autofree guint32 *pixels = g_new (guint32, (gsize) width * height);

  gdk_texture_download (texture, (guchar *) pixels, width * 4);
  return pixels[y * width + x] & 0xffffff;
}

static void
test_formats (void)
{
  static const struct {
    guint32 fourcc;
    guint8 pixel[4];
  } cases[] = {
    { DRM_FORMAT_XRGB8888, { 0x33, 0x22, 0x11, 0 } },
    { DRM_FORMAT_ARGB8888, { 0x33, 0x22, 0x11, 0xff } },
    { DRM_FORMAT_XBGR8888, { 0x11, 0x22, 0x33, 0 } },
    { DRM_FORMAT_ABGR8888, { 0x11, 0x22, 0x33, 0xff } },
    { DRM_FORMAT_BGRX8888, { 0, 0x11, 0x22, 0x33 } },
    { DRM_FORMAT_BGRA8888, { 0xff, 0x11, 0x22, 0x33 } },
    { DRM_FORMAT_RGBX8888, { 0, 0x33, 0x22, 0x11 } },
    { DRM_FORMAT_RGBA8888, { 0xff, 0x33, 0x22, 0x11 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (VdFrame) frame = make_frame (cases[i].fourcc, cases[i].pixel);
    g_autoptr (GdkTexture) texture = vd_texture_new_for_frame (&frame, NULL);
    g_autoptr (GdkTexture) small = vd_texture_new_thumbnail (&frame, 4, 4);

    g_assert_nonnull (texture);
    g_assert_cmphex (colour_at (texture, WIDTH - 1, HEIGHT - 1), ==, 0x112233);
    g_assert_cmpint (gdk_texture_get_width (small), ==, 4);
    g_assert_cmpint (gdk_texture_get_height (small), ==, 2);
    g_assert_cmphex (colour_at (small, 3, 1), ==, 0x112233);
  }
}

/* No byte is copied: the texture stands on the frame's bytes and keeps them. */
static void
test_shares_pixels (void)
{
  g_auto (VdFrame) frame = make_frame (DRM_FORMAT_XRGB8888, (guint8[4]) { 1, 2, 3, 0 });
  GdkTexture *texture = vd_texture_new_for_frame (&frame, NULL);
  guint8 *pixels = (guint8 *) g_bytes_get_data (frame.pixels, NULL);

  pixels[0] = 0xee;
  g_assert_cmphex (colour_at (texture, 0, 0) & 0xff, ==, 0xee);
  g_object_unref (texture);
}

static void
test_lies (void)
{
  g_auto (VdFrame) good = make_frame (DRM_FORMAT_XRGB8888, (guint8[4]) { 1, 2, 3, 0 });
  VdFrame bad;

#define REFUSED(change)                                                                            \
  bad = good;                                                                                      \
  change;                                                                                          \
  g_assert_null (vd_texture_new_for_frame (&bad, NULL));                                           \
  g_assert_null (vd_texture_new_thumbnail (&bad, 16, 16))

  REFUSED (bad.height = HEIGHT + 1);
  REFUSED (bad.width = WIDTH + 1);
  REFUSED (bad.stride = WIDTH * 4 - 4);
  REFUSED (bad.stride = G_MAXUINT);
  REFUSED (bad.offset = 4);
  REFUSED (bad.offset = G_MAXSIZE);
  REFUSED (bad.width = 0);
  REFUSED (bad.height = G_MAXUINT);
  REFUSED (bad.fourcc = DRM_FORMAT_NV12);
  REFUSED (bad.pixels = NULL);
}

static void
test_cursor (void)
{
  VdCursor cursor = { .visible = TRUE, .width = 2, .height = 2, .serial = 1 };
  g_autoptr (GBytes) enough = g_bytes_new ("\1\2\3\377\1\2\3\377\1\2\3\377\1\2\3\377", 16);
  g_autoptr (GBytes) short_one = g_bytes_new ("\1\2\3\377", 4);
  g_autoptr (GdkTexture) texture = NULL;

  cursor.pixels = enough;
  texture = vd_texture_new_for_cursor (&cursor);
  g_assert_cmphex (colour_at (texture, 1, 1), ==, 0x030201);
  cursor.pixels = short_one;
  g_assert_null (vd_texture_new_for_cursor (&cursor));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gtk_init ();
  g_test_add_func ("/texture/formats", test_formats);
  g_test_add_func ("/texture/shares-pixels", test_shares_pixels);
  g_test_add_func ("/texture/lies", test_lies);
  g_test_add_func ("/texture/cursor", test_cursor);
  return g_test_run ();
}
