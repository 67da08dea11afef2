/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdConsole under a virtual screen, with real key and pointer events: what it draws, what the
 * machine gets, who has the keyboard.
 */
#include <adwaita.h>

#include "console/vd-console.h"
#include "test-display.h"
#include "ui-test.h"

typedef struct {
  GtkWindow *window;
  GtkWidget *entry; /* something else that can have the keyboard */
  VdConsole *console;
  TestDisplay *display;
  guint n_shortcuts;
} Fixture;

static gboolean
shortcut (GtkWidget *widget, GVariant *args, gpointer data)
{
  Fixture *fixture = data;

  fixture->n_shortcuts++;
  return TRUE;
}

static void
set_up_hidden (Fixture *fixture, gconstpointer data)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkEventController *shortcuts = gtk_shortcut_controller_new ();

  fixture->console = g_object_new (VD_TYPE_CONSOLE, "vexpand", TRUE, NULL);
  fixture->entry = gtk_entry_new ();
  fixture->display = test_display_new (320, 200);
  fixture->window = GTK_WINDOW (gtk_window_new ());
  gtk_window_set_decorated (fixture->window, FALSE);
  gtk_window_set_default_size (fixture->window, 640, 440);
  gtk_box_append (GTK_BOX (box), fixture->entry);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (fixture->console));
  gtk_window_set_child (fixture->window, box);
  gtk_shortcut_controller_set_scope (GTK_SHORTCUT_CONTROLLER (shortcuts),
                                     GTK_SHORTCUT_SCOPE_MANAGED);
  gtk_event_controller_set_propagation_phase (shortcuts, GTK_PHASE_CAPTURE);
  gtk_shortcut_controller_add_shortcut (
    GTK_SHORTCUT_CONTROLLER (shortcuts),
    gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("<Control>q"),
                      gtk_callback_action_new (shortcut, fixture, NULL)));
  gtk_widget_add_controller (GTK_WIDGET (fixture->window), shortcuts);
  vd_console_set_display (fixture->console, VD_DISPLAY (fixture->display));
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  set_up_hidden (fixture, data);
  ui_test_present (fixture->window);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  gtk_window_destroy (fixture->window);
  g_object_unref (fixture->display);
}

/* The words of @log that are of the kinds (key, size ...) that @wanted has: what else the console
 * tells the guest, its size above all, comes at times of its own, between a press and its release
 * too. */
static char *
only_kinds (const char *log, const char *wanted)
{
  g_auto (GStrv) words = g_strsplit (log, ";", -1), kinds = g_strsplit (wanted, ";", -1);
  GString *kept = g_string_new (";");

  for (guint i = 0; words[i] != NULL && words[i][0] != '\0'; i++)
    for (guint j = 0; kinds[j] != NULL && kinds[j][0] != '\0'; j++) {
      gsize kind = strcspn (kinds[j], " ");

      if (strcspn (words[i], " ") != kind || strncmp (words[i], kinds[j], kind) != 0)
        continue;
      g_string_append_printf (kept, "%s;", words[i]);
      break;
    }
  return g_string_free (kept, FALSE);
}

static gboolean
came (const char *all, const char *words)
{
  g_autofree char *kept = only_kinds (all, words), *wanted = g_strconcat (";", words, NULL);

  return strstr (kept, wanted) != NULL;
}

/* Waits until @words came one after the other; gives all that came. */
static char *
collect_until (Fixture *fixture, const char *words)
{
  g_autoptr (GString) all = g_string_new (NULL);
  gint64 end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC; /* ends a run that would hang */

  while (!came (all->str, words)) {
    g_autofree char *log = NULL;

    g_main_context_iteration (NULL, FALSE);
    g_usleep (1000);
    log = test_display_take_log (fixture->display);
    g_string_append (all, log);
    if (g_get_monotonic_time () > end)
      g_error ("\"%s\" did not come, but \"%s\"", words, all->str);
  }
  return g_strdup (all->str);
}

static void
wait_for (Fixture *fixture, const char *words)
{
  g_free (collect_until (fixture, words));
}

static void
click (Fixture *fixture)
{
  ui_test_pointer_to (GTK_WIDGET (fixture->console), 100, 100);
  ui_test_xdotool ("click 1");
  wait_for (fixture, "button 272 1;button 272 0;");
  g_assert_true (vd_console_get_captured (fixture->console));
}

static void
test_draws (Fixture *fixture, gconstpointer data)
{
  GtkWidget *console = GTK_WIDGET (fixture->console);
  int width = gtk_widget_get_width (console), height = gtk_widget_get_height (console);

  test_display_fill (fixture->display, 0x336699);
  ui_test_until (ui_test_colour (console, width / 2, height / 2) == 0x336699);
  test_display_fill_rect (fixture->display, &(VdRect) { 0, 0, 160, 100 }, 0xff0000);
  ui_test_until (ui_test_colour (console, width / 2 - 20, height / 2 - 20) == 0xff0000);
  g_assert_cmphex (ui_test_colour (console, width / 2 + 20, height / 2 + 20), ==, 0x336699);
}

/* Who does not look takes nothing, and what does not change is not taken again. */
static void
test_unchanged_costs_nothing (Fixture *fixture, gconstpointer data)
{
  guint before;

  test_display_fill (fixture->display, 0x00ff00);
  ui_test_until (ui_test_colour (GTK_WIDGET (fixture->console), 200, 200) == 0x00ff00);
  before = test_display_get_n_takes (fixture->display);
  for (guint i = 0; i < 20; i++) {
    gtk_widget_queue_draw (GTK_WIDGET (fixture->console));
    while (g_main_context_iteration (NULL, FALSE))
      ;
    g_usleep (5000);
  }
  g_assert_cmpuint (test_display_get_n_takes (fixture->display), ==, before);
}

