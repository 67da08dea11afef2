/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The library window over a real library: what is in it is shown, found, renamed by keys, deleted
 * and brought back; a machine whose file is broken is there with the reason.
 */
#include <adwaita.h>

#include "library-test.h"
#include "preferences/vd-preferences.h"
#include "ui-test.h"
#include "vd-shortcuts.h"
#include "window/vd-machine-page.h"
#include "window/vd-window.h"

typedef struct {
  UiLibrary of;
  AdwApplication *application;
  VdWindow *window;
} Fixture;

static void
open_window (Fixture *fixture)
{
  ui_library_open (&fixture->of);
  fixture->window = vd_window_new (fixture->application, fixture->of.library);
  ui_test_present (GTK_WINDOW (fixture->window));
}

static void
close_window (Fixture *fixture)
{
  gtk_window_destroy (GTK_WINDOW (fixture->window));
  ui_library_close (&fixture->of);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->application = ADW_APPLICATION ((gpointer) data);
  open_window (fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  gtk_window_destroy (GTK_WINDOW (fixture->window));
  ui_library_clear (&fixture->of);
}

static GtkStack *
main_stack (Fixture *fixture)
{
  return ui_test_find (GTK_WIDGET (fixture->window), GTK_TYPE_STACK, NULL);
}

static void
test_empty_then_full (Fixture *fixture, gconstpointer data)
{
  VdMachine *machine;

  g_assert_cmpstr (gtk_stack_get_visible_child_name (main_stack (fixture)), ==, "welcome");
  machine = ui_library_add (&fixture->of, "First");
  ui_test_until (g_str_equal (gtk_stack_get_visible_child_name (main_stack (fixture)), "library"));
  g_assert_true (vd_window_get_selected (fixture->window) == machine);
}

/* A label with these words that can be seen. */
static GtkWidget *
find_shown (GtkWidget *root, const char *words)
{
  if (!gtk_widget_get_mapped (root))
    return NULL;
  if (GTK_IS_LABEL (root) && g_str_equal (gtk_label_get_text (GTK_LABEL (root)), words))
    return root;
  for (GtkWidget *child = gtk_widget_get_first_child (root); child != NULL;
       child = gtk_widget_get_next_sibling (child)) {
    GtkWidget *found = find_shown (child, words);

    if (found != NULL)
      return found;
  }
  return NULL;
}

static void
test_search (Fixture *fixture, gconstpointer data)
{
  VdMachine *wanted;

  ui_library_add (&fixture->of, "Alpha");
  wanted = ui_library_add (&fixture->of, "Quartz");
  ui_test_xdotool ("key ctrl+f");
  ui_test_xdotool ("type quar");
  ui_test_until (vd_window_get_selected (fixture->window) == wanted);
  ui_test_xdotool ("type zzz");
  ui_test_until (vd_window_get_selected (fixture->window) == NULL);
  g_assert_null (find_shown (GTK_WIDGET (fixture->window), "Quartz"));
  ui_test_xdotool ("key Escape");
  ui_test_until (vd_window_get_selected (fixture->window) != NULL);
}

static void
test_rename_by_keys (Fixture *fixture, gconstpointer data)
{
  VdMachine *machine = ui_library_add (&fixture->of, "Before");

  ui_test_until (vd_window_get_selected (fixture->window) == machine);
  ui_test_xdotool ("key F2");
  ui_test_until (ui_test_find (GTK_WIDGET (fixture->window), ADW_TYPE_ALERT_DIALOG, NULL) != NULL);
  ui_test_xdotool ("key ctrl+a");
  ui_test_xdotool ("type After");
  ui_test_xdotool ("key Return");
  ui_test_until (g_str_equal (vd_machine_get_name (machine), "After"));
}

static void
test_delete_and_undo (Fixture *fixture, gconstpointer data)
{
  GListModel *machines = vd_library_get_machines (fixture->of.library);
  g_autofree char *uuid = NULL;

  uuid = g_strdup (vd_machine_get_uuid (ui_library_add (&fixture->of, "Precious")));
  ui_library_add (&fixture->of, "Zebra");
  vd_window_select (fixture->window, vd_library_find (fixture->of.library, uuid));
  ui_test_xdotool ("key ctrl+Delete");
  ui_test_until (g_list_model_get_n_items (machines) == 1);
  ui_test_until (ui_test_find (GTK_WIDGET (fixture->window), GTK_TYPE_BUTTON, "_Undo") != NULL);
  g_signal_emit_by_name (ui_test_find (GTK_WIDGET (fixture->window), GTK_TYPE_BUTTON, "_Undo"),
                         "clicked");
  ui_test_until (g_list_model_get_n_items (machines) == 2);
  g_assert_cmpstr (vd_machine_get_name (vd_library_find (fixture->of.library, uuid)), ==,
                   "Precious");
}

/* The window goes while Undo is offered. */
static void
test_delete_and_close (Fixture *fixture, gconstpointer data)
{
  g_autofree char *uuid =
    g_strdup (vd_machine_get_uuid (ui_library_add (&fixture->of, "Precious")));

  ui_test_until (vd_window_get_selected (fixture->window) != NULL);
  ui_test_xdotool ("key ctrl+Delete");
  ui_test_until (ui_test_find (GTK_WIDGET (fixture->window), GTK_TYPE_BUTTON, "_Undo") != NULL);
  close_window (fixture);
  open_window (fixture);
  g_assert_null (vd_library_find (fixture->of.library, uuid));
}

static void
test_broken_machine (Fixture *fixture, gconstpointer data)
{
  static const char junk[] = "[machine\nname=\377";
  g_autofree char *uuid = g_strdup (vd_machine_get_uuid (ui_library_add (&fixture->of, "Broken")));
  g_autofree char *path =
    g_build_filename (fixture->of.folder, "machines", uuid, "machine.ini", NULL);
  g_autofree char *after = NULL;
  VdMachine *machine;
  GtkWidget *button;

  close_window (fixture);
  g_assert_true (g_file_set_contents (path, junk, -1, NULL));
  open_window (fixture);
  machine = vd_library_find (fixture->of.library, uuid);
  g_assert_nonnull (machine);
  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_BROKEN);
  g_assert_cmpstr (vd_machine_get_problem (machine), !=, "");
  ui_test_until (vd_window_get_selected (fixture->window) == machine);
  g_assert_nonnull (
    ui_test_find (GTK_WIDGET (fixture->window), GTK_TYPE_LABEL, vd_machine_get_problem (machine)));
  button = ui_test_find (GTK_WIDGET (fixture->window), GTK_TYPE_BUTTON, "_Show Folder");
  g_assert_nonnull (button);
  g_assert_true (gtk_widget_is_sensitive (button));
  g_assert_true (g_file_get_contents (path, &after, NULL, NULL));
  g_assert_cmpstr (after, ==, junk);
}

