/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The user's own network: what the guest sends leaves as connections of this process (libslirp), so
 * no privileges are needed. The guest finds DHCP, DNS, a router and the host's own services at
 * addresses of a private network; nobody outside reaches it but through forwards.
 *
 * Threads: control.
 */
#pragma once

#include "net/vmm-net.h"
#include "vmm-config.h"

G_BEGIN_DECLS

/* @network is an IPv4 network such as "10.0.2.0/24", which is also what NULL means: the router and
 * host is its address 2, DNS 3, the guest 15. */
VmmNet *vmm_net_user_new (const char *network, VmmLoop *loop, GError **error);

/* Connections to @forward's port of the host go to the guest's from now on. VMM_ERROR_IO where the
 * port is taken. */
gboolean vmm_net_user_add_forward (VmmNet *net, const VmmForward *forward, GError **error);
/* Open connections stay. VMM_ERROR_CONFIG where there is no such forward. */
gboolean vmm_net_user_remove_forward (VmmNet *net, const VmmForward *forward, GError **error);

G_END_DECLS
