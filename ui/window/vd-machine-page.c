/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-machine-page.h"

#include <glib/gi18n.h>

#include "vd-closures.h"
#include "vd-disk-row.h"
#include "vd-thumbnail.h"

struct _VdMachinePage {
  AdwBin parent_instance;

  /* Template widgets */
  GtkButton *primary;
  AdwPreferencesGroup *disks;
  GtkWidget *engine_row;
  GtkWidget *boot_row;
  GtkWidget *network_row;
  GtkWidget *problem;
  GtkLabel *problem_label;
  GtkWidget *details;

  /* Owned */
  VdLibrary *library;
  VdMachine *machine;
  GSignalGroup *signals;
  GPtrArray *disk_rows; /* borrowed by the group */
};

enum { PROP_0, PROP_MACHINE, N_PROPS };
static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (VdMachinePage, vd_machine_page, ADW_TYPE_BIN)

/* The one button below the picture. */
static void
vd_machine_page_update_primary (VdMachinePage *self)
{
  VdMachineState state = vd_machine_get_state (self->machine);
  const char *label = _("_Start"), *action = "machine.start";

  if (state == VD_MACHINE_OFF && vd_machine_get_saved (self->machine)) {
    label = _("_Continue");
  } else if (state == VD_MACHINE_RUNNING || state == VD_MACHINE_STARTING ||
             state == VD_MACHINE_STOPPING) {
    label = _("_Open Console");
    action = "page.open-console";
  } else if (state == VD_MACHINE_PAUSED) {
    label = _("_Resume");
    action = "machine.resume";
  } else if (state == VD_MACHINE_BROKEN) {
    label = _("_Show Folder");
    action = "win.show-folder";
  }
  gtk_button_set_label (self->primary, label);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (self->primary), action);
}

static void
vd_machine_page_update_problem (VdMachinePage *self)
{
  const char *problem = vd_machine_get_problem (self->machine);

  gtk_widget_set_visible (self->problem, problem != NULL && *problem != '\0');
  gtk_label_set_label (self->problem_label, problem != NULL ? problem : "");
  gtk_widget_set_visible (self->details, vd_machine_get_details (self->machine) != NULL);
}

/* For a report: the sentence, and the registers or whatever else belongs to it. */
static void
copy_details (VdMachinePage *self)
{
  g_autofree char *text = g_strdup_printf ("%s\n%s\n", vd_machine_get_problem (self->machine),
                                           vd_machine_get_details (self->machine));

  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), text);
}

static const char *
boot_words (VdConfig *config)
{
  switch (vd_config_get_boot (config)) {
  case VD_BOOT_KERNEL:
    return _("None: a Linux kernel is started directly");
  case VD_BOOT_BIOS:
    return _("BIOS");
  case VD_BOOT_UEFI:
    return _("UEFI");
  }
  return "";
}

static const char *
network_words (VdConfig *config)
{
  if (vd_config_get_network (config))
    return _("Shares this computer’s connection; nobody outside can reach it");
  return _("None: the machine is on its own");
}

static void
vd_machine_page_add_disks (VdMachinePage *self, GListModel *disks)
{
  guint drive = 0;

  for (guint i = 0; i < g_list_model_get_n_items (disks); i++) {
    g_autoptr (VdDiskConfig) disk = g_list_model_get_item (disks, i);
    GtkWidget *row = vd_disk_row_new (self->library, self->machine, disk, drive);

    drive += vd_disk_config_get_cdrom (disk);
    adw_preferences_group_add (self->disks, row);
    g_ptr_array_add (self->disk_rows, row);
  }
}

static void
vd_machine_page_update_config (VdMachinePage *self)
{
  VdConfig *config = vd_machine_get_config (self->machine);

  for (guint i = 0; i < self->disk_rows->len; i++)
    adw_preferences_group_remove (self->disks, self->disk_rows->pdata[i]);
  g_ptr_array_set_size (self->disk_rows, 0);
  gtk_widget_set_visible (self->boot_row, config != NULL);
  gtk_widget_set_visible (self->network_row, config != NULL);
  if (config != NULL) {
    adw_action_row_set_subtitle (ADW_ACTION_ROW (self->boot_row), boot_words (config));
    adw_action_row_set_subtitle (ADW_ACTION_ROW (self->network_row), network_words (config));
    vd_machine_page_add_disks (self, vd_config_get_disks (config));
  }
  gtk_widget_set_visible (GTK_WIDGET (self->disks), self->disk_rows->len > 0);
}

