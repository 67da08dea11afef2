/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pages that a guest names, given back to the host. That is slow work, and disks wait for the loop
 * too, so it is done in portions of some milliseconds.
 *
 * Threads: loop.
 */
#pragma once

#include "virtio/virtqueue.h"

G_BEGIN_DECLS

/* Both take the portion of @request that begins at byte @done, and move it on. They return TRUE
 * when there is no more, with @done back at 0. What is not the guest's memory stays as it is,
 * without a word: that can only be the guest's own loss. */

/* The request holds page numbers. */
gboolean vmm_balloon_give_up (VmmMemory *memory, const VmmRequest *request, guint64 *done);
/* Its buffers are the free pages themselves. */
gboolean vmm_balloon_report (VmmMemory *memory, const VmmRequest *request, guint64 *done);

G_END_DECLS
