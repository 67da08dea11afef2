/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Discs in the drives of a library's machines. One that runs gets its disc from its engine first: a
 * guest that keeps what it has must not find another at its next start. Then machine.ini is written
 * from the configuration as it is by then, which may have changed meanwhile.
 *
 * Threads: main.
 */
#include "library/vd-config-private.h"
#include "library/vd-library-private.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>

typedef struct {
  VdLibrary *library;
  guint drive;
  char *path;
} Disc;

static void
disc_free (gpointer data, GClosure *closure)
{
  Disc *disc = data;

  g_object_unref (disc->library);
  g_free (disc->path);
  g_free (disc);
}

static gboolean
set_disc (VdConfig *config, guint drive, const char *path)
{
  GListModel *disks = vd_config_get_disks (config);

  for (guint i = 0; i < g_list_model_get_n_items (disks); i++) {
    g_autoptr (VdDiskConfig) disk = g_list_model_get_item (disks, i);

    if (!vd_disk_config_get_cdrom (disk) || drive-- > 0)
      continue;
    g_object_set (disk, "path", path, "format", VD_DISK_RAW, "readonly", TRUE, "owned", FALSE,
                  NULL);
    return TRUE;
  }
  return FALSE;
}

/* A copy of the machine's configuration with that disc, or NULL. */
static VdConfig *
configure (VdMachine *machine, guint drive, const char *path)
{
  VdConfig *config = vd_machine_get_config (machine);
  g_autoptr (VdConfig) copy = config != NULL ? vd_config_copy (config) : NULL;

  return copy != NULL && set_disc (copy, drive, path) ? g_steal_pointer (&copy) : NULL;
}

static void
on_changed (VdJob *job, Disc *disc)
{
  VdMachine *machine = vd_job_get_machine (job);
  g_autoptr (VdConfig) config = configure (machine, disc->drive, disc->path);

  if (vd_job_get_state (job) == VD_JOB_DONE && config != NULL)
    g_object_unref (vd_library_configure (disc->library, machine, config));
  /* A failed job stays in the library, which must not be kept by it. */
  g_signal_handlers_disconnect_by_data (job, disc);
}

VdJob *
vd_library_set_disc (VdLibrary *self,
                     VdMachine *machine,
                     guint drive,
                     const char *path,
                     gboolean force)
{
  g_autoptr (VdConfig) config = NULL;
  Disc *disc;
  VdJob *job;

  g_return_val_if_fail (VD_IS_LIBRARY (self) && VD_IS_OWN_MACHINE (machine), NULL);

  config = configure (machine, drive, path);
  if (config == NULL) {
    GError *error =
      g_error_new_literal (VD_ERROR, VD_ERROR_INVALID, _("The machine has no such CD drive."));

    return vd_job_new_failed (_("Change the Disc"), machine, error);
  }
  if (!vd_machine_is_active (machine))
    return vd_library_configure (self, machine, config);
  job = vd_machine_set_disc (machine, drive, path, force);
  disc = g_new (Disc, 1);
  *disc = (Disc) { g_object_ref (self), drive, g_strdup (path) };
  g_signal_connect_data (job, "finished", G_CALLBACK (on_changed), disc, disc_free, 0);
  return job;
}
