/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmBus: which device answers at an address. One for ports, one for memory.
 * Absent addresses read all ones.
 *
 * Threads: any. Handlers run on the calling (vcpu) thread with the device's lock
 * held; ranges may be added, moved and removed while vCPUs run.
 */
#pragma once

#include "device/vmm-device.h"

G_BEGIN_DECLS

typedef struct _VmmBus VmmBus;

/* @offset is relative to the range; @size is 1, 2, 4 or 8 and never crosses its end. */
typedef struct {
  guint64 (*read) (VmmDevice *device, guint region, guint64 offset, guint size);
  void (*write) (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value);
} VmmBusOps;

VmmBus *vmm_bus_new (void);
void vmm_bus_free (VmmBus *self);

/* FALSE with VMM_ERROR_CONFIG where it overlaps another range. @region is handed to the handlers.
 */
gboolean vmm_bus_add (VmmBus *self,
                      guint64 address,
                      guint64 length,
                      const VmmBusOps *ops,
                      VmmDevice *device,
                      guint region,
                      GError **error);
/* When this returns no handler of the range runs any more (unless it is the caller). */
void vmm_bus_remove (VmmBus *self, guint64 address);

guint64 vmm_bus_read (VmmBus *self, guint64 address, guint size);
void vmm_bus_write (VmmBus *self, guint64 address, guint size, guint64 value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmBus, vmm_bus_free)

G_END_DECLS
