/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-blk inside: the device, shared between virtio-blk.c (its queue and its life) and
 * blk-request.c (what a request asks for).
 *
 * Threads: loop, device locked.
 */
#pragma once

#include "virtio/virtio-blk.h"

G_BEGIN_DECLS

#define BLK_QUEUE_SIZE   128
#define BLK_SECTOR       512
#define BLK_SECTOR_SHIFT 9
#define BLK_ID_LENGTH    20
#define BLK_MAX_ZEROES   (1u << 22) /* sectors of one request to discard: 2 GiB */

enum {
  BLK_OK = 0,
  BLK_ERROR = 1,
  BLK_UNSUPPORTED = 2,
  BLK_LATER = 0xff, /* the block layer has it */
};

#define BLK_MAX_KEPT (BLK_QUEUE_SIZE * VMM_VIRTIO_BLK_MAX_QUEUES)

/* A request to be tried again. */
typedef struct {
  guint16 queue, head;
} BlkKept;

typedef struct {
  VmmVirtio parent;
  VmmBlock *block; /* NULL: it was lost, and with it all that a request could ask for */
  char serial[BLK_ID_LENGTH];
  guint64 n_requests;
  GPtrArray *spare; /* requests not in use */
  gboolean held;    /* nothing is served until the machine is resumed */
  guint8 writeback; /* what the driver chose, where it was asked: writes wait for no flush */
  guint32 n_kept;
  BlkKept kept[BLK_MAX_KEPT]; /* in their order */
} VirtioBlk;

typedef struct {
  VmmBlockRequest block; /* first: completions cast */
  VirtioBlk *device;
  guint queue;
  guint8 *status;
  gboolean unmap;
  guint64 written; /* into the guest's buffers, the status included */
  VmmRequest request;
} BlkRequest;

/* virtio-blk.c */
void blk_finish (VirtioBlk *self, BlkRequest *request, guint8 status);
/* A completion: on the loop, takes the lock itself. */
void blk_block_done (VmmBlockRequest *block, int error);

/* blk-request.c: works on a request that was taken. FALSE where the driver broke the rules. */
gboolean blk_begin (VirtioBlk *self, BlkRequest *request);

G_END_DECLS
