/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The contract of engines, continued: machines that firmware starts, from a disc and from a disk.
 * Both have GRUB, whose menu waits for a key, and a system that turns the machine off ($VD_TEST_CD;
 * tests/box/guest-cd.sh).
 */
#include "engine-test.h"
#include "library-test.h"

#include <linux/input-event-codes.h>
#include <string.h>

static VdMachine *
create (VdBoot boot, const char *path, VdDiskFormat format, gboolean cdrom)
{
  g_autoptr (VdConfig) config = vd_config_new ();
  g_autoptr (VdDiskConfig) disk = vd_disk_config_new (path, format);

  g_object_set (disk, "cdrom", cdrom, "readonly", cdrom, NULL);
  g_object_set (config, "name", "Starts by itself", "engine", engine_test_kind, "boot", boot,
                "memory", (guint64) 512 << 20, "cpus", 1, NULL);
  vd_config_add_disk (config, disk);
  return engine_test_create (config);
}

/* Firmware has drawn something. */
static gboolean
shows_text (gpointer machine)
{
  VdDisplay *display = vd_machine_get_display (machine);
  g_auto (VdFrame) frame = { .dmabuf = -1 };
  const guint8 *pixels;

  g_assert_true (vd_machine_is_active (machine));
  if (display == NULL || !vd_display_peek_frame (display, &frame) || frame.pixels == NULL)
    return FALSE;
  pixels = (const guint8 *) g_bytes_get_data (frame.pixels, NULL) + frame.offset;
  for (guint x = 0; x < frame.width * frame.height; x++) {
    const guint8 *pixel = pixels + (gsize) (x / frame.width) * frame.stride + 4 * (x % frame.width);

    if (memcmp (pixel, pixels, 3) != 0)
      return TRUE;
  }
  return FALSE;
}

/* GRUB takes the first entry of its menu; a key that comes before it is there does nothing. */
static void
choose_until_off (VdMachine *machine)
{
  do {
    g_autoptr (VdDisplay) display = NULL;

    g_set_object (&display, vd_machine_get_display (machine));
    if (display != NULL)
      engine_test_press (display, KEY_ENTER, FALSE);
  } while (!engine_test_wait_for (machine, VD_MACHINE_OFF));
  engine_test_assert_nothing_left (machine);
}

/* Nothing is in the drive; a disc is put in while the firmware complains, and starts the machine.
 */
static void
test_disc (void)
{
  const char *cd = g_getenv ("VD_TEST_CD");
  VdMachine *machine = create (VD_BOOT_BIOS, NULL, VD_DISK_RAW, TRUE);

  app_test_succeeds (vd_machine_start (machine));
  engine_test_poll (shows_text, machine);
  app_test_succeeds (vd_library_set_disc (engine_test_library, machine, 0, cd, FALSE));
  app_test_succeeds (vd_machine_pause (machine));
  app_test_wait_for_state (machine, VD_MACHINE_PAUSED);
  app_test_succeeds (vd_library_set_disc (engine_test_library, machine, 0, NULL, FALSE));
  app_test_succeeds (vd_library_set_disc (engine_test_library, machine, 0, cd, FALSE));
  app_test_fails (vd_library_set_disc (engine_test_library, machine, 0, "/nowhere.iso", FALSE),
                  VD_ERROR_DISK);
  app_test_succeeds (vd_machine_resume (machine));
  app_test_succeeds (vd_machine_reset (machine));
  choose_until_off (machine);

  /* And it is there at the next start. */
  app_test_succeeds (vd_machine_start (machine));
  choose_until_off (machine);
  app_test_succeeds (vd_library_delete (engine_test_library, machine));
}

static void
convert (const char *disk)
{
  const char *words[] = {
    "qemu-img", "convert", "-f", "raw", "-O", "qcow2", g_getenv ("VD_TEST_CD"), disk, NULL
  };
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (NULL, (char **) words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status,
                &error);
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, NULL));
}

/* UEFI keeps what it knows in the machine's folder, where nobody else can read it. */
static void
test_disk (void)
{
  static const char order[] = { 'B', 0, 'o', 0, 'o', 0, 't', 0, 'O', 0, 'r', 0, 'd', 0, 'e', 0 };
  g_autofree char *disk = g_build_filename (engine_test_folder, "disk.qcow2", NULL);
  g_autofree char *folder = NULL, *path = NULL, *variables = NULL;
  VdMachine *machine;
  gsize length;

  convert (disk);
  machine = create (VD_BOOT_UEFI, disk, VD_DISK_QCOW2, FALSE);
  folder = vd_library_get_folder (engine_test_library, vd_machine_get_uuid (machine));
  path = g_build_filename (folder, VD_NVRAM_FILE, NULL);
  app_test_succeeds (vd_machine_start (machine));
  choose_until_off (machine);
  g_assert_cmpuint (library_test_mode_of (folder, VD_NVRAM_FILE), ==, 0600);
  g_assert_true (g_file_get_contents (path, &variables, &length, NULL));
  g_assert_nonnull (memmem (variables, length, order, sizeof order));
  app_test_succeeds (vd_library_delete (engine_test_library, machine));
}

int
main (int argc, char **argv)
{
  engine_test_init (&argc, &argv);
  g_test_add_func ("/engine/disc", test_disc);
  g_test_add_func ("/engine/disk", test_disk);
  return engine_test_run ();
}
