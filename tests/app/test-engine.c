/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The contract of engines, with a real guest: what every engine does with a machine
 * from start to off. The same program runs on QEMU through embedded libvirt (where
 * the other tests run, by emulation) and on vmm-core (in the box, where there is
 * KVM): $VD_TEST_ENGINE says which.
 */
#include "engine-test.h"
#include "library/vd-file.h"

#include <glib/gstdio.h>
#include <linux/input-event-codes.h>
#include <png.h>
#include <string.h>
#include <sys/mount.h>

#define DISK_SIZE (8 << 20)

static VdConfig *
make_config (const char *name)
{
  g_autofree char *kernel = g_build_filename (g_getenv ("VIRTDESK_KERNEL"), "vmlinuz", NULL);
  VdConfig *config = app_test_make_config (name, engine_test_kind);

  g_object_set (config, "kernel", kernel, "initrd", g_getenv ("VD_TEST_INITRD"), "append", "quiet",
                "memory", (guint64) 256 << 20, "cpus", 1, NULL);
  return config;
}

static void
force_off (VdMachine *machine)
{
  app_test_succeeds (vd_machine_force_off (machine));
  app_test_wait_for_state (machine, VD_MACHINE_OFF);
  engine_test_assert_nothing_left (machine);
}

/* The guest's driver has set its mode: what comes before is text, or nothing. */
static gboolean
shows_picture (gpointer machine)
{
  VdDisplay *display = vd_machine_get_display (machine);
  g_auto (VdFrame) frame = { 0 };

  g_assert_true (vd_machine_is_active (machine));
  return display != NULL && vd_display_peek_frame (display, &frame) && frame.width >= 1024;
}

static void
wait_for_picture (VdMachine *machine)
{
  engine_test_poll (shows_picture, machine);
}

/* On a US keyboard. */
static void
type (VdMachine *machine, const char *text)
{
  static const char *const rows[] = { "1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm" };
  static const guint first[] = { KEY_1, KEY_Q, KEY_A, KEY_Z };
  g_autoptr (VdDisplay) display = NULL;

  g_set_object (&display, vd_machine_get_display (machine));
  for (; *text != '\0' && vd_machine_is_active (machine); text++) {
    for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
      if (strchr (rows[i], *text) != NULL)
        engine_test_press (display, first[i] + (strchr (rows[i], *text) - rows[i]), FALSE);
    if (*text == ' ')
      engine_test_press (display, KEY_SPACE, FALSE);
    else if (*text == '/')
      engine_test_press (display, KEY_SLASH, FALSE);
    else if (*text == ';')
      engine_test_press (display, KEY_SEMICOLON, FALSE);
    else if (*text == '>')
      engine_test_press (display, KEY_DOT, TRUE);
    else if (*text == '\n')
      engine_test_press (display, KEY_ENTER, FALSE);
  }
}

static void
assert_png (const char *path, guint width, guint height)
{
  png_image image = { .version = PNG_IMAGE_VERSION };

  g_assert_true (png_image_begin_read_from_file (&image, path));
  g_assert_cmpuint (image.width, ==, width);
  g_assert_cmpuint (image.height, ==, height);
  png_image_free (&image);
}

