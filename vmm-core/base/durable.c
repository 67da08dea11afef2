/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See durable.h.
 */
#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

gboolean
vmm_write_all (int fd, struct iovec *iov, guint n)
{
  while (n > 0) {
    gssize written = writev (fd, iov, n);

    if (written < 0 && errno != EINTR)
      return FALSE;
    for (written = MAX (written, 0); n > 0 && (gsize) written >= iov->iov_len; iov++, n--)
      written -= iov->iov_len;
    if (n > 0) {
      iov->iov_base = (guint8 *) iov->iov_base + written;
      iov->iov_len -= written;
    }
  }
  return TRUE;
}

gboolean
vmm_write_bytes (int fd, gconstpointer bytes, gsize length)
{
  struct iovec iov = { (gpointer) bytes, length };

  return vmm_write_all (fd, &iov, 1);
}

gboolean
vmm_sync_folder (const char *path)
{
  int fd = g_open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  gboolean ok = fd >= 0 && fsync (fd) == 0;

  if (fd >= 0)
    close (fd);
  return ok;
}

gboolean
vmm_sync_parent (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);

  return vmm_sync_folder (folder);
}
