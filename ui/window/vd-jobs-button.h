/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdJobsButton: in a header bar: shows that something long is under way, and in its
 * popover what, how far it is, and a way to cancel it. Hidden while there is nothing.
 *
 * Threads: main.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define VD_TYPE_JOBS_BUTTON (vd_jobs_button_get_type ())
G_DECLARE_FINAL_TYPE (VdJobsButton, vd_jobs_button, VD, JOBS_BUTTON, GtkWidget)

/* @jobs is a model of VdJob; a reference is kept. */
void vd_jobs_button_set_jobs (VdJobsButton *self, GListModel *jobs);

G_END_DECLS
