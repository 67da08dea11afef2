/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A real library in a folder of its own, for the tests of widgets, and what its machines are made
 * of.
 *
 * Threads: main.
 */
#pragma once

#include <adwaita.h>

#include "vd-library.h"

G_BEGIN_DECLS

typedef struct {
  char *folder;
  VdLibrary *library;
} UiLibrary;

void ui_library_open (UiLibrary *self);
/* What is in it stays for the next open. */
void ui_library_close (UiLibrary *self);
/* Closes it, and its folder goes. */
void ui_library_clear (UiLibrary *self);

/* Waits until @job, which it takes, has ended well. */
void ui_library_finish (VdJob *job);
/* A machine that is made of the defaults. */
VdMachine *ui_library_add (UiLibrary *self, const char *name);
VdMachine *ui_library_add_config (UiLibrary *self, VdConfig *config);

/* Files in the library's folder that are taken for a Linux kernel, and for a disc that a BIOS
 * starts from. */
GFile *ui_library_make_kernel (UiLibrary *self);
GFile *ui_library_make_disc (UiLibrary *self, const char *name);

/* For windows that need one; it has no name on the bus. */
AdwApplication *ui_application_new (void);

G_END_DECLS
