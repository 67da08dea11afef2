/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "library-test.h"

#include "app-test.h"
#include "fake-engine.h"

#include <sys/stat.h>

void
library_test_open (LibraryTest *self)
{
  g_autoptr (GError) error = NULL;

  self->library = vd_library_open_with (self->path, fake_engine_list_new (), &error);
  g_assert_no_error (error);
}

void
library_test_close (LibraryTest *self)
{
  vd_library_close (self->library);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_finalize_object (g_steal_pointer (&self->library));
}

static void
set_up (LibraryTest *self, gconstpointer data)
{
  g_autofree char *folder = app_test_make_folder ();

  fake_engine_reset_counts ();
  self->path = g_build_filename (folder, "library", NULL);
  library_test_open (self);
}

static void
tear_down (LibraryTest *self, gconstpointer data)
{
  library_test_close (self);
  app_test_remove_folder (g_path_get_dirname (self->path));
  g_free (self->path);
}

gboolean
library_test_has_no_jobs (gpointer data)
{
  LibraryTest *self = data;

  return g_list_model_get_n_items (vd_library_get_jobs (self->library)) == 0;
}

guint
library_test_n_machines (LibraryTest *self)
{
  return g_list_model_get_n_items (vd_library_get_machines (self->library));
}

guint
library_test_mode_of (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  struct stat info;

  g_assert_cmpint (stat (path, &info), ==, 0);
  return info.st_mode & 0777;
}

char *
library_test_folder_of (LibraryTest *self, VdMachine *machine)
{
  return vd_library_get_folder (self->library, vd_machine_get_uuid (machine));
}

int
library_test_run (int argc, char **argv, const LibraryTestCase *cases, guint n_cases)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < n_cases; i++) {
    g_autofree char *path = g_strconcat ("/library/", cases[i].name, NULL);

    g_test_add (path, LibraryTest, NULL, set_up, cases[i].func, tear_down);
  }
  return g_test_run ();
}
