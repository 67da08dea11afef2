/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-machine-settings.h"

#include <glib/gi18n.h>

#include "vd-closures.h"
#include "vd-report.h"
#include "wizard/vd-config-form.h"

struct _VdMachineSettings {
  AdwDialog parent_instance;

  /* Template widgets */
  AdwBanner *later;
  VdConfigForm *form;

  /* Owned */
  VdLibrary *library;
  VdMachine *machine;
  VdConfig *config; /* a copy, edited */
};

G_DEFINE_FINAL_TYPE (VdMachineSettings, vd_machine_settings, ADW_TYPE_DIALOG)

static void
update_apply (VdMachineSettings *self)
{
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "settings.apply",
                                 vd_config_form_is_good (self->form));
}

static void
update_later (VdMachineSettings *self)
{
  adw_banner_set_revealed (self->later, vd_machine_is_active (self->machine));
}

static void
apply (VdMachineSettings *self)
{
  GtkWidget *window =
    GTK_WIDGET (gtk_widget_get_root (GTK_WIDGET (self))); /* outlives the dialog */

  if (!vd_config_form_is_good (self->form))
    return;
  vd_report_job (window, vd_library_configure (self->library, self->machine, self->config));
  adw_dialog_close (ADW_DIALOG (self));
}

static void
apply_activated (GtkWidget *widget, const char *name, GVariant *parameter)
{
  apply (VD_MACHINE_SETTINGS (widget));
}

static void
vd_machine_settings_dispose (GObject *object)
{
  VdMachineSettings *self = VD_MACHINE_SETTINGS (object);

  gtk_widget_dispose_template (GTK_WIDGET (object), VD_TYPE_MACHINE_SETTINGS);
  g_clear_object (&self->library);
  g_clear_object (&self->machine);
  g_clear_object (&self->config);
  G_OBJECT_CLASS (vd_machine_settings_parent_class)->dispose (object);
}

static void
vd_machine_settings_class_init (VdMachineSettingsClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = vd_machine_settings_dispose;
  g_type_ensure (VD_TYPE_CONFIG_FORM);
  gtk_widget_class_set_template_from_resource (
    widget_class, "/com/example/VirtDesk/window/vd-machine-settings.ui");
  gtk_widget_class_bind_template_child (widget_class, VdMachineSettings, later);
  gtk_widget_class_bind_template_child (widget_class, VdMachineSettings, form);
  gtk_widget_class_bind_template_callback (widget_class, apply);
  gtk_widget_class_bind_template_callback (widget_class, update_apply);
  gtk_widget_class_bind_template_callback (widget_class, vd_closure_is_not_empty);
  gtk_widget_class_install_action (widget_class, "settings.apply", NULL, apply_activated);
}

static void
vd_machine_settings_init (VdMachineSettings *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

AdwDialog *
vd_machine_settings_new (VdLibrary *library, VdMachine *machine)
{
  VdMachineSettings *self = g_object_new (VD_TYPE_MACHINE_SETTINGS, NULL);

  self->library = g_object_ref (library);
  self->machine = g_object_ref (machine);
  self->config = vd_config_copy (vd_machine_get_config (machine));
  vd_config_form_set_config (self->form, library, self->config, FALSE);
  g_signal_connect_object (machine, "notify::state", G_CALLBACK (update_later), self,
                           G_CONNECT_SWAPPED);
  update_later (self);
  return ADW_DIALOG (self);
}
