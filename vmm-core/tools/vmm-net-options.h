/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The words of --net and of the control verbs for network cards.
 *
 * Threads: any. Every failure is VMM_ERROR_CONFIG.
 */
#pragma once

#include "vmm-config.h"

G_BEGIN_DECLS

/* The card that --net @word describes, in @config; "none" is none. */
gboolean vmm_net_options_parse (VmmConfig *config, const char *word, GError **error);

/* "tcp:2222:22", "udp:0.0.0.0:5353:53". Without @guest_port it names a port of the host only. */
VmmForward *vmm_forward_parse (const char *word, gboolean guest_port, GError **error);
char *vmm_forward_print (const VmmForward *forward);

G_END_DECLS
