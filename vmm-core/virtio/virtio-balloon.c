/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See virtio-balloon.h. Queues, configuration and statistics; how pages go is in balloon-pages.c,
 * and they go a portion in a turn of the loop. Deflating is the guest's affair: the host finds a
 * page when it is touched.
 *
 * Threads: loop, device locked; registers on vCPUs; the functions of the header on any.
 */
#include "virtio/virtio-balloon.h"

#include <string.h>

#include "virtio/balloon-pages.h"

#define QUEUE_SIZE  128
#define CLASS_OTHER 0x00ff00

#define FEATURE_STATS          1
#define FEATURE_DEFLATE_ON_OOM 2
#define FEATURE_REPORTING      5

enum {
  INFLATEQ = 0,
  DEFLATEQ = 1,
  STATSQ = 2,
  REPORTINGQ = 4,
  N_QUEUES,
  NO_QUEUE,
};

#define CONFIG_NUM_PAGES 0
#define CONFIG_ACTUAL    4
#define CONFIG_SIZE      8

#define PAGE_SHIFT 12

/* struct virtio_balloon_stat: tag and value, little-endian, not aligned */
#define STAT_VALUE 2
#define STAT_SIZE  10
#define MAX_STATS  32 /* that are looked at: newer drivers know more of them than we */

typedef struct {
  VmmVirtio parent;
  guint32 num_pages; /* the guest shall give up so many */
  guint32 actual;    /* says that it has given up so many */
  guint16 buffer;    /* head of its buffer for statistics: given back, it asks for new ones */
  gboolean has_buffer;
  gboolean asked;         /* somebody wants new ones */
  guint64 done[N_QUEUES]; /* bytes of the request that comes next, in turns before */
  gint64 told_at_ns;      /* when it told the latest; 0: none yet */
  guint64 stats[VMM_BALLOON_N_STATS];
} VirtioBalloon;

static const VmmField virtio_balloon_fields[] = {
  VMM_FIELD_PART (VirtioBalloon, parent, vmm_virtio_fields, "virtio"),
  VMM_FIELD (VirtioBalloon, num_pages, VMM_FIELD_UINT32, "num-pages"),
  VMM_FIELD (VirtioBalloon, actual, VMM_FIELD_UINT32, "actual"),
  VMM_FIELD (VirtioBalloon, buffer, VMM_FIELD_UINT16, "stats-buffer"),
  VMM_FIELD (VirtioBalloon, has_buffer, VMM_FIELD_BOOL, "has-stats-buffer"),
  VMM_EXEMPT (VirtioBalloon, asked, "who asked is not there any more"),
  VMM_EXEMPT (VirtioBalloon, done, "it is begun anew: what is gone cannot go twice"),
  VMM_EXEMPT (VirtioBalloon, told_at_ns, "of the clock of this run"),
  VMM_EXEMPT (VirtioBalloon, stats, "of a time that is over"),
  VMM_FIELD_LAST,
};

static VmmMemory *
memory_of (VirtioBalloon *self)
{
  return self->parent.parent.parent.board->memory;
}

/* What a queue is for. The specification numbers them as if all features were agreed on; drivers
 * (Linux among them) count only those that there are. No number means two queues in that, so both
 * are understood. */
static guint
purpose_of (VmmVirtio *virtio, guint index)
{
  if (index < STATSQ || (index == STATSQ && vmm_virtio_has_feature (virtio, FEATURE_STATS)))
    return index;
  return vmm_virtio_has_feature (virtio, FEATURE_REPORTING) ? REPORTINGQ : NO_QUEUE;
}

/* A portion of the request; TRUE when it was the last. */
static gboolean
take_portion (VirtioBalloon *self, guint index, guint purpose, const VmmRequest *request)
{
  switch (purpose) {
  case INFLATEQ:
    return vmm_balloon_give_up (memory_of (self), request, &self->done[index]);
  case REPORTINGQ:
    return vmm_balloon_report (memory_of (self), request, &self->done[index]);
  default:
    return TRUE;
  }
}

static void
take_pages (VirtioBalloon *self, guint index, guint purpose)
{
  VmmVirtio *virtio = &self->parent;
  VmmRequest request;

  if (!vmm_virtio_pop (virtio, index, &request))
    return;
  if (take_portion (self, index, purpose, &request)) {
    vmm_virtio_push (virtio, index, request.head, 0);
    vmm_virtio_notify (virtio, index);
  } else {
    vmm_virtio_unpop (virtio, index);
  }
  vmm_virtio_ring (virtio, index);
}

static void
forget_stats (VirtioBalloon *self)
{
  self->told_at_ns = 0;
  for (guint i = 0; i < VMM_BALLOON_N_STATS; i++)
    self->stats[i] = VMM_BALLOON_UNKNOWN;
}

static void
read_stats (VirtioBalloon *self, const VmmRequest *request)
{
  guint8 bytes[MAX_STATS * STAT_SIZE];
  gsize length = vmm_iov_read (request->out, request->n_out, 0, bytes, sizeof bytes);

  forget_stats (self);
  for (const guint8 *at = bytes; at + STAT_SIZE <= bytes + length; at += STAT_SIZE) {
    guint16 tag;
    guint64 value;

    memcpy (&tag, at, sizeof tag);
    memcpy (&value, at + STAT_VALUE, sizeof value);
    tag = GUINT16_FROM_LE (tag);
    if (tag < VMM_BALLOON_N_STATS)
      self->stats[tag] = GUINT64_FROM_LE (value);
  }
  self->told_at_ns = vmm_loop_now_ns ();
  self->asked = FALSE;
}

