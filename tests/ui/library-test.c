/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "library-test.h"

#include <string.h>

#include "ui-test.h"

#define KERNEL_SIZE 8192
#define SECTOR      2048
#define DISC_SIZE   (64 * SECTOR)
#define CATALOG     20 /* sector */

void
ui_library_open (UiLibrary *self)
{
  g_autoptr (GError) error = NULL;

  if (self->folder == NULL)
    self->folder = g_dir_make_tmp ("test-ui-XXXXXX", &error);
  g_assert_no_error (error);
  self->library = vd_library_open (self->folder, &error);
  g_assert_no_error (error);
}

void
ui_library_close (UiLibrary *self)
{
  vd_library_close (self->library);
  g_clear_object (&self->library);
}

void
ui_library_clear (UiLibrary *self)
{
  const char *words[] = { "rm", "-rf", self->folder, NULL };

  ui_library_close (self);
  g_spawn_sync (NULL, (char **) words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                NULL);
  g_clear_pointer (&self->folder, g_free);
}

void
ui_library_finish (VdJob *job)
{
  ui_test_until (vd_job_is_finished (job));
  if (vd_job_get_state (job) != VD_JOB_DONE)
    g_error ("%s: %s", vd_job_get_title (job), vd_job_get_error (job)->message);
  g_object_unref (job);
}

VdMachine *
ui_library_add_config (UiLibrary *self, VdConfig *config)
{
  ui_library_finish (vd_library_create (self->library, config));
  return vd_library_find (self->library, vd_config_get_uuid (config));
}

VdMachine *
ui_library_add (UiLibrary *self, const char *name)
{
  g_autoptr (VdConfig) config = vd_config_new ();

  vd_config_set_name (config, name);
  return ui_library_add_config (self, config);
}

static GFile *
make_file (UiLibrary *self, const char *name, const char *data, gsize length)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);

  g_assert_true (g_file_set_contents (path, data, length, NULL));
  return g_file_new_for_path (path);
}

/* The setup header's magic and boot protocol 2.15. */
GFile *
ui_library_make_kernel (UiLibrary *self)
{
  g_autofree char *data = g_malloc0 (KERNEL_SIZE);

  data[0x1f1] = 4;
  memcpy (data + 0x1fe, "\x55\xaa", 2);
  memcpy (data + 0x202, "HdrS\x0f\x02", 6);
  data[0x211] = 1;
  return make_file (self, "vmlinuz-test", data, KERNEL_SIZE);
}

/* ECMA-119's mark, and El Torito's record and catalog with an entry for a BIOS. */
GFile *
ui_library_make_disc (UiLibrary *self, const char *name)
{
  g_autofree char *data = g_malloc0 (DISC_SIZE);

  memcpy (data + 16 * SECTOR + 1, "CD001", 5);
  memcpy (data + 17 * SECTOR + 1, "CD001\1EL TORITO SPECIFICATION", 29);
  data[17 * SECTOR + 0x47] = CATALOG;
  data[CATALOG * SECTOR] = 1;
  data[CATALOG * SECTOR + 32] = (char) 0x88;
  return make_file (self, name, data, DISC_SIZE);
}

AdwApplication *
ui_application_new (void)
{
  AdwApplication *self =
    g_object_new (ADW_TYPE_APPLICATION, "application-id", APP_ID, "flags", G_APPLICATION_NON_UNIQUE,
                  "resource-base-path", "/com/example/VirtDesk", NULL);

  g_assert_true (g_application_register (G_APPLICATION (self), NULL, NULL));
  return self;
}
