/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vdctl create: a configuration from a file or the sample, changed by options. What
 * a file is, is looked at here, in the caller's place; the owner gets the result.
 */
#include "dbus/vd-variant.h"
#include "library/vd-config-private.h"
#include "library/vd-probe.h"
#include "tools/vdctl.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>
#include <string.h>

typedef struct {
  gboolean sample;
  char *name, *engine, *boot, *kernel, *initrd, *append, *memory, *new_disk;
  int cpus;
  char **disks;
  gboolean network, no_network, no_graphics;
} CreateOptions;

static void
clear_options (CreateOptions *self)
{
  g_free (self->name);
  g_free (self->engine);
  g_free (self->boot);
  g_free (self->kernel);
  g_free (self->initrd);
  g_free (self->append);
  g_free (self->memory);
  g_free (self->new_disk);
  g_strfreev (self->disks);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CreateOptions, clear_options)

static gboolean
set_invalid (GError **error, const char *option, const char *value)
{
  g_set_error (error, VD_ERROR, VD_ERROR_INVALID, _("“%s” is no value for --%s."), value, option);
  return FALSE;
}

/* "512M", "2G", or bytes. */
static gboolean
parse_size (const char *option, const char *text, guint64 *size, GError **error)
{
  static const char units[] = "KMGT";
  char *end = NULL;
  guint64 number = g_ascii_isdigit (*text) ? g_ascii_strtoull (text, &end, 10) : 0;
  const char *unit;
  guint shift = 0;

  if (end == NULL)
    return set_invalid (error, option, text);
  if (*end != '\0') {
    unit = strchr (units, g_ascii_toupper (*end));
    if (unit == NULL || end[1] != '\0')
      return set_invalid (error, option, text);
    shift = 10 * (unit - units + 1);
  }
  if (number > G_MAXUINT64 >> shift)
    return set_invalid (error, option, text);
  *size = number << shift;
  return TRUE;
}

static gboolean
set_size (VdConfig *config,
          const char *option,
          const char *property,
          const char *text,
          GError **error)
{
  guint64 size;

  if (text == NULL)
    return TRUE;
  if (!parse_size (option, text, &size, error))
    return FALSE;
  g_object_set (config, property, size, NULL);
  return TRUE;
}

static gboolean
set_enum (VdConfig *config, const char *option, GType type, const char *nick, GError **error)
{
  int value = vd_enum_from_nick (type, nick);

  if (nick == NULL)
    return TRUE;
  if (value < 0)
    return set_invalid (error, option, nick);
  g_object_set (config, option, value, NULL);
  return TRUE;
}

static void
set_file (VdConfig *config, const char *property, const char *file)
{
  g_autofree char *path = file != NULL ? g_canonicalize_filename (file, NULL) : NULL;

  if (path != NULL)
    g_object_set (config, property, path, NULL);
}

/* A kernel that is none is refused here, not at the first start. */
static gboolean
set_kernel (VdConfig *config, const char *file, GError **error)
{
  g_autofree char *path = NULL;
  VdProbe probe;

  if (file == NULL)
    return TRUE;
  path = g_canonicalize_filename (file, NULL);
  if (!vd_probe_file (&probe, path, error))
    return FALSE;
  if (probe.medium != VD_MEDIUM_KERNEL) {
    g_set_error (error, VD_ERROR, VD_ERROR_KERNEL, _("“%s” is not a Linux kernel."), path);
    return FALSE;
  }
  g_object_set (config, "kernel", path, "boot", VD_BOOT_KERNEL, "network", FALSE, NULL);
  return TRUE;
}

/* A disk beside what it boots from: any raw file will do, with or without a boot sector. */
static gboolean
add_disk (VdConfig *config, const char *file, GError **error)
{
  g_autofree char *path = g_canonicalize_filename (file, NULL);
  g_autoptr (VdDiskConfig) disk = vd_disk_config_new (path, VD_DISK_RAW);
  g_autoptr (GError) cause = NULL;
  VdProbe probe;

  if (vd_probe_file (&probe, path, &cause)) {
    g_object_set (disk, "format", probe.format, "cdrom", probe.medium == VD_MEDIUM_ISO, "readonly",
                  probe.medium == VD_MEDIUM_ISO, NULL);
  } else if (probe.format != VD_DISK_RAW ||
             !g_error_matches (cause, VD_ERROR, VD_ERROR_UNSUPPORTED) ||
             !g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    g_propagate_error (error, g_steal_pointer (&cause));
    return FALSE;
  }
  vd_config_add_disk (config, disk);
  return TRUE;
}

