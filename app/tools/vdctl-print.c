/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What vdctl prints: columns for people, JSON for programs.
 */
#include "tools/vdctl.h"

#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>

void
vdctl_print_json (GVariant *value)
{
  g_autoptr (JsonNode) node = json_gvariant_serialize (value);
  g_autofree char *text = json_to_string (node, TRUE);

  g_print ("%s\n", text);
}

/* The names of folders and the words of a damaged file may hold what a terminal obeys. */
char *
vdctl_clean (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *clean = g_string_new (NULL);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    g_string_append_unichar (clean, g_unichar_iscntrl (c) && c != '\n' ? 0xfffd : c);
  }
  return g_string_free (clean, FALSE);
}

static const char *
get (GVariant *dict, const char *key)
{
  const char *text = "";

  g_variant_lookup (dict, key, "&s", &text);
  return text;
}

/* Pads by characters, not bytes. */
static void
print_column (const char *text, glong width)
{
  g_autofree char *clean = vdctl_clean (text);

  g_print ("%s", clean);
  for (glong i = g_utf8_strlen (clean, -1); i < width; i++)
    g_print (" ");
}

static void
print_row (const char *name, const char *state, const char *engine, const char *uuid, glong width)
{
  print_column (name, width + 2);
  print_column (state, 11);
  print_column (engine, 10);
  print_column (uuid, 0);
  g_print ("\n");
}

void
vdctl_print_machines (GVariant *machines)
{
  gsize n = g_variant_n_children (machines);
  glong width = g_utf8_strlen (_("NAME"), -1);

  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) machine = g_variant_get_child_value (machines, i);

    width = MAX (width, g_utf8_strlen (get (machine, "name"), -1));
  }
  if (n > 0)
    print_row (_("NAME"), _("STATE"), _("ENGINE"), _("UUID"), width);
  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) machine = g_variant_get_child_value (machines, i);

    print_row (get (machine, "name"), get (machine, "state"), get (machine, "engine"),
               get (machine, "uuid"), width);
  }
}

static void
print_value (const char *key, GVariant *value)
{
  g_autofree char *text = NULL;

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    text = vdctl_clean (g_variant_get_string (value, NULL));
  else
    text = g_variant_print (value, FALSE);
  print_column (key, 16);
  g_print ("%s\n", text);
}

static void
print_disk (GVariant *disk)
{
  gboolean cdrom = FALSE, readonly = FALSE;

  g_variant_lookup (disk, "cdrom", "b", &cdrom);
  g_variant_lookup (disk, "readonly", "b", &readonly);
  print_column (cdrom ? "cdrom" : "disk", 16);
  if (*get (disk, "path") == '\0') {
    g_print ("(nothing is in the drive)\n");
    return;
  }
  print_column (get (disk, "path"), 0);
  g_print (" (%s, %s%s)\n", get (disk, "format"), cdrom ? "sata" : get (disk, "bus"),
           readonly ? ", read-only" : "");
}

static void
print_keys (GVariant *dict, const char *const *keys, guint n_keys)
{
  for (guint i = 0; i < n_keys; i++) {
    g_autoptr (GVariant) value = g_variant_lookup_value (dict, keys[i], NULL);

    if (value != NULL)
      print_value (keys[i], value);
  }
}

static void
print_config (GVariant *config)
{
  static const char *const keys[] = { "notes",  "os",     "memory", "cpus",     "boot",
                                      "kernel", "initrd", "append", "graphics", "network" };
  g_autoptr (GVariant) disks = g_variant_lookup_value (config, "disks", G_VARIANT_TYPE ("aa{sv}"));

  print_keys (config, keys, G_N_ELEMENTS (keys));
  for (gsize i = 0; disks != NULL && i < g_variant_n_children (disks); i++) {
    g_autoptr (GVariant) disk = g_variant_get_child_value (disks, i);

    print_disk (disk);
  }
}

void
vdctl_print_machine (GVariant *properties)
{
  static const char *const keys[] = { "name",   "uuid",          "status",      "problem",
                                      "engine", "engine-reason", "slow-reason", "details" };
  g_autoptr (GVariant) config =
    g_variant_lookup_value (properties, "config", G_VARIANT_TYPE_VARDICT);

  print_keys (properties, keys, G_N_ELEMENTS (keys));
  if (config != NULL)
    print_config (config);
}
