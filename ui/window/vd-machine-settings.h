/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdMachineSettings: the dialog in which a machine is changed after it was made.
 *
 * Threads: main.
 */
#pragma once

#include <adwaita.h>

#include "vd-library.h"

G_BEGIN_DECLS

#define VD_TYPE_MACHINE_SETTINGS (vd_machine_settings_get_type ())
G_DECLARE_FINAL_TYPE (VdMachineSettings, vd_machine_settings, VD, MACHINE_SETTINGS, AdwDialog)

/* @machine has a config that can be written. What a person changes is written by Apply. */
AdwDialog *vd_machine_settings_new (VdLibrary *library, VdMachine *machine);

G_END_DECLS
