/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Larger disks.
 *
 * Threads: control; what says so, the worker.
 */
#include <errno.h>

#include "base/vmm-bytes.h"
#include "block/qcow2-private.h"
#include "vmm-error.h"

/* Worker. What the guest has never seen is zero: neither the backing image's bytes nor what is left
 * in the last cluster. */
static int
clear_behind (Qcow2 *self, guint64 size)
{
  guint64 end = (self->parent.size + self->cluster_size - 1) & ~(self->cluster_size - 1);
  VmmBlockRequest request = { .op = VMM_BLOCK_WRITE_ZEROES, .offset = self->parent.size };

  if (self->backing)
    end = MAX (end, vmm_block_get_size (self->backing));
  end = MIN (end, size);
  request.length = end - MIN (request.offset, end);
  return qcow2_write_zeroes (self, &request);
}

/* Worker. */
static int
grow (Qcow2 *self, gpointer data)
{
  guint64 size = *(guint64 *) data;
  guint8 bytes[8];
  int result = self->corrupt ? -EUCLEAN : 0;

  if (result == 0)
    result = qcow2_grow_l1 (self, qcow2_get_l1_index (self, size - 1) + 1);
  if (result == 0)
    result = clear_behind (self, size);
  if (result == 0)
    result = qcow2_commit (self);
  vmm_put_be64 (bytes, size);
  if (result == 0)
    result = qcow2_write_header (self, bytes, sizeof bytes, VMM_QCOW2_AT_SIZE);
  if (result == 0)
    __atomic_store_n (&self->parent.size, size, __ATOMIC_RELEASE);
  return result;
}

gboolean
qcow2_resize (VmmBlock *block, guint64 size, GError **error)
{
  Qcow2 *self = (Qcow2 *) block;
  int result;

  if (self->header->version < 3 && self->snapshots->len > 0)
    return vmm_block_fail (error, block->file->path,
                           "has snapshots that do not know their size, and so keeps its own: "
                           "“qemu-img amend -o compat=1.1” makes it a newer image");
  result = qcow2_call_worker (self, grow, &size);
  if (result == 0)
    return TRUE;
  g_set_error (
    error, VMM_ERROR, VMM_ERROR_DISK, "The disk “%s” cannot grow: %s.", block->file->path,
    result == -EFBIG ? "its format has no room for so large a disk" : g_strerror (-result));
  return FALSE;
}
