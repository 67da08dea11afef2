/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Transfers of a host file that block, for the threads engine and for whoever is not on the loop.
 *
 * Threads: any but the loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "block/block-private.h"

#define PUNCH (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

static gssize
host_readv (VmmHostFile *self, const struct iovec *iov, guint n_iov, guint64 offset)
{
  int fd = vmm_host_file_choose_fd (self, iov, n_iov, offset);
  gssize n = preadv (fd, iov, n_iov, offset);

  if (n < 0 && vmm_host_file_must_cache (self, fd, -errno))
    n = preadv (self->fd, iov, n_iov, offset);
  return n < 0 ? -errno : n;
}

static gssize
host_writev (VmmHostFile *self, const struct iovec *iov, guint n_iov, guint64 offset)
{
  int fd = vmm_host_file_choose_fd (self, iov, n_iov, offset);
  gssize n = pwritev (fd, iov, n_iov, offset);

  if (n < 0 && vmm_host_file_must_cache (self, fd, -errno))
    n = pwritev (self->fd, iov, n_iov, offset);
  return n < 0 ? -errno : n;
}

static int
host_sync (VmmHostFile *self)
{
  return fdatasync (self->fd) < 0 ? -errno : 0;
}

static int
host_allocate (VmmHostFile *self, int mode, guint64 offset, guint64 length)
{
  return fallocate (self->fd, mode, offset, length) < 0 ? -errno : 0;
}

static int
host_truncate (VmmHostFile *self, guint64 size)
{
  return ftruncate (self->fd, size) < 0 ? -errno : 0;
}

const VmmHostFileClass vmm_host_file_class = {
  .readv = host_readv,
  .writev = host_writev,
  .sync = host_sync,
  .allocate = host_allocate,
  .truncate = host_truncate,
};

static int
move_bytes (VmmHostFile *self, VmmBlockRequest *request)
{
  while (request->moved < request->length) {
    guint64 offset = request->offset + request->moved;
    guint n_iov = MIN (request->n_iov, IOV_MAX);
    gssize n;

    if (request->op == VMM_BLOCK_READ)
      n = self->klass->readv (self, request->iov, n_iov, offset);
    else
      n = self->klass->writev (self, request->iov, n_iov, offset);
    if (n < 0 && n != -EINTR)
      return n;
    if (n == 0)
      return -EIO; /* the file became shorter */
    if (n > 0)
      vmm_block_request_advance (request, n);
  }
  return 0;
}

int
vmm_host_file_run (VmmHostFile *self, VmmBlockRequest *request)
{
  switch (request->op) {
  case VMM_BLOCK_READ:
  case VMM_BLOCK_WRITE:
    return move_bytes (self, request);
  case VMM_BLOCK_FLUSH:
    return self->klass->sync (self);
  case VMM_BLOCK_DISCARD:
  case VMM_BLOCK_WRITE_ZEROES:
    return self->klass->allocate (self, vmm_host_file_zero_mode (request), request->offset,
                                  request->length);
  }
  return -EINVAL;
}

/* Where space may not be given back it stays allocated, and only reads as zero. */
int
vmm_host_file_zero_mode (const VmmBlockRequest *request)
{
  if (request->op == VMM_BLOCK_WRITE_ZEROES && !request->unmap)
    return FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
  return PUNCH;
}

int
vmm_host_file_read (VmmHostFile *self, void *to, gsize length, guint64 offset)
{
  guint8 *bytes = to;
  gsize done = 0;

  while (done < length) {
    struct iovec iov = { bytes + done, length - done };
    gssize n = self->klass->readv (self, &iov, 1, offset + done);

    if (n < 0 && n != -EINTR)
      return n;
    if (n == 0) {
      iov = (struct iovec) { bytes + done, length - done };
      vmm_iov_clear (&iov, 1);
      return 0;
    }
    done += MAX (n, 0);
  }
  return 0;
}

int
vmm_host_file_write (VmmHostFile *self, const void *from, gsize length, guint64 offset)
{
  struct iovec iov = { (void *) from, length };
  VmmBlockRequest request = {
    .op = VMM_BLOCK_WRITE, .offset = offset, .length = length, .iov = &iov, .n_iov = 1
  };

  return move_bytes (self, &request);
}

int
vmm_host_file_sync (VmmHostFile *self)
{
  return self->klass->sync (self);
}

int
vmm_host_file_truncate (VmmHostFile *self, guint64 size)
{
  return self->klass->truncate (self, size);
}

int
vmm_host_file_punch (VmmHostFile *self, guint64 offset, guint64 length)
{
  return self->klass->allocate (self, PUNCH, offset, length);
}