/* Keys work behind a dialog, too; what they would do there is not done. */
static void
test_keys_behind_a_dialog (Fixture *fixture, gconstpointer data)
{
  AdwApplicationWindow *window = ADW_APPLICATION_WINDOW (fixture->window);
  VdMachine *machine = ui_library_add (&fixture->of, "Precious");
  g_autoptr (GListModel) dialogs = NULL;

  ui_test_until (vd_window_get_selected (fixture->window) == machine);
  ui_test_xdotool ("key ctrl+n");
  ui_test_until (adw_application_window_get_visible_dialog (window) != NULL);
  ui_test_xdotool ("key ctrl+n");
  ui_test_xdotool ("key F2");
  ui_test_xdotool ("key ctrl+Delete");
  ui_test_frames (GTK_WIDGET (window), 3);
  dialogs = adw_application_window_get_dialogs (window);
  g_assert_cmpuint (g_list_model_get_n_items (dialogs), ==, 1);
  ui_test_xdotool ("key Escape");
  ui_test_until (adw_application_window_get_visible_dialog (window) == NULL);
  g_assert_cmpuint (g_list_model_get_n_items (vd_library_get_machines (fixture->of.library)), ==,
                    1);
  ui_test_xdotool ("key ctrl+Delete"); /* and here it works: what was not done did not wait */
  ui_test_until (g_list_model_get_n_items (vd_library_get_machines (fixture->of.library)) == 0);
}

