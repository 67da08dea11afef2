/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The files of a machine before an engine gets them.
 *
 * Threads: any, on a frozen config.
 */
#include "library/vd-file-check.h"
#include "library/vd-probe.h"
#include "vd-error.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
check_access (const char *path, int mode, VdError code, GError **error)
{
  struct stat info;

  if (access (path, mode) == 0 && stat (path, &info) == 0) {
    if (S_ISREG (info.st_mode) || S_ISBLK (info.st_mode))
      return TRUE;
    g_set_error (error, VD_ERROR, code, _ ("“%s” is not a file; choose another one."), path);
  } else if (errno == ENOENT) {
    g_set_error (error, VD_ERROR, code,
                 _ ("“%s” is not there any more; put it back and try again."), path);
  } else {
    g_set_error (error, VD_ERROR, code, _ ("“%s” cannot be used: %s."), path, g_strerror (errno));
  }
  return FALSE;
}

/* @sentence: what to say of a file that is good for something else. */
static gboolean
probe (const char *path, VdError code, VdProbe *found, GError **error)
{
  g_autoptr (GError) cause = NULL;

  if (vd_probe_file (found, path, &cause))
    return TRUE;
  g_set_error_literal (error, VD_ERROR, code, cause->message);
  return FALSE;
}

/* A file that is no kernel makes QEMU say strange things, or nothing. */
static gboolean
check_kernel (VdConfig *config, GError **error)
{
  const char *kernel = vd_config_get_kernel (config), *initrd = vd_config_get_initrd (config);
  VdProbe found;

  if (!check_access (kernel, R_OK, VD_ERROR_KERNEL, error) ||
      !probe (kernel, VD_ERROR_KERNEL, &found, error))
    return FALSE;
  if (found.medium == VD_MEDIUM_KERNEL)
    return initrd == NULL || check_access (initrd, R_OK, VD_ERROR_KERNEL, error);
  g_set_error (error, VD_ERROR, VD_ERROR_KERNEL, _ ("“%s” is no kernel; choose another file."),
               kernel);
  return FALSE;
}

static gboolean
check_qcow2 (const char *path, GError **error)
{
  VdProbe found;

  if (!probe (path, VD_ERROR_DISK, &found, error))
    return FALSE;
  if (found.medium == VD_MEDIUM_DISK && found.format == VD_DISK_QCOW2)
    return TRUE;
  g_set_error (
    error, VD_ERROR, VD_ERROR_DISK,
    _ ("“%s” is not the qcow2 disk that it was when the machine was made; put that back."), path);
  return FALSE;
}

/* The format is stored and not guessed, because a guest writes what it likes into a raw disk. But
 * the header of a qcow2 image is not the guest's: it is looked at each time, so that an image that
 * was put in the place of another cannot name a file of this computer. */
static gboolean
check_disk (VdDiskConfig *disk, GError **error)
{
  const char *path = vd_disk_config_get_path (disk);
  gboolean readonly = vd_disk_config_get_readonly (disk) || vd_disk_config_get_cdrom (disk);

  if (path == NULL) /* nothing is in the drive */
    return TRUE;
  return check_access (path, readonly ? R_OK : R_OK | W_OK, VD_ERROR_DISK, error) &&
         (vd_disk_config_get_format (disk) != VD_DISK_QCOW2 || check_qcow2 (path, error));
}

gboolean
vd_check_disc_file (const char *path, GError **error)
{
  return check_access (path, R_OK, VD_ERROR_DISK, error);
}

gboolean
vd_check_disk_files (VdConfig *config, GError **error)
{
  GListModel *disks = vd_config_get_disks (config);

  for (guint i = 0; i < g_list_model_get_n_items (disks); i++) {
    g_autoptr (VdDiskConfig) disk = g_list_model_get_item (disks, i);

    if (!check_disk (disk, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
vd_check_files (VdConfig *config, GError **error)
{
  return (vd_config_get_boot (config) != VD_BOOT_KERNEL || check_kernel (config, error)) &&
         vd_check_disk_files (config, error);
}
