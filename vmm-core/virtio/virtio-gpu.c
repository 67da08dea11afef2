/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-gpu: the device, its resources and what the screen shows. The guest's requests are in
 * gpu-commands.c.
 *
 * Threads: loop, device locked; a viewer's wish for another size comes on its own thread and is
 * only noted and posted.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "virtio/gpu-edid.h"
#include "virtio/virtio-gpu-private.h"
#include "vmm-error.h"

#define QUEUE_SIZE     128
#define CLASS_DISPLAY  0x038000
#define CONTROL        0
#define CURSOR         1
#define F_EDID         1
#define F_BLOB         3
#define EVENT_DISPLAY  1
#define DEFAULT_WIDTH  1280
#define DEFAULT_HEIGHT 800
#define MIN_SIDE       64
#define CURSOR_SIDE    64 /* of a blob, which does not say */
#define MAX_CURSOR     256
#define MAX_RESOURCES  4096
#define MAX_HOST_BYTES (G_GUINT64_CONSTANT (512) << 20)

#define FOURCC(a, b, c, d)                                                                         \
  ((guint32) (a) | (guint32) (b) << 8 | (guint32) (c) << 16 | (guint32) (d) << 24)

typedef struct {
  guint32 events_read, events_clear;
  guint32 n_scanouts, n_capsets;
} Config;

static const VmmField gpu_rect_fields[] = {
  VMM_FIELD (GpuRect, x, VMM_FIELD_UINT32, "x"),
  VMM_FIELD (GpuRect, y, VMM_FIELD_UINT32, "y"),
  VMM_FIELD (GpuRect, width, VMM_FIELD_UINT32, "width"),
  VMM_FIELD (GpuRect, height, VMM_FIELD_UINT32, "height"),
  VMM_FIELD_LAST,
};

static const VmmField gpu_scanout_fields[] = {
  VMM_FIELD (GpuScanout, resource, VMM_FIELD_UINT32, "resource"),
  VMM_FIELD (GpuScanout, format, VMM_FIELD_UINT32, "format"),
  VMM_FIELD (GpuScanout, stride, VMM_FIELD_UINT32, "stride"),
  VMM_EXEMPT (GpuScanout, reserved, "always 0"),
  VMM_FIELD (GpuScanout, offset, VMM_FIELD_UINT64, "offset"),
  VMM_FIELD_PART (GpuScanout, rect, gpu_rect_fields, "rect"),
  VMM_FIELD_LAST,
};

static const VmmField gpu_cursor_fields[] = {
  VMM_FIELD (GpuCursor, resource, VMM_FIELD_UINT32, "resource"),
  VMM_FIELD (GpuCursor, x, VMM_FIELD_UINT32, "x"),
  VMM_FIELD (GpuCursor, y, VMM_FIELD_UINT32, "y"),
  VMM_FIELD (GpuCursor, hot_x, VMM_FIELD_UINT32, "hot-x"),
  VMM_FIELD (GpuCursor, hot_y, VMM_FIELD_UINT32, "hot-y"),
  VMM_FIELD_LAST,
};

static const VmmField virtio_gpu_fields[] = {
  VMM_FIELD_PART (VirtioGpu, parent, vmm_virtio_fields, "virtio"),
  VMM_EXEMPT (VirtioGpu, display, "from the configuration"),
  VMM_EXEMPT (VirtioGpu, udmabuf, "of the host"),
  VMM_EXEMPT (VirtioGpu, resources, "parts of their own"),
  VMM_EXEMPT (VirtioGpu, host_bytes, "follows from the resources"),
  VMM_EXEMPT (VirtioGpu, n_handles, "follows from the resources"),
  VMM_EXEMPT (VirtioGpu, wished_size, "of the viewer"),
  VMM_FIELD (VirtioGpu, width, VMM_FIELD_UINT32, "width"),
  VMM_FIELD (VirtioGpu, height, VMM_FIELD_UINT32, "height"),
  VMM_FIELD (VirtioGpu, events, VMM_FIELD_UINT32, "events"),
  VMM_FIELD (VirtioGpu, n_resources, VMM_FIELD_UINT32, "n-resources"),
  VMM_FIELD_PART (VirtioGpu, scanout, gpu_scanout_fields, "scanout"),
  VMM_FIELD_PART (VirtioGpu, cursor, gpu_cursor_fields, "cursor"),
  VMM_FIELD_LAST,
};

