/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-machine-row.h"

#include "vd-closures.h"
#include "vd-thumbnail.h"

struct _VdMachineRow {
  GtkBox parent_instance;

  /* Owned */
  VdMachine *machine;
};

enum { PROP_0, PROP_MACHINE, N_PROPS };

G_DEFINE_FINAL_TYPE (VdMachineRow, vd_machine_row, GTK_TYPE_BOX)

static void
vd_machine_row_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_MACHINE)
    g_value_set_object (value, VD_MACHINE_ROW (object)->machine);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
vd_machine_row_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_MACHINE)
    g_set_object (&VD_MACHINE_ROW (object)->machine, g_value_get_object (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
vd_machine_row_dispose (GObject *object)
{
  g_clear_object (&VD_MACHINE_ROW (object)->machine);
  gtk_widget_dispose_template (GTK_WIDGET (object), VD_TYPE_MACHINE_ROW);
  G_OBJECT_CLASS (vd_machine_row_parent_class)->dispose (object);
}

static void
vd_machine_row_class_init (VdMachineRowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = vd_machine_row_dispose;
  object_class->get_property = vd_machine_row_get_property;
  object_class->set_property = vd_machine_row_set_property;
  g_object_class_install_property (
    object_class, PROP_MACHINE,
    g_param_spec_object ("machine", NULL, NULL, VD_TYPE_MACHINE,
                         G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  g_type_ensure (VD_TYPE_THUMBNAIL);
  gtk_widget_class_set_template_from_resource (GTK_WIDGET_CLASS (klass),
                                               "/com/example/VirtDesk/window/vd-machine-row.ui");
  gtk_widget_class_bind_template_callback (GTK_WIDGET_CLASS (klass), vd_closure_dot_classes);
}

static void
vd_machine_row_init (VdMachineRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
