/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-thumbnail.h"

#include "console/vd-texture.h"

#define REFRESH_S 1

struct _VdThumbnail {
  GtkWidget parent_instance;

  /* Owned */
  VdMachine *machine;
  GtkWidget *picture;
  GtkWidget *icon; /* while there is no picture */
  GCancellable *loading;
  GSignalGroup *signals;
  guint timeout;

  guint pixels;   /* the widest picture that is wanted */
  guint64 serial; /* of the frame that is shown, 0 where it is not known */
};

enum { PROP_0, PROP_MACHINE, PROP_PIXELS, N_PROPS };
static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (VdThumbnail, vd_thumbnail, GTK_TYPE_WIDGET)

static void
vd_thumbnail_show (VdThumbnail *self, GdkPaintable *paintable)
{
  gtk_picture_set_paintable (GTK_PICTURE (self->picture), paintable);
  gtk_widget_set_visible (self->icon, paintable == NULL);
  if (paintable != NULL)
    gtk_widget_add_css_class (GTK_WIDGET (self), "screen");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self), "screen");
}

static gboolean
vd_thumbnail_refresh (gpointer data)
{
  VdThumbnail *self = data;
  VdDisplay *display = vd_machine_get_display (self->machine);
  g_auto (VdFrame) frame = { .dmabuf = -1 };
  g_autoptr (GdkTexture) texture = NULL;

  if (display == NULL || !vd_display_peek_frame (display, &frame) ||
      (frame.serial != 0 && frame.serial == self->serial))
    return G_SOURCE_CONTINUE;
  texture = vd_texture_new_thumbnail (&frame, self->pixels, self->pixels);
  if (texture != NULL) {
    vd_thumbnail_show (self, GDK_PAINTABLE (texture));
    self->serial = frame.serial;
  }
  return G_SOURCE_CONTINUE;
}

static void
load_texture (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  GdkTexture *texture = gdk_texture_new_from_file (data, &error);

  if (texture == NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, texture, g_object_unref);
}

static void
texture_loaded (GObject *object, GAsyncResult *result, gpointer data)
{
  VdThumbnail *self = VD_THUMBNAIL (object);
  g_autoptr (GError) error = NULL;
  g_autoptr (GdkTexture) texture = g_task_propagate_pointer (G_TASK (result), &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  vd_thumbnail_show (self, (GdkPaintable *) texture);
}

static void
vd_thumbnail_load (VdThumbnail *self, GFile *file)
{
  g_autoptr (GTask) task = NULL;

  self->loading = g_cancellable_new ();
  task = g_task_new (self, self->loading, texture_loaded, NULL);
  g_task_set_task_data (task, g_object_ref (file), g_object_unref);
  g_task_run_in_thread (task, load_texture);
}

/* Decides where the picture comes from now. */
static void
vd_thumbnail_update (VdThumbnail *self)
{
  GFile *saved;

  g_clear_handle_id (&self->timeout, g_source_remove);
  if (self->loading != NULL)
    g_cancellable_cancel (self->loading);
  g_clear_object (&self->loading);
  self->serial = 0; /* of another display, perhaps */
  if (self->machine == NULL || !gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;

  if (vd_machine_get_display (self->machine) != NULL) {
    vd_thumbnail_refresh (self);
    self->timeout = g_timeout_add_seconds (REFRESH_S, vd_thumbnail_refresh, self);
  } else if ((saved = vd_machine_get_screenshot (self->machine)) != NULL) {
    vd_thumbnail_load (self, saved);
  } else {
    vd_thumbnail_show (self, NULL);
  }
  if (vd_machine_is_active (self->machine))
    gtk_widget_remove_css_class (self->picture, "dimmed");
  else
    gtk_widget_add_css_class (self->picture, "dimmed");
}

void
vd_thumbnail_set_machine (VdThumbnail *self, VdMachine *machine)
{
  if (!g_set_object (&self->machine, machine))
    return;
  vd_thumbnail_show (self, NULL);
  g_signal_group_set_target (self->signals, machine);
  vd_thumbnail_update (self);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MACHINE]);
}

static void
vd_thumbnail_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (vd_thumbnail_parent_class)->map (widget);
  vd_thumbnail_update (VD_THUMBNAIL (widget));
}

static void
vd_thumbnail_unmap (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (vd_thumbnail_parent_class)->unmap (widget);
  vd_thumbnail_update (VD_THUMBNAIL (widget));
}

