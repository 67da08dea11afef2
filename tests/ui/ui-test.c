/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui-test.h"

#include <gdk/x11/gdkx.h>

static void
drain (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

void
ui_test_xdotool (const char *format, ...)
{
  g_autofree char *words = NULL, *command = NULL;
  g_autoptr (GError) error = NULL;
  int status = -1;
  va_list args;

  va_start (args, format);
  words = g_strdup_vprintf (format, args);
  va_end (args);
  command = g_strconcat ("xdotool ", words, NULL);
  g_spawn_command_line_sync (command, NULL, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, NULL));
  gdk_display_sync (gdk_display_get_default ());
  drain ();
}

G_GNUC_BEGIN_IGNORE_DEPRECATIONS
static gulong
xid (GtkWidget *widget)
{
  return gdk_x11_surface_get_xid (gtk_native_get_surface (gtk_widget_get_native (widget)));
}
G_GNUC_END_IGNORE_DEPRECATIONS

void
ui_test_present (GtkWindow *window)
{
  gtk_window_present (window);
  ui_test_until (gtk_widget_get_mapped (GTK_WIDGET (window)));
  ui_test_xdotool ("windowactivate --sync %lu", xid (GTK_WIDGET (window)));
  ui_test_until (gtk_window_is_active (window) && gtk_widget_get_width (GTK_WIDGET (window)) > 0);
}

static void
count_frame (GdkFrameClock *clock, guint *n)
{
  ++*n;
}

void
ui_test_frames (GtkWidget *widget, guint n)
{
  GtkWidget *window = GTK_WIDGET (gtk_widget_get_root (widget));
  GdkFrameClock *clock = gtk_widget_get_frame_clock (window);
  guint seen = 0;
  gulong handler = g_signal_connect (clock, "after-paint", G_CALLBACK (count_frame), &seen);

  while (seen < n) {
    guint before = seen;

    gtk_widget_queue_draw (window);
    ui_test_until (seen > before);
  }
  g_signal_handler_disconnect (clock, handler);
}

guint32
ui_test_colour (GtkWidget *widget, int x, int y)
{
  int width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (widget);
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  GskRenderer *renderer = gtk_native_get_renderer (gtk_widget_get_native (widget));
  g_autoptr (GskRenderNode) node = NULL;
  g_autoptr (GdkTexture) texture = NULL;
  g_autofree guint32 *pixels = NULL;

  gdk_paintable_snapshot (paintable, snapshot, width, height);
  node = gtk_snapshot_to_node (snapshot);
  if (node == NULL)
    return UI_TEST_NOTHING;
  texture = gsk_renderer_render_texture (renderer, node, &GRAPHENE_RECT_INIT (0, 0, width, height));
  pixels = g_new (guint32, (gsize) width * height);
  gdk_texture_download (texture, (guchar *) pixels, (gsize) width * 4);
  return pixels[(gsize) y * width + x] & 0xffffff;
}

void
ui_test_pointer_to (GtkWidget *widget, double x, double y)
{
  GtkNative *native = gtk_widget_get_native (widget);
  graphene_point_t place;
  double offset_x, offset_y;

  gtk_native_get_surface_transform (native, &offset_x, &offset_y);
  g_assert_true (
    gtk_widget_compute_point (widget, GTK_WIDGET (native), &GRAPHENE_POINT_INIT (x, y), &place));
  /* From elsewhere: a pointer that is there already would not move, and nothing would be told. */
  ui_test_xdotool ("mousemove 0 0");
  ui_test_xdotool ("mousemove --window %lu %d %d", xid (widget), (int) (place.x + offset_x),
                   (int) (place.y + offset_y));
}

void
ui_test_click (GtkWidget *widget)
{
  ui_test_until (gtk_widget_get_mapped (widget) && gtk_widget_get_height (widget) > 0);
  ui_test_pointer_to (widget, gtk_widget_get_width (widget) / 2.0,
                      gtk_widget_get_height (widget) / 2.0);
  ui_test_xdotool ("click 1");
}

gpointer
ui_test_find_icon (GtkWidget *root, const char *icon)
{
  if (GTK_IS_BUTTON (root) && g_strcmp0 (gtk_button_get_icon_name (GTK_BUTTON (root)), icon) == 0)
    return root;
  for (GtkWidget *child = gtk_widget_get_first_child (root); child != NULL;
       child = gtk_widget_get_next_sibling (child)) {
    gpointer found = ui_test_find_icon (child, icon);

    if (found != NULL)
      return found;
  }
  return NULL;
}

static gboolean
is_wanted (GtkWidget *widget, GType type, const char *label)
{
  g_autofree char *text = NULL;

  if (!g_type_is_a (G_OBJECT_TYPE (widget), type))
    return FALSE;
  if (label == NULL)
    return TRUE;
  for (guint i = 0; i < 2; i++) {
    const char *property = i == 0 ? "label" : "title";

    g_clear_pointer (&text, g_free);
    if (g_object_class_find_property (G_OBJECT_GET_CLASS (widget), property) != NULL)
      g_object_get (widget, property, &text, NULL);
    if (g_strcmp0 (text, label) == 0)
      return TRUE;
  }
  return FALSE;
}

gpointer
ui_test_find (GtkWidget *root, GType type, const char *label)
{
  if (is_wanted (root, type, label))
    return root;
  for (GtkWidget *child = gtk_widget_get_first_child (root); child != NULL;
       child = gtk_widget_get_next_sibling (child)) {
    gpointer found = ui_test_find (child, type, label);

    if (found != NULL)
      return found;
  }
  return NULL;
}
