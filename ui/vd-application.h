/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdApplication: the program: one instance, one library, its window, and the end: it
 * asks before machines are turned off.
 *
 * Threads: main.
 */
#pragma once

#include <adwaita.h>

#include "vd-library.h"

G_BEGIN_DECLS

#define VD_TYPE_APPLICATION (vd_application_get_type ())
G_DECLARE_FINAL_TYPE (VdApplication, vd_application, VD, APPLICATION, AdwApplication)

VdApplication *vd_application_new (void);

/* Borrowed; NULL before startup and when the library could not be opened. */
VdLibrary *vd_application_get_library (VdApplication *self);

G_END_DECLS