guint32
gpu_fourcc (guint32 format)
{
  switch (format) {
  case 1: /* B8G8R8A8: bytes in this order, DRM says it from the top bits */
    return FOURCC ('A', 'R', '2', '4');
  case 2:
    return FOURCC ('X', 'R', '2', '4');
  case 3:
    return FOURCC ('B', 'A', '2', '4');
  case 4:
    return FOURCC ('B', 'X', '2', '4');
  case 67:
    return FOURCC ('A', 'B', '2', '4');
  case 68:
    return FOURCC ('R', 'X', '2', '4');
  case 121:
    return FOURCC ('R', 'A', '2', '4');
  case 134:
    return FOURCC ('X', 'B', '2', '4');
  default:
    return 0;
  }
}

static VmmMemory *
memory_of (VirtioGpu *self)
{
  return self->parent.parent.parent.board->memory;
}

GpuResource *
gpu_get_resource (VirtioGpu *self, guint32 id)
{
  return g_hash_table_lookup (self->resources, GUINT_TO_POINTER (id));
}

static guint64
cost_of (const GpuResource *resource)
{
  guint64 entries = (guint64) resource->info.n_entries * sizeof (GpuEntry);

  return sizeof *resource + entries + resource->info.size;
}

gboolean
gpu_add_resource (VirtioGpu *self, GpuResource *resource)
{
  guint64 cost = cost_of (resource);

  if (self->n_resources >= MAX_RESOURCES || cost > MAX_HOST_BYTES - self->host_bytes) {
    gpu_resource_free (resource);
    return FALSE;
  }
  resource->cost = cost;
  self->host_bytes += cost;
  self->n_resources++;
  g_hash_table_insert (self->resources, GUINT_TO_POINTER (resource->info.id), resource);
  return TRUE;
}

gboolean
gpu_set_backing (VirtioGpu *self, GpuResource *resource, GpuEntry *entries, guint n_entries)
{
  guint64 before = self->host_bytes - resource->info.n_entries * (guint64) sizeof *entries;
  guint64 cost = n_entries * (guint64) sizeof *entries;

  if (cost > MAX_HOST_BYTES - before)
    return FALSE;
  gpu_resource_set_entries (resource, entries, n_entries);
  resource->cost = cost_of (resource);
  self->host_bytes = before + cost;
  return TRUE;
}

void
gpu_remove_resource (VirtioGpu *self, GpuResource *resource)
{
  guint32 id = resource->info.id;

  if (self->scanout.resource == id) {
    self->scanout = (GpuScanout) { 0 };
    gpu_show (self);
  }
  if (self->cursor.resource == id) {
    self->cursor.resource = 0;
    gpu_show_cursor (self);
  }
  self->host_bytes -= resource->cost;
  self->n_handles -= resource->handles;
  self->n_resources--;
  g_hash_table_remove (self->resources, GUINT_TO_POINTER (id));
}

gboolean
gpu_scanout_fits (const GpuScanout *scanout, const GpuResource *resource)
{
  const GpuRect *rect = &scanout->rect;
  guint64 end;

  if (!gpu_fourcc (scanout->format) || scanout->stride % GPU_PIXEL || scanout->offset % GPU_PIXEL ||
      rect->width > GPU_MAX_SIDE || rect->height > GPU_MAX_SIDE || rect->x > GPU_MAX_SIDE ||
      rect->y > GPU_MAX_SIDE || scanout->stride < (rect->x + rect->width) * GPU_PIXEL ||
      scanout->offset > resource->info.size)
    return FALSE;
  if (rect->height == 0)
    return TRUE;
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
  if (gpu_resource_copy (resource, memory_of (self), at, at, scanout->stride, length, rect->height))
    vmm_display_count_copied (self->display, length * rect->height);
}

