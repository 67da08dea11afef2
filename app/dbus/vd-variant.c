/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Machines and configurations as a{sv}.
 *
 * Threads: main.
 */
#include "dbus/vd-variant.h"
#include "library/vd-config-private.h"
#include "library/vd-own-machine.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>
#include <string.h>

static const char *const config_keys[] = {
  "uuid",   "name",   "notes",  "os",   "engine",   "boot",    "kernel",
  "initrd", "append", "memory", "cpus", "graphics", "network", "new-disk-size",
};
static const char *const disk_keys[] = { "path", "format", "bus", "readonly", "cdrom" };

/* NULL for a string that is not set. */
static GVariant *
value_to_variant (const GValue *value)
{
  if (G_VALUE_HOLDS_ENUM (value))
    return g_variant_new_string (vd_enum_to_nick (G_VALUE_TYPE (value), g_value_get_enum (value)));
  if (G_VALUE_HOLDS_BOOLEAN (value))
    return g_variant_new_boolean (g_value_get_boolean (value));
  if (G_VALUE_HOLDS_UINT (value))
    return g_variant_new_uint32 (g_value_get_uint (value));
  if (G_VALUE_HOLDS_UINT64 (value))
    return g_variant_new_uint64 (g_value_get_uint64 (value));
  return g_value_get_string (value) != NULL ? g_variant_new_string (g_value_get_string (value))
                                            : NULL;
}

static void
add_properties (GVariantDict *dict, gpointer object, const char *const *keys, guint n_keys)
{
  for (guint i = 0; i < n_keys; i++) {
    g_auto (GValue) value = G_VALUE_INIT;
    GVariant *variant;

    g_object_get_property (object, keys[i], &value);
    variant = value_to_variant (&value);
    if (variant != NULL)
      g_variant_dict_insert_value (dict, keys[i], variant);
  }
}

static gboolean
variant_to_value (GVariant *variant, GValue *value)
{
  int number;

  if (G_VALUE_HOLDS_BOOLEAN (value) && g_variant_is_of_type (variant, G_VARIANT_TYPE_BOOLEAN))
    g_value_set_boolean (value, g_variant_get_boolean (variant));
  else if (G_VALUE_HOLDS_UINT (value) && g_variant_is_of_type (variant, G_VARIANT_TYPE_UINT32))
    g_value_set_uint (value, g_variant_get_uint32 (variant));
  else if (G_VALUE_HOLDS_UINT64 (value) && g_variant_is_of_type (variant, G_VARIANT_TYPE_UINT64))
    g_value_set_uint64 (value, g_variant_get_uint64 (variant));
  else if (!g_variant_is_of_type (variant, G_VARIANT_TYPE_STRING))
    return FALSE;
  else if (G_VALUE_HOLDS_STRING (value))
    g_value_set_string (value, g_variant_get_string (variant, NULL));
  else if (G_VALUE_HOLDS_ENUM (value) &&
           (number =
              vd_enum_from_nick (G_VALUE_TYPE (value), g_variant_get_string (variant, NULL))) >= 0)
    g_value_set_enum (value, number);
  else
    return FALSE;
  return TRUE;
}

static gboolean
set_property (gpointer object,
              const char *key,
              GVariant *variant,
              const char *const *keys,
              guint n_keys,
              GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;

  for (guint i = 0; i < n_keys; i++) {
    if (strcmp (keys[i], key) != 0)
      continue;
    g_value_init (&value,
                  g_object_class_find_property (G_OBJECT_GET_CLASS (object), key)->value_type);
    if (!variant_to_value (variant, &value))
      break;
    g_object_set_property (object, key, &value);
    return TRUE;
  }
  g_set_error (error, VD_ERROR, VD_ERROR_INVALID,
               _("“%s” is not a property of a machine, or its value makes no sense."), key);
  return FALSE;
}

static GVariant *
disks_to_variant (GListModel *disks)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < g_list_model_get_n_items (disks); i++) {
    g_autoptr (VdDiskConfig) disk = g_list_model_get_item (disks, i);
    g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

    add_properties (&dict, disk, disk_keys, G_N_ELEMENTS (disk_keys));
    g_variant_builder_add_value (&builder, g_variant_dict_end (&dict));
  }
  return g_variant_builder_end (&builder);
}

