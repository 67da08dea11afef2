/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdWindow's other half: New Machine, settings, rename, delete with undo.
 *
 * Threads: main.
 */
#include "vd-window-private.h"

#include <glib/gi18n.h>

#include "vd-report.h"
#include "window/vd-machine-settings.h"
#include "wizard/vd-new-machine.h"

/* A machine that was just made is shown and started: that is why one makes it. */
static void
created (VdWindow *self, const char *uuid)
{
  VdMachine *machine = vd_library_find (self->library, uuid);

  if (machine == NULL)
    return;
  vd_window_select (self, machine);
  vd_report_job (GTK_WIDGET (self), vd_machine_start (machine));
  vd_window_open_console (self, machine);
}

static VdNewMachine *
open_wizard (VdWindow *self)
{
  VdNewMachine *wizard = vd_new_machine_new (self->library);

  g_signal_connect_object (wizard, "created", G_CALLBACK (created), self, G_CONNECT_SWAPPED);
  adw_dialog_present (ADW_DIALOG (wizard), GTK_WIDGET (self));
  return wizard;
}

void
vd_window_new_machine_for_file (VdWindow *self, GFile *file)
{
  vd_new_machine_set_file (open_wizard (self), file);
}

static void
new_machine (GtkWidget *widget, const char *name, GVariant *parameter)
{
  if (!vd_is_asking (widget))
    open_wizard (VD_WINDOW (widget));
}

static void
try_sample (GtkWidget *widget, const char *name, GVariant *parameter)
{
  if (!vd_is_asking (widget))
    vd_new_machine_set_sample (open_wizard (VD_WINDOW (widget)));
}

static void
search (GtkWidget *widget, const char *name, GVariant *parameter)
{
  VdWindow *self = VD_WINDOW (widget);

  adw_navigation_split_view_set_show_content (self->split, FALSE);
  gtk_search_bar_set_search_mode (self->search_bar, TRUE);
}

static void
show_console (GtkWidget *widget, const char *name, GVariant *parameter)
{
  VdWindow *self = VD_WINDOW (widget);

  if (vd_window_get_selected (self) != NULL)
    vd_window_open_console (self, vd_window_get_selected (self));
}

static void
folder_shown (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (VdWindow) self = data;
  g_autoptr (GError) error = NULL;

  if (!gtk_file_launcher_open_containing_folder_finish (GTK_FILE_LAUNCHER (object), result, &error))
    vd_report_error (GTK_WIDGET (self), _("The folder could not be shown"), error);
}

/* Where a machine's file is that wants to be mended by hand. */
static void
show_folder (GtkWidget *widget, const char *name, GVariant *parameter)
{
  VdWindow *self = VD_WINDOW (widget);
  g_autofree char *path =
    g_build_filename (vd_library_get_path (self->library), "machines",
                      vd_machine_get_uuid (vd_window_get_selected (self)), "machine.ini", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GtkFileLauncher) launcher = gtk_file_launcher_new (file);

  gtk_file_launcher_open_containing_folder (launcher, GTK_WINDOW (self), NULL, folder_shown,
                                            g_object_ref (self));
}

static void
show_settings (GtkWidget *widget, const char *name, GVariant *parameter)
{
  VdWindow *self = VD_WINDOW (widget);

  if (!vd_is_asking (widget))
    adw_dialog_present (vd_machine_settings_new (self->library, vd_window_get_selected (self)),
                        widget);
}

static void
rename_answered (AdwAlertDialog *dialog, const char *response, VdWindow *self)
{
  GtkEditable *entry = GTK_EDITABLE (adw_alert_dialog_get_extra_child (dialog));
  VdMachine *machine = g_object_get_data (G_OBJECT (dialog), "machine");

  if (g_str_equal (response, "rename"))
    vd_report_job (GTK_WIDGET (self),
                   vd_library_rename (self->library, machine, gtk_editable_get_text (entry)));
}

static void
rename_edited (AdwAlertDialog *dialog, GtkEditable *entry)
{
  g_autofree char *name = g_strstrip (g_strdup (gtk_editable_get_text (entry)));

  adw_alert_dialog_set_response_enabled (dialog, "rename", *name != '\0');
}

static void
rename_machine (GtkWidget *widget, const char *name, GVariant *parameter)
{
  VdWindow *self = VD_WINDOW (widget);
  VdMachine *machine = vd_window_get_selected (self);
  AdwAlertDialog *dialog;
  GtkWidget *entry;

  if (vd_is_asking (widget))
    return;
  dialog = ADW_ALERT_DIALOG (adw_alert_dialog_new (_("Rename Machine"), NULL));
  entry = gtk_entry_new ();
  gtk_editable_set_text (GTK_EDITABLE (entry), vd_machine_get_name (machine));
  gtk_entry_set_activates_default (GTK_ENTRY (entry), TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (entry), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Name"),
                                  -1);
  adw_alert_dialog_set_extra_child (dialog, entry);
  adw_alert_dialog_add_responses (dialog, "cancel", _("_Cancel"), "rename", _("_Rename"), NULL);
  adw_alert_dialog_set_response_appearance (dialog, "rename", ADW_RESPONSE_SUGGESTED);
  adw_alert_dialog_set_default_response (dialog, "rename");
  g_object_set_data_full (G_OBJECT (dialog), "machine", g_object_ref (machine), g_object_unref);
  g_signal_connect_object (entry, "changed", G_CALLBACK (rename_edited), dialog, G_CONNECT_SWAPPED);
  g_signal_connect_object (dialog, "response", G_CALLBACK (rename_answered), self, 0);
  adw_dialog_present (ADW_DIALOG (dialog), widget);
  gtk_widget_grab_focus (entry);
}

