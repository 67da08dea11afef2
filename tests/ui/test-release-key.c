/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdReleaseKey: which key strokes give the keyboard back, and which do not.
 */
#include <glib.h>
#include <linux/input-event-codes.h>

#include "console/vd-release-key.h"

/* "+29 +56 -56": presses and releases by evdev code; returns how often it released. */
static guint
feed (VdReleaseChord chord, const char *strokes)
{
  VdReleaseKey key;
  g_auto (GStrv) words = g_strsplit (strokes, " ", -1);
  guint n = 0;

  vd_release_key_init (&key, chord);
  for (guint i = 0; words[i] != NULL; i++)
    n += vd_release_key_feed (&key, atoi (words[i] + 1), words[i][0] == '+');
  return n;
}

static void
test_chord (void)
{
  g_assert_cmpuint (feed (VD_RELEASE_CTRL_ALT, "+29 +56 -56 -29"), ==, 1);
  g_assert_cmpuint (feed (VD_RELEASE_CTRL_ALT, "+56 +29 -29 -56"), ==, 1);
  g_assert_cmpuint (feed (VD_RELEASE_CTRL_ALT, "+29 -29 +56 -56"), ==, 0);
}

static void
test_other_key_between (void)
{
  g_assert_cmpuint (feed (VD_RELEASE_CTRL_ALT, "+29 +56 +111 -111 -56 -29"), ==, 0);
  g_assert_cmpuint (feed (VD_RELEASE_CTRL_ALT, "+29 +30 +56 -56 -30 -29"), ==, 0);
  g_assert_cmpuint (feed (VD_RELEASE_CTRL_ALT, "+29 +56 +111 -111 -56 -29 +29 +56 -29 -56"), ==, 1);
}

static void
test_single_keys (void)
{
  g_assert_cmpuint (feed (VD_RELEASE_RIGHT_CTRL, "+97 -97"), ==, 1);
  g_assert_cmpuint (feed (VD_RELEASE_RIGHT_CTRL, "+97 +46 -46 -97"), ==, 0);
  g_assert_cmpuint (feed (VD_RELEASE_RIGHT_CTRL, "+29 -29"), ==, 0);
  g_assert_cmpuint (feed (VD_RELEASE_SCROLL_LOCK, "+70 -70"), ==, 1);
}

static void
test_labels (void)
{
  for (VdReleaseChord chord = VD_RELEASE_CTRL_ALT; chord <= VD_RELEASE_SCROLL_LOCK; chord++)
    g_assert_cmpstr (vd_release_chord_get_label (chord), !=, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/release-key/chord", test_chord);
  g_test_add_func ("/release-key/other-key-between", test_other_key_between);
  g_test_add_func ("/release-key/single-keys", test_single_keys);
  g_test_add_func ("/release-key/labels", test_labels);
  return g_test_run ();
}
