/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reading kernel and initrd files: exact lengths, plain sentences.
 */
#include "x86/boot-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm-error.h"

VmmFile *
vmm_file_open (const char *what, const char *path, GError **error)
{
  g_autoptr (VmmFile) self = g_new0 (VmmFile, 1);
  struct stat info;

  self->name = g_strdup (path);
  self->fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (self->fd < 0 || fstat (self->fd, &info) < 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_KERNEL, "The %s %s cannot be opened: %s.", what, path,
                 g_strerror (errno));
    return NULL;
  }
  if (!S_ISREG (info.st_mode) || info.st_size == 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_KERNEL, "The %s %s is %s.", what, path,
                 S_ISREG (info.st_mode) ? "empty" : "not a file");
    return NULL;
  }
  self->size = info.st_size;
  return g_steal_pointer (&self);
}

void
vmm_file_free (VmmFile *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->name);
  g_free (self);
}

gboolean
vmm_file_read (const VmmFile *self, guint64 offset, void *to, gsize length, GError **error)
{
  guint8 *at = to;

  while (length > 0) {
    gssize n = offset <= G_MAXINT64 ? pread (self->fd, at, length, offset) : 0;

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == EFAULT) { /* no page for it: @to is guest memory */
      g_set_error (error, VMM_ERROR, VMM_ERROR_NO_MEMORY,
                   "This computer has no memory left for the machine: close other programs or give "
                   "the machine less memory.");
      return FALSE;
    }
    if (n <= 0) {
      g_set_error (error, VMM_ERROR, VMM_ERROR_KERNEL, "%s cannot be read: %s.", self->name,
                   n < 0 ? g_strerror (errno) : "it ends too early, perhaps it was cut short");
      return FALSE;
    }
    at += n;
    offset += n;
    length -= n;
  }
  return TRUE;
}

gboolean
vmm_file_load (const VmmFile *self,
               guint64 offset,
               VmmMemory *memory,
               guint64 address,
               guint64 length,
               GError **error)
{
  void *to = vmm_memory_at (memory, address, length);

  if (!to) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_KERNEL,
                 "%s does not fit into the machine's memory: give the machine more.", self->name);
    return FALSE;
  }
  return vmm_file_read (self, offset, to, length, error);
}
