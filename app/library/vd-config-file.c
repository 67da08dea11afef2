/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * machine.ini: two tables of keys, one for the machine and one for a disk, walked
 * by the reader and by the writer, so that neither can forget a key.
 *
 * Threads: any, on a frozen config.
 */
#include "library/vd-config-file.h"
#include "library/vd-config-private.h"
#include "library/vd-file.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define FILE_GROUP    "virtdesk"
#define MACHINE_GROUP "machine"
#define DISK_PREFIX   "disk"
#define MAX_GROUPS    256

/* A key has the name of the property that it stands for. */
typedef struct {
  const char *name;
  gboolean required;
} Key;

static const Key machine_keys[] = {
  { "uuid", TRUE }, { "name", TRUE }, { "notes" },   { "os" },     { "engine" },
  { "boot" },       { "kernel" },     { "initrd" },  { "append" }, { "memory", TRUE },
  { "cpus" },       { "graphics" },   { "network" },
};
static const Key disk_keys[] = { { "path" },
                                 { "format", TRUE },
                                 { "bus" },
                                 { "readonly" },
                                 { "cdrom" } };

static gboolean
parse_enum (GValue *value, const char *text)
{
  int number = vd_enum_from_nick (G_VALUE_TYPE (value), text);

  if (number >= 0)
    g_value_set_enum (value, number);
  return number >= 0;
}

static gboolean
parse_number (GValue *value, const char *text)
{
  guint64 max = G_VALUE_HOLDS_UINT (value) ? G_MAXUINT : G_MAXUINT64;
  guint64 number;

  if (!g_ascii_string_to_unsigned (text, 10, 0, max, &number, NULL))
    return FALSE;
  if (G_VALUE_HOLDS_UINT (value))
    g_value_set_uint (value, number);
  else
    g_value_set_uint64 (value, number);
  return TRUE;
}

static gboolean
parse_boolean (GValue *value, const char *text)
{
  gboolean yes = strcmp (text, "true") == 0;

  g_value_set_boolean (value, yes);
  return yes || strcmp (text, "false") == 0;
}

static gboolean
parse_value (GValue *value, const char *text)
{
  if (G_VALUE_HOLDS_ENUM (value))
    return parse_enum (value, text);
  if (G_VALUE_HOLDS_BOOLEAN (value))
    return parse_boolean (value, text);
  if (!G_VALUE_HOLDS_STRING (value))
    return parse_number (value, text);
  g_value_set_string (value, text);
  return TRUE;
}

static gboolean
read_key (GKeyFile *file, const char *group, const Key *key, GObject *object, GError **error)
{
  GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (object), key->name);
  g_auto (GValue) value = G_VALUE_INIT;
  g_autofree char *text = g_key_file_get_string (file, group, key->name, NULL);

  if (text == NULL && !g_key_file_has_key (file, group, key->name, NULL)) {
    if (key->required)
      g_set_error (error, VD_ERROR, VD_ERROR_BROKEN, _("machine.ini has no “%s” in [%s]."),
                   key->name, group);
    return !key->required;
  }
  g_value_init (&value, pspec->value_type);
  if (text == NULL || !parse_value (&value, text)) {
    g_set_error (error, VD_ERROR, VD_ERROR_BROKEN,
                 _("machine.ini has a value for “%s” in [%s] that makes no sense."), key->name,
                 group);
    return FALSE;
  }
  g_object_set_property (object, key->name, &value);
  return TRUE;
}

static gboolean
read_keys (GKeyFile *file,
           const char *group,
           const Key *keys,
           guint n_keys,
           gpointer object,
           GError **error)
{
  for (guint i = 0; i < n_keys; i++)
    if (!read_key (file, group, &keys[i], object, error))
      return FALSE;
  return TRUE;
}

/* A plain name lies in the machine's folder; everything else is an absolute path. */
static gboolean
resolve_path (VdDiskConfig *disk, const char *folder, GError **error)
{
  const char *name = vd_disk_config_get_path (disk);
  g_autofree char *path = NULL;

  if (name == NULL || g_path_is_absolute (name))
    return TRUE;
  if (*name == '\0' || *name == '.' || strchr (name, '/') != NULL) {
    g_set_error (error, VD_ERROR, VD_ERROR_BROKEN,
                 _("machine.ini names a disk “%s”, which is neither an absolute path nor a file "
                   "in the machine’s folder."),
                 name);
    return FALSE;
  }
  path = g_build_filename (folder, name, NULL);
  g_object_set (disk, "path", path, "owned", TRUE, NULL);
  return TRUE;
}

static gboolean
read_disk (GKeyFile *file, const char *group, const char *folder, VdConfig *config, GError **error)
{
  g_autoptr (VdDiskConfig) disk = vd_disk_config_new (NULL, VD_DISK_RAW);

  if (!read_keys (file, group, disk_keys, G_N_ELEMENTS (disk_keys), disk, error) ||
      !resolve_path (disk, folder, error))
    return FALSE;
  g_object_set (disk, "group", group, NULL);
  vd_config_add_disk (config, disk);
  return TRUE;
}

