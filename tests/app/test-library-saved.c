/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLibrary with fake engines: machines that are saved, go on, or start anew.
 */
#include "app-test.h"
#include "fake-engine.h"
#include "library-test.h"

#define SAVED "saved-local"

static VdMachine *
start (LibraryTest *self, const char *kernel)
{
  g_autoptr (VdConfig) config = app_test_make_config ("Saved", VD_ENGINE_LOCAL);
  VdMachine *machine;

  if (kernel != NULL)
    g_object_set (config, "kernel", kernel, NULL);
  app_test_succeeds (vd_library_create (self->library, config));
  machine = vd_library_find (self->library, "Saved");
  app_test_succeeds (vd_machine_start (machine));
  g_assert_true (vd_machine_can_save (machine));
  return machine;
}

static void
save (VdMachine *machine)
{
  app_test_succeeds (vd_machine_save (machine));
  app_test_wait_for_state (machine, VD_MACHINE_OFF);
  g_assert_true (vd_machine_get_saved (machine));
  g_assert_cmpstr (vd_machine_get_status (machine), ==, "Saved");
}

static VdMachine *
reopen (LibraryTest *self)
{
  library_test_close (self);
  library_test_open (self);
  return vd_library_find (self->library, "Saved");
}

static void
test_goes_on (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = start (self, NULL);
  g_autofree char *folder = library_test_folder_of (self, machine);

  app_test_fails (vd_machine_discard (machine), VD_ERROR_STATE);
  save (machine);
  app_test_assert_file (FALSE, folder, VD_RUNNING_FILE);
  app_test_fails (vd_machine_save (machine), VD_ERROR_STATE);
  machine = reopen (self);
  g_assert_true (vd_machine_get_saved (machine));
  app_test_succeeds (vd_machine_start (machine));
  g_assert_cmpuint (fake_engine_count ("continue"), ==, 1);
  g_assert_false (vd_machine_get_saved (machine));
  app_test_assert_file (FALSE, folder, SAVED);
  app_test_succeeds (vd_machine_force_off (machine));
  app_test_wait_for_state (machine, VD_MACHINE_OFF);
  app_test_succeeds (vd_machine_start (machine));
  g_assert_cmpuint (fake_engine_count ("continue"), ==, 1);
}

static void
test_discard (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = start (self, NULL);
  g_autofree char *folder = library_test_folder_of (self, machine);

  save (machine);
  app_test_succeeds (vd_machine_discard (machine));
  g_assert_false (vd_machine_get_saved (machine));
  g_assert_cmpstr (vd_machine_get_status (machine), ==, "Off");
  app_test_assert_file (FALSE, folder, SAVED);
  app_test_succeeds (vd_machine_start (machine));
  g_assert_cmpuint (fake_engine_count ("continue"), ==, 0);
}

/* It runs on, and nothing of it is left. */
static void
assert_not_saved (VdMachine *machine, const char *folder)
{
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_RUNNING);
  g_assert_false (vd_machine_get_saved (machine));
  app_test_assert_file (FALSE, folder, SAVED);
  app_test_assert_file (FALSE, folder, ".part-saved");
}

static void
test_no_room (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = start (self, "/full");
  g_autofree char *folder = library_test_folder_of (self, machine);

  app_test_fails (vd_machine_save (machine), VD_ERROR_FAILED);
  assert_not_saved (machine, folder);
}

static void
test_cancel (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = start (self, "/large");
  g_autofree char *folder = library_test_folder_of (self, machine);
  g_autoptr (VdJob) job = vd_machine_save (machine);

  while (vd_job_get_progress (job) < 0.5)
    g_main_context_iteration (NULL, TRUE);
  vd_job_cancel (job);
  while (!vd_job_is_finished (job))
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (vd_job_get_state (job), ==, VD_JOB_CANCELLED);
  assert_not_saved (machine, folder);
}

/* It goes on as what it was; what was changed since is for the next start. */
static void
test_changed_meanwhile (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = start (self, NULL);
  guint64 before = fake_engine_get_last_memory ();
  g_autoptr (VdConfig) config = vd_config_copy (vd_machine_get_config (machine));

  vd_config_set_memory (config, before * 2);
  app_test_succeeds (vd_library_configure (self->library, machine, config));
  save (machine);
  app_test_fails (vd_library_configure (self->library, machine, config), VD_ERROR_STATE);
  app_test_fails (vd_library_rename (self->library, machine, "Other"), VD_ERROR_STATE);
  app_test_succeeds (vd_machine_start (machine));
  g_assert_cmpuint (fake_engine_get_last_memory (), ==, before);
  app_test_succeeds (vd_machine_force_off (machine));
  app_test_wait_for_state (machine, VD_MACHINE_OFF);
  app_test_succeeds (vd_machine_start (machine));
  g_assert_cmpuint (fake_engine_get_last_memory (), ==, before * 2);
}

/* A guest went on from it, and the process died: nobody may go on from it again, because the disks
 * are newer. */
static void
test_never_twice (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = start (self, "/dies");
  g_autofree char *folder = library_test_folder_of (self, machine);

  save (machine);
  app_test_succeeds (vd_machine_start (machine));
  app_test_assert_file (TRUE, folder, ".part-taken");
  machine = reopen (self);
  g_assert_false (vd_machine_get_saved (machine));
  while (g_list_model_get_n_items (vd_library_get_jobs (self->library)) > 0)
    g_main_context_iteration (NULL, TRUE);
  app_test_assert_file (FALSE, folder, ".part-taken");
}

/* Whose engine cannot. */
static void
test_cannot (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Big", VD_ENGINE_LIBVIRT);

  app_test_succeeds (vd_machine_start (machine));
  g_assert_false (vd_machine_can_save (machine));
  app_test_fails (vd_machine_save (machine), VD_ERROR_UNSUPPORTED);
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_RUNNING);
}

int
main (int argc, char **argv)
{
  static const LibraryTestCase cases[] = {
    { "goes-on", test_goes_on },
    { "discard", test_discard },
    { "no-room", test_no_room },
    { "cancel", test_cancel },
    { "changed-meanwhile", test_changed_meanwhile },
    { "never-twice", test_never_twice },
    { "cannot", test_cannot },
  };

  return library_test_run (argc, argv, cases, G_N_ELEMENTS (cases));
}
