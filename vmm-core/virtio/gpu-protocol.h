/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The requests and answers of virtio-gpu as they lie in memory (virtio 1.2, 5.7.6). Apart because
 * it is the specification's, not ours.
 *
 * Threads: any.
 */
#pragma once

#include "virtio/virtio-gpu-private.h"

G_BEGIN_DECLS

enum {
  CMD_GET_DISPLAY_INFO = 0x0100,
  CMD_RESOURCE_CREATE_2D,
  CMD_RESOURCE_UNREF,
  CMD_SET_SCANOUT,
  CMD_RESOURCE_FLUSH,
  CMD_TRANSFER_TO_HOST_2D,
  CMD_ATTACH_BACKING,
  CMD_DETACH_BACKING,
  CMD_GET_EDID = 0x010a,
  CMD_CREATE_BLOB = 0x010c,
  CMD_SET_SCANOUT_BLOB,
  CMD_UPDATE_CURSOR = 0x0300,
  CMD_MOVE_CURSOR,

  OK_NODATA = 0x1100,
  OK_DISPLAY_INFO = 0x1101,
  OK_EDID = 0x1104,
  ERR_UNSPEC = 0x1200,
  ERR_OUT_OF_MEMORY,
  ERR_INVALID_SCANOUT,
  ERR_INVALID_RESOURCE,
  ERR_INVALID_CONTEXT,
  ERR_INVALID_PARAMETER,
};

/* Bytes in this order in memory; DRM says it from the top bits. */
enum {
  FORMAT_B8G8R8A8 = 1,
  FORMAT_B8G8R8X8 = 2,
  FORMAT_A8R8G8B8 = 3,
  FORMAT_X8R8G8B8 = 4,
  FORMAT_R8G8B8A8 = 67,
  FORMAT_X8B8G8R8 = 68,
  FORMAT_A8B8G8R8 = 121,
  FORMAT_R8G8B8X8 = 134,
};

#define FLAG_FENCE     1
#define N_SCANOUTS     16 /* that an answer has room for */
#define BLOB_MEM_GUEST 1
#define EDID_ROOM      1024

typedef struct {
  guint32 type, flags;
  guint64 fence;
  guint32 context;
  guint8 ring, padding[3];
} Header;

typedef struct {
  Header header;
  guint32 resource, format, width, height;
} Create2d;

typedef struct {
  Header header;
  guint32 resource, padding;
} WithResource; /* unref, detach backing */

typedef struct {
  Header header;
  GpuRect rect;
  guint32 scanout, resource;
} SetScanout;

typedef struct {
  Header header;
  GpuRect rect;
  guint32 resource, padding;
} Flush;

typedef struct {
  Header header;
  GpuRect rect;
  guint64 offset;
  guint32 resource, padding;
} Transfer;

typedef struct {
  Header header;
  guint32 resource, n_entries;
} AttachBacking;

typedef struct {
  Header header;
  guint32 scanout, padding;
} GetEdid;

typedef struct {
  Header header;
  guint32 resource, memory, flags, n_entries;
  guint64 blob, size;
} CreateBlob;

typedef struct {
  Header header;
  GpuRect rect;
  guint32 scanout, resource, width, height, format, padding;
  guint32 strides[4], offsets[4];
} SetScanoutBlob;

typedef struct {
  Header header;
  guint32 scanout, x, y, padding;
  guint32 resource, hot_x, hot_y, padding2;
} Cursor;

typedef union {
  Header header;
  Create2d create_2d;
  WithResource with_resource;
  SetScanout set_scanout;
  Flush flush;
  Transfer transfer;
  AttachBacking attach_backing;
  GetEdid get_edid;
  CreateBlob create_blob;
  SetScanoutBlob set_scanout_blob;
  Cursor cursor;
} Any;

G_END_DECLS
