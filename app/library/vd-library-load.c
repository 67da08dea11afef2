/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Opening a library: its folders, its lock, every machine there is, the rubbish of
 * last time, and what a person should know of it.
 *
 * Threads: main.
 */
#include "library/vd-library-private.h"
#include "library/vd-file.h"
#include "library/vd-job-private.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>
#include <string.h>

char *
vd_library_default_path (void)
{
  return g_build_filename (g_get_user_data_dir (), "virtdesk", NULL);
}

gboolean
vd_library_find_owner (const char *path, char **bus_name)
{
  g_autofree char *file = g_build_filename (path, VD_LOCK_FILE, NULL);
  g_auto (VdLockNote) note = { 0 };
  gboolean held = vd_lock_look (file, &note) == VD_LOCK_HELD;

  *bus_name = held ? g_steal_pointer (&note.bus_name) : NULL;
  return held;
}

static void
free_names (gpointer names)
{
  g_ptr_array_unref (names);
}

static gboolean
sweep_body (VdJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  GPtrArray *paths = data;

  /* What cannot be removed keeps nothing else; the first one is told of. */
  for (guint i = 0; i < paths->len && !g_cancellable_is_cancelled (cancellable); i++)
    vd_folder_remove (paths->pdata[i], *error == NULL ? error : NULL);
  return *error == NULL;
}

/* What an interrupted creation or an undo that nobody wanted left behind. */
static void
sweep (VdLibrary *self, GPtrArray *paths)
{
  g_autoptr (VdJob) job = NULL;
  g_autofree char *trash = vd_library_get_trash_folder (self, NULL);
  g_autoptr (GDir) dir = g_dir_open (trash, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (paths, g_build_filename (trash, name, NULL));
  if (paths->len == 0)
    return;
  /* On the library's worker: closing waits for it. */
  job = vd_library_track (self, vd_job_new_full (_("Tidy up"), NULL, self->worker, sweep_body,
                                                 NULL, g_ptr_array_ref (paths), free_names));
}

/* What a process that died while it wrote left in a machine's folder. */
static void
find_parts (const char *folder, GPtrArray *rubbish)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, VD_PART_PREFIX))
      g_ptr_array_add (rubbish, g_build_filename (folder, name, NULL));
}

static void
load_machine (VdLibrary *self, const char *folder, GPtrArray *lost, GPtrArray *rubbish)
{
  g_autoptr (VdOwnMachine) machine = vd_own_machine_new (folder, self->engines);

  vd_library_add (self, machine);
  if (!vd_machine_is_active (VD_MACHINE (machine)) &&
      vd_machine_get_state (VD_MACHINE (machine)) != VD_MACHINE_ELSEWHERE)
    find_parts (folder, rubbish); /* nobody is at it */
  if (vd_own_machine_was_lost (machine))
    g_ptr_array_add (lost,
                     g_strdup_printf (_("“%s”"), vd_machine_get_name (VD_MACHINE (machine))));
}

static void
note_lost (VdLibrary *self, GPtrArray *lost)
{
  g_autofree char *names = NULL;

  if (lost->len == 0)
    return;
  g_ptr_array_add (lost, NULL);
  names = g_strjoinv (", ", (char **) lost->pdata);
  self->notice = g_strdup_printf (
    g_dngettext (GETTEXT_PACKAGE,
                 "VirtDesk ended while %s was running; it is off now, as after a power cut.",
                 "VirtDesk ended while %s were running; they are off now, as after a power cut.",
                 lost->len - 1),
    names);
}

static gboolean
load_machines (VdLibrary *self, GError **error)
{
  g_autoptr (GPtrArray) rubbish = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) lost = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *machines = vd_library_get_folder (self, NULL);
  g_autoptr (GDir) dir = g_dir_open (machines, 0, error);
  const char *name;

  if (dir == NULL)
    return FALSE;
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *folder = g_build_filename (machines, name, NULL);

    if (g_str_has_prefix (name, VD_NEW_PREFIX))
      g_ptr_array_add (rubbish, g_steal_pointer (&folder));
    else if (*name != '.' && g_file_test (folder, G_FILE_TEST_IS_DIR))
      load_machine (self, folder, lost, rubbish);
  }
  note_lost (self, lost);
  sweep (self, rubbish);
  return TRUE;
}

/* It stands in machine.ini and in libvirt's XML. */
static gboolean
check_path (const char *path, GError **error)
{
  g_autofree char *name = g_filename_display_name (path);

  if (g_utf8_validate (path, -1, NULL) && strpbrk (path, "\n\r\t") == NULL)
    return TRUE;
  g_set_error (error, VD_ERROR, VD_ERROR_INVALID,
               _("The name of the folder “%s” is not plain text in UTF-8, so no machine can be "
                 "kept in it; choose another folder."),
               name);
  return FALSE;
}

static gboolean
open_folders (VdLibrary *self, GError **error)
{
  g_autofree char *machines = vd_library_get_folder (self, NULL);
  g_autofree char *trash = vd_library_get_trash_folder (self, NULL);
  g_autofree char *lock = g_build_filename (self->path, VD_LOCK_FILE, NULL);

  if (!check_path (self->path, error) || !vd_folder_make (self->path, error))
    return FALSE;
  self->lock = vd_lock_take (lock, error);
  return self->lock != NULL && vd_lock_write (self->lock, NULL, NULL, error) &&
         vd_folder_make (machines, error) && vd_folder_make (trash, error);
}

VdLibrary *
vd_library_open_with (const char *path, GListModel *engines, GError **error)
{
  g_autoptr (VdLibrary) self = g_object_new (VD_TYPE_LIBRARY, NULL);

  self->path = g_strdup (path);
  self->engines = engines;
  if (!open_folders (self, error) || !load_machines (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

static char *
make_path (const char *path)
{
  return path != NULL ? g_canonicalize_filename (path, NULL) : vd_library_default_path ();
}

void
vd_library_prepare (const char *path)
{
  g_autofree char *folder = make_path (path);

  if (check_path (folder, NULL)) /* if not, opening it says why */
    vd_engine_list_prepare (folder);
}

VdLibrary *
vd_library_open (const char *path, GError **error)
{
  g_autofree char *folder = make_path (path);

  return vd_library_open_with (folder, vd_engine_list_new (folder), error);
}
