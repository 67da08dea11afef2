/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLibrary with fake engines: machines that run, crash, are lost and closed.
 */
#include "app-test.h"
#include "fake-engine.h"
#include "library-test.h"
#include "vd-service.h"

#include <string.h>
#include <unistd.h>

static void
test_verbs (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Runs", VD_ENGINE_LOCAL);
  g_autofree char *folder = library_test_folder_of (self, machine);

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
test_start_fails (LibraryTest *self, gconstpointer data)
{
  g_autoptr (VdConfig) config = app_test_make_config ("Fails", VD_ENGINE_LOCAL);
  g_autofree char *folder = NULL;
  VdMachine *machine;

  g_object_set (config, "kernel", "/refused", NULL);
  app_test_succeeds (vd_library_create (self->library, config));
  machine = vd_library_find (self->library, "Fails");
  folder = library_test_folder_of (self, machine);
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
test_crash (LibraryTest *self, gconstpointer data)
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
leave_behind (LibraryTest *self, VdMachine *machine, const char *engine)
{
  g_autofree char *folder = library_test_folder_of (self, machine);
  g_autofree char *text = g_strdup_printf ("[holder]\npid=1\nengine=%s\n", engine);

  library_test_close (self);
  app_test_write (folder, VD_RUNNING_FILE, text);
}

static void
test_power_cut (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Lost", VD_ENGINE_LOCAL);
  g_autofree char *folder = library_test_folder_of (self, machine);

  leave_behind (self, machine, "local");
  library_test_open (self);
  machine = vd_library_find (self->library, "Lost");
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_CRASHED);
  g_assert_nonnull (vd_machine_get_problem (machine));
  g_assert_nonnull (strstr (vd_library_get_notice (self->library), "Lost"));
  app_test_assert_file (FALSE, folder, VD_RUNNING_FILE);
  app_test_succeeds (vd_machine_start (machine));
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_RUNNING);

  /* It is said once. */
  library_test_close (self);
  library_test_open (self);
  g_assert_null (vd_library_get_notice (self->library));
  g_assert_cmpint (vd_machine_get_state (vd_library_find (self->library, "Lost")), ==,
                   VD_MACHINE_OFF);
}

static void
test_close (LibraryTest *self, gconstpointer data)
{
  VdMachine *local = app_test_create (self->library, "Local", VD_ENGINE_LOCAL);
  VdMachine *other = app_test_create (self->library, "Other", VD_ENGINE_LIBVIRT);
  g_autofree char *local_folder = library_test_folder_of (self, local);
  g_autofree char *other_folder = library_test_folder_of (self, other);

  app_test_succeeds (vd_machine_start (local));
  app_test_succeeds (vd_machine_start (other));
  library_test_close (self);
  g_assert_cmpuint (fake_engine_count ("close"), ==, 2);
  app_test_assert_file (FALSE, local_folder, VD_RUNNING_FILE);
  app_test_assert_file (TRUE, other_folder, VD_RUNNING_FILE);

  /* What went on without us is found again. */
  library_test_open (self);
  other = vd_library_find (self->library, "Other");
  app_test_wait_for_state (other, VD_MACHINE_RUNNING);
  g_assert_cmpuint (fake_engine_count ("adopt"), ==, 1);
  g_assert_null (vd_library_get_notice (self->library));
  app_test_succeeds (vd_machine_force_off (other));
  app_test_wait_for_state (other, VD_MACHINE_OFF);
}

static void
test_not_there_any_more (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Ended", VD_ENGINE_LIBVIRT);

  leave_behind (self, machine, "libvirt");
  library_test_open (self);
  machine = vd_library_find (self->library, "Ended");
  app_test_wait_for_state (machine, VD_MACHINE_CRASHED);
  g_assert_nonnull (vd_machine_get_problem (machine));
  app_test_succeeds (vd_machine_start (machine));
}

static void
test_close_while_starting (LibraryTest *self, gconstpointer data)
{
  VdMachine *local = app_test_create (self->library, "Local", VD_ENGINE_LOCAL);
  VdMachine *other = app_test_create (self->library, "Other", VD_ENGINE_LIBVIRT);
  g_autofree char *folder = library_test_folder_of (self, local);
  g_autoptr (VdJob) first = vd_machine_start (local);
  g_autoptr (VdJob) second = vd_machine_start (other);

  g_clear_object (&first);
  g_clear_object (&second);
  library_test_close (self);
  app_test_assert_file (FALSE, folder, VD_RUNNING_FILE);
  library_test_open (self);
  g_assert_cmpint (vd_machine_get_state (vd_library_find (self->library, "Local")), ==,
                   VD_MACHINE_OFF);
}

static VdMachine *
start_hanging (LibraryTest *self)
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
test_close_beside (LibraryTest *self, gconstpointer data)
{
  g_autofree char *folder = library_test_folder_of (self, start_hanging (self));
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
  library_test_open (self);
}

static gboolean
is_library_free (gpointer path)
{
  return !vd_service_is_owned (path);
}

/* What never ends is left behind, with its lock, for as long as it lasts. */
static void
test_close_hangs (LibraryTest *self, gconstpointer data)
{
  g_autofree char *folder = library_test_folder_of (self, start_hanging (self));
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
  library_test_open (self);

  start_hanging (self);
  self->library->close_timeout = 1;
  vd_library_close (self->library);
  g_clear_object (&self->library);
  fake_engine_let_go ();
  app_test_wait_until (is_library_free, self->path);
  library_test_open (self);
}

/* The bus tells of a death before the kernel has dropped the lock. */
static void
test_holder_leaves_bus_first (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Held", VD_ENGINE_LOCAL);
  g_autofree char *folder = library_test_folder_of (self, machine);
  g_autofree char *running = g_build_filename (folder, VD_RUNNING_FILE, NULL);
  g_autoptr (GError) error = NULL;
  VdLock *lock;

  library_test_close (self);
  lock = vd_lock_take (running, &error);
  g_assert_no_error (error);
  g_assert_true (vd_lock_write (lock, ":1.99", "local", &error));
  library_test_open (self);
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
test_explain (LibraryTest *self, gconstpointer data)
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
  static const LibraryTestCase cases[] = {
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

  return library_test_run (argc, argv, cases, G_N_ELEMENTS (cases));
}
