/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * APIC ids: a field of bits for the thread, one for the core, the rest for the socket; each field
 * is as wide as its numbers need, so the ids of a topology that is no power of two have gaps.
 * (Intel SDM 3A, 9.9; AMD APM 3, appendix E.)
 *
 * Threads: any.
 */
#pragma once

#include "vmm-cpu.h"

G_BEGIN_DECLS

/* Of vCPU @index. */
guint vmm_apic_id (VmmCpuTopology topology, guint index);
/* How many bits are below the core's, and below the socket's. */
guint vmm_apic_thread_bits (VmmCpuTopology topology);
guint vmm_apic_socket_bits (VmmCpuTopology topology);

G_END_DECLS