static void
vd_machine_page_update_engine (VdMachinePage *self)
{
  const char *name = vd_machine_get_engine_name (self->machine);
  const char *reason = vd_machine_get_engine_reason (self->machine);
  g_autofree char *text = NULL;

  gtk_widget_set_visible (self->engine_row, name != NULL);
  if (name == NULL)
    return;
  /* Translators: what runs the machine and why, such as "QEMU: there is no KVM here" */
  text = reason != NULL ? g_strdup_printf (_("%s: %s"), name, reason) : g_strdup (name);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->engine_row), text);
}

static void
vd_machine_page_state_changed (VdMachinePage *self)
{
  vd_machine_page_update_primary (self);
  vd_machine_page_update_problem (self);
  vd_machine_page_update_engine (self);
}

void
vd_machine_page_set_machine (VdMachinePage *self, VdMachine *machine)
{
  if (!g_set_object (&self->machine, machine))
    return;
  g_signal_group_set_target (self->signals, machine);
  gtk_widget_set_visible (adw_bin_get_child (ADW_BIN (self)), machine != NULL);
  if (machine != NULL) {
    vd_machine_page_state_changed (self);
    vd_machine_page_update_config (self);
  }
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MACHINE]);
}

void
vd_machine_page_set_library (VdMachinePage *self, VdLibrary *library)
{
  g_set_object (&self->library, library);
}

static void
open_console (GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_signal_emit_by_name (widget, "open-console");
}

static void
vd_machine_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_MACHINE)
    g_value_set_object (value, VD_MACHINE_PAGE (object)->machine);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
vd_machine_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_MACHINE)
    vd_machine_page_set_machine (VD_MACHINE_PAGE (object), g_value_get_object (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
vd_machine_page_dispose (GObject *object)
{
  VdMachinePage *self = VD_MACHINE_PAGE (object);

  g_clear_object (&self->signals);
  g_clear_object (&self->machine);
  g_clear_object (&self->library);
  g_clear_pointer (&self->disk_rows, g_ptr_array_unref);
  gtk_widget_dispose_template (GTK_WIDGET (object), VD_TYPE_MACHINE_PAGE);
  G_OBJECT_CLASS (vd_machine_page_parent_class)->dispose (object);
}

static void
vd_machine_page_class_init (VdMachinePageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = vd_machine_page_dispose;
  object_class->get_property = vd_machine_page_get_property;
  object_class->set_property = vd_machine_page_set_property;
  props[PROP_MACHINE] = g_param_spec_object ("machine", NULL, NULL, VD_TYPE_MACHINE,
                                             G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
  g_signal_new ("open-console", VD_TYPE_MACHINE_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                G_TYPE_NONE, 0);

  g_type_ensure (VD_TYPE_THUMBNAIL);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/com/example/VirtDesk/window/vd-machine-page.ui");
  gtk_widget_class_bind_template_child (widget_class, VdMachinePage, primary);
  gtk_widget_class_bind_template_child (widget_class, VdMachinePage, disks);
  gtk_widget_class_bind_template_child (widget_class, VdMachinePage, engine_row);
  gtk_widget_class_bind_template_child (widget_class, VdMachinePage, boot_row);
  gtk_widget_class_bind_template_child (widget_class, VdMachinePage, network_row);
  gtk_widget_class_bind_template_child (widget_class, VdMachinePage, problem);
  gtk_widget_class_bind_template_child (widget_class, VdMachinePage, problem_label);
  gtk_widget_class_bind_template_child (widget_class, VdMachinePage, details);
  gtk_widget_class_bind_template_callback (widget_class, copy_details);
  gtk_widget_class_bind_template_callback (widget_class, vd_closure_dot_classes);
  gtk_widget_class_bind_template_callback (widget_class, vd_closure_hardware);
  gtk_widget_class_bind_template_callback (widget_class, vd_closure_is_not_null);
  gtk_widget_class_install_action (widget_class, "page.open-console", NULL, open_console);
}

static void
vd_machine_page_init (VdMachinePage *self)
{
  self->disk_rows = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  self->signals = g_signal_group_new (VD_TYPE_MACHINE);
  g_signal_group_connect_swapped (self->signals, "notify::state",
                                  G_CALLBACK (vd_machine_page_state_changed), self);
  g_signal_group_connect_swapped (self->signals, "notify::saved",
                                  G_CALLBACK (vd_machine_page_update_primary), self);
  g_signal_group_connect_swapped (self->signals, "notify::problem",
                                  G_CALLBACK (vd_machine_page_update_problem), self);
  g_signal_group_connect_swapped (self->signals, "notify::config",
                                  G_CALLBACK (vd_machine_page_update_config), self);
}
