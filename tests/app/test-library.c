/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLibrary with fake engines: what is made, found again, deleted, lost and kept.
 */
#include "app-test.h"
#include "dbus/vd-variant.h"
#include "fake-engine.h"
#include "library/vd-config-file.h"
#include "library/vd-config-private.h"
#include "vd-service.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  char *path;
  VdLibrary *library;
} Fixture;

static void
open_library (Fixture *self)
{
  g_autoptr (GError) error = NULL;

  self->library = vd_library_open_with (self->path, fake_engine_list_new (), &error);
  g_assert_no_error (error);
}

static void
close_library (Fixture *self)
{
  vd_library_close (self->library);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_finalize_object (g_steal_pointer (&self->library));
}

/* As if the process had died: the files stay as they are, and the kernel drops the locks. */
static void
set_up (Fixture *self, gconstpointer data)
{
  g_autofree char *folder = app_test_make_folder ();

  fake_engine_reset_counts ();
  self->path = g_build_filename (folder, "library", NULL);
  open_library (self);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  close_library (self);
  app_test_remove_folder (g_path_get_dirname (self->path));
  g_free (self->path);
}

static gboolean
has_no_jobs (gpointer data)
{
  Fixture *self = data;

  return g_list_model_get_n_items (vd_library_get_jobs (self->library)) == 0;
}

static guint
n_machines (Fixture *self)
{
  return g_list_model_get_n_items (vd_library_get_machines (self->library));
}

static guint
mode_of (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  struct stat info;

  g_assert_cmpint (stat (path, &info), ==, 0);
  return info.st_mode & 0777;
}

static char *
folder_of (Fixture *self, VdMachine *machine)
{
  return vd_library_get_folder (self->library, vd_machine_get_uuid (machine));
}

static void
test_create (Fixture *self, gconstpointer data)
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
  folder = folder_of (self, machine);
  g_assert_cmpuint (mode_of (folder, "."), ==, 0700);
  g_assert_cmpuint (mode_of (folder, VD_CONFIG_FILE), ==, 0600);
  g_assert_cmpuint (mode_of (folder, "disk.raw"), ==, 0600);
  g_assert_cmpuint (mode_of (self->path, "."), ==, 0700);
  disk = g_build_filename (folder, "disk.raw", NULL);
  g_assert_cmpint (stat (disk, &info), ==, 0);
  g_assert_cmpint (info.st_size, ==, G_GUINT64_CONSTANT (5) << 30);
  g_assert_cmpint (info.st_blocks, <, 100);

  close_library (self);
  open_library (self);
  machine = vd_library_find (self->library, "Zeta");
  g_assert_nonnull (machine);
  found = g_list_model_get_item (vd_config_get_disks (vd_machine_get_config (machine)), 0);
  g_assert_cmpstr (vd_disk_config_get_path (found), ==, disk);
  g_assert_true (vd_disk_config_get_owned (found));
  g_assert_null (vd_library_get_notice (self->library));
}

static void
test_create_refused (Fixture *self, gconstpointer data)
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
  g_assert_cmpuint (n_machines (self), ==, 1);

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
test_cancel (Fixture *self, gconstpointer data)
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
    g_assert_cmpuint (n_machines (self), ==, 0);
    dir = g_dir_open (machines, 0, NULL);
    g_assert_null (g_dir_read_name (dir));
  } else {
    g_assert_cmpuint (n_machines (self), ==, 1);
  }
  g_assert_cmpuint (g_list_model_get_n_items (vd_library_get_jobs (self->library)), ==, 0);
  g_object_unref (job);
}

