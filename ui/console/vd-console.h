/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdConsole: the widget in which a machine's screen is seen and worked with. Draws a
 * VdDisplay scaled to fit, sends it keys and the pointer, and shows the guest's cursor.
 *
 * While it has the keyboard ("captured"), every key goes to the guest, system shortcuts
 * too where the desktop allows it, until the release key. The pointer is absolute and
 * never caught.
 *
 * Properties: display (VdDisplay), captured (read-only), guest-width and guest-height
 * (read-only, 0 while there is no picture).
 *
 * Threads: main.
 */
#pragma once

#include <gtk/gtk.h>

#include "vd-display.h"

G_BEGIN_DECLS

#define VD_TYPE_CONSOLE (vd_console_get_type ())
G_DECLARE_FINAL_TYPE (VdConsole, vd_console, VD, CONSOLE, GtkWidget)

void vd_console_set_display (VdConsole *self, VdDisplay *display);
gboolean vd_console_get_captured (VdConsole *self);
/* Takes or gives back the keyboard. */
void vd_console_set_captured (VdConsole *self, gboolean captured);
/* Presses the keys (evdev codes, ends with 0) in order and lets go in reverse: Ctrl+Alt+Delete. */
void vd_console_send_keys (VdConsole *self, const guint *codes);
/* Size of the guest's picture; FALSE while there is none. */
gboolean vd_console_get_guest_size (VdConsole *self, guint *width, guint *height);

G_END_DECLS
