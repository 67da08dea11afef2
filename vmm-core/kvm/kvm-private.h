/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of this folder share: the descriptors behind VmmKvm, and ioctl in our words.
 */
#pragma once

#include <linux/kvm.h>

#include "kvm/vmm-kvm.h"

G_BEGIN_DECLS

/* The I/O APIC's pins come first; message routes follow. */
#define VMM_N_PINS       24
#define VMM_MAX_MESSAGES 1000

typedef struct {
  gboolean used;
  int fd;
  VmmMsi msi;
} VmmRoute;

/* Memory slots: RAM has the first ones, devices what follows. */
#define VMM_FIRST_DEVICE_SLOT 8
#define VMM_MAX_DEVICE_SLOTS  64

struct _VmmKvm {
  VmmPlatform platform; /* first: devices hold a pointer to it */
  VmmMemory *memory;
  const VmmKvmEvents *events;
  gpointer data;
  int kvm_fd, vm_fd;
  gsize run_size; /* bytes of a vCPU's shared page */

  struct kvm_irqchip chips[3]; /* as the kernel made them */
  struct kvm_pit_state2 pit;
  struct kvm_clock_data clock;

  GMutex lock;    /* guards what follows */
  guint n_routes; /* slots of @routes in use, holes included */
  VmmRoute routes[VMM_MAX_MESSAGES];
  struct kvm_userspace_memory_region slots[VMM_MAX_DEVICE_SLOTS]; /* memory_size 0: free */
  gint64 last_complaint;                                          /* for rate limiting */
  guint n_complaints;
};

/* ioctl, again when a signal came in between. */
int vmm_kvm_ioctl (int fd, unsigned long request, gpointer argument);
/* VMM_ERROR_KVM: "KVM refused to <what>: <errno>". Always FALSE. */
gboolean vmm_kvm_fail (const char *what, GError **error);
/* The value of a capability, 0 where the kernel does not know it. */
int vmm_kvm_check (VmmKvm *self, int capability);

/* Whether a call that failed did so because the host had no page for guest memory. */
#define VMM_KVM_NO_PAGE(error) ((error) == EFAULT || (error) == EHWPOISON)

/* kvm-platform.c: the class of VmmKvm as a VmmPlatform. */
extern const VmmPlatformClass vmm_kvm_platform_class;
gboolean vmm_kvm_set_routes (VmmKvm *self, GError **error); /* locked */

/* kvm-slots.c: that class's memory of devices. */
int vmm_kvm_map_slot (VmmPlatform *platform,
                      guint64 address,
                      guint64 size,
                      gpointer host,
                      VmmSlotFlags flags,
                      GError **error);
void vmm_kvm_unmap_slot (VmmPlatform *platform, int slot);
gboolean vmm_kvm_take_dirty (VmmPlatform *platform, int slot, guint64 *bitmap);

G_END_DECLS
