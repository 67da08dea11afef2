/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The words of --cpu and its kin.
 *
 * Threads: any. Every failure is VMM_ERROR_CONFIG.
 */
#pragma once

#include "vmm-config.h"

G_BEGIN_DECLS

/* --cpus: N[,sockets=S][,cores=C][,threads=T]. */
gboolean vmm_cpu_options_parse_count (VmmConfig *config, const char *word, GError **error);
gboolean vmm_cpu_options_parse_model (VmmConfig *config, const char *word, GError **error);

G_END_DECLS
