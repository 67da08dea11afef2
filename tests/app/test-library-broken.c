/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLibrary with fake engines: what is strange or broken on disk.
 */
#include "app-test.h"
#include "dbus/vd-variant.h"
#include "fake-engine.h"
#include "library/vd-config-file.h"
#include "library-test.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

static void
test_broken (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Good", VD_ENGINE_LOCAL);
  g_autofree char *uuid = g_strdup (vd_machine_get_uuid (machine));
  g_autofree char *folder = library_test_folder_of (self, machine);
  g_autofree char *text = NULL;

  library_test_close (self);
  app_test_write (folder, VD_CONFIG_FILE, "[machine\njunk");
  library_test_open (self);
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
test_strange_folder (LibraryTest *self, gconstpointer data)
{
  g_autofree char *folder = vd_library_get_folder (self->library, "stran\xffge");
  g_autoptr (GVariant) properties = NULL;
  g_autoptr (VdMachine) machine = NULL;

  library_test_close (self);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  library_test_open (self);
  g_assert_cmpuint (library_test_n_machines (self), ==, 1);
  machine = g_list_model_get_item (vd_library_get_machines (self->library), 0);
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_BROKEN);
  g_assert_true (g_utf8_validate (vd_machine_get_name (machine), -1, NULL));
  g_assert_true (g_utf8_validate (vd_machine_get_problem (machine), -1, NULL));
  properties = g_variant_ref_sink (vd_machine_to_variant (machine));
  app_test_succeeds (vd_library_delete (self->library, machine));
  g_assert_cmpuint (library_test_n_machines (self), ==, 0);
}

/* What a process that died while it wrote left goes; what is anybody's own stays. */
static void
test_parts (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Parts", VD_ENGINE_LOCAL);
  g_autofree char *folder = library_test_folder_of (self, machine);
  static const char *const rubbish[] = { ".part-A1b2C3", ".part-picture.A1b2C3" };
  static const char *const ours[] = { "machine.ini.backup", ".hidden" };

  for (guint i = 0; i < G_N_ELEMENTS (rubbish); i++)
    app_test_write (folder, rubbish[i], "");
  for (guint i = 0; i < G_N_ELEMENTS (ours); i++)
    app_test_write (folder, ours[i], "");
  library_test_close (self);
  library_test_open (self);
  library_test_close (self); /* waits for what tidies up, or cancels it */
  library_test_open (self);
  app_test_wait_until (library_test_has_no_jobs, self);
  for (guint i = 0; i < G_N_ELEMENTS (rubbish); i++)
    app_test_assert_file (FALSE, folder, rubbish[i]);
  for (guint i = 0; i < G_N_ELEMENTS (ours); i++)
    app_test_assert_file (TRUE, folder, ours[i]);
  app_test_assert_file (TRUE, folder, VD_CONFIG_FILE);
}

static void
test_same_uuid (LibraryTest *self, gconstpointer data)
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
  g_assert_cmpuint (library_test_n_machines (self), ==, 1);
}

static void
test_strange_library (LibraryTest *self, gconstpointer data)
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
test_look_blind (LibraryTest *self, gconstpointer data)
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
test_lookers (LibraryTest *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->path, "looked-at", NULL);
  g_autofd int fd = -1;

  app_test_write (self->path, "looked-at", "");
  fd = open (path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (flock (fd, LOCK_SH), ==, 0); /* as the other does */
  g_assert_cmpint (vd_lock_look (path, NULL), ==, VD_LOCK_LEFT);
}

static void
test_newer (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = app_test_create (self->library, "Later", VD_ENGINE_LOCAL);
  g_autofree char *folder = library_test_folder_of (self, machine);
  g_autofree char *old = app_test_read (folder, VD_CONFIG_FILE);
  g_auto (GStrv) parts = g_strsplit (old, "version=1", 2);
  g_autofree char *newer = g_strjoinv ("version=2", parts);
  g_autofree char *text = NULL;

  library_test_close (self);
  app_test_write (folder, VD_CONFIG_FILE, newer);
  library_test_open (self);
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
test_lock (LibraryTest *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *owner = NULL;

  g_assert_null (vd_library_open_with (self->path, fake_engine_list_new (), &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_OWNED);
  g_assert_true (vd_library_find_owner (self->path, &owner));
  vd_library_set_bus_name (self->library, ":1.7");
  g_assert_true (vd_library_find_owner (self->path, &owner));
  g_assert_cmpstr (owner, ==, ":1.7");
  library_test_close (self);
  g_clear_pointer (&owner, g_free);
  g_assert_false (vd_library_find_owner (self->path, &owner));
  library_test_open (self);
}

int
main (int argc, char **argv)
{
  static const LibraryTestCase cases[] = {
    { "broken", test_broken },
    { "strange-folder", test_strange_folder },
    { "parts", test_parts },
    { "same-uuid", test_same_uuid },
    { "strange-library", test_strange_library },
    { "look-blind", test_look_blind },
    { "lookers", test_lookers },
    { "newer", test_newer },
    { "lock", test_lock },
  };

  return library_test_run (argc, argv, cases, G_N_ELEMENTS (cases));
}
