/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Locks on disk images, compatible with QEMU's: a byte from 100 on for each thing that a program
 * does to an image, and one from 200 on for each that it does not let others do. Apart because the
 * protocol has nothing to do with moving bytes.
 *
 * Threads: any.
 */
#include <errno.h>
#include <fcntl.h>

#include "block/block-private.h"
#include "vmm-error.h"

#define DOES_BASE   100
#define DENIES_BASE 200

enum {
  RIGHT_READ = 0,
  RIGHT_WRITE = 1,
  RIGHT_RESIZE = 3,
  N_RIGHTS = 4,
};

#define BIT_OF(right) (1u << (right))

static gboolean
lock_byte (int fd, off_t byte, gboolean *supported)
{
  struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

  if (fcntl (fd, F_OFD_SETLK, &lock) == 0)
    return TRUE;
  *supported = errno == EAGAIN || errno == EACCES;
  return FALSE;
}

/* Whether another program holds a lock on the byte. */
static gboolean
is_locked (int fd, off_t byte)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

  return fcntl (fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static gboolean
refuse (const char *path, gboolean readonly, GError **error)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_DISK_BUSY,
               readonly ? "The disk “%s” is being written to by another program; stop that first."
                        : "The disk “%s” is in use by another program; stop that first.",
               path);
  return FALSE;
}

/* First all locks, then all questions: of two that come at once at least one sees the other. */
gboolean
vmm_image_lock (int fd, const char *path, gboolean readonly, GError **error)
{
  guint does = BIT_OF (RIGHT_READ) | (readonly ? 0 : BIT_OF (RIGHT_WRITE));
  guint denies = BIT_OF (RIGHT_WRITE) | BIT_OF (RIGHT_RESIZE);
  gboolean supported = TRUE;

  for (guint right = 0; right < N_RIGHTS; right++) {
    if (((does & BIT_OF (right)) && !lock_byte (fd, DOES_BASE + right, &supported)) ||
        ((denies & BIT_OF (right)) && !lock_byte (fd, DENIES_BASE + right, &supported))) {
      if (supported)
        return refuse (path, readonly, error);
      g_warning ("The file system of “%s” has no locks: nothing keeps other programs away", path);
      return TRUE;
    }
  }
  for (guint right = 0; right < N_RIGHTS; right++)
    if (((does & BIT_OF (right)) && is_locked (fd, DENIES_BASE + right)) ||
        ((denies & BIT_OF (right)) && is_locked (fd, DOES_BASE + right)))
      return refuse (path, readonly, error);
  return TRUE;
}
