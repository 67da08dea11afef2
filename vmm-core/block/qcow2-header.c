/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See qcow2-header.h. The numbers are those of the qcow2 specification.
 *
 * Threads: any; one owner at a time.
 */
#include "block/qcow2-header.h"

#include <string.h>

#include "base/vmm-bytes.h"
#include "vmm-error.h"

#define MAGIC            0x514649fbu /* "QFI", 0xfb */
#define MIN_CLUSTER_BITS 9
#define V2_LENGTH        72
#define V3_LENGTH        104
#define AT_COMPRESSION   104
#define SECTOR           512

#define MAX_L1_BYTES       (32u << 20)
#define MAX_REFCOUNT_BYTES (8u << 20)
#define MAX_SNAPSHOTS      65536
#define MAX_BACKING        1023
#define MAX_FORMAT         64

#define EXTENSION_END            0
#define EXTENSION_BACKING_FORMAT 0xe2792acau
#define EXTENSION_BITMAPS        0x23852875u

static gboolean
refuse (GError **error, const char *path, const char *why)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_DISK, "The disk “%s” %s.", path, why);
  return FALSE;
}

gboolean
vmm_qcow2_is_header (const guint8 *bytes)
{
  guint32 version = vmm_get_be32 (bytes + 4), cluster_bits = vmm_get_be32 (bytes + 20);

  return vmm_get_be32 (bytes) == MAGIC && (version == 2 || version == 3) &&
         cluster_bits >= MIN_CLUSTER_BITS && cluster_bits <= VMM_QCOW2_MAX_CLUSTER_BITS;
}

gsize
vmm_qcow2_get_cluster_size (const guint8 *bytes)
{
  return (gsize) 1 << vmm_get_be32 (bytes + 20);
}

static void
read_fields (VmmQcow2Header *self, const guint8 *bytes)
{
  self->version = vmm_get_be32 (bytes + 4);
  self->cluster_bits = vmm_get_be32 (bytes + 20);
  self->size = vmm_get_be64 (bytes + VMM_QCOW2_AT_SIZE);
  self->l1_size = vmm_get_be32 (bytes + VMM_QCOW2_AT_L1);
  self->l1_offset = vmm_get_be64 (bytes + VMM_QCOW2_AT_L1 + 4);
  self->refcount_offset = vmm_get_be64 (bytes + VMM_QCOW2_AT_REFCOUNTS);
  self->refcount_clusters = vmm_get_be32 (bytes + VMM_QCOW2_AT_REFCOUNTS + 8);
  self->n_snapshots = vmm_get_be32 (bytes + 60);
  self->snapshots_offset = vmm_get_be64 (bytes + 64);
  self->refcount_order = 4;
  if (self->version < 3)
    return;
  self->incompatible = vmm_get_be64 (bytes + VMM_QCOW2_AT_INCOMPATIBLE);
  self->autoclear = vmm_get_be64 (bytes + VMM_QCOW2_AT_AUTOCLEAR);
  self->refcount_order = vmm_get_be32 (bytes + 96);
}

static gboolean
check_features (VmmQcow2Header *self, const char *path, gboolean readonly, GError **error)
{
  guint64 known = VMM_QCOW2_DIRTY | VMM_QCOW2_CORRUPT | VMM_QCOW2_COMPRESSION;

  if (self->incompatible & VMM_QCOW2_DATA_FILE)
    return refuse (error, path,
                   "keeps its data in a second file, which is not supported: make one file of it "
                   "with “qemu-img convert -O qcow2”");
  if (self->incompatible & VMM_QCOW2_EXTENDED_L2)
    return refuse (error, path,
                   "has subclusters (extended L2 entries), which are not supported: make a copy "
                   "without them with “qemu-img convert -O qcow2”");
  if (self->incompatible & ~known)
    return refuse (error, path, "was made by a newer program and needs features unknown here");
  if ((self->incompatible & VMM_QCOW2_CORRUPT) && !readonly)
    return refuse (error, path,
                   "is marked as damaged: repair it with “qemu-img check -r all”, then try again");
  return TRUE;
}

/* A table of @bytes at @offset. */
static gboolean
is_place (const VmmQcow2Header *self, guint64 offset, guint64 bytes)
{
  guint64 mask = ((guint64) 1 << self->cluster_bits) - 1;

  return offset > 0 && (offset & mask) == 0 && offset < VMM_QCOW2_MAX_OFFSET &&
         bytes < VMM_QCOW2_MAX_OFFSET - offset;
}

