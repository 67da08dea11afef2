/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdMachine: one virtual machine, whoever runs it. The user interface knows nothing
 * else. A machine of ours (machines/UUID/machine.ini) is one VdMachine for its
 * whole life; the engine that runs it is behind it.
 *
 * Properties (read-only, notify): uuid, name, state, config, display (NULL while there is
 * none), status (one translated line: "Running", "Off", "Crashed: ..."), problem (NULL, or
 * the reason why it is broken, crashed, read-only or was lost), job (the one under way or
 * NULL), screenshot (GFile of the last picture, NULL), saved (it is off, and goes on from where it
 * was when it is started).
 *
 * Threads: main thread only.
 */
#pragma once

#include "vd-config.h"
#include "vd-display.h"
#include "vd-job.h"

G_BEGIN_DECLS

typedef enum {
  VD_MACHINE_OFF,
  VD_MACHINE_STARTING,
  VD_MACHINE_RUNNING,
  VD_MACHINE_PAUSED,
  VD_MACHINE_STOPPING,
  VD_MACHINE_CRASHED,   /* not running; problem says why; may be started again */
  VD_MACHINE_ELSEWHERE, /* runs under another process (vdctl serve); comes to us when it stops */
  VD_MACHINE_BROKEN,    /* its file cannot be read; problem says why */
} VdMachineState;

GType vd_machine_state_get_type (void);
#define VD_TYPE_MACHINE_STATE (vd_machine_state_get_type ())

#define VD_TYPE_MACHINE (vd_machine_get_type ())
G_DECLARE_DERIVABLE_TYPE (VdMachine, vd_machine, VD, MACHINE, GObject)

struct _VdMachineClass {
  GObjectClass parent_class;

  VdJob *(*start) (VdMachine *self);
  VdJob *(*pause) (VdMachine *self);
  VdJob *(*resume) (VdMachine *self);
  VdJob *(*power_off) (VdMachine *self); /* asks the guest */
  VdJob *(*force_off) (VdMachine *self); /* pulls the plug */
  VdJob *(*reset) (VdMachine *self);
  VdJob *(*save) (VdMachine *self);       /* writes down all that it is, and turns it off */
  gboolean (*can_save) (VdMachine *self); /* while it is active; NULL: never */
  VdJob *(*discard) (VdMachine *self);    /* what was saved; it starts anew then */
  VdJob *(*set_disc) (VdMachine *self, guint drive, const char *path, gboolean force);
  VdJob *(*save_screenshot) (VdMachine *self, GFile *file); /* PNG */
};

const char *vd_machine_get_uuid (VdMachine *self);
const char *vd_machine_get_name (VdMachine *self);
VdMachineState vd_machine_get_state (VdMachine *self);
VdConfig *
vd_machine_get_config (VdMachine *self); /* NULL when broken; borrowed; do not edit: copy */
VdDisplay *vd_machine_get_display (VdMachine *self);
const char *vd_machine_get_status (VdMachine *self);
const char *vd_machine_get_problem (VdMachine *self);
/* What a report of a crash wants beside the problem: registers and the like; or NULL. */
const char *vd_machine_get_details (VdMachine *self);
VdJob *vd_machine_get_job (VdMachine *self);
GFile *vd_machine_get_screenshot (VdMachine *self);
gboolean vd_machine_get_read_only (VdMachine *self);
gboolean vd_machine_get_saved (VdMachine *self);
/* Whether what runs it now can save it; tells nothing new before the state changes. */
gboolean vd_machine_can_save (VdMachine *self);
gboolean vd_machine_is_active (VdMachine *self); /* starting, running, paused, stopping */
/* What runs it, for people: "VirtDesk" or "QEMU"; and why, one translated sentence. */
const char *vd_machine_get_engine_name (VdMachine *self);
const char *vd_machine_get_engine_reason (VdMachine *self);
/* What makes it slow here (emulation because KVM is off), or NULL. */
const char *vd_machine_get_slow_reason (VdMachine *self);

/* Each verb always returns a job (a failed one when it is not possible). */
VdJob *vd_machine_start (VdMachine *self) G_GNUC_WARN_UNUSED_RESULT;
VdJob *vd_machine_pause (VdMachine *self) G_GNUC_WARN_UNUSED_RESULT;
VdJob *vd_machine_resume (VdMachine *self) G_GNUC_WARN_UNUSED_RESULT;
VdJob *vd_machine_power_off (VdMachine *self) G_GNUC_WARN_UNUSED_RESULT;
VdJob *vd_machine_force_off (VdMachine *self) G_GNUC_WARN_UNUSED_RESULT;
VdJob *vd_machine_reset (VdMachine *self) G_GNUC_WARN_UNUSED_RESULT;
VdJob *vd_machine_save (VdMachine *self) G_GNUC_WARN_UNUSED_RESULT;
VdJob *vd_machine_discard (VdMachine *self) G_GNUC_WARN_UNUSED_RESULT;
/* Puts a disc into a CD drive (the first is 0) of a machine that runs; @path NULL takes out what is
 * there. A guest that keeps its disc is asked for it, and the job fails with VD_ERROR_DISC_LOCKED,
 * unless by @force. What it starts with next time is the library's: vd_library_set_disc. */
VdJob *vd_machine_set_disc (VdMachine *self, guint drive, const char *path, gboolean force)
  G_GNUC_WARN_UNUSED_RESULT;
VdJob *vd_machine_save_screenshot (VdMachine *self, GFile *file) G_GNUC_WARN_UNUSED_RESULT;

/* For subclasses: what the properties say. A verb of the class is called only in a state that
 * allows it and returns a job that is not finished, or a failed one. */
void vd_machine_set_state (VdMachine *self, VdMachineState state, const char *problem);
/* @job, of the library, changes the machine: it is shown as the machine's, and no other verb begins
 * until it has ended. Returns @job. */
VdJob *vd_machine_watch (VdMachine *self, VdJob *job);
void vd_machine_set_saved (VdMachine *self, gboolean saved);
void vd_machine_set_details (VdMachine *self, const char *details);
void vd_machine_set_config (VdMachine *self, VdConfig *config, gboolean read_only);
void vd_machine_set_name (VdMachine *self, const char *name); /* where there is no config */
void vd_machine_set_uuid (VdMachine *self, const char *uuid);
void vd_machine_set_display (VdMachine *self, VdDisplay *display);
void vd_machine_set_screenshot (VdMachine *self, GFile *file);
void
vd_machine_set_engine (VdMachine *self, const char *name, const char *reason, const char *slow);

G_END_DECLS
