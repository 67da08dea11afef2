/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the tests of widgets share: waiting for what must come, real input by XTest, and
 * pixels of a widget as it was drawn.
 *
 * Threads: main.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Runs the main loop until @condition holds. The limit only ends a run that would hang. */
#define ui_test_until(condition)                                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 ui_test_end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;                            \
    while (!(condition)) {                                                                         \
      g_main_context_iteration (NULL, FALSE);                                                      \
      g_usleep (1000);                                                                             \
      if (g_get_monotonic_time () > ui_test_end)                                                   \
        g_error ("%s:%d: %s did not come", __FILE__, __LINE__, #condition);                        \
    }                                                                                              \
  }                                                                                                \
  G_STMT_END

/* Runs xdotool with these words and lets what it did arrive. */
void ui_test_xdotool (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* Shows the window and gives it the keyboard. */
void ui_test_present (GtkWindow *window);
/* Waits until the window of @widget was drawn @n times anew: layout and focus have come to rest. */
void ui_test_frames (GtkWidget *widget, guint n);
/* The colour (0xRRGGBB) of a point of @widget, drawn now; UI_TEST_NOTHING where it draws none. */
#define UI_TEST_NOTHING 0xff000000
guint32 ui_test_colour (GtkWidget *widget, int x, int y);
/* Place of a widget's point on the screen: windows are put at a known place by present. */
void ui_test_pointer_to (GtkWidget *widget, double x, double y);
/* A real click into its middle. */
void ui_test_click (GtkWidget *widget);
/* The first button below @root with that icon. */
gpointer ui_test_find_icon (GtkWidget *root, const char *icon);
/* The first widget below @root of @type (with @name as its label, or any when NULL). */
gpointer ui_test_find (GtkWidget *root, GType type, const char *label);

G_END_DECLS
