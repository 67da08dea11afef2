/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdScreen: the picture of a VdDisplay as a GdkPaintable. Apart from the console
 * because a paintable is all that drawing needs: it takes a frame when it is
 * drawn and at no other time, so what nobody sees costs nothing.
 *
 * The texture stands on the memory that the guest or the SPICE client shares with us:
 * no pixel is copied here.
 *
 * Threads: main.
 */
#pragma once

#include <gtk/gtk.h>

#include "vd-display.h"

G_BEGIN_DECLS

#define VD_TYPE_SCREEN (vd_screen_get_type ())
G_DECLARE_FINAL_TYPE (VdScreen, vd_screen, VD, SCREEN, GObject)

VdScreen *vd_screen_new (void);

/* NULL shows nothing. Keeps a reference. */
void vd_screen_set_display (VdScreen *self, VdDisplay *display);

/* Device pixels for each logical pixel where it is drawn: decides between crisp and smooth. */
void vd_screen_set_scale (VdScreen *self, double scale);

/* Size of the guest's picture in its own pixels; FALSE while there is none. */
gboolean vd_screen_get_size (VdScreen *self, guint *width, guint *height);

G_END_DECLS
