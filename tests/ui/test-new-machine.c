/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * New Machine over a real library: rows and configuration follow each other, what is wrong is said
 * at its row, a file that is none is refused, and Create makes the machine that was reviewed.
 */
#include "library-test.h"
#include "ui-test.h"
#include "wizard/vd-new-machine.h"

typedef struct {
  UiLibrary of;
  GtkWindow *window;
  VdNewMachine *wizard;
  char *created;
} Fixture;

static void
created (Fixture *fixture, const char *uuid)
{
  fixture->created = g_strdup (uuid);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  ui_library_open (&fixture->of);
  fixture->window = GTK_WINDOW (adw_window_new ());
  gtk_window_set_default_size (fixture->window, 900, 780);
  fixture->wizard = vd_new_machine_new (fixture->of.library);
  g_signal_connect_swapped (fixture->wizard, "created", G_CALLBACK (created), fixture);
  ui_test_present (fixture->window);
  adw_dialog_present (ADW_DIALOG (fixture->wizard), GTK_WIDGET (fixture->window));
  ui_test_until (gtk_widget_get_mapped (GTK_WIDGET (fixture->wizard)));
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  gtk_window_destroy (fixture->window);
  ui_library_clear (&fixture->of);
  g_free (fixture->created);
}

static gpointer
row (Fixture *fixture, GType type, const char *title)
{
  gpointer found = ui_test_find (GTK_WIDGET (fixture->wizard), type, title);

  g_assert_nonnull (found);
  return found;
}

static gpointer
create_button (Fixture *fixture)
{
  return row (fixture, GTK_TYPE_BUTTON, "_Create");
}

static void
review_kernel (Fixture *fixture)
{
  g_autoptr (GFile) file = ui_library_make_kernel (&fixture->of);

  vd_new_machine_set_file (fixture->wizard, file);
  ui_test_until (
    ui_test_find (GTK_WIDGET (fixture->wizard), ADW_TYPE_ENTRY_ROW, "Kernel") != NULL &&
    g_str_has_suffix (gtk_editable_get_text (row (fixture, ADW_TYPE_ENTRY_ROW, "Kernel")),
                      "vmlinuz-test"));
  ui_test_frames (GTK_WIDGET (fixture->window), 30); /* the page slides in, and takes the focus */
}

/* A row that is wrong is marked, Create waits, and a sentence says why. */
static void
test_wrong_field (Fixture *fixture, gconstpointer data)
{
  GtkWidget *name;
  AdwBanner *problem;

  review_kernel (fixture);
  name = row (fixture, ADW_TYPE_ENTRY_ROW, "_Name");
  problem = row (fixture, ADW_TYPE_BANNER, NULL);
  gtk_editable_set_text (GTK_EDITABLE (name), "");
  ui_test_until (gtk_widget_has_css_class (name, "error"));
  g_assert_true (adw_banner_get_revealed (problem));
  g_assert_cmpstr (adw_banner_get_title (problem), !=, "");
  g_assert_false (gtk_widget_get_sensitive (create_button (fixture)));
  gtk_editable_set_text (GTK_EDITABLE (name), "Good name");
  ui_test_until (!gtk_widget_has_css_class (name, "error"));
}

/* What was reviewed is what is made; typed by real keys, created by the mnemonic. */
static void
test_create (Fixture *fixture, gconstpointer data)
{
  VdConfig *config;
  VdMachine *machine;

  review_kernel (fixture);
  adw_spin_row_set_value (row (fixture, ADW_TYPE_SPIN_ROW, "_Memory"), 384);
  adw_spin_row_set_value (row (fixture, ADW_TYPE_SPIN_ROW, "_Processors"), 2);
  gtk_widget_grab_focus (row (fixture, ADW_TYPE_ENTRY_ROW, "_Name"));
  ui_test_xdotool ("key ctrl+a");
  ui_test_xdotool ("type box");
  ui_test_until (gtk_widget_get_sensitive (create_button (fixture)));
  ui_test_xdotool ("key alt+c");
  ui_test_until (fixture->created != NULL);
  machine = vd_library_find (fixture->of.library, fixture->created);
  g_assert_nonnull (machine);
  config = vd_machine_get_config (machine);
  g_assert_cmpstr (vd_config_get_name (config), ==, "box");
  g_assert_cmpuint (vd_config_get_memory (config), ==, G_GUINT64_CONSTANT (384) << 20);
  g_assert_cmpuint (vd_config_get_cpus (config), ==, 2);
  g_assert_cmpint (vd_config_get_boot (config), ==, VD_BOOT_KERNEL);
  g_assert_true (g_str_has_suffix (vd_config_get_kernel (config), "vmlinuz-test"));
}

/* A disc: firmware that it can be started with, a new disk beside it, and which engine, and why. */
static void
test_disc (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GFile) file = ui_library_make_disc (&fixture->of, "system.iso");
  g_autoptr (VdDiskConfig) drive = NULL;
  g_autoptr (VdDiskConfig) disk = NULL;
  AdwPreferencesGroup *group;
  VdConfig *config;

  vd_new_machine_set_file (fixture->wizard, file);
  ui_test_until (adw_spin_row_get_value (row (fixture, ADW_TYPE_SPIN_ROW, "New _Disk")) > 0);
  ui_test_frames (GTK_WIDGET (fixture->window), 30);
  group = ADW_PREFERENCES_GROUP (gtk_widget_get_ancestor (
    row (fixture, ADW_TYPE_COMBO_ROW, "_Runs On"), ADW_TYPE_PREFERENCES_GROUP));
  g_assert_cmpstr (adw_preferences_group_get_description (group), !=, "");
  adw_combo_row_set_selected (row (fixture, ADW_TYPE_COMBO_ROW, "_Firmware"), VD_BOOT_UEFI);
  adw_spin_row_set_value (row (fixture, ADW_TYPE_SPIN_ROW, "New _Disk"), 1);
  ui_test_until (gtk_widget_get_sensitive (create_button (fixture)));
  ui_test_click (create_button (fixture));
  ui_test_until (fixture->created != NULL);
  config = vd_machine_get_config (vd_library_find (fixture->of.library, fixture->created));
  g_assert_cmpint (vd_config_get_boot (config), ==, VD_BOOT_UEFI);
  g_assert_true (vd_config_get_network (config));
  drive = g_list_model_get_item (vd_config_get_disks (config), 0);
  disk = g_list_model_get_item (vd_config_get_disks (config), 1);
  g_assert_true (vd_disk_config_get_cdrom (drive));
  g_assert_true (g_str_has_suffix (vd_disk_config_get_path (drive), "system.iso"));
  g_assert_true (vd_disk_config_get_owned (disk));
}

static void
test_not_a_file_of_use (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->of.folder, "page.iso", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);

  g_assert_true (g_file_set_contents (path, "<html>404</html>", -1, NULL));
  vd_new_machine_set_file (fixture->wizard, file);
  ui_test_until (ui_test_find (GTK_WIDGET (fixture->window), ADW_TYPE_ALERT_DIALOG, NULL) != NULL);
  g_assert_cmpuint (g_list_model_get_n_items (vd_library_get_machines (fixture->of.library)), ==,
                    0);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/new-machine/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  adw_init ();
  ADD ("wrong-field", test_wrong_field);
  ADD ("create", test_create);
  ADD ("disc", test_disc);
  ADD ("not-a-file-of-use", test_not_a_file_of_use);
  return g_test_run ();
}
