/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-blk. A request is taken off the queue into a struct that the block layer keeps until it is
 * done; the queue bounds how many there can be.
 *
 * Where the host has no room left for what the guest writes, or its disk does not answer, the guest
 * is not told: a file system that hears of an error gives up, and there is nothing wrong with the
 * guest's disk. The request stays in the ring, only its head is noted, and the machine is asked to
 * pause; when it is resumed the request is read again and tried again.
 *
 * Threads: loop, device locked; completions come on the loop and lock.
 */
#include <errno.h>
#include <string.h>

#include "virtio/virtio-blk-private.h"

#define CLASS_STORAGE  0x010000
#define F_SEG_MAX      2
#define F_READONLY     5
#define F_BLOCK_SIZE   6
#define F_FLUSH        9
#define F_TOPOLOGY     10
#define F_CONFIG_WCE   11
#define F_MQ           12
#define F_DISCARD      13
#define F_WRITE_ZEROES 14

typedef struct {
  guint64 capacity;
  guint32 size_max, seg_max;
  guint16 cylinders;
  guint8 heads, sectors;
  guint32 block_size;
  guint8 physical_exponent, alignment;
  guint16 min_io;
  guint32 opt_io;
  guint8 writeback, unused;
  guint16 n_queues;
  guint32 max_discard_sectors, max_discard_segments, discard_alignment;
  guint32 max_zeroes_sectors, max_zeroes_segments;
  guint8 zeroes_may_unmap, unused2[3];
} Config;

G_STATIC_ASSERT (sizeof (Config) == 64 && G_STRUCT_OFFSET (Config, zeroes_may_unmap) == 56);
#define CONFIG_SIZE 60

#define PHYSICAL_EXPONENT 3 /* 4 KiB: what disks are made of today, and pages */

static const VmmField virtio_blk_fields[] = {
  VMM_FIELD_PART (VirtioBlk, parent, vmm_virtio_fields, "virtio"),
  VMM_EXEMPT (VirtioBlk, block, "from the configuration"),
  VMM_EXEMPT (VirtioBlk, serial, "from the configuration"),
  VMM_EXEMPT (VirtioBlk, n_requests, "counts this run"),
  VMM_EXEMPT (VirtioBlk, spare, "memory to use again"),
  VMM_EXEMPT (VirtioBlk, held, "follows from n-kept"),
  VMM_FIELD (VirtioBlk, writeback, VMM_FIELD_UINT8, "writeback"),
  VMM_FIELD (VirtioBlk, n_kept, VMM_FIELD_UINT32, "n-kept"),
  VMM_FIELD (VirtioBlk, kept, VMM_FIELD_BYTES, "kept"),
  VMM_FIELD_LAST,
};

void
blk_finish (VirtioBlk *self, BlkRequest *request, guint8 status)
{
  *request->status = status;
  vmm_virtio_push (&self->parent, request->queue, request->request.head,
                   status == BLK_OK ? request->written : 1);
  __atomic_add_fetch (&self->n_requests, 1, __ATOMIC_RELAXED);
  vmm_virtio_notify_soon (&self->parent, request->queue);
  g_ptr_array_add (self->spare, request);
}

static void
keep (VirtioBlk *self, BlkRequest *request, const char *why)
{
  gboolean first = !self->held && !self->parent.resetting;

  self->held = TRUE;
  self->kept[self->n_kept++] = (BlkKept) { request->queue, request->request.head };
  g_ptr_array_add (self->spare, request);
  vmm_virtio_keep (&self->parent); /* a reset that waited for it forgets it here */
  if (first)
    vmm_device_ask_pause (&self->parent.parent.parent, why);
}

static void
finish_with (VirtioBlk *self, BlkRequest *request, int error)
{
  guint8 status = BLK_OK;

  if (error == -EOPNOTSUPP) {
    status = BLK_UNSUPPORTED;
  } else if (error == -EFAULT) { /* our memory is mapped: what it lacks is a page of the host */
    VmmPlatform *platform = self->parent.parent.parent.board->platform;

    status = BLK_ERROR;
    platform->klass->request (platform, VMM_REQUEST_NO_MEMORY, 0);
  } else if (error < 0) {
    g_autofree char *why = vmm_block_explain_error (self->block, error);

    status = BLK_ERROR;
    vmm_device_broken (&self->parent.parent.parent, why);
  }
  blk_finish (self, request, status);
}

