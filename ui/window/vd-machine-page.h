/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdMachinePage: one machine, large: its picture, the one thing one most likely wants
 * to do with it, and what it is made of.
 *
 * Property: machine (NULL shows nothing). Signal: open-console.
 *
 * Threads: main.
 */
#pragma once

#include <adwaita.h>

#include "vd-library.h"

G_BEGIN_DECLS

#define VD_TYPE_MACHINE_PAGE (vd_machine_page_get_type ())
G_DECLARE_FINAL_TYPE (VdMachinePage, vd_machine_page, VD, MACHINE_PAGE, AdwBin)

/* Before the first machine: where its discs are changed. */
void vd_machine_page_set_library (VdMachinePage *self, VdLibrary *library);
void vd_machine_page_set_machine (VdMachinePage *self, VdMachine *machine);

G_END_DECLS
