/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The one place where an error becomes words on the screen, and where a job that a
 * person asked for is watched until it has ended.
 *
 * Threads: main.
 */
#pragma once

#include <gtk/gtk.h>

#include "vd-job.h"

G_BEGIN_DECLS

/* A dialog over @widget's window: @heading (translated) and the error's sentence. Cancelled
 * operations are not shown. */
void vd_report_error (GtkWidget *widget, const char *heading, const GError *error);

/* Takes @job; when it fails, says so over @widget (which may go away meanwhile). */
void vd_report_job (GtkWidget *widget, VdJob *job);

/* Whether the window of @widget shows a dialog: keys work behind it, but what they would do to the
 * window, or a second dialog on the first, is not what its user means. */
gboolean vd_is_asking (GtkWidget *widget);

G_END_DECLS
