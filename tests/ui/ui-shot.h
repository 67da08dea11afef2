/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pictures of windows as they are drawn.
 *
 * Threads: main.
 */
#pragma once

#include <gtk/gtk.h>

#include "vd-machine.h"

G_BEGIN_DECLS

/* Animations run to their end, and what was posted has come. */
void ui_shot_settle (guint ms);
void ui_shot_save (GtkWindow *window, const char *path);
/* Whether the machine's screen has many shades, as the sample's landscape; text has few. */
gboolean ui_shot_shows_picture (VdMachine *machine);

G_END_DECLS