/* Whether a write is done only when it is durable (virtio 1.2, 5.2.6.1). */
static gboolean
is_writethrough (VirtioBlk *self)
{
  if (vmm_virtio_has_feature (&self->parent, F_CONFIG_WCE))
    return !self->writeback;
  return !vmm_virtio_has_feature (&self->parent, F_FLUSH);
}

static gboolean
needs_flush (VirtioBlk *self, const VmmBlockRequest *block, int error)
{
  return error == 0 && block->op != VMM_BLOCK_READ && block->op != VMM_BLOCK_FLUSH &&
         is_writethrough (self);
}

/* Loop: the block layer is done with it. */
void
blk_block_done (VmmBlockRequest *block, int error)
{
  BlkRequest *request = (BlkRequest *) block;
  VirtioBlk *self = request->device;
  VmmDevice *device = &self->parent.parent.parent;
  g_autofree char *why = vmm_block_explain_pause (self->block, block, error);

  vmm_device_lock (device);
  if (needs_flush (self, block, error)) {
    *block = (VmmBlockRequest) { .op = VMM_BLOCK_FLUSH, .done = blk_block_done };
    vmm_block_submit (self->block, block);
    vmm_block_kick (self->block);
  } else if (why && self->n_kept < BLK_MAX_KEPT) {
    keep (self, request, why);
  } else {
    finish_with (self, request, error);
  }
  vmm_device_unlock (device);
}

static BlkRequest *
take_spare (VirtioBlk *self)
{
  BlkRequest *request;

  if (self->spare->len > 0)
    return g_ptr_array_steal_index_fast (self->spare, self->spare->len - 1);
  request = g_new (BlkRequest, 1);
  request->device = self;
  return request;
}

/* FALSE when the queue has none, or the driver broke the rules. */
static gboolean
process_one (VirtioBlk *self, guint queue)
{
  BlkRequest *request = take_spare (self);

  request->queue = queue;
  if (vmm_virtio_pop (&self->parent, queue, &request->request))
    return blk_begin (self, request);
  g_ptr_array_add (self->spare, request);
  return FALSE;
}

/* FALSE where the driver broke the rules. */
static gboolean
retry_one (VirtioBlk *self, BlkKept kept)
{
  BlkRequest *request = take_spare (self);

  request->queue = kept.queue;
  if (vmm_virtio_take_kept (&self->parent, kept.queue, kept.head, &request->request))
    return blk_begin (self, request);
  g_ptr_array_add (self->spare, request);
  return FALSE;
}

/* Those of the queue. None comes back before we return: completions come through the loop. */
static gboolean
retry_kept (VirtioBlk *self, guint queue)
{
  guint n = self->n_kept;
  gboolean ok = TRUE;

  self->n_kept = 0;
  for (guint i = 0; i < n; i++)
    if (self->kept[i].queue != queue)
      self->kept[self->n_kept++] = self->kept[i];
    else if (ok)
      ok = retry_one (self, self->kept[i]);
  return ok;
}

static void
virtio_blk_process (VmmVirtio *virtio, guint index)
{
  VirtioBlk *self = (VirtioBlk *) virtio;
  gboolean more = !self->held && retry_kept (self, index);

  while (more)
    more = process_one (self, index);
  if (self->block)
    vmm_block_kick (self->block);
}

static guint64
virtio_blk_get_features (VmmVirtio *virtio)
{
  VirtioBlk *self = (VirtioBlk *) virtio;
  guint64 features =
    1u << F_SEG_MAX | 1u << F_BLOCK_SIZE | 1u << F_FLUSH | 1u << F_TOPOLOGY | 1u << F_CONFIG_WCE;

  if (virtio->n_queues > 1)
    features |= 1u << F_MQ;
  if (!self->block)
    return features;
  if (vmm_block_get_readonly (self->block))
    return features | 1u << F_READONLY;
  if (vmm_block_get_discard (self->block))
    features |= 1u << F_DISCARD;
  return features | 1u << F_WRITE_ZEROES;
}

