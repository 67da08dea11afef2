/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmPciLines: from the INTx of slots to the pins of the interrupt controllers. A slot pulls one of
 * eight wires, PIRQA to PIRQH. Each ends at a pin of the I/O APIC, and through the router of the
 * ISA bridge (ICH9, 13.8.1.5 "PIRQ[n]_ROUT") at a pin of the old controllers. Apart from the host
 * bridge because functions pull on any thread, under a lock of this type's own.
 *
 * Threads: any.
 */
#pragma once

#include "base/vmm-platform.h"

G_BEGIN_DECLS

#define VMM_PCI_N_PIRQS   8
#define VMM_PCI_FIRST_GSI 16

typedef struct {
  VmmPlatform *platform;
  GMutex lock;
  guint n_pulling[VMM_PCI_N_PIRQS]; /* functions */
  guint8 routes[VMM_PCI_N_PIRQS];   /* IRQ of the old controllers, 0: none */
} VmmPciLines;

void vmm_pci_lines_init (VmmPciLines *self, VmmPlatform *platform);
void vmm_pci_lines_clear (VmmPciLines *self);

/* One more function, or one fewer, pulls @slot's interrupt. */
void vmm_pci_lines_pull (VmmPciLines *self, guint slot, gboolean level);
/* Wire @pirq goes to @irq; where that is none that a router may use, to nothing. */
void vmm_pci_lines_route (VmmPciLines *self, guint pirq, guint irq);

/* Which wire the interrupt pins of @slot share. */
guint vmm_pci_slot_pirq (guint slot);

G_END_DECLS