static gboolean
check_tables (VmmQcow2Header *self, const char *path, GError **error)
{
  guint64 covered_bits = 2 * self->cluster_bits - 3; /* by one entry of the L1 table */
  guint64 needed =
    (self->size >> covered_bits) + ((self->size & (((guint64) 1 << covered_bits) - 1)) != 0);
  guint64 l1_bytes = (guint64) self->l1_size * 8;
  guint64 refcount_bytes = (guint64) self->refcount_clusters << self->cluster_bits;

  if (self->refcount_order > 6)
    return refuse (error, path, "is damaged: the width of its reference counts is impossible");
  if (self->size == 0 || self->size % SECTOR != 0 || self->size > G_MAXINT64)
    return refuse (error, path, "is damaged or empty: its size is no whole number of sectors");
  if (l1_bytes > MAX_L1_BYTES || self->l1_size < needed ||
      !is_place (self, self->l1_offset, l1_bytes))
    return refuse (error, path, "is damaged: its L1 table is out of place, or of a wrong size");
  if (refcount_bytes == 0 || refcount_bytes > MAX_REFCOUNT_BYTES ||
      !is_place (self, self->refcount_offset, refcount_bytes))
    return refuse (error, path, "is damaged: its reference counts are out of place");
  if (self->n_snapshots > MAX_SNAPSHOTS ||
      (self->n_snapshots > 0 && !is_place (self, self->snapshots_offset, 0)))
    return refuse (error, path, "is damaged: its snapshots are out of place, or too many");
  return TRUE;
}

static gboolean
check_compression (VmmQcow2Header *self,
                   const guint8 *bytes,
                   guint length,
                   const char *path,
                   GError **error)
{
  guint8 type = length > AT_COMPRESSION ? bytes[AT_COMPRESSION] : 0;

  if (type > 1)
    return refuse (error, path, "is compressed by a method unknown here");
  if ((type != 0) != ((self->incompatible & VMM_QCOW2_COMPRESSION) != 0))
    return refuse (error, path, "is damaged: it contradicts itself on how it is compressed");
  self->zstd = type == 1;
  return TRUE;
}

/* An extension's @length bytes lie at @at. */
static void
take_extension (VmmQcow2Header *self, guint32 type, const guint8 *bytes, guint at, guint length)
{
  if (type == EXTENSION_BACKING_FORMAT && length <= MAX_FORMAT && !self->backing_format)
    self->backing_format = g_strndup ((const char *) bytes + at, length);
  if (type == EXTENSION_BITMAPS) {
    self->bitmaps_offset = at - 8;
    self->bitmaps_length = 8 + ((length + 7) & ~7u);
  }
}

static gboolean
read_extensions (VmmQcow2Header *self,
                 const guint8 *bytes,
                 guint at,
                 guint end,
                 const char *path,
                 GError **error)
{
  while (at + 8 <= end) {
    guint32 type = vmm_get_be32 (bytes + at), length = vmm_get_be32 (bytes + at + 4);

    at += 8;
    if (type == EXTENSION_END)
      return TRUE;
    if (length > end - at)
      return refuse (error, path, "is damaged: an extension of its header is too long");
    take_extension (self, type, bytes, at, length);
    at += MIN ((length + 7) & ~7u, end - at);
  }
  return TRUE;
}

static gboolean
read_backing (VmmQcow2Header *self, const guint8 *bytes, const char *path, GError **error)
{
  guint64 at = vmm_get_be64 (bytes + 8), cluster = (guint64) 1 << self->cluster_bits;
  guint32 length = vmm_get_be32 (bytes + 16);

  if (at == 0)
    return TRUE;
  if (length == 0 || length > MAX_BACKING || at >= cluster || length > cluster - at)
    return refuse (error, path, "is damaged: the name of its backing file is out of place");
  self->backing = g_strndup ((const char *) bytes + at, length);
  return *self->backing || refuse (error, path, "is damaged: its backing file has no name");
}

/* How long the header itself is; 0 where that is impossible. */
static guint
get_length (const VmmQcow2Header *self, const guint8 *bytes)
{
  guint32 length = self->version < 3 ? V2_LENGTH : vmm_get_be32 (bytes + 100);

  if (self->version >= 3 && (length < V3_LENGTH || length > 1u << self->cluster_bits))
    return 0;
  return length;
}

VmmQcow2Header *
vmm_qcow2_header_parse (const char *path, const guint8 *bytes, gboolean readonly, GError **error)
{
  g_autoptr (VmmQcow2Header) self = g_new0 (VmmQcow2Header, 1);
  guint64 end;
  guint length;

  read_fields (self, bytes);
  length = get_length (self, bytes);
  end = vmm_get_be64 (bytes + 8);
  if (end == 0 || end > 1u << self->cluster_bits)
    end = 1u << self->cluster_bits;
  self->extensions_end = end;
  if (length == 0) {
    refuse (error, path, "is damaged: the length of its header is impossible");
    return NULL;
  }
  if (vmm_get_be32 (bytes + 32) != 0) {
    refuse (error, path,
            "is encrypted, which is not supported: make a copy that is not with “qemu-img "
            "convert”");
    return NULL;
  }
  if (!check_features (self, path, readonly, error) || !check_tables (self, path, error) ||
      !check_compression (self, bytes, length, path, error) ||
      !read_backing (self, bytes, path, error) ||
      !read_extensions (self, bytes, length, end, path, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
vmm_qcow2_header_free (VmmQcow2Header *self)
{
  g_free (self->backing);
  g_free (self->backing_format);
  g_free (self);
}
