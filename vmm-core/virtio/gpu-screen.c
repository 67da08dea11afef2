/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a viewer sees of virtio-gpu: a resource as a frame, and a cursor.
 *
 * Threads: loop, device locked.
 */
#include <string.h>

#include "vga/vga.h"
#include "virtio/gpu-protocol.h"

#define CURSOR_SIDE 64 /* of a blob, which does not say */
#define MAX_CURSOR  256

#define FOURCC(a, b, c, d)                                                                         \
  ((guint32) (a) | (guint32) (b) << 8 | (guint32) (c) << 16 | (guint32) (d) << 24)

guint32
gpu_fourcc (guint32 format)
{
  switch (format) {
  case FORMAT_B8G8R8A8:
    return FOURCC ('A', 'R', '2', '4');
  case FORMAT_B8G8R8X8:
    return FOURCC ('X', 'R', '2', '4');
  case FORMAT_A8R8G8B8:
    return FOURCC ('B', 'A', '2', '4');
  case FORMAT_X8R8G8B8:
    return FOURCC ('B', 'X', '2', '4');
  case FORMAT_R8G8B8A8:
    return FOURCC ('A', 'B', '2', '4');
  case FORMAT_X8B8G8R8:
    return FOURCC ('R', 'X', '2', '4');
  case FORMAT_A8B8G8R8:
    return FOURCC ('R', 'A', '2', '4');
  case FORMAT_R8G8B8X8:
    return FOURCC ('X', 'B', '2', '4');
  default:
    return 0;
  }
}

gboolean
gpu_scanout_fits (const GpuScanout *scanout, const GpuResource *resource)
{
  const GpuRect *rect = &scanout->rect;
  guint64 end;

  if (rect->width == 0 || rect->height == 0 || !gpu_fourcc (scanout->format) ||
      scanout->stride % GPU_PIXEL || scanout->offset % GPU_PIXEL || rect->width > GPU_MAX_SIDE ||
      rect->height > GPU_MAX_SIDE || rect->x > GPU_MAX_SIDE || rect->y > GPU_MAX_SIDE ||
      scanout->stride < (rect->x + rect->width) * GPU_PIXEL ||
      scanout->offset > resource->info.size)
    return FALSE;
  end = scanout->offset + (guint64) (rect->y + rect->height - 1) * scanout->stride +
        (guint64) (rect->x + rect->width) * GPU_PIXEL;
  return end <= resource->info.size;
}

static guint64
first_pixel (const GpuScanout *scanout)
{
  return scanout->offset + (guint64) scanout->rect.y * scanout->stride +
         (guint64) scanout->rect.x * GPU_PIXEL;
}

/* @rect is one of the screen. Nothing to do for what is looked at where it lies, nor for an image
 * that the guest transfers itself. */
void
gpu_refresh (VirtioGpu *self, GpuResource *resource, const GpuRect *rect)
{
  const GpuScanout *scanout = &self->scanout;
  guint64 at =
    first_pixel (scanout) + (guint64) rect->y * scanout->stride + (guint64) rect->x * GPU_PIXEL;
  guint64 length = (guint64) rect->width * GPU_PIXEL;

  if (!resource->info.blob || !resource->copy)
    return;
  if (gpu_resource_copy (resource, gpu_get_memory (self), at, at, scanout->stride, length,
                         rect->height))
    vmm_display_count_copied (self->display, length * rect->height);
}

gboolean
gpu_show (VirtioGpu *self)
{
  const GpuScanout *scanout = &self->scanout;
  GpuResource *resource = gpu_get_resource (self, scanout->resource);
  VmmFrame frame;
  guint before;

  if (resource)
    self->taken = TRUE;
  if (self->vga)
    vmm_vga_set_shown (self->vga, !self->taken);
  if (!resource) {
    if (self->taken || !self->vga)
      vmm_display_show (self->display, NULL);
    return TRUE;
  }
  before = resource->handles;
  if (!gpu_resource_make_visible (resource, gpu_get_memory (self), self->udmabuf,
                                  GPU_MAX_HANDLES - self->n_handles))
    return FALSE;
  self->n_handles += resource->handles - before;
  gpu_refresh (self, resource, &(GpuRect) { 0, 0, scanout->rect.width, scanout->rect.height });
  frame = (VmmFrame) {
    .buffer = resource->buffer,
    .offset = first_pixel (scanout),
    .width = scanout->rect.width,
    .height = scanout->rect.height,
    .stride = scanout->stride,
    .fourcc = gpu_fourcc (scanout->format),
  };
  vmm_display_show (self->display, &frame);
  return TRUE;
}

/* The picture of a cursor, a copy of its own: cursors are small and outlive their resource. */
static GBytes *
cursor_pixels (VirtioGpu *self, GpuResource *resource, guint width, guint height)
{
  gsize size = (gsize) width * height * GPU_PIXEL, done = 0;
  g_autofree guint8 *pixels = NULL;

  if (width > MAX_CURSOR || height > MAX_CURSOR || resource->info.size < size)
    return NULL;
  pixels = g_malloc (size);
  if (!resource->info.blob) {
    memcpy (pixels, resource->copy, size);
    return g_bytes_new_take (g_steal_pointer (&pixels), size);
  }
  for (guint i = 0; i < resource->info.n_entries && done < size; i++) {
    gsize part = MIN (resource->entries[i].length, size - done);

    if (!vmm_memory_read (gpu_get_memory (self), resource->entries[i].address, pixels + done, part))
      return NULL;
    done += part;
  }
  return done == size ? g_bytes_new_take (g_steal_pointer (&pixels), size) : NULL;
}

void
gpu_show_cursor (VirtioGpu *self)
{
  GpuResource *resource = gpu_get_resource (self, self->cursor.resource);
  VmmCursor cursor = { .hot_x = self->cursor.hot_x, .hot_y = self->cursor.hot_y };

  if (resource) {
    cursor.width = resource->info.blob ? CURSOR_SIDE : resource->info.width;
    cursor.height = resource->info.blob ? CURSOR_SIDE : resource->info.height;
    cursor.pixels = cursor_pixels (self, resource, cursor.width, cursor.height);
  }
  vmm_display_set_cursor (self->display, &cursor);
  vmm_display_move_cursor (self->display, (int) (self->cursor.x + self->cursor.hot_x),
                           (int) (self->cursor.y + self->cursor.hot_y), cursor.pixels != NULL);
  g_clear_pointer (&cursor.pixels, g_bytes_unref);
}