static void
virtio_blk_read_config (VmmVirtio *virtio, guint8 *bytes)
{
  VirtioBlk *self = (VirtioBlk *) virtio;
  guint64 size = self->block ? vmm_block_get_size (self->block) : 0;
  guint cluster_size = self->block ? vmm_block_get_cluster_size (self->block) : 0;
  Config config = {
    .capacity = size >> BLK_SECTOR_SHIFT,
    .seg_max = BLK_QUEUE_SIZE - 2, /* header and status are segments too */
    .block_size = BLK_SECTOR,
    .physical_exponent = PHYSICAL_EXPONENT,
    .min_io = 1u << PHYSICAL_EXPONENT,
    .opt_io = cluster_size >> BLK_SECTOR_SHIFT,
    .writeback = self->writeback,
    .n_queues = virtio->n_queues,
    .max_discard_sectors = BLK_MAX_ZEROES,
    .max_discard_segments = 1,
    .discard_alignment = cluster_size >> BLK_SECTOR_SHIFT,
    .max_zeroes_sectors = BLK_MAX_ZEROES,
    .max_zeroes_segments = 1,
    .zeroes_may_unmap = 1,
  };

  memcpy (bytes, &config, CONFIG_SIZE);
}

static void
virtio_blk_write_config (VmmVirtio *virtio, guint offset, guint length, guint32 value)
{
  VirtioBlk *self = (VirtioBlk *) virtio;

  if (offset == G_STRUCT_OFFSET (Config, writeback) && length == 1 &&
      vmm_virtio_has_feature (virtio, F_CONFIG_WCE))
    self->writeback = value & 1;
}

static void
virtio_blk_resumed (VmmVirtio *virtio)
{
  ((VirtioBlk *) virtio)->held = FALSE;
}

static void
virtio_blk_reset (VmmVirtio *virtio)
{
  VirtioBlk *self = (VirtioBlk *) virtio;

  self->held = FALSE;
  self->writeback = 1;
  self->n_kept = 0;
  memset (self->kept, 0, sizeof self->kept);
}

static gboolean
virtio_blk_loaded (VmmVirtio *virtio, GError **error)
{
  VirtioBlk *self = (VirtioBlk *) virtio;

  self->n_kept = MIN (self->n_kept, BLK_MAX_KEPT);
  for (guint i = 0; i < self->n_kept; i++)
    if (self->kept[i].queue >= virtio->n_queues)
      self->n_kept = 0;
  self->held = self->n_kept > 0;
  return TRUE;
}

static gboolean
virtio_blk_realize (VmmVirtio *virtio, gconstpointer data, GError **error)
{
  VirtioBlk *self = (VirtioBlk *) virtio;
  const VmmVirtioBlkConfig *config = data;

  self->block = config->block;
  self->writeback = 1;
  if (config->serial)
    memcpy (self->serial, config->serial, MIN (strlen (config->serial), BLK_ID_LENGTH));
  self->spare = g_ptr_array_new_with_free_func (g_free);
  return TRUE;
}

static void
virtio_blk_unrealize (VmmVirtio *virtio)
{
  VirtioBlk *self = (VirtioBlk *) virtio;

  g_ptr_array_unref (self->spare);
}

static guint
virtio_blk_count_queues (gconstpointer data)
{
  const VmmVirtioBlkConfig *config = data;

  return CLAMP (config->n_queues, 1, VMM_VIRTIO_BLK_MAX_QUEUES);
}

void
vmm_virtio_blk_resized (VmmDevice *device)
{
  vmm_device_lock (device);
  vmm_virtio_config_changed ((VmmVirtio *) device);
  vmm_device_unlock (device);
}

void
vmm_virtio_blk_disconnect (VmmDevice *device)
{
  vmm_device_lock (device);
  ((VirtioBlk *) device)->block = NULL;
  vmm_device_unlock (device);
}

guint64
vmm_virtio_blk_get_n_requests (VmmDevice *device)
{
  return __atomic_load_n (&((VirtioBlk *) device)->n_requests, __ATOMIC_RELAXED);
}

const VmmVirtioClass vmm_virtio_blk_class = {
  VMM_VIRTIO_PARENT (VirtioBlk, "virtio-blk", 1, virtio_blk_fields),
  .virtio_id = 2,
  .class_code = CLASS_STORAGE,
  .count_queues = virtio_blk_count_queues,
  .polled = TRUE,
  .queue_size = BLK_QUEUE_SIZE,
  .config_size = CONFIG_SIZE,
  .realize = virtio_blk_realize,
  .unrealize = virtio_blk_unrealize,
  .get_features = virtio_blk_get_features,
  .read_config = virtio_blk_read_config,
  .write_config = virtio_blk_write_config,
  .process = virtio_blk_process,
  .resumed = virtio_blk_resumed,
  .reset = virtio_blk_reset,
  .loaded = virtio_blk_loaded,
};