/* One buffer goes to and fro. More of them wait in the queue, and tell what was. */
static void
exchange_stats (VirtioBalloon *self)
{
  VmmVirtio *virtio = &self->parent;
  VmmRequest request;

  if (self->asked && self->has_buffer &&
      vmm_virtio_take_kept (virtio, STATSQ, self->buffer, &request)) {
    self->asked = self->has_buffer = FALSE;
    vmm_virtio_push (virtio, STATSQ, request.head, 0);
    vmm_virtio_notify (virtio, STATSQ);
  }
  while (!self->has_buffer && vmm_virtio_pop (virtio, STATSQ, &request)) {
    read_stats (self, &request);
    self->buffer = request.head;
    self->has_buffer = TRUE;
    vmm_virtio_keep (virtio);
  }
}

static void
virtio_balloon_process (VmmVirtio *virtio, guint index)
{
  VirtioBalloon *self = (VirtioBalloon *) virtio;
  guint purpose = purpose_of (virtio, index);

  if (purpose == STATSQ)
    exchange_stats (self);
  else if (purpose != NO_QUEUE)
    take_pages (self, index, purpose);
}

static guint64
virtio_balloon_get_features (VmmVirtio *virtio)
{
  return 1u << FEATURE_STATS | 1u << FEATURE_DEFLATE_ON_OOM | 1u << FEATURE_REPORTING;
}

static void
virtio_balloon_read_config (VmmVirtio *virtio, guint8 *config)
{
  VirtioBalloon *self = (VirtioBalloon *) virtio;
  guint32 num_pages = GUINT32_TO_LE (self->num_pages), actual = GUINT32_TO_LE (self->actual);

  memcpy (config + CONFIG_NUM_PAGES, &num_pages, sizeof num_pages);
  memcpy (config + CONFIG_ACTUAL, &actual, sizeof actual);
}

static void
virtio_balloon_write_config (VmmVirtio *virtio, guint offset, guint length, guint32 value)
{
  VirtioBalloon *self = (VirtioBalloon *) virtio;
  guint32 bytes = GUINT32_TO_LE (value), actual;
  guint8 config[CONFIG_SIZE];

  virtio_balloon_read_config (virtio, config);
  memcpy (config + offset, &bytes, length);
  memcpy (&actual, config + CONFIG_ACTUAL, sizeof actual);
  self->actual = GUINT32_FROM_LE (actual);
}

/* The target is the host's and stays: whoever starts next is asked for it again. */
static void
virtio_balloon_reset (VmmVirtio *virtio)
{
  VirtioBalloon *self = (VirtioBalloon *) virtio;

  self->actual = 0;
  self->buffer = 0;
  memset (self->done, 0, sizeof self->done);
  self->asked = self->has_buffer = FALSE;
  forget_stats (self);
}

static gboolean
virtio_balloon_realize (VmmVirtio *virtio, gconstpointer config, GError **error)
{
  forget_stats ((VirtioBalloon *) virtio);
  return TRUE;
}

static gboolean
virtio_balloon_loaded (VmmVirtio *virtio, GError **error)
{
  VirtioBalloon *self = (VirtioBalloon *) virtio;

  memset (self->done, 0, sizeof self->done);
  forget_stats (self);
  return TRUE;
}

void
vmm_virtio_balloon_set_target (VmmDevice *device, guint64 target)
{
  VirtioBalloon *self = (VirtioBalloon *) device;
  guint64 size = vmm_memory_get_size (memory_of (self));

  vmm_device_lock (device);
  self->num_pages = (size - MIN (target, size)) >> PAGE_SHIFT;
  vmm_virtio_config_changed (&self->parent);
  vmm_device_unlock (device);
}

/* What is left of @size without @pages, as many as they may be. */
static guint64
without_pages (guint64 size, guint32 pages)
{
  return size - MIN ((guint64) pages << PAGE_SHIFT, size);
}

void
vmm_virtio_balloon_look (VmmDevice *device, VmmBalloon *balloon)
{
  VirtioBalloon *self = (VirtioBalloon *) device;
  guint64 size = vmm_memory_get_size (memory_of (self));

  vmm_device_lock (device);
  *balloon = (VmmBalloon) {
    .memory = size,
    .target = without_pages (size, self->num_pages),
    .actual = without_pages (size, self->actual),
    .listens = vmm_virtio_is_ready (&self->parent),
    .age_ns = self->told_at_ns ? vmm_loop_now_ns () - self->told_at_ns : -1,
  };
  memcpy (balloon->stats, self->stats, sizeof balloon->stats);
  self->asked = TRUE;
  vmm_virtio_ring (&self->parent, STATSQ);
  vmm_device_unlock (device);
}

const VmmVirtioClass vmm_virtio_balloon_class = {
  VMM_VIRTIO_PARENT (VirtioBalloon, "virtio-balloon", 1, virtio_balloon_fields),
  .virtio_id = 5,
  .class_code = CLASS_OTHER,
  .n_queues = N_QUEUES,
  .queue_size = QUEUE_SIZE,
  .config_size = CONFIG_SIZE,
  .realize = virtio_balloon_realize,
  .get_features = virtio_balloon_get_features,
  .read_config = virtio_balloon_read_config,
  .write_config = virtio_balloon_write_config,
  .process = virtio_balloon_process,
  .reset = virtio_balloon_reset,
  .loaded = virtio_balloon_loaded,
};