static void
test_pointer (Fixture *fixture, gconstpointer data)
{
  GtkWidget *console = GTK_WIDGET (fixture->console);
  double width = gtk_widget_get_width (console), height = gtk_widget_get_height (console);

  ui_test_pointer_to (console, width / 2, height / 2);
  wait_for (fixture, "move 0.50 0.50;");
  ui_test_xdotool ("click 3");
  wait_for (fixture, "button 273 1;button 273 0;");
  ui_test_xdotool ("click 4");
  wait_for (fixture, "wheel 1 0;");
  ui_test_xdotool ("click 5");
  wait_for (fixture, "wheel -1 0;");
}

static void
test_keys (Fixture *fixture, gconstpointer data)
{
  click (fixture);
  ui_test_xdotool ("key a");
  wait_for (fixture, "key 30 1;key 30 0;");
  ui_test_xdotool ("key F11");
  wait_for (fixture, "key 87 1;key 87 0;");
}

static void
test_shortcuts_go_to_the_guest (Fixture *fixture, gconstpointer data)
{
  click (fixture);
  ui_test_xdotool ("key ctrl+q");
  wait_for (fixture, "key 16 1;");
  g_assert_cmpuint (fixture->n_shortcuts, ==, 0);
  vd_console_set_captured (fixture->console, FALSE);
  ui_test_xdotool ("key ctrl+q");
  ui_test_until (fixture->n_shortcuts == 1);
}

static void
test_release_key (Fixture *fixture, gconstpointer data)
{
  g_autofree char *rest = NULL;

  click (fixture);
  ui_test_xdotool ("key ctrl+alt");
  ui_test_until (!vd_console_get_captured (fixture->console));
  wait_for (fixture, "release;");
  ui_test_xdotool ("key b");
  ui_test_xdotool ("key ctrl+q"); /* when this has come, so has the b */
  ui_test_until (fixture->n_shortcuts == 1);
  rest = test_display_take_log (fixture->display);
  g_assert_null (strstr (rest, "key 48"));
}

static void
test_focus_out_releases (Fixture *fixture, gconstpointer data)
{
  click (fixture);
  ui_test_xdotool ("keydown shift");
  wait_for (fixture, "key 42 1;");
  gtk_widget_grab_focus (fixture->entry);
  wait_for (fixture, "release;");
  g_assert_false (vd_console_get_captured (fixture->console));
  ui_test_xdotool ("keyup shift");
}

static void
test_send_keys (Fixture *fixture, gconstpointer data)
{
  vd_console_send_keys (fixture->console, (const guint[]) { 29, 56, 111, 0 });
  wait_for (fixture, "key 29 1;key 56 1;key 111 1;key 111 0;key 56 0;key 29 0;");
}

static void
test_asks_for_its_size (Fixture *fixture, gconstpointer data)
{
  g_autofree char *words =
    g_strdup_printf ("size %d %d;", gtk_widget_get_width (GTK_WIDGET (fixture->console)),
                     gtk_widget_get_height (GTK_WIDGET (fixture->console)));

  wait_for (fixture, words);
}

/* Shown, but so slowly that it is time to ask before it has any size. */
static void
test_asks_for_no_size_before_it_has_one (Fixture *fixture, gconstpointer data)
{
  g_autofree char *words = NULL, *all = NULL;

  gtk_window_present (fixture->window);
  g_usleep (G_USEC_PER_SEC / 2);
  ui_test_present (fixture->window);
  words = g_strdup_printf ("size %d %d;", gtk_widget_get_width (GTK_WIDGET (fixture->console)),
                           gtk_widget_get_height (GTK_WIDGET (fixture->console)));
  all = collect_until (fixture, words);
  g_assert_null (strstr (all, "size 0 "));
}

static void
test_display_goes (Fixture *fixture, gconstpointer data)
{
  click (fixture);
  test_display_set_cursor (fixture->display, 16, 0xffffffff);
  vd_console_set_display (fixture->console, NULL);
  g_assert_false (vd_console_get_captured (fixture->console));
  ui_test_xdotool ("key ctrl+q");
  ui_test_until (fixture->n_shortcuts == 1);
  ui_test_xdotool ("click 1");
  vd_console_set_display (fixture->console, VD_DISPLAY (fixture->display));
  test_display_fill (fixture->display, 0x0000ff);
  ui_test_until (ui_test_colour (GTK_WIDGET (fixture->console), 200, 200) == 0x0000ff);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/console/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  adw_init ();
  ADD ("draws", test_draws);
  ADD ("unchanged-costs-nothing", test_unchanged_costs_nothing);
  ADD ("pointer", test_pointer);
  ADD ("keys", test_keys);
  ADD ("shortcuts-go-to-the-guest", test_shortcuts_go_to_the_guest);
  ADD ("release-key", test_release_key);
  ADD ("focus-out-releases", test_focus_out_releases);
  ADD ("send-keys", test_send_keys);
  ADD ("asks-for-its-size", test_asks_for_its_size);
  g_test_add ("/console/asks-for-no-size-before-it-has-one", Fixture, NULL, set_up_hidden,
              test_asks_for_no_size_before_it_has_one, tear_down);
  ADD ("display-goes", test_display_goes);
  return g_test_run ();
}
