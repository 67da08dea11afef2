/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What changes a library's folders: create, delete and undo, purge, configure. Each
 * is a job on the library's worker, one after another, and each ends with one
 * rename, so that it happened or it did not.
 *
 * Threads: main; bodies on the worker.
 */
#include "library/vd-config-file.h"
#include "library/vd-config-private.h"
#include "library/vd-file.h"
#include "library/vd-job-private.h"
#include "library/vd-library-private.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>

typedef struct {
  VdLibrary *library; /* for the last step, on main */
  VdMachine *machine; /* likewise */
  VdConfig *config;   /* a frozen copy */
  char *uuid;
  char *folder;
  char *part; /* of create; of purge: the trash folder itself, which stays */
  char *trash;
} Change;

static Change *
change_new (VdLibrary *self, const char *uuid)
{
  Change *change = g_new0 (Change, 1);
  g_autofree char *part = NULL;

  change->library = g_object_ref (self);
  if (uuid == NULL)
    return change;
  part = g_strconcat (VD_NEW_PREFIX, uuid, NULL);
  change->uuid = g_strdup (uuid);
  change->folder = vd_library_get_folder (self, uuid);
  change->part = vd_library_get_folder (self, part);
  change->trash = vd_library_get_trash_folder (self, uuid);
  return change;
}

static void
change_free (gpointer data)
{
  Change *change = data;

  g_clear_object (&change->library);
  g_clear_object (&change->machine);
  g_clear_object (&change->config);
  g_free (change->uuid);
  g_free (change->folder);
  g_free (change->part);
  g_free (change->trash);
  g_free (change);
}

/* Takes @change. */
static VdJob *
begin (Change *change, const char *title, VdJobBody body, VdJobDone done)
{
  VdLibrary *self = change->library;

  return vd_library_track (
    self, vd_job_new_full (title, change->machine, self->worker, body, done, change, change_free));
}

/* Takes @change and @error. */
static VdJob *
refuse (Change *change, const char *title, GError *error)
{
  VdJob *job = vd_job_new_failed (title, change->machine, error);

  change_free (change);
  return job;
}

/* Main, after a body that must not run when the library is no longer ours. */
static gboolean
check_ours (VdLibrary *self, GError **error)
{
  if (self->lock != NULL && self->worker != NULL)
    return TRUE;
  g_set_error_literal (error, VD_ERROR, VD_ERROR_OWNED,
                       _("The library belongs to another process now."));
  return FALSE;
}

/* An empty disk is raw and takes no room until it is written: both engines can use it. */
static gboolean
make_disk (Change *change, GError **error)
{
  guint64 size = vd_config_get_new_disk_size (change->config);
  g_autofree char *made = g_build_filename (change->part, "disk.raw", NULL);
  g_autofree char *path = g_build_filename (change->folder, "disk.raw", NULL);
  g_autoptr (VdDiskConfig) disk = vd_disk_config_new (path, VD_DISK_RAW);

  if (size == 0)
    return TRUE;
  g_object_set (disk, "owned", TRUE, NULL);
  vd_config_add_disk (change->config, disk);
  g_object_set (change->config, "new-disk-size", (guint64) 0, NULL);
  return vd_file_make_sparse (made, size, error);
}

static gboolean
create_folder (Change *change, GCancellable *cancellable, GError **error)
{
  return vd_folder_remove (change->part, error) && vd_folder_make (change->part, error) &&
         make_disk (change, error) && vd_config_save (change->config, change->part, error) &&
         !g_cancellable_set_error_if_cancelled (cancellable, error) &&
         vd_file_rename (change->part, change->folder, error);
}

static gboolean
create_body (VdJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  Change *change = data;

  if (create_folder (change, cancellable, error))
    return TRUE;
  vd_folder_remove (change->part, NULL);
  return FALSE;
}

static void
add_machine (VdJob *job, gpointer data, const GError *error)
{
  Change *change = data;
  VdLibrary *self = change->library;
  g_autoptr (VdOwnMachine) machine = NULL;

  if (error != NULL || self->lock == NULL)
    return;
  machine = vd_own_machine_new (change->folder, self->engines);
  vd_library_add (self, machine);
}

static gboolean
check_new (VdLibrary *self, VdConfig *config, GError **error)
{
  VdMachine *other = vd_library_find (self, vd_config_get_uuid (config));

  if (other == NULL ||
      g_ascii_strcasecmp (vd_machine_get_uuid (other), vd_config_get_uuid (config)) != 0)
    return TRUE;
  g_set_error (
    error, VD_ERROR, VD_ERROR_INVALID,
    _("There is a machine with this identifier already, “%s”; leave the identifier out."),
    vd_machine_get_name (other));
  return FALSE;
}

VdJob *
vd_library_create (VdLibrary *self, VdConfig *config)
{
  g_autofree char *title = NULL;
  Change *change;
  GError *error = NULL;

  g_return_val_if_fail (VD_IS_LIBRARY (self) && VD_IS_CONFIG (config), NULL);

  title = g_strdup_printf (_("Create “%s”"), vd_config_get_name (config));
  change = change_new (self, vd_config_get_uuid (config));
  change->config = vd_config_copy (config);
  if (!check_ours (self, &error) || !vd_config_check (config, &error) ||
      !check_new (self, config, &error))
    return refuse (change, title, error);
  return begin (change, title, create_body, add_machine);
}

static gboolean
delete_body (VdJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  Change *change = data;

  return vd_folder_remove (change->trash, error) &&
         vd_file_rename (change->folder, change->trash, error);
}

static void
delete_done (VdJob *job, gpointer data, const GError *error)
{
  Change *change = data;

  if (error == NULL)
    vd_library_remove (change->library, change->machine);
}

