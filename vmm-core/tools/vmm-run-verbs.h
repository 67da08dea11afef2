/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the verbs of the control socket do with a machine.
 *
 * Threads: control.
 */
#pragma once

#include "tools/vmm-command.h"
#include "vmm-machine.h"

G_BEGIN_DECLS

/* Any verb but "quit". The answer as JSON. g_free. */
char *vmm_run_do (VmmMachine *machine, const VmmCommand *command, GError **error);
/* Numbers of the run, as JSON. g_free. */
char *vmm_run_stats (VmmMachine *machine);
gboolean vmm_run_screenshot (VmmMachine *machine, const char *path, GError **error);
const char *vmm_run_state_name (VmmMachineState state);

G_END_DECLS
