/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-config-form.h"

#include <glib/gi18n.h>

struct _VdConfigForm {
  AdwPreferencesPage parent_instance;

  /* Template widgets */
  GtkWidget *name, *source, *memory, *cpus, *disk, *engine, *engine_group, *more, *boot, *kernel,
    *initrd, *append, *graphics, *network;

  /* Owned */
  VdLibrary *library;
  VdConfig *config;
  GPtrArray *bindings;
  char *message;
  gboolean good;
  guint check_idle;
};

enum { PROP_0, PROP_GOOD, PROP_MESSAGE, N_PROPS };
static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (VdConfigForm, vd_config_form, ADW_TYPE_PREFERENCES_PAGE)

/* One row and one property. @unit divides a number of bytes into what the row shows. */
typedef struct {
  gsize row;
  const char *row_property;
  const char *property;
  guint64 unit;
} Field;

#define ROW(name) G_STRUCT_OFFSET (VdConfigForm, name)
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
get_row (VdConfigForm *self, const Field *field)
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
vd_config_form_update_boot (VdConfigForm *self)
{
  gboolean kernel = vd_config_get_boot (self->config) == VD_BOOT_KERNEL;
  g_autofree char *source = describe_source (self->config);

  gtk_widget_set_visible (self->kernel, kernel);
  gtk_widget_set_visible (self->initrd, kernel);
  gtk_widget_set_visible (self->append, kernel);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->source), source);
}

/* Which engine would run it and why. */
static void
vd_config_form_show_engine (VdConfigForm *self, const char *engine, const char *reason)
{
  g_autofree char *text = NULL, *markup = NULL;

  /* Translators: what runs the machine and why, such as "QEMU: there is no KVM here" */
  text = engine != NULL ? g_strdup_printf (_("%s: %s"), engine, reason != NULL ? reason : "")
                        : g_strdup ("");
  markup = g_markup_escape_text (text, -1);
  adw_preferences_group_set_description (ADW_PREFERENCES_GROUP (self->engine_group), markup);
}

static void
vd_config_form_mark (VdConfigForm *self, const char *bad_field)
{
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    GtkWidget *row = get_row (self, &fields[i]);

    if (g_strcmp0 (fields[i].property, bad_field) == 0)
      gtk_widget_add_css_class (row, "error");
    else
      gtk_widget_remove_css_class (row, "error");
  }
}

static void
vd_config_form_check (VdConfigForm *self)
{
  g_autofree char *name = NULL, *reason = NULL, *slow = NULL;
  g_autoptr (GError) error = NULL;

  self->good = vd_config_check (self->config, &error) &&
               vd_library_explain (self->library, self->config, &name, &reason, &slow, &error);
  vd_config_form_mark (self, self->good ? NULL : vd_config_get_bad_field (self->config));
  vd_config_form_show_engine (self, name, reason);
  g_free (self->message);
  self->message = g_strdup (!self->good ? error->message : slow != NULL ? slow : "");
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MESSAGE]);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_GOOD]);
}

static gboolean
check_when_idle (gpointer data)
{
  VdConfigForm *self = data;

  self->check_idle = 0;
  vd_config_form_update_boot (self);
  vd_config_form_check (self);
  return G_SOURCE_REMOVE;
}

static void
vd_config_form_queue_check (VdConfigForm *self)
{
  if (self->check_idle == 0)
    self->check_idle = g_idle_add (check_when_idle, self);
}

static void
vd_config_form_bind (VdConfigForm *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    GBinding *binding = g_object_bind_property_full (
      self->config, fields[i].property, get_row (self, &fields[i]), fields[i].row_property,
      G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE, to_row, from_row, (gpointer) &fields[i],
      NULL);

    g_ptr_array_add (self->bindings, g_object_ref (binding));
  }
  g_signal_connect_swapped (self->config, "notify", G_CALLBACK (vd_config_form_queue_check), self);
}

static void
vd_config_form_clear (VdConfigForm *self)
{
  g_clear_handle_id (&self->check_idle, g_source_remove);
  for (guint i = 0; i < self->bindings->len; i++)
    g_binding_unbind (self->bindings->pdata[i]);
  g_ptr_array_set_size (self->bindings, 0);
  if (self->config != NULL)
    g_signal_handlers_disconnect_by_data (self->config, self);
  g_clear_object (&self->config);
  g_clear_object (&self->library);
}

