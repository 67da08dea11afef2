/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC's disks.
 *
 * Threads: control, with the vCPUs parked, unless pc.h says otherwise.
 */
#include "ahci/ahci.h"
#include "virtio/virtio-blk.h"
#include "x86/pc-private.h"

VmmBlock *
vmm_pc_open_disk (VmmPc *self, const VmmDiskConfig *disk, GError **error)
{
  VmmBlockOptions options = { .format = disk->format,
                              .readonly = disk->readonly,
                              .discard = disk->discard };
  VmmBlock *block = vmm_block_open (disk->path, &options, self->board.loop, error);

  if (block)
    g_ptr_array_add (self->blocks, block);
  return block;
}

static gboolean
add_disk (VmmPc *self, guint number, const VmmDiskConfig *disk, GError **error)
{
  g_autofree char *id = g_strdup_printf ("disk%u", number);
  VmmBlock *block = vmm_pc_open_disk (self, disk, error);
  VmmVirtioBlkConfig config = { .block = block, .serial = id };
  VmmDevice *device;

  if (!block)
    return FALSE;
  device = vmm_pc_add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_blk_class), id, &config, error);
  if (!device)
    return FALSE;
  g_ptr_array_add (self->disks, device);
  return TRUE;
}

gboolean
vmm_pc_add_disks (VmmPc *self, GError **error)
{
  for (guint i = 0; i < self->config->disks->len; i++) {
    const VmmDiskConfig *disk = g_ptr_array_index (self->config->disks, i);

    if (disk->bus == VMM_DISK_VIRTIO && !add_disk (self, i, disk, error))
      return FALSE;
  }
  return TRUE;
}

guint64
vmm_pc_get_n_disk_requests (VmmPc *self)
{
  guint64 n = self->ahci ? vmm_ahci_get_n_requests (self->ahci) : 0;

  for (guint i = 0; i < self->disks->len; i++)
    n += vmm_virtio_blk_get_n_requests (g_ptr_array_index (self->disks, i));
  return n;
}
