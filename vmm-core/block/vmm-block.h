/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmBlock: the contents of a disk, whatever file format holds it.
 *
 * Threads: open, close and resize on the control thread. vmm_block_submit, vmm_block_kick and every
 * completion run on the loop given to vmm_block_open. A request, its vector and the memory behind
 * it belong to the block layer from submit to completion. A completion never runs inside submit.
 */
#pragma once

#include <sys/uio.h>

#include "base/vmm-loop.h"
#include "vmm-config.h"

G_BEGIN_DECLS

#define VMM_BLOCK_SECTOR 512

typedef struct _VmmBlock VmmBlock;
typedef struct _VmmBlockRequest VmmBlockRequest;
typedef struct _VmmBlockEngineClass VmmBlockEngineClass;
typedef struct _VmmHostFileClass VmmHostFileClass;

typedef enum {
  VMM_BLOCK_READ,
  VMM_BLOCK_WRITE,
  VMM_BLOCK_FLUSH,
  VMM_BLOCK_DISCARD,
  VMM_BLOCK_WRITE_ZEROES,
} VmmBlockOp;

struct _VmmBlockRequest {
  VmmBlockOp op;
  gboolean unmap; /* WRITE_ZEROES: what was there may be given back */
  guint64 offset; /* bytes; the caller has checked it against the size */
  guint64 length;
  struct iovec *iov; /* READ, WRITE: @length bytes in all */
  guint n_iov;
  /* @error is 0 or a negative errno; -EUCLEAN where the image is damaged. */
  void (*done) (VmmBlockRequest *request, int error);

  /* The block layer's. */
  VmmBlockRequest *next;
  guint64 moved; /* bytes done so far */
  int result;
  guint n_parts; /* under way, where it was cut */
};

typedef struct {
  VmmDiskFormat format;
  gboolean readonly;
  gboolean discard; /* what is discarded is given back to the host; else it stays */
  gboolean direct;  /* past the host's cache, where the host can do that */

  /* For tests: NULL for the host's. */
  const VmmBlockEngineClass *engine;
  const VmmHostFileClass *file;
} VmmBlockOptions;

/* A snapshot inside the image. */
typedef struct {
  char *id, *name; /* UTF-8 */
  gint64 date;     /* seconds since 1970 */
  guint64 size;    /* of the disk then */
  guint64 vm_state_size;
} VmmBlockSnapshot;

/* Fails with VMM_ERROR_DISK, or VMM_ERROR_DISK_BUSY where someone else has the image open for
 * writing. */
VmmBlock *
vmm_block_open (const char *path, const VmmBlockOptions *options, VmmLoop *loop, GError **error);
/* The same of a file that is taken as it is, such as a CD. */
VmmBlock *vmm_block_open_raw (const char *path, gboolean readonly, VmmLoop *loop, GError **error);
/* No request is under way. */
void vmm_block_close (VmmBlock *self);
/* Only grows. Requests may be under way. Fails with VMM_ERROR_DISK. */
gboolean vmm_block_resize (VmmBlock *self, guint64 size, GError **error);

guint64 vmm_block_get_size (VmmBlock *self); /* bytes, a multiple of 512; any thread */
gboolean vmm_block_get_readonly (VmmBlock *self);
gboolean vmm_block_get_discard (VmmBlock *self);
/* What it is made of: writing less may cost more. */
guint vmm_block_get_cluster_size (VmmBlock *self);
const char *vmm_block_get_path (VmmBlock *self);   /* as it was opened, for messages */
const char *vmm_block_get_format (VmmBlock *self); /* "raw" or "qcow2" */
const char *vmm_block_get_engine (VmmBlock *self); /* "io_uring" or "threads", for stats */
/* VmmBlockSnapshot, as they were when it was opened; NULL where the format knows none. */
const GPtrArray *vmm_block_get_snapshots (VmmBlock *self);

void vmm_block_submit (VmmBlock *self, VmmBlockRequest *request);
/* Where a machine should wait until a person has seen to the @error of a request, and then try it
 * again: why, and what to do, in a sentence. NULL where that would not help. */
char *vmm_block_explain_pause (VmmBlock *self, const VmmBlockRequest *request, int error);
/* What went wrong, in a sentence. */
char *vmm_block_explain_error (VmmBlock *self, int error);
/* Sends off what was submitted since the last kick. */
void vmm_block_kick (VmmBlock *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmBlock, vmm_block_close)

G_END_DECLS