static void
save_screenshot (VdMachine *machine)
{
  g_autofree char *path = g_build_filename (engine_test_folder, "shot.png", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_auto (VdFrame) frame = { 0 };

  g_assert_true (vd_display_peek_frame (vd_machine_get_display (machine), &frame));
  app_test_succeeds (vd_machine_save_screenshot (machine, file));
  assert_png (path, frame.width, frame.height);
}

static void
on_changed (VdDisplay *display, guint *n)
{
  (*n)++;
}

/* A new viewer gets the whole picture, and is called once until it takes. */
static void
view (VdMachine *machine)
{
  VdDisplay *display = vd_machine_get_display (machine);
  g_auto (VdFrame) frame = { 0 };
  guint n = 0;

  g_signal_connect (display, "changed", G_CALLBACK (on_changed), &n);
  vd_display_set_viewed (display, TRUE);
  while (n == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (vd_display_take_frame (display, &frame));
  g_assert_cmpint (frame.damage.width, ==, frame.width);
  g_assert_cmpint (frame.damage.height, ==, frame.height);
  g_assert_cmpuint (g_bytes_get_size (frame.pixels), >=,
                    frame.offset + (gsize) frame.stride * (frame.height - 1) + frame.width * 4);
  vd_display_move (display, 0.5, 0.5);
  vd_display_button (display, BTN_LEFT, TRUE);
  vd_display_wheel (display, 1, 0);
  vd_display_key (display, KEY_LEFTCTRL, TRUE);
  vd_display_release_all (display);
  vd_display_request_size (display, 1280, 800);
  vd_display_set_viewed (display, FALSE);
  g_signal_handlers_disconnect_by_func (display, on_changed, &n);
}

/* The whole way: keys reach a shell, whose command reaches the disk, whose bytes are ours again. */
static void
test_life (void)
{
  g_autoptr (VdConfig) config = make_config ("Life");
  g_autofree char *secret = g_strdup_printf ("%u%u", g_random_int (), g_random_int ());
  g_autofree char *command = g_strdup_printf ("\necho %s >/dev/vda;sync;poweroff\n", secret);
  g_autofree char *machine_folder =
    vd_library_get_folder (engine_test_library, vd_config_get_uuid (config));
  g_autofree char *shot = g_build_filename (machine_folder, VD_SCREENSHOT_FILE, NULL);
  g_autofree char *disk = NULL;
  VdMachine *machine;

  g_object_set (config, "new-disk-size", (guint64) DISK_SIZE, NULL);
  machine = engine_test_create (config);
  app_test_succeeds (vd_machine_start (machine));
  app_test_wait_for_state (machine, VD_MACHINE_RUNNING);
  app_test_assert_file (TRUE, machine_folder, VD_RUNNING_FILE);
  wait_for_picture (machine);
  save_screenshot (machine);
  view (machine);
  app_test_succeeds (vd_machine_pause (machine));
  app_test_wait_for_state (machine, VD_MACHINE_PAUSED);
  app_test_succeeds (vd_machine_resume (machine));
  app_test_wait_for_state (machine, VD_MACHINE_RUNNING);
  do
    type (machine, command);
  while (!engine_test_wait_for (machine, VD_MACHINE_OFF));
  engine_test_assert_nothing_left (machine);

  disk = app_test_read (machine_folder, "disk.raw");
  g_assert_true (g_str_has_prefix (disk, secret));
  while (!g_file_test (shot, G_FILE_TEST_EXISTS))
    g_main_context_iteration (NULL, TRUE);
  app_test_succeeds (vd_library_delete (engine_test_library, machine));
}

static void
test_power_button (void)
{
  g_autoptr (VdConfig) config = make_config ("Button");
  VdMachine *machine = engine_test_create (config);

  app_test_succeeds (vd_machine_start (machine));
  wait_for_picture (machine);
  app_test_succeeds (vd_machine_reset (machine));
  app_test_wait_for_state (machine, VD_MACHINE_RUNNING);
  do
    app_test_succeeds (vd_machine_power_off (machine));
  while (!engine_test_wait_for (machine, VD_MACHINE_OFF));
  engine_test_assert_nothing_left (machine);
  app_test_succeeds (vd_library_delete (engine_test_library, machine));
}

/* Off is off: the same disk can be started from at once. */
static void
test_force_off (void)
{
  g_autoptr (VdConfig) config = make_config ("Force");
  VdMachine *machine;

  g_object_set (config, "new-disk-size", (guint64) DISK_SIZE, NULL);
  machine = engine_test_create (config);
  for (guint i = 0; i < 3; i++) {
    app_test_succeeds (vd_machine_start (machine));
    force_off (machine);
  }
  app_test_succeeds (vd_machine_start (machine));
  app_test_succeeds (vd_machine_pause (machine));
  app_test_wait_for_state (machine, VD_MACHINE_PAUSED);
  force_off (machine);
  app_test_succeeds (vd_library_delete (engine_test_library, machine));
}

static void
test_disk_in_use (void)
{
  g_autofree char *path = g_build_filename (engine_test_folder, "shared.raw", NULL);
  g_autoptr (VdDiskConfig) disk = vd_disk_config_new (path, VD_DISK_RAW);
  g_autoptr (VdConfig) first_config = make_config ("First");
  g_autoptr (VdConfig) second_config = make_config ("Second");
  g_autofree char *zeros = g_malloc0 (DISK_SIZE);
  VdMachine *first, *second;

  g_assert_true (g_file_set_contents (path, zeros, DISK_SIZE, NULL));
  vd_config_add_disk (first_config, disk);
  vd_config_add_disk (second_config, disk);
  first = engine_test_create (first_config);
  second = engine_test_create (second_config);
  app_test_succeeds (vd_machine_start (first));
  app_test_fails (vd_machine_start (second), VD_ERROR_DISK_BUSY);
  engine_test_assert_nothing_left (second);
  g_assert_cmpint (vd_machine_get_state (first), ==, VD_MACHINE_RUNNING);
  force_off (first);
  app_test_succeeds (vd_machine_start (second));
  force_off (second);
}

static void
fails_with (const char *property, const char *value, int code)
{
  g_autoptr (VdConfig) config = make_config ("Bad");
  VdMachine *machine;

  g_object_set (config, property, value, NULL);
  machine = engine_test_create (config);
  app_test_fails (vd_machine_start (machine), code);
  engine_test_assert_nothing_left (machine);
  app_test_succeeds (vd_library_delete (engine_test_library, machine));
}

static void
disk_fails_with (const char *name, VdDiskFormat format, int code)
{
  g_autoptr (VdConfig) config = make_config ("Bad disk");
  g_autoptr (VdDiskConfig) disk = vd_disk_config_new (name, format);
  VdMachine *machine;

  vd_config_add_disk (config, disk);
  machine = engine_test_create (config);
  app_test_fails (vd_machine_start (machine), code);
  engine_test_assert_nothing_left (machine);
  app_test_succeeds (vd_library_delete (engine_test_library, machine));
}

/* The header of an empty qcow2 image, which says that its data is in another file. */
static void
write_qcow2 (const char *name)
{
  guint8 header[4096] = { 'Q', 'F', 'I', 0xfb, 0, 0, 0, 3 };

  header[79] = 4;
  g_assert_true (g_file_set_contents (name, (const char *) header, sizeof header, NULL));
}

static void
test_refused (void)
{
  g_autofree char *junk = g_build_filename (engine_test_folder, "junk", NULL);
  g_autofree char *split = g_build_filename (engine_test_folder, "split.qcow2", NULL);
  g_autofree char *text = g_strnfill (20000, 'x');

  app_test_write (engine_test_folder, "junk", text);
  fails_with ("kernel", "/nowhere/kernel", VD_ERROR_KERNEL);
  fails_with ("kernel", junk, VD_ERROR_KERNEL);
  fails_with ("initrd", "/nowhere/initrd", VD_ERROR_KERNEL);
  disk_fails_with ("/nowhere/disk.raw", VD_DISK_RAW, VD_ERROR_DISK);
  disk_fails_with (engine_test_folder, VD_DISK_RAW, VD_ERROR_DISK);
  write_qcow2 (split);
  disk_fails_with (split, VD_DISK_QCOW2, VD_ERROR_DISK);
  disk_fails_with (junk, VD_DISK_QCOW2, VD_ERROR_DISK);
}

static gboolean
has_problem (gpointer machine)
{
  return vd_machine_get_problem (machine) != NULL;
}

static void
mount_small (const char *path, gulong flags, const char *size)
{
  g_assert_cmpint (mount ("none", path, "tmpfs", flags, size), ==, 0);
}

/* No room for what the guest writes: the machine waits, says what for, and goes on when it is
 * there. In the box, where a file system can be made. */
static void
test_full_file_system (void)
{
  g_autofree char *small = g_build_filename (engine_test_folder, "small", NULL);
  g_autofree char *path = g_build_filename (small, "disk.raw", NULL);
  g_autoptr (VdDiskConfig) disk = vd_disk_config_new (path, VD_DISK_RAW);
  g_autoptr (VdConfig) config = make_config ("Full");
  g_autoptr (GError) error = NULL;
  VdMachine *machine;

  g_assert_cmpint (g_mkdir (small, 0700), ==, 0);
  mount_small (small, 0, "size=4m");
  g_assert_true (vd_file_make_sparse (path, 2 * DISK_SIZE, &error));
  vd_config_add_disk (config, disk);
  machine = engine_test_create (config);
  app_test_succeeds (vd_machine_start (machine));
  wait_for_picture (machine);
  do
    type (machine, "\ncat /dev/urandom >/dev/vda\n");
  while (!engine_test_wait_for (machine, VD_MACHINE_PAUSED));
  engine_test_poll (has_problem, machine);
  g_assert_nonnull (strstr (vd_machine_get_problem (machine), path));
  mount_small (small, MS_REMOUNT, "size=32m");
  app_test_succeeds (vd_machine_resume (machine));
  app_test_wait_for_state (machine, VD_MACHINE_RUNNING);
  g_assert_null (vd_machine_get_problem (machine));
  do
    type (machine, "\npoweroff\n");
  while (!engine_test_wait_for (machine, VD_MACHINE_OFF));
  app_test_succeeds (vd_library_delete (engine_test_library, machine));
  g_assert_cmpint (umount (small), ==, 0);
}

/* A machine on QEMU goes on without us and is found again; one of ours ends, as it must. */
static void
test_close (void)
{
  g_autoptr (VdConfig) config = make_config ("Close");
  VdMachine *machine = engine_test_create (config);

  app_test_succeeds (vd_machine_start (machine));
  wait_for_picture (machine);
  engine_test_close_library ();
  engine_test_open_library ();
  machine = vd_library_find (engine_test_library, vd_config_get_uuid (config));
  g_assert_null (vd_library_get_notice (engine_test_library));
  if (engine_test_kind == VD_ENGINE_LIBVIRT) {
    app_test_wait_for_state (machine, VD_MACHINE_RUNNING);
    wait_for_picture (machine);
    do
      type (machine, "\npoweroff\n");
    while (!engine_test_wait_for (machine, VD_MACHINE_OFF));
  }
  engine_test_assert_nothing_left (machine);
}

/* What it had in its memory only is there when it goes on, though the program has gone and come. */
static void
test_save (void)
{
  g_autoptr (VdConfig) config = make_config ("Saved");
  g_autofree char *uuid = NULL;
  VdMachine *machine = engine_test_create (config);

  uuid = g_strdup (vd_machine_get_uuid (machine));
  app_test_succeeds (vd_machine_start (machine));
  wait_for_picture (machine);
  type (machine, "\necho poweroff >/tmp/x\n");
  for (guint i = 0; i < 2; i++) {
    app_test_succeeds (vd_machine_save (machine));
    app_test_wait_for_state (machine, VD_MACHINE_OFF);
    g_assert_true (vd_machine_get_saved (machine));
    engine_test_close_library ();
    engine_test_open_library ();
    machine = vd_library_find (engine_test_library, uuid);
    g_assert_true (vd_machine_get_saved (machine));
    app_test_succeeds (vd_machine_start (machine));
    app_test_wait_for_state (machine, VD_MACHINE_RUNNING);
    g_assert_false (vd_machine_get_saved (machine));
  }
  do
    type (machine, "\nsh /tmp/x\n");
  while (!engine_test_wait_for (machine, VD_MACHINE_OFF));
  engine_test_assert_nothing_left (machine);
  app_test_succeeds (vd_library_delete (engine_test_library, machine));
}

int
main (int argc, char **argv)
{
  engine_test_init (&argc, &argv);
  g_test_add_func ("/engine/refused", test_refused);
  g_test_add_func ("/engine/force-off", test_force_off);
  g_test_add_func ("/engine/disk-in-use", test_disk_in_use);
  g_test_add_func ("/engine/life", test_life);
  if (engine_test_kind == VD_ENGINE_LOCAL)
    g_test_add_func ("/engine/full-file-system", test_full_file_system);
  if (engine_test_kind == VD_ENGINE_LOCAL)
    g_test_add_func ("/engine/save", test_save);
  g_test_add_func ("/engine/power-button", test_power_button);
  g_test_add_func ("/engine/close", test_close);
  return engine_test_run ();
}
