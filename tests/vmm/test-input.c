/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmInput: which device hears what, and what is held.
 */
#include <linux/input-event-codes.h>
#include <math.h>

#include "device/vmm-input-sink.h"

typedef struct {
  VmmInput *input;
  GString *heard;
  gboolean deaf;
} Fixture;

static gboolean
hear (Fixture *f, const char *who, const VmmInputEvent *events, guint n)
{
  if (f->deaf)
    return FALSE;
  g_assert_cmpuint (n, >=, 2);
  g_assert_cmpuint (events[n - 1].type, ==, EV_SYN);
  g_string_append (f->heard, who);
  for (guint i = 0; i + 1 < n; i++)
    g_string_append_printf (f->heard, " %u/%u=%d", events[i].type, events[i].code, events[i].value);
  g_string_append (f->heard, ";");
  return TRUE;
}

static gboolean
keyboard (gpointer data, const VmmInputEvent *events, guint n)
{
  return hear (data, "k", events, n);
}

static gboolean
tablet (gpointer data, const VmmInputEvent *events, guint n)
{
  return hear (data, "t", events, n);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->heard = g_string_new ("");
  f->input = vmm_input_new ();
  static const VmmInputSink keyboard_sink = { NULL, keyboard }, tablet_sink = { NULL, tablet };

  vmm_input_set_sink (f->input, VMM_INPUT_KEYBOARD, VMM_INPUT_VIRTIO, &keyboard_sink, f);
  vmm_input_set_sink (f->input, VMM_INPUT_TABLET, VMM_INPUT_VIRTIO, &tablet_sink, f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  vmm_input_free (f->input);
  g_string_free (f->heard, TRUE);
}

static void
check (Fixture *f, const char *expected)
{
  g_assert_cmpstr (f->heard->str, ==, expected);
  g_string_truncate (f->heard, 0);
}

static void
test_keys (Fixture *f, gconstpointer data)
{
  vmm_input_key (f->input, KEY_A, TRUE);
  vmm_input_key (f->input, KEY_A, TRUE); /* a toolkit repeats; so does the guest */
  vmm_input_key (f->input, KEY_A, 5);
  check (f, "k 1/30=1;");
  vmm_input_key (f->input, KEY_A, FALSE);
  vmm_input_key (f->input, KEY_A, FALSE);
  check (f, "k 1/30=0;");
  vmm_input_key (f->input, KEY_RESERVED, TRUE);
  vmm_input_key (f->input, KEY_CNT, TRUE);
  vmm_input_key (f->input, G_MAXUINT, TRUE);
  vmm_input_key (f->input, BTN_LEFT, TRUE);
  check (f, "");
}

static void
test_pointer (Fixture *f, gconstpointer data)
{
  vmm_input_button (f->input, BTN_LEFT, TRUE);
  vmm_input_button (f->input, BTN_LEFT, FALSE);
  vmm_input_button (f->input, KEY_A, TRUE);
  check (f, "t 1/272=1;t 1/272=0;");
  vmm_input_wheel (f->input, 2, 0);
  vmm_input_wheel (f->input, 0, -1);
  vmm_input_wheel (f->input, 1, 1);
  vmm_input_wheel (f->input, 0, 0);
  check (f, "t 2/8=2;t 2/6=-1;t 2/8=1 2/6=1;");
}

static void
test_places (Fixture *f, gconstpointer data)
{
  vmm_input_move (f->input, 0, 1);
  check (f, "t 3/0=0 3/1=32767;");
  vmm_input_move (f->input, 0.5, 0.25);
  check (f, "t 3/0=16384 3/1=8192;");
  vmm_input_move (f->input, -5, 7);
  check (f, "t 3/0=0 3/1=32767;");
  vmm_input_move (f->input, NAN, INFINITY);
  check (f, "t 3/0=0 3/1=32767;");
  vmm_input_move (f->input, -INFINITY, NAN);
  check (f, "t 3/0=0 3/1=0;");
}

static void
test_release_all (Fixture *f, gconstpointer data)
{
  vmm_input_key (f->input, KEY_LEFTSHIFT, TRUE);
  vmm_input_key (f->input, KEY_A, TRUE);
  vmm_input_button (f->input, BTN_RIGHT, TRUE);
  check (f, "k 1/42=1;k 1/30=1;t 1/273=1;");
  vmm_input_release_all (f->input);
  check (f, "k 1/30=0;k 1/42=0;t 1/273=0;");
  vmm_input_release_all (f->input);
  check (f, "");
}

/* A press that the guest did not hear of may come again, and its release is no news. */
static void
test_deaf (Fixture *f, gconstpointer data)
{
  f->deaf = TRUE;
  vmm_input_key (f->input, KEY_A, TRUE);
  f->deaf = FALSE;
  vmm_input_key (f->input, KEY_A, TRUE);
  check (f, "k 1/30=1;");
  vmm_input_key (f->input, KEY_A, FALSE);
  check (f, "k 1/30=0;");
  f->deaf = TRUE;
  vmm_input_key (f->input, KEY_A, TRUE);
  f->deaf = FALSE;
  vmm_input_key (f->input, KEY_A, FALSE);
  check (f, "");
}

/* A guest that was reset holds nothing; a key that is still down is pressed for it anew. */
static void
test_forget (Fixture *f, gconstpointer data)
{
  vmm_input_key (f->input, KEY_A, TRUE);
  vmm_input_key (f->input, KEY_B, TRUE);
  vmm_input_button (f->input, BTN_LEFT, TRUE);
  check (f, "k 1/30=1;k 1/48=1;t 1/272=1;");
  vmm_input_forget (f->input, VMM_INPUT_KEYBOARD);
  vmm_input_key (f->input, KEY_A, TRUE);
  vmm_input_button (f->input, BTN_LEFT, TRUE);
  check (f, "k 1/30=1;");
  vmm_input_release_all (f->input);
  check (f, "k 1/30=0;t 1/272=0;");
  vmm_input_button (f->input, BTN_LEFT, TRUE);
  vmm_input_forget (f->input, VMM_INPUT_TABLET);
  vmm_input_button (f->input, BTN_LEFT, FALSE);
  check (f, "t 1/272=1;");
}

static void
test_no_sink (Fixture *f, gconstpointer data)
{
  vmm_input_key (f->input, KEY_A, TRUE);
  vmm_input_set_sink (f->input, VMM_INPUT_KEYBOARD, VMM_INPUT_VIRTIO, NULL, NULL);
  vmm_input_key (f->input, KEY_B, TRUE);
  vmm_input_release_all (f->input);
  vmm_input_move (f->input, 0, 0);
  check (f, "k 1/30=1;t 3/0=0 3/1=0;");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/input/keys", Fixture, NULL, set_up, test_keys, tear_down);
  g_test_add ("/input/pointer", Fixture, NULL, set_up, test_pointer, tear_down);
  g_test_add ("/input/places", Fixture, NULL, set_up, test_places, tear_down);
  g_test_add ("/input/release-all", Fixture, NULL, set_up, test_release_all, tear_down);
  g_test_add ("/input/deaf", Fixture, NULL, set_up, test_deaf, tear_down);
  g_test_add ("/input/forget", Fixture, NULL, set_up, test_forget, tear_down);
  g_test_add ("/input/no-sink", Fixture, NULL, set_up, test_no_sink, tear_down);
  return g_test_run ();
}
