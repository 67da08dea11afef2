/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Transfers past the host's cache (O_DIRECT), which would hold what the guest's own cache holds
 * already. Whole pages, in memory aligned as the host asks, go directly; all else goes through the
 * cache, where the kernel does what a disk of larger sectors needs: it reads the page, changes a
 * part, and lets no neighbour in between. Since what goes directly is whole pages, no page is ever
 * written both ways at once, unless the guest writes the same bytes twice at once.
 *
 * Threads: as host-file.h says.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/block-private.h"

#define PAGE 4096u

/* What the host asks for; FALSE where it has no direct transfers, or only coarser ones. */
static gboolean
get_alignment (VmmHostFile *self)
{
  struct statx info;

  self->memory_align = self->length_align = PAGE;
  if (statx (self->direct_fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &info) < 0 ||
      !(info.stx_mask & STATX_DIOALIGN))
    return TRUE; /* an older kernel: whole pages suit every disk, and the first try tells */
  self->memory_align = info.stx_dio_mem_align;
  self->length_align = info.stx_dio_offset_align;
  return info.stx_dio_mem_align > 0 && info.stx_dio_offset_align > 0 &&
         info.stx_dio_offset_align <= PAGE;
}

/* By another descriptor of the same file: a flag of ours alone. */
void
vmm_host_file_go_direct (VmmHostFile *self)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", self->fd);

  if (self->direct_fd >= 0 || self->klass != &vmm_host_file_class)
    return;
  self->direct_fd = open (path, (self->readonly ? O_RDONLY : O_RDWR) | O_DIRECT | O_CLOEXEC);
  if (self->direct_fd < 0 || get_alignment (self))
    return;
  close (self->direct_fd);
  self->direct_fd = -1;
}

int
vmm_host_file_choose_fd (VmmHostFile *self, const struct iovec *iov, guint n_iov, guint64 offset)
{
  gsize length = 0;

  if (self->direct_fd < 0 || offset % PAGE != 0 ||
      __atomic_load_n (&self->direct_off, __ATOMIC_RELAXED))
    return self->fd;
  for (guint i = 0; i < n_iov; i++) {
    if (GPOINTER_TO_SIZE (iov[i].iov_base) % self->memory_align != 0 ||
        iov[i].iov_len % self->length_align != 0)
      return self->fd;
    length += iov[i].iov_len;
  }
  return length % PAGE == 0 ? self->direct_fd : self->fd;
}

gboolean
vmm_host_file_must_cache (VmmHostFile *self, int fd, int error)
{
  if (error != -EINVAL || fd != self->direct_fd)
    return FALSE;
  __atomic_store_n (&self->direct_off, TRUE, __ATOMIC_RELAXED);
  return TRUE;
}
