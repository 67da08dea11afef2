/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLibrary with fake engines: discs change, now and for the next start.
 */
#include "app-test.h"
#include "fake-engine.h"
#include "library-test.h"

static VdMachine *
create (LibraryTest *self, const char *kernel)
{
  g_autoptr (VdConfig) config = app_test_make_config ("Drives", VD_ENGINE_LOCAL);
  static const char *const discs[] = { "/a.iso", "/b.iso" };

  g_object_set (config, "kernel", kernel, "new-disk-size", (guint64) 1 << 20, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (discs); i++) {
    g_autoptr (VdDiskConfig) disk = vd_disk_config_new (discs[i], VD_DISK_RAW);

    g_object_set (disk, "cdrom", TRUE, "readonly", TRUE, NULL);
    vd_config_add_disk (config, disk);
  }
  app_test_succeeds (vd_library_create (self->library, config));
  return vd_library_find (self->library, "Drives");
}

/* What is in drive @drive at the next start; "" for nothing. */
static char *
find_disc (VdMachine *machine, guint drive)
{
  g_autoptr (VdDiskConfig) disk =
    g_list_model_get_item (vd_config_get_disks (vd_machine_get_config (machine)), drive);
  const char *path = vd_disk_config_get_path (disk);

  g_assert_true (vd_disk_config_get_cdrom (disk));
  return g_strdup (path != NULL ? path : "");
}

#define assert_discs(machine, first, second)                                                       \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *a_ = find_disc (machine, 0);                                                  \
    g_autofree char *b_ = find_disc (machine, 1);                                                  \
                                                                                                   \
    g_assert_cmpstr (a_, ==, first);                                                               \
    g_assert_cmpstr (b_, ==, second);                                                              \
  }                                                                                                \
  G_STMT_END

static void
test_off (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = create (self, "/kernel");
  g_autofree char *folder = library_test_folder_of (self, machine);
  g_autofree char *text = NULL;

  app_test_succeeds (vd_library_set_disc (self->library, machine, 1, NULL, FALSE));
  assert_discs (machine, "/a.iso", "");
  app_test_succeeds (vd_library_set_disc (self->library, machine, 0, "/c.iso", FALSE));
  assert_discs (machine, "/c.iso", "");
  g_assert_cmpuint (fake_engine_count ("eject") + fake_engine_count ("insert"), ==, 0);
  text = app_test_read (folder, "machine.ini");
  g_assert_nonnull (strstr (text, "path=/c.iso"));
  g_assert_null (strstr (text, "/b.iso"));
  app_test_fails (vd_library_set_disc (self->library, machine, 2, NULL, FALSE), VD_ERROR_INVALID);
  app_test_fails (vd_library_set_disc (self->library, machine, 0, "relative", FALSE),
                  VD_ERROR_INVALID);
  app_test_fails (vd_machine_set_disc (machine, 0, NULL, FALSE), VD_ERROR_STATE);
  assert_discs (machine, "/c.iso", "");
}

static gboolean
is_written (gpointer machine)
{
  g_autofree char *disc = find_disc (machine, 0);

  return !g_str_equal (disc, "/a.iso");
}

static void
test_running (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = create (self, "/kernel");

  app_test_succeeds (vd_machine_start (machine));
  app_test_succeeds (vd_library_set_disc (self->library, machine, 0, NULL, FALSE));
  g_assert_cmpuint (fake_engine_count ("eject"), ==, 1);
  app_test_wait_until (is_written, machine);
  assert_discs (machine, "", "/b.iso");
}

/* What the guest keeps now is there at the next start, too. */
static void
test_locked (LibraryTest *self, gconstpointer data)
{
  VdMachine *machine = create (self, "/locks");

  app_test_succeeds (vd_machine_start (machine));
  app_test_fails (vd_library_set_disc (self->library, machine, 0, "/c.iso", FALSE),
                  VD_ERROR_DISC_LOCKED);
  /* That has failed, and nothing else is under way. */
  g_assert_cmpuint (g_list_model_get_n_items (vd_library_get_jobs (self->library)), ==, 1);
  assert_discs (machine, "/a.iso", "/b.iso");
  app_test_succeeds (vd_library_set_disc (self->library, machine, 0, "/c.iso", TRUE));
  app_test_wait_until (is_written, machine);
  assert_discs (machine, "/c.iso", "/b.iso");
}

int
main (int argc, char **argv)
{
  static const LibraryTestCase cases[] = {
    { "off", test_off },
    { "running", test_running },
    { "locked", test_locked },
  };

  return library_test_run (argc, argv, cases, G_N_ELEMENTS (cases));
}
