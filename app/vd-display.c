/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdDisplay: the abstract type and its two value structs. Engines subclass it in
 * local/ and spice/.
 *
 * Threads: main.
 */
#include "vd-display.h"

enum { CHANGED, CLOSED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_ABSTRACT_TYPE (VdDisplay, vd_display, G_TYPE_OBJECT)

void
vd_frame_clear (VdFrame *self)
{
  g_clear_pointer (&self->pixels, g_bytes_unref);
  *self = (VdFrame) { .dmabuf = -1 };
}

void
vd_cursor_clear (VdCursor *self)
{
  g_clear_pointer (&self->pixels, g_bytes_unref);
  *self = (VdCursor) { 0 };
}

gboolean
vd_display_take_frame (VdDisplay *self, VdFrame *frame)
{
  g_return_val_if_fail (VD_IS_DISPLAY (self), FALSE);

  *frame = (VdFrame) { .dmabuf = -1 };
  return VD_DISPLAY_GET_CLASS (self)->take_frame (self, frame);
}

gboolean
vd_display_take_cursor (VdDisplay *self, VdCursor *cursor)
{
  g_return_val_if_fail (VD_IS_DISPLAY (self), FALSE);

  *cursor = (VdCursor) { 0 };
  return VD_DISPLAY_GET_CLASS (self)->take_cursor (self, cursor);
}

gboolean
vd_display_peek_frame (VdDisplay *self, VdFrame *frame)
{
  g_return_val_if_fail (VD_IS_DISPLAY (self), FALSE);

  *frame = (VdFrame) { .dmabuf = -1 };
  return VD_DISPLAY_GET_CLASS (self)->peek_frame (self, frame);
}

void
vd_display_set_viewed (VdDisplay *self, gboolean viewed)
{
  g_return_if_fail (VD_IS_DISPLAY (self));

  VD_DISPLAY_GET_CLASS (self)->set_viewed (self, viewed);
}

void
vd_display_request_size (VdDisplay *self, guint width, guint height)
{
  g_return_if_fail (VD_IS_DISPLAY (self));

  VD_DISPLAY_GET_CLASS (self)->request_size (self, width, height);
}

void
vd_display_key (VdDisplay *self, guint evdev, gboolean pressed)
{
  g_return_if_fail (VD_IS_DISPLAY (self));

  VD_DISPLAY_GET_CLASS (self)->key (self, evdev, pressed);
}

void
vd_display_move (VdDisplay *self, double x, double y)
{
  g_return_if_fail (VD_IS_DISPLAY (self));

  VD_DISPLAY_GET_CLASS (self)->move (self, CLAMP (x, 0, 1), CLAMP (y, 0, 1));
}

void
vd_display_button (VdDisplay *self, guint evdev, gboolean pressed)
{
  g_return_if_fail (VD_IS_DISPLAY (self));

  VD_DISPLAY_GET_CLASS (self)->button (self, evdev, pressed);
}

void
vd_display_wheel (VdDisplay *self, int vertical, int horizontal)
{
  g_return_if_fail (VD_IS_DISPLAY (self));

  VD_DISPLAY_GET_CLASS (self)->wheel (self, vertical, horizontal);
}

void
vd_display_release_all (VdDisplay *self)
{
  g_return_if_fail (VD_IS_DISPLAY (self));

  VD_DISPLAY_GET_CLASS (self)->release_all (self);
}

void
vd_display_emit_changed (VdDisplay *self)
{
  g_signal_emit (self, signals[CHANGED], 0);
}

void
vd_display_emit_closed (VdDisplay *self)
{
  g_signal_emit (self, signals[CLOSED], 0);
}

static void
vd_display_class_init (VdDisplayClass *klass)
{
  /* A frame or a cursor waits to be taken; at most once until the next take. */
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
  /* There will be no frame any more. */
  signals[CLOSED] = g_signal_new ("closed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void
vd_display_init (VdDisplay *self)
{
}
