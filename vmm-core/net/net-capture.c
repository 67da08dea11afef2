/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A capture stands between card and back end and is the other one to each. It copies what crosses
 * into a chunk of records; its thread writes the chunks.
 *
 * Threads: as vmm-net.h says.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "net/vmm-net-capture.h"
#include "vmm-error.h"

#define PCAP_MAGIC    0xa1b2c3d4 /* microseconds */
#define PCAP_MAJOR    2
#define PCAP_MINOR    4
#define PCAP_SNAPLEN  262144
#define PCAP_ETHERNET 1

#define MAX_BYTES (4 << 20) /* that wait to be written */

typedef struct {
  guint32 magic;
  guint16 major, minor;
  guint32 zone, accuracy, snaplen, link_type;
} PcapHeader;

typedef struct {
  guint32 seconds, microseconds, captured, length;
} PcapRecord;

G_STATIC_ASSERT (sizeof (PcapHeader) == 24 && sizeof (PcapRecord) == 16);

typedef struct {
  VmmNet net;
  VmmNet *inner;
  const struct iovec *room; /* that the back end has in hand */
  guint n_room;

  int fd;
  GThread *thread;
  GMutex lock; /* of what follows, with @changed */
  GCond changed;
  GByteArray *chunk; /* records that are not written yet */
  guint64 n_lost;
  gboolean failed, quit;
} NetCapture;

/* The next chunk; NULL at the end. */
static GByteArray *
wait_for_chunk (NetCapture *self)
{
  GByteArray *chunk = NULL;

  g_mutex_lock (&self->lock);
  while (self->chunk->len == 0 && !self->quit)
    g_cond_wait (&self->changed, &self->lock);
  if (self->chunk->len > 0) {
    chunk = self->chunk;
    self->chunk = g_byte_array_new ();
  }
  g_mutex_unlock (&self->lock);
  return chunk;
}

static gpointer
write_chunks (gpointer data)
{
  NetCapture *self = data;
  GByteArray *chunk;

  while ((chunk = wait_for_chunk (self))) {
    gboolean ok = vmm_write_bytes (self->fd, chunk->data, chunk->len);

    if (!ok) {
      g_warning ("The network's capture ends: %s", g_strerror (errno));
      g_mutex_lock (&self->lock);
      self->failed = TRUE;
      g_byte_array_set_size (self->chunk, 0);
      g_mutex_unlock (&self->lock);
    }
    g_byte_array_unref (chunk);
  }
  return NULL;
}

static void
append (NetCapture *self, const struct iovec *iov, guint n, gsize skip, gsize length)
{
  gint64 now = g_get_real_time ();
  PcapRecord record = { now / G_USEC_PER_SEC, now % G_USEC_PER_SEC, length, length };

  g_byte_array_append (self->chunk, (const guint8 *) &record, sizeof record);
  for (guint i = 0; i < n && length > 0; i++) {
    gsize first = MIN (skip, iov[i].iov_len), part = MIN (iov[i].iov_len - first, length);

    g_byte_array_append (self->chunk, (const guint8 *) iov[i].iov_base + first, part);
    skip -= first;
    length -= part;
  }
}

/* Of a vector with @size bytes in it, the header included. */
static void
record (NetCapture *self, const struct iovec *iov, guint n, gsize size)
{
  gsize length = size - sizeof (VmmNetHeader);