static void
test_order (Fixture *self, gconstpointer data)
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
test_delete (Fixture *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Gone", VD_ENGINE_LOCAL);
  g_autofree char *folder = folder_of (self, machine);
  g_autofree char *uuid = g_strdup (vd_machine_get_uuid (machine));
  g_autofree char *outside = g_build_filename (self->path, "outside", NULL);
  g_autofree char *link = g_build_filename (folder, "link", NULL);

  app_test_succeeds (vd_machine_start (machine));
  app_test_fails (vd_library_delete (self->library, machine), VD_ERROR_STATE);
  app_test_succeeds (vd_machine_force_off (machine));
  app_test_wait_for_state (machine, VD_MACHINE_OFF);

  app_test_succeeds (vd_library_delete (self->library, machine));
  g_assert_cmpuint (n_machines (self), ==, 0);
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
test_no_start_while_deleted (Fixture *self, gconstpointer data)
{
  g_autoptr (VdMachine) machine =
    g_object_ref (app_test_create (self->library, "Gone", VD_ENGINE_LOCAL));
  VdJob *deletion = vd_library_delete (self->library, machine);

  app_test_fails (vd_machine_start (machine), VD_ERROR_STATE);
  app_test_succeeds (deletion);
  g_assert_cmpuint (n_machines (self), ==, 0);
}

static void
test_trash_is_emptied (Fixture *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Gone", VD_ENGINE_LOCAL);
  g_autofree char *uuid = g_strdup (vd_machine_get_uuid (machine));
  g_autofree char *trash = vd_library_get_trash_folder (self->library, uuid);
  g_autofree char *half = vd_library_get_folder (self->library, ".new-half");

  app_test_succeeds (vd_library_delete (self->library, machine));
  g_assert_cmpint (g_mkdir (half, 0700), ==, 0);
  close_library (self);
  app_test_assert_file (TRUE, trash);
  open_library (self);
  while (g_list_model_get_n_items (vd_library_get_jobs (self->library)) > 0)
    g_main_context_iteration (NULL, TRUE);
  app_test_assert_file (FALSE, trash);
  app_test_assert_file (FALSE, half);
}

static void
test_broken (Fixture *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Good", VD_ENGINE_LOCAL);
  g_autofree char *uuid = g_strdup (vd_machine_get_uuid (machine));
  g_autofree char *folder = folder_of (self, machine);
  g_autofree char *text = NULL;

  close_library (self);
  app_test_write (folder, VD_CONFIG_FILE, "[machine\njunk");
  open_library (self);
  machine = vd_library_find (self->library, uuid);
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_BROKEN);
  g_assert_nonnull (vd_machine_get_problem (machine));
  g_assert_null (vd_machine_get_config (machine));
  app_test_fails (vd_machine_start (machine), VD_ERROR_BROKEN);
  app_test_fails (vd_library_rename (self->library, machine, "New"), VD_ERROR_BROKEN);
  text = app_test_read (folder, VD_CONFIG_FILE);
  g_assert_cmpstr (text, ==, "[machine\njunk");

  /* It can be thrown away, and comes back as it was. */
  app_test_succeeds (vd_library_delete (self->library, machine));
  app_test_succeeds (vd_library_restore (self->library, uuid));
  g_assert_cmpint (vd_machine_get_state (vd_library_find (self->library, uuid)), ==,
                   VD_MACHINE_BROKEN);
}

/* A folder whose name is no text is a broken machine too, and can be told of. */
static void
test_strange_folder (Fixture *self, gconstpointer data)
{
  g_autofree char *folder = vd_library_get_folder (self->library, "stran\xffge");
  g_autoptr (GVariant) properties = NULL;
  g_autoptr (VdMachine) machine = NULL;

  close_library (self);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  open_library (self);
  g_assert_cmpuint (n_machines (self), ==, 1);
  machine = g_list_model_get_item (vd_library_get_machines (self->library), 0);
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_BROKEN);
  g_assert_true (g_utf8_validate (vd_machine_get_name (machine), -1, NULL));
  g_assert_true (g_utf8_validate (vd_machine_get_problem (machine), -1, NULL));
  properties = g_variant_ref_sink (vd_machine_to_variant (machine));
  app_test_succeeds (vd_library_delete (self->library, machine));
  g_assert_cmpuint (n_machines (self), ==, 0);
}

/* What a process that died while it wrote left goes; what is anybody's own stays. */
static void
test_parts (Fixture *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Parts", VD_ENGINE_LOCAL);
  g_autofree char *folder = folder_of (self, machine);
  static const char *const rubbish[] = { ".part-A1b2C3", ".part-picture.A1b2C3" };
  static const char *const ours[] = { "machine.ini.backup", ".hidden" };

  for (guint i = 0; i < G_N_ELEMENTS (rubbish); i++)
    app_test_write (folder, rubbish[i], "");
  for (guint i = 0; i < G_N_ELEMENTS (ours); i++)
    app_test_write (folder, ours[i], "");
  close_library (self);
  open_library (self);
  close_library (self); /* waits for what tidies up, or cancels it */
  open_library (self);
  app_test_wait_until (has_no_jobs, self);
  for (guint i = 0; i < G_N_ELEMENTS (rubbish); i++)
    app_test_assert_file (FALSE, folder, rubbish[i]);
  for (guint i = 0; i < G_N_ELEMENTS (ours); i++)
    app_test_assert_file (TRUE, folder, ours[i]);
  app_test_assert_file (TRUE, folder, VD_CONFIG_FILE);
}

