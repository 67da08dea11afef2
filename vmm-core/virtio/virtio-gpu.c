/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-gpu: the device and the account of its resources. The guest's requests are in
 * gpu-commands.c, what the screen shows in gpu-screen.c, saved pictures in gpu-saved.c.
 *
 * Threads: loop, device locked; a viewer's wish for another size comes on its own thread and is
 * only noted and posted.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "vga/vga.h"
#include "virtio/gpu-edid.h"
#include "virtio/virtio-gpu-private.h"
#include "vmm-error.h"

#define QUEUE_SIZE     128
#define CLASS_DISPLAY  0x038000
#define CLASS_VGA      0x030000
#define VGA_BAR        0 /* where QEMU has them, and firmware expects them */
#define VIRTIO_BAR     2
#define CONTROL        0
#define CURSOR         1
#define F_EDID         1
#define F_BLOB         3
#define EVENT_DISPLAY  1
#define DEFAULT_WIDTH  1280
#define DEFAULT_HEIGHT 800
#define MIN_SIDE       64
#define MAX_HOST_BYTES (G_GUINT64_CONSTANT (512) << 20)

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
  VMM_EXEMPT (VirtioGpu, vga, "from the configuration"),
  VMM_EXEMPT (VirtioGpu, udmabuf, "of the host"),
  VMM_EXEMPT (VirtioGpu, resources, "parts of their own"),
  VMM_EXEMPT (VirtioGpu, host_bytes, "follows from the resources"),
  VMM_EXEMPT (VirtioGpu, n_handles, "follows from the resources"),
  VMM_EXEMPT (VirtioGpu, wished_size, "of the viewer"),
  VMM_FIELD (VirtioGpu, width, VMM_FIELD_UINT32, "width"),
  VMM_FIELD (VirtioGpu, height, VMM_FIELD_UINT32, "height"),
  VMM_FIELD (VirtioGpu, events, VMM_FIELD_UINT32, "events"),
  VMM_FIELD (VirtioGpu, n_resources, VMM_FIELD_UINT32, "n-resources"),
  VMM_FIELD (VirtioGpu, taken, VMM_FIELD_BOOL, "taken"),
  VMM_FIELD_PART (VirtioGpu, scanout, gpu_scanout_fields, "scanout"),
  VMM_FIELD_PART (VirtioGpu, cursor, gpu_cursor_fields, "cursor"),
  VMM_FIELD_LAST,
};

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

  if (self->n_resources >= GPU_MAX_RESOURCES || cost > MAX_HOST_BYTES - self->host_bytes) {
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

void
gpu_forget_resources (VirtioGpu *self)
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

  gpu_forget_resources (self);
  self->events = 0;
  self->taken = FALSE;
  gpu_show (self);
  gpu_show_cursor (self);
}

static gboolean
virtio_gpu_realize (VmmVirtio *virtio, gconstpointer data, GError **error)
{
  VirtioGpu *self = (VirtioGpu *) virtio;
  const VmmVirtioGpuConfig *config = data;

  self->display = config->display;
  self->vga = config->vga;
  if (config->vga && config->rom)
    vmm_pci_device_set_rom (&virtio->parent, config->rom, config->rom_size);
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

/* The BARs of the VGA: its memory, and the page before virtio's registers. */
static guint64
virtio_vga_read_bar (VmmVirtio *virtio, guint bar, guint64 offset, guint size)
{
  VirtioGpu *self = (VirtioGpu *) virtio;

  return bar == VGA_BAR ? vmm_vga_read_memory (self->vga, offset, size)
                        : vmm_vga_read_mmio (self->vga, offset, size);
}

static void
virtio_vga_write_bar (VmmVirtio *virtio, guint bar, guint64 offset, guint size, guint64 value)
{
  VirtioGpu *self = (VirtioGpu *) virtio;

  if (bar == VGA_BAR)
    vmm_vga_write_memory (self->vga, offset, size, value);
  else
    vmm_vga_write_mmio (self->vga, offset, size, value);
}

static void
virtio_vga_bar_mapped (VmmVirtio *virtio, guint bar, guint64 address)
{
  vmm_vga_map_memory (((VirtioGpu *) virtio)->vga, address);
}

static gboolean
virtio_vga_realize (VmmVirtio *virtio, gconstpointer config, GError **error)
{
  return vmm_virtio_add_bar (virtio, VGA_BAR, VMM_VGA_MEMORY_SIZE, error) &&
         virtio_gpu_realize (virtio, config, error);
}

/* What both classes have in common. */
#define VIRTIO_GPU_CLASS(name_, class_code_, realize_, ...)                                        \
  { VMM_VIRTIO_PARENT (VirtioGpu, name_, 1, virtio_gpu_fields, .save_parts = gpu_save_resources,   \
                       .load_parts = gpu_load_resources),                                          \
    .virtio_id = 16,                                                                               \
    .class_code = class_code_,                                                                     \
    .n_queues = 2,                                                                                 \
    .queue_size = QUEUE_SIZE,                                                                      \
    .config_size = sizeof (Config),                                                                \
    .realize = realize_,                                                                           \
    .unrealize = virtio_gpu_unrealize,                                                             \
    .get_features = virtio_gpu_get_features,                                                       \
    .read_config = virtio_gpu_read_config,                                                         \
    .write_config = virtio_gpu_write_config,                                                       \
    .process = virtio_gpu_process,                                                                 \
    .reset = virtio_gpu_reset,                                                                     \
    .loaded = virtio_gpu_loaded,                                                                   \
    __VA_ARGS__ }

const VmmVirtioClass vmm_virtio_gpu_class =
  VIRTIO_GPU_CLASS ("virtio-gpu", CLASS_DISPLAY, virtio_gpu_realize);

const VmmVirtioClass vmm_virtio_vga_class = VIRTIO_GPU_CLASS ("virtio-vga",
                                                              CLASS_VGA,
                                                              virtio_vga_realize,
                                                              .bar = VIRTIO_BAR,
                                                              .bar_base = VMM_VGA_MMIO_SIZE,
                                                              .read_bar = virtio_vga_read_bar,
                                                              .write_bar = virtio_vga_write_bar,
                                                              .bar_mapped = virtio_vga_bar_mapped);
