/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmProgress: how long work tells how far it is, and hears that nobody wants it any more.
 *
 * Threads: called on the thread of the work.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  /* @done of @total, in a unit of the work's own. FALSE: stop, undo, and fail with
   * VMM_ERROR_CANCELLED. */
  gboolean (*report) (gpointer data, guint64 done, guint64 total);
  gpointer data;
} VmmProgress;

/* @self may be NULL: then nobody listens. */
gboolean vmm_progress_report (const VmmProgress *self, guint64 done, guint64 total, GError **error);

G_END_DECLS