gboolean
gpu_show (VirtioGpu *self)
{
  const GpuScanout *scanout = &self->scanout;
  GpuResource *resource = gpu_get_resource (self, scanout->resource);
  VmmFrame frame;
  guint before;

  if (!resource) {
    vmm_display_show (self->display, NULL);
    return TRUE;
  }
  before = resource->handles;
  if (!gpu_resource_make_visible (resource, memory_of (self), self->udmabuf,
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

    if (!vmm_memory_read (memory_of (self), resource->entries[i].address, pixels + done, part))
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

static void
virtio_gpu_process (VmmVirtio *virtio, guint index)
{
  VirtioGpu *self = (VirtioGpu *) virtio;
  VmmRequest request;

  while (vmm_virtio_pop (virtio, index, &request)) {
    gssize written = gpu_run_command (self, &request);

    if (written < 0)
      vmm_virtio_break (virtio, "The driver sent a graphics request without a header.");
    vmm_virtio_push (virtio, index, request.head, MAX (written, 0));
  }
  vmm_virtio_notify (virtio, index);
}

static guint64
virtio_gpu_get_features (VmmVirtio *virtio)
{
  return 1u << F_EDID | 1u << F_BLOB;
}

static void
virtio_gpu_read_config (VmmVirtio *virtio, guint8 *bytes)
{
  VirtioGpu *self = (VirtioGpu *) virtio;
  Config config = { .events_read = self->events, .n_scanouts = 1 };

  memcpy (bytes, &config, sizeof config);
}

static void
virtio_gpu_write_config (VmmVirtio *virtio, guint offset, guint length, guint32 value)
{
  VirtioGpu *self = (VirtioGpu *) virtio;

  if (offset == G_STRUCT_OFFSET (Config, events_clear))
    self->events &= ~value;
}

/* Loop: a viewer wished for another size. */
static void
apply_size (gpointer data)
{
  VirtioGpu *self = data;
  guint64 wished = __atomic_load_n (&self->wished_size, __ATOMIC_RELAXED);
  guint32 width = CLAMP (wished >> 32, MIN_SIDE, GPU_EDID_MAX_SIDE);
  guint32 height = CLAMP (wished & G_MAXUINT32, MIN_SIDE, GPU_EDID_MAX_SIDE);

  vmm_device_lock (&self->parent.parent.parent);
  if (width != self->width || height != self->height) {
    self->width = width;
    self->height = height;
    self->events |= EVENT_DISPLAY;
    vmm_virtio_config_changed (&self->parent);
  }
  vmm_device_unlock (&self->parent.parent.parent);
}

static void
wish_size (gpointer data, guint width, guint height)
{
  VirtioGpu *self = data;

  __atomic_store_n (&self->wished_size, (guint64) width << 32 | height, __ATOMIC_RELAXED);
  vmm_loop_post (self->parent.parent.parent.board->loop, apply_size, self);
}

static void
forget_resources (VirtioGpu *self)
{
  self->scanout = (GpuScanout) { 0 };
  self->cursor = (GpuCursor) { 0 };
  g_hash_table_remove_all (self->resources);
  self->host_bytes = 0;
  self->n_handles = 0;
  self->n_resources = 0;
}

static void
virtio_gpu_reset (VmmVirtio *virtio)
{
  VirtioGpu *self = (VirtioGpu *) virtio;

  forget_resources (self);
  self->events = 0;
  gpu_show (self);
  gpu_show_cursor (self);
}

static gboolean
virtio_gpu_realize (VmmVirtio *virtio, gconstpointer data, GError **error)
{
  VirtioGpu *self = (VirtioGpu *) virtio;
  const VmmVirtioGpuConfig *config = data;

  self->display = config->display;
  self->width = config->width ? MIN (config->width, GPU_EDID_MAX_SIDE) : DEFAULT_WIDTH;
  self->height = config->height ? MIN (config->height, GPU_EDID_MAX_SIDE) : DEFAULT_HEIGHT;
  self->udmabuf = open ("/dev/udmabuf", O_RDWR | O_CLOEXEC);
  self->resources = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) gpu_resource_free);
  vmm_display_set_size_func (self->display, wish_size, self);
  return TRUE;
}

static void
nothing (gpointer data)
{
}

static void
virtio_gpu_unrealize (VmmVirtio *virtio)
{
  VirtioGpu *self = (VirtioGpu *) virtio;

  vmm_display_set_size_func (self->display, NULL, NULL);
  /* A wish that was posted before has run when this one has. */
  vmm_loop_call (virtio->parent.parent.board->loop, nothing, NULL);
  vmm_display_show (self->display, NULL);
  g_hash_table_unref (self->resources);
  if (self->udmabuf >= 0)
    close (self->udmabuf);
}

static char *
part_name (VirtioGpu *self, guint i, const char *what)
{
  return g_strdup_printf ("%s/resource-%u/%s", self->parent.parent.parent.id, i, what);
}

static gboolean
virtio_gpu_save_parts (VmmDevice *device, VmmState *state, GError **error)
{
  VirtioGpu *self = (VirtioGpu *) device;
  GHashTableIter iter;
  gpointer value;
  guint i = 0;

  g_hash_table_iter_init (&iter, self->resources);
  for (; g_hash_table_iter_next (&iter, NULL, &value); i++) {
    const GpuResource *resource = value;
    g_autofree char *info = part_name (self, i, "info");
    g_autofree char *entries = part_name (self, i, "entries");
    g_autofree char *pixels = part_name (self, i, "pixels");

    vmm_state_save_bytes (state, info, &resource->info, sizeof resource->info);
    vmm_state_save_bytes (state, entries, resource->entries,
                          resource->info.n_entries * sizeof (GpuEntry));
    if (!resource->info.blob)
      vmm_state_save_bytes (state, pixels, resource->copy, resource->info.size);
  }
  return TRUE;
}

static gboolean
info_is_good (const GpuResourceInfo *info)
{
  if (info->id == 0 || info->n_entries > GPU_MAX_ENTRIES || info->size > GPU_MAX_IMAGE)
    return FALSE;
  if (info->blob)
    return info->blob == TRUE && info->size > 0;
  return gpu_fourcc (info->format) && info->width > 0 && info->width <= GPU_MAX_SIDE &&
         info->height > 0 && info->height <= GPU_MAX_SIDE &&
         info->size == (guint64) info->width * info->height * GPU_PIXEL;
}

/* NULL where it is broken or does not fit into memory. */
static GpuResource *
load_resource (VirtioGpu *self, VmmState *state, guint i)
{
  g_autofree char *info_name = part_name (self, i, "info");
  g_autofree char *entries_name = part_name (self, i, "entries");
  g_autofree char *pixels_name = part_name (self, i, "pixels");
  g_autofree GpuEntry *entries = NULL;
  GpuResource *resource = NULL;
  GpuResourceInfo info;
  guint64 size;

  if (!vmm_state_load_bytes (state, info_name, &info, sizeof info, NULL) || !info_is_good (&info) ||
      gpu_get_resource (self, info.id))
    return NULL;
  entries = g_try_malloc (MAX (info.n_entries, 1) * sizeof (GpuEntry));
  if (!entries ||
      !vmm_state_load_bytes (state, entries_name, entries, info.n_entries * sizeof (GpuEntry),
                             NULL) ||
      !gpu_entries_check (entries, info.n_entries, memory_of (self), &size) ||
      (info.blob && size < info.size))
    return NULL;
  if (info.blob)
    return gpu_resource_new_blob (info.id, info.size, g_steal_pointer (&entries), info.n_entries);
  resource = gpu_resource_new_image (info.id, info.format, info.width, info.height);
  if (!resource)
    return NULL;
  gpu_resource_set_entries (resource, info.n_entries > 0 ? g_steal_pointer (&entries) : NULL,
                            info.n_entries);
  if (vmm_state_load_bytes (state, pixels_name, resource->copy, info.size, NULL))
    return resource;
  gpu_resource_free (resource);
  return NULL;
}

static gboolean
virtio_gpu_load_parts (VmmDevice *device, VmmState *state, GError **error)
{
  VirtioGpu *self = (VirtioGpu *) device;
  guint32 n = self->n_resources;
  GpuScanout scanout = self->scanout;
  GpuCursor cursor = self->cursor;

  forget_resources (self);
  for (guint i = 0; i < n; i++) {
    GpuResource *resource = i < MAX_RESOURCES ? load_resource (self, state, i) : NULL;

    if (!resource || !gpu_add_resource (self, resource)) {
      forget_resources (self);
      g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT,
                   "The saved state of “%s” is broken: its pictures do not fit.", device->id);
      return FALSE;
    }
  }
  self->scanout = scanout;
  self->cursor = cursor;
  return TRUE;
}

