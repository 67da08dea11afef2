/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vhost-net: a thread of the kernel moves frames between a guest's rings and a tap device, and no
 * frame passes through this process.
 *
 * Threads: any; one call at a time.
 */
#pragma once

#include "virtio/virtqueue.h"

G_BEGIN_DECLS

/* @features are of virtio; @rings are the receive and the transmit queue. Returns a descriptor for
 * vmm_vhost_stop, or -1 where the kernel has it not, or not for us. */
int vmm_vhost_start (int tap,
                     VmmMemory *memory,
                     guint64 features,
                     const VmmVirtqueueLoan rings[2],
                     GError **error);
/* Nothing is touched any more; @next says how far each queue came. */
void vmm_vhost_stop (int vhost, guint16 next[2]);

G_END_DECLS
