/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * TestMachine: a VdMachine that is in the state that a test says, and counts what it is asked.
 *
 * Threads: main.
 */
#pragma once

#include "vd-machine.h"

G_BEGIN_DECLS

#define TEST_TYPE_MACHINE (test_machine_get_type ())
G_DECLARE_FINAL_TYPE (TestMachine, test_machine, TEST, MACHINE, VdMachine)

TestMachine *test_machine_new (const char *name);
guint test_machine_get_n_resumes (TestMachine *self);

G_END_DECLS
