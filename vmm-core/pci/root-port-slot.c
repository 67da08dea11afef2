/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A root port's slot: presence, power, button, link, and the interrupt that tells of them (PCI
 * Express Base 4.0, 6.7 and 7.5.3.9 to 11).
 *
 * Threads: as root-port.h and root-port-private.h say.
 */
#include <string.h>

#include "pci/pci-express.h"
#include "pci/root-port-private.h"

#define SLOT_BUTTON     (1u << 0)
#define SLOT_POWER      (1u << 1)
#define SLOT_INDICATORS (3u << 3)
#define SLOT_HOT_PLUG   (1u << 6)
#define SLOT_IMMEDIATE  (1u << 18) /* commands are done at once and say nothing */
#define SLOT_NUMBER     19

#define CONTROL_WRITABLE  0x17ff
#define CONTROL_INTERRUPT 0x0020
#define CONTROL_LIGHT     0x0300 /* the power indicator */
#define LIGHT_ON          0x0100
#define LIGHT_BLINKS      0x0200
#define LIGHT_OFF         0x0300
#define CONTROL_OFF       0x0400
#define CONTROL_LINK      0x1000

#define EVENT_BUTTON   0x0001
#define EVENT_PRESENCE 0x0008
#define EVENT_LINK     0x0100
#define EVENTS         0x011f /* those that the guest acknowledges */
#define SIMPLE_EVENTS  0x001f /* enabled by the same bits of the control register */
#define STATUS_PRESENT 0x0040

static void
set16 (VmmRootPort *self, guint offset, guint16 value)
{
  memcpy (self->parent.config + offset, &value, sizeof value);
}

static void
change16 (VmmRootPort *self, guint offset, guint16 bits, gboolean on)
{
  guint16 value = root_port_get16 (self, offset);

  set16 (self, offset, on ? value | bits : value & ~bits);
}

/* MSI, where the guest has set it up, for what begins to pend; else the pin while something does.
 */
static void
update_interrupt (VmmRootPort *self)
{
  guint16 control = root_port_get16 (self, self->express + VMM_PCI_EXPRESS_SLOT_CONTROL);
  guint16 enabled = (control & SIMPLE_EVENTS) | (control & CONTROL_LINK ? EVENT_LINK : 0);
  gboolean pending = (control & CONTROL_INTERRUPT) && (self->events & enabled);
  gboolean msi = vmm_pci_device_has_msi (&self->parent);

  if (pending && !self->signalled && msi)
    vmm_pci_device_send_msi (&self->parent);
  self->signalled = pending;
  vmm_pci_device_set_intx (&self->parent, pending && !msi);
}

/* Presence, power or events changed. */
static void
update (VmmRootPort *self)
{
  guint control = self->express + VMM_PCI_EXPRESS_SLOT_CONTROL;
  gboolean link = self->present && !(root_port_get16 (self, control) & CONTROL_OFF);

  if (link != self->link) {
    self->link = link;
    self->events |= EVENT_LINK;
    root_port_update_child (self);
  }
  set16 (self, self->express + VMM_PCI_EXPRESS_SLOT_STATUS,
         self->events | (self->present ? STATUS_PRESENT : 0));
  change16 (self, self->express + VMM_PCI_EXPRESS_LINK_STATUS, VMM_PCI_EXPRESS_LINK_ACTIVE, link);
  update_interrupt (self);
}

static void
release (VmmRootPort *self)
{
  VmmPlatform *platform = self->parent.parent.board->platform;

  self->wanted = FALSE;
  self->present = FALSE;
  self->events |= EVENT_PRESENCE;
  g_atomic_int_set (&self->released, TRUE);
  platform->klass->unplugged (platform);
}

/* Ones acknowledge events: the bytes that were written hold them now. */
static void
acknowledge (VmmRootPort *self, guint offset, guint length)
{
  guint status = self->express + VMM_PCI_EXPRESS_SLOT_STATUS;

  for (guint i = 0; i < 2; i++)
    if (root_port_touches (offset, length, status + i, status + i + 1))
      self->events &= ~(self->parent.config[status + i] << 8 * i);
}

