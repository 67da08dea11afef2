/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A VmmNet that writes down what crosses another one: a pcap file, for Wireshark and its kind.
 *
 * Threads: control.
 */
#pragma once

#include "net/vmm-net.h"

G_BEGIN_DECLS

/* Takes @inner. The file is made anew. A thread of its own writes it; what it has no time for is
 * left out. Fails with VMM_ERROR_IO, and @inner is freed. */
VmmNet *vmm_net_capture_new (VmmNet *inner, const char *path, GError **error);

G_END_DECLS
