/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Files and folders of a library.
 *
 * Threads: any; they block.
 */
#include "library/vd-file.h"
#include "vd-error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_DEPTH 32 /* of folders in a machine's folder; each level holds a descriptor */

void
vd_error_set_errno (GError **error, int code, const char *format, ...)
{
  g_autofree char *raw = NULL, *what = NULL;
  va_list args;

  va_start (args, format);
  raw = g_strdup_vprintf (format, args);
  va_end (args);
  what = g_utf8_make_valid (raw, -1); /* the names of files are any bytes, sentences are not */

  if (code == ENOSPC || code == EDQUOT)
    g_set_error (error, VD_ERROR, VD_ERROR_NO_SPACE,
                 _("%s: the disk is full. Make room and try again."), what);
  else if (code == ENOENT)
    g_set_error (error, VD_ERROR, VD_ERROR_NOT_FOUND, _("%s: it is not there."), what);
  else
    g_set_error (error, VD_ERROR, VD_ERROR_FAILED, "%s: %s.", what, g_strerror (code));
}

static gboolean
read_all (int fd, char *data, gsize size, gsize *length)
{
  *length = 0;
  while (*length < size) {
    gssize n = read (fd, data + *length, size - *length);

    if (n < 0 && errno != EINTR)
      return FALSE;
    if (n == 0)
      break;
    *length += MAX (n, 0);
  }
  return TRUE;
}

char *
vd_file_read (const char *path, gsize max, gsize *length, GError **error)
{
  g_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  g_autofree char *data = NULL;
  struct stat info;
  gsize n;

  if (fd < 0 || fstat (fd, &info) < 0) {
    vd_error_set_errno (error, errno, _("“%s” cannot be read"), path);
    return NULL;
  }
  if (!S_ISREG (info.st_mode)) {
    g_set_error (error, VD_ERROR, VD_ERROR_FAILED, _("“%s” is not a file."), path);
    return NULL;
  }
  /* The file may grow meanwhile, so its size only says how much to ask for. */
  if ((guint64) info.st_size > max || (data = g_try_malloc (info.st_size + 2)) == NULL) {
    g_set_error (error, VD_ERROR, VD_ERROR_FAILED, _("“%s” is too big."), path);
    return NULL;
  }
  if (!read_all (fd, data, info.st_size + 1, &n)) {
    vd_error_set_errno (error, errno, _("“%s” cannot be read"), path);
    return NULL;
  }
  data[n] = '\0';
  *length = n;
  return g_steal_pointer (&data);
}

/* After a rename: that has happened, whatever this says, so it is no failure. */
static void
sync_parent (const char *path)
{
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofd int fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  /* Some file systems cannot sync a folder; nothing better can be done there. */
  if (fd < 0 || (fsync (fd) < 0 && errno != EINVAL && errno != EROFS))
    g_message ("%s is not safe from a power cut yet: %s", path, g_strerror (errno));
}

static gboolean
write_all (int fd, const char *data, gsize length)
{
  while (length > 0) {
    gssize n = write (fd, data, length);

    if (n < 0 && errno != EINTR)
      return FALSE;
    data += MAX (n, 0);
    length -= MAX (n, 0);
  }
  return fsync (fd) == 0;
}

gboolean
vd_file_replace (const char *path, gconstpointer data, gsize length, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *part = g_build_filename (folder, VD_PART_PREFIX "XXXXXX", NULL);
  g_autofd int fd = g_mkstemp_full (part, O_RDWR | O_CLOEXEC, 0600);
  int code;

  if (fd >= 0 && write_all (fd, data, length) && g_rename (part, path) == 0) {
    sync_parent (path);
    return TRUE;
  }
  code = errno;
  if (fd >= 0)
    g_unlink (part);
  vd_error_set_errno (error, code, _("“%s” cannot be written"), path);
  return FALSE;
}

gboolean
vd_file_make_sparse (const char *path, guint64 size, GError **error)
{
  g_autofd int fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  int code;

  if (fd >= 0 && ftruncate (fd, size) == 0 && fsync (fd) == 0)
    return TRUE;
  code = errno;
  if (fd >= 0)
    g_unlink (path);
  vd_error_set_errno (error, code, _("The disk “%s” cannot be made"), path);
  return FALSE;
}

static gboolean
rename_new (const char *from, const char *to)
{
  if (renameat2 (AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
    return TRUE;
  if (errno != EINVAL && errno != ENOSYS)
    return FALSE;
  /* A file system without that; the library's lock keeps others away. */
  if (faccessat (AT_FDCWD, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    errno = EEXIST;
    return FALSE;
  }
  return g_rename (from, to) == 0;
}

gboolean
vd_file_rename (const char *from, const char *to, GError **error)
{
  if (rename_new (from, to)) {
    sync_parent (from);
    sync_parent (to);
    return TRUE;
  }
  vd_error_set_errno (error, errno, _("“%s” cannot be moved to “%s”"), from, to);
  return FALSE;
}

gboolean
vd_folder_make (const char *path, GError **error)
{
  if (g_mkdir_with_parents (path, 0700) == 0)
    return TRUE;
  vd_error_set_errno (error, errno, _("The folder “%s” cannot be made"), path);
  return FALSE;
}

static gboolean remove_at (int parent, const char *name, guint depth);

static gboolean
remove_entries (int fd, guint depth)
{
  DIR *dir = fdopendir (fd); /* takes fd */
  struct dirent *entry;
  gboolean ok = TRUE;

  if (dir == NULL) {
    close (fd);
    return FALSE;
  }
  while (ok && (entry = readdir (dir)) != NULL)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      ok = remove_at (dirfd (dir), entry->d_name, depth);
  closedir (dir);
  return ok;
}

/* By descriptors, so that nobody can put a link in the way. */
static gboolean
remove_at (int parent, const char *name, guint depth)
{
  int fd;

  if (unlinkat (parent, name, 0) == 0 || errno == ENOENT)
    return TRUE;
  if (errno != EISDIR && errno != EPERM)
    return FALSE;
  if (depth == MAX_DEPTH) {
    errno = ELOOP;
    return FALSE;
  }
  fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return fd >= 0 && remove_entries (fd, depth + 1) && unlinkat (parent, name, AT_REMOVEDIR) == 0;
}

gboolean
vd_folder_remove (const char *path, GError **error)
{
  if (remove_at (AT_FDCWD, path, 0))
    return TRUE;
  vd_error_set_errno (error, errno, _("“%s” cannot be removed"), path);
  return FALSE;
}
