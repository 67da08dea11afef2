/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-report.h"

#include <adwaita.h>
#include <glib/gi18n.h>

void
vd_report_error (GtkWidget *widget, const char *heading, const GError *error)
{
  AdwDialog *dialog;

  if (error == NULL || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
      g_error_matches (error, GTK_DIALOG_ERROR, GTK_DIALOG_ERROR_DISMISSED))
    return;
  dialog = adw_alert_dialog_new (heading, error->message);
  adw_alert_dialog_add_response (ADW_ALERT_DIALOG (dialog), "close", _("_Close"));
  adw_dialog_present (dialog, widget);
}

typedef struct {
  GWeakRef widget;
} Report;

static void
job_ended (GObject *object, GAsyncResult *result, gpointer data)
{
  VdJob *job = VD_JOB (object);
  Report *report = data;
  g_autoptr (GtkWidget) widget = g_weak_ref_get (&report->widget);
  g_autoptr (GError) error = NULL;

  if (!vd_job_wait_finish (job, result, &error)) {
    if (widget != NULL && gtk_widget_get_root (widget) != NULL) {
      /* Translators: %s is what was under way, such as "Starting “Fedora”" */
      g_autofree char *heading = g_strdup_printf (_("%s did not work"), vd_job_get_title (job));

      vd_report_error (widget, heading, error);
    } else {
      g_debug ("%s: %s", vd_job_get_title (job), error->message);
    }
  }
  g_weak_ref_clear (&report->widget);
  g_free (report);
}

void
vd_report_job (GtkWidget *widget, VdJob *job)
{
  Report *report = g_new0 (Report, 1);

  g_weak_ref_init (&report->widget, widget);
  vd_job_wait_async (job, NULL, job_ended, report);
  g_object_unref (job);
}

gboolean
vd_is_asking (GtkWidget *widget)
{
  GtkRoot *root = gtk_widget_get_root (widget);

  return ADW_IS_APPLICATION_WINDOW (root) &&
         adw_application_window_get_visible_dialog (ADW_APPLICATION_WINDOW (root)) != NULL;
}
