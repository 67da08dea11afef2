/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A queue as the transport sees it, shared between virtio.c (what a device calls) and virtio-pci.c
 * (what the guest touches).
 *
 * Threads: with the device locked.
 */
#pragma once

#include "base/vmm-kick.h"
#include "virtio/virtio.h"

G_BEGIN_DECLS

#define VIRTIO_STATUS_ACKNOWLEDGE 0x01
#define VIRTIO_STATUS_DRIVER      0x02
#define VIRTIO_STATUS_DRIVER_OK   0x04
#define VIRTIO_STATUS_FEATURES_OK 0x08
#define VIRTIO_STATUS_NEEDS_RESET 0x40
#define VIRTIO_STATUS_FAILED      0x80
#define VIRTIO_STATUS_WRITABLE    0x8f

#define VIRTIO_ISR_QUEUE  0x01
#define VIRTIO_ISR_CONFIG 0x02

#define VIRTIO_F_INDIRECT  28
#define VIRTIO_F_EVENT_IDX 29
#define VIRTIO_F_VERSION_1 32

struct _VmmVirtioQueue {
  VmmVirtqueue ring;
  VmmVirtio *device;
  guint index;
  VmmKick kick;
  gboolean notify; /* when the loop looks at it */
  VmmDoorbell doorbell;
  gboolean has_doorbell;
};

static inline const VmmVirtioClass *
vmm_virtio_class (VmmVirtio *self)
{
  return (const VmmVirtioClass *) self->parent.parent.klass;
}

static inline gboolean
vmm_virtio_is_running (VmmVirtio *self)
{
  return (self->status & VIRTIO_STATUS_DRIVER_OK) && !(self->status & VIRTIO_STATUS_NEEDS_RESET) &&
         !self->resetting;
}

guint64 vmm_virtio_get_features (VmmVirtio *self);
/* The driver wrote the status register. */
void vmm_virtio_set_status (VmmVirtio *self, guint8 status);
/* Everything that a driver set is forgotten. No request is under way. */
void vmm_virtio_forget_driver (VmmVirtio *self);
/* The interrupt of MSI-X's @vector; or the pin, with the @isr bit that says why. */
void vmm_virtio_signal (VmmVirtio *self, guint16 vector, guint8 isr);

/* virtio-queue.c. Where making fails, freeing clears up what there is. */
gboolean vmm_virtio_make_queues (VmmVirtio *self, gconstpointer config, GError **error);
void vmm_virtio_free_queues (VmmVirtio *self);
/* What notify_soon has put off. */
void vmm_virtio_notify_now (VmmVirtio *self);
/* Looks at all queues soon, on the loop. */
void vmm_virtio_kick_all (VmmVirtio *self);

/* BAR 0 and its capabilities. */
gboolean vmm_virtio_pci_realize (VmmVirtio *self, guint slot, GError **error);

G_END_DECLS