  g_mutex_lock (&self->lock);
  if (self->failed)
    ;
  else if (self->chunk->len + sizeof (PcapRecord) + length > MAX_BYTES)
    self->n_lost++;
  else
    append (self, iov, n, sizeof (VmmNetHeader), length);
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
capture_enter (gpointer card)
{
  vmm_net_enter (card);
}

static void
capture_leave (gpointer card)
{
  vmm_net_leave (card);
}

static const struct iovec *
capture_reserve (gpointer card, guint queue, gsize size, guint *n)
{
  NetCapture *self = card;

  self->room = self->net.card_class->reserve (self->net.card, queue, size, n);
  self->n_room = *n;
  return self->room;
}

static void
capture_commit (gpointer card, guint queue, gsize length)
{
  NetCapture *self = card;
  gsize size = 0;

  for (guint i = 0; i < self->n_room; i++)
    size += self->room[i].iov_len;
  if (length > sizeof (VmmNetHeader) && length <= size)
    record (self, self->room, self->n_room, length);
  self->net.card_class->commit (self->net.card, queue, length);
}

static void
capture_writable (gpointer card, guint queue)
{
  NetCapture *self = card;

  self->net.card_class->writable (self->net.card, queue);
}

static const VmmNetCardClass capture_card_class = {
  .enter = capture_enter,
  .leave = capture_leave,
  .reserve = capture_reserve,
  .commit = capture_commit,
  .writable = capture_writable,
};

/* Guest memory may have changed since it was sent; a capture is for people. */
static gboolean
net_capture_send (VmmNet *net, guint queue, const struct iovec *iov, guint n)
{
  NetCapture *self = (NetCapture *) net;
  gsize size = 0;

  if (!vmm_net_send (self->inner, queue, iov, n))
    return FALSE;
  for (guint i = 0; i < n; i++)
    size += iov[i].iov_len;
  record (self, iov, n, size);
  return TRUE;
}

static void
net_capture_flush (VmmNet *net)
{
  vmm_net_flush (((NetCapture *) net)->inner);
}

static void
net_capture_room (VmmNet *net, guint queue)
{
  vmm_net_room (((NetCapture *) net)->inner, queue);
}

static void
net_capture_set_taken (VmmNet *net, guint taken)
{
  vmm_net_set_taken (((NetCapture *) net)->inner, taken);
}

static void
net_capture_set_pairs (VmmNet *net, guint n)
{
  vmm_net_set_pairs (((NetCapture *) net)->inner, n);
}

static void
net_capture_connected (VmmNet *net)
{
  NetCapture *self = (NetCapture *) net;

  vmm_net_connect (self->inner, net->card_class ? &capture_card_class : NULL, self);
}

static void
stop_thread (NetCapture *self)
{
  g_mutex_lock (&self->lock);
  self->quit = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
  g_thread_join (self->thread);
}

static void
net_capture_free (VmmNet *net)
{
  NetCapture *self = (NetCapture *) net;

  vmm_net_free (self->inner);
  if (self->thread)
    stop_thread (self);
  if (self->n_lost > 0)
    g_warning ("%" G_GUINT64_FORMAT " frames are missing in the network's capture: the disk was "
               "too slow.",
               self->n_lost);
  if (self->fd >= 0)
    close (self->fd);
  g_byte_array_unref (self->chunk);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static const VmmNetClass net_capture_class = {
  .name = "capture",
  .free = net_capture_free,
  .send = net_capture_send,
  .flush = net_capture_flush,
  .room = net_capture_room,
  .set_taken = net_capture_set_taken,
  .set_pairs = net_capture_set_pairs,
  .connected = net_capture_connected,
};

static gboolean
open_file (NetCapture *self, const char *path, GError **error)
{
  const PcapHeader header = {
    PCAP_MAGIC, PCAP_MAJOR, PCAP_MINOR, 0, 0, PCAP_SNAPLEN, PCAP_ETHERNET
  };

  self->fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
  if (self->fd >= 0 && vmm_write_bytes (self->fd, &header, sizeof header))
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "The network's capture %s cannot be written: %s.",
               path, g_strerror (errno));
  return FALSE;
}

VmmNet *
vmm_net_capture_new (VmmNet *inner, const char *path, GError **error)
{
  NetCapture *self = g_new0 (NetCapture, 1);

  self->net = *inner;
  self->net.klass = &net_capture_class;
  self->inner = inner;
  self->chunk = g_byte_array_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  if (open_file (self, path, error))
    self->thread = g_thread_try_new ("capture", write_chunks, self, error);
  if (self->thread)
    return &self->net;
  net_capture_free (&self->net);
  return NULL;
}
