/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLock, by flock: it belongs to the open file, so two libraries in one process
 * keep each other out as two processes do.
 *
 * Threads: any; one owner at a time.
 */
#include "library/vd-lock.h"
#include "library/vd-file.h"
#include "vd-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_NOTE 4096 /* bytes */
#define GROUP    "holder"

#define N_TRIES   5
#define TRY_PAUSE 10000 /* us */

struct _VdLock {
  char *path;
  int fd;
};

/* Whether @fd is still what @path names: its holder may have removed it before we had the lock. */
static gboolean
is_current (int fd, const char *path)
{
  struct stat ours, named;

  return fstat (fd, &ours) == 0 && stat (path, &named) == 0 && ours.st_ino == named.st_ino &&
         ours.st_dev == named.st_dev;
}

static void
set_owned (const char *path, GError **error)
{
  g_auto (VdLockNote) note = { 0 };

  vd_lock_look (path, &note);
  if (note.pid > 0)
    g_set_error (error, VD_ERROR, VD_ERROR_OWNED,
                 _("Another process has it open (number %d). Close it and try again."), note.pid);
  else
    g_set_error_literal (error, VD_ERROR, VD_ERROR_OWNED,
                         _("Another process has it open. Close it and try again."));
}

/* Whoever looks holds it for a moment. */
static gboolean
lock_patiently (int fd)
{
  for (guint i = 0; flock (fd, LOCK_EX | LOCK_NB) < 0; i++) {
    if (errno != EWOULDBLOCK || i == N_TRIES)
      return FALSE;
    g_usleep (TRY_PAUSE);
  }
  return TRUE;
}

VdLock *
vd_lock_take (const char *path, GError **error)
{
  VdLock *self;

  for (;;) {
    g_autofd int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
      vd_error_set_errno (error, errno, _("“%s” cannot be written"), path);
      return NULL;
    }
    if (!lock_patiently (fd)) {
      if (errno == EWOULDBLOCK)
        set_owned (path, error);
      else
        vd_error_set_errno (error, errno, _("“%s” cannot be locked"), path);
      return NULL;
    }
    if (!is_current (fd, path))
      continue;
    self = g_new0 (VdLock, 1);
    self->path = g_strdup (path);
    self->fd = g_steal_fd (&fd);
    return self;
  }
}

gboolean
vd_lock_write (VdLock *self, const char *bus_name, const char *engine, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *data = NULL;
  gsize length;

  g_key_file_set_integer (file, GROUP, "pid", getpid ());
  if (bus_name != NULL)
    g_key_file_set_string (file, GROUP, "bus-name", bus_name);
  if (engine != NULL)
    g_key_file_set_string (file, GROUP, "engine", engine);
  data = g_key_file_to_data (file, &length, NULL);
  if (ftruncate (self->fd, 0) == 0 && pwrite (self->fd, data, length, 0) == (gssize) length &&
      fsync (self->fd) == 0)
    return TRUE;
  vd_error_set_errno (error, errno, _("“%s” cannot be written"), self->path);
  return FALSE;
}

void
vd_lock_drop (VdLock *self)
{
  close (self->fd);
  g_free (self->path);
  g_free (self);
}

void
vd_lock_remove (VdLock *self)
{
  g_unlink (self->path);
  vd_lock_drop (self);
}

static void
read_note (const char *path, VdLockNote *note)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *data = NULL;
  gsize length;

  data = vd_file_read (path, MAX_NOTE, &length, NULL);
  if (data == NULL || !g_key_file_load_from_data (file, data, length, G_KEY_FILE_NONE, NULL))
    return;
  note->pid = g_key_file_get_integer (file, GROUP, "pid", NULL);
  note->bus_name = g_key_file_get_string (file, GROUP, "bus-name", NULL);
  note->engine = g_key_file_get_string (file, GROUP, "engine", NULL);
}

VdLockState
vd_lock_look (const char *path, VdLockNote *note)
{
  g_autofd int fd = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

  if (note != NULL)
    *note = (VdLockNote) { 0 };
  if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
    return VD_LOCK_HELD; /* who cannot look must not believe that it is free */
  if (fd < 0)
    return errno == ENOENT ? VD_LOCK_ABSENT : VD_LOCK_LEFT;
  if (note != NULL)
    read_note (path, note);
  /* Shared: two who look at once must not take each other for the holder. */
  return flock (fd, LOCK_SH | LOCK_NB) == 0 ? VD_LOCK_LEFT : VD_LOCK_HELD;
}

void
vd_lock_note_clear (VdLockNote *note)
{
  g_clear_pointer (&note->bus_name, g_free);
  g_clear_pointer (&note->engine, g_free);
}
