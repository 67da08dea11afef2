/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLock: a file that one process holds: the library's lock, and the "running"
 * file of each machine that runs. The kernel lets go of it when its process dies,
 * but the file stays and says what was lost.
 *
 * Threads: any; one owner at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VdLock VdLock;

/* What the holder wrote into it. */
typedef struct {
  int pid;
  char *bus_name; /* unique name on the session bus, or NULL */
  char *engine;   /* nick of a VdEngineKind, or NULL */
} VdLockNote;

typedef enum {
  VD_LOCK_ABSENT,
  VD_LOCK_LEFT, /* the file is there and nobody holds it: its holder died */
  VD_LOCK_HELD,
} VdLockState;

/* VD_ERROR_OWNED when another has it. The message speaks of the library. */
VdLock *vd_lock_take (const char *path, GError **error);
gboolean vd_lock_write (VdLock *self, const char *bus_name, const char *engine, GError **error);
void vd_lock_drop (VdLock *self);   /* the file stays */
void vd_lock_remove (VdLock *self); /* the file goes */

/* @note may be NULL. */
VdLockState vd_lock_look (const char *path, VdLockNote *note);
void vd_lock_note_clear (VdLockNote *note);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VdLock, vd_lock_drop)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VdLockNote, vd_lock_note_clear)

G_END_DECLS