static void
test_same_uuid (Fixture *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "First", VD_ENGINE_LOCAL);
  g_autofree char *large = g_ascii_strup (vd_machine_get_uuid (machine), -1);
  g_autoptr (GVariant) wish = NULL;
  g_autoptr (VdConfig) config = NULL;
  g_autoptr (GError) error = NULL;

  wish = g_variant_ref_sink (g_variant_new_parsed ("{'name': <'Second'>, 'uuid': <%s>}", large));
  config = vd_config_from_variant (wish, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (vd_config_get_uuid (config), ==, vd_machine_get_uuid (machine));
  app_test_fails (vd_library_create (self->library, config), VD_ERROR_INVALID);
  g_object_set (config, "uuid", large, NULL);
  app_test_fails (vd_library_create (self->library, config), VD_ERROR_INVALID);
  g_assert_cmpuint (n_machines (self), ==, 1);
}

static void
test_strange_library (Fixture *self, gconstpointer data)
{
  static const char *const names[] = { "l\xff", "two\nlines" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (self->path, names[i], NULL);
    g_autoptr (GError) error = NULL;

    g_assert_null (vd_library_open_with (path, fake_engine_list_new (), &error));
    g_assert_error (error, VD_ERROR, VD_ERROR_INVALID);
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  }
}

/* Who has no descriptor left to look with must not take the lock for a dead one's. */
static void
test_look_blind (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->path, VD_LOCK_FILE, NULL);
  struct rlimit old, none;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &old), ==, 0);
  none = old;
  none.rlim_cur = 0;
  setrlimit (RLIMIT_NOFILE, &none);
  g_assert_cmpint (vd_lock_look (path, NULL), ==, VD_LOCK_HELD);
  setrlimit (RLIMIT_NOFILE, &old);
  g_assert_cmpint (vd_lock_look (path, NULL), ==, VD_LOCK_HELD);
}

/* Two that look at the same moment do not see each other. */
static void
test_lookers (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->path, "looked-at", NULL);
  g_autofd int fd = -1;

  app_test_write (self->path, "looked-at", "");
  fd = open (path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (flock (fd, LOCK_SH), ==, 0); /* as the other does */
  g_assert_cmpint (vd_lock_look (path, NULL), ==, VD_LOCK_LEFT);
}

static void
test_newer (Fixture *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Later", VD_ENGINE_LOCAL);
  g_autofree char *folder = folder_of (self, machine);
  g_autofree char *old = app_test_read (folder, VD_CONFIG_FILE);
  g_auto (GStrv) parts = g_strsplit (old, "version=1", 2);
  g_autofree char *newer = g_strjoinv ("version=2", parts);
  g_autofree char *text = NULL;

  close_library (self);
  app_test_write (folder, VD_CONFIG_FILE, newer);
  open_library (self);
  machine = vd_library_find (self->library, "Later");
  g_assert_true (vd_machine_get_read_only (machine));
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_OFF);
  g_assert_nonnull (vd_machine_get_problem (machine));
  app_test_fails (vd_machine_start (machine), VD_ERROR_READ_ONLY);
  app_test_fails (vd_library_rename (self->library, machine, "New"), VD_ERROR_READ_ONLY);
  text = app_test_read (folder, VD_CONFIG_FILE);
  g_assert_cmpstr (text, ==, newer);
}

