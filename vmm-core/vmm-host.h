/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmHost: what this host offers to machines.
 *
 * Threads: any. May open device files; never blocks for long.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether machines can run on KVM here. FALSE with VMM_ERROR_NO_KVM, _KVM_DENIED or _KVM: one
 * sentence on what is missing and what turns it on. */
gboolean vmm_host_check_kvm (GError **error);
guint vmm_host_get_n_cpus (void);
guint64 vmm_host_get_memory (void);           /* bytes installed */
guint64 vmm_host_get_available_memory (void); /* bytes free for use now */

G_END_DECLS
