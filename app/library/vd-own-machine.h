/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdOwnMachine: a machine of ours: a folder with a machine.ini, and the run that is
 * under way, if there is one.
 *
 * Threads: main.
 */
#pragma once

#include "vd-engine.h"
#include "vd-machine.h"

G_BEGIN_DECLS

#define VD_SCREENSHOT_FILE "screenshot.png"
#define VD_EXTRA_FILE      "extra.xml" /* what QEMU gets beside: a libvirt domain */
#define VD_NVRAM_FILE      "uefi-variables.fd"
#define VD_RUNNING_FILE    "running" /* a VdLock, held while the machine runs */

#define VD_TYPE_OWN_MACHINE (vd_own_machine_get_type ())
G_DECLARE_FINAL_TYPE (VdOwnMachine, vd_own_machine, VD, OWN_MACHINE, VdMachine)

/* Reads the folder. @engines: as of vd_engine_list_new. */
VdOwnMachine *vd_own_machine_new (const char *folder, GListModel *engines);
const char *vd_own_machine_get_folder (VdOwnMachine *self);
/* The name under which another process can ask us, written down when a machine starts. */
void vd_own_machine_set_bus_name (VdOwnMachine *self, const char *bus_name);
/* Where its last picture is saved, so that whoever closes the worker waits for it. */
void vd_own_machine_set_worker (VdOwnMachine *self, VdWorker *worker);
/* Where the process that runs it can be asked; NULL unless it is ELSEWHERE. */
const char *vd_own_machine_get_holder (VdOwnMachine *self);
/* After the machine.ini was written anew. */
void vd_own_machine_update (VdOwnMachine *self, VdConfig *config);
/* Is the machine that ran elsewhere ours now? */
void vd_own_machine_check_elsewhere (VdOwnMachine *self);
/* @holder, a name on the bus, is gone: the machine is looked for until the lock is free as well. */
void vd_own_machine_lose_holder (VdOwnMachine *self, const char *holder);
/* It was running when its process died, as found when it was read. */
gboolean vd_own_machine_was_lost (VdOwnMachine *self);
/* Whether the library can let it go to another process without ending it. */
gboolean vd_own_machine_can_leave (VdOwnMachine *self);
/* Begins, on the run's worker, to end the run or to leave it to the next process. The run is the
 * caller's, who unlocks it when the worker is done; NULL when there is none. */
VdRun *vd_own_machine_leave (VdOwnMachine *self);

G_END_DECLS
