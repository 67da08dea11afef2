/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-texture.h"

#include <drm/drm_fourcc.h>

static const struct {
  guint32 fourcc;
  GdkMemoryFormat format;
  guint red, green, blue; /* bytes of a pixel */
} formats[] = {
  { DRM_FORMAT_XRGB8888, GDK_MEMORY_B8G8R8X8, 2, 1, 0 },
  { DRM_FORMAT_ARGB8888, GDK_MEMORY_B8G8R8A8_PREMULTIPLIED, 2, 1, 0 },
  { DRM_FORMAT_XBGR8888, GDK_MEMORY_R8G8B8X8, 0, 1, 2 },
  { DRM_FORMAT_ABGR8888, GDK_MEMORY_R8G8B8A8_PREMULTIPLIED, 0, 1, 2 },
  { DRM_FORMAT_BGRX8888, GDK_MEMORY_X8R8G8B8, 1, 2, 3 },
  { DRM_FORMAT_BGRA8888, GDK_MEMORY_A8R8G8B8_PREMULTIPLIED, 1, 2, 3 },
  { DRM_FORMAT_RGBX8888, GDK_MEMORY_X8B8G8R8, 3, 2, 1 },
  { DRM_FORMAT_RGBA8888, GDK_MEMORY_A8B8G8R8_PREMULTIPLIED, 3, 2, 1 },
};

static int
find_format (guint32 fourcc)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (formats[i].fourcc == fourcc)
      return i;
  return -1;
}

/* Whether all pixels that the frame claims lie in its bytes. */
static gboolean
frame_is_whole (const VdFrame *frame)
{
  guint64 end;

  if (frame->pixels == NULL || frame->width == 0 || frame->height == 0 ||
      frame->width > G_MAXINT16 || frame->height > G_MAXINT16 || frame->stride < frame->width * 4)
    return FALSE;
  end = (guint64) frame->stride * (frame->height - 1) + (guint64) frame->width * 4;
  return frame->offset <= g_bytes_get_size (frame->pixels) &&
         end <= g_bytes_get_size (frame->pixels) - frame->offset;
}

static GdkTexture *
texture_over_dmabuf (const VdFrame *frame, GdkTexture *before)
{
  g_autoptr (GdkDmabufTextureBuilder) builder = gdk_dmabuf_texture_builder_new ();
  GBytes *keep = g_bytes_ref (frame->pixels);
  g_autoptr (GError) error = NULL;
  GdkTexture *texture;

  gdk_dmabuf_texture_builder_set_display (builder, gdk_display_get_default ());
  gdk_dmabuf_texture_builder_set_width (builder, frame->width);
  gdk_dmabuf_texture_builder_set_height (builder, frame->height);
  gdk_dmabuf_texture_builder_set_fourcc (builder, frame->fourcc);
  gdk_dmabuf_texture_builder_set_modifier (builder, DRM_FORMAT_MOD_LINEAR);
  gdk_dmabuf_texture_builder_set_n_planes (builder, 1);
  gdk_dmabuf_texture_builder_set_fd (builder, 0, frame->dmabuf);
  gdk_dmabuf_texture_builder_set_offset (builder, 0, frame->offset);
  gdk_dmabuf_texture_builder_set_stride (builder, 0, frame->stride);
  if (before != NULL)
    gdk_dmabuf_texture_builder_set_update_texture (builder, before);
  texture =
    gdk_dmabuf_texture_builder_build (builder, (GDestroyNotify) g_bytes_unref, keep, &error);
  if (texture == NULL) {
    g_debug ("no dma-buf texture, using memory: %s", error->message);
    g_bytes_unref (keep);
  }
  return texture;
}

