/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLocalRun: one run of a machine on vmm-core.
 *
 * Threads: as VdRun; the run's worker is the machine's control thread.
 */
#pragma once

#include "library/vd-run.h"

G_BEGIN_DECLS

#define VD_TYPE_LOCAL_RUN (vd_local_run_get_type ())
G_DECLARE_FINAL_TYPE (VdLocalRun, vd_local_run, VD, LOCAL_RUN, VdRun)

VdRun *vd_local_run_new (VdEngine *engine, VdConfig *config, const char *folder);

G_END_DECLS
