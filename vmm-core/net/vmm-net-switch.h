/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A port of a private network. The network is a switch that learns addresses; each port has a queue
 * of its own with a bound, so that a machine that does not read loses its frames and nobody else's.
 *
 * Threads: control.
 */
#pragma once

#include "net/vmm-net.h"
#include "vmm-networks.h"

G_BEGIN_DECLS

/* On the network @name of @networks. Fails with VMM_ERROR_IO. */
VmmNet *vmm_net_switch_new (VmmNetworks *networks, const char *name, VmmLoop *loop, GError **error);

G_END_DECLS
