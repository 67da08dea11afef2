/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See write-recorder.h. One call at a time goes through to the host, so the order is what it seems.
 */
#include "write-recorder.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512

typedef enum { WROTE, SYNCED, ALLOCATED, TRUNCATED } NoteKind;

typedef struct {
  NoteKind kind;
  guint64 offset, length;
  int mode;      /* ALLOCATED */
  guint8 *bytes; /* WROTE */
} Note;

static void
note_free (gpointer data)
{
  Note *note = data;

  g_free (note->bytes);
  g_free (note);
}

static void
add (WriteRecorder *self, NoteKind kind, guint64 offset, guint64 length, int mode, guint8 *bytes)
{
  Note *note = g_new (Note, 1);

  *note = (Note) { kind, offset, length, mode, bytes };
  g_ptr_array_add (self->log, note);
}

static gssize
recorded_readv (VmmHostFile *file, const struct iovec *iov, guint n_iov, guint64 offset)
{
  return vmm_host_file_class.readv (file, iov, n_iov, offset);
}

static gssize
recorded_writev (VmmHostFile *file, const struct iovec *iov, guint n_iov, guint64 offset)
{
  WriteRecorder *self = (WriteRecorder *) file->klass;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gssize n = vmm_host_file_class.writev (file, iov, n_iov, offset);
  guint8 *bytes;

  if (n <= 0)
    return n;
  bytes = g_malloc (n);
  vmm_iov_copy_out (iov, n_iov, bytes, n);
  add (self, WROTE, offset, n, 0, bytes);
  return n;
}

static int
recorded_sync (VmmHostFile *file)
{
  WriteRecorder *self = (WriteRecorder *) file->klass;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  add (self, SYNCED, 0, 0, 0, NULL);
  return 0;
}

static int
recorded_allocate (VmmHostFile *file, int mode, guint64 offset, guint64 length)
{
  WriteRecorder *self = (WriteRecorder *) file->klass;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  int result = vmm_host_file_class.allocate (file, mode, offset, length);

  if (result == 0)
    add (self, ALLOCATED, offset, length, mode, NULL);
  return result;
}

static int
recorded_truncate (VmmHostFile *file, guint64 size)
{
  WriteRecorder *self = (WriteRecorder *) file->klass;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  int result = vmm_host_file_class.truncate (file, size);

  if (result == 0)
    add (self, TRUNCATED, 0, size, 0, NULL);
  return result;
}

void
write_recorder_init (WriteRecorder *self)
{
  self->klass = (VmmHostFileClass) { recorded_readv, recorded_writev, recorded_sync,
                                     recorded_allocate, recorded_truncate };
  self->log = g_ptr_array_new_with_free_func (note_free);
  g_mutex_init (&self->lock);
}

void
write_recorder_clear (WriteRecorder *self)
{
  g_ptr_array_unref (self->log);
  g_mutex_clear (&self->lock);
}

guint
write_recorder_get_length (WriteRecorder *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->log->len;
}

static void
replay (int fd, const Note *note, guint64 from, guint64 to)
{
  switch (note->kind) {
  case WROTE:
    g_assert_cmpint (pwrite (fd, note->bytes + from, to - from, note->offset + from), ==,
                     to - from);
    break;
  case ALLOCATED:
    g_assert_cmpint (fallocate (fd, note->mode, note->offset, note->length), ==, 0);
    break;
  case TRUNCATED:
    g_assert_cmpint (ftruncate (fd, note->length), ==, 0);
    break;
  case SYNCED:
    break;
  }
}

/* Nothing of it, all of it, or some of its sectors. */
static void
replay_in_part (int fd, const Note *note, GRand *rand)
{
  int luck = g_rand_int_range (rand, 0, 4);

  if (luck == 0)
    return;
  if (luck < 3 || note->kind != WROTE) {
    replay (fd, note, 0, note->length);
    return;
  }
  for (guint64 at = 0; at < note->length;) {
    guint64 end = MIN ((note->offset + at + SECTOR) / SECTOR * SECTOR - note->offset, note->length);

    if (g_rand_boolean (rand))
      replay (fd, note, at, end);
    at = end;
  }
}

void
write_recorder_replay (WriteRecorder *self, const char *path, guint length, GRand *rand)
{
  int fd = open (path, O_RDWR | O_CLOEXEC);
  guint n_durable = 0;

  g_assert_cmpint (fd, >=, 0);
  for (guint i = 0; i < length; i++)
    if (((Note *) self->log->pdata[i])->kind == SYNCED)
      n_durable = i;
  for (guint i = 0; i < length; i++) {
    const Note *note = self->log->pdata[i];

    if (i < n_durable)
      replay (fd, note, 0, note->length);
    else
      replay_in_part (fd, note, rand);
  }
  close (fd);
}