static void
undo_clicked (AdwToast *toast, VdWindow *self)
{
  g_autofree char *uuid = g_object_steal_data (G_OBJECT (toast), "uuid");

  vd_report_job (GTK_WIDGET (self), vd_library_restore (self->library, uuid));
}

/* Not undone: its room on the disk is given back; when it is the window that goes, by the next
 * start. */
static void
undo_dismissed (AdwToast *toast, VdWindow *self)
{
  g_autofree char *uuid = g_object_steal_data (G_OBJECT (toast), "uuid");

  if (uuid != NULL && self->library != NULL)
    vd_report_job (GTK_WIDGET (self), vd_library_purge (self->library, uuid));
}

static void
offer_undo (VdWindow *self, const char *uuid, const char *name)
{
  /* Translators: %s is the name of a machine */
  g_autofree char *title = g_strdup_printf (_("“%s” deleted"), name);
  AdwToast *toast = adw_toast_new (title);

  adw_toast_set_use_markup (toast, FALSE);
  adw_toast_set_button_label (toast, _("_Undo"));
  adw_toast_set_timeout (toast, 10);
  g_object_set_data_full (G_OBJECT (toast), "uuid", g_strdup (uuid), g_free);
  g_signal_connect_object (toast, "button-clicked", G_CALLBACK (undo_clicked), self, 0);
  g_signal_connect_object (toast, "dismissed", G_CALLBACK (undo_dismissed), self, 0);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

static void
deleted (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (VdWindow) self = data;
  VdJob *job = VD_JOB (object);
  g_autoptr (GError) error = NULL;

  if (vd_job_wait_finish (job, result, &error))
    offer_undo (self, g_object_get_data (G_OBJECT (job), "uuid"),
                g_object_get_data (G_OBJECT (job), "name"));
  else
    vd_report_error (GTK_WIDGET (self), _("The machine could not be deleted"), error);
}

static void
delete_machine (GtkWidget *widget, const char *name, GVariant *parameter)
{
  VdWindow *self = VD_WINDOW (widget);
  VdMachine *machine = vd_window_get_selected (self);
  g_autoptr (VdJob) job = NULL;
  GtkWindow *console = g_hash_table_lookup (self->consoles, machine);

  if (vd_is_asking (widget))
    return;
  if (console != NULL)
    gtk_window_destroy (console);
  job = vd_library_delete (self->library, machine);
  g_object_set_data_full (G_OBJECT (job), "uuid", g_strdup (vd_machine_get_uuid (machine)), g_free);
  g_object_set_data_full (G_OBJECT (job), "name", g_strdup (vd_machine_get_name (machine)), g_free);
  vd_job_wait_async (job, NULL, deleted, g_object_ref (self));
}

void
vd_window_update_actions (VdWindow *self)
{
  VdMachine *machine = self->shown;
  GtkWidget *widget = GTK_WIDGET (self);
  VdMachineState state = machine != NULL ? vd_machine_get_state (machine) : VD_MACHINE_BROKEN;
  gboolean editable = machine != NULL && vd_machine_get_config (machine) != NULL &&
                      !vd_machine_get_read_only (machine) && !vd_machine_get_saved (machine) &&
                      state != VD_MACHINE_ELSEWHERE;
  gboolean deletable =
    machine != NULL && !vd_machine_is_active (machine) && state != VD_MACHINE_ELSEWHERE;

  gtk_widget_action_set_enabled (widget, "win.rename", editable);
  gtk_widget_action_set_enabled (widget, "win.settings", editable);
  gtk_widget_action_set_enabled (widget, "win.delete", deletable);
  gtk_widget_action_set_enabled (widget, "win.console",
                                 machine != NULL && state != VD_MACHINE_BROKEN);
  gtk_widget_action_set_enabled (widget, "win.show-folder",
                                 machine != NULL && state == VD_MACHINE_BROKEN);
}

void
vd_window_class_init_actions (GtkWidgetClass *klass)
{
  gtk_widget_class_install_action (klass, "win.new-machine", NULL, new_machine);
  gtk_widget_class_install_action (klass, "win.try-sample", NULL, try_sample);
  gtk_widget_class_install_action (klass, "win.search", NULL, search);
  gtk_widget_class_install_action (klass, "win.console", NULL, show_console);
  gtk_widget_class_install_action (klass, "win.show-folder", NULL, show_folder);
  gtk_widget_class_install_action (klass, "win.rename", NULL, rename_machine);
  gtk_widget_class_install_action (klass, "win.settings", NULL, show_settings);
  gtk_widget_class_install_action (klass, "win.delete", NULL, delete_machine);
}
