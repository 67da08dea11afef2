/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Every screen for those who see none of it or have no pointer: each control has a name that can be
 * read out, and the Tab key reaches each button.
 */
#include <adwaita.h>

#include "console/vd-console-window.h"
#include "library-test.h"
#include "preferences/vd-preferences.h"
#include "ui-test.h"
#include "vd-shortcuts.h"
#include "window/vd-window.h"
#include "wizard/vd-new-machine.h"

#define MANY 200 /* more than any screen has places for the focus */

typedef struct {
  UiLibrary of;
  AdwApplication *application;
  VdWindow *window;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->application = ADW_APPLICATION ((gpointer) data);
  ui_library_open (&fixture->of);
  fixture->window = vd_window_new (fixture->application, fixture->of.library);
  gtk_window_set_default_size (GTK_WINDOW (fixture->window), 1100, 720);
  ui_test_present (GTK_WINDOW (fixture->window));
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  gtk_window_destroy (GTK_WINDOW (fixture->window));
  ui_library_clear (&fixture->of);
}

/* With a disk, and a drive with a disc in it. */
static VdMachine *
add_machine (Fixture *fixture)
{
  g_autoptr (VdConfig) config = vd_config_new ();
  g_autoptr (GFile) disc = ui_library_make_disc (&fixture->of, "disc.iso");
  g_autoptr (VdDiskConfig) drive = vd_disk_config_new (g_file_peek_path (disc), VD_DISK_RAW);

  g_object_set (drive, "cdrom", TRUE, "readonly", TRUE, NULL);
  vd_config_add_disk (config, drive);
  g_object_set (config, "name", "Machine", "new-disk-size", (guint64) 1 << 20, NULL);
  ui_library_add_config (&fixture->of, config);
  ui_test_until (vd_window_get_selected (fixture->window) != NULL);
  ui_test_frames (GTK_WIDGET (fixture->window), 3);
  return vd_window_get_selected (fixture->window);
}

/* Words that are drawn in @widget. */
static gboolean
has_words (GtkWidget *widget)
{
  if (GTK_IS_LABEL (widget))
    return *gtk_label_get_text (GTK_LABEL (widget)) != '\0';
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (has_words (child))
      return TRUE;
  return FALSE;
}

/* What GTK makes a control's name from. */
static gboolean
has_name (GtkWidget *widget)
{
  GtkAccessible *accessible = GTK_ACCESSIBLE (widget);
  const char *tooltip = gtk_widget_get_tooltip_text (widget);

  return gtk_test_accessible_has_property (accessible, GTK_ACCESSIBLE_PROPERTY_LABEL) ||
         gtk_test_accessible_has_relation (accessible, GTK_ACCESSIBLE_RELATION_LABELLED_BY) ||
         (tooltip != NULL && *tooltip != '\0') || has_words (widget);
}

static gboolean
is_control (GtkWidget *widget)
{
  return GTK_IS_BUTTON (widget) || GTK_IS_MENU_BUTTON (widget) || GTK_IS_EDITABLE (widget) ||
         GTK_IS_SWITCH (widget) || GTK_IS_CHECK_BUTTON (widget) || GTK_IS_PROGRESS_BAR (widget);
}

/* A part of a control that has the name, such as the switch of a row or the text of an entry. */
static gboolean
is_part (GtkWidget *widget)
{
  GtkWidget *parent = gtk_widget_get_parent (widget);

  return gtk_widget_get_ancestor (widget, ADW_TYPE_PREFERENCES_ROW) != NULL ||
         gtk_widget_get_ancestor (widget, GTK_TYPE_WINDOW_CONTROLS) != NULL ||
         (parent != NULL && is_control (parent) && has_name (parent));
}

static void
check_names (GtkWidget *widget)
{
  if (!gtk_widget_get_mapped (widget))
    return;
  if (is_control (widget) && !is_part (widget) && !has_name (widget)) {
    g_auto (GStrv) classes = gtk_widget_get_css_classes (widget);
    g_autofree char *words = g_strjoinv (" ", classes);

    g_error ("a %s in a %s without a name (%s)", G_OBJECT_TYPE_NAME (widget),
             G_OBJECT_TYPE_NAME (gtk_widget_get_parent (widget)), words);
  }
  if (ADW_IS_PREFERENCES_ROW (widget) &&
      *adw_preferences_row_get_title (ADW_PREFERENCES_ROW (widget)) == '\0')
    g_error ("a %s without a title", G_OBJECT_TYPE_NAME (widget));
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    check_names (child);
}

/* Of the buttons below @widget that work, those that the focus was in are taken out of @left. */
static void
collect_buttons (GtkWidget *widget, GHashTable *left)
{
  if (!gtk_widget_get_mapped (widget) || !gtk_widget_is_sensitive (widget) ||
      !gtk_widget_get_can_focus (widget) || GTK_IS_WINDOW_CONTROLS (widget))
    return;
  if (GTK_IS_BUTTON (widget) && gtk_widget_get_focusable (widget))
    g_hash_table_add (left, widget);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    collect_buttons (child, left);
}

