/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A request of virtio-blk: what the driver wrote is read once, checked, and handed to the block
 * layer or answered at once.
 *
 * Threads: loop, device locked.
 */
#include <string.h>

#include "virtio/virtio-blk-private.h"

/* Bytes of one transfer, more than any driver asks for. A chain can name the same memory again and
 * again, and as long as it lasts the machine cannot be stopped. */
#define MAX_TRANSFER (64u << 20)

enum {
  TYPE_IN = 0,
  TYPE_OUT = 1,
  TYPE_FLUSH = 4,
  TYPE_GET_ID = 8,
  TYPE_DISCARD = 11,
  TYPE_WRITE_ZEROES = 13,
};

#define ZEROES_MAY_UNMAP 1

typedef struct {
  guint32 type;
  guint32 reserved;
  guint64 sector;
} Header;

typedef struct {
  guint64 sector;
  guint32 n_sectors;
  guint32 flags;
} Range;

/* Takes @n bytes off the front of a vector. */
static void
trim_front (struct iovec **iov, guint *n_iov, gsize n)
{
  while (*n_iov > 0 && n >= (*iov)->iov_len) {
    n -= (*iov)->iov_len;
    (*iov)++;
    (*n_iov)--;
  }
  if (*n_iov > 0) {
    (*iov)->iov_base = (guint8 *) (*iov)->iov_base + n;
    (*iov)->iov_len -= n;
  }
}

/* Takes the last byte off a vector that is not empty, for the status. */
static guint8 *
trim_status (struct iovec *iov, guint *n_iov)
{
  struct iovec *last = &iov[*n_iov - 1];

  last->iov_len--;
  if (last->iov_len == 0)
    (*n_iov)--;
  return (guint8 *) last->iov_base + last->iov_len;
}

static gboolean
is_on_disk (VirtioBlk *self, guint64 sector, guint64 length)
{
  guint64 size = vmm_block_get_size (self->block);

  return length % BLK_SECTOR == 0 && sector <= size >> BLK_SECTOR_SHIFT &&
         length <= size - (sector << BLK_SECTOR_SHIFT);
}

static guint8
submit (VirtioBlk *self,
        BlkRequest *request,
        VmmBlockOp op,
        guint64 sector,
        guint64 length,
        struct iovec *iov,
        guint n_iov)
{
  request->block = (VmmBlockRequest) {
    .op = op,
    .unmap = request->unmap,
    .offset = sector << BLK_SECTOR_SHIFT,
    .length = length,
    .iov = iov,
    .n_iov = n_iov,
    .done = blk_block_done,
  };
  vmm_block_submit (self->block, &request->block);
  return BLK_LATER;
}

static guint8
start_transfer (VirtioBlk *self, BlkRequest *request, VmmBlockOp op, guint64 sector)
{
  VmmRequest *vq = &request->request;
  gboolean in = op == VMM_BLOCK_READ;
  struct iovec *iov = in ? vq->in : vq->out;
  guint n_iov = in ? vq->n_in : vq->n_out;
  guint64 length = vmm_iov_size (iov, n_iov);

  if (!is_on_disk (self, sector, length) || length > MAX_TRANSFER ||
      (op == VMM_BLOCK_WRITE && vmm_block_get_readonly (self->block)))
    return BLK_ERROR;
  if (length == 0)
    return BLK_OK;
  if (in)
    request->written += length;
  return submit (self, request, op, sector, length, iov, n_iov);
}

static guint8
start_zeroes (VirtioBlk *self, BlkRequest *request, VmmBlockOp op)
{
  VmmRequest *vq = &request->request;
  guint32 allowed = op == VMM_BLOCK_WRITE_ZEROES ? ZEROES_MAY_UNMAP : 0;
  guint64 length;
  Range range;

  if (vmm_iov_size (vq->out, vq->n_out) != sizeof range)
    return BLK_UNSUPPORTED;
  vmm_iov_read (vq->out, vq->n_out, 0, &range, sizeof range);
  length = (guint64) range.n_sectors << BLK_SECTOR_SHIFT;
  if (range.flags & ~allowed)
    return BLK_UNSUPPORTED;
  if (!is_on_disk (self, range.sector, length) || range.n_sectors > BLK_MAX_ZEROES ||
      vmm_block_get_readonly (self->block))
    return BLK_ERROR;
  if (length == 0)
    return BLK_OK;
  request->unmap = (range.flags & ZEROES_MAY_UNMAP) != 0;
  return submit (self, request, op, range.sector, length, NULL, 0);
}

static guint8
get_id (VirtioBlk *self, BlkRequest *request)
{
  request->written +=
    vmm_iov_write (request->request.in, request->request.n_in, 0, self->serial, BLK_ID_LENGTH);
  return BLK_OK;
}

static guint8
start (VirtioBlk *self, BlkRequest *request, const Header *header)
{
  if (!self->block)
    return BLK_ERROR;
  switch (header->type) {
  case TYPE_IN:
    return start_transfer (self, request, VMM_BLOCK_READ, header->sector);
  case TYPE_OUT:
    return start_transfer (self, request, VMM_BLOCK_WRITE, header->sector);
  case TYPE_FLUSH:
    return submit (self, request, VMM_BLOCK_FLUSH, 0, 0, NULL, 0);
  case TYPE_GET_ID:
    return get_id (self, request);
  case TYPE_DISCARD:
    return start_zeroes (self, request, VMM_BLOCK_DISCARD);
  case TYPE_WRITE_ZEROES:
    return start_zeroes (self, request, VMM_BLOCK_WRITE_ZEROES);
  default:
    return BLK_UNSUPPORTED;
  }
}

gboolean
blk_begin (VirtioBlk *self, BlkRequest *request)
{
  VmmRequest *vq = &request->request;
  Header header;
  guint8 status;

  if (vmm_iov_read (vq->out, vq->n_out, 0, &header, sizeof header) < sizeof header ||
      vq->n_in == 0) {
    vmm_virtio_break (&self->parent, "The driver sent a disk request without header or status.");
    vmm_virtio_push (&self->parent, request->queue, vq->head, 0);
    g_ptr_array_add (self->spare, request);
    return FALSE;
  }
  trim_front (&vq->out, &vq->n_out, sizeof header);
  request->status = trim_status (vq->in, &vq->n_in);
  request->written = 1;
  request->unmap = FALSE;
  status = start (self, request, &header);
  if (status != BLK_LATER)
    blk_finish (self, request, status);
  return TRUE;
}
