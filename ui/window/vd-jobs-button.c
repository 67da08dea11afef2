/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-jobs-button.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#include "vd-job.h"

struct _VdJobsButton {
  GtkWidget parent_instance;

  /* Template widgets */
  GtkWidget *button;
  GtkListBox *list;

  /* Owned */
  GtkFilter *filter;
  GtkFilterListModel *under_way;
};

G_DEFINE_FINAL_TYPE (VdJobsButton, vd_jobs_button, GTK_TYPE_WIDGET)

static gboolean
is_under_way (gpointer item, gpointer data)
{
  return !vd_job_is_finished (item);
}

static void
job_finished (GtkFilter *filter)
{
  gtk_filter_changed (filter, GTK_FILTER_CHANGE_MORE_STRICT);
}

static void
show_progress (VdJob *job, GParamSpec *pspec, GtkProgressBar *bar)
{
  double progress = vd_job_get_progress (job);

  if (progress < 0)
    gtk_progress_bar_pulse (bar);
  else
    gtk_progress_bar_set_fraction (bar, progress);
}

/* A job under way: its title, how far it is, and a way out. */
static GtkWidget *
job_row (gpointer item, gpointer data)
{
  VdJobsButton *self = data;
  VdJob *job = item;
  GtkWidget *row = gtk_grid_new (), *title = gtk_label_new (vd_job_get_title (job));
  GtkWidget *bar = gtk_progress_bar_new ();
  GtkWidget *cancel = gtk_button_new_from_icon_name ("process-stop-symbolic");

  gtk_grid_set_column_spacing (GTK_GRID (row), 12);
  gtk_grid_set_row_spacing (GTK_GRID (row), 6);
  gtk_widget_add_css_class (row, "job");
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_label_set_ellipsize (GTK_LABEL (title), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (title, TRUE);
  gtk_widget_set_tooltip_text (cancel, _("Cancel"));
  gtk_widget_add_css_class (cancel, "flat");
  gtk_widget_set_valign (cancel, GTK_ALIGN_CENTER);
  gtk_grid_attach (GTK_GRID (row), title, 0, 0, 1, 1);
  gtk_grid_attach (GTK_GRID (row), bar, 0, 1, 1, 1);
  gtk_grid_attach (GTK_GRID (row), cancel, 1, 0, 1, 2);
  g_signal_connect_object (cancel, "clicked", G_CALLBACK (vd_job_cancel), job, G_CONNECT_SWAPPED);
  g_signal_connect_object (job, "finished", G_CALLBACK (job_finished), self->filter,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (job, "notify::progress", G_CALLBACK (show_progress), bar, 0);
  show_progress (job, NULL, GTK_PROGRESS_BAR (bar));
  return row;
}

static void
under_way_changed (VdJobsButton *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->under_way));

  gtk_widget_set_visible (GTK_WIDGET (self), n > 0);
}

void
vd_jobs_button_set_jobs (VdJobsButton *self, GListModel *jobs)
{
  g_return_if_fail (self->under_way == NULL);

  self->filter = GTK_FILTER (gtk_custom_filter_new (is_under_way, NULL, NULL));
  self->under_way = gtk_filter_list_model_new (g_object_ref (jobs), g_object_ref (self->filter));
  gtk_list_box_bind_model (self->list, G_LIST_MODEL (self->under_way), job_row, self, NULL);
  g_signal_connect_object (self->under_way, "items-changed", G_CALLBACK (under_way_changed), self,
                           G_CONNECT_SWAPPED);
  under_way_changed (self);
}

static void
vd_jobs_button_dispose (GObject *object)
{
  VdJobsButton *self = VD_JOBS_BUTTON (object);

  gtk_widget_dispose_template (GTK_WIDGET (self), VD_TYPE_JOBS_BUTTON);
  g_clear_object (&self->under_way);
  g_clear_object (&self->filter);
  G_OBJECT_CLASS (vd_jobs_button_parent_class)->dispose (object);
}

static void
vd_jobs_button_class_init (VdJobsButtonClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = vd_jobs_button_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/com/example/VirtDesk/window/vd-jobs-button.ui");
  gtk_widget_class_bind_template_child (widget_class, VdJobsButton, button);
  gtk_widget_class_bind_template_child (widget_class, VdJobsButton, list);
}

static void
vd_jobs_button_init (VdJobsButton *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
