/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-release-key.h"

#include <glib/gi18n.h>
#include <linux/input-event-codes.h>

/* The bit of a key in a chord: its left and right twins share one. 0: not part of it. */
static guint
chord_bit (VdReleaseChord chord, guint evdev)
{
  switch (chord) {
  case VD_RELEASE_CTRL_ALT:
    if (evdev == KEY_LEFTCTRL || evdev == KEY_RIGHTCTRL)
      return 1;
    return evdev == KEY_LEFTALT ? 2 : 0;
  case VD_RELEASE_RIGHT_CTRL:
    return evdev == KEY_RIGHTCTRL ? 1 : 0;
  case VD_RELEASE_SCROLL_LOCK:
    return evdev == KEY_SCROLLLOCK ? 1 : 0;
  }
  return 0;
}

static guint
chord_bits (VdReleaseChord chord)
{
  return chord == VD_RELEASE_CTRL_ALT ? 3 : 1;
}

void
vd_release_key_init (VdReleaseKey *self, VdReleaseChord chord)
{
  *self = (VdReleaseKey) { .chord = chord };
}

gboolean
vd_release_key_feed (VdReleaseKey *self, guint evdev, gboolean pressed)
{
  guint bit = chord_bit (self->chord, evdev);
  gboolean released;

  if (bit == 0) {
    self->spoiled |= pressed && self->held != 0;
    return FALSE;
  }
  if (pressed) {
    self->held |= bit;
    self->complete |= self->held == chord_bits (self->chord);
    return FALSE;
  }

  released = self->complete && !self->spoiled;
  self->held &= ~bit;
  self->complete = FALSE;
  if (self->held == 0)
    self->spoiled = FALSE;
  return released;
}

const char *
vd_release_chord_get_label (VdReleaseChord chord)
{
  switch (chord) {
  case VD_RELEASE_CTRL_ALT:
    return _("Ctrl+Alt");
  case VD_RELEASE_RIGHT_CTRL:
    return _("Right Ctrl");
  case VD_RELEASE_SCROLL_LOCK:
    return _("Scroll Lock");
  }
  return "";
}
