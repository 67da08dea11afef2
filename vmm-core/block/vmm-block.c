/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Raw disk images: a file or a block device, byte for byte. The engine is made at the first
 * request: setting up a ring costs time that a machine which only starts should not pay.
 *
 * Threads: as vmm-block.h says.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/block-private.h"
#include "vmm-error.h"

#define SECTOR 512

struct _VmmBlock {
  int fd;
  char *path;
  guint64 size;
  gboolean readonly;
  VmmLoop *loop;
  const VmmBlockEngineClass *klass; /* the one wanted, or in use */
  VmmBlockEngine *engine;           /* NULL until the first request */
};

static gboolean
get_size (int fd, const char *path, guint64 *size, GError **error)
{
  struct stat info;
  gboolean ok = fstat (fd, &info) == 0;

  if (ok && !S_ISREG (info.st_mode) && !S_ISBLK (info.st_mode)) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_DISK, "“%s” is not a disk image.", path);
    return FALSE;
  }
  if (ok)
    *size = info.st_size;
  if (ok && S_ISBLK (info.st_mode))
    ok = ioctl (fd, BLKGETSIZE64, size) == 0;
  if (!ok) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_DISK, "The size of the disk “%s” is unknown: %s.",
                 path, g_strerror (errno));
    return FALSE;
  }
  if (*size > 0 && *size % SECTOR == 0)
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_DISK,
               "The disk “%s” has %" G_GUINT64_FORMAT
               " bytes, which is no whole number of sectors: it is cut short, or no disk image.",
               path, *size);
  return FALSE;
}

/* Not waiting is for the opening of what turns out to be a pipe. On a file system that must wait
 * io_uring would answer EAGAIN to every request on such a descriptor. */
static gboolean
let_it_wait (int fd, const char *path, GError **error)
{
  int flags = fcntl (fd, F_GETFL);

  if (flags >= 0 && fcntl (fd, F_SETFL, flags & ~O_NONBLOCK) == 0)
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_DISK, "The disk “%s” cannot be used: %s.", path,
               g_strerror (errno));
  return FALSE;
}

static int
open_image (const char *path, gboolean readonly, GError **error)
{
  int fd = open (path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0)
    g_set_error (error, VMM_ERROR, VMM_ERROR_DISK, "The disk “%s” cannot be opened%s: %s.", path,
                 readonly ? "" : " for writing", g_strerror (errno));
  return fd;
}

VmmBlock *
vmm_block_open_raw_with (const char *path,
                         gboolean readonly,
                         VmmLoop *loop,
                         const VmmBlockEngineClass *engine,
                         GError **error)
{
  int fd = open_image (path, readonly, error);
  guint64 size = 0;
  VmmBlock *self;

  if (fd < 0)
    return NULL;
  if (!get_size (fd, path, &size, error) || !let_it_wait (fd, path, error) ||
      !vmm_image_lock (fd, path, readonly, error)) {
    close (fd);
    return NULL;
  }
  self = g_new0 (VmmBlock, 1);
  self->fd = fd;
  self->path = g_strdup (path);
  self->size = size;
  self->readonly = readonly;
  self->loop = loop;
  self->klass = engine;
  return self;
}

VmmBlock *
vmm_block_open_raw (const char *path, gboolean readonly, VmmLoop *loop, GError **error)
{
  return vmm_block_open_raw_with (path, readonly, loop, &vmm_block_uring, error);
}

void
vmm_block_close (VmmBlock *self)
{
  if (self->engine)
    self->klass->free (self->engine);
  close (self->fd);
  g_free (self->path);
  g_free (self);
}

guint64
vmm_block_get_size (VmmBlock *self)
{
  return self->size;
}

gboolean
vmm_block_get_readonly (VmmBlock *self)
{
  return self->readonly;
}

const char *
vmm_block_get_path (VmmBlock *self)
{
  return self->path;
}

const char *
vmm_block_get_engine (VmmBlock *self)
{
  return self->klass->name;
}

static void
make_engine (VmmBlock *self)
{
  self->engine = self->klass->new (self->fd, self->loop);
  if (self->engine)
    return;
  g_info ("%s is refused here: disks use threads", self->klass->name);
  self->klass = &vmm_block_threads;
  self->engine = self->klass->new (self->fd, self->loop);
}

void
vmm_block_submit (VmmBlock *self, VmmBlockRequest *request)
{
  if (!self->engine)
    make_engine (self);
  request->moved = 0;
  request->next = NULL;
  self->klass->submit (self->engine, request);
}

void
vmm_block_kick (VmmBlock *self)
{
  if (self->engine)
    self->klass->kick (self->engine);
}

gboolean
vmm_block_request_advance (VmmBlockRequest *request, gsize n)
{
  request->moved += n;
  while (request->n_iov > 0 && n >= request->iov[0].iov_len) {
    n -= request->iov[0].iov_len;
    request->iov++;
    request->n_iov--;
  }
  if (request->n_iov > 0) {
    request->iov[0].iov_base = (guint8 *) request->iov[0].iov_base + n;
    request->iov[0].iov_len -= n;
  }
  return request->moved >= request->length;
}
