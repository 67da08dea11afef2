/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The struct of VdLibrary for the files that make it, and what only the service
 * on the bus asks of a library.
 *
 * Threads: main.
 */
#pragma once

#include "library/vd-lock.h"
#include "library/vd-own-machine.h"
#include "library/vd-worker.h"
#include "vd-engine.h"
#include "vd-library.h"

G_BEGIN_DECLS

#define VD_LOCK_FILE       "lock"
#define VD_MACHINES_FOLDER "machines"
#define VD_TRASH_FOLDER    "trash"
#define VD_NEW_PREFIX      ".new-" /* of a machine's folder that is being made */

struct _VdLibrary {
  GObject parent_instance;

  /* Owned */
  char *path;
  char *bus_name;
  char *notice;
  VdLock *lock;        /* NULL once released or closed */
  GListModel *engines; /* of VdEngine */
  GListStore *machines;
  GListStore *jobs;
  VdWorker *worker; /* changes folders, one after another; NULL once closed */

  guint close_timeout; /* ms, for all that has to end */
};

/* vd-library-load.c: vd_library_open with engines of the caller's choice (tests). Takes @engines.
 */
VdLibrary *vd_library_open_with (const char *path, GListModel *engines, GError **error);

/* vd-library.c */
void vd_library_add (VdLibrary *self, VdOwnMachine *machine);
void vd_library_remove (VdLibrary *self, VdMachine *machine);
/* A job of the library's own shows in its list. Returns @job. */
VdJob *vd_library_track (VdLibrary *self, VdJob *job);
char *vd_library_get_folder (VdLibrary *self, const char *uuid);
char *vd_library_get_trash_folder (VdLibrary *self, const char *uuid);
GListModel *vd_library_get_engines (VdLibrary *self);

/* vd-library-close.c: ends that are queued on workers and waited for together. */
typedef struct _VdClosing VdClosing;

VdClosing *vd_closing_new (void);
void vd_closing_unref (VdClosing *self);
void vd_closing_add_worker (VdClosing *self, VdWorker *worker);
void vd_closing_add_machine (VdClosing *self, VdOwnMachine *machine);
/* FALSE when something did not end within @timeout ms; its locks go when it does. */
gboolean vd_closing_wait (VdClosing *self, guint timeout);

/* Under which name on the session bus this process can be asked; it is written into the locks. */
void vd_library_set_bus_name (VdLibrary *self, const char *bus_name);
/* Gives the library to another process. It keeps what runs, if any of it cannot go on without this
 * process; each goes from the list as it stops. Fails while something is being changed. */
gboolean vd_library_release (VdLibrary *self, GError **error);
/* Who holds the library at @path: TRUE with the name on the bus, which may be NULL. */
gboolean vd_library_find_owner (const char *path, char **bus_name);
char *vd_library_default_path (void);

G_END_DECLS
