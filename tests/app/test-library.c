/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLibrary with fake engines: what is made, found again and deleted.
 */
#include "app-test.h"
#include "library/vd-config-file.h"
#include "library-test.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
test_create (LibraryTest *self, gconstpointer data)
{
  g_autoptr (VdConfig) config = app_test_make_config ("Zeta", VD_ENGINE_AUTO);
  g_autofree char *folder = NULL, *uuid = g_strdup (vd_config_get_uuid (config));
  g_autofree char *disk = NULL;
  g_autoptr (VdDiskConfig) found = NULL;
  VdMachine *machine;
  struct stat info;

  g_object_set (config, "new-disk-size", G_GUINT64_CONSTANT (5) << 30, NULL);
  app_test_succeeds (vd_library_create (self->library, config));
  /* The caller's own is left alone. */
  g_assert_cmpuint (g_list_model_get_n_items (vd_config_get_disks (config)), ==, 0);

  machine = vd_library_find (self->library, uuid);
  g_assert_nonnull (machine);
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_OFF);
  folder = library_test_folder_of (self, machine);
  g_assert_cmpuint (library_test_mode_of (folder, "."), ==, 0700);
  g_assert_cmpuint (library_test_mode_of (folder, VD_CONFIG_FILE), ==, 0600);
  g_assert_cmpuint (library_test_mode_of (folder, "disk.raw"), ==, 0600);
  g_assert_cmpuint (library_test_mode_of (self->path, "."), ==, 0700);
  disk = g_build_filename (folder, "disk.raw", NULL);
  g_assert_cmpint (stat (disk, &info), ==, 0);
  g_assert_cmpint (info.st_size, ==, G_GUINT64_CONSTANT (5) << 30);
  g_assert_cmpint (info.st_blocks, <, 100);

  library_test_close (self);
  library_test_open (self);
  machine = vd_library_find (self->library, "Zeta");
  g_assert_nonnull (machine);
  found = g_list_model_get_item (vd_config_get_disks (vd_machine_get_config (machine)), 0);
  g_assert_cmpstr (vd_disk_config_get_path (found), ==, disk);
  g_assert_true (vd_disk_config_get_owned (found));
  g_assert_null (vd_library_get_notice (self->library));
}

static void
test_create_refused (LibraryTest *self, gconstpointer data)
{
  g_autoptr (VdConfig) config = app_test_make_config ("", VD_ENGINE_AUTO);
  g_autofree char *machines = vd_library_get_folder (self->library, NULL);
  g_autoptr (VdConfig) twice = app_test_make_config ("Twice", VD_ENGINE_AUTO);
  g_autofree char *text = NULL;
  VdJob *job;

  app_test_fails (vd_library_create (self->library, config), VD_ERROR_INVALID);
  app_test_succeeds (vd_library_create (self->library, twice));
  /* The same again does not touch what is there. */
  job = vd_library_create (self->library, twice);
  app_test_fails (job, VD_ERROR_INVALID);
  g_assert_cmpuint (library_test_n_machines (self), ==, 1);

  /* No room: nothing is left behind. A full device stands for a full disk. */
  g_object_set (config, "name", "Big", "new-disk-size", G_GUINT64_CONSTANT (64) << 40, NULL);
  job = vd_library_create (self->library, config);
  while (!vd_job_is_finished (job))
    g_main_context_iteration (NULL, TRUE);
  if (vd_job_get_error (job) != NULL) /* 64 TiB are too much for most file systems */
    app_test_assert_file (FALSE, machines, vd_config_get_uuid (config));
  g_object_unref (job);
}

static void
test_cancel (LibraryTest *self, gconstpointer data)
{
  g_autoptr (VdConfig) config = app_test_make_config ("Never", VD_ENGINE_AUTO);
  g_autofree char *machines = vd_library_get_folder (self->library, NULL);
  VdJob *job = vd_library_create (self->library, config);
  g_autoptr (GDir) dir = NULL;

  vd_job_cancel (job);
  while (!vd_job_is_finished (job))
    g_main_context_iteration (NULL, TRUE);
  /* Either it was too late, or nothing is there; never half of it. */
  if (vd_job_get_state (job) == VD_JOB_CANCELLED) {
    g_assert_null (vd_job_get_error (job));
    g_assert_cmpuint (library_test_n_machines (self), ==, 0);
    dir = g_dir_open (machines, 0, NULL);
    g_assert_null (g_dir_read_name (dir));
  } else {
    g_assert_cmpuint (library_test_n_machines (self), ==, 1);
  }
  g_assert_cmpuint (g_list_model_get_n_items (vd_library_get_jobs (self->library)), ==, 0);
  g_object_unref (job);
}

