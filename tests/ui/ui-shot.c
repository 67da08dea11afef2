/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui-shot.h"

void
ui_shot_settle (guint ms)
{
  gint64 end = g_get_monotonic_time () + ms * 1000;

  while (g_get_monotonic_time () < end) {
    g_main_context_iteration (NULL, FALSE);
    g_usleep (1000);
  }
}

typedef struct {
  GtkWidget *window;
  GskRenderNode *node;
} Drawn;

/* Right after a frame is the one moment at which nothing waits to be drawn anew. */
static void
after_paint (GdkFrameClock *clock, Drawn *drawn)
{
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (drawn->window);
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();

  gdk_paintable_snapshot (paintable, snapshot, gtk_widget_get_width (drawn->window),
                          gtk_widget_get_height (drawn->window));
  g_clear_pointer (&drawn->node, gsk_render_node_unref);
  drawn->node = gtk_snapshot_to_node (snapshot);
}

/* What the window draws in its next frame. */
static GskRenderNode *
take_node (GtkWidget *window)
{
  Drawn drawn = { window, NULL };
  GdkFrameClock *clock = gtk_widget_get_frame_clock (window);
  gulong handler = g_signal_connect (clock, "after-paint", G_CALLBACK (after_paint), &drawn);

  while (drawn.node == NULL) {
    gtk_widget_queue_draw (window);
    ui_shot_settle (50);
  }
  g_signal_handler_disconnect (clock, handler);
  return drawn.node;
}

void
ui_shot_save (GtkWindow *window, const char *path)
{
  g_autoptr (GskRenderNode) node = take_node (GTK_WIDGET (window));
  g_autoptr (GdkTexture) texture = gsk_renderer_render_texture (
    gtk_native_get_renderer (GTK_NATIVE (window)), node,
    &GRAPHENE_RECT_INIT (0, 0, gtk_widget_get_width (GTK_WIDGET (window)),
                         gtk_widget_get_height (GTK_WIDGET (window))));

  if (!gdk_texture_save_to_png (texture, path))
    g_error ("cannot write %s", path);
}

gboolean
ui_shot_shows_picture (VdMachine *machine)
{
  g_auto (VdFrame) frame = { .dmabuf = -1 };
  VdDisplay *display = vd_machine_get_display (machine);
  const guint8 *pixels;
  gboolean seen[256] = { 0 };
  guint n = 0;

  if (display == NULL || !vd_display_peek_frame (display, &frame) || frame.pixels == NULL)
    return FALSE;
  pixels = g_bytes_get_data (frame.pixels, NULL);
  for (gsize i = frame.offset; i < g_bytes_get_size (frame.pixels); i += 4) {
    n += !seen[pixels[i]];
    seen[pixels[i]] = TRUE;
  }
  return n > 60;
}
