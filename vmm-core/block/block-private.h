/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is behind a VmmBlock: a class for its format, and the file that holds it.
 *
 * Threads: as vmm-block.h says.
 */
#pragma once

#include "block/host-file.h"
#include "block/vmm-block.h"

G_BEGIN_DECLS

typedef struct {
  const char *name;
  void (*close) (VmmBlock *self); /* and frees it; not the file */
  void (*submit) (VmmBlock *self, VmmBlockRequest *request);
  void (*kick) (VmmBlock *self);
  gboolean (*resize) (VmmBlock *self, guint64 size, GError **error); /* it grows */
  const GPtrArray *(*get_snapshots) (VmmBlock *self);                /* or NULL */
} VmmBlockClass;

/* First member of every format's. */
struct _VmmBlock {
  const VmmBlockClass *klass;
  VmmHostFile *file; /* owned */
  VmmLoop *loop;
  gboolean readonly, discard;
  guint64 size; /* atomic */
  guint cluster_size;
};

/* How an image came to be opened: those above it in a backing chain. */
typedef struct _VmmBlockChain VmmBlockChain;
struct _VmmBlockChain {
  const VmmHostFile *file;
  const VmmBlockChain *above;
  guint depth;
};

/* @chain is NULL for what a machine opens itself. */
VmmBlock *vmm_block_open_in_chain (const char *path,
                                   const VmmBlockOptions *options,
                                   const VmmBlockChain *chain,
                                   VmmLoop *loop,
                                   GError **error);

/* The formats' openers. Where they succeed the file is theirs. */
VmmBlock *vmm_raw_open (VmmHostFile *file, const VmmBlockOptions *options, GError **error);
VmmBlock *vmm_qcow2_open (VmmHostFile *file,
                          const VmmBlockOptions *options,
                          const VmmBlockChain *chain,
                          GError **error);

/* For the openers. */
void vmm_block_init (VmmBlock *self,
                     const VmmBlockClass *klass,
                     VmmHostFile *file,
                     const VmmBlockOptions *options);
/* "The disk “path” what." */
gboolean vmm_block_fail (GError **error, const char *path, const char *what);

/* Takes note of @n bytes that were moved; returns whether that was all. */
gboolean vmm_block_request_advance (VmmBlockRequest *request, gsize n);
/* The parts [skip, skip + length) of a vector; @to has room for @n. Returns how many. */
guint vmm_iov_slice (const struct iovec *iov, guint n, gsize skip, gsize length, struct iovec *to);
void vmm_iov_clear (const struct iovec *iov, guint n);
/* The first @length bytes of it. */
void vmm_iov_copy_out (const struct iovec *iov, guint n, void *to, gsize length);
void vmm_iov_copy_in (const struct iovec *iov, guint n, const void *from, gsize length);
/* For a completion that may not come inside submit. */
void vmm_block_request_finish_later (VmmBlockRequest *request, VmmLoop *loop, int error);

G_END_DECLS