static void
test_lock (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *owner = NULL;

  g_assert_null (vd_library_open_with (self->path, fake_engine_list_new (), &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_OWNED);
  g_assert_true (vd_library_find_owner (self->path, &owner));
  vd_library_set_bus_name (self->library, ":1.7");
  g_assert_true (vd_library_find_owner (self->path, &owner));
  g_assert_cmpstr (owner, ==, ":1.7");
  close_library (self);
  g_clear_pointer (&owner, g_free);
  g_assert_false (vd_library_find_owner (self->path, &owner));
  open_library (self);
}

static void
test_verbs (Fixture *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Runs", VD_ENGINE_LOCAL);
  g_autofree char *folder = folder_of (self, machine);

  app_test_fails (vd_machine_pause (machine), VD_ERROR_STATE);
  app_test_fails (vd_machine_force_off (machine), VD_ERROR_STATE);
  app_test_succeeds (vd_machine_start (machine));
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_RUNNING);
  app_test_assert_file (TRUE, folder, VD_RUNNING_FILE);
  app_test_fails (vd_machine_start (machine), VD_ERROR_STATE);
  app_test_succeeds (vd_machine_pause (machine));
  app_test_wait_for_state (machine, VD_MACHINE_PAUSED);
  app_test_succeeds (vd_machine_resume (machine));
  app_test_wait_for_state (machine, VD_MACHINE_RUNNING);
  app_test_succeeds (vd_machine_power_off (machine));
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_STOPPING);
  app_test_succeeds (vd_machine_reset (machine));
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_RUNNING);
  app_test_succeeds (vd_machine_power_off (machine));
  vd_run_post (fake_engine_get_last_run (), VD_RUN_OFF, NULL, NULL);
  app_test_wait_for_state (machine, VD_MACHINE_OFF);
  app_test_assert_file (FALSE, folder, VD_RUNNING_FILE);
  g_assert_null (vd_machine_get_display (machine));
  g_assert_null (fake_engine_get_last_run ());
}

static void
test_start_fails (Fixture *self, gconstpointer data)
{
  g_autoptr (VdConfig) config = app_test_make_config ("Fails", VD_ENGINE_LOCAL);
  g_autofree char *folder = NULL;
  VdMachine *machine;

  g_object_set (config, "kernel", "/refused", NULL);
  app_test_succeeds (vd_library_create (self->library, config));
  machine = vd_library_find (self->library, "Fails");
  folder = folder_of (self, machine);
  app_test_fails (vd_machine_start (machine), VD_ERROR_KERNEL);
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_OFF);
  app_test_assert_file (FALSE, folder, VD_RUNNING_FILE);
  /* The failure stays on the list until somebody has seen it. */
  g_assert_cmpuint (g_list_model_get_n_items (vd_library_get_jobs (self->library)), ==, 1);
  {
    g_autoptr (VdJob) job = g_list_model_get_item (vd_library_get_jobs (self->library), 0);

    vd_library_dismiss (self->library, job);
  }
  g_assert_cmpuint (g_list_model_get_n_items (vd_library_get_jobs (self->library)), ==, 0);
}

static void
test_crash (Fixture *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Crashes", VD_ENGINE_LOCAL);

  app_test_succeeds (vd_machine_start (machine));
  vd_run_post (fake_engine_get_last_run (), VD_RUN_CRASHED, "It fell.", "rip=0");
  app_test_wait_for_state (machine, VD_MACHINE_CRASHED);
  g_assert_cmpstr (vd_machine_get_problem (machine), ==, "It fell.");
  g_assert_cmpstr (vd_machine_get_details (machine), ==, "rip=0");
  app_test_succeeds (vd_machine_start (machine));
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_RUNNING);
  g_assert_null (vd_machine_get_problem (machine));
  g_assert_null (vd_machine_get_details (machine));
}

/* The process died: its files are there, nobody holds them. */
static void
leave_behind (Fixture *self, VdMachine *machine, const char *engine)
{
  g_autofree char *folder = folder_of (self, machine);
  g_autofree char *text = g_strdup_printf ("[holder]\npid=1\nengine=%s\n", engine);

  close_library (self);
  app_test_write (folder, VD_RUNNING_FILE, text);
}

static void
test_power_cut (Fixture *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Lost", VD_ENGINE_LOCAL);
  g_autofree char *folder = folder_of (self, machine);

  leave_behind (self, machine, "local");
  open_library (self);
  machine = vd_library_find (self->library, "Lost");
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_CRASHED);
  g_assert_nonnull (vd_machine_get_problem (machine));
  g_assert_nonnull (strstr (vd_library_get_notice (self->library), "Lost"));
  app_test_assert_file (FALSE, folder, VD_RUNNING_FILE);
  app_test_succeeds (vd_machine_start (machine));
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_RUNNING);

  /* It is said once. */
  close_library (self);
  open_library (self);
  g_assert_null (vd_library_get_notice (self->library));
  g_assert_cmpint (vd_machine_get_state (vd_library_find (self->library, "Lost")), ==,
                   VD_MACHINE_OFF);
}