/* 360 pixels, and the frame that GTK draws where there is no compositor. */
#define NARROW 370

/* What does not fit is told by a warning of libadwaita, which ends a test. */
static void
resize (Fixture *fixture, int width)
{
  gtk_window_set_default_size (GTK_WINDOW (fixture->window), width, 640);
  ui_test_until (ABS (gtk_widget_get_width (GTK_WIDGET (fixture->window)) - width) <= NARROW - 360);
  ui_test_frames (GTK_WIDGET (fixture->window), 3);
}

/* Closed by Escape, and gone: libadwaita 1.7 crashes when a window gets wide while a sheet slides
 * out. */
static void
close_by_escape (Fixture *fixture, AdwDialog *dialog)
{
  g_object_add_weak_pointer (G_OBJECT (dialog), (gpointer *) &dialog);
  ui_test_frames (GTK_WIDGET (fixture->window), 3);
  ui_test_xdotool ("key Escape");
  ui_test_until (dialog == NULL);
}

static void
show_dialog (Fixture *fixture, const char *action)
{
  AdwApplicationWindow *window = ADW_APPLICATION_WINDOW (fixture->window);

  gtk_widget_activate_action (GTK_WIDGET (fixture->window), action, NULL);
  ui_test_until (adw_application_window_get_visible_dialog (window) != NULL);
  close_by_escape (fixture, adw_application_window_get_visible_dialog (window));
}

static VdMachine *
add_with_disc (Fixture *fixture)
{
  g_autoptr (VdConfig) config = vd_config_new ();
  g_autoptr (GFile) file = ui_library_make_disc (&fixture->of, "disc.iso");
  g_autoptr (VdDiskConfig) disc = vd_disk_config_new (g_file_peek_path (file), VD_DISK_RAW);

  vd_config_set_name (config, "Installs");
  g_object_set (disc, "cdrom", TRUE, "readonly", TRUE, NULL);
  vd_config_add_disk (config, disc);
  return ui_library_add_config (&fixture->of, config);
}

static GtkWidget *
find_button (Fixture *fixture, const char *icon)
{
  return ui_test_find_icon (GTK_WIDGET (fixture->window), icon);
}

static gboolean
is_empty (VdMachine *machine)
{
  g_autoptr (VdDiskConfig) disk =
    g_list_model_get_item (vd_config_get_disks (vd_machine_get_config (machine)), 0);

  return vd_disk_config_get_path (disk) == NULL;
}

/* By a real click; then nothing is left to eject, and the button says so. */
static void
test_eject (Fixture *fixture, gconstpointer data)
{
  VdMachine *machine = add_with_disc (fixture);
  GtkWidget *window = GTK_WIDGET (fixture->window), *button;

  ui_test_until (vd_window_get_selected (fixture->window) == machine);
  resize (fixture, 1100);
  g_assert_nonnull (find_shown (window, "disc.iso"));
  vd_machine_set_state (machine, VD_MACHINE_STARTING, NULL);
  button = find_button (fixture, "media-eject-symbolic");
  g_assert_false (gtk_widget_get_sensitive (button));
  g_assert_cmpstr (gtk_widget_get_tooltip_text (button), ==, "Wait until the machine has started");
  vd_machine_set_state (machine, VD_MACHINE_OFF, NULL);
  g_assert_true (gtk_widget_get_sensitive (button));
  gtk_widget_grab_focus (button); /* scrolls it into view */
  ui_test_frames (window, 30);
  ui_test_click (button);
  ui_test_until (is_empty (machine));
  ui_test_until (find_shown (window, "Nothing is in the drive") != NULL);
  button = find_button (fixture, "media-eject-symbolic");
  g_assert_false (gtk_widget_get_sensitive (button));
  g_assert_cmpstr (gtk_widget_get_tooltip_text (button), ==, "Nothing is in the drive");
  g_assert_true (gtk_widget_get_sensitive (find_button (fixture, "document-open-symbolic")));
}

