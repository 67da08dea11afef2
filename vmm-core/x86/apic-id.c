/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See apic-id.h.
 *
 * Threads: any.
 */
#include "x86/apic-id.h"

/* The number of bits that tell @n apart. */
static guint
width (guint n)
{
  guint bits = 0;

  while ((1u << bits) < n)
    bits++;
  return bits;
}

guint
vmm_apic_thread_bits (VmmCpuTopology topology)
{
  return width (topology.threads);
}

guint
vmm_apic_socket_bits (VmmCpuTopology topology)
{
  return width (topology.threads) + width (topology.cores);
}

guint
vmm_apic_id (VmmCpuTopology topology, guint index)
{
  guint thread = index % topology.threads;
  guint core = index / topology.threads % topology.cores;
  guint socket = index / topology.threads / topology.cores;

  return socket << vmm_apic_socket_bits (topology) | core << vmm_apic_thread_bits (topology) |
         thread;
}