static void
test_close (Fixture *self, gconstpointer data)
{
  VdMachine *local = app_test_create (self->library, "Local", VD_ENGINE_LOCAL);
  VdMachine *other = app_test_create (self->library, "Other", VD_ENGINE_LIBVIRT);
  g_autofree char *local_folder = folder_of (self, local);
  g_autofree char *other_folder = folder_of (self, other);

  app_test_succeeds (vd_machine_start (local));
  app_test_succeeds (vd_machine_start (other));
  close_library (self);
  g_assert_cmpuint (fake_engine_count ("close"), ==, 2);
  app_test_assert_file (FALSE, local_folder, VD_RUNNING_FILE);
  app_test_assert_file (TRUE, other_folder, VD_RUNNING_FILE);

  /* What went on without us is found again. */
  open_library (self);
  other = vd_library_find (self->library, "Other");
  app_test_wait_for_state (other, VD_MACHINE_RUNNING);
  g_assert_cmpuint (fake_engine_count ("adopt"), ==, 1);
  g_assert_null (vd_library_get_notice (self->library));
  app_test_succeeds (vd_machine_force_off (other));
  app_test_wait_for_state (other, VD_MACHINE_OFF);
}

static void
test_not_there_any_more (Fixture *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Ended", VD_ENGINE_LIBVIRT);

  leave_behind (self, machine, "libvirt");
  open_library (self);
  machine = vd_library_find (self->library, "Ended");
  app_test_wait_for_state (machine, VD_MACHINE_CRASHED);
  g_assert_nonnull (vd_machine_get_problem (machine));
  app_test_succeeds (vd_machine_start (machine));
}

static void
test_close_while_starting (Fixture *self, gconstpointer data)
{
  VdMachine *local = app_test_create (self->library, "Local", VD_ENGINE_LOCAL);
  VdMachine *other = app_test_create (self->library, "Other", VD_ENGINE_LIBVIRT);
  g_autofree char *folder = folder_of (self, local);
  g_autoptr (VdJob) first = vd_machine_start (local);
  g_autoptr (VdJob) second = vd_machine_start (other);

  g_clear_object (&first);
  g_clear_object (&second);
  close_library (self);
  app_test_assert_file (FALSE, folder, VD_RUNNING_FILE);
  open_library (self);
  g_assert_cmpint (vd_machine_get_state (vd_library_find (self->library, "Local")), ==,
                   VD_MACHINE_OFF);
}

static VdMachine *
start_hanging (Fixture *self)
{
  VdMachine *machine = app_test_create (self->library, "Hangs", VD_ENGINE_LOCAL);
  g_autoptr (VdConfig) config = vd_config_copy (vd_machine_get_config (machine));

  fake_engine_reset_counts ();
  g_object_set (config, "kernel", "/hangs", NULL);
  app_test_succeeds (vd_library_configure (self->library, machine, config));
  app_test_succeeds (vd_machine_start (machine));
  app_test_wait_for_state (machine, VD_MACHINE_RUNNING);
  return machine;
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_set_object ((GAsyncResult **) data, result);
}

static gboolean
is_closed (gpointer data)
{
  return *(GAsyncResult **) data != NULL;
}

static gboolean
is_running_file_gone (gpointer file)
{
  return !g_file_test (file, G_FILE_TEST_EXISTS);
}

/* The main loop goes on while something is slow to end. */
static void
test_close_beside (Fixture *self, gconstpointer data)
{
  g_autofree char *folder = folder_of (self, start_hanging (self));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  vd_library_close_async (self->library, on_closed, &result);
  while (fake_engine_count ("close") == 0)
    g_main_context_iteration (NULL, FALSE);
  g_assert_null (result);
  app_test_assert_file (TRUE, folder, VD_RUNNING_FILE);
  fake_engine_let_go ();
  app_test_wait_until (is_closed, &result);
  g_assert_true (vd_library_close_finish (self->library, result, &error));
  app_test_assert_file (FALSE, folder, VD_RUNNING_FILE);
  g_clear_object (&self->library);
  open_library (self);
}

static gboolean
is_library_free (gpointer path)
{
  return !vd_service_is_owned (path);
}