static GdkTexture *
texture_over_memory (const VdFrame *frame, GdkMemoryFormat format, GdkTexture *before)
{
  g_autoptr (GdkMemoryTextureBuilder) builder = gdk_memory_texture_builder_new ();
  g_autoptr (GBytes) view =
    g_bytes_new_from_bytes (frame->pixels, frame->offset,
                            (gsize) frame->stride * (frame->height - 1) + (gsize) frame->width * 4);
  const VdRect *damage = &frame->damage;

  gdk_memory_texture_builder_set_bytes (builder, view);
  gdk_memory_texture_builder_set_width (builder, frame->width);
  gdk_memory_texture_builder_set_height (builder, frame->height);
  gdk_memory_texture_builder_set_stride (builder, frame->stride);
  gdk_memory_texture_builder_set_format (builder, format);
  if (before != NULL && gdk_texture_get_width (before) == (int) frame->width &&
      gdk_texture_get_height (before) == (int) frame->height && damage->width > 0) {
    cairo_rectangle_int_t rect = { damage->x, damage->y, damage->width, damage->height };
    cairo_region_t *region = cairo_region_create_rectangle (&rect);

    gdk_memory_texture_builder_set_update_texture (builder, before);
    gdk_memory_texture_builder_set_update_region (builder, region);
    cairo_region_destroy (region);
  }
  return gdk_memory_texture_builder_build (builder);
}

GdkTexture *
vd_texture_new_for_frame (const VdFrame *frame, GdkTexture *before)
{
  int format = find_format (frame->fourcc);
  GdkTexture *texture = NULL;

  if (format < 0 || !frame_is_whole (frame))
    return NULL;
  if (frame->dmabuf >= 0)
    texture = texture_over_dmabuf (frame, before);
  if (texture == NULL)
    texture = texture_over_memory (frame, formats[format].format, before);
  return texture;
}

GdkTexture *
vd_texture_new_for_cursor (const VdCursor *cursor)
{
  if (cursor->pixels == NULL || cursor->width == 0 || cursor->height == 0 ||
      g_bytes_get_size (cursor->pixels) < (gsize) cursor->width * cursor->height * 4)
    return NULL;
  return gdk_memory_texture_new (cursor->width, cursor->height, GDK_MEMORY_B8G8R8A8_PREMULTIPLIED,
                                 cursor->pixels, cursor->width * 4);
}

/* The mean of the block of guest pixels that falls on one pixel of the thumbnail, thinned to at
 * most 4 x 4 samples: a thumbnail costs the same whatever the size of the screen. */
static void
average_block (const VdFrame *frame,
               const guint8 *pixels,
               int format,
               guint x0,
               guint y0,
               guint x1,
               guint y1,
               guint8 *to)
{
  guint step_x = MAX (1, (x1 - x0) / 4), step_y = MAX (1, (y1 - y0) / 4);
  guint red = 0, green = 0, blue = 0, n = 0;

  for (guint y = y0; y < y1; y += step_y)
    for (guint x = x0; x < x1; x += step_x) {
      const guint8 *pixel = pixels + (gsize) y * frame->stride + (gsize) x * 4;

      red += pixel[formats[format].red];
      green += pixel[formats[format].green];
      blue += pixel[formats[format].blue];
      n++;
    }
  to[0] = red / n;
  to[1] = green / n;
  to[2] = blue / n;
}

GdkTexture *
vd_texture_new_thumbnail (const VdFrame *frame, guint max_width, guint max_height)
{
  int format = find_format (frame->fourcc);
  const guint8 *pixels;
  g_autoptr (GBytes) bytes = NULL;
  guint width, height;
  guint8 *copy;
  double factor;

  if (format < 0 || !frame_is_whole (frame))
    return NULL;
  factor = MIN (1, MIN ((double) max_width / frame->width, (double) max_height / frame->height));
  width = MAX (1, frame->width * factor);
  height = MAX (1, frame->height * factor);
  pixels = (const guint8 *) g_bytes_get_data (frame->pixels, NULL) + frame->offset;
  copy = g_malloc ((gsize) width * height * 3);
  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++)
      average_block (frame, pixels, format, x * frame->width / width, y * frame->height / height,
                     MAX ((x + 1) * frame->width / width, x * frame->width / width + 1),
                     MAX ((y + 1) * frame->height / height, y * frame->height / height + 1),
                     copy + ((gsize) y * width + x) * 3);
  bytes = g_bytes_new_take (copy, (gsize) width * height * 3);
  return gdk_memory_texture_new (width, height, GDK_MEMORY_R8G8B8, bytes, (gsize) width * 3);
}
