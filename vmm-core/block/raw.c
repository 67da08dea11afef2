/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Raw disk images: a file or a block device, byte for byte. Most requests are the file's own; two
 * kinds are not: the first sector of an image whose format was guessed, which the guest may not
 * make look like another format, and zeroes where the host's file system has no call for them.
 *
 * Threads: as vmm-block.h says.
 */
#include <errno.h>
#include <string.h>

#include "block/block-private.h"
#include "block/qcow2-header.h"
#include "vmm-error.h"

#define HOST_BLOCK 4096
#define ZERO_PAGE  4096
#define ZERO_PAGES 256 /* of one write */

typedef struct {
  VmmBlock parent;
  gboolean guarded;
} Raw;

/* Goes to the file in place of a request of the guest's. */
typedef struct {
  VmmBlockRequest request; /* first */
  VmmBlockRequest *original;
  Raw *raw;
  guint8 first[VMM_BLOCK_SECTOR];
  struct iovec iov[];
} Stand;

static const guint8 zero_page[ZERO_PAGE] __attribute__ ((aligned (ZERO_PAGE)));

static Stand *
stand_new (Raw *self, VmmBlockRequest *original, guint n_iov)
{
  Stand *stand = g_malloc0 (sizeof *stand + n_iov * sizeof stand->iov[0]);

  stand->raw = self;
  stand->original = original;
  stand->request.op = VMM_BLOCK_WRITE;
  stand->request.offset = original->offset;
  stand->request.length = original->length;
  stand->request.iov = stand->iov;
  return stand;
}

static void
stand_done (VmmBlockRequest *request, int error)
{
  Stand *stand = (Stand *) request;
  VmmBlockRequest *original = stand->original;

  g_free (stand);
  original->done (original, error);
}

/* The sector is copied before it is looked at: the guest may change its memory meanwhile. */
static void
write_guarded (Raw *self, VmmBlockRequest *request)
{
  Stand *stand = stand_new (self, request, request->n_iov + 1);
  gsize n = MIN (request->length, sizeof stand->first);

  vmm_iov_copy_out (request->iov, request->n_iov, stand->first, n);
  if (vmm_qcow2_is_header (stand->first)) {
    g_free (stand);
    vmm_block_request_finish_later (request, self->parent.loop, -EPERM);
    return;
  }
  stand->iov[0] = (struct iovec) { stand->first, n };
  stand->request.n_iov =
    1 + vmm_iov_slice (request->iov, request->n_iov, n, request->length - n, stand->iov + 1);
  stand->request.done = stand_done;
  vmm_host_file_submit (self->parent.file, &stand->request);
}

static void
zeroes_written (VmmBlockRequest *request, int error)
{
  Stand *stand = (Stand *) request;
  Raw *self = stand->raw;
  VmmBlockRequest *original = stand->original;
  guint64 left;

  original->moved += request->length;
  left = original->length - original->moved;
  if (error < 0 || left == 0) {
    stand_done (request, error);
    return;
  }
  request->offset = original->offset + original->moved;
  request->length = MIN (left, ZERO_PAGE * ZERO_PAGES);
  request->iov = stand->iov;
  request->n_iov = 0;
  for (guint64 at = 0; at < request->length; at += ZERO_PAGE)
    stand->iov[request->n_iov++] =
      (struct iovec) { (void *) zero_page, MIN (request->length - at, ZERO_PAGE) };
  vmm_host_file_submit (self->parent.file, request);
  vmm_host_file_kick (self->parent.file);
}

static void
zeroes_tried (VmmBlockRequest *request, int error)
{
  Stand *stand = (Stand *) request;

  if (error != -EOPNOTSUPP) {
    stand_done (request, error);
    return;
  }
  request->op = VMM_BLOCK_WRITE;
  request->done = zeroes_written;
  request->length = 0;
  stand->original->moved = 0;
  zeroes_written (request, 0);
}

static void
write_zeroes (Raw *self, VmmBlockRequest *request)
{
  Stand *stand = stand_new (self, request, ZERO_PAGES);

  stand->request.op = VMM_BLOCK_WRITE_ZEROES;
  stand->request.unmap = request->unmap && self->parent.discard;
  stand->request.done = zeroes_tried;
  vmm_host_file_submit (self->parent.file, &stand->request);
}

static void
raw_submit (VmmBlock *block, VmmBlockRequest *request)
{
  Raw *self = (Raw *) block;

  if (request->op == VMM_BLOCK_WRITE && request->offset == 0 && self->guarded)
    write_guarded (self, request);
  else if (request->op == VMM_BLOCK_WRITE_ZEROES)
    write_zeroes (self, request);
  else if (request->op == VMM_BLOCK_DISCARD && !block->discard)
    vmm_block_request_finish_later (request, block->loop, 0);
  else
    vmm_host_file_submit (block->file, request);
}

static void
raw_kick (VmmBlock *block)
{
  vmm_host_file_kick (block->file);
}

static gboolean
raw_resize (VmmBlock *block, guint64 size, GError **error)
{
  VmmHostFile *file = block->file;
  int result = 0;

  if (!file->is_device)
    result = vmm_host_file_truncate (file, size);
  else if (!vmm_host_file_measure (file, error))
    return FALSE;
  else if (file->size < size)
    return vmm_block_fail (error, file->path, "is a device that is not so large");
  if (result < 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_DISK, "The disk “%s” cannot grow: %s.", file->path,
                 g_strerror (-result));
    return FALSE;
  }
  __atomic_store_n (&block->size, size, __ATOMIC_RELEASE);
  return TRUE;
}

static void
raw_close (VmmBlock *block)
{
  g_free (block);
}

static const VmmBlockClass raw_class = {
  .name = "raw",
  .close = raw_close,
  .submit = raw_submit,
  .kick = raw_kick,
  .resize = raw_resize,
};

VmmBlock *
vmm_raw_open (VmmHostFile *file, const VmmBlockOptions *options, GError **error)
{
  Raw *self;

  if (file->size == 0 || file->size % VMM_BLOCK_SECTOR != 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_DISK,
                 "The disk “%s” has %" G_GUINT64_FORMAT
                 " bytes, which is no whole number of sectors: it is cut short, or no disk image.",
                 file->path, file->size);
    return NULL;
  }
  self = g_new0 (Raw, 1);
  vmm_block_init (&self->parent, &raw_class, file, options);
  self->parent.size = file->size;
  self->parent.cluster_size = HOST_BLOCK;
  if (options->direct)
    vmm_host_file_go_direct (file);
  self->guarded = options->format == VMM_DISK_AUTO;
  return &self->parent;
}
