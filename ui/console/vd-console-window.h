/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdConsoleWindow: a machine's screen in a window of its own, with its power button,
 * special keys, screenshot and fullscreen. Stays open when the machine stops and says so.
 *
 * Threads: main.
 */
#pragma once

#include <adwaita.h>

#include "vd-machine.h"

G_BEGIN_DECLS

#define VD_TYPE_CONSOLE_WINDOW (vd_console_window_get_type ())
G_DECLARE_FINAL_TYPE (VdConsoleWindow, vd_console_window, VD, CONSOLE_WINDOW, AdwApplicationWindow)

VdConsoleWindow *vd_console_window_new (GtkApplication *application, VdMachine *machine);

G_END_DECLS
