/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a person can do with a machine, as GActions: one table serves the machine's
 * page, its console window, the menus and the shortcuts dialog. Actions follow the
 * machine's state.
 *
 * Threads: main.
 */
#pragma once

#include <gtk/gtk.h>

#include "vd-library.h"

G_BEGIN_DECLS

/* Puts a group named "machine" on @widget for @machine (NULL takes it away): start, pause,
 * resume, power-off, reset, save, discard, force-off, cancel. */
void vd_machine_actions_install (GtkWidget *widget, VdMachine *machine);

G_END_DECLS
