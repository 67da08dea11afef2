/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test-display.h"

#include <drm/drm_fourcc.h>

struct _TestDisplay {
  VdDisplay parent_instance;

  guint width, height;
  guint32 *pixels;
  GBytes *bytes; /* over pixels, which live as long as the display */
  VdRect damage;
  gboolean changed, cursor_changed;
  VdCursor cursor;
  GString *log;
  guint n_takes;
};

G_DEFINE_FINAL_TYPE (TestDisplay, test_display, VD_TYPE_DISPLAY)

static gboolean
peek_frame (VdDisplay *display, VdFrame *frame)
{
  TestDisplay *self = TEST_DISPLAY (display);

  *frame = (VdFrame) { .pixels = g_bytes_ref (self->bytes),
                       .width = self->width,
                       .height = self->height,
                       .stride = self->width * 4,
                       .fourcc = DRM_FORMAT_XRGB8888,
                       .dmabuf = -1,
                       .damage = self->damage };
  return TRUE;
}

static gboolean
take_frame (VdDisplay *display, VdFrame *frame)
{
  TestDisplay *self = TEST_DISPLAY (display);

  if (!self->changed)
    return FALSE;
  self->changed = FALSE;
  self->n_takes++;
  return peek_frame (display, frame);
}

static gboolean
take_cursor (VdDisplay *display, VdCursor *cursor)
{
  TestDisplay *self = TEST_DISPLAY (display);

  if (!self->cursor_changed)
    return FALSE;
  self->cursor_changed = FALSE;
  *cursor = self->cursor;
  if (cursor->pixels != NULL)
    g_bytes_ref (cursor->pixels);
  return TRUE;
}

static void
key (VdDisplay *display, guint evdev, gboolean pressed)
{
  g_string_append_printf (TEST_DISPLAY (display)->log, "key %u %d;", evdev, pressed);
}

static void
move (VdDisplay *display, double x, double y)
{
  g_string_append_printf (TEST_DISPLAY (display)->log, "move %.2f %.2f;", x, y);
}

static void
button (VdDisplay *display, guint evdev, gboolean pressed)
{
  g_string_append_printf (TEST_DISPLAY (display)->log, "button %u %d;", evdev, pressed);
}

static void
wheel (VdDisplay *display, int vertical, int horizontal)
{
  g_string_append_printf (TEST_DISPLAY (display)->log, "wheel %d %d;", vertical, horizontal);
}

static void
release_all (VdDisplay *display)
{
  g_string_append (TEST_DISPLAY (display)->log, "release;");
}

static void
set_viewed (VdDisplay *display, gboolean viewed)
{
  g_string_append (TEST_DISPLAY (display)->log, viewed ? "viewed;" : "unviewed;");
}

static void
request_size (VdDisplay *display, guint width, guint height)
{
  g_string_append_printf (TEST_DISPLAY (display)->log, "size %u %u;", width, height);
}

static void
test_display_finalize (GObject *object)
{
  TestDisplay *self = TEST_DISPLAY (object);

  g_bytes_unref (self->bytes);
  g_clear_pointer (&self->cursor.pixels, g_bytes_unref);
  g_string_free (self->log, TRUE);
  G_OBJECT_CLASS (test_display_parent_class)->finalize (object);
}

static void
test_display_class_init (TestDisplayClass *klass)
{
  VdDisplayClass *display_class = VD_DISPLAY_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = test_display_finalize;
  display_class->take_frame = take_frame;
  display_class->peek_frame = peek_frame;
  display_class->take_cursor = take_cursor;
  display_class->key = key;
  display_class->move = move;
  display_class->button = button;
  display_class->wheel = wheel;
  display_class->release_all = release_all;
  display_class->set_viewed = set_viewed;
  display_class->request_size = request_size;
}

static void
test_display_init (TestDisplay *self)
{
  self->log = g_string_new (NULL);
}

TestDisplay *
test_display_new (guint width, guint height)
{
  TestDisplay *self = g_object_new (TEST_TYPE_DISPLAY, NULL);

  self->width = width;
  self->height = height;
  self->pixels = g_new0 (guint32, (gsize) width * height);
  self->bytes =
    g_bytes_new_with_free_func (self->pixels, (gsize) width * height * 4, g_free, self->pixels);
  test_display_fill (self, 0);
  return self;
}

void
test_display_fill_rect (TestDisplay *self, const VdRect *rect, guint32 colour)
{
  for (int y = rect->y; y < rect->y + rect->height; y++)
    for (int x = rect->x; x < rect->x + rect->width; x++)
      self->pixels[(gsize) y * self->width + x] = colour;
  self->damage = *rect;
  self->changed = TRUE;
  vd_display_emit_changed (VD_DISPLAY (self));
}

void
test_display_fill (TestDisplay *self, guint32 colour)
{
  test_display_fill_rect (self, &(VdRect) { 0, 0, self->width, self->height }, colour);
}

void
test_display_set_cursor (TestDisplay *self, guint size, guint32 colour)
{
  guint32 *pixels = g_new (guint32, (gsize) size * size);

  for (guint i = 0; i < size * size; i++)
    pixels[i] = colour;
  g_clear_pointer (&self->cursor.pixels, g_bytes_unref);
  self->cursor.visible = TRUE;
  self->cursor.width = self->cursor.height = size;
  self->cursor.serial++;
  self->cursor.pixels = g_bytes_new_take (pixels, (gsize) size * size * 4);
  self->cursor_changed = TRUE;
  vd_display_emit_changed (VD_DISPLAY (self));
}

char *
test_display_take_log (TestDisplay *self)
{
  char *log = g_strdup (self->log->str);

  g_string_truncate (self->log, 0);
  return log;
}

guint
test_display_get_n_takes (TestDisplay *self)
{
  return self->n_takes;
}
