/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * readme-picture FILE.png DISC: the window over three machines of our own engine, for README: one
 * that runs, one that is paused, and one that was started from a disc and is off. Run in the box,
 * where there is KVM.
 */
#include <adwaita.h>

#include "library-test.h"
#include "ui-shot.h"
#include "ui-test.h"
#include "window/vd-window.h"

#define WIDTH  1200
#define HEIGHT 860

static VdMachine *
add_landscape (UiLibrary *library, const char *name)
{
  g_autoptr (VdConfig) config = vd_config_new_sample (NULL);
  g_autoptr (VdDiskConfig) drive = vd_disk_config_new (NULL, VD_DISK_RAW);

  g_object_set (drive, "cdrom", TRUE, "readonly", TRUE, NULL);
  vd_config_add_disk (config, drive);
  g_object_set (config, "name", name, "network", TRUE, "cpus", 2, "new-disk-size",
                (guint64) 20 << 30, NULL);
  return ui_library_add_config (library, config);
}

static VdMachine *
add_disc (UiLibrary *library, const char *name, const char *path)
{
  g_autoptr (VdConfig) config = vd_config_new ();
  g_autoptr (VdDiskConfig) disc = vd_disk_config_new (path, VD_DISK_RAW);

  g_object_set (disc, "cdrom", TRUE, "readonly", TRUE, NULL);
  vd_config_add_disk (config, disc);
  g_object_set (config, "name", name, "memory", (guint64) 512 << 20, NULL);
  return ui_library_add_config (library, config);
}

static void
start (VdMachine *machine)
{
  gint64 end = g_get_monotonic_time () + 300 * G_USEC_PER_SEC;

  ui_library_finish (vd_machine_start (machine));
  while (!ui_shot_shows_picture (machine) && g_get_monotonic_time () < end)
    ui_shot_settle (500);
  ui_shot_settle (20000); /* the shell greets below it */
}

static void
take (UiLibrary *library, AdwApplication *application, const char *path, const char *disc)
{
  VdMachine *off = add_disc (library, "Rescue Disc", disc);
  VdMachine *paused = add_landscape (library, "Build Server");
  VdMachine *running = add_landscape (library, "Evening");
  GtkWindow *window = GTK_WINDOW (vd_window_new (application, library->library));

  gtk_window_set_default_size (window, WIDTH, HEIGHT);
  gtk_window_present (window);
  ui_library_finish (vd_machine_start (off));
  ui_shot_settle (60000); /* the firmware, and GRUB */
  ui_library_finish (vd_machine_force_off (off));
  start (paused);
  ui_library_finish (vd_machine_pause (paused));
  start (running);
  vd_window_select (VD_WINDOW (window), running);
  ui_shot_settle (5000);
  ui_shot_save (window, path);
  ui_library_finish (vd_machine_force_off (running));
  ui_library_finish (vd_machine_force_off (paused));
  gtk_window_destroy (window);
}

int
main (int argc, char **argv)
{
  UiLibrary library = { 0 };
  AdwApplication *application;

  if (argc != 3) {
    g_printerr ("usage: readme-picture FILE.png DISC\n");
    return 2;
  }
  application = ui_application_new ();
  adw_style_manager_set_color_scheme (adw_style_manager_get_default (),
                                      ADW_COLOR_SCHEME_FORCE_LIGHT);
  ui_library_open (&library);
  take (&library, application, argv[1], argv[2]);
  ui_library_clear (&library);
  g_object_unref (application);
  return 0;
}
