/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A tap device of the host: the guest is on whatever network the host puts it on.
 *
 * Threads: control.
 */
#pragma once

#include "net/vmm-net.h"

G_BEGIN_DECLS

/* Opens the device @name, with up to @n_queues queues. It is made where it is not there and we may
 * make one. With @vhost the kernel moves the frames, where it may. Fails with VMM_ERROR_IO. */
VmmNet *
vmm_net_tap_new (const char *name, guint n_queues, gboolean vhost, VmmLoop *loop, GError **error);
/* The same with a descriptor of a tap device that somebody else opened with IFF_VNET_HDR; it is
 * borrowed. */
VmmNet *vmm_net_tap_new_for_fd (int fd, gboolean vhost, VmmLoop *loop, GError **error);

G_END_DECLS
