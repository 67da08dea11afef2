/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What of SPICE needs no server: the keys and the picture.
 */
#include "spice/vd-spice-keys.h"
#include "spice/vd-spice-screen.h"

#include <linux/input-event-codes.h>
#include <string.h>

static void
test_keys (void)
{
  g_assert_cmpuint (vd_spice_scancode (KEY_ESC), ==, 0x01);
  g_assert_cmpuint (vd_spice_scancode (KEY_A), ==, 0x1e);
  g_assert_cmpuint (vd_spice_scancode (KEY_SPACE), ==, 0x39);
  g_assert_cmpuint (vd_spice_scancode (KEY_F10), ==, 0x44);
  g_assert_cmpuint (vd_spice_scancode (KEY_F11), ==, 0x57);
  g_assert_cmpuint (vd_spice_scancode (KEY_KPDOT), ==, 0x53);
  g_assert_cmpuint (vd_spice_scancode (KEY_RIGHTCTRL), ==, 0x11d);
  g_assert_cmpuint (vd_spice_scancode (KEY_UP), ==, 0x148);
  g_assert_cmpuint (vd_spice_scancode (KEY_LEFTMETA), ==, 0x15b);
  g_assert_cmpuint (vd_spice_scancode (KEY_RESERVED), ==, 0);
  g_assert_cmpuint (vd_spice_scancode (KEY_MAX), ==, 0);
  g_assert_cmpuint (vd_spice_scancode (G_MAXUINT), ==, 0);
}

/* No two keys are the same one. */
static void
test_keys_differ (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  for (guint key = 0; key < KEY_MAX; key++) {
    guint code = vd_spice_scancode (key);

    g_assert_true (code == 0 || g_hash_table_add (seen, GUINT_TO_POINTER (code)));
  }
  g_assert_cmpuint (g_hash_table_size (seen), >, 110);
}

#define W 64
#define H 32

static guint32
pixel (const VdFrame *frame, int x, int y)
{
  const guint8 *data = g_bytes_get_data (frame->pixels, NULL);
  guint32 value;

  memcpy (&value, data + y * frame->stride + x * 4, 4);
  return value;
}

static void
test_screen (void)
{
  g_autofree guint32 *source = g_new0 (guint32, W * H);
  VdSpiceScreen screen = { 0 };
  g_auto (VdFrame) frame = { 0 };
  guint64 serial;

  g_assert_false (vd_spice_screen_take (&screen, &frame));
  g_assert_true (vd_spice_screen_set_source (&screen, (guint8 *) source, W, H, W * 4));
  g_assert_true (vd_spice_screen_take (&screen, &frame));
  g_assert_cmpuint (frame.width, ==, W);
  g_assert_cmpint (frame.damage.width, ==, W);
  vd_frame_clear (&frame);
  g_assert_false (vd_spice_screen_take (&screen, &frame));

  /* Only what is drawn on the screen makes another picture of it. */
  vd_spice_screen_peek (&screen, &frame);
  serial = frame.serial;
  g_assert_cmpuint (serial, !=, 0);
  vd_frame_clear (&frame);
  vd_spice_screen_draw (&screen, &(VdRect) { W, H, 4, 5 });
  vd_spice_screen_peek (&screen, &frame);
  g_assert_cmpuint (frame.serial, ==, serial);
  vd_frame_clear (&frame);
  vd_spice_screen_draw (&screen, &(VdRect) { 2, 3, 1, 1 });
  vd_spice_screen_peek (&screen, &frame);
  g_assert_cmpuint (frame.serial, !=, serial);
  vd_frame_clear (&frame);
  g_assert_true (vd_spice_screen_take (&screen, &frame));
  vd_frame_clear (&frame);

  /* Two rectangles become the one around both; what was not drawn is not looked at. */
  for (guint i = 0; i < W * H; i++)
    source[i] = i + 1;
  vd_spice_screen_draw (&screen, &(VdRect) { 2, 3, 4, 5 });
  vd_spice_screen_draw (&screen, &(VdRect) { 10, 3, 1, 1 });
  g_assert_true (vd_spice_screen_take (&screen, &frame));
  g_assert_cmpint (frame.damage.x, ==, 2);
  g_assert_cmpint (frame.damage.y, ==, 3);
  g_assert_cmpint (frame.damage.width, ==, 9);
  g_assert_cmpint (frame.damage.height, ==, 5);
  g_assert_cmpuint (pixel (&frame, 2, 3), ==, 3 * W + 2 + 1);
  g_assert_cmpuint (pixel (&frame, 10, 7), ==, 7 * W + 10 + 1);
  g_assert_cmpuint (pixel (&frame, 1, 3), ==, 0);
  g_assert_cmpuint (pixel (&frame, 11, 3), ==, 0);
  g_assert_cmpuint (pixel (&frame, 2, 8), ==, 0);
  vd_spice_screen_clear (&screen);
}

static void
test_screen_hostile (void)
{
  g_autofree guint32 *source = g_new0 (guint32, W * H);
  VdSpiceScreen screen = { 0 };
  static const VdRect rects[] = {
    { -5, -5, 10, 10 },
    { W - 1, H - 1, 1000, 1000 },
    { G_MAXINT, G_MAXINT, G_MAXINT, G_MAXINT },
    { G_MININT, G_MININT, G_MAXINT, G_MAXINT },
    { 0, 0, -1, -1 },
    { 5, 5, G_MAXINT, G_MAXINT },
  };

  g_assert_true (vd_spice_screen_set_source (&screen, (guint8 *) source, W, H, W * 4));
  for (guint i = 0; i < G_N_ELEMENTS (rects); i++) {
    g_auto (VdFrame) frame = { 0 };

    vd_spice_screen_draw (&screen, &rects[i]);
    vd_spice_screen_take (&screen, &frame);
    g_assert_cmpint (frame.damage.x, >=, 0);
    g_assert_cmpint (frame.damage.x + frame.damage.width, <=, W);
    g_assert_cmpint (frame.damage.y + frame.damage.height, <=, H);
  }
  g_assert_false (vd_spice_screen_set_source (&screen, (guint8 *) source, 0, H, W * 4));
  g_assert_false (vd_spice_screen_set_source (&screen, (guint8 *) source, W, H, W * 4 - 1));
  g_assert_false (vd_spice_screen_set_source (&screen, (guint8 *) source, 100000, H, 400000));
  vd_spice_screen_clear (&screen);
}

/* The pixels of the library are gone; the last picture, all of it, stays. */
static void
test_screen_outlives_its_source (void)
{
  guint32 *source = g_new0 (guint32, W * H);
  VdSpiceScreen screen = { 0 };
  g_auto (VdFrame) frame = { 0 };

  vd_spice_screen_set_source (&screen, (guint8 *) source, W, H, W * 4);
  source[W * H - 1] = 7;
  vd_spice_screen_set_source (&screen, NULL, 0, 0, 0);
  g_free (source);
  vd_spice_screen_draw (&screen, &(VdRect) { 0, 0, W, H });
  vd_spice_screen_peek (&screen, &frame);
  g_assert_cmpuint (pixel (&frame, W - 1, H - 1), ==, 7);
  vd_spice_screen_clear (&screen);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spice/keys", test_keys);
  g_test_add_func ("/spice/keys-differ", test_keys_differ);
  g_test_add_func ("/spice/screen", test_screen);
  g_test_add_func ("/spice/screen-hostile", test_screen_hostile);
  g_test_add_func ("/spice/screen-outlives-its-source", test_screen_outlives_its_source);
  return g_test_run ();
}
