/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmHostFile: a file or block device of the host that holds an image: opened, locked, measured;
 * and the engine that moves its bytes on the loop. Apart from the formats, which all stand on it.
 *
 * Threads: open, close and truncate on the control thread; submit and kick on the loop; the
 * transfers that block on any thread but the loop.
 */
#pragma once

#include "block/vmm-block.h"

G_BEGIN_DECLS

typedef struct _VmmHostFile VmmHostFile;
typedef struct _VmmBlockEngine VmmBlockEngine;

/* What the host does for us: a test puts something between. As the system calls, but the answer is
 * a negative errno. */
struct _VmmHostFileClass {
  gssize (*readv) (VmmHostFile *self, const struct iovec *iov, guint n_iov, guint64 offset);
  gssize (*writev) (VmmHostFile *self, const struct iovec *iov, guint n_iov, guint64 offset);
  int (*sync) (VmmHostFile *self);
  int (*allocate) (VmmHostFile *self, int mode, guint64 offset, guint64 length);
  int (*truncate) (VmmHostFile *self, guint64 size);
};

extern const VmmHostFileClass vmm_host_file_class;

/* An engine takes requests on the loop and completes them there. */
struct _VmmBlockEngineClass {
  const char *name;
  /* NULL where the host refuses it. */
  VmmBlockEngine *(*new) (VmmHostFile *file, VmmLoop *loop);
  void (*free) (VmmBlockEngine *self); /* no request is under way */
  void (*submit) (VmmBlockEngine *self, VmmBlockRequest *request);
  void (*kick) (VmmBlockEngine *self);
};

extern const VmmBlockEngineClass vmm_block_uring;
extern const VmmBlockEngineClass vmm_block_threads;

struct _VmmHostFile {
  const VmmHostFileClass *klass;
  int fd;
  int direct_fd;                    /* without the host's cache; -1: not to be had */
  gsize memory_align, length_align; /* of vectors, for direct_fd */
  gboolean direct_off;              /* atomic: it turned out not to work */
  char *path;
  guint64 size; /* when it was opened */
  gboolean readonly;
  gboolean is_device;
  VmmLoop *loop;
  const VmmBlockEngineClass *engine_class; /* the one wanted, or in use */
  VmmBlockEngine *engine;                  /* NULL until the first request */
};

VmmHostFile *vmm_host_file_open (const char *path,
                                 const VmmBlockOptions *options,
                                 VmmLoop *loop,
                                 GError **error);
void vmm_host_file_close (VmmHostFile *self);
/* Anew, where it may have become larger. */
gboolean vmm_host_file_measure (VmmHostFile *self, GError **error);
guint64 vmm_host_file_get_end (VmmHostFile *self); /* where it ends now */
/* From now on without the host's cache, where the host can do that. */
void vmm_host_file_go_direct (VmmHostFile *self);
/* The descriptor that a transfer of these bytes is to use. Any thread. */
int
vmm_host_file_choose_fd (VmmHostFile *self, const struct iovec *iov, guint n_iov, guint64 offset);
/* Whether @error says that the host cannot do it directly after all: then it is to be tried again.
 */
gboolean vmm_host_file_must_cache (VmmHostFile *self, int fd, int error);
gboolean vmm_host_file_is_at (const VmmHostFile *self, const char *path);

void vmm_host_file_submit (VmmHostFile *self, VmmBlockRequest *request);
void vmm_host_file_kick (VmmHostFile *self);

/* These block; 0 or a negative errno. What lies behind the end reads as zero. */
int vmm_host_file_read (VmmHostFile *self, void *to, gsize length, guint64 offset);
int vmm_host_file_write (VmmHostFile *self, const void *from, gsize length, guint64 offset);
/* Does what @request says, all of it, as an engine would; its done is not called. */
int vmm_host_file_run (VmmHostFile *self, VmmBlockRequest *request);
/* How fallocate is to be called for a DISCARD or WRITE_ZEROES. */
int vmm_host_file_zero_mode (const VmmBlockRequest *request);
int vmm_host_file_sync (VmmHostFile *self);
int vmm_host_file_truncate (VmmHostFile *self, guint64 size);
/* The space is given back and reads as zero. */
int vmm_host_file_punch (VmmHostFile *self, guint64 offset, guint64 length);

/* Locks an image against other programs, in QEMU's manner; held until @fd is closed. */
gboolean vmm_image_lock (int fd, const char *path, gboolean readonly, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmHostFile, vmm_host_file_close)

G_END_DECLS
