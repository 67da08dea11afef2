/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmBlock: the contents of a disk, whatever file format holds it.
 *
 * Threads: open and close on the control thread. vmm_block_submit, vmm_block_kick and every
 * completion run on the loop given to vmm_block_open_raw. A request, its vector and the memory
 * behind it belong to the block layer from submit to completion. A completion never runs inside
 * submit.
 */
#pragma once

#include <sys/uio.h>

#include "base/vmm-loop.h"

G_BEGIN_DECLS

typedef struct _VmmBlock VmmBlock;
typedef struct _VmmBlockRequest VmmBlockRequest;

typedef enum {
  VMM_BLOCK_READ,
  VMM_BLOCK_WRITE,
  VMM_BLOCK_FLUSH,
  VMM_BLOCK_DISCARD,
  VMM_BLOCK_WRITE_ZEROES,
} VmmBlockOp;

struct _VmmBlockRequest {
  VmmBlockOp op;
  guint64 offset; /* bytes; the caller has checked it against the size */
  guint64 length;
  struct iovec *iov; /* READ, WRITE: @length bytes in all */
  guint n_iov;
  /* @error is 0 or a negative errno. */
  void (*done) (VmmBlockRequest *request, int error);
  VmmBlockRequest *next; /* the block layer's */
  guint64 moved;         /* the block layer's: bytes done so far */
  int result;            /* the block layer's */
};

/* Fails with VMM_ERROR_DISK, or VMM_ERROR_DISK_BUSY where someone else has the image open for
 * writing. */
VmmBlock *vmm_block_open_raw (const char *path, gboolean readonly, VmmLoop *loop, GError **error);
/* No request is under way. */
void vmm_block_close (VmmBlock *self);

guint64 vmm_block_get_size (VmmBlock *self); /* bytes, a multiple of 512 */
gboolean vmm_block_get_readonly (VmmBlock *self);
const char *vmm_block_get_path (VmmBlock *self);   /* as it was opened, for messages */
const char *vmm_block_get_engine (VmmBlock *self); /* "io_uring" or "threads", for stats */

void vmm_block_submit (VmmBlock *self, VmmBlockRequest *request);
/* Sends off what was submitted since the last kick. */
void vmm_block_kick (VmmBlock *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmBlock, vmm_block_close)

G_END_DECLS