static void
check_keys (GtkWindow *window, GtkWidget *part)
{
  g_autoptr (GHashTable) left = g_hash_table_new (NULL, NULL);
  GHashTableIter iter;
  gpointer button;
  gboolean came_in = FALSE;

  collect_buttons (part, left);
  for (guint i = 0; i < MANY; i++) {
    GtkWidget *focus;

    g_signal_emit_by_name (window, "move-focus", GTK_DIR_TAB_FORWARD);
    focus = gtk_window_get_focus (window);
    if (focus == NULL)
      continue;
    g_hash_table_remove (left, focus);
    came_in |= gtk_widget_is_ancestor (focus, part);
  }
  g_assert_true (came_in);
  g_hash_table_iter_init (&iter, left);
  if (g_hash_table_iter_next (&iter, &button, NULL))
    g_error ("Tab does not reach a %s (%s)", G_OBJECT_TYPE_NAME (button),
             gtk_widget_get_tooltip_text (button));
}

static void
check (GtkWindow *window, GtkWidget *part)
{
  ui_test_frames (GTK_WIDGET (window), 3);
  check_names (part);
  check_keys (window, part);
}

static void
test_welcome (Fixture *fixture, gconstpointer data)
{
  check (GTK_WINDOW (fixture->window), GTK_WIDGET (fixture->window));
}

static void
test_library (Fixture *fixture, gconstpointer data)
{
  add_machine (fixture);
  check (GTK_WINDOW (fixture->window), GTK_WIDGET (fixture->window));
  gtk_widget_activate_action (GTK_WIDGET (fixture->window), "win.search", NULL);
  check_names (GTK_WIDGET (fixture->window));
}

static void
test_new_machine (Fixture *fixture, gconstpointer data)
{
  VdNewMachine *wizard = vd_new_machine_new (fixture->of.library);
  GtkWidget *widget = GTK_WIDGET (wizard);
  g_autoptr (GFile) kernel = ui_library_make_kernel (&fixture->of);

  adw_dialog_present (ADW_DIALOG (wizard), GTK_WIDGET (fixture->window));
  ui_test_until (gtk_widget_get_mapped (widget));
  check (GTK_WINDOW (fixture->window), widget);
  vd_new_machine_set_file (wizard, kernel);
  ui_test_until (gtk_widget_get_mapped (ui_test_find (widget, GTK_TYPE_BUTTON, "_Create")));
  ui_test_until (gtk_widget_get_sensitive (ui_test_find (widget, GTK_TYPE_BUTTON, "_Create")));
  adw_expander_row_set_expanded (ui_test_find (widget, ADW_TYPE_EXPANDER_ROW, NULL), TRUE);
  check (GTK_WINDOW (fixture->window), widget);
}

static void
test_dialogs (Fixture *fixture, gconstpointer data)
{
  AdwDialog *dialogs[] = { ADW_DIALOG (vd_preferences_new ()), vd_shortcuts_dialog_new (), NULL };

  add_machine (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (dialogs); i++) {
    if (dialogs[i] != NULL)
      adw_dialog_present (dialogs[i], GTK_WIDGET (fixture->window));
    else
      gtk_widget_activate_action (GTK_WIDGET (fixture->window), "win.rename", NULL);
    dialogs[i] =
      adw_application_window_get_visible_dialog (ADW_APPLICATION_WINDOW (fixture->window));
    g_assert_nonnull (dialogs[i]);
    ui_test_until (gtk_widget_get_mapped (GTK_WIDGET (dialogs[i])));
    check (GTK_WINDOW (fixture->window), GTK_WIDGET (dialogs[i]));
    g_object_add_weak_pointer (G_OBJECT (dialogs[i]), (gpointer *) &dialogs[i]);
    ui_test_xdotool ("key Escape");
    ui_test_until (dialogs[i] == NULL);
  }
}

static void
test_console (Fixture *fixture, gconstpointer data)
{
  GtkWindow *console = GTK_WINDOW (
    vd_console_window_new (GTK_APPLICATION (fixture->application), add_machine (fixture)));

  ui_test_present (console);
  check (console, GTK_WIDGET (console));
  gtk_window_destroy (console);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/accessible/" name, Fixture, application, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  AdwApplication *application;
  int status;

  g_setenv ("GTK_A11Y", "test", TRUE); /* names are kept, nobody is told */
  g_test_init (&argc, &argv, NULL);
  application = ui_application_new ();
  vd_shortcuts_install (GTK_APPLICATION (application));
  ADD ("welcome", test_welcome);
  ADD ("library", test_library);
  ADD ("new-machine", test_new_machine);
  ADD ("dialogs", test_dialogs);
  ADD ("console", test_console);
  status = g_test_run ();
  g_object_unref (application);
  return status;
}