/* What never ends is left behind, with its lock, for as long as it lasts. */
static void
test_close_hangs (Fixture *self, gconstpointer data)
{
  g_autofree char *folder = folder_of (self, start_hanging (self));
  g_autofree char *running = g_build_filename (folder, VD_RUNNING_FILE, NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  self->library->close_timeout = 1;
  vd_library_close_async (self->library, on_closed, &result);
  app_test_wait_until (is_closed, &result);
  g_assert_false (vd_library_close_finish (self->library, result, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_FAILED);
  g_clear_object (&self->library);
  g_assert_cmpint (vd_lock_look (running, NULL), ==, VD_LOCK_HELD);
  fake_engine_let_go ();
  app_test_wait_until (is_running_file_gone, running);
  open_library (self);

  start_hanging (self);
  self->library->close_timeout = 1;
  vd_library_close (self->library);
  g_clear_object (&self->library);
  fake_engine_let_go ();
  app_test_wait_until (is_library_free, self->path);
  open_library (self);
}

/* The bus tells of a death before the kernel has dropped the lock. */
static void
test_holder_leaves_bus_first (Fixture *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Held", VD_ENGINE_LOCAL);
  g_autofree char *folder = folder_of (self, machine);
  g_autofree char *running = g_build_filename (folder, VD_RUNNING_FILE, NULL);
  g_autoptr (GError) error = NULL;
  VdLock *lock;

  close_library (self);
  lock = vd_lock_take (running, &error);
  g_assert_no_error (error);
  g_assert_true (vd_lock_write (lock, ":1.99", "local", &error));
  open_library (self);
  machine = vd_library_find (self->library, "Held");
  vd_own_machine_lose_holder (VD_OWN_MACHINE (machine), ":1.98");
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_ELSEWHERE);
  vd_own_machine_lose_holder (VD_OWN_MACHINE (machine), ":1.99");
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_ELSEWHERE);
  vd_lock_drop (lock);
  app_test_wait_for_state (machine, VD_MACHINE_CRASHED);
  app_test_succeeds (vd_machine_start (machine));
}

static void
test_explain (Fixture *self, gconstpointer data)
{
  g_autoptr (VdConfig) config = app_test_make_config ("x", VD_ENGINE_AUTO);
  g_autofree char *name = NULL, *reason = NULL, *slow = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (vd_library_explain (self->library, config, &name, &reason, &slow, &error));
  g_assert_cmpstr (name, ==, "Small");
  g_assert_nonnull (reason);
  g_assert_null (slow);
  g_clear_pointer (&name, g_free);
  g_clear_pointer (&reason, g_free);

  g_object_set (config, "network", TRUE, NULL);
  g_assert_true (vd_library_explain (self->library, config, &name, &reason, &slow, &error));
  g_assert_cmpstr (name, ==, "Big");
  g_assert_cmpstr (reason, ==, "Small cannot.");
  g_assert_cmpstr (slow, ==, "It walks.");
  g_clear_pointer (&name, g_free);
  g_clear_pointer (&reason, g_free);
  g_clear_pointer (&slow, g_free);

  g_object_set (config, "kernel", "/missing-engine", NULL);
  g_assert_false (vd_library_explain (self->library, config, &name, &reason, &slow, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_UNSUPPORTED);
  g_assert_cmpstr (error->message, ==, "Small cannot. Big cannot.");
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*func) (Fixture *self, gconstpointer data);
  } tests[] = {
    { "create", test_create },
    { "create-refused", test_create_refused },
    { "cancel", test_cancel },
    { "order", test_order },
    { "delete", test_delete },
    { "no-start-while-deleted", test_no_start_while_deleted },
    { "trash-is-emptied", test_trash_is_emptied },
    { "broken", test_broken },
    { "strange-folder", test_strange_folder },
    { "parts", test_parts },
    { "same-uuid", test_same_uuid },
    { "strange-library", test_strange_library },
    { "look-blind", test_look_blind },
    { "lookers", test_lookers },
    { "newer", test_newer },
    { "lock", test_lock },
    { "verbs", test_verbs },
    { "start-fails", test_start_fails },
    { "crash", test_crash },
    { "power-cut", test_power_cut },
    { "close", test_close },
    { "not-there-any-more", test_not_there_any_more },
    { "close-while-starting", test_close_while_starting },
    { "holder-leaves-bus-first", test_holder_leaves_bus_first },
    { "close-beside", test_close_beside },
    { "close-hangs", test_close_hangs },
    { "explain", test_explain },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++) {
    g_autofree char *path = g_strconcat ("/library/", tests[i].name, NULL);

    g_test_add (path, Fixture, NULL, set_up, tests[i].func, tear_down);
  }
  return g_test_run ();
}
