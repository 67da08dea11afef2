/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The verb "balloon" of the control socket:
 *
 *   {"do": "balloon", "target": 256}
 *   {"target": 256, "actual": 512, "driver": true, "age": 0.5, "statistics": {"free": 123456, ...}}
 *
 * Target and actual are MiB of the guest's memory. The statistics are the guest's, bytes or numbers
 * (vmm-balloon.h), those that it tells; they are "age" seconds old (null where there are none yet),
 * and each question asks the guest for newer ones.
 *
 * Threads: control.
 */
#pragma once

#include "tools/vmm-command.h"
#include "vmm-machine.h"

G_BEGIN_DECLS

/* The answer as JSON. g_free. */
char *vmm_run_balloon (VmmMachine *machine, const VmmCommand *command, GError **error);

G_END_DECLS
