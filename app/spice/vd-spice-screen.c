/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdSpiceScreen.
 *
 * Threads: main.
 */
#include "spice/vd-spice-screen.h"

#include <string.h>

#define MAX_SIDE 16384
#define XRGB8888 0x34325258 /* DRM_FORMAT_XRGB8888 */

static gboolean
is_empty (const VdRect *rect)
{
  return rect->width <= 0 || rect->height <= 0;
}

static void
unite (VdRect *all, const VdRect *rect)
{
  int right, bottom;

  if (is_empty (rect))
    return;
  if (is_empty (all)) {
    *all = *rect;
    return;
  }
  right = MAX (all->x + all->width, rect->x + rect->width);
  bottom = MAX (all->y + all->height, rect->y + rect->height);
  all->x = MIN (all->x, rect->x);
  all->y = MIN (all->y, rect->y);
  all->width = right - all->x;
  all->height = bottom - all->y;
}

/* What of @rect lies on the screen; the server may say anything. */
static VdRect
clip (const VdSpiceScreen *self, const VdRect *rect)
{
  gint64 left = CLAMP (rect->x, 0, (gint64) self->width);
  gint64 top = CLAMP (rect->y, 0, (gint64) self->height);
  gint64 right = CLAMP ((gint64) rect->x + rect->width, left, (gint64) self->width);
  gint64 bottom = CLAMP ((gint64) rect->y + rect->height, top, (gint64) self->height);

  return (VdRect) { left, top, right - left, bottom - top };
}

static void
copy_stale (VdSpiceScreen *self)
{
  VdRect rect = self->stale;
  guint8 *target;

  if (self->source == NULL || is_empty (&rect))
    return;
  target = (guint8 *) g_bytes_get_data (self->pixels, NULL);
  for (int y = rect.y; y < rect.y + rect.height; y++) {
    gsize offset = (gsize) y * self->stride + (gsize) rect.x * 4;

    memcpy (target + offset, self->source + offset, (gsize) rect.width * 4);
  }
  unite (&self->damage, &rect);
  self->stale = (VdRect) { 0 };
}

gboolean
vd_spice_screen_set_source (VdSpiceScreen *self,
                            const guint8 *source,
                            guint width,
                            guint height,
                            guint stride)
{
  gsize size = (gsize) stride * height;
  guint8 *pixels;

  copy_stale (self);
  self->source = NULL;
  if (source == NULL)
    return TRUE;
  if (width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE || stride < width * 4 ||
      stride > MAX_SIDE * 8 || (pixels = g_try_malloc0 (size)) == NULL)
    return FALSE;
  g_clear_pointer (&self->pixels, g_bytes_unref);
  self->pixels = g_bytes_new_take (pixels, size);
  self->source = source;
  self->width = width;
  self->height = height;
  self->stride = stride;
  self->serial++;
  self->stale = self->damage = (VdRect) { 0, 0, width, height };
  return TRUE;
}

void
vd_spice_screen_draw (VdSpiceScreen *self, const VdRect *rect)
{
  VdRect visible = clip (self, rect);

  self->serial += !is_empty (&visible);
  unite (&self->stale, &visible);
}

void
vd_spice_screen_peek (VdSpiceScreen *self, VdFrame *frame)
{
  copy_stale (self);
  *frame = (VdFrame) {
    .pixels = self->pixels != NULL ? g_bytes_ref (self->pixels) : NULL,
    .width = self->width,
    .height = self->height,
    .stride = self->stride,
    .fourcc = XRGB8888,
    .dmabuf = -1,
    .damage = self->damage,
    .serial = self->serial,
  };
}

gboolean
vd_spice_screen_take (VdSpiceScreen *self, VdFrame *frame)
{
  if (is_empty (&self->stale) && is_empty (&self->damage))
    return FALSE;
  vd_spice_screen_peek (self, frame);
  self->damage = (VdRect) { 0 };
  return TRUE;
}

void
vd_spice_screen_touch (VdSpiceScreen *self)
{
  self->damage = (VdRect) { 0, 0, self->width, self->height };
}

void
vd_spice_screen_clear (VdSpiceScreen *self)
{
  g_clear_pointer (&self->pixels, g_bytes_unref);
  *self = (VdSpiceScreen) { 0 };
}
