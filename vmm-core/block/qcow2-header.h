/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The header of a qcow2 image (versions 2 and 3): bytes in, a checked struct out. Apart from the
 * image because it touches no file; every number in it is hostile until it is here.
 *
 * Threads: any; one owner at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VMM_QCOW2_MIN_HEADER       72
#define VMM_QCOW2_MAX_CLUSTER_BITS 21
#define VMM_QCOW2_MAX_OFFSET       (G_GUINT64_CONSTANT (1) << 56)

/* Incompatible features. */
#define VMM_QCOW2_DIRTY       (1u << 0)
#define VMM_QCOW2_CORRUPT     (1u << 1)
#define VMM_QCOW2_DATA_FILE   (1u << 2)
#define VMM_QCOW2_COMPRESSION (1u << 3)
#define VMM_QCOW2_EXTENDED_L2 (1u << 4)

/* Where in the header the fields are that change while an image is open. */
#define VMM_QCOW2_AT_SIZE         24
#define VMM_QCOW2_AT_L1           36 /* entries (32 bits), then offset */
#define VMM_QCOW2_AT_REFCOUNTS    48 /* offset, then clusters (32 bits) */
#define VMM_QCOW2_AT_INCOMPATIBLE 72
#define VMM_QCOW2_AT_AUTOCLEAR    88

typedef struct {
  guint version;
  guint cluster_bits;   /* 9 to 21 */
  guint refcount_order; /* 0 to 6 */
  guint64 size;
  guint l1_size; /* entries; enough for @size */
  guint64 l1_offset;
  guint64 refcount_offset;
  guint refcount_clusters;
  guint n_snapshots;
  guint64 snapshots_offset;
  guint64 incompatible, autoclear;
  gboolean zstd;                        /* what compressed clusters are packed with; else deflate */
  char *backing, *backing_format;       /* or NULL */
  guint bitmaps_offset, bitmaps_length; /* of the extension in the first cluster; 0: none */
  guint extensions_end;                 /* in the first cluster */
} VmmQcow2Header;

/* Whether these VMM_QCOW2_MIN_HEADER bytes begin a qcow2 image of a version that we know. */
gboolean vmm_qcow2_is_header (const guint8 *bytes);
/* Bytes of the first cluster. */
gsize vmm_qcow2_get_cluster_size (const guint8 *bytes);
/* @bytes is the first cluster; @path is for messages. Fails with VMM_ERROR_DISK. */
VmmQcow2Header *
vmm_qcow2_header_parse (const char *path, const guint8 *bytes, gboolean readonly, GError **error);
void vmm_qcow2_header_free (VmmQcow2Header *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmQcow2Header, vmm_qcow2_header_free)

G_END_DECLS
