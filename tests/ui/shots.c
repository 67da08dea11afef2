/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * shots FOLDER: draws every screen of the program over a real library, with the sample machine
 * really running, light and dark, wide and narrow, into PNG files to be looked at.
 */
#include "console/vd-console-window.h"
#include "library-test.h"
#include "preferences/vd-preferences.h"
#include "ui-shot.h"
#include "ui-test.h"
#include "vd-shortcuts.h"
#include "window/vd-window.h"
#include "wizard/vd-new-machine.h"

/* A phone's 360 pixels, and the frame that GTK draws where there is no compositor. */
#define NARROW 370

typedef struct {
  AdwApplication *application;
  const char *folder;
  UiLibrary of;
  GtkWindow *window;
} Shots;

static const struct {
  const char *name;
  AdwColorScheme scheme;
  int width, height;
} looks[] = {
  { "light-wide", ADW_COLOR_SCHEME_FORCE_LIGHT, 1100, 720 },
  { "dark-wide", ADW_COLOR_SCHEME_FORCE_DARK, 1100, 720 },
  { "light-narrow", ADW_COLOR_SCHEME_FORCE_LIGHT, NARROW, 640 },
  { "dark-narrow", ADW_COLOR_SCHEME_FORCE_DARK, NARROW, 640 },
};

static void
shoot (Shots *shots, GtkWindow *window, const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (looks); i++) {
    g_autofree char *file = g_strdup_printf ("%s/%s-%s.png", shots->folder, name, looks[i].name);

    adw_style_manager_set_color_scheme (adw_style_manager_get_default (), looks[i].scheme);
    gtk_window_set_default_size (window, looks[i].width, looks[i].height);
    ui_shot_settle (900);
    ui_shot_save (window, file);
  }
  gtk_window_set_default_size (window, looks[0].width, looks[0].height);
  ui_shot_settle (300);
}

static void
close_dialog (Shots *shots, GtkWindow *window)
{
  AdwDialog *dialog = adw_application_window_get_visible_dialog (ADW_APPLICATION_WINDOW (window));

  if (dialog != NULL)
    adw_dialog_force_close (dialog);
  ui_shot_settle (400);
}

static void
shoot_dialog (Shots *shots, AdwDialog *dialog, const char *name)
{
  adw_dialog_present (dialog, GTK_WIDGET (shots->window));
  ui_shot_settle (300);
  shoot (shots, shots->window, name);
  close_dialog (shots, shots->window);
}

static VdMachine *
make_machine (Shots *shots, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VdConfig) config = vd_config_new_sample (&error);

  g_assert_no_error (error);
  if (name != NULL)
    vd_config_set_name (config, name);
  return ui_library_add_config (&shots->of, config);
}

/* A machine whose file cannot be read, next to good ones. */
static void
break_machine (Shots *shots, VdMachine *machine)
{
  g_autofree char *path = g_build_filename (vd_library_get_path (shots->of.library), "machines",
                                            vd_machine_get_uuid (machine), "machine.ini", NULL);

  g_assert_true (g_file_set_contents (path, "[machine\nnonsense", -1, NULL));
}

static void
shoot_disc (Shots *shots)
{
  VdNewMachine *wizard = vd_new_machine_new (shots->of.library);
  g_autoptr (GFile) disc = ui_library_make_disc (&shots->of, "debian-13.1.0-amd64-netinst.iso");

  adw_dialog_present (ADW_DIALOG (wizard), GTK_WIDGET (shots->window));
  ui_shot_settle (400);
  vd_new_machine_set_file (wizard, disc);
  ui_shot_settle (800);
  shoot (shots, shots->window, "new-disc");
  adw_expander_row_set_expanded (ui_test_find (GTK_WIDGET (wizard), ADW_TYPE_EXPANDER_ROW, NULL),
                                 TRUE);
  ui_shot_settle (300);
  shoot (shots, shots->window, "new-disc-more");
  close_dialog (shots, shots->window);
}

static void
shoot_wizard (Shots *shots)
{
  VdNewMachine *wizard = vd_new_machine_new (shots->of.library);

  adw_dialog_present (ADW_DIALOG (wizard), GTK_WIDGET (shots->window));
  ui_shot_settle (400);
  shoot (shots, shots->window, "new-source");
  vd_new_machine_set_sample (wizard);
  ui_shot_settle (600);
  shoot (shots, shots->window, "new-review");
  adw_expander_row_set_expanded (ui_test_find (GTK_WIDGET (wizard), ADW_TYPE_EXPANDER_ROW, NULL),
                                 TRUE);
  gtk_editable_set_text (ui_test_find (GTK_WIDGET (wizard), ADW_TYPE_ENTRY_ROW, "_Name"), "");
  ui_shot_settle (300);
  shoot (shots, shots->window, "new-bad-name");
  close_dialog (shots, shots->window);
}

