/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdSpiceDisplay: the screen of a machine behind a SPICE server that hands out
 * connected sockets (virDomainOpenGraphicsFD). Each channel needs one of its own.
 *
 * Threads: main, except the function that opens a socket (the given worker).
 */
#pragma once

#include "library/vd-worker.h"
#include "vd-display.h"

G_BEGIN_DECLS

#define VD_TYPE_SPICE_DISPLAY (vd_spice_display_get_type ())
G_DECLARE_FINAL_TYPE (VdSpiceDisplay, vd_spice_display, VD, SPICE_DISPLAY, VdDisplay)

/* A new connection to the server, or -1 with error. Worker. */
typedef int (*VdSpiceOpen) (gpointer data, GError **error);

VdSpiceDisplay *vd_spice_display_new (void);
/* @owner is kept alive while a socket is being opened. */
void
vd_spice_display_connect (VdSpiceDisplay *self, VdWorker *worker, VdSpiceOpen open, GObject *owner);
gboolean vd_spice_display_is_connected (VdSpiceDisplay *self);
/* The last picture stays. */
void vd_spice_display_disconnect (VdSpiceDisplay *self);

G_END_DECLS