static gboolean
is_disk_group (const char *group)
{
  const char *number = group + strlen (DISK_PREFIX);

  return g_str_has_prefix (group, DISK_PREFIX) && *number != '\0' && strlen (number) <= 4 &&
         strspn (number, "0123456789") == strlen (number);
}

static gboolean
read_disks (GKeyFile *file, const char *folder, VdConfig *config, GError **error)
{
  gsize n_groups;
  g_auto (GStrv) groups = g_key_file_get_groups (file, &n_groups);

  if (n_groups > MAX_GROUPS) {
    g_set_error_literal (error, VD_ERROR, VD_ERROR_BROKEN, _("machine.ini has too many groups."));
    return FALSE;
  }
  for (gsize i = 0; i < n_groups; i++)
    if (is_disk_group (groups[i]) && !read_disk (file, groups[i], folder, config, error))
      return FALSE;
  return TRUE;
}

static GKeyFile *
load_key_file (const char *data, gsize length, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) cause = NULL;

  if (length > VD_MAX_CONFIG_FILE || (length > 0 && memchr (data, 0, length) != NULL) ||
      !g_key_file_load_from_data (
        file, data, length, G_KEY_FILE_KEEP_COMMENTS | G_KEY_FILE_KEEP_TRANSLATIONS, &cause)) {
    g_set_error (error, VD_ERROR, VD_ERROR_BROKEN, _("machine.ini is damaged: %s."),
                 cause != NULL ? cause->message : _("it is too big, or holds no text"));
    return NULL;
  }
  return g_steal_pointer (&file);
}

static gboolean
read_version (GKeyFile *file, gboolean *newer, GError **error)
{
  g_autofree char *text = g_key_file_get_string (file, FILE_GROUP, "version", NULL);
  guint64 version;

  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT, &version, NULL)) {
    g_set_error_literal (error, VD_ERROR, VD_ERROR_BROKEN,
                         _("machine.ini does not say which version it is of."));
    return FALSE;
  }
  *newer = version > VD_CONFIG_FILE_VERSION;
  return TRUE;
}

/* What a person reads of a machine whose newer file we do not understand. */
static void
blame_version (GError **error)
{
  g_clear_error (error);
  g_set_error_literal (error, VD_ERROR, VD_ERROR_BROKEN,
                       _("It was made by a newer VirtDesk; update VirtDesk to use it."));
}

static VdConfig *
read_config (GKeyFile *file, const char *folder, GError **error)
{
  g_autoptr (VdConfig) config = g_object_new (VD_TYPE_CONFIG, NULL);
  g_autoptr (GError) cause = NULL;

  if (!read_keys (file, MACHINE_GROUP, machine_keys, G_N_ELEMENTS (machine_keys), config, error) ||
      !read_disks (file, folder, config, error))
    return NULL;
  if (!vd_config_check (config, &cause)) {
    g_set_error (error, VD_ERROR, VD_ERROR_BROKEN, _("machine.ini makes no sense. %s"),
                 cause->message);
    return NULL;
  }
  return g_steal_pointer (&config);
}

VdConfig *
vd_config_parse (const char *data,
                 gsize length,
                 const char *folder,
                 gboolean *newer,
                 GError **error)
{
  g_autoptr (GKeyFile) file = load_key_file (data, length, error);
  g_autoptr (GError) cause = NULL;
  VdConfig *config;

  *newer = FALSE;
  if (file == NULL || !read_version (file, newer, error))
    return NULL;
  config = read_config (file, folder, &cause);
  if (config == NULL) {
    if (*newer)
      blame_version (&cause);
    g_propagate_error (error, g_steal_pointer (&cause));
  }
  return config;
}

static char *
value_to_text (const GValue *value)
{
  if (G_VALUE_HOLDS_ENUM (value))
    return g_strdup (vd_enum_to_nick (G_VALUE_TYPE (value), g_value_get_enum (value)));
  if (G_VALUE_HOLDS_BOOLEAN (value))
    return g_strdup (g_value_get_boolean (value) ? "true" : "false");
  if (G_VALUE_HOLDS_UINT (value))
    return g_strdup_printf ("%u", g_value_get_uint (value));
  if (G_VALUE_HOLDS_UINT64 (value))
    return g_strdup_printf ("%" G_GUINT64_FORMAT, g_value_get_uint64 (value));
  return g_value_dup_string (value);
}

