/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GpuResource: pixels that a guest made known to virtio-gpu. Either an image of ours that the guest
 * transfers into, or a blob: guest memory that is looked at where it lies.
 *
 * Threads: with the device locked.
 */
#pragma once

#include "device/vmm-display-source.h"
#include "device/vmm-device.h"

G_BEGIN_DECLS

#define GPU_PIXEL       4 /* bytes; all formats there are have it */
#define GPU_MAX_SIDE    16384
#define GPU_MAX_IMAGE   (G_GUINT64_CONSTANT (256) << 20) /* bytes of one resource */
#define GPU_MAX_ENTRIES (1u << 17)
#define GPU_MAX_HANDLES 16384 /* of all blobs that were shown: see GpuResource */

/* A run of guest memory, as the driver writes it. */
typedef struct {
  guint64 address;
  guint32 length;
  guint32 padding;
} GpuEntry;

/* What a snapshot says of a resource. */
typedef struct {
  guint32 id;
  guint32 format; /* of virtio-gpu; 0 for a blob */
  guint32 width, height;
  guint64 size;
  guint32 n_entries;
  guint32 blob; /* TRUE or FALSE */
} GpuResourceInfo;

typedef struct {
  GpuResourceInfo info;
  guint64 cost; /* in memory of ours, as the device counted it */
  GpuEntry *entries;
  VmmBuffer *buffer; /* what a viewer sees; a blob gets it when it is first shown */
  guint8 *copy;      /* the buffer's pixels where they are ours to write, or NULL */
  /* What the buffer takes of things that the process has few of: mappings (65530), and descriptors
   * (1024), which count for many. */
  guint handles;
} GpuResource;

/* NULL where there is no memory. */
GpuResource *gpu_resource_new_image (guint32 id, guint32 format, guint32 width, guint32 height);
/* Takes @entries over. */
GpuResource *gpu_resource_new_blob (guint32 id, guint64 size, GpuEntry *entries, guint n_entries);
void gpu_resource_free (GpuResource *self);
/* Takes @entries over; NULL for none. */
void gpu_resource_set_entries (GpuResource *self, GpuEntry *entries, guint n_entries);

/* Whether all entries are guest memory; and how many bytes they have. */
gboolean
gpu_entries_check (const GpuEntry *entries, guint n_entries, VmmMemory *memory, guint64 *size);

/* Copies a rectangle of rows of @stride bytes from guest memory, where it begins at @from, into our
 * copy, where it begins at @to. FALSE where either has not that much. */
gboolean gpu_resource_copy (GpuResource *self,
                            VmmMemory *memory,
                            guint64 from,
                            guint64 to,
                            guint64 stride,
                            guint64 row_length,
                            guint n_rows);

/* Makes a blob visible: without copying where its entries are whole pages, else by a copy. FALSE
 * where there is no memory. @udmabuf is the open device, or -1; what would take more than @most
 * handles is copied. */
gboolean gpu_resource_make_visible (GpuResource *self, VmmMemory *memory, int udmabuf, guint most);

G_END_DECLS
