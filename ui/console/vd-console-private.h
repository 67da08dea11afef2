/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What vd-console.c (drawing, size, life) and vd-console-input.c (keys, pointer,
 * capture) share. No one else includes this.
 *
 * Threads: main.
 */
#pragma once

#include "vd-console.h"
#include "vd-release-key.h"
#include "vd-screen.h"

G_BEGIN_DECLS

struct _VdConsole {
  GtkWidget parent_instance;

  /* Owned */
  GSettings *settings;
  VdDisplay *display;
  VdScreen *screen;
  GtkWidget *offload;
  gulong changed_handler;
  guint resize_timeout;
  guint64 cursor_serial;

  /* Where the picture is, in logical pixels of the widget */
  graphene_rect_t picture;

  /* Input */
  gboolean captured;
  VdReleaseKey release_key;
  GtkEventController *keys; /* borrowed from the window */
  double wheel_x, wheel_y;  /* parts of a notch not sent yet */
};

void vd_console_init_input (VdConsole *self);
void vd_console_leave_root (VdConsole *self);

G_END_DECLS
