/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A machine's settings by keys and pointer: what is applied is in its file and survives the
 * library; what is cancelled, or wrong, changes nothing.
 */
#include "window/vd-machine-settings.h"
#include "library-test.h"
#include "ui-test.h"
#include "vd-shortcuts.h"
#include "window/vd-window.h"

#define MIB (G_GUINT64_CONSTANT (1) << 20)

typedef struct {
  UiLibrary of;
  VdWindow *window;
  VdMachine *machine;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer application)
{
  ui_library_open (&fixture->of);
  fixture->machine = ui_library_add (&fixture->of, "Before");
  fixture->window = vd_window_new ((gpointer) application, fixture->of.library);
  ui_test_present (GTK_WINDOW (fixture->window));
  ui_test_until (vd_window_get_selected (fixture->window) == fixture->machine);
}

static void
tear_down (Fixture *fixture, gconstpointer application)
{
  gtk_window_destroy (GTK_WINDOW (fixture->window));
  ui_library_clear (&fixture->of);
}

static gpointer
dialog_of (Fixture *fixture)
{
  return ui_test_find (GTK_WIDGET (fixture->window), VD_TYPE_MACHINE_SETTINGS, NULL);
}

static GtkWidget *
row_of (Fixture *fixture, GType type, const char *label)
{
  return ui_test_find (dialog_of (fixture), type, label);
}

static GtkWidget *
apply_button (Fixture *fixture)
{
  return row_of (fixture, GTK_TYPE_BUTTON, "_Apply");
}

static void
open_settings (Fixture *fixture)
{
  ui_test_xdotool ("key alt+Return");
  ui_test_until (dialog_of (fixture) != NULL && gtk_widget_get_mapped (dialog_of (fixture)));
  ui_test_frames (dialog_of (fixture), 3);
}

/* Into the row's entry, over what is in it. */
static void
type_into (GtkWidget *row, const char *text)
{
  gtk_widget_grab_focus (row);
  ui_test_frames (row, 2);
  ui_test_xdotool ("key ctrl+a");
  ui_test_xdotool ("type %s", text);
}

static void
test_apply (Fixture *fixture, gconstpointer application)
{
  g_autofree char *uuid = g_strdup (vd_machine_get_uuid (fixture->machine));

  open_settings (fixture);
  g_assert_false (gtk_widget_get_visible (row_of (fixture, ADW_TYPE_SPIN_ROW, "New _Disk")));
  type_into (row_of (fixture, ADW_TYPE_SPIN_ROW, "_Memory"), "384");
  type_into (row_of (fixture, ADW_TYPE_ENTRY_ROW, "_Name"), "After");
  ui_test_click (apply_button (fixture));
  ui_test_until (dialog_of (fixture) == NULL);
  ui_test_until (g_str_equal (vd_machine_get_name (fixture->machine), "After"));

  ui_library_close (&fixture->of);
  ui_library_open (&fixture->of);
  fixture->machine = vd_library_find (fixture->of.library, uuid);
  g_assert_cmpstr (vd_machine_get_name (fixture->machine), ==, "After");
  g_assert_cmpuint (vd_config_get_memory (vd_machine_get_config (fixture->machine)), ==, 384 * MIB);
}

static void
test_cancel (Fixture *fixture, gconstpointer application)
{
  open_settings (fixture);
  type_into (row_of (fixture, ADW_TYPE_ENTRY_ROW, "_Name"), "After");
  ui_test_xdotool ("key Escape");
  ui_test_until (dialog_of (fixture) == NULL);
  g_assert_cmpstr (vd_machine_get_name (fixture->machine), ==, "Before");
}

static void
test_wrong (Fixture *fixture, gconstpointer application)
{
  GtkWidget *name;

  open_settings (fixture);
  name = row_of (fixture, ADW_TYPE_ENTRY_ROW, "_Name");
  gtk_widget_grab_focus (name);
  ui_test_xdotool ("key ctrl+a");
  ui_test_xdotool ("key BackSpace");
  ui_test_until (!gtk_widget_is_sensitive (apply_button (fixture)));
  g_assert_true (gtk_widget_has_css_class (name, "error"));
  ui_test_xdotool ("key Return"); /* applies nothing either */
  ui_test_frames (name, 3);
  g_assert_nonnull (dialog_of (fixture));
  type_into (name, "Good");
  ui_test_until (gtk_widget_is_sensitive (apply_button (fixture)));
}

/* What runs is told of later, and the dialog says so. */
static void
test_while_it_runs (Fixture *fixture, gconstpointer application)
{
  GtkWidget *banner;

  vd_machine_set_state (fixture->machine, VD_MACHINE_RUNNING, NULL);
  open_settings (fixture);
  banner = ui_test_find (dialog_of (fixture), ADW_TYPE_BANNER, NULL);
  g_assert_true (adw_banner_get_revealed (ADW_BANNER (banner)));
  vd_machine_set_state (fixture->machine, VD_MACHINE_OFF, NULL);
  g_assert_false (adw_banner_get_revealed (ADW_BANNER (banner)));
}

#define ADD(name, function)                                                                        \
  g_test_add ("/machine-settings/" name, Fixture, application, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  AdwApplication *application;
  int status;

  g_test_init (&argc, &argv, NULL);
  application = ui_application_new ();
  vd_shortcuts_install (GTK_APPLICATION (application));
  ADD ("apply", test_apply);
  ADD ("cancel", test_cancel);
  ADD ("wrong", test_wrong);
  ADD ("while-it-runs", test_while_it_runs);
  status = g_test_run ();
  g_object_unref (application);
  return status;
}