void
vd_config_form_set_config (VdConfigForm *self,
                           VdLibrary *library,
                           VdConfig *config,
                           gboolean is_new)
{
  vd_config_form_clear (self);
  self->library = g_object_ref (library);
  self->config = g_object_ref (config);
  gtk_widget_set_visible (self->disk, is_new);
  vd_config_form_bind (self);
  vd_config_form_update_boot (self);
  vd_config_form_check (self);
}

gboolean
vd_config_form_is_good (VdConfigForm *self)
{
  return self->good;
}

void
vd_config_form_focus (VdConfigForm *self)
{
  if (gtk_widget_get_sensitive (GTK_WIDGET (self)))
    gtk_widget_grab_focus (self->name);
}

static void
name_activated (VdConfigForm *self)
{
  g_signal_emit_by_name (self, "activated");
}

static void
vd_config_form_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  VdConfigForm *self = VD_CONFIG_FORM (object);

  if (id == PROP_GOOD)
    g_value_set_boolean (value, self->good);
  else if (id == PROP_MESSAGE)
    g_value_set_string (value, self->message);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
vd_config_form_dispose (GObject *object)
{
  vd_config_form_clear (VD_CONFIG_FORM (object));
  gtk_widget_dispose_template (GTK_WIDGET (object), VD_TYPE_CONFIG_FORM);
  G_OBJECT_CLASS (vd_config_form_parent_class)->dispose (object);
}

static void
vd_config_form_finalize (GObject *object)
{
  VdConfigForm *self = VD_CONFIG_FORM (object);

  g_ptr_array_unref (self->bindings);
  g_free (self->message);
  G_OBJECT_CLASS (vd_config_form_parent_class)->finalize (object);
}

static void
bind_rows (GtkWidgetClass *klass)
{
  gtk_widget_class_bind_template_child (klass, VdConfigForm, name);
  gtk_widget_class_bind_template_child (klass, VdConfigForm, source);
  gtk_widget_class_bind_template_child (klass, VdConfigForm, memory);
  gtk_widget_class_bind_template_child (klass, VdConfigForm, cpus);
  gtk_widget_class_bind_template_child (klass, VdConfigForm, disk);
  gtk_widget_class_bind_template_child (klass, VdConfigForm, engine);
  gtk_widget_class_bind_template_child (klass, VdConfigForm, engine_group);
  gtk_widget_class_bind_template_child (klass, VdConfigForm, more);
  gtk_widget_class_bind_template_child (klass, VdConfigForm, boot);
  gtk_widget_class_bind_template_child (klass, VdConfigForm, kernel);
  gtk_widget_class_bind_template_child (klass, VdConfigForm, initrd);
  gtk_widget_class_bind_template_child (klass, VdConfigForm, append);
  gtk_widget_class_bind_template_child (klass, VdConfigForm, graphics);
  gtk_widget_class_bind_template_child (klass, VdConfigForm, network);
}

static void
vd_config_form_class_init (VdConfigFormClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = vd_config_form_dispose;
  object_class->finalize = vd_config_form_finalize;
  object_class->get_property = vd_config_form_get_property;
  props[PROP_GOOD] =
    g_param_spec_boolean ("good", NULL, NULL, FALSE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  props[PROP_MESSAGE] =
    g_param_spec_string ("message", NULL, NULL, "", G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
  /* Enter in the name */
  g_signal_new ("activated", VD_TYPE_CONFIG_FORM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                G_TYPE_NONE, 0);

  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/com/example/VirtDesk/wizard/vd-config-form.ui");
  bind_rows (widget_class);
  gtk_widget_class_bind_template_callback (widget_class, name_activated);
}

static void
vd_config_form_init (VdConfigForm *self)
{
  self->bindings = g_ptr_array_new_with_free_func (g_object_unref);
  self->message = g_strdup ("");
  gtk_widget_init_template (GTK_WIDGET (self));
}
