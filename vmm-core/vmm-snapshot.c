/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-snapshot.h. Files are written under the name of a folder beside the one that is wanted,
 * which is renamed when everything is on the disk.
 */
#include "vmm-snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "vmm-error.h"

#define STATE_FILE     "state"
#define MEMORY_FILE    "memory"
#define MAX_STATE_SIZE (G_GUINT64_CONSTANT (512) << 20)

static gboolean
fail_write (const char *path, int code, GError **error)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "The machine cannot be saved to “%s”: %s.", path,
               g_strerror (code));
  return FALSE;
}

static gboolean
fail_read (const char *path, const char *why, GError **error)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT, "The saved machine “%s” cannot be used: %s.",
               path, why);
  return FALSE;
}

/* A new file in @folder, or -1. */
static int
make_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return g_open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* On the disk and closed. */
static gboolean
finish_file (int fd)
{
  gboolean ok = fsync (fd) == 0;

  return close (fd) == 0 && ok;
}

static gboolean
write_state (const char *folder, VmmState *state, GError **error)
{
  g_autoptr (GBytes) bytes = vmm_state_to_bytes (state);
  int fd = make_file (folder, STATE_FILE);

  if (fd < 0)
    return fail_write (folder, errno, error);
  if (!vmm_write_bytes (fd, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes))) {
    fail_write (folder, errno, error);
    close (fd);
    return FALSE;
  }
  return finish_file (fd) || fail_write (folder, errno, error);
}

static gboolean
write_memory (const char *folder,
              const guint8 id[VMM_STREAM_ID_LENGTH],
              VmmMemory *memory,
              const VmmProgress *progress,
              GError **error)
{
  int fd = make_file (folder, MEMORY_FILE);

  if (fd < 0)
    return fail_write (folder, errno, error);
  if (!vmm_memory_stream_write (memory, fd, id, progress, error)) {
    close (fd);
    return FALSE;
  }
  return finish_file (fd) || fail_write (folder, errno, error);
}

static void
remove_folder (const char *folder)
{
  g_autofree char *state = g_build_filename (folder, STATE_FILE, NULL);
  g_autofree char *memory = g_build_filename (folder, MEMORY_FILE, NULL);

  g_unlink (state);
  g_unlink (memory);
  g_rmdir (folder);
}

/* Not over anything that is there; where the file system cannot promise that, an empty folder may
 * go.
 */
static gboolean
rename_new (const char *from, const char *to)
{
  return renameat2 (AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 ||
         ((errno == EINVAL || errno == ENOSYS) && g_rename (from, to) == 0);
}

static gboolean
publish (const char *aside, const char *path, GError **error)
{
  if (!vmm_sync_folder (aside) || !rename_new (aside, path))
    return fail_write (path, errno, error);
  vmm_sync_parent (path);
  return TRUE;
}

gboolean
vmm_snapshot_write (const char *path,
                    const guint8 id[VMM_STREAM_ID_LENGTH],
                    VmmState *state,
                    VmmMemory *memory,
                    const VmmProgress *progress,
                    GError **error)
{
  g_autofree char *aside = g_strconcat (path, ".XXXXXX", NULL);

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return fail_write (path, EEXIST, error);
  if (!g_mkdtemp (aside))
    return fail_write (path, errno, error);
  if (write_memory (aside, id, memory, progress, error) && write_state (aside, state, error) &&
      publish (aside, path, error))
    return TRUE;
  remove_folder (aside);
  return FALSE;
}

static int
open_file (const char *folder, const char *name, struct stat *info, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  int fd = g_open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);

  if (fd < 0) {
    fail_read (folder, g_strerror (errno), error);
    return -1;
  }
  if (fstat (fd, info) == 0 && S_ISREG (info->st_mode))
    return fd;
  fail_read (folder, "it is no saved machine", error);
  close (fd);
  return -1;
}

/* Not a mapping: a file that is cut short meanwhile is an error then, and no fault. */
static GBytes *
read_file (int fd, gsize size)
{
  guint8 *bytes = g_try_malloc (size);
  gsize have = 0;

  while (bytes && have < size) {
    gssize got = read (fd, bytes + have, size - have);

    if (got == 0 || (got < 0 && errno != EINTR)) {
      g_clear_pointer (&bytes, g_free);
      break;
    }
    have += MAX (got, 0);
  }
  return bytes ? g_bytes_new_take (bytes, size) : NULL;
}

VmmState *
vmm_snapshot_read_state (const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  struct stat info;
  int fd = open_file (path, STATE_FILE, &info, error);

  if (fd < 0)
    return NULL;
  if (info.st_size > 0 && (guint64) info.st_size <= MAX_STATE_SIZE)
    bytes = read_file (fd, info.st_size);
  close (fd);
  if (bytes)
    return vmm_state_from_bytes (bytes, error);
  fail_read (path, "it is broken", error);
  return NULL;
}

gboolean
vmm_snapshot_read_memory (const char *path,
                          const guint8 id[VMM_STREAM_ID_LENGTH],
                          VmmMemory *memory,
                          const VmmProgress *progress,
                          GError **error)
{
  struct stat info;
  int fd = open_file (path, MEMORY_FILE, &info, error);
  gboolean ok;

  if (fd < 0)
    return FALSE;
  posix_fadvise (fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  ok = vmm_memory_stream_read (memory, fd, id, progress, error);
  close (fd);
  return ok;
}