/* Only what differs is written, so that a value stays as a person wrote it. */
static void
write_keys (GKeyFile *file, const char *group, const Key *keys, guint n_keys, gpointer object)
{
  for (guint i = 0; i < n_keys; i++) {
    g_auto (GValue) value = G_VALUE_INIT;
    g_autofree char *text = NULL;
    g_autofree char *old = g_key_file_get_string (file, group, keys[i].name, NULL);

    g_object_get_property (object, keys[i].name, &value);
    text = value_to_text (&value);
    if (text == NULL)
      g_key_file_remove_key (file, group, keys[i].name, NULL);
    else if (g_strcmp0 (text, old) != 0)
      g_key_file_set_string (file, group, keys[i].name, text);
  }
}

static void
write_disk (GKeyFile *file, const char *group, VdDiskConfig *disk, const char *folder)
{
  write_keys (file, group, disk_keys, G_N_ELEMENTS (disk_keys), disk);
  if (vd_disk_config_get_owned (disk)) {
    g_autofree char *name = g_path_get_basename (vd_disk_config_get_path (disk));

    g_key_file_set_string (file, group, "path", name);
  }
}

static char *
free_disk_group (GKeyFile *file)
{
  for (guint i = 0;; i++) {
    g_autofree char *group = g_strdup_printf (DISK_PREFIX "%u", i);

    if (!g_key_file_has_group (file, group))
      return g_steal_pointer (&group);
  }
}

static gboolean
has_disk_of_group (VdConfig *self, const char *group)
{
  GListModel *disks = vd_config_get_disks (self);

  for (guint i = 0; i < g_list_model_get_n_items (disks); i++) {
    g_autoptr (VdDiskConfig) disk = g_list_model_get_item (disks, i);

    if (g_strcmp0 (vd_disk_config_get_group (disk), group) == 0)
      return TRUE;
  }
  return FALSE;
}

static void
write_disks (GKeyFile *file, VdConfig *self, const char *folder)
{
  GListModel *disks = vd_config_get_disks (self);
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);

  for (guint i = 0; groups[i] != NULL; i++)
    if (is_disk_group (groups[i]) && !has_disk_of_group (self, groups[i]))
      g_key_file_remove_group (file, groups[i], NULL);

  for (guint i = 0; i < g_list_model_get_n_items (disks); i++) {
    g_autoptr (VdDiskConfig) disk = g_list_model_get_item (disks, i);
    g_autofree char *group = g_strdup (vd_disk_config_get_group (disk));

    if (group == NULL)
      group = free_disk_group (file);
    write_disk (file, group, disk, folder);
  }
}

char *
vd_config_unparse (VdConfig *self,
                   const char *folder,
                   const char *old,
                   gsize old_length,
                   gsize *length,
                   GError **error)
{
  g_autoptr (GKeyFile) file = NULL;
  gboolean newer = FALSE;

  if (old == NULL)
    file = g_key_file_new ();
  else if ((file = load_key_file (old, old_length, error)) == NULL ||
           !read_version (file, &newer, error))
    return NULL;
  if (newer) {
    g_set_error (error, VD_ERROR, VD_ERROR_READ_ONLY,
                 _("“%s” was made by a newer VirtDesk; update VirtDesk to change it."),
                 vd_config_get_name (self));
    return NULL;
  }
  g_key_file_set_integer (file, FILE_GROUP, "version", VD_CONFIG_FILE_VERSION);
  write_keys (file, MACHINE_GROUP, machine_keys, G_N_ELEMENTS (machine_keys), self);
  write_disks (file, self, folder);
  return g_key_file_to_data (file, length, NULL);
}

VdConfig *
vd_config_load (const char *folder, const char *uuid, gboolean *newer, GError **error)
{
  g_autofree char *path = g_build_filename (folder, VD_CONFIG_FILE, NULL);
  g_autofree char *data = NULL;
  g_autoptr (VdConfig) config = NULL;
  gsize length;

  *newer = FALSE;
  data = vd_file_read (path, VD_MAX_CONFIG_FILE, &length, error);
  if (data == NULL || (config = vd_config_parse (data, length, folder, newer, error)) == NULL)
    return NULL;
  if (g_strcmp0 (vd_config_get_uuid (config), uuid) != 0) {
    g_set_error (error, VD_ERROR, VD_ERROR_BROKEN,
                 _("machine.ini is that of another machine (%s), perhaps a copy."),
                 vd_config_get_uuid (config));
    return NULL;
  }
  return g_steal_pointer (&config);
}

gboolean
vd_config_save (VdConfig *self, const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, VD_CONFIG_FILE, NULL);
  g_autofree char *old = NULL, *data = NULL;
  g_autoptr (GError) cause = NULL;
  gsize old_length = 0, length;

  old = vd_file_read (path, VD_MAX_CONFIG_FILE, &old_length, &cause);
  if (old == NULL && !g_error_matches (cause, VD_ERROR, VD_ERROR_NOT_FOUND)) {
    g_propagate_error (error, g_steal_pointer (&cause));
    return FALSE;
  }
  data = vd_config_unparse (self, folder, old, old_length, &length, error);
  return data != NULL && vd_file_replace (path, data, length, error);
}