static void
test_order (LibraryTest *self, gconstpointer data)
{
  VdMachine *ten = app_test_create (self->library, "m 10", VD_ENGINE_AUTO);
  g_autoptr (VdMachine) first = NULL;

  app_test_create (self->library, "m 9", VD_ENGINE_AUTO);
  app_test_create (self->library, "m 2", VD_ENGINE_AUTO);
  first = g_list_model_get_item (vd_library_get_machines (self->library), 0);
  g_assert_cmpstr (vd_machine_get_name (first), ==, "m 2");
  g_clear_object (&first);

  app_test_succeeds (vd_library_rename (self->library, ten, "a"));
  first = g_list_model_get_item (vd_library_get_machines (self->library), 0);
  g_assert_true (first == ten);
  app_test_fails (vd_library_rename (self->library, ten, " "), VD_ERROR_INVALID);
  g_assert_cmpstr (vd_machine_get_name (ten), ==, "a");

  /* Two of a name: neither is meant. */
  app_test_create (self->library, "a", VD_ENGINE_AUTO);
  g_assert_null (vd_library_find (self->library, "a"));
  g_assert_true (vd_library_find (self->library, vd_machine_get_uuid (ten)) == ten);
}

static void
test_delete (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Gone", VD_ENGINE_LOCAL);
  g_autofree char *folder = library_test_folder_of (self, machine);
  g_autofree char *uuid = g_strdup (vd_machine_get_uuid (machine));
  g_autofree char *outside = g_build_filename (self->path, "outside", NULL);
  g_autofree char *link = g_build_filename (folder, "link", NULL);

  app_test_succeeds (vd_machine_start (machine));
  app_test_fails (vd_library_delete (self->library, machine), VD_ERROR_STATE);
  app_test_succeeds (vd_machine_force_off (machine));
  app_test_wait_for_state (machine, VD_MACHINE_OFF);

  app_test_succeeds (vd_library_delete (self->library, machine));
  g_assert_cmpuint (library_test_n_machines (self), ==, 0);
  app_test_assert_file (FALSE, folder);
  app_test_succeeds (vd_library_restore (self->library, uuid));
  machine = vd_library_find (self->library, uuid);
  g_assert_cmpstr (vd_machine_get_name (machine), ==, "Gone");

  /* A link in it is not followed. */
  g_assert_cmpint (g_mkdir (outside, 0700), ==, 0);
  app_test_write (outside, "precious", "");
  g_assert_cmpint (symlink (outside, link), ==, 0);
  app_test_succeeds (vd_library_delete (self->library, machine));
  app_test_succeeds (vd_library_purge (self->library, uuid));
  app_test_assert_file (TRUE, outside, "precious");
  app_test_fails (vd_library_restore (self->library, uuid), VD_ERROR_NOT_FOUND);
  app_test_fails (vd_library_restore (self->library, "../outside"), VD_ERROR_NOT_FOUND);
}

/* A machine that is on its way into the trash cannot be started under its feet. */
static void
test_no_start_while_deleted (LibraryTest *self, gconstpointer data)
{
  g_autoptr (VdMachine) machine =
    g_object_ref (app_test_create (self->library, "Gone", VD_ENGINE_LOCAL));
  VdJob *deletion = vd_library_delete (self->library, machine);

  app_test_fails (vd_machine_start (machine), VD_ERROR_STATE);
  app_test_succeeds (deletion);
  g_assert_cmpuint (library_test_n_machines (self), ==, 0);
}

static void
test_trash_is_emptied (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Gone", VD_ENGINE_LOCAL);
  g_autofree char *uuid = g_strdup (vd_machine_get_uuid (machine));
  g_autofree char *trash = vd_library_get_trash_folder (self->library, uuid);
  g_autofree char *half = vd_library_get_folder (self->library, ".new-half");

  app_test_succeeds (vd_library_delete (self->library, machine));
  g_assert_cmpint (g_mkdir (half, 0700), ==, 0);
  library_test_close (self);
  app_test_assert_file (TRUE, trash);
  library_test_open (self);
  while (g_list_model_get_n_items (vd_library_get_jobs (self->library)) > 0)
    g_main_context_iteration (NULL, TRUE);
  app_test_assert_file (FALSE, trash);
  app_test_assert_file (FALSE, half);
}

int
main (int argc, char **argv)
{
  static const LibraryTestCase cases[] = {
    { "create", test_create },
    { "create-refused", test_create_refused },
    { "cancel", test_cancel },
    { "order", test_order },
    { "delete", test_delete },
    { "no-start-while-deleted", test_no_start_while_deleted },
    { "trash-is-emptied", test_trash_is_emptied },
  };

  return library_test_run (argc, argv, cases, G_N_ELEMENTS (cases));
}
