/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The keyboard and the pointer of VdSpiceDisplay, in SPICE's words.
 *
 * Threads: main.
 */
#include "spice/vd-spice-display-private.h"
#include "spice/vd-spice-keys.h"

#include <linux/input-event-codes.h>

void
vd_spice_display_key (VdDisplay *display, guint evdev, gboolean pressed)
{
  VdSpiceDisplay *self = VD_SPICE_DISPLAY (display);
  guint scancode = vd_spice_scancode (evdev);

  if (self->inputs == NULL || scancode == 0)
    return;
  if (evdev < VD_SPICE_N_KEYS)
    self->held[evdev] = pressed;
  if (pressed)
    spice_inputs_channel_key_press (self->inputs, scancode);
  else
    spice_inputs_channel_key_release (self->inputs, scancode);
}

static gboolean
has_tablet (VdSpiceDisplay *self)
{
  int mode = SPICE_MOUSE_MODE_SERVER;

  if (self->main != NULL)
    g_object_get (self->main, "mouse-mode", &mode, NULL);
  return mode == SPICE_MOUSE_MODE_CLIENT;
}

void
vd_spice_display_move (VdDisplay *display, double x, double y)
{
  VdSpiceDisplay *self = VD_SPICE_DISPLAY (display);
  int to_x = x * (MAX (self->screen.width, 1) - 1) + 0.5;
  int to_y = y * (MAX (self->screen.height, 1) - 1) + 0.5;

  if (self->inputs == NULL)
    return;
  if (has_tablet (self))
    spice_inputs_channel_position (self->inputs, to_x, to_y, 0, self->buttons);
  else /* a mouse: as far as the pointer went */
    spice_inputs_channel_motion (self->inputs, to_x - self->x, to_y - self->y, self->buttons);
  self->x = to_x;
  self->y = to_y;
}

static int
convert_button (guint evdev, int *mask)
{
  switch (evdev) {
  case BTN_LEFT:
    *mask = SPICE_MOUSE_BUTTON_MASK_LEFT;
    return SPICE_MOUSE_BUTTON_LEFT;
  case BTN_MIDDLE:
    *mask = SPICE_MOUSE_BUTTON_MASK_MIDDLE;
    return SPICE_MOUSE_BUTTON_MIDDLE;
  case BTN_RIGHT:
    *mask = SPICE_MOUSE_BUTTON_MASK_RIGHT;
    return SPICE_MOUSE_BUTTON_RIGHT;
  case BTN_SIDE:
    *mask = SPICE_MOUSE_BUTTON_MASK_SIDE;
    return SPICE_MOUSE_BUTTON_SIDE;
  case BTN_EXTRA:
    *mask = SPICE_MOUSE_BUTTON_MASK_EXTRA;
    return SPICE_MOUSE_BUTTON_EXTRA;
  default:
    return SPICE_MOUSE_BUTTON_INVALID;
  }
}

void
vd_spice_display_button (VdDisplay *display, guint evdev, gboolean pressed)
{
  VdSpiceDisplay *self = VD_SPICE_DISPLAY (display);
  int mask = 0;
  int button = convert_button (evdev, &mask);

  if (self->inputs == NULL || button == SPICE_MOUSE_BUTTON_INVALID)
    return;
  if (pressed) {
    self->buttons |= mask;
    spice_inputs_channel_button_press (self->inputs, button, self->buttons);
  } else {
    self->buttons &= ~mask;
    spice_inputs_channel_button_release (self->inputs, button, self->buttons);
  }
}

/* There is no wheel in the protocol, only buttons; and none for the sideways one. */
void
vd_spice_display_wheel (VdDisplay *display, int vertical, int horizontal)
{
  VdSpiceDisplay *self = VD_SPICE_DISPLAY (display);
  int button = vertical > 0 ? SPICE_MOUSE_BUTTON_UP : SPICE_MOUSE_BUTTON_DOWN;

  for (int i = 0; self->inputs != NULL && i < ABS (vertical); i++) {
    spice_inputs_channel_button_press (self->inputs, button, self->buttons);
    spice_inputs_channel_button_release (self->inputs, button, self->buttons);
  }
}

void
vd_spice_display_release_all (VdDisplay *display)
{
  static const guint buttons[] = { BTN_LEFT, BTN_MIDDLE, BTN_RIGHT, BTN_SIDE, BTN_EXTRA };
  VdSpiceDisplay *self = VD_SPICE_DISPLAY (display);

  for (guint i = 0; i < VD_SPICE_N_KEYS; i++)
    if (self->held[i])
      vd_spice_display_key (display, i, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (buttons); i++) {
    int mask = 0;

    convert_button (buttons[i], &mask);
    if (self->buttons & mask)
      vd_spice_display_button (display, buttons[i], FALSE);
  }
}
