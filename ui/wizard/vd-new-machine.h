/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdNewMachine: from a file, or from the sample, to a machine: a page on which one
 * chooses where it starts from, one page to look it over, and Create.
 *
 * Signal: created (uuid), when the machine is in the library; the dialog closes itself.
 *
 * Threads: main.
 */
#pragma once

#include <adwaita.h>

#include "vd-library.h"

G_BEGIN_DECLS

#define VD_TYPE_NEW_MACHINE (vd_new_machine_get_type ())
G_DECLARE_FINAL_TYPE (VdNewMachine, vd_new_machine, VD, NEW_MACHINE, AdwDialog)

VdNewMachine *vd_new_machine_new (VdLibrary *library);

/* Skip the first page: as if the person had chosen it there. */
void vd_new_machine_set_file (VdNewMachine *self, GFile *file);
void vd_new_machine_set_sample (VdNewMachine *self);

G_END_DECLS