static gboolean
apply (VdConfig *config, const CreateOptions *options, GError **error)
{
  if (!set_kernel (config, options->kernel, error))
    return FALSE;
  set_file (config, "initrd", options->initrd);
  if (options->name != NULL)
    g_object_set (config, "name", options->name, NULL);
  if (options->append != NULL)
    g_object_set (config, "append", options->append, NULL);
  if (options->cpus != 0)
    g_object_set (config, "cpus", MAX (options->cpus, 0), NULL);
  if (options->network || options->no_network)
    g_object_set (config, "network", options->network, NULL);
  if (options->no_graphics)
    g_object_set (config, "graphics", FALSE, NULL);
  for (char **disk = options->disks; disk != NULL && *disk != NULL; disk++)
    if (!add_disk (config, *disk, error))
      return FALSE;
  return set_enum (config, "engine", VD_TYPE_ENGINE_KIND, options->engine, error) &&
         set_enum (config, "boot", VD_TYPE_BOOT, options->boot, error) &&
         set_size (config, "memory", "memory", options->memory, error) &&
         set_size (config, "new-disk", "new-disk-size", options->new_disk, error);
}

static void
on_config (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

static VdConfig *
config_for_file (const char *path, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_commandline_arg (path);
  g_autoptr (GAsyncResult) result = NULL;

  vd_config_new_for_file_async (file, NULL, on_config, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return vd_config_new_for_file_finish (result, error);
}

static VdConfig *
make_config (const CreateOptions *options, const char *file, GError **error)
{
  g_autoptr (VdConfig) config = NULL;

  if (options->sample)
    config = vd_config_new_sample (error);
  else if (file != NULL)
    config = config_for_file (file, error);
  else
    config = vd_config_new ();
  if (config == NULL || !apply (config, options, error) || !vd_config_check (config, error))
    return NULL;
  return g_steal_pointer (&config);
}

static gboolean
parse (CreateOptions *options, int *argc, char ***argv)
{
  const GOptionEntry entries[] = {
    { "sample", 0, 0, G_OPTION_ARG_NONE, &options->sample, N_("The sample machine"), NULL },
    { "name", 0, 0, G_OPTION_ARG_STRING, &options->name, N_("Name"), N_("NAME") },
    { "memory", 0, 0, G_OPTION_ARG_STRING, &options->memory, N_("Memory, such as 512M or 2G"),
      N_("SIZE") },
    { "cpus", 0, 0, G_OPTION_ARG_INT, &options->cpus, N_("Processors"), N_("NUMBER") },
    { "kernel", 0, 0, G_OPTION_ARG_FILENAME, &options->kernel, N_("Linux kernel"), N_("FILE") },
    { "initrd", 0, 0, G_OPTION_ARG_FILENAME, &options->initrd, N_("Initial RAM disk"),
      N_("FILE") },
    { "append", 0, 0, G_OPTION_ARG_STRING, &options->append, N_("Kernel’s command line"),
      N_("TEXT") },
    { "disk", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->disks,
      N_("A disk or ISO image more; can be given several times"), N_("FILE") },
    { "new-disk", 0, 0, G_OPTION_ARG_STRING, &options->new_disk, N_("An empty disk"),
      N_("SIZE") },
    { "boot", 0, 0, G_OPTION_ARG_STRING, &options->boot, N_("kernel, bios or uefi"), N_("WAY") },
    { "engine", 0, 0, G_OPTION_ARG_STRING, &options->engine, N_("auto, local or libvirt"),
      N_("ENGINE") },
    { "network", 0, 0, G_OPTION_ARG_NONE, &options->network, N_("With a network card"), NULL },
    { "no-network", 0, 0, G_OPTION_ARG_NONE, &options->no_network, N_("Without a network card"),
      NULL },
    { "no-graphics", 0, 0, G_OPTION_ARG_NONE, &options->no_graphics, N_("Without a screen"),
      NULL },
    { NULL },
  };

  return vdctl_parse (
    argc, argv, _("[FILE]"),
    _("Creates a machine from a kernel, a disk image, an ISO image or the sample, "
      "and prints its identifier."),
    entries, 0, 1);
}

VdctlStatus
vdctl_create (const VdctlOptions *options, int argc, char **argv)
{
  g_auto (CreateOptions) create = { 0 };
  g_autoptr (VdClient) client = NULL;
  g_autoptr (VdConfig) config = NULL;
  g_autoptr (GVariant) reply = NULL;
  GError *error = NULL;
  const char *uuid;

  if (!parse (&create, &argc, &argv))
    return VDCTL_USAGE;
  if (argc == 1 && !create.sample && create.kernel == NULL && create.disks == NULL)
    return vdctl_usage (_("What is it to boot? Give a FILE, --kernel, --disk or --sample."));
  config = make_config (&create, argc == 2 ? argv[1] : NULL, &error);
  if (config == NULL || (client = vd_client_new (options->path, &error)) == NULL)
    return vdctl_fail (error);
  reply = vd_client_call (client, "Create",
                          g_variant_new ("(@a{sv})", vd_config_to_variant (config)), NULL, &error);
  if (reply == NULL)
    return vdctl_fail (error);
  g_variant_get (reply, "(&s)", &uuid);
  if (options->json)
    g_print ("{ \"uuid\": \"%s\" }\n", uuid);
  else
    g_print ("%s\n", uuid);
  return VDCTL_OK;
}