static GtkSizeRequestMode
vd_thumbnail_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

/* Always 16 to 10, whatever the guest's shape: a list of them stays calm. */
static void
vd_thumbnail_measure (GtkWidget *widget,
                      GtkOrientation orientation,
                      int for_size,
                      int *minimum,
                      int *natural,
                      int *minimum_baseline,
                      int *natural_baseline)
{
  VdThumbnail *self = VD_THUMBNAIL (widget);

  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    *minimum = 32;
    *natural = self->pixels;
  } else {
    *minimum = *natural =
      (for_size > 0 ? MIN (for_size, (int) self->pixels) : (int) self->pixels) * 10 / 16;
  }
}

static void
vd_thumbnail_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  VdThumbnail *self = VD_THUMBNAIL (widget);

  gtk_widget_allocate (self->picture, width, height, -1, NULL);
  if (gtk_widget_get_visible (self->icon)) {
    gtk_image_set_pixel_size (GTK_IMAGE (self->icon), CLAMP (height / 2, 16, 96));
    gtk_widget_measure (self->icon, GTK_ORIENTATION_HORIZONTAL, -1, NULL, NULL, NULL, NULL);
    gtk_widget_allocate (self->icon, width, height, -1, NULL);
  }
}

static void
vd_thumbnail_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  VdThumbnail *self = VD_THUMBNAIL (object);

  if (id == PROP_MACHINE)
    g_value_set_object (value, self->machine);
  else if (id == PROP_PIXELS)
    g_value_set_uint (value, self->pixels);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
vd_thumbnail_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  VdThumbnail *self = VD_THUMBNAIL (object);

  if (id == PROP_MACHINE)
    vd_thumbnail_set_machine (self, g_value_get_object (value));
  else if (id == PROP_PIXELS)
    self->pixels = g_value_get_uint (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
vd_thumbnail_dispose (GObject *object)
{
  VdThumbnail *self = VD_THUMBNAIL (object);

  g_clear_handle_id (&self->timeout, g_source_remove);
  if (self->loading != NULL)
    g_cancellable_cancel (self->loading);
  g_clear_object (&self->loading);
  g_clear_object (&self->signals);
  g_clear_object (&self->machine);
  g_clear_pointer (&self->picture, gtk_widget_unparent);
  g_clear_pointer (&self->icon, gtk_widget_unparent);
  G_OBJECT_CLASS (vd_thumbnail_parent_class)->dispose (object);
}

static void
vd_thumbnail_class_init (VdThumbnailClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  object_class->dispose = vd_thumbnail_dispose;
  object_class->get_property = vd_thumbnail_get_property;
  object_class->set_property = vd_thumbnail_set_property;
  widget_class->map = vd_thumbnail_map;
  widget_class->unmap = vd_thumbnail_unmap;
  widget_class->get_request_mode = vd_thumbnail_get_request_mode;
  widget_class->measure = vd_thumbnail_measure;
  widget_class->size_allocate = vd_thumbnail_size_allocate;

  props[PROP_MACHINE] = g_param_spec_object ("machine", NULL, NULL, VD_TYPE_MACHINE, flags);
  props[PROP_PIXELS] =
    g_param_spec_uint ("pixels", NULL, NULL, 32, 4096, 640, flags | G_PARAM_CONSTRUCT);
  g_object_class_install_properties (object_class, N_PROPS, props);

  gtk_widget_class_set_css_name (widget_class, "thumbnail");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
vd_thumbnail_init (VdThumbnail *self)
{
  self->picture = gtk_picture_new ();
  gtk_picture_set_content_fit (GTK_PICTURE (self->picture), GTK_CONTENT_FIT_CONTAIN);
  gtk_widget_set_parent (self->picture, GTK_WIDGET (self));
  self->icon = gtk_image_new_from_icon_name ("com.example.VirtDesk-symbolic");
  gtk_widget_add_css_class (self->icon, "dim-label");
  gtk_widget_set_parent (self->icon, GTK_WIDGET (self));
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);

  self->signals = g_signal_group_new (VD_TYPE_MACHINE);
  g_signal_group_connect_swapped (self->signals, "notify::display",
                                  G_CALLBACK (vd_thumbnail_update), self);
  g_signal_group_connect_swapped (self->signals, "notify::screenshot",
                                  G_CALLBACK (vd_thumbnail_update), self);
  g_signal_group_connect_swapped (self->signals, "notify::state", G_CALLBACK (vd_thumbnail_update),
                                  self);
}