void
root_port_slot_written (VmmRootPort *self, guint offset, guint length)
{
  guint control = self->express + VMM_PCI_EXPRESS_SLOT_CONTROL;
  guint status = self->express + VMM_PCI_EXPRESS_SLOT_STATUS;

  if (!root_port_touches (offset, length, control, status + 2))
    return;
  acknowledge (self, offset, length);
  if (self->wanted && (root_port_get16 (self, control) & CONTROL_OFF))
    release (self);
  update (self);
}

/* The button alone would have Linux wait 5 seconds for a change of mind; a word from the link has
 * it look, and begin at once. */
void
vmm_root_port_insert (VmmDevice *port)
{
  VmmRootPort *self = (VmmRootPort *) port;

  vmm_device_lock (port);
  self->present = TRUE;
  self->events |= EVENT_PRESENCE | EVENT_LINK | EVENT_BUTTON;
  update (self);
  vmm_device_unlock (port);
}

/* A card that is there has power, and there is nothing to tell. */
static void
settle (VmmRootPort *self)
{
  if (self->present)
    set16 (self, self->express + VMM_PCI_EXPRESS_SLOT_CONTROL, LIGHT_ON);
  self->signalled = FALSE;
  update (self);
  self->events = 0;
  update (self);
}

void
vmm_root_port_put_in (VmmDevice *port)
{
  VmmRootPort *self = (VmmRootPort *) port;

  vmm_device_lock (port);
  self->present = TRUE;
  settle (self);
  vmm_device_unlock (port);
}

/* A guest that is about to give the card up would take a second press for a change of mind. */
void
vmm_root_port_press_button (VmmDevice *port)
{
  VmmRootPort *self = (VmmRootPort *) port;
  guint16 control;

  vmm_device_lock (port);
  control = root_port_get16 (self, self->express + VMM_PCI_EXPRESS_SLOT_CONTROL);
  self->wanted = TRUE;
  if (control & CONTROL_OFF)
    release (self);
  else if ((control & CONTROL_LIGHT) != LIGHT_BLINKS)
    self->events |= EVENT_BUTTON;
  update (self);
  vmm_device_unlock (port);
}

gboolean
vmm_root_port_is_released (VmmDevice *port)
{
  return g_atomic_int_get (&((VmmRootPort *) port)->released);
}

void
vmm_root_port_remove (VmmDevice *port)
{
  VmmRootPort *self = (VmmRootPort *) port;

  vmm_device_lock (port);
  if (self->present)
    self->events |= EVENT_PRESENCE;
  self->present = FALSE;
  self->wanted = FALSE;
  g_atomic_int_set (&self->released, FALSE);
  update (self);
  vmm_device_unlock (port);
}

void
root_port_put_slot (VmmRootPort *self)
{
  const guint16 control = CONTROL_WRITABLE, events = EVENTS;
  VmmPciDevice *pci = &self->parent;
  guint at;

  self->express = at = vmm_pci_device_add_express (pci, VMM_PCI_EXPRESS_ROOT_PORT, self->number);
  vmm_pci_device_put (pci, at + VMM_PCI_EXPRESS_SLOT_CAPABILITIES, 4,
                      SLOT_BUTTON | SLOT_POWER | SLOT_INDICATORS | SLOT_HOT_PLUG | SLOT_IMMEDIATE |
                        (self->number + 1) << SLOT_NUMBER);
  vmm_pci_device_put (pci, at + VMM_PCI_EXPRESS_SLOT_CONTROL, 2, LIGHT_OFF | CONTROL_OFF);
  memcpy (pci->write_mask + at + VMM_PCI_EXPRESS_SLOT_CONTROL, &control, sizeof control);
  memcpy (pci->write_mask + at + VMM_PCI_EXPRESS_SLOT_STATUS, &events, sizeof events);
}

/* What was asked of a guest that is no more, it need not consent to. */
void
root_port_slot_reset (VmmRootPort *self)
{
  if (self->wanted)
    release (self);
  settle (self);
}

void
root_port_slot_loaded (VmmRootPort *self)
{
  VmmPlatform *platform = self->parent.parent.board->platform;
  guint16 events = self->events & EVENTS;

  self->wanted = self->wanted && self->child;
  self->released = self->released && self->child;
  self->present = self->child && !self->released;
  self->signalled = TRUE; /* by whoever was saved */
  update (self);
  self->events = events; /* that it has power now is no news */
  update (self);
  if (self->released)
    platform->klass->unplugged (platform);
}
