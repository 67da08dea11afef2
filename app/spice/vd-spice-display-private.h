/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The struct of VdSpiceDisplay, for the two files that make it.
 *
 * Threads: main.
 */
#pragma once

#include "spice/vd-spice-display.h"
#include "spice/vd-spice-screen.h"

#include <spice-client.h>

G_BEGIN_DECLS

#define VD_SPICE_N_KEYS 256 /* evdev codes that have a scancode */

struct _VdSpiceDisplay {
  VdDisplay parent_instance;

  /* Owned */
  SpiceSession *session; /* NULL while not connected */
  VdWorker *worker;
  GObject *owner;
  VdSpiceScreen screen;
  VdCursor cursor;

  /* Borrowed: the session's; main and inputs only while they are open */
  SpiceMainChannel *main;
  SpiceDisplayChannel *display;
  SpiceCursorChannel *pointer;
  SpiceInputsChannel *inputs;

  VdSpiceOpen open;
  gboolean viewed;
  gboolean woken; /* "changed" was said and nobody has taken since */
  gboolean cursor_changed;
  gboolean held[VD_SPICE_N_KEYS];
  int buttons; /* SPICE_MOUSE_BUTTON_MASK_* */
  int x, y;    /* where the pointer was last, guest pixels */
};

/* vd-spice-input.c: of VdDisplayClass. */
void vd_spice_display_key (VdDisplay *display, guint evdev, gboolean pressed);
void vd_spice_display_move (VdDisplay *display, double x, double y);
void vd_spice_display_button (VdDisplay *display, guint evdev, gboolean pressed);
void vd_spice_display_wheel (VdDisplay *display, int vertical, int horizontal);
void vd_spice_display_release_all (VdDisplay *display);

G_END_DECLS
