/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An image under test: requests that wait for their answer, and QEMU's tools to make images and to
 * judge them.
 *
 * Threads: one test thread; the image's loop runs beside it.
 */
#pragma once

#include "block/block-private.h"

G_BEGIN_DECLS

typedef struct {
  VmmLoop *loop;
  char *folder; /* of its own, gone at the end */
  char *path;   /* the image's */
  VmmBlock *block;
} BlockTest;

BlockTest *block_test_new (void);
void block_test_free (BlockTest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BlockTest, block_test_free)

char *block_test_path (BlockTest *self, const char *name);
/* In the folder; the test fails where the command does. @format is printf's. */
void block_test_run (BlockTest *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* The same, but the exit code and what it printed are the caller's to look at. */
int block_test_try (BlockTest *self, char **output, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Opens the image for writing, with discard. */
void block_test_open (BlockTest *self);
void block_test_open_with (BlockTest *self, const VmmBlockOptions *options);
void block_test_close (BlockTest *self);
/* That it is refused, in a sentence with @word. */
void block_test_refused (BlockTest *self, const VmmBlockOptions *options, const char *word);
/* Closes it; "qemu-img check" finds nothing. */
void block_test_check (BlockTest *self);

/* One request: 0 or the error. */
int block_test_read (BlockTest *self, guint64 offset, void *bytes, gsize length);
int block_test_write (BlockTest *self, guint64 offset, const void *bytes, gsize length);
int block_test_zero (BlockTest *self, guint64 offset, guint64 length, gboolean unmap);
int block_test_discard (BlockTest *self, guint64 offset, guint64 length);
int block_test_flush (BlockTest *self);
/* That @length bytes at @offset are all @byte. */
void block_test_is (BlockTest *self, guint64 offset, gsize length, guint8 byte);
void block_test_fill (BlockTest *self, guint64 offset, gsize length, guint8 byte);

/* Many at once. */
typedef struct {
  VmmBlockRequest request; /* first */
  BlockTest *test;
  struct iovec iov[4];
  gint done; /* atomic */
  int error;
} BlockJob;

/* op, offset, length and vector are set. */
void block_job_start (BlockTest *self, BlockJob *job);
int block_job_wait (BlockJob *job);

G_END_DECLS