static gboolean
add_disk (VdConfig *config, GVariant *variant, GError **error)
{
  g_autoptr (VdDiskConfig) disk = vd_disk_config_new (NULL, VD_DISK_RAW);
  GVariantIter iter;
  const char *key;
  GVariant *value;

  g_variant_iter_init (&iter, variant);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value)) {
    if (!set_property (disk, key, value, disk_keys, G_N_ELEMENTS (disk_keys), error)) {
      g_variant_unref (value);
      return FALSE;
    }
  }
  vd_config_add_disk (config, disk);
  return TRUE;
}

static gboolean
set_key (VdConfig *config, const char *key, GVariant *value, GError **error)
{
  if (strcmp (key, "disks") != 0 || !g_variant_is_of_type (value, G_VARIANT_TYPE ("aa{sv}")))
    return set_property (config, key, value, config_keys, G_N_ELEMENTS (config_keys), error);
  if (g_variant_n_children (value) > VD_MAX_DISKS) {
    g_set_error_literal (error, VD_ERROR, VD_ERROR_INVALID,
                         _("A machine can have at most 24 disks."));
    return FALSE;
  }
  for (gsize i = 0; i < g_variant_n_children (value); i++) {
    g_autoptr (GVariant) disk = g_variant_get_child_value (value, i);

    if (!add_disk (config, disk, error))
      return FALSE;
  }
  return TRUE;
}

GVariant *
vd_config_to_variant (VdConfig *config)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  add_properties (&dict, config, config_keys, G_N_ELEMENTS (config_keys));
  g_variant_dict_insert_value (&dict, "disks", disks_to_variant (vd_config_get_disks (config)));
  return g_variant_dict_end (&dict);
}

/* As we write it ourselves: it names a folder, and two that differ in case only are one machine. */
static void
write_uuid_small (VdConfig *config)
{
  const char *uuid = vd_config_get_uuid (config);
  g_autofree char *small = uuid != NULL ? g_ascii_strdown (uuid, -1) : NULL;

  g_object_set (config, "uuid", small, NULL);
}

VdConfig *
vd_config_from_variant (GVariant *variant, GError **error)
{
  g_autoptr (VdConfig) config = vd_config_new ();
  GVariantIter iter;
  const char *key;
  GVariant *value;

  g_variant_iter_init (&iter, variant);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value)) {
    if (!set_key (config, key, value, error)) {
      g_variant_unref (value);
      return NULL;
    }
  }
  write_uuid_small (config);
  return g_steal_pointer (&config);
}

static void
add_text (GVariantDict *dict, const char *key, const char *text)
{
  if (text != NULL)
    g_variant_dict_insert_value (dict, key,
                                 g_variant_new_take_string (g_utf8_make_valid (text, -1)));
}

GVariant *
vd_machine_to_variant (VdMachine *machine)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  VdConfig *config = vd_machine_get_config (machine);

  if (config != NULL)
    g_variant_dict_insert_value (&dict, "config", vd_config_to_variant (config));
  add_text (&dict, "uuid", vd_machine_get_uuid (machine));
  add_text (&dict, "name", vd_machine_get_name (machine));
  add_text (&dict, "state",
            vd_enum_to_nick (VD_TYPE_MACHINE_STATE, vd_machine_get_state (machine)));
  add_text (&dict, "status", vd_machine_get_status (machine));
  add_text (&dict, "problem", vd_machine_get_problem (machine));
  add_text (&dict, "details", vd_machine_get_details (machine));
  add_text (&dict, "engine", vd_machine_get_engine_name (machine));
  add_text (&dict, "engine-reason", vd_machine_get_engine_reason (machine));
  add_text (&dict, "slow-reason", vd_machine_get_slow_reason (machine));
  g_variant_dict_insert (&dict, "read-only", "b", vd_machine_get_read_only (machine));
  if (VD_IS_OWN_MACHINE (machine)) {
    add_text (&dict, "holder", vd_own_machine_get_holder (VD_OWN_MACHINE (machine)));
    g_variant_dict_insert (&dict, "survives", "b",
                           vd_own_machine_can_leave (VD_OWN_MACHINE (machine)));
  }
  return g_variant_dict_end (&dict);
}