/* A job of the library's; those of the machine's own verbs it knows itself. */
static gboolean
is_changing (VdLibrary *self, VdMachine *machine)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->jobs)); i++) {
    g_autoptr (VdJob) job = g_list_model_get_item (G_LIST_MODEL (self->jobs), i);

    if (vd_job_get_machine (job) == machine && !vd_job_is_finished (job))
      return TRUE;
  }
  return FALSE;
}

static gboolean
check_stopped (VdLibrary *self, VdMachine *machine, GError **error)
{
  if (!vd_machine_is_active (machine) && vd_machine_get_state (machine) != VD_MACHINE_ELSEWHERE &&
      vd_machine_get_job (machine) == NULL && !is_changing (self, machine))
    return TRUE;
  g_set_error (error, VD_ERROR, VD_ERROR_STATE, _("“%s” is in use; turn it off first."),
               vd_machine_get_name (machine));
  return FALSE;
}

VdJob *
vd_library_delete (VdLibrary *self, VdMachine *machine)
{
  g_autofree char *title = NULL;
  Change *change;
  GError *error = NULL;

  g_return_val_if_fail (VD_IS_LIBRARY (self) && VD_IS_MACHINE (machine), NULL);

  title = g_strdup_printf (_("Delete “%s”"), vd_machine_get_name (machine));
  change = change_new (self, vd_machine_get_uuid (machine));
  change->machine = g_object_ref (machine);
  if (!check_ours (self, &error) || !check_stopped (self, machine, &error))
    return refuse (change, title, error);
  return vd_machine_watch (machine, begin (change, title, delete_body, delete_done));
}

static gboolean
restore_body (VdJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  Change *change = data;

  return vd_file_rename (change->trash, change->folder, error);
}

/* A plain name, so that no identifier reaches out of the trash. */
static gboolean
check_uuid (const char *uuid, GError **error)
{
  if (*uuid != '\0' && *uuid != '.' && g_strstr_len (uuid, -1, "/") == NULL)
    return TRUE;
  g_set_error (error, VD_ERROR, VD_ERROR_NOT_FOUND, _("There is no machine “%s” in the trash."),
               uuid);
  return FALSE;
}

VdJob *
vd_library_restore (VdLibrary *self, const char *uuid)
{
  Change *change = change_new (self, uuid);
  GError *error = NULL;

  if (!check_ours (self, &error) || !check_uuid (uuid, &error))
    return refuse (change, _("Undo"), error);
  return begin (change, _("Undo"), restore_body, add_machine);
}

static gboolean
purge_body (VdJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  Change *change = data;

  return vd_folder_remove (change->trash, error) && vd_folder_make (change->part, error);
}

VdJob *
vd_library_purge (VdLibrary *self, const char *uuid)
{
  g_autofree char *all = vd_library_get_trash_folder (self, NULL);
  Change *change = change_new (self, uuid);
  GError *error = NULL;

  if (!check_ours (self, &error) || (uuid != NULL && !check_uuid (uuid, &error)))
    return refuse (change, _("Empty the trash"), error);
  g_set_str (&change->part, all);
  if (uuid == NULL)
    g_set_str (&change->trash, all);
  return begin (change, _("Empty the trash"), purge_body, NULL);
}

static gboolean
configure_body (VdJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  Change *change = data;

  return vd_config_save (change->config, change->folder, error);
}

static void
configure_done (VdJob *job, gpointer data, const GError *error)
{
  Change *change = data;

  if (error == NULL)
    vd_own_machine_update (VD_OWN_MACHINE (change->machine), change->config);
}

static gboolean
check_writable (VdMachine *machine, VdConfig *config, GError **error)
{
  if (vd_machine_get_state (machine) == VD_MACHINE_BROKEN) {
    g_set_error (error, VD_ERROR, VD_ERROR_BROKEN, _("“%s” cannot be changed: %s"),
                 vd_machine_get_name (machine), vd_machine_get_problem (machine));
    return FALSE;
  }
  if (vd_machine_get_read_only (machine)) {
    g_set_error (error, VD_ERROR, VD_ERROR_READ_ONLY,
                 _("“%s” was made by a newer VirtDesk; update VirtDesk to change it."),
                 vd_machine_get_name (machine));
    return FALSE;
  }
  if (vd_machine_get_saved (machine)) {
    g_set_error (
      error, VD_ERROR, VD_ERROR_STATE,
      _("“%s” is saved as it was. Start it, or discard what was saved, before you change "
        "it."),
      vd_machine_get_name (machine));
    return FALSE;
  }
  return vd_config_check (config, error);
}

VdJob *
vd_library_configure (VdLibrary *self, VdMachine *machine, VdConfig *config)
{
  g_autofree char *title = NULL;
  Change *change;
  GError *error = NULL;

  g_return_val_if_fail (VD_IS_LIBRARY (self) && VD_IS_OWN_MACHINE (machine), NULL);

  title = g_strdup_printf (_("Change “%s”"), vd_machine_get_name (machine));
  change = change_new (self, vd_machine_get_uuid (machine));
  change->machine = g_object_ref (machine);
  change->config = config != NULL ? vd_config_copy (config) : NULL;
  if (!check_ours (self, &error) || !check_writable (machine, change->config, &error))
    return refuse (change, title, error);
  return begin (change, title, configure_body, configure_done);
}

VdJob *
vd_library_rename (VdLibrary *self, VdMachine *machine, const char *name)
{
  g_autoptr (VdConfig) config = NULL;

  g_return_val_if_fail (VD_IS_LIBRARY (self) && VD_IS_OWN_MACHINE (machine), NULL);

  if (vd_machine_get_config (machine) != NULL) {
    config = vd_config_copy (vd_machine_get_config (machine));
    vd_config_set_name (config, name);
  }
  return vd_library_configure (self, machine, config);
}
