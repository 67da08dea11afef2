/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdWindow: the library: all machines in a sidebar, the selected one beside it, and what
 * one does with them. One window shows one library.
 *
 * Threads: main.
 */
#pragma once

#include <adwaita.h>

#include "vd-library.h"

G_BEGIN_DECLS

#define VD_TYPE_WINDOW (vd_window_get_type ())
G_DECLARE_FINAL_TYPE (VdWindow, vd_window, VD, WINDOW, AdwApplicationWindow)

VdWindow *vd_window_new (AdwApplication *application, VdLibrary *library);

/* The machine that is selected, borrowed, or NULL. */
VdMachine *vd_window_get_selected (VdWindow *self);
void vd_window_select (VdWindow *self, VdMachine *machine);
/* The machine's console, made when there is none yet. */
void vd_window_open_console (VdWindow *self, VdMachine *machine);
/* New Machine for @file. */
void vd_window_new_machine_for_file (VdWindow *self, GFile *file);
/* A short word at the bottom edge. */
void vd_window_say (VdWindow *self, const char *text);

G_END_DECLS
