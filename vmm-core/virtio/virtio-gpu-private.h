/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-gpu inside: the device's state, shared between virtio-gpu.c (the device and its life),
 * gpu-commands.c (what the guest asks of it), gpu-screen.c (what a viewer sees) and gpu-saved.c.
 *
 * Threads: with the device locked.
 */
#pragma once

#include "virtio/gpu-resource.h"
#include "virtio/virtio-gpu.h"

G_BEGIN_DECLS

#define GPU_MAX_RESOURCES 4096

typedef struct {
  guint32 x, y, width, height;
} GpuRect;

/* What the screen shows. */
typedef struct {
  guint32 resource; /* 0: nothing */
  guint32 format;
  guint32 stride;
  guint32 reserved;
  guint64 offset; /* of the frame buffer in the resource */
  GpuRect rect;   /* of it that is shown */
} GpuScanout;

typedef struct {
  guint32 resource; /* 0: none */
  guint32 x, y;     /* of the picture's corner */
  guint32 hot_x, hot_y;
} GpuCursor;

typedef struct {
  VmmVirtio parent;
  VmmDisplay *display;
  VmmDevice *vga; /* NULL: there is none */
  int udmabuf;    /* -1: not there */
  GHashTable *resources;
  guint64 host_bytes;  /* that all resources cost us */
  guint n_handles;     /* that all resources take */
  guint64 wished_size; /* by a viewer: width << 32 | height; atomic */

  guint32 width, height; /* that we would like the guest to use */
  guint32 events;
  guint32 n_resources;
  gboolean taken; /* the screen is the driver's, not the VGA's */
  GpuScanout scanout;
  GpuCursor cursor;
} VirtioGpu;

/* Runs one request and answers it; returns the bytes written, -1 for one that is none. */
gssize gpu_run_command (VirtioGpu *self, VmmRequest *request);

/* gpu-screen.c */
/* Shows what scanout says; FALSE where that cannot be. */
gboolean gpu_show (VirtioGpu *self);
void gpu_show_cursor (VirtioGpu *self);
/* The whole picture again, where it is one that is copied. */
void gpu_refresh (VirtioGpu *self, GpuResource *resource, const GpuRect *rect);
/* DRM's name of a virtio-gpu format, 0 for one that we do not know. */
guint32 gpu_fourcc (guint32 format);
/* Whether the frame buffer lies within its resource, and the rectangle, which has pixels, within
 * the frame buffer. */
gboolean gpu_scanout_fits (const GpuScanout *scanout, const GpuResource *resource);

/* gpu-saved.c: of the class. */
gboolean gpu_save_resources (VmmDevice *device, VmmState *state, GError **error);
gboolean gpu_load_resources (VmmDevice *device, VmmState *state, GError **error);

/* virtio-gpu.c */
GpuResource *gpu_get_resource (VirtioGpu *self, guint32 id);
/* FALSE, and @resource freed, where there are too many. */
gboolean gpu_add_resource (VirtioGpu *self, GpuResource *resource);
/* Takes @entries, or NULL for none; FALSE, and nothing taken, where they are too many. */
gboolean
gpu_set_backing (VirtioGpu *self, GpuResource *resource, GpuEntry *entries, guint n_entries);
void gpu_remove_resource (VirtioGpu *self, GpuResource *resource);
void gpu_forget_resources (VirtioGpu *self);

static inline VmmMemory *
gpu_get_memory (VirtioGpu *self)
{
  return self->parent.parent.parent.board->memory;
}

G_END_DECLS