/* Why it waits, and the way to go on, on the machine's page. */
static void
test_paused_with_reason (Fixture *fixture, gconstpointer data)
{
  VdMachine *machine = ui_library_add (&fixture->of, "Full");
  GtkWidget *window = GTK_WIDGET (fixture->window), *resume;

  ui_test_until (vd_window_get_selected (fixture->window) == machine);
  ui_test_frames (window, 3);
  vd_machine_set_state (machine, VD_MACHINE_PAUSED, "The image cannot grow.");
  ui_test_frames (window, 3);
  g_assert_nonnull (find_shown (window, "The image cannot grow."));
  resume = ui_test_find (window, GTK_TYPE_BUTTON, "_Resume");
  g_assert_true (gtk_widget_get_mapped (resume) && gtk_widget_is_sensitive (resume));
  g_assert_cmpstr (gtk_actionable_get_action_name (GTK_ACTIONABLE (resume)), ==, "machine.resume");
  vd_machine_set_state (machine, VD_MACHINE_OFF, NULL);
  g_assert_null (find_shown (window, "The image cannot grow."));
}

static void
test_fits_a_phone (Fixture *fixture, gconstpointer data)
{
  GListModel *machines = vd_library_get_machines (fixture->of.library);
  VdMachine *machine =
    ui_library_add (&fixture->of, "A machine with quite a long name, as people give them");

  ui_test_until (vd_window_get_selected (fixture->window) == machine);
  ui_test_frames (GTK_WIDGET (fixture->window), 3);
  resize (fixture, NARROW);
  resize (fixture, 1100);
  resize (fixture, NARROW);
  show_dialog (fixture, "win.new-machine");
  show_dialog (fixture, "win.rename");
  show_dialog (fixture, "win.settings");
  resize (fixture, 1100);
  ui_library_finish (vd_library_delete (fixture->of.library, machine));
  ui_test_until (g_list_model_get_n_items (machines) == 0);
  ui_test_frames (GTK_WIDGET (fixture->window), 3);
  resize (fixture, NARROW);
  show_dialog (fixture, "win.new-machine");
}

static void
test_dialogs_fit_a_phone (Fixture *fixture, gconstpointer data)
{
  AdwDialog *dialogs[] = { ADW_DIALOG (vd_preferences_new ()), vd_shortcuts_dialog_new () };

  resize (fixture, NARROW);
  for (guint i = 0; i < G_N_ELEMENTS (dialogs); i++) {
    adw_dialog_present (dialogs[i], GTK_WIDGET (fixture->window));
    ui_test_until (gtk_widget_get_mapped (GTK_WIDGET (dialogs[i])));
    close_by_escape (fixture, dialogs[i]);
  }
}

#define ADD(name, function)                                                                        \
  g_test_add ("/window/" name, Fixture, application, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  AdwApplication *application;
  int status;

  g_test_init (&argc, &argv, NULL);
  application = ui_application_new ();
  vd_shortcuts_install (GTK_APPLICATION (application));
  ADD ("empty-then-full", test_empty_then_full);
  ADD ("search", test_search);
  ADD ("rename-by-keys", test_rename_by_keys);
  ADD ("delete-and-undo", test_delete_and_undo);
  ADD ("delete-and-close", test_delete_and_close);
  ADD ("broken-machine", test_broken_machine);
  ADD ("eject", test_eject);
  ADD ("paused-with-reason", test_paused_with_reason);
  ADD ("keys-behind-a-dialog", test_keys_behind_a_dialog);
  ADD ("fits-a-phone", test_fits_a_phone);
  ADD ("dialogs-fit-a-phone", test_dialogs_fit_a_phone);
  status = g_test_run ();
  g_object_unref (application);
  return status;
}
