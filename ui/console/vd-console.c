/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-console-private.h"

#include <math.h>

#include "vd-texture.h"

#define RESIZE_DELAY_MS 250 /* a size is asked for when the window has come to rest */

enum { PROP_0, PROP_DISPLAY, PROP_CAPTURED, PROP_GUEST_WIDTH, PROP_GUEST_HEIGHT, N_PROPS };
static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (VdConsole, vd_console, GTK_TYPE_WIDGET)

/* Device pixels of one logical pixel; not always whole. */
static double
vd_console_get_scale (VdConsole *self)
{
  GtkNative *native = gtk_widget_get_native (GTK_WIDGET (self));
  GdkSurface *surface = native != NULL ? gtk_native_get_surface (native) : NULL;

  return surface != NULL ? gdk_surface_get_scale (surface) : 1;
}

/* The largest place for the picture, its shape kept, whole device pixels, in the middle. */
static void
vd_console_place_picture (VdConsole *self, int width, int height)
{
  double scale = vd_console_get_scale (self), ratio, w, h;
  guint guest_width, guest_height;

  if (!vd_screen_get_size (self->screen, &guest_width, &guest_height)) {
    self->picture = GRAPHENE_RECT_INIT (0, 0, width, height);
    return;
  }
  ratio = MIN (width * scale / guest_width, height * scale / guest_height);
  w = MAX (1, round (guest_width * ratio)) / scale;
  h = MAX (1, round (guest_height * ratio)) / scale;
  self->picture = GRAPHENE_RECT_INIT (floor ((width - w) * scale / 2) / scale,
                                      floor ((height - h) * scale / 2) / scale, w, h);
}

static gboolean
vd_console_request_size (gpointer data)
{
  VdConsole *self = data;
  double scale = vd_console_get_scale (self);
  int width = gtk_widget_get_width (GTK_WIDGET (self)),
      height = gtk_widget_get_height (GTK_WIDGET (self));

  self->resize_timeout = 0;
  /* One that is shown but has no size yet asks when it gets one. */
  if (self->display != NULL && gtk_widget_get_mapped (GTK_WIDGET (self)) && width > 0 && height > 0)
    vd_display_request_size (self->display, width * scale, height * scale);
  return G_SOURCE_REMOVE;
}

static void
vd_console_queue_request (VdConsole *self)
{
  g_clear_handle_id (&self->resize_timeout, g_source_remove);
  if (g_settings_get_boolean (self->settings, "resize-guest"))
    self->resize_timeout = g_timeout_add (RESIZE_DELAY_MS, vd_console_request_size, self);
}

static void
vd_console_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  VdConsole *self = VD_CONSOLE (widget);
  GskTransform *transform;

  vd_console_place_picture (self, width, height);
  vd_screen_set_scale (self->screen, vd_console_get_scale (self));
  transform = gsk_transform_translate (NULL, &self->picture.origin);
  gtk_widget_allocate (self->offload, ceil (self->picture.size.width),
                       ceil (self->picture.size.height), -1, transform);
  vd_console_queue_request (self);
}

static void
vd_console_measure (GtkWidget *widget,
                    GtkOrientation orientation,
                    int for_size,
                    int *minimum,
                    int *natural,
                    int *minimum_baseline,
                    int *natural_baseline)
{
  VdConsole *self = VD_CONSOLE (widget);
  guint width = 1024, height = 640;

  if (vd_screen_get_size (self->screen, &width, &height)) {
    width /= vd_console_get_scale (self);
    height /= vd_console_get_scale (self);
  }
  *minimum = 64;
  *natural = MAX (64, orientation == GTK_ORIENTATION_HORIZONTAL ? width : height);
}

static void
vd_console_screen_resized (VdConsole *self)
{
  gtk_widget_queue_resize (GTK_WIDGET (self));
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_GUEST_WIDTH]);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_GUEST_HEIGHT]);
}

/* The host's pointer takes the shape of the guest's. */
static void
vd_console_update_cursor (VdConsole *self)
{
  g_auto (VdCursor) cursor = { 0 };
  g_autoptr (GdkTexture) texture = NULL;
  g_autoptr (GdkCursor) shape = NULL;

  if (self->display == NULL || !vd_display_take_cursor (self->display, &cursor))
    return;
  if (cursor.serial == 0 && !cursor.drawn)
    return; /* the guest has never set one: keep the host's */

  if (cursor.visible && !cursor.drawn)
    texture = vd_texture_new_for_cursor (&cursor);
  if (texture != NULL)
    shape = gdk_cursor_new_from_texture (texture, cursor.hot_x, cursor.hot_y, NULL);
  else
    shape = gdk_cursor_new_from_name ("none", NULL);
  gtk_widget_set_cursor (GTK_WIDGET (self), shape);
}

