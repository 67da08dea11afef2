/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Memory of devices that the guest reaches without an exit: ROMs, flash, pixels. Apart from the
 * guest's RAM (kvm-vm.c), which never moves: these come and go with BARs and modes of chips.
 *
 * Threads: any; the lock is held for no longer than one ioctl.
 */
#include "kvm/kvm-private.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "vmm-error.h"

static VmmKvm *
kvm_of (VmmPlatform *platform)
{
  return (VmmKvm *) platform;
}

/* The first free slot, or -1. */
static int
free_slot (VmmKvm *self)
{
  for (guint i = 0; i < VMM_MAX_DEVICE_SLOTS; i++)
    if (self->slots[i].memory_size == 0)
      return i;
  return -1;
}

int
vmm_kvm_map_slot (VmmPlatform *platform,
                  guint64 address,
                  guint64 size,
                  gpointer host,
                  VmmSlotFlags flags,
                  GError **error)
{
  VmmKvm *self = kvm_of (platform);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  int slot = free_slot (self);
  struct kvm_userspace_memory_region region = {
    .slot = VMM_FIRST_DEVICE_SLOT + slot,
    .guest_phys_addr = address,
    .memory_size = size,
    .userspace_addr = (guintptr) host,
    .flags = (flags & VMM_SLOT_READONLY ? KVM_MEM_READONLY : 0) |
             (flags & VMM_SLOT_TRACKED ? KVM_MEM_LOG_DIRTY_PAGES : 0),
  };

  if (slot < 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_KVM, "The devices have more than %d memories.",
                 VMM_MAX_DEVICE_SLOTS);
    return -1;
  }
  if (vmm_kvm_ioctl (self->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0) {
    vmm_kvm_fail ("show a device's memory to the guest", error);
    return -1;
  }
  self->slots[slot] = region;
  return slot;
}

void
vmm_kvm_unmap_slot (VmmPlatform *platform, int slot)
{
  VmmKvm *self = kvm_of (platform);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  struct kvm_userspace_memory_region *region = &self->slots[slot];

  region->memory_size = 0;
  if (vmm_kvm_ioctl (self->vm_fd, KVM_SET_USER_MEMORY_REGION, region) < 0)
    g_warning ("A device's memory cannot be taken from the guest: %s.", g_strerror (errno));
}

gboolean
vmm_kvm_take_dirty (VmmPlatform *platform, int slot, guint64 *bitmap)
{
  VmmKvm *self = kvm_of (platform);
  struct kvm_dirty_log log = { .slot = VMM_FIRST_DEVICE_SLOT + slot, .dirty_bitmap = bitmap };

  return vmm_kvm_ioctl (self->vm_fd, KVM_GET_DIRTY_LOG, &log) == 0;
}
