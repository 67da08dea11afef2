/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the tests of the contract of engines share: one library a process, because libvirt allows
 * one folder, and waiting for a guest that takes its time. $VD_TEST_ENGINE says which engine.
 */
#pragma once

#include "app-test.h"

G_BEGIN_DECLS

extern VdLibrary *engine_test_library;
extern char *engine_test_folder; /* for what a test makes; the library is in it, too */
extern VdEngineKind engine_test_kind;

void engine_test_init (int *argc, char ***argv);
/* What main returns. */
int engine_test_run (void);
void engine_test_open_library (void);
void engine_test_close_library (void);

VdMachine *engine_test_create (VdConfig *config);
void engine_test_assert_nothing_left (VdMachine *machine);
/* TRUE as soon as the machine is in that state; FALSE when it is time to try again. */
gboolean engine_test_wait_for (VdMachine *machine, VdMachineState state);
/* Asks again and again; nothing tells when a picture changes that nobody views. */
void engine_test_poll (gboolean (*done) (gpointer machine), VdMachine *machine);
void engine_test_press (VdDisplay *display, guint key, gboolean shift);

G_END_DECLS
