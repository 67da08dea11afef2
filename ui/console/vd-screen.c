/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-screen.h"

#include <math.h>

#include "vd-texture.h"

struct _VdScreen {
  GObject parent_instance;

  /* Owned */
  VdDisplay *display;
  GdkTexture *texture;
  gulong changed_handler;

  double scale;
};

static void vd_screen_paintable_init (GdkPaintableInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (VdScreen,
                               vd_screen,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (GDK_TYPE_PAINTABLE, vd_screen_paintable_init))

/* Takes what waits in the display's mailbox; the display will say "changed" again after that. */
static void
vd_screen_update (VdScreen *self)
{
  g_auto (VdFrame) frame = { .dmabuf = -1 };
  g_autoptr (GdkTexture) before = NULL;

  if (self->display == NULL || !vd_display_take_frame (self->display, &frame))
    return;

  before = g_steal_pointer (&self->texture);
  self->texture = vd_texture_new_for_frame (&frame, before);
}

/* A whole ratio of device pixels keeps the guest's pixels sharp; anything else is smoothed. */
static GskScalingFilter
vd_screen_pick_filter (VdScreen *self, double width)
{
  double ratio = width * self->scale / gdk_texture_get_width (self->texture);

  if (ratio >= 1 && fabs (ratio - round (ratio)) < 0.01)
    return GSK_SCALING_FILTER_NEAREST;
  return ratio < 0.6 ? GSK_SCALING_FILTER_TRILINEAR : GSK_SCALING_FILTER_LINEAR;
}

static void
vd_screen_snapshot (GdkPaintable *paintable, GdkSnapshot *snapshot, double width, double height)
{
  VdScreen *self = VD_SCREEN (paintable);
  graphene_rect_t bounds = GRAPHENE_RECT_INIT (0, 0, width, height);

  vd_screen_update (self);
  if (self->texture == NULL)
    return;

  /* A bare texture node is what offloading to the compositor recognises. */
  if (GDK_IS_DMABUF_TEXTURE (self->texture))
    gtk_snapshot_append_texture (snapshot, self->texture, &bounds);
  else
    gtk_snapshot_append_scaled_texture (snapshot, self->texture,
                                        vd_screen_pick_filter (self, width), &bounds);
}

static int
vd_screen_get_intrinsic_width (GdkPaintable *paintable)
{
  VdScreen *self = VD_SCREEN (paintable);

  return self->texture != NULL ? gdk_texture_get_width (self->texture) : 0;
}

static int
vd_screen_get_intrinsic_height (GdkPaintable *paintable)
{
  VdScreen *self = VD_SCREEN (paintable);

  return self->texture != NULL ? gdk_texture_get_height (self->texture) : 0;
}

static void
vd_screen_paintable_init (GdkPaintableInterface *iface)
{
  iface->snapshot = vd_screen_snapshot;
  iface->get_intrinsic_width = vd_screen_get_intrinsic_width;
  iface->get_intrinsic_height = vd_screen_get_intrinsic_height;
}

/* Only says that there is something to draw: the frame is taken when it is drawn. The size must be
 * known before, so a picture of another size is taken at once. */
static void
vd_screen_display_changed (VdScreen *self)
{
  g_auto (VdFrame) frame = { .dmabuf = -1 };
  gboolean have = vd_display_peek_frame (self->display, &frame);
  guint width = 0, height = 0;

  vd_screen_get_size (self, &width, &height);
  if (width != (have ? frame.width : 0) || height != (have ? frame.height : 0)) {
    vd_screen_update (self);
    gdk_paintable_invalidate_size (GDK_PAINTABLE (self));
  }
  gdk_paintable_invalidate_contents (GDK_PAINTABLE (self));
}

void
vd_screen_set_display (VdScreen *self, VdDisplay *display)
{
  if (self->display == display)
    return;

  if (self->display != NULL) {
    g_clear_signal_handler (&self->changed_handler, self->display);
    vd_display_set_viewed (self->display, FALSE);
  }
  g_clear_object (&self->texture);
  g_set_object (&self->display, display);
  if (display != NULL) {
    self->changed_handler =
      g_signal_connect_swapped (display, "changed", G_CALLBACK (vd_screen_display_changed), self);
    vd_display_set_viewed (display, TRUE);
    vd_screen_display_changed (self);
  }
  gdk_paintable_invalidate_size (GDK_PAINTABLE (self));
}

void
vd_screen_set_scale (VdScreen *self, double scale)
{
  if (self->scale == scale)
    return;
  self->scale = scale;
  gdk_paintable_invalidate_contents (GDK_PAINTABLE (self));
}

gboolean
vd_screen_get_size (VdScreen *self, guint *width, guint *height)
{
  if (self->texture == NULL)
    return FALSE;
  *width = gdk_texture_get_width (self->texture);
  *height = gdk_texture_get_height (self->texture);
  return TRUE;
}

static void
vd_screen_dispose (GObject *object)
{
  vd_screen_set_display (VD_SCREEN (object), NULL);
  G_OBJECT_CLASS (vd_screen_parent_class)->dispose (object);
}

static void
vd_screen_class_init (VdScreenClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = vd_screen_dispose;
}

static void
vd_screen_init (VdScreen *self)
{
  self->scale = 1;
}

VdScreen *
vd_screen_new (void)
{
  return g_object_new (VD_TYPE_SCREEN, NULL);
}
