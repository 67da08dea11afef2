/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What app's tests share.
 */
#include "app-test.h"
#include "library/vd-file.h"

char *
app_test_make_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("virtdesk-XXXXXX", &error);

  g_assert_no_error (error);
  return folder;
}

void
app_test_remove_folder (char *folder)
{
  g_autoptr (GError) error = NULL;

  vd_folder_remove (folder, &error);
  g_assert_no_error (error);
  g_free (folder);
}

void
app_test_wait_until (gboolean (*done) (gpointer data), gpointer data)
{
  while (!done (data))
    g_main_context_iteration (NULL, TRUE);
}

static gboolean
is_finished (gpointer job)
{
  return vd_job_is_finished (job);
}

void
app_test_succeeds (VdJob *job)
{
  app_test_wait_until (is_finished, job);
  g_assert_no_error (vd_job_get_error (job));
  g_assert_cmpint (vd_job_get_state (job), ==, VD_JOB_DONE);
  g_object_unref (job);
}

void
app_test_fails (VdJob *job, int code)
{
  app_test_wait_until (is_finished, job);
  g_assert_cmpint (vd_job_get_state (job), ==, VD_JOB_FAILED);
  g_assert_error (vd_job_get_error (job), VD_ERROR, code);
  /* A sentence. */
  g_assert_true (g_str_has_suffix (vd_job_get_error (job)->message, "."));
  g_object_unref (job);
}

typedef struct {
  VdMachine *machine;
  VdMachineState state;
} Wanted;

static gboolean
has_state (gpointer data)
{
  Wanted *wanted = data;

  return vd_machine_get_state (wanted->machine) == wanted->state;
}

void
app_test_wait_for_state (VdMachine *machine, VdMachineState state)
{
  Wanted wanted = { machine, state };

  app_test_wait_until (has_state, &wanted);
}

VdConfig *
app_test_make_config (const char *name, VdEngineKind kind)
{
  VdConfig *config = vd_config_new ();

  g_object_set (config, "name", name, "engine", kind, "boot", VD_BOOT_KERNEL, "kernel", "/kernel",
                "network", FALSE, NULL);
  return config;
}

VdMachine *
app_test_create (VdLibrary *library, const char *name, VdEngineKind kind)
{
  g_autoptr (VdConfig) config = app_test_make_config (name, kind);
  VdMachine *machine;

  app_test_succeeds (vd_library_create (library, config));
  machine = vd_library_find (library, vd_config_get_uuid (config));
  g_assert_nonnull (machine);
  return machine;
}

char *
app_test_read (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;
  char *text;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

void
app_test_write (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}
