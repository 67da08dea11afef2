/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Firmware changes its variables in bursts of thousands of writes. A timer on the loop waits for
 * the end of a burst, and a thread of its own, which lives only so long, copies and saves.
 *
 * Threads: as nvram.h says; @lock guards what the saving thread shares.
 */
#include "chips/nvram.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "block/block-private.h"
#include "vmm-error.h"

#define PAGE          4096
#define SAVE_DELAY_NS G_GINT64_CONSTANT (100000000)

struct _VmmNvram {
  char *path;
  int fd; /* holds the lock */
  gsize size;
  guint8 *bytes;
  VmmLoop *loop;
  GMutex lock; /* of the timer, which the saver arms too */
  VmmSource *timer;
  GThread *saver; /* of the loop's thread, or of whoever took the timer off */

  gint n_changes; /* atomic */
  gint n_saved;   /* atomic: as many of them are in the file */
  gint saving;    /* atomic: the thread is at work */
};

static gboolean
fail (const char *path, const char *why, GError **error)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_IO,
               "The firmware's variables in “%s” cannot be used: %s.", path, why);
  return FALSE;
}

static gboolean
make_from (const char *path, const char *template, GError **error)
{
  g_autofree char *bytes = NULL;
  g_autoptr (GError) why = NULL;
  gsize size;

  if (!template)
    return fail (path, "there is no such file", error);
  if (g_file_get_contents (template, &bytes, &size, &why) &&
      g_file_set_contents_full (path, bytes, size,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                &why))
    return TRUE;
  return fail (path, why->message, error);
}

/* Whether @path still names the open file: it may have been replaced before it was locked. */
static gboolean
is_at (int fd, const char *path)
{
  struct stat open, named;

  return fstat (fd, &open) == 0 && lstat (path, &named) == 0 && open.st_ino == named.st_ino &&
         open.st_dev == named.st_dev;
}

static int
open_locked (const char *path, GError **error)
{
  int fd = g_open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);

  if (fd < 0) {
    fail (path, g_strerror (errno), error);
    return -1;
  }
  if (vmm_image_lock (fd, path, FALSE, error)) {
    if (is_at (fd, path))
      return fd;
    g_set_error (error, VMM_ERROR, VMM_ERROR_DISK_BUSY,
                 "The firmware's variables in “%s” are in use by another program; stop that first.",
                 path);
  }
  close (fd);
  return -1;
}

static gboolean
read_all (VmmNvram *self, GError **error)
{
  struct stat info;

  if (fstat (self->fd, &info) < 0)
    return fail (self->path, g_strerror (errno), error);
  if (!S_ISREG (info.st_mode) || info.st_size == 0 || info.st_size % PAGE != 0 ||
      info.st_size > VMM_NVRAM_MAX_SIZE)
    return fail (self->path, "it is no image of a flash", error);
  self->bytes =
    mmap (NULL, info.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (self->bytes == MAP_FAILED) {
    self->bytes = NULL;
    return fail (self->path, g_strerror (errno), error);
  }
  self->size = info.st_size;
  if (pread (self->fd, self->bytes, self->size, 0) != (gssize) self->size)
    return fail (self->path, "it cannot be read", error);
  return TRUE;
}

/* The file is replaced by one that is ours already: at no time may another program take it. Returns
 * its descriptor, or -1 with errno set. */
static int
replace_file (const char *path, const guint8 *bytes, gsize size)
{
  g_autofree char *aside = g_strconcat (path, ".XXXXXX", NULL);
  int fd = g_mkstemp_full (aside, O_RDWR | O_CLOEXEC, 0600), code;

  if (fd < 0)
    return -1;
  if (vmm_write_bytes (fd, bytes, size) && vmm_image_lock (fd, path, FALSE, NULL) &&
      fsync (fd) == 0 && g_rename (aside, path) == 0) {
    vmm_sync_parent (path);
    return fd;
  }
  code = errno;
  g_unlink (aside);
  close (fd);
  errno = code;
  return -1;
}

static void
save (VmmNvram *self)
{
  gint n = g_atomic_int_get (&self->n_changes);
  g_autofree guint8 *copy = g_memdup2 (self->bytes, self->size);
  int fd = replace_file (self->path, copy, self->size);

  if (fd < 0) {
    g_warning ("The firmware's variables are not saved: %s", g_strerror (errno));
    return;
  }
  g_atomic_int_set (&self->n_saved, n);
  close (self->fd);
  self->fd = fd;
}

static void
arm (VmmNvram *self)
{
  g_mutex_lock (&self->lock);
  if (self->timer)
    vmm_source_arm (self->timer, vmm_loop_now_ns () + SAVE_DELAY_NS);
  g_mutex_unlock (&self->lock);
}

/* Where it fails (the file system is full), the next change and the machine's end try again. */
static gpointer
run_saver (gpointer data)
{
  VmmNvram *self = data;
  gint n = g_atomic_int_get (&self->n_changes);

  save (self);
  g_atomic_int_set (&self->saving, FALSE);
  if (n != g_atomic_int_get (&self->n_changes))
    arm (self);
  return NULL;
}

/* Loop: the burst is over, unless the last one is still being saved: that thread asks again. */
static void
start_saver (gpointer data)
{
  VmmNvram *self = data;

  if (g_atomic_int_get (&self->saving))
    return;
  g_clear_pointer (&self->saver, g_thread_join);
  g_atomic_int_set (&self->saving, TRUE);
  self->saver = g_thread_try_new ("nvram", run_saver, self, NULL);
  if (!self->saver)
    g_atomic_int_set (&self->saving, FALSE);
}

VmmNvram *
vmm_nvram_new (const char *path, const char *template, VmmLoop *loop, GError **error)
{
  g_autoptr (VmmNvram) self = g_new0 (VmmNvram, 1);

  self->path = g_strdup (path);
  self->loop = loop;
  self->fd = -1;
  g_mutex_init (&self->lock);
  if (!g_file_test (path, G_FILE_TEST_EXISTS) && !make_from (path, template, error))
    return NULL;
  self->fd = open_locked (path, error);
  if (self->fd < 0 || !read_all (self, error))
    return NULL;
  self->timer = vmm_loop_add_timer (loop, start_saver, self, error);
  return self->timer ? g_steal_pointer (&self) : NULL;
}

void
vmm_nvram_free (VmmNvram *self)
{
  VmmSource *timer;

  g_mutex_lock (&self->lock);
  timer = g_steal_pointer (&self->timer);
  g_mutex_unlock (&self->lock);
  if (timer) {
    vmm_loop_remove (self->loop, timer);
    vmm_nvram_save (self);
  }
  if (self->bytes)
    munmap (self->bytes, self->size);
  if (self->fd >= 0)
    close (self->fd);
  g_mutex_clear (&self->lock);
  g_free (self->path);
  g_free (self);
}

gsize
vmm_nvram_get_size (VmmNvram *self)
{
  return self->size;
}

guint8 *
vmm_nvram_get_bytes (VmmNvram *self)
{
  return self->bytes;
}

void
vmm_nvram_changed (VmmNvram *self)
{
  g_atomic_int_inc (&self->n_changes);
  arm (self);
}

static void
join_saver (gpointer data)
{
  VmmNvram *self = data;

  g_clear_pointer (&self->saver, g_thread_join);
}

void
vmm_nvram_save (VmmNvram *self)
{
  if (self->timer) {
    vmm_source_arm (self->timer, 0);
    vmm_loop_call (self->loop, join_saver, self);
  } else {
    join_saver (self);
  }
  if (g_atomic_int_get (&self->n_saved) != g_atomic_int_get (&self->n_changes))
    save (self);
}
