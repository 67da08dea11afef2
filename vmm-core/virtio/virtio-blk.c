/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-blk. A request is taken off the queue into a struct that the block layer keeps until it is
 * done; the queue bounds how many there can be.
 *
 * Where the host has no room left for what the guest writes, the guest is not told: a file system
 * that hears of an error gives up, and there is nothing wrong with the disk. The request stays in
 * the ring, only its head is noted, and the machine is asked to pause; when it is resumed the
 * request is read again and tried again.
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

static const VmmField virtio_blk_fields[] = {
  VMM_FIELD_PART (VirtioBlk, parent, vmm_virtio_fields, "virtio"),
  VMM_EXEMPT (VirtioBlk, block, "from the configuration"),
  VMM_EXEMPT (VirtioBlk, serial, "from the configuration"),
  VMM_EXEMPT (VirtioBlk, n_requests, "counts this run"),
  VMM_EXEMPT (VirtioBlk, spare, "memory to use again"),
  VMM_EXEMPT (VirtioBlk, held, "follows from n-kept"),
  VMM_FIELD (VirtioBlk, n_kept, VMM_FIELD_UINT32, "n-kept"),
  VMM_FIELD (VirtioBlk, kept, VMM_FIELD_BYTES, "kept"),
  VMM_FIELD_LAST,
};

void
blk_finish (VirtioBlk *self, BlkRequest *request, guint8 status)
{
  *request->status = status;
  vmm_virtio_push (&self->parent, 0, request->request.head,
                   status == BLK_OK ? request->written : 1);
  __atomic_add_fetch (&self->n_requests, 1, __ATOMIC_RELAXED);
  g_ptr_array_add (self->spare, request);
}

/* Whether room is all that is missing. A flush is not tried again: where one fails the kernel may
 * have dropped what it could not write, and the next would wrongly succeed. */
static gboolean
lacks_room (const VmmBlockRequest *block, int error)
{
  return (error == -ENOSPC || error == -EDQUOT) && block->op != VMM_BLOCK_READ &&
         block->op != VMM_BLOCK_FLUSH;
}

static void
ask_for_room (VirtioBlk *self, int error)
{
  g_autofree char *why = g_strdup_printf (
    error == -EDQUOT ? "The image “%s” cannot grow, because your disk quota is used up: make "
                       "room there, then resume the machine."
                     : "The image “%s” cannot grow, because its file system is full: make room "
                       "there, then resume the machine.",
    vmm_block_get_path (self->block));

  vmm_device_ask_pause (&self->parent.parent.parent, why);
}

static void
keep (VirtioBlk *self, BlkRequest *request, int error)
{
  gboolean first = !self->held && !self->parent.resetting;

  self->held = TRUE;
  self->kept[self->n_kept++] = request->request.head;
  g_ptr_array_add (self->spare, request);
  vmm_virtio_keep (&self->parent); /* a reset that waited for it forgets it here */
  if (first)
    ask_for_room (self, error);
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
    g_autofree char *why = g_strdup_printf ("The disk failed: %s.", g_strerror (-error));

    status = BLK_ERROR;
    vmm_device_broken (&self->parent.parent.parent, why);
  }
  blk_finish (self, request, status);
  vmm_virtio_notify (&self->parent, 0);
}

/* Loop: the block layer is done with it. */
void
blk_block_done (VmmBlockRequest *block, int error)
{
  BlkRequest *request = (BlkRequest *) block;
  VirtioBlk *self = request->device;
  VmmDevice *device = &self->parent.parent.parent;

  vmm_device_lock (device);
  if (lacks_room (block, error) && self->n_kept < BLK_QUEUE_SIZE)
    keep (self, request, error);
  else
    finish_with (self, request, error);
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
process_one (VirtioBlk *self)
{
  BlkRequest *request = take_spare (self);

  if (vmm_virtio_pop (&self->parent, 0, &request->request))
    return blk_begin (self, request);
  g_ptr_array_add (self->spare, request);
  return FALSE;
}

/* FALSE where the driver broke the rules. */
static gboolean
retry_kept (VirtioBlk *self)
{
  guint n = self->n_kept;
  gboolean ok = TRUE;

  self->n_kept = 0; /* none comes back before we return: completions come through the loop */
  for (guint i = 0; i < n && ok; i++) {
    BlkRequest *request = take_spare (self);

    if (vmm_virtio_take_kept (&self->parent, 0, self->kept[i], &request->request)) {
      ok = blk_begin (self, request);
    } else {
      g_ptr_array_add (self->spare, request);
      ok = FALSE;
    }
  }
  return ok;
}

static void
virtio_blk_process (VmmVirtio *virtio, guint index)
{
  VirtioBlk *self = (VirtioBlk *) virtio;
  gboolean more = !self->held && retry_kept (self);

  while (more)
    more = process_one (self);
  vmm_block_kick (self->block);
  vmm_virtio_notify (virtio, index);
}

static guint64
virtio_blk_get_features (VmmVirtio *virtio)
{
  VirtioBlk *self = (VirtioBlk *) virtio;
  guint64 features = 1u << F_SEG_MAX | 1u << F_BLOCK_SIZE | 1u << F_FLUSH;

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
  Config config = {
    .capacity = vmm_block_get_size (self->block) >> BLK_SECTOR_SHIFT,
    .seg_max = BLK_QUEUE_SIZE - 2, /* header and status are segments too */
    .block_size = BLK_SECTOR,
    .max_discard_sectors = BLK_MAX_ZEROES,
    .max_discard_segments = 1,
    .discard_alignment = 1,
    .max_zeroes_sectors = BLK_MAX_ZEROES,
    .max_zeroes_segments = 1,
    .zeroes_may_unmap = 1,
  };

  memcpy (bytes, &config, CONFIG_SIZE);
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
  self->n_kept = 0;
  memset (self->kept, 0, sizeof self->kept);
}

static gboolean
virtio_blk_loaded (VmmVirtio *virtio, GError **error)
{
  VirtioBlk *self = (VirtioBlk *) virtio;

  self->n_kept = MIN (self->n_kept, BLK_QUEUE_SIZE);
  self->held = self->n_kept > 0;
  return TRUE;
}

static gboolean
virtio_blk_realize (VmmVirtio *virtio, gconstpointer data, GError **error)
{
  VirtioBlk *self = (VirtioBlk *) virtio;
  const VmmVirtioBlkConfig *config = data;

  self->block = config->block;
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

guint64
vmm_virtio_blk_get_n_requests (VmmDevice *device)
{
  return __atomic_load_n (&((VirtioBlk *) device)->n_requests, __ATOMIC_RELAXED);
}

const VmmVirtioClass vmm_virtio_blk_class = {
  VMM_VIRTIO_PARENT (VirtioBlk, "virtio-blk", 1, virtio_blk_fields),
  .virtio_id = 2,
  .class_code = CLASS_STORAGE,
  .n_queues = 1,
  .queue_size = BLK_QUEUE_SIZE,
  .config_size = CONFIG_SIZE,
  .realize = virtio_blk_realize,
  .unrealize = virtio_blk_unrealize,
  .get_features = virtio_blk_get_features,
  .read_config = virtio_blk_read_config,
  .process = virtio_blk_process,
  .resumed = virtio_blk_resumed,
  .reset = virtio_blk_reset,
  .loaded = virtio_blk_loaded,
};
