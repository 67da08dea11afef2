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

/* What a machine may have, in bytes. */
typedef struct {
  guint64 installed;      /* 0: not known */
  guint64 available;      /* free for use now */
  guint64 limit;          /* of this process; G_MAXUINT64: there is none */
  const char *limit_name; /* "RLIMIT_AS", ... */
} VmmHostMemory;

void vmm_host_measure_memory (VmmHostMemory *memory);
/* Whether the host can ever give a machine @size bytes, if not all at once: it keeps an eighth for
 * itself, at most 512 MiB. FALSE with VMM_ERROR_NO_MEMORY and the figures. */
gboolean vmm_host_memory_check (const VmmHostMemory *self, guint64 size, GError **error);

G_END_DECLS
