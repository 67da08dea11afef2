/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The keys of the window's actions: one table that sets them and fills the dialog that
 * shows them, so that the two cannot differ.
 *
 * Threads: main.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

void vd_shortcuts_install (GtkApplication *application);
AdwDialog *vd_shortcuts_dialog_new (void);

G_END_DECLS
