/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Wires are shared, so they are counted; an IRQ is up while any wire that leads to it is.
 *
 * Threads: any.
 */
#include "pci/pci-lines.h"

/* As the firmware numbers them (SeaBIOS: mch_pci_slot_get_irq): the last slots all pull PIRQA. */
#define FIRST_UNROTATED_SLOT 25

/* What the router may reach and no chip of the board pulls: 5, 7, 10, 11, 14, 15. */
#define ROUTABLE_IRQS 0xcca0u

void
vmm_pci_lines_init (VmmPciLines *self, VmmPlatform *platform)
{
  self->platform = platform;
  g_mutex_init (&self->lock);
}

void
vmm_pci_lines_clear (VmmPciLines *self)
{
  g_mutex_clear (&self->lock);
}

guint
vmm_pci_slot_pirq (guint slot)
{
  return slot < FIRST_UNROTATED_SLOT ? slot % VMM_PCI_N_PIRQS : 0;
}

/* The lock is held. */
static gboolean
irq_is_up (VmmPciLines *self, guint irq)
{
  for (guint i = 0; i < VMM_PCI_N_PIRQS; i++)
    if (self->routes[i] == irq && self->n_pulling[i] > 0)
      return TRUE;
  return FALSE;
}

/* The lock is held. */
static void
update_irq (VmmPciLines *self, guint irq)
{
  if (irq != 0)
    self->platform->klass->set_line (self->platform, irq, irq_is_up (self, irq));
}

void
vmm_pci_lines_pull (VmmPciLines *self, guint slot, gboolean level)
{
  guint pirq = vmm_pci_slot_pirq (slot), *count = &self->n_pulling[pirq];

  g_mutex_lock (&self->lock);
  *count += level ? 1 : -1;
  if (*count == (level ? 1 : 0)) {
    self->platform->klass->set_line (self->platform, VMM_PCI_FIRST_GSI + pirq, level);
    update_irq (self, self->routes[pirq]);
  }
  g_mutex_unlock (&self->lock);
}

void
vmm_pci_lines_route (VmmPciLines *self, guint pirq, guint irq)
{
  guint8 *route = &self->routes[pirq], before;

  if (irq >= 16 || !(ROUTABLE_IRQS >> irq & 1))
    irq = 0;
  g_mutex_lock (&self->lock);
  before = *route;
  *route = irq;
  if (before != irq) {
    update_irq (self, before);
    update_irq (self, irq);
  }
  g_mutex_unlock (&self->lock);
}
