/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLibrary: all machines and all jobs: what the window shows. One process owns a
 * library (a lock file and the D-Bus name com.example.VirtDesk); see docs/architecture.md.
 *
 * Threads: main.
 */
#pragma once

#include "vd-machine.h"

G_BEGIN_DECLS

#define VD_TYPE_LIBRARY (vd_library_get_type ())
G_DECLARE_FINAL_TYPE (VdLibrary, vd_library, VD, LIBRARY, GObject)

/* At the start of the program, before there is another thread: libraries below us read the
 * environment. @path as for open. */
void vd_library_prepare (const char *path);
/* @path NULL: $XDG_DATA_HOME/virtdesk. Fails with VD_ERROR_OWNED when another process has it. */
VdLibrary *vd_library_open (const char *path, GError **error);
/* Ends or hands back what runs here; local machines that still run are forced off. Blocks, for some
 * seconds where something hangs. */
void vd_library_close (VdLibrary *self);
/* The same beside the main loop. FALSE when something did not end in time: the process should. */
void vd_library_close_async (VdLibrary *self, GAsyncReadyCallback callback, gpointer data);
gboolean vd_library_close_finish (VdLibrary *self, GAsyncResult *result, GError **error);

const char *vd_library_get_path (VdLibrary *self);
GListModel *vd_library_get_machines (VdLibrary *self); /* of VdMachine, sorted by name */
GListModel *vd_library_get_jobs (VdLibrary *self);     /* of VdJob, under way or failed */
/* NULL when there is none, or when two have that name. */
VdMachine *vd_library_find (VdLibrary *self, const char *uuid_or_name);
/* Takes a failed job off the list, once a person has seen it. */
void vd_library_dismiss (VdLibrary *self, VdJob *job);

/* What a person should know after opening: machines lost in a power cut and the like. One
 * translated sentence, or NULL. */
const char *vd_library_get_notice (VdLibrary *self);

/* Makes the machine's folder, its disks and its machine.ini; nothing is left behind when it
 * fails or is cancelled. The machine is in the model when the job is done, with config's uuid. */
VdJob *vd_library_create (VdLibrary *self, VdConfig *config) G_GNUC_WARN_UNUSED_RESULT;
/* Into the library's trash, from where restore brings it back until it is emptied (at the
 * latest by the next open). Only stopped machines. */
VdJob *vd_library_delete (VdLibrary *self, VdMachine *machine) G_GNUC_WARN_UNUSED_RESULT;
VdJob *vd_library_restore (VdLibrary *self, const char *uuid) G_GNUC_WARN_UNUSED_RESULT;
/* Of the trash, one machine or (NULL) all: gone for good. */
VdJob *vd_library_purge (VdLibrary *self, const char *uuid) G_GNUC_WARN_UNUSED_RESULT;
VdJob *
vd_library_rename (VdLibrary *self, VdMachine *machine, const char *name) G_GNUC_WARN_UNUSED_RESULT;
/* Writes @config, an edited copy of the machine's, to its machine.ini. What runs notices at its
 * next start. */
VdJob *vd_library_configure (VdLibrary *self,
                             VdMachine *machine,
                             VdConfig *config) G_GNUC_WARN_UNUSED_RESULT;

/* What is in the CD drive @drive (the first is 0) of @machine, now and at its next start; @path
 * NULL: nothing. @force as for vd_machine_set_disc. */
VdJob *vd_library_set_disc (VdLibrary *self,
                            VdMachine *machine,
                            guint drive,
                            const char *path,
                            gboolean force) G_GNUC_WARN_UNUSED_RESULT;

/* Which engine would run @config here, and why, as translated sentences: name ("VirtDesk",
 * "QEMU"), reason, slow (NULL or why it will be slow and how to mend that). All owned by
 * the caller; any may be NULL. FALSE with error when nothing here can run it. */
gboolean vd_library_explain (VdLibrary *self,
                             VdConfig *config,
                             char **name,
                             char **reason,
                             char **slow,
                             GError **error);

G_END_DECLS
