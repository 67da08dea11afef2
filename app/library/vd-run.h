/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdRun: one run of a machine on an engine, from start to off. Engines subclass
 * it: a few blocking verbs on the run's worker, and posts of what happens. What a
 * person sees of a run is a VdMachine (library/vd-own-machine.c).
 *
 * Signal: changed (VdRunState, problem, details), on the main thread. Off and
 * crashed come once and last, when everything the run held is free again.
 *
 * Threads: main, except the verbs (the run's worker), the lock (see there) and
 * vd_run_post (any).
 */
#pragma once

#include "library/vd-worker.h"
#include "vd-display.h"
#include "vd-engine.h"
#include "vd-job.h"

G_BEGIN_DECLS

typedef enum {
  VD_RUN_RUNNING,
  VD_RUN_PAUSED,
  VD_RUN_OFF,
  VD_RUN_CRASHED, /* problem: one sentence; details: registers and the like, or NULL */
} VdRunState;

#define VD_TYPE_RUN (vd_run_get_type ())
G_DECLARE_DERIVABLE_TYPE (VdRun, vd_run, VD, RUN, GObject)

struct _VdRunClass {
  GObjectClass parent_class;

  /* Worker. Whatever start opened is closed again when it fails. A machine that this engine has
   * saved goes on. */
  gboolean (*start) (VdRun *self, GCancellable *cancellable, GError **error);
  /* Worker. Finds the machine running, left by a process that is gone; VD_ERROR_NOT_FOUND when it
   * does not run any more. May be NULL: it never does. */
  gboolean (*adopt) (VdRun *self, GError **error);
  gboolean (*pause) (VdRun *self, GError **error);
  gboolean (*resume) (VdRun *self, GError **error);
  gboolean (*power_off) (VdRun *self, GError **error);
  gboolean (*force_off) (VdRun *self, GError **error);
  gboolean (*reset) (VdRun *self, GError **error);
  /* What is in the CD drive @drive (the first is 0); @path NULL: nothing. VD_ERROR_DISC_LOCKED
   * where the guest keeps its disc, unless by @force. */
  gboolean (*set_disc) (VdRun *self, guint drive, const char *path, gboolean force, GError **error);
  /* Worker. Pauses the machine, writes it to vd_saved_begin's place, and ends it; when it fails the
   * machine goes on. @job hears of the progress. NULL: the engine cannot. */
  gboolean (*save) (VdRun *self, VdJob *job, GCancellable *cancellable, GError **error);
  /* Worker. The library closes: ends the machine, or leaves it to the next process. */
  void (*close) (VdRun *self);

  VdEngineKind kind;
  gboolean survives; /* the machine goes on when this process ends */
};

/* Whether the machine goes on when this process ends, and can be adopted by the next one. */
gboolean vd_run_survives (VdRun *self);
VdWorker *vd_run_get_worker (VdRun *self);
/* NULL without graphics; shows nothing before the start and after the end. */
VdDisplay *vd_run_get_display (VdRun *self);

/* The file that says that the machine runs, and keeps others from starting it. Worker, or main when
 * nothing is under way on the worker. */
gboolean vd_run_lock (VdRun *self, const char *path, const char *bus_name, GError **error);
/* @left: the machine goes on without us, and the file stays to say so. */
void vd_run_unlock (VdRun *self, gboolean left);

/* For subclasses. @worker NULL: one of its own. */
void vd_run_set_worker (VdRun *self, VdWorker *worker);
void vd_run_set_display (VdRun *self, VdDisplay *display);
void vd_run_post (VdRun *self, VdRunState state, const char *problem, const char *details);

G_END_DECLS
