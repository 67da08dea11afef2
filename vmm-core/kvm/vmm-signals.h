/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The two signals that a monitor cannot do without, and the only state that machines of one process
 * share: a small registry, because a signal handler belongs to the process.
 *
 * SIGBUS comes when the host has no page for guest memory. It is caught if the address lies in a
 * watched range: the page is replaced by a scratch page so that the thread that touched it can go
 * on, and the watch's eventfd tells the machine. Every other SIGBUS goes to the handler that was
 * there before us. The kick is a real-time signal without effect but to end a blocking KVM_RUN.
 *
 * Threads: any; the handlers are async-signal-safe.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VMM_MAX_FAULT_WATCHES 64

typedef struct _VmmFaultWatch VmmFaultWatch;

/* Watches @length bytes at @start, which are mapped in pages of @page bytes; @fd is an eventfd
 * (borrowed) that is signalled at a fault. NULL with VMM_ERROR_NO_MEMORY when too many ranges are
 * watched. */
VmmFaultWatch *
vmm_fault_watch_add (gconstpointer start, gsize length, gsize page, int fd, GError **error);
void vmm_fault_watch_remove (VmmFaultWatch *watch);

/* The number of the kick signal; its handler is in place. 0 where none is free. */
int vmm_kick_signal (void);
/* Blocks, in the calling thread, every signal that is not ours or a fault. */
void vmm_block_foreign_signals (void);

G_END_DECLS