static gboolean
virtio_gpu_loaded (VmmVirtio *virtio, GError **error)
{
  VirtioGpu *self = (VirtioGpu *) virtio;
  GpuResource *resource = gpu_get_resource (self, self->scanout.resource);

  self->width = CLAMP (self->width, MIN_SIDE, GPU_EDID_MAX_SIDE);
  self->height = CLAMP (self->height, MIN_SIDE, GPU_EDID_MAX_SIDE);
  if (!resource)
    self->scanout = (GpuScanout) { 0 };
  else if (!gpu_scanout_fits (&self->scanout, resource)) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT,
                 "The saved state of “%s” is broken: its screen does not fit.",
                 virtio->parent.parent.id);
    return FALSE;
  }
  gpu_show (self);
  gpu_show_cursor (self);
  return TRUE;
}

const VmmVirtioClass vmm_virtio_gpu_class = {
  VMM_VIRTIO_PARENT (VirtioGpu,
                     "virtio-gpu",
                     1,
                     virtio_gpu_fields,
                     .save_parts = virtio_gpu_save_parts,
                     .load_parts = virtio_gpu_load_parts),
  .virtio_id = 16,
  .class_code = CLASS_DISPLAY,
  .n_queues = 2,
  .queue_size = QUEUE_SIZE,
  .config_size = sizeof (Config),
  .realize = virtio_gpu_realize,
  .unrealize = virtio_gpu_unrealize,
  .get_features = virtio_gpu_get_features,
  .read_config = virtio_gpu_read_config,
  .write_config = virtio_gpu_write_config,
  .process = virtio_gpu_process,
  .reset = virtio_gpu_reset,
  .loaded = virtio_gpu_loaded,
};