void
vd_console_set_display (VdConsole *self, VdDisplay *display)
{
  if (self->display == display)
    return;
  vd_console_set_captured (self, FALSE);
  if (self->display != NULL) {
    vd_display_release_all (self->display);
    g_clear_signal_handler (&self->changed_handler, self->display);
  }
  g_set_object (&self->display, display);
  vd_screen_set_display (self->screen, display);
  gtk_widget_set_cursor (GTK_WIDGET (self), NULL);
  if (display != NULL) {
    self->changed_handler =
      g_signal_connect_swapped (display, "changed", G_CALLBACK (vd_console_update_cursor), self);
    vd_console_update_cursor (self);
    vd_console_queue_request (self);
  }
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_DISPLAY]);
}

gboolean
vd_console_get_guest_size (VdConsole *self, guint *width, guint *height)
{
  return vd_screen_get_size (self->screen, width, height);
}

static void
vd_console_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  VdConsole *self = VD_CONSOLE (object);
  guint width = 0, height = 0;

  vd_screen_get_size (self->screen, &width, &height);
  switch (id) {
  case PROP_DISPLAY:
    g_value_set_object (value, self->display);
    break;
  case PROP_CAPTURED:
    g_value_set_boolean (value, self->captured);
    break;
  case PROP_GUEST_WIDTH:
    g_value_set_uint (value, width);
    break;
  case PROP_GUEST_HEIGHT:
    g_value_set_uint (value, height);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
vd_console_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_DISPLAY)
    vd_console_set_display (VD_CONSOLE (object), g_value_get_object (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
vd_console_unroot (GtkWidget *widget)
{
  vd_console_leave_root (VD_CONSOLE (widget));
  GTK_WIDGET_CLASS (vd_console_parent_class)->unroot (widget);
}

static void
vd_console_dispose (GObject *object)
{
  VdConsole *self = VD_CONSOLE (object);

  g_clear_handle_id (&self->resize_timeout, g_source_remove);
  if (self->screen != NULL)
    vd_console_set_display (self, NULL);
  g_clear_pointer (&self->offload, gtk_widget_unparent);
  g_clear_object (&self->screen);
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (vd_console_parent_class)->dispose (object);
}

static void
vd_console_class_init (VdConsoleClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  const GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->dispose = vd_console_dispose;
  object_class->get_property = vd_console_get_property;
  object_class->set_property = vd_console_set_property;
  widget_class->size_allocate = vd_console_size_allocate;
  widget_class->measure = vd_console_measure;
  widget_class->unroot = vd_console_unroot;

  props[PROP_DISPLAY] =
    g_param_spec_object ("display", NULL, NULL, VD_TYPE_DISPLAY,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  props[PROP_CAPTURED] = g_param_spec_boolean ("captured", NULL, NULL, FALSE, readable);
  props[PROP_GUEST_WIDTH] =
    g_param_spec_uint ("guest-width", NULL, NULL, 0, G_MAXUINT, 0, readable);
  props[PROP_GUEST_HEIGHT] =
    g_param_spec_uint ("guest-height", NULL, NULL, 0, G_MAXUINT, 0, readable);
  g_object_class_install_properties (object_class, N_PROPS, props);

  gtk_widget_class_set_css_name (widget_class, "console");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_APPLICATION);
}

static void
vd_console_init (VdConsole *self)
{
  GtkWidget *picture = gtk_picture_new ();

  self->settings = g_settings_new (APP_ID);
  self->screen = vd_screen_new ();
  gtk_picture_set_paintable (GTK_PICTURE (picture), GDK_PAINTABLE (self->screen));
  gtk_picture_set_can_shrink (GTK_PICTURE (picture), TRUE);
  gtk_picture_set_content_fit (GTK_PICTURE (picture), GTK_CONTENT_FIT_FILL);
  self->offload = gtk_graphics_offload_new (picture);
  gtk_widget_set_parent (self->offload, GTK_WIDGET (self));
  g_signal_connect_swapped (self->screen, "invalidate-size", G_CALLBACK (vd_console_screen_resized),
                            self);
  g_signal_connect_swapped (self->settings, "changed::resize-guest",
                            G_CALLBACK (vd_console_queue_request), self);
  vd_console_init_input (self);
}
