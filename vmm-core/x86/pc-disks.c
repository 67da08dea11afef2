/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC's disks.
 *
 * Threads: control, with the vCPUs parked, unless pc.h says otherwise.
 */
#include <string.h>

#include "ahci/ahci.h"
#include "virtio/virtio-blk.h"
#include "vmm-error.h"
#include "x86/pc-private.h"

VmmBlock *
vmm_pc_open_disk (VmmPc *self, const VmmDiskConfig *disk, GError **error)
{
  VmmBlockOptions options = { .format = disk->format,
                              .readonly = disk->readonly,
                              .discard = disk->discard,
                              .direct = disk->direct };
  VmmBlock *block = vmm_block_open (disk->path, &options, self->board.loop, error);

  if (block)
    g_ptr_array_add (self->blocks, block);
  return block;
}

VmmDevice *
vmm_pc_add_disk (VmmPc *self, guint number, guint slot, const VmmDiskConfig *disk, GError **error)
{
  g_autofree char *id = g_strdup_printf ("disk%u", number);
  VmmBlock *block = vmm_pc_open_disk (self, disk, error);
  VmmVirtioBlkConfig config = {
    .slot = slot, .block = block, .serial = id, .n_queues = self->config->n_vcpus
  };
  VmmDevice *device;

  if (!block)
    return NULL;
  device = vmm_pc_add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_blk_class), id, &config, error);
  if (device)
    g_ptr_array_add (self->disks, device);
  else
    g_ptr_array_remove (self->blocks, block);
  return device;
}

gboolean
vmm_pc_add_disks (VmmPc *self, GError **error)
{
  for (guint i = 0; i < self->config->disks->len; i++) {
    const VmmDiskConfig *disk = g_ptr_array_index (self->config->disks, i);

    if (disk->bus == VMM_DISK_VIRTIO && !disk->hotplug &&
        !vmm_pc_add_disk (self, i, 0, disk, error))
      return FALSE;
  }
  return TRUE;
}

/* The image of the disk @id: no two that can be written are of the same file. */
static VmmBlock *
find_block (VmmPc *self, const char *id, GError **error)
{
  VmmBlock *attached = vmm_pc_get_attached_block (self, id);
  const char *path = NULL;

  if (attached)
    return attached;
  for (guint i = 0; i < self->config->disks->len; i++) {
    g_autofree char *known = g_strdup_printf ("disk%u", i);

    if (g_strcmp0 (known, id) == 0)
      path = ((VmmDiskConfig *) g_ptr_array_index (self->config->disks, i))->path;
  }
  for (guint i = 0; path && i < self->blocks->len; i++)
    if (strcmp (vmm_block_get_path (g_ptr_array_index (self->blocks, i)), path) == 0)
      return g_ptr_array_index (self->blocks, i);
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "The machine has no disk “%s”.", id);
  return NULL;
}

gboolean
vmm_pc_resize_disk (VmmPc *self, const char *id, guint64 size, GError **error)
{
  VmmBlock *block = find_block (self, id, error);

  if (!block || !vmm_block_resize (block, size, error))
    return FALSE;
  for (guint i = 0; i < self->disks->len; i++) {
    VmmDevice *device = g_ptr_array_index (self->disks, i);

    if (strcmp (device->id, id) == 0)
      vmm_virtio_blk_resized (device);
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
