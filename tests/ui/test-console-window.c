/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdConsoleWindow: what keeps a machine from going on is said above its picture, with the way to go
 * on, by real clicks.
 */
#include "console/vd-console-window.h"
#include "library-test.h"
#include "test-display.h"
#include "test-machine.h"
#include "ui-test.h"

#define FULL "The image “/big/disk.raw” cannot grow, because its file system is full: make room."

typedef struct {
  TestMachine *machine;
  TestDisplay *display;
  GtkWindow *window;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer application)
{
  fixture->machine = test_machine_new ("Server");
  fixture->display = test_display_new (320, 200);
  vd_machine_set_display (VD_MACHINE (fixture->machine), VD_DISPLAY (fixture->display));
  vd_machine_set_state (VD_MACHINE (fixture->machine), VD_MACHINE_RUNNING, NULL);
  fixture->window = GTK_WINDOW (vd_console_window_new (GTK_APPLICATION ((gpointer) application),
                                                       VD_MACHINE (fixture->machine)));
  ui_test_present (fixture->window);
}

static void
tear_down (Fixture *fixture, gconstpointer application)
{
  gtk_window_destroy (fixture->window);
  g_object_unref (fixture->machine);
  g_object_unref (fixture->display);
}

static AdwBanner *
find_banner (Fixture *fixture)
{
  return ui_test_find (GTK_WIDGET (fixture->window), ADW_TYPE_BANNER, NULL);
}

static void
test_full_disk (Fixture *fixture, gconstpointer application)
{
  VdMachine *machine = VD_MACHINE (fixture->machine);
  AdwBanner *banner = find_banner (fixture);

  g_assert_false (adw_banner_get_revealed (banner));
  vd_machine_set_state (machine, VD_MACHINE_PAUSED, FULL);
  g_assert_true (adw_banner_get_revealed (banner));
  g_assert_cmpstr (adw_banner_get_title (banner), ==, FULL);
  ui_test_frames (GTK_WIDGET (banner), 30); /* it slides in */
  ui_test_click (ui_test_find (GTK_WIDGET (banner), GTK_TYPE_BUTTON, "_Resume"));
  ui_test_until (test_machine_get_n_resumes (fixture->machine) == 1);
  g_assert_false (adw_banner_get_revealed (banner));
}

/* Who pauses a machine knows why. */
static void
test_paused_by_hand (Fixture *fixture, gconstpointer application)
{
  vd_machine_set_state (VD_MACHINE (fixture->machine), VD_MACHINE_PAUSED, NULL);
  g_assert_false (adw_banner_get_revealed (find_banner (fixture)));
}

/* The machine goes on beside a device that failed: there is nothing to resume. */
static void
test_broken_device (Fixture *fixture, gconstpointer application)
{
  AdwBanner *banner = find_banner (fixture);

  vd_machine_set_state (VD_MACHINE (fixture->machine), VD_MACHINE_RUNNING, "The disk failed.");
  g_assert_true (adw_banner_get_revealed (banner));
  g_assert_null (adw_banner_get_button_label (banner));
}

#define ADD(name, function)                                                                        \
  g_test_add ("/console-window/" name, Fixture, application, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  AdwApplication *application;
  int status;

  g_test_init (&argc, &argv, NULL);
  application = ui_application_new ();
  ADD ("full-disk", test_full_disk);
  ADD ("paused-by-hand", test_paused_by_hand);
  ADD ("broken-device", test_broken_device);
  status = g_test_run ();
  g_object_unref (application);
  return status;
}
