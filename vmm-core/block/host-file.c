/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A file of the host: opened, locked, measured. The engine is made at the first request: setting up
 * a ring costs time that a machine which only starts should not pay.
 *
 * Threads: as host-file.h says.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/block-private.h"
#include "vmm-error.h"

gboolean
vmm_host_file_measure (VmmHostFile *self, GError **error)
{
  struct stat info;
  gboolean ok = fstat (self->fd, &info) == 0;

  if (ok && !S_ISREG (info.st_mode) && !S_ISBLK (info.st_mode)) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_DISK, "“%s” is not a disk image.", self->path);
    return FALSE;
  }
  if (ok) {
    self->size = info.st_size;
    self->is_device = S_ISBLK (info.st_mode);
  }
  if (ok && self->is_device)
    ok = ioctl (self->fd, BLKGETSIZE64, &self->size) == 0;
  if (!ok)
    g_set_error (error, VMM_ERROR, VMM_ERROR_DISK, "The size of the disk “%s” is unknown: %s.",
                 self->path, g_strerror (errno));
  return ok;
}

/* Not waiting is for the opening of what turns out to be a pipe. On a file system that must wait
 * io_uring would answer EAGAIN to every request on such a descriptor. */
static gboolean
let_it_wait (VmmHostFile *self, GError **error)
{
  int flags = fcntl (self->fd, F_GETFL);

  if (flags >= 0 && fcntl (self->fd, F_SETFL, flags & ~O_NONBLOCK) == 0)
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_DISK, "The disk “%s” cannot be used: %s.", self->path,
               g_strerror (errno));
  return FALSE;
}

static gboolean
open_file (VmmHostFile *self, GError **error)
{
  self->fd = open (self->path, (self->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
  if (self->fd >= 0)
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_DISK, "The disk “%s” cannot be opened%s: %s.",
               self->path, self->readonly ? "" : " for writing", g_strerror (errno));
  return FALSE;
}

VmmHostFile *
vmm_host_file_open (const char *path, const VmmBlockOptions *options, VmmLoop *loop, GError **error)
{
  g_autoptr (VmmHostFile) self = g_new0 (VmmHostFile, 1);

  self->fd = self->direct_fd = -1;
  self->klass = options->file ? options->file : &vmm_host_file_class;
  self->path = g_strdup (path);
  self->readonly = options->readonly;
  self->loop = loop;
  self->engine_class = options->engine ? options->engine : &vmm_block_uring;
  if (!open_file (self, error) || !vmm_host_file_measure (self, error) ||
      !let_it_wait (self, error) || !vmm_image_lock (self->fd, path, self->readonly, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
vmm_host_file_close (VmmHostFile *self)
{
  if (self->engine)
    self->engine_class->free (self->engine);
  if (self->direct_fd >= 0)
    close (self->direct_fd);
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->path);
  g_free (self);
}

guint64
vmm_host_file_get_end (VmmHostFile *self)
{
  struct stat info;

  if (!self->is_device && fstat (self->fd, &info) == 0)
    return info.st_size;
  return self->size;
}

gboolean
vmm_host_file_is_at (const VmmHostFile *self, const char *path)
{
  struct stat ours, theirs;

  return fstat (self->fd, &ours) == 0 && stat (path, &theirs) == 0 &&
         ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static void
make_engine (VmmHostFile *self)
{
  self->engine = self->engine_class->new (self, self->loop);
  if (self->engine)
    return;
  g_info ("%s is refused here: disks use threads", self->engine_class->name);
  self->engine_class = &vmm_block_threads;
  self->engine = self->engine_class->new (self, self->loop);
}

void
vmm_host_file_submit (VmmHostFile *self, VmmBlockRequest *request)
{
  if (!self->engine)
    make_engine (self);
  request->moved = 0;
  request->next = NULL;
  self->engine_class->submit (self->engine, request);
}

void
vmm_host_file_kick (VmmHostFile *self)
{
  if (self->engine)
    self->engine_class->kick (self->engine);
}
