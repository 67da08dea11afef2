/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-balloon: memory that the guest does without goes back to the host (virtio 1.2, 5.5). It
 * goes two ways: the guest gives up pages because it is asked to (the target), and it reports free
 * ones because they are free, and takes them back by just using them.
 *
 * Free page hints are left out: they serve a copy of a running machine's memory, which there is
 * not. So is page poison: a guest that fills its free pages does not report them then, and needs
 * nothing from us to be right.
 *
 * Threads: any; nothing waits for the guest.
 */
#pragma once

#include "virtio/virtio.h"
#include "vmm-balloon.h"

G_BEGIN_DECLS

typedef struct {
  guint slot; /* 0: the next free one */
} VmmVirtioBalloonConfig;

/* For vmm_device_new: VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_balloon_class). */
extern const VmmVirtioClass vmm_virtio_balloon_class;

/* @target, in bytes, is rounded up to whole pages and at most all of the memory. */
void vmm_virtio_balloon_set_target (VmmDevice *device, guint64 target);
/* What is known now. Asks the guest for new statistics, which the next call may know of: nobody
 * else asks it, so a guest that nobody looks at is left alone. */
void vmm_virtio_balloon_look (VmmDevice *device, VmmBalloon *balloon);

G_END_DECLS
