/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdWorker: one thread that does one thing after another: a machine's control
 * thread, or the worker of a libvirt connection. The thread begins with the first
 * call and ends, after what is queued, with the last reference.
 *
 * Threads: any.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef struct _VdWorker VdWorker;
typedef void (*VdWorkerFunc) (gpointer data);

VdWorker *vd_worker_new (const char *name);
VdWorker *vd_worker_ref (VdWorker *self);
void vd_worker_unref (VdWorker *self);
/* FALSE with @error when the system has no thread to give; @func will not run then. */
gboolean vd_worker_push (VdWorker *self, VdWorkerFunc func, gpointer data, GError **error);
/* Waits until all that is queued is done; not from the worker itself. */
void vd_worker_sync (VdWorker *self);
gboolean vd_worker_is_current (VdWorker *self);

/* Drops a reference on the main thread, soon: for a worker that may hold the last one. */
void vd_unref_on_main (gpointer object);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VdWorker, vd_worker_unref)

G_END_DECLS
