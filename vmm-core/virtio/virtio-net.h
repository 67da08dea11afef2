/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-net: a network card (virtio 1.2, 5.1) over a VmmNet.
 */
#pragma once

#include "net/vmm-net.h"
#include "virtio/virtio.h"

G_BEGIN_DECLS

#define VMM_VIRTIO_NET_MAX_PAIRS 8

typedef struct {
  guint slot;  /* 0: the next free one */
  VmmNet *net; /* borrowed; this card's alone */
  guint8 mac[VMM_NET_MAC_LENGTH];
} VmmVirtioNetConfig;

/* For vmm_device_new: VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_net_class). */
extern const VmmVirtioClass vmm_virtio_net_class;

/* Pulls the cable out, or puts it back. Thread: any. */
void vmm_virtio_net_set_link (VmmDevice *device, gboolean up);
gboolean vmm_virtio_net_get_link (VmmDevice *device);

/* The card is drained and loses its back end, which may be freed then: its cable is out, and what
 * the guest sends goes nowhere. Thread: control. */
void vmm_virtio_net_disconnect (VmmDevice *device);

/* Frames so far, both ways. Thread: any. */
void vmm_virtio_net_get_counters (VmmDevice *device, guint64 *n_sent, guint64 *n_received);

G_END_DECLS
