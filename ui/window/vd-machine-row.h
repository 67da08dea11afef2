/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdMachineRow: one machine in the sidebar: thumbnail, name, state.
 *
 * Property: machine.
 *
 * Threads: main.
 */
#pragma once

#include <gtk/gtk.h>

#include "vd-machine.h"

G_BEGIN_DECLS

#define VD_TYPE_MACHINE_ROW (vd_machine_row_get_type ())
G_DECLARE_FINAL_TYPE (VdMachineRow, vd_machine_row, VD, MACHINE_ROW, GtkBox)

G_END_DECLS
