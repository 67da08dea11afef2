/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What New Machine starts from: a file that a person chose, or the sample.
 *
 * Threads: main.
 */
#include "vd-config.h"
#include "library/vd-config-private.h"
#include "library/vd-probe.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#define NEW_DISK_SIZE (G_GUINT64_CONSTANT (20) << 30) /* bytes, beside an ISO */
#define SAMPLE_MEMORY (G_GUINT64_CONSTANT (256) << 20)

/* "debian-13.1.0-amd64-netinst.iso" gives "debian-13.1.0-amd64-netinst". */
static char *
name_from_path (const char *path)
{
  static const char *const endings[] = { ".iso", ".img", ".qcow2", ".raw", ".bin", ".elf" };
  g_autofree char *name = g_filename_display_basename (path);

  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (name, endings[i]) && strlen (name) > strlen (endings[i]))
      name[strlen (name) - strlen (endings[i])] = '\0';
  /* Too long a name is cut; the form shows it. */
  for (char *end = name + strlen (name); end - name > 64; *end = '\0')
    end = g_utf8_prev_char (end);
  return g_steal_pointer (&name);
}

static void
add_medium (VdConfig *config, const char *path, const VdProbe *probe)
{
  g_autoptr (VdDiskConfig) disk = vd_disk_config_new (path, probe->format);

  if (probe->medium == VD_MEDIUM_ISO) {
    g_object_set (disk, "cdrom", TRUE, "readonly", TRUE, NULL);
    g_object_set (config, "new-disk-size", NEW_DISK_SIZE, NULL);
  } else if (access (path, W_OK) != 0) {
    g_object_set (disk, "readonly", TRUE, NULL);
  }
  g_object_set (config, "boot", probe->uefi_only ? VD_BOOT_UEFI : VD_BOOT_BIOS, NULL);
  vd_config_add_disk (config, disk);
}

static void
probe_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const char *path = data;
  g_autoptr (VdConfig) config = NULL;
  g_autofree char *name = name_from_path (path);
  GError *error = NULL;
  VdProbe probe;

  if (!vd_probe_file (&probe, path, &error)) {
    g_task_return_error (task, error);
    return;
  }
  config = vd_config_new ();
  vd_config_set_name (config, name);
  if (probe.medium == VD_MEDIUM_KERNEL)
    g_object_set (config, "boot", VD_BOOT_KERNEL, "kernel", path, "network", FALSE, NULL);
  else
    add_medium (config, path, &probe);
  g_task_return_pointer (task, g_steal_pointer (&config), g_object_unref);
}

void
vd_config_new_for_file_async (GFile *file,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, data);
  const char *path = g_file_peek_path (file);

  g_task_set_source_tag (task, vd_config_new_for_file_async);
  if (path == NULL) {
    g_task_return_new_error_literal (task, VD_ERROR, VD_ERROR_UNSUPPORTED,
                                     _("Choose a file on this computer."));
    return;
  }
  g_task_set_task_data (task, g_canonicalize_filename (path, NULL), g_free);
  g_task_run_in_thread (task, probe_thread);
}

VdConfig *
vd_config_new_for_file_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* The program's own files; from the build folder, $VIRTDESK_DATA_DIR says where they are. */
static char *
sample_path (const char *name)
{
  const char *folder = g_getenv ("VIRTDESK_DATA_DIR");

  return g_build_filename (folder != NULL ? folder : PKGDATADIR, "sample", name, NULL);
}

gboolean
vd_config_is_sample (VdConfig *self)
{
  g_autofree char *kernel = sample_path ("vmlinuz");

  return vd_config_get_boot (self) == VD_BOOT_KERNEL &&
         g_strcmp0 (vd_config_get_kernel (self), kernel) == 0;
}

VdConfig *
vd_config_new_sample (GError **error)
{
  g_autofree char *kernel = sample_path ("vmlinuz");
  g_autofree char *initrd = sample_path ("initrd");
  VdConfig *config;

  if (access (kernel, R_OK) != 0 || access (initrd, R_OK) != 0) {
    g_set_error (error, VD_ERROR, VD_ERROR_NOT_FOUND,
                 _("The sample machine is not installed (“%s” is missing)."), kernel);
    return NULL;
  }
  config = vd_config_new ();
  g_object_set (config, "name", _("Sample"), "boot", VD_BOOT_KERNEL, "kernel", kernel, "initrd",
                initrd, "append", "quiet", "memory", SAMPLE_MEMORY, "cpus", 1, "network", FALSE,
                NULL);
  return config;
}
