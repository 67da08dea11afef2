/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is behind a VmmBlock: a file and an engine that moves bytes. An engine takes requests on the
 * loop and completes them there.
 *
 * Threads: new and free on the control thread, the rest on the loop.
 */
#pragma once

#include "block/vmm-block.h"

G_BEGIN_DECLS

typedef struct _VmmBlockEngine VmmBlockEngine;

typedef struct {
  const char *name;
  /* NULL where the host refuses it. */
  VmmBlockEngine *(*new) (int fd, VmmLoop *loop);
  void (*free) (VmmBlockEngine *self); /* no request is under way */
  void (*submit) (VmmBlockEngine *self, VmmBlockRequest *request);
  void (*kick) (VmmBlockEngine *self);
} VmmBlockEngineClass;

extern const VmmBlockEngineClass vmm_block_uring;
extern const VmmBlockEngineClass vmm_block_threads;

/* For tests: with this engine and no other. */
VmmBlock *vmm_block_open_raw_with (const char *path,
                                   gboolean readonly,
                                   VmmLoop *loop,
                                   const VmmBlockEngineClass *engine,
                                   GError **error);

/* Takes note of @n bytes that were moved; returns whether that was all. */
gboolean vmm_block_request_advance (VmmBlockRequest *request, gsize n);

/* Locks an image against other programs, in QEMU's manner; held until @fd is closed. */
gboolean vmm_image_lock (int fd, const char *path, gboolean readonly, GError **error);

G_END_DECLS
