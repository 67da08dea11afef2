/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See memory-stream.h. What the guest never touched is a hole in the memory's file and costs
 * nothing: reading it would fill it.
 */
#include "base/memory-stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "vmm-error.h"

#define MAGIC         "VMMMEMRY"
#define MAGIC_LENGTH  8
#define STREAM_FORMAT 1
#define PAGE          4096u
#define MAX_RUN       256u /* pages of a record */

typedef enum {
  RECORD_END,
  RECORD_DATA,
} RecordKind;

typedef struct {
  char magic[MAGIC_LENGTH];
  guint32 version;
  guint32 page_size;
  guint64 size;
  guint8 id[VMM_STREAM_ID_LENGTH];
  guint8 base[VMM_STREAM_ID_LENGTH];
} Header;

typedef struct {
  guint64 offset;
  guint32 pages;
  guint32 kind;
} Record;

typedef struct {
  int fd;
  guint8 *bytes; /* all of the memory */
  guint64 size;
  guint64 n_pages; /* in the records so far */
  const VmmProgress *progress;
} Stream;

G_STATIC_ASSERT (sizeof (Header) == 56);
G_STATIC_ASSERT (sizeof (Record) == 16);

static void
stream_init (Stream *self, VmmMemory *memory, int fd, const VmmProgress *progress)
{
  guint n;

  *self = (Stream) { .fd = fd,
                     .bytes = vmm_memory_get_regions (memory, &n)[0].host,
                     .size = vmm_memory_get_size (memory),
                     .progress = progress };
}

static gboolean
fail_write (GError **error)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "The memory of the machine cannot be saved: %s.",
               g_strerror (errno));
  return FALSE;
}

static gboolean
fail_read (const char *why, GError **error)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT, "The saved memory cannot be used: %s.", why);
  return FALSE;
}

static gboolean
write_record (Stream *self, const Record *record, GError **error)
{
  gsize length = record->kind == RECORD_DATA ? (gsize) record->pages * PAGE : 0;
  struct iovec iov[] = { { (Record *) record, sizeof *record },
                         { self->bytes + (length ? record->offset : 0), length } };

  if (!vmm_write_all (self->fd, iov, G_N_ELEMENTS (iov)))
    return fail_write (error);
  self->n_pages += length / PAGE;
  return TRUE;
}

static gboolean
is_zero (const guint8 *page)
{
  return page[0] == 0 && memcmp (page, page + 1, PAGE - 1) == 0;
}

/* The pages from @at to @end, none of them in a hole. */
static gboolean
write_pages (Stream *self, guint64 at, guint64 end, GError **error)
{
  while (at < end) {
    Record record = { .offset = at, .kind = RECORD_DATA };

    while (at < end && record.pages < MAX_RUN && !is_zero (self->bytes + at)) {
      record.pages++;
      at += PAGE;
    }
    if (record.pages == 0) {
      at += PAGE;
      continue;
    }
    if (!write_record (self, &record, error) ||
        !vmm_progress_report (self->progress, at, self->size, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
vmm_memory_stream_write (VmmMemory *memory,
                         int fd,
                         const guint8 id[VMM_STREAM_ID_LENGTH],
                         const VmmProgress *progress,
                         GError **error)
{
  int memory_fd = vmm_memory_get_fd (memory);
  Header header = { MAGIC, STREAM_FORMAT, PAGE, vmm_memory_get_size (memory), { 0 }, { 0 } };
  Record last = { .kind = RECORD_END };
  Stream self;
  off_t start = 0;

  stream_init (&self, memory, fd, progress);
  memcpy (header.id, id, sizeof header.id);
  if (!vmm_write_bytes (fd, &header, sizeof header))
    return fail_write (error);
  while ((start = lseek (memory_fd, start, SEEK_DATA)) >= 0) {
    off_t end = lseek (memory_fd, start, SEEK_HOLE);

    if (end < 0)
      break;
    if (!write_pages (&self, start, end, error))
      return FALSE;
    start = end;
  }
  if (errno != ENXIO) /* what it says behind the last page */
    return fail_write (error);
  last.offset = self.n_pages;
  return write_record (&self, &last, error) &&
         vmm_progress_report (progress, self.size, self.size, error);
}

/* FALSE with @error set also where the stream ends before. */
static gboolean
read_all (int fd, gpointer to, gsize length, GError **error)
{
  while (length > 0) {
    gssize got = read (fd, to, length);

    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0) /* EFAULT: no page for it */
      return fail_read (errno == EFAULT ? g_strerror (ENOMEM) : g_strerror (errno), error);
    if (got == 0)
      return fail_read ("it is not whole", error);
    to = (guint8 *) to + got;
    length -= got;
  }
  return TRUE;
}

static gboolean
read_header (Stream *self, const guint8 id[VMM_STREAM_ID_LENGTH], GError **error)
{
  static const guint8 nothing[VMM_STREAM_ID_LENGTH];
  Header header;

  if (!read_all (self->fd, &header, sizeof header, error))
    return FALSE;
  if (memcmp (header.magic, MAGIC, MAGIC_LENGTH) != 0)
    return fail_read ("it is something else", error);
  if (header.version != STREAM_FORMAT)
    return fail_read ("it was made by a newer version", error);
  if (header.page_size != PAGE || header.size != self->size)
    return fail_read ("the machine has another size now", error);
  if (memcmp (header.id, id, sizeof header.id) != 0 ||
      memcmp (header.base, nothing, sizeof nothing) != 0)
    return fail_read ("it belongs to another saved machine", error);
  return TRUE;
}

static gboolean
read_pages (Stream *self, const Record *record, GError **error)
{
  guint64 length = (guint64) record->pages * PAGE;

  if (record->kind != RECORD_DATA || record->pages == 0 || record->pages > MAX_RUN ||
      record->offset % PAGE != 0 || record->offset > self->size ||
      length > self->size - record->offset)
    return fail_read ("it is broken", error);
  self->n_pages += record->pages;
  return read_all (self->fd, self->bytes + record->offset, length, error) &&
         vmm_progress_report (self->progress, record->offset + length, self->size, error);
}

gboolean
vmm_memory_stream_read (VmmMemory *memory,
                        int fd,
                        const guint8 id[VMM_STREAM_ID_LENGTH],
                        const VmmProgress *progress,
                        GError **error)
{
  Stream self;
  Record record;

  stream_init (&self, memory, fd, progress);
  if (!read_header (&self, id, error))
    return FALSE;
  for (;;) {
    if (!read_all (fd, &record, sizeof record, error))
      return FALSE;
    if (record.kind == RECORD_END)
      break;
    if (!read_pages (&self, &record, error))
      return FALSE;
  }
  return record.offset == self.n_pages || fail_read ("it is not whole", error);
}
