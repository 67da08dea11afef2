/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdThumbnail: the small live picture of a machine, for the list and the machine's
 * page. Refreshed once a second while it is on the screen and the machine runs;
 * otherwise the last picture that was saved.
 *
 * Property: machine (VdMachine).
 *
 * Threads: main.
 */
#pragma once

#include <gtk/gtk.h>

#include "vd-machine.h"

G_BEGIN_DECLS

#define VD_TYPE_THUMBNAIL (vd_thumbnail_get_type ())
G_DECLARE_FINAL_TYPE (VdThumbnail, vd_thumbnail, VD, THUMBNAIL, GtkWidget)

void vd_thumbnail_set_machine (VdThumbnail *self, VdMachine *machine);

G_END_DECLS
