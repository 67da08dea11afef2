/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdJob: one long operation that a person can see and cancel. Its body blocks on
 * a worker; its properties change on the main thread only.
 *
 * Properties: title, progress (0 to 1, or -1 while unknown), state, machine (may
 * be NULL). Signal: finished, once. A failed job keeps its error; a cancelled one
 * has none.
 *
 * Threads: main, except vd_job_set_progress and vd_job_get_cancellable (any).
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _VdMachine VdMachine;

typedef enum {
  VD_JOB_WAITING,
  VD_JOB_RUNNING,
  VD_JOB_DONE,
  VD_JOB_FAILED,
  VD_JOB_CANCELLED,
} VdJobState;

GType vd_job_state_get_type (void);
#define VD_TYPE_JOB_STATE (vd_job_state_get_type ())

#define VD_TYPE_JOB (vd_job_get_type ())
G_DECLARE_FINAL_TYPE (VdJob, vd_job, VD, JOB, GObject)

typedef gboolean (*VdJobBody) (VdJob *job,
                               gpointer data,
                               GCancellable *cancellable,
                               GError **error);

VdJob *vd_job_new (const char *title,
                   VdMachine *machine,
                   VdJobBody body,
                   gpointer data,
                   GDestroyNotify destroy);
/* A job that has failed before it began, so that every verb can return one. Takes @error. */
VdJob *vd_job_new_failed (const char *title, VdMachine *machine, GError *error);

const char *vd_job_get_title (VdJob *self);
VdJobState vd_job_get_state (VdJob *self);
double vd_job_get_progress (VdJob *self);
VdMachine *vd_job_get_machine (VdJob *self);
const GError *vd_job_get_error (VdJob *self);
gboolean vd_job_is_finished (VdJob *self);
void vd_job_cancel (VdJob *self);

void vd_job_set_progress (VdJob *self, double progress);
GCancellable *vd_job_get_cancellable (VdJob *self);

/* Calls back on the main thread when it is finished (at once, from an idle, if it already is). */
void vd_job_wait_async (VdJob *self,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer data);
/* FALSE with the job's error; a cancelled job gives G_IO_ERROR_CANCELLED. */
gboolean vd_job_wait_finish (VdJob *self, GAsyncResult *result, GError **error);

G_END_DECLS
