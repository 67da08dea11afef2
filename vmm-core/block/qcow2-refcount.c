/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How often each cluster of the file is referred to: a table of blocks of counts, 1 to 64 bits
 * wide. Blocks are kept in slices, as L2 tables are. Where the table has no block, every count is
 * 0.
 *
 * Threads: worker.
 */
#include <errno.h>

#include "base/vmm-bytes.h"
#include "block/qcow2-private.h"

#define BLOCK_OFFSET_MASK (~G_GUINT64_CONSTANT (0x1ff))

/* A block counts so many clusters, as a power of two. */
guint
qcow2_get_block_bits (const Qcow2 *self)
{
  return self->cluster_bits + 3 - self->header->refcount_order;
}

static guint64
get_count (const guint8 *bytes, guint order, guint index)
{
  guint bits = 1u << order, n_per_byte = 8 >> order;

  switch (order) {
  case 6:
    return vmm_get_be64 (bytes + 8 * index);
  case 5:
    return vmm_get_be32 (bytes + 4 * index);
  case 4:
    return vmm_get_be16 (bytes + 2 * index);
  case 3:
    return bytes[index];
  default:
    return bytes[index / n_per_byte] >> (index % n_per_byte * bits) & ((1u << bits) - 1);
  }
}

void
qcow2_put_count (guint8 *bytes, guint order, guint index, guint64 count)
{
  guint bits = 1u << order, n_per_byte = 8 >> order, shift;

  switch (order) {
  case 6:
    vmm_put_be64 (bytes + 8 * index, count);
    break;
  case 5:
    vmm_put_be32 (bytes + 4 * index, count);
    break;
  case 4:
    vmm_put_be16 (bytes + 2 * index, count);
    break;
  case 3:
    bytes[index] = count;
    break;
  default:
    shift = index % n_per_byte * bits;
    bytes += index / n_per_byte;
    *bytes = (*bytes & ~(((1u << bits) - 1) << shift)) | count << shift;
    break;
  }
}

static int
load_slice (Qcow2 *self, guint64 at, VmmTable **slice)
{
  guint8 *bytes;
  int result;

  if (!vmm_table_cache_has_room (self->refcounts)) {
    result = qcow2_save_refcounts (self);
    if (result < 0)
      return result;
  }
  bytes = vmm_table_alloc (self->slice_size);
  if (!bytes)
    return -ENOMEM;
  result = vmm_host_file_read (self->parent.file, bytes, self->slice_size, at);
  if (result < 0) {
    vmm_table_free (bytes);
    return result;
  }
  *slice = vmm_table_cache_add (self->refcounts, at, bytes);
  return *slice ? 0 : -ENOMEM;
}

/* The slice with the count of @cluster; NULL where there is no block. */
static int
find_slice (Qcow2 *self, guint64 cluster, VmmTable **slice, guint *index)
{
  guint64 block = cluster >> qcow2_get_block_bits (self), offset, at;
  guint slice_bits =
    qcow2_get_block_bits (self) - self->cluster_bits + g_bit_nth_msf (self->slice_size, -1);

  *slice = NULL;
  *index = cluster & ((1u << slice_bits) - 1);
  if (block >= self->n_refcount_blocks)
    return 0;
  offset = self->refcount_table[block] & BLOCK_OFFSET_MASK;
  if (offset == 0)
    return 0;
  if ((offset & (self->cluster_size - 1)) || offset >= qcow2_get_end (self))
    return qcow2_found_corrupt (self, "a block of reference counts is out of place");
  at = cluster & ((G_GUINT64_CONSTANT (1) << qcow2_get_block_bits (self)) - 1);
  at = offset + (at >> slice_bits) * self->slice_size;
  *slice = vmm_table_cache_find (self->refcounts, at);
  return *slice ? 0 : load_slice (self, at, slice);
}

int
qcow2_get_refcount (Qcow2 *self, guint64 cluster, guint64 *count)
{
  VmmTable *slice;
  guint index;
  int result = find_slice (self, cluster, &slice, &index);

  *count = slice ? get_count (slice->bytes, self->header->refcount_order, index) : 0;
  return result;
}

int
qcow2_set_refcount (Qcow2 *self, guint64 cluster, guint64 count)
{
  guint bits = 1u << self->header->refcount_order;
  VmmTable *slice;
  guint index;
  int result = find_slice (self, cluster, &slice, &index);

  if (result < 0)
    return result;
  if (!slice || (bits < 64 && count >> bits))
    return -EINVAL;
  qcow2_put_count (slice->bytes, self->header->refcount_order, index, count);
  slice->dirty = TRUE;
  return 0;
}

/* The block counts itself: it is the first of the clusters that it stands for. */
static int
make_block (Qcow2 *self, guint64 block)
{
  guint64 cluster = block << qcow2_get_block_bits (self);
  guint8 *bytes;
  int result;

  if (cluster >= VMM_QCOW2_MAX_OFFSET >> self->cluster_bits)
    return -EFBIG;
  if (vmm_cluster_set_has (&self->metadata, cluster))
    return qcow2_found_corrupt (self, "a table in use is not counted");
  bytes = vmm_table_alloc (self->cluster_size);
  if (!bytes)
    return -ENOMEM;
  qcow2_put_count (bytes, self->header->refcount_order, 0, 1);
  result = qcow2_write_new (self, bytes, self->cluster_size, cluster << self->cluster_bits);
  vmm_table_free (bytes);
  if (result == 0 && vmm_cluster_set_add (&self->metadata, cluster) < 0)
    result = -ENOMEM;
  if (result < 0)
    return result;
  self->refcount_table[block] = cluster << self->cluster_bits;
  self->refcounts_dirty_from = MIN (self->refcounts_dirty_from, block);
  self->refcounts_dirty_to = MAX (self->refcounts_dirty_to, block + 1);
  return 0;
}

gboolean
qcow2_has_refcount_block (const Qcow2 *self, guint64 cluster)
{
  guint64 block = cluster >> qcow2_get_block_bits (self);

  return block < self->n_refcount_blocks && (self->refcount_table[block] & BLOCK_OFFSET_MASK);
}

int
qcow2_need_refcount_block (Qcow2 *self, guint64 cluster)
{
  guint64 block = cluster >> qcow2_get_block_bits (self);
  int result = 0;

  if (block >= self->n_refcount_blocks)
    result = qcow2_grow_refcount_table (self, block + 1);
  if (result < 0 || qcow2_has_refcount_block (self, cluster))
    return result;
  return make_block (self, block);
}
