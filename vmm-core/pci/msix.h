/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmMsix: the message-signalled interrupts of one function (PCI 3.0, 6.8.2): its table, pending
 * bits and masks, and an irqfd a vector, so that a signal needs no thread of ours.
 *
 * Threads: any, with the device locked.
 */
#pragma once

#include "device/vmm-device.h"

G_BEGIN_DECLS

#define VMM_MSIX_ENTRY_SIZE 16
#define VMM_MSIX_NO_VECTOR  0xffff

/* One vector: what the guest wrote, and the route that stands for it. */
typedef struct {
  guint32 address_low, address_high;
  guint32 data;
  guint32 control; /* bit 0: masked */
  gboolean pending;
  gboolean lent; /* somebody else signals @fd; while the vector is masked the signal waits in it */
  int fd;        /* eventfd; -1 until first unmasked */
  int route;     /* of the platform; -1 likewise */
  VmmMsi routed; /* the message that the route sends */
} VmmMsixVector;

typedef struct {
  VmmDevice *device; /* whose lock guards this */
  guint n_vectors;
  VmmMsixVector *vectors;
  gboolean enabled;    /* MSI-X Enable of the capability */
  gboolean all_masked; /* Function Mask */
} VmmMsix;

extern const VmmField vmm_msix_fields[];

void vmm_msix_init (VmmMsix *self, VmmDevice *device, guint n_vectors);
void vmm_msix_clear (VmmMsix *self);
void vmm_msix_reset (VmmMsix *self);
/* Makes the routes anew after the fields were loaded. */
gboolean vmm_msix_loaded (VmmMsix *self, GError **error);

/* The capability's Message Control changed. */
void vmm_msix_set_control (VmmMsix *self, gboolean enabled, gboolean all_masked);
/* Sends vector @vector, or lets it pend while masked. Out of range: nothing. */
void vmm_msix_signal (VmmMsix *self, guint vector);

/* An eventfd that sends @vector when it is signalled by whom it may be, such as the kernel; -1
 * where there is none. It is ours to close. */
int vmm_msix_lend (VmmMsix *self, guint vector);
/* It is signalled no more. */
void vmm_msix_take_back (VmmMsix *self, guint vector);

guint64 vmm_msix_read_table (VmmMsix *self, guint64 offset, guint size);
void vmm_msix_write_table (VmmMsix *self, guint64 offset, guint size, guint64 value);
guint64 vmm_msix_read_pba (VmmMsix *self, guint64 offset, guint size);

G_END_DECLS