static void
shoot_running (Shots *shots, VdMachine *machine)
{
  GtkWindow *console;
  gint64 end = g_get_monotonic_time () + 600 * G_USEC_PER_SEC;

  ui_library_finish (vd_machine_start (machine));
  while (!ui_shot_shows_picture (machine) && g_get_monotonic_time () < end)
    ui_shot_settle (500);
  ui_shot_settle (5000); /* the shell greets below it */
  shoot (shots, shots->window, "machine-running");
  console = GTK_WINDOW (vd_console_window_new (GTK_APPLICATION (shots->application), machine));
  gtk_window_present (console);
  ui_shot_settle (1500);
  shoot (shots, console, "console-running");
  ui_library_finish (vd_machine_pause (machine));
  ui_shot_settle (300);
  shoot (shots, console, "console-paused");
  vd_machine_set_state (machine, VD_MACHINE_PAUSED,
                        "The machine was paused so that nothing is lost. Its disk is full.");
  shoot (shots, console, "console-full");
  ui_library_finish (vd_machine_force_off (machine));
  ui_shot_settle (500);
  shoot (shots, console, "console-off");
  gtk_window_destroy (console);
  shoot (shots, shots->window, "machine-off");
  vd_machine_set_saved (machine, TRUE);
  shoot (shots, shots->window, "machine-saved");
  vd_machine_set_saved (machine, FALSE);
}

/* With all that a machine can have, and its disk full. */
static void
shoot_drives (Shots *shots)
{
  g_autoptr (VdConfig) config = vd_config_new_sample (NULL);
  g_autoptr (VdDiskConfig) drive = NULL;
  g_autoptr (GFile) disc = ui_library_make_disc (&shots->of, "debian-13.1.0-amd64-netinst.iso");
  VdMachine *machine;

  drive = vd_disk_config_new (g_file_peek_path (disc), VD_DISK_RAW);
  g_object_set (drive, "cdrom", TRUE, "readonly", TRUE, NULL);
  vd_config_add_disk (config, drive);
  g_object_set (config, "name", "Debian", "boot", VD_BOOT_UEFI, "network", TRUE, "new-disk-size",
                (guint64) 1 << 30, NULL);
  machine = ui_library_add_config (&shots->of, config);
  vd_window_select (VD_WINDOW (shots->window), machine);
  ui_shot_settle (300);
  gtk_widget_grab_focus (
    ui_test_find_icon (GTK_WIDGET (shots->window), "media-eject-symbolic")); /* scrolls there */
  shoot (shots, shots->window, "machine-drives");
  vd_machine_set_state (
    machine, VD_MACHINE_PAUSED,
    "The machine was paused so that nothing is lost. The image “/home/me/disk.raw” "
    "cannot grow, because its file system is full: make room there, then "
    "resume the machine.");
  shoot (shots, shots->window, "machine-full");
  vd_machine_set_state (machine, VD_MACHINE_OFF, NULL);
  ui_library_finish (vd_library_delete (shots->of.library, machine));
}

static void
shoot_all (Shots *shots)
{
  VdMachine *sample, *broken;

  ui_library_open (&shots->of);
  broken = make_machine (shots, "Old Server");
  break_machine (shots, broken);
  ui_library_close (&shots->of);
  ui_library_open (&shots->of);

  shots->window = GTK_WINDOW (vd_window_new (shots->application, shots->of.library));
  gtk_window_present (shots->window);
  ui_shot_settle (1000);
  broken = vd_library_find (shots->of.library, "Old Server");
  if (broken == NULL) {
    g_autoptr (VdMachine) first =
      g_list_model_get_item (vd_library_get_machines (shots->of.library), 0);

    broken = first;
  }
  vd_window_select (VD_WINDOW (shots->window), broken);
  shoot (shots, shots->window, "machine-broken");
  ui_library_finish (vd_library_delete (shots->of.library, broken));
  shoot (shots, shots->window, "welcome");
  shoot_wizard (shots);
  shoot_disc (shots);
  shoot_drives (shots);
  make_machine (shots, "Build machine");
  make_machine (shots, "A machine with quite a long name, as people give them");
  sample = make_machine (shots, NULL);
  vd_window_select (VD_WINDOW (shots->window), sample);
  shoot_dialog (shots, ADW_DIALOG (vd_preferences_new ()), "preferences");
  shoot_dialog (shots, vd_shortcuts_dialog_new (), "shortcuts");
  gtk_widget_activate_action (GTK_WIDGET (shots->window), "win.rename", NULL);
  shoot (shots, shots->window, "rename");
  close_dialog (shots, shots->window);
  gtk_widget_activate_action (GTK_WIDGET (shots->window), "win.settings", NULL);
  shoot (shots, shots->window, "settings");
  close_dialog (shots, shots->window);
  shoot_running (shots, sample);
  gtk_widget_activate_action (GTK_WIDGET (shots->window), "win.delete", NULL);
  ui_shot_settle (500);
  shoot (shots, shots->window, "deleted");
  gtk_window_destroy (shots->window);
  ui_library_clear (&shots->of);
}

int
main (int argc, char **argv)
{
  Shots shots = { .folder = argv[1] };

  if (argc != 2) {
    g_printerr ("usage: shots FOLDER\n");
    return 2;
  }
  shots.application = ui_application_new ();
  shoot_all (&shots);
  g_object_unref (shots.application);
  return 0;
}
