/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-review.h"

#include <glib/gi18n.h>

/* One row and one property. @unit divides a number of bytes into what the row shows. */
typedef struct {
  gsize row;
  const char *row_property;
  const char *property;
  guint64 unit;
} Field;

#define ROW(name) G_STRUCT_OFFSET (VdReview, name)
#define MIB       (G_GUINT64_CONSTANT (1) << 20)
#define GIB       (G_GUINT64_CONSTANT (1) << 30)

static const Field fields[] = {
  { ROW (name), "text", "name", 0 },         { ROW (memory), "value", "memory", MIB },
  { ROW (cpus), "value", "cpus", 1 },        { ROW (disk), "value", "new-disk-size", GIB },
  { ROW (engine), "selected", "engine", 0 }, { ROW (boot), "selected", "boot", 0 },
  { ROW (kernel), "text", "kernel", 0 },     { ROW (initrd), "text", "initrd", 0 },
  { ROW (append), "text", "append", 0 },     { ROW (graphics), "active", "graphics", 0 },
  { ROW (network), "active", "network", 0 },
};

static GtkWidget *
get_row (VdReview *self, const Field *field)
{
  return G_STRUCT_MEMBER (GtkWidget *, self, field->row);
}

/* Enumerations are in the order of the rows' lists. */
static gboolean
to_row (GBinding *binding, const GValue *from, GValue *to, gpointer data)
{
  const Field *field = data;

  if (G_VALUE_HOLDS_ENUM (from))
    g_value_set_uint (to, g_value_get_enum (from));
  else if (G_VALUE_HOLDS_UINT64 (from))
    g_value_set_double (to, g_value_get_uint64 (from) / (double) field->unit);
  else if (G_VALUE_HOLDS_STRING (from))
    g_value_set_string (to, g_value_get_string (from) != NULL ? g_value_get_string (from) : "");
  else
    return g_value_transform (from, to);
  return TRUE;
}

static gboolean
from_row (GBinding *binding, const GValue *from, GValue *to, gpointer data)
{
  const Field *field = data;

  if (G_VALUE_HOLDS_ENUM (to))
    g_value_set_enum (to, g_value_get_uint (from));
  else if (G_VALUE_HOLDS_UINT64 (to))
    g_value_set_uint64 (to, (guint64) g_value_get_double (from) * field->unit);
  else if (G_VALUE_HOLDS_UINT (to))
    g_value_set_uint (to, g_value_get_double (from));
  else if (G_VALUE_HOLDS_STRING (from) && *g_value_get_string (from) == '\0')
    g_value_set_string (to, NULL);
  else
    return g_value_transform (from, to);
  return TRUE;
}

/* Where it starts from, in words: the first disk or disc, or the kernel. */
static char *
describe_source (VdConfig *config)
{
  g_autoptr (VdDiskConfig) disk = g_list_model_get_item (vd_config_get_disks (config), 0);

  if (vd_config_is_sample (config))
    return g_strdup (_("The sample that comes with VirtDesk"));
  if (vd_config_get_boot (config) == VD_BOOT_KERNEL && vd_config_get_kernel (config) != NULL)
    return g_strdup (vd_config_get_kernel (config));
  if (disk != NULL && vd_disk_config_get_path (disk) != NULL)
    return g_strdup (vd_disk_config_get_path (disk));
  return g_strdup (_("An empty disk"));
}

static void
boot_changed (VdConfig *config, GParamSpec *pspec, gpointer data)
{
  VdReview *self = data;
  gboolean kernel = vd_config_get_boot (config) == VD_BOOT_KERNEL;
  g_autofree char *source = describe_source (config);

  gtk_widget_set_visible (self->kernel, kernel);
  gtk_widget_set_visible (self->initrd, kernel);
  gtk_widget_set_visible (self->append, kernel);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->source), source);
}

void
vd_review_bind (VdReview *self, VdConfig *config)
{
  vd_review_clear (self);
  self->bindings = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    GBinding *binding = g_object_bind_property_full (
      config, fields[i].property, get_row (self, &fields[i]), fields[i].row_property,
      G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE, to_row, from_row, (gpointer) &fields[i],
      NULL);

    g_ptr_array_add (self->bindings, g_object_ref (binding));
  }
  g_signal_connect (config, "notify::boot", G_CALLBACK (boot_changed), self);
  g_signal_connect (config, "notify::kernel", G_CALLBACK (boot_changed), self);
  g_ptr_array_add (self->bindings, g_object_ref (config));
  boot_changed (config, NULL, self);
}

void
vd_review_clear (VdReview *self)
{
  if (self->bindings == NULL)
    return;
  for (guint i = 0; i < self->bindings->len; i++) {
    GObject *object = self->bindings->pdata[i];

    if (G_IS_BINDING (object))
      g_binding_unbind (G_BINDING (object));
    else
      g_signal_handlers_disconnect_by_data (object, self);
  }
  g_clear_pointer (&self->bindings, g_ptr_array_unref);
}

void
vd_review_show (VdReview *self, const char *bad_field, const char *engine, const char *reason)
{
  g_autofree char *text = NULL, *markup = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    GtkWidget *row = get_row (self, &fields[i]);

    if (bad_field != NULL && g_str_equal (fields[i].property, bad_field))
      gtk_widget_add_css_class (row, "error");
    else
      gtk_widget_remove_css_class (row, "error");
  }
  /* Translators: what runs the machine and why, such as "QEMU: there is no KVM here" */
  text = engine != NULL ? g_strdup_printf (_("%s: %s"), engine, reason != NULL ? reason : "")
                        : g_strdup ("");
  markup = g_markup_escape_text (text, -1);
  adw_preferences_group_set_description (ADW_PREFERENCES_GROUP (self->engine_group), markup);
}
