/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-new-machine.h"

#include <glib/gi18n.h>

#include "vd-closures.h"
#include "vd-config-form.h"
#include "vd-report.h"

struct _VdNewMachine {
  AdwDialog parent_instance;

  /* Template widgets */
  AdwNavigationView *pages;
  VdConfigForm *form;
  GtkRevealer *progress_revealer;
  GtkProgressBar *progress;

  /* Owned */
  VdLibrary *library;
  VdConfig *config;
  VdJob *job;
  GCancellable *reading;
};

static guint created_signal;

G_DEFINE_FINAL_TYPE (VdNewMachine, vd_new_machine, ADW_TYPE_DIALOG)

static void
update_create (VdNewMachine *self)
{
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "wizard.create",
                                 vd_config_form_is_good (self->form) && self->job == NULL);
}

static void
set_config (VdNewMachine *self, VdConfig *config)
{
  AdwNavigationPage *page = adw_navigation_view_find_page (self->pages, "review");

  g_set_object (&self->config, config);
  vd_config_form_set_config (self->form, self->library, config, TRUE);
  if (adw_navigation_view_get_visible_page (self->pages) != page)
    adw_navigation_view_push (self->pages, page);
  vd_config_form_focus (self->form);
}

void
vd_new_machine_set_sample (VdNewMachine *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VdConfig) config = vd_config_new_sample (&error);

  if (config != NULL)
    set_config (self, config);
  else
    vd_report_error (GTK_WIDGET (self), _("There is no sample"), error);
}

static void
file_read (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (VdNewMachine) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (VdConfig) config = vd_config_new_for_file_finish (result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  adw_navigation_view_pop_to_tag (self->pages, "source");
  if (config != NULL)
    set_config (self, config);
  else
    vd_report_error (GTK_WIDGET (self), _("This file cannot be used"), error);
}

void
vd_new_machine_set_file (VdNewMachine *self, GFile *file)
{
  g_cancellable_cancel (self->reading);
  g_clear_object (&self->reading);
  self->reading = g_cancellable_new ();
  adw_navigation_view_push_by_tag (self->pages, "reading");
  vd_config_new_for_file_async (file, self->reading, file_read, g_object_ref (self));
}

static void
file_chosen (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (VdNewMachine) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file = gtk_file_dialog_open_finish (GTK_FILE_DIALOG (object), result, &error);

  if (file != NULL)
    vd_new_machine_set_file (self, file);
  else
    vd_report_error (GTK_WIDGET (self), _("This file cannot be used"), error);
}

static void
choose_file (VdNewMachine *self)
{
  g_autoptr (GtkFileDialog) dialog = gtk_file_dialog_new ();

  gtk_file_dialog_set_title (dialog, _("Choose What the Machine Starts From"));
  gtk_file_dialog_open (dialog, GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))), NULL,
                        file_chosen, g_object_ref (self));
}

static void
show_progress (VdNewMachine *self)
{
  double progress = vd_job_get_progress (self->job);

  if (progress < 0)
    gtk_progress_bar_pulse (self->progress);
  else
    gtk_progress_bar_set_fraction (self->progress, progress);
}

static void
set_job (VdNewMachine *self, VdJob *job)
{
  if (self->job != NULL)
    g_signal_handlers_disconnect_by_data (self->job, self);
  g_set_object (&self->job, job);
  /* An entry that becomes insensitive with the focus in it never hears of losing it. */
  if (job != NULL && gtk_widget_get_root (GTK_WIDGET (self)) != NULL)
    gtk_root_set_focus (gtk_widget_get_root (GTK_WIDGET (self)), NULL);
  gtk_revealer_set_reveal_child (self->progress_revealer, job != NULL);
  gtk_widget_set_sensitive (GTK_WIDGET (self->form), job == NULL);
  update_create (self);
  if (job == NULL)
    return;
  gtk_progress_bar_set_text (self->progress, vd_job_get_title (job));
  g_signal_connect_swapped (job, "notify::progress", G_CALLBACK (show_progress), self);
  show_progress (self);
}

static void
create_ended (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (VdNewMachine) self = data;
  g_autoptr (GError) error = NULL;
  gboolean created = vd_job_wait_finish (VD_JOB (object), result, &error);

  set_job (self, NULL);
  if (created) {
    g_signal_emit (self, created_signal, 0, vd_config_get_uuid (self->config));
    adw_dialog_force_close (ADW_DIALOG (self));
  } else {
    vd_report_error (GTK_WIDGET (self), _("The machine could not be made"), error);
  }
}

static void
create (VdNewMachine *self)
{
  g_autoptr (VdJob) job = NULL;

  if (self->config == NULL || self->job != NULL || !vd_config_form_is_good (self->form))
    return;
  job = vd_library_create (self->library, self->config);
  set_job (self, job);
  vd_job_wait_async (job, NULL, create_ended, g_object_ref (self));
}

static void
create_activated (GtkWidget *widget, const char *name, GVariant *parameter)
{
  create (VD_NEW_MACHINE (widget));
}

static void
cancel (VdNewMachine *self)
{
  if (self->job != NULL)
    vd_job_cancel (self->job);
}

static void
vd_new_machine_dispose (GObject *object)
{
  VdNewMachine *self = VD_NEW_MACHINE (object);

  g_cancellable_cancel (self->reading);
  g_clear_object (&self->reading);
  cancel (self);
  if (self->job != NULL)
    g_signal_handlers_disconnect_by_data (self->job, self);
  g_clear_object (&self->job);
  gtk_widget_dispose_template (GTK_WIDGET (self), VD_TYPE_NEW_MACHINE);
  g_clear_object (&self->config);
  g_clear_object (&self->library);
  G_OBJECT_CLASS (vd_new_machine_parent_class)->dispose (object);
}

static void
vd_new_machine_class_init (VdNewMachineClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = vd_new_machine_dispose;
  created_signal = g_signal_new ("created", VD_TYPE_NEW_MACHINE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  g_type_ensure (VD_TYPE_CONFIG_FORM);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/com/example/VirtDesk/wizard/vd-new-machine.ui");
  gtk_widget_class_bind_template_child (widget_class, VdNewMachine, pages);
  gtk_widget_class_bind_template_child (widget_class, VdNewMachine, form);
  gtk_widget_class_bind_template_child (widget_class, VdNewMachine, progress_revealer);
  gtk_widget_class_bind_template_child (widget_class, VdNewMachine, progress);
  gtk_widget_class_bind_template_callback (widget_class, choose_file);
  gtk_widget_class_bind_template_callback (widget_class, create);
  gtk_widget_class_bind_template_callback (widget_class, cancel);
  gtk_widget_class_bind_template_callback (widget_class, update_create);
  gtk_widget_class_bind_template_callback (widget_class, vd_new_machine_set_sample);
  gtk_widget_class_bind_template_callback (widget_class, vd_closure_is_not_empty);
  gtk_widget_class_install_action (widget_class, "wizard.create", NULL, create_activated);
}

static void
vd_new_machine_init (VdNewMachine *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "wizard.create", FALSE);
}

VdNewMachine *
vd_new_machine_new (VdLibrary *library)
{
  VdNewMachine *self = g_object_new (VD_TYPE_NEW_MACHINE, NULL);

  self->library = g_object_ref (library);
  return self;
}
