/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What may stand in a VdConfig: one table of checks, in the order in which a
 * person reads the form. Touches no file.
 *
 * Threads: main.
 */
#include "vd-config.h"
#include "vd-error.h"
#include "library/vd-config-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

typedef const char *(*CheckFunc) (VdConfig *self); /* a translated sentence, or NULL */

static const char *
check_uuid (VdConfig *self)
{
  const char *uuid = vd_config_get_uuid (self);

  if (uuid == NULL || !g_uuid_string_is_valid (uuid))
    return _("The machine has no valid identifier.");
  return NULL;
}

/* One line, because names stand in lists, titles and files. */
static gboolean
is_line (const char *text, gsize max)
{
  if (strlen (text) > max || !g_utf8_validate (text, -1, NULL))
    return FALSE;
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return FALSE;
  return TRUE;
}

static const char *
check_name (VdConfig *self)
{
  const char *name = vd_config_get_name (self);
  g_autofree char *stripped = g_strstrip (g_strdup (name != NULL ? name : ""));

  if (*stripped == '\0')
    return _("The machine needs a name.");
  if (!is_line (name, VD_MAX_NAME))
    return _("The name must be one line of at most 256 bytes, without control characters.");
  return NULL;
}

static const char *
check_notes (VdConfig *self)
{
  const char *notes = vd_config_get_notes (self);

  if (notes != NULL && (strlen (notes) > VD_MAX_NOTES || !g_utf8_validate (notes, -1, NULL)))
    return _("The notes must be text of at most 64 KiB.");
  return NULL;
}

static const char *
check_memory (VdConfig *self)
{
  guint64 memory = vd_config_get_memory (self);

  if (memory < VD_MIN_MEMORY)
    return _("A machine needs at least 16 MiB of memory.");
  if (memory > VD_MAX_MEMORY)
    return _("A machine can have at most 4 TiB of memory.");
  if (memory % (1 << 20) != 0)
    return _("The memory must be a whole number of MiB.");
  return NULL;
}

static const char *
check_cpus (VdConfig *self)
{
  guint cpus = vd_config_get_cpus (self);

  return cpus < 1 || cpus > VD_MAX_CPUS ? _("A machine has 1 to 32 processors.") : NULL;
}

static gboolean
is_path (const char *path)
{
  return g_path_is_absolute (path) && is_line (path, 4095);
}

static const char *
check_kernel (VdConfig *self)
{
  const char *kernel = vd_config_get_kernel (self);

  if (vd_config_get_boot (self) != VD_BOOT_KERNEL)
    return NULL;
  if (kernel == NULL)
    return _("Choose a kernel, or another way to boot.");
  if (!is_path (kernel))
    return _("The kernel’s file name must be an absolute path in UTF-8.");
  return NULL;
}

static const char *
check_initrd (VdConfig *self)
{
  const char *initrd = vd_config_get_initrd (self);

  if (initrd != NULL && !is_path (initrd))
    return _("The initial RAM disk’s file name must be an absolute path in UTF-8.");
  return NULL;
}

static const char *
check_append (VdConfig *self)
{
  const char *append = vd_config_get_append (self);

  if (append != NULL && !is_line (append, VD_MAX_APPEND))
    return _("The kernel’s command line must be one line of at most 2047 bytes.");
  return NULL;
}

static const char *
check_disks (VdConfig *self)
{
  GListModel *disks = vd_config_get_disks (self);
  guint n = g_list_model_get_n_items (disks);

  if (n + (vd_config_get_new_disk_size (self) > 0) > VD_MAX_DISKS)
    return _("A machine can have at most 24 disks.");

  for (guint i = 0; i < n; i++) {
    g_autoptr (VdDiskConfig) disk = g_list_model_get_item (disks, i);
    const char *path = vd_disk_config_get_path (disk);

    if (path == NULL && !vd_disk_config_get_cdrom (disk))
      return _("A disk needs a file.");
    if (path != NULL && !is_path (path))
      return _("A disk’s file name must be an absolute path in UTF-8.");
    if (vd_disk_config_get_bus (disk) == VD_DISK_SATA && vd_disk_config_get_readonly (disk) &&
        !vd_disk_config_get_cdrom (disk))
      return _("A SATA disk cannot be read-only; make it a virtio disk.");
  }
  return NULL;
}

static const char *
check_new_disk (VdConfig *self)
{
  guint64 size = vd_config_get_new_disk_size (self);

  if (size != 0 && (size < VD_MIN_DISK || size > VD_MAX_DISK || size % 512 != 0))
    return _("A new disk must have between 1 MiB and 64 TiB.");
  return NULL;
}

static const struct {
  const char *field;
  CheckFunc check;
} checks[] = {
  { "uuid", check_uuid },     { "name", check_name },
  { "notes", check_notes },   { "memory", check_memory },
  { "cpus", check_cpus },     { "kernel", check_kernel },
  { "initrd", check_initrd }, { "append", check_append },
  { "disks", check_disks },   { "new-disk-size", check_new_disk },
};

gboolean
vd_config_check (VdConfig *self, GError **error)
{
  g_return_val_if_fail (VD_IS_CONFIG (self), FALSE);

  for (guint i = 0; i < G_N_ELEMENTS (checks); i++) {
    const char *wrong = checks[i].check (self);

    if (wrong != NULL) {
      vd_config_set_bad_field (self, checks[i].field);
      g_set_error_literal (error, VD_ERROR, VD_ERROR_INVALID, wrong);
      return FALSE;
    }
  }
  vd_config_set_bad_field (self, NULL);
  return TRUE;
}
