/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdDiskRow: a disk of a machine, or a CD drive whose disc can be changed, also while the machine
 * runs. Where that cannot be, its buttons say why.
 *
 * Threads: main.
 */
#pragma once

#include <adwaita.h>

#include "vd-library.h"

G_BEGIN_DECLS

#define VD_TYPE_DISK_ROW (vd_disk_row_get_type ())
G_DECLARE_FINAL_TYPE (VdDiskRow, vd_disk_row, VD, DISK_ROW, AdwActionRow)

/* @disk is of @machine's configuration; @drive: how many CD drives are before it. */
GtkWidget *
vd_disk_row_new (VdLibrary *library, VdMachine *machine, VdDiskConfig *disk, guint drive);

G_END_DECLS
