/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdJob for those who make jobs inside app: on a worker of their choice, with a
 * last step on the main thread.
 *
 * Threads: main.
 */
#pragma once

#include "library/vd-worker.h"
#include "vd-job.h"

G_BEGIN_DECLS

/* Main thread, after the body and before the job counts as finished: the place to bring models up
 * to date. @error: NULL when it went well. */
typedef void (*VdJobDone) (VdJob *job, gpointer data, const GError *error);

/* @worker NULL: a thread of its own. @done may be NULL. */
VdJob *vd_job_new_full (const char *title,
                        VdMachine *machine,
                        VdWorker *worker,
                        VdJobBody body,
                        VdJobDone done,
                        gpointer data,
                        GDestroyNotify destroy);

G_END_DECLS
