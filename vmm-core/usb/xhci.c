/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The xHCI controller: a PCI function and its life. Nothing runs while nothing happens: devices say
 * when they have something, and MFINDEX is computed when it is read.
 *
 * Threads: as vmm-device.h says.
 */
#include <string.h>

#include "usb/xhci-private.h"

#define BAR      0
#define BAR_SIZE 0x4000

#define STS_SAVED    0x141cu /* HSE, EINT, PCD, SRE, HCE */
#define IMOD_DEFAULT 4000    /* 1 ms, after a reset; we never wait so long */

#define SBRN  0x60
#define FLADJ 0x61

static const VmmField xhci_fields[] = {
  VMM_FIELD_PART (Xhci, parent, vmm_pci_device_fields, "pci"),
  VMM_FIELD (Xhci, usbcmd, VMM_FIELD_UINT32, "usbcmd"),
  VMM_FIELD (Xhci, usbsts, VMM_FIELD_UINT32, "usbsts"),
  VMM_FIELD (Xhci, dnctrl, VMM_FIELD_UINT32, "dnctrl"),
  VMM_FIELD (Xhci, config, VMM_FIELD_UINT32, "config"),
  VMM_FIELD (Xhci, dcbaap, VMM_FIELD_UINT64, "dcbaap"),
  VMM_FIELD (Xhci, crcr, VMM_FIELD_UINT64, "crcr"),
  VMM_FIELD_PART (Xhci, command_ring, xhci_ring_fields, "command-ring"),
  VMM_FIELD (Xhci, command_running, VMM_FIELD_BOOL, "command-running"),
  VMM_FIELD (Xhci, command_rung, VMM_FIELD_BOOL, "command-rung"),
  VMM_FIELD (Xhci, iman, VMM_FIELD_UINT32, "iman"),
  VMM_FIELD (Xhci, imod, VMM_FIELD_UINT32, "imod"),
  VMM_FIELD (Xhci, erstsz, VMM_FIELD_UINT32, "erstsz"),
  VMM_FIELD (Xhci, erstba, VMM_FIELD_UINT64, "erstba"),
  VMM_FIELD (Xhci, erdp, VMM_FIELD_UINT64, "erdp"),
  VMM_FIELD_PART (Xhci, events, xhci_event_ring_fields, "events"),
  VMM_FIELD (Xhci, n_waiting, VMM_FIELD_UINT32, "n-waiting"),
  VMM_FIELD_PARTS (Xhci, waiting, xhci_trb_fields, "waiting"),
  VMM_FIELD_PARTS (Xhci, ports, xhci_port_fields, "ports"),
  VMM_FIELD_PARTS (Xhci, slots, xhci_slot_fields, "slots"),
  VMM_EXEMPT (Xhci, drained, "whoever loads knows"),
  VMM_EXEMPT (Xhci, started_us, "a clock of the host"),
  VMM_EXEMPT (Xhci, kick, "of the loop"),
  VMM_EXEMPT (Xhci, spare, "memory to use again"),
  VMM_FIELD_LAST,
};

gboolean
xhci_is_running (Xhci *self)
{
  return (self->usbcmd & XHCI_CMD_RS) && !(self->usbsts & XHCI_STS_HCE);
}

static void
xhci_kicked (gpointer data)
{
  Xhci *self = data;
  gboolean more = FALSE;

  vmm_device_lock (&self->parent.parent);
  if (!self->drained && xhci_is_running (self)) {
    more = xhci_run_commands (self);
    more = xhci_run_transfers (self) || more;
  }
  if (more)
    vmm_kick_ring (&self->kick);
  vmm_device_unlock (&self->parent.parent);
}

void
xhci_die (Xhci *self, const char *why)
{
  if (self->usbsts & XHCI_STS_HCE)
    return;
  self->usbsts |= XHCI_STS_HCE;
  vmm_device_broken (&self->parent.parent, why);
}

void
xhci_update_interrupt (Xhci *self)
{
  gboolean wanted = (self->iman & (XHCI_IMAN_IP | XHCI_IMAN_IE)) == (XHCI_IMAN_IP | XHCI_IMAN_IE) &&
                    (self->usbcmd & XHCI_CMD_INTE);

  if (self->parent.msix.enabled && wanted) {
    self->iman &= ~XHCI_IMAN_IP; /* the message carries it away */
    vmm_msix_signal (&self->parent.msix, 0);
  }
  vmm_pci_device_set_intx (&self->parent, wanted && !self->parent.msix.enabled);
}

/* What devices have comes back; it is found again in its ring. */
void
xhci_cancel_all (Xhci *self)
{
  for (guint i = 0; i < XHCI_N_SLOTS; i++)
    for (guint dci = 1; dci <= XHCI_N_ENDPOINTS; dci++)
      if (self->slots[i].endpoints[dci - 1].transfer) {
        xhci_cancel_transfer (self, &self->slots[i], dci, FALSE);
        self->slots[i].rung |= 1u << dci;
      }
}

/* HCRST. */
void
xhci_reset_controller (Xhci *self)
{
  xhci_cancel_all (self);
  self->usbcmd = 0;
  self->usbsts = XHCI_STS_HCH;
  self->dnctrl = self->config = 0;
  self->dcbaap = self->crcr = 0;
  self->command_ring = (XhciRing) { 0 };
  self->command_running = self->command_rung = FALSE;
  self->iman = self->erstsz = 0;
  self->imod = IMOD_DEFAULT;
  self->erstba = self->erdp = 0;
  xhci_event_ring_restart (self);
  self->n_waiting = 0;
  memset (self->waiting, 0, sizeof self->waiting);
  memset (self->slots, 0, sizeof self->slots);
  xhci_port_reset_all (self);
  xhci_update_interrupt (self);
}

static void
xhci_drain (VmmDevice *device)
{
  Xhci *self = (Xhci *) device;

  vmm_device_lock (device);
  self->drained = TRUE;
  xhci_cancel_all (self);
  vmm_device_unlock (device);
}

static void
xhci_resume (VmmDevice *device)
{
  Xhci *self = (Xhci *) device;

  vmm_device_lock (device);
  self->drained = FALSE;
  vmm_kick_ring (&self->kick);
  vmm_device_unlock (device);
}

static void
xhci_reset (VmmDevice *device)
{
  Xhci *self = (Xhci *) device;

  xhci_reset_controller (self);
  vmm_pci_device_reset (&self->parent);
}

static char *
section_of (VmmDevice *device, const VmmUsbDevice *usb)
{
  return g_strdup_printf ("%s/%s", device->id, usb->id);
}

static gboolean
xhci_save_parts (VmmDevice *device, VmmState *state, GError **error)
{
  Xhci *self = (Xhci *) device;

  for (guint i = 0; i < VMM_XHCI_N_PORTS; i++) {
    VmmUsbDevice *usb = self->ports[i].device;
    g_autofree char *section = usb ? section_of (device, usb) : NULL;

    if (usb && !vmm_state_save_struct (state, section, usb->klass->version, usb->klass->fields, usb,
                                       error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
xhci_load_parts (VmmDevice *device, VmmState *state, GError **error)
{
  Xhci *self = (Xhci *) device;

  for (guint i = 0; i < VMM_XHCI_N_PORTS; i++) {
    VmmUsbDevice *usb = self->ports[i].device;
    g_autofree char *section = usb ? section_of (device, usb) : NULL;

    if (!usb)
      continue;
    if (!vmm_state_load_struct (state, section, usb->klass->version, usb->klass->fields, usb, NULL,
                                error))
      return FALSE;
    if (usb->klass->loaded)
      usb->klass->loaded (usb);
  }
  return TRUE;
}

/* Addresses are checked where they are used; counts and states are made such as there are. */
static gboolean
xhci_loaded (VmmDevice *device, GError **error)
{
  Xhci *self = (Xhci *) device;

  self->usbcmd &= XHCI_CMD_WRITABLE;
  self->usbsts &= STS_SAVED;
  self->usbsts |= self->usbcmd & XHCI_CMD_RS ? 0 : XHCI_STS_HCH;
  self->erstsz = MIN (self->erstsz, 1u << XHCI_ERST_MAX);
  self->n_waiting = MIN (self->n_waiting, XHCI_MAX_WAITING);
  self->started_us = g_get_monotonic_time ();
  xhci_event_ring_loaded (self);
  xhci_port_loaded (self);
  for (guint i = 0; i < XHCI_N_SLOTS; i++)
    xhci_slot_loaded (&self->slots[i]);
  if (!vmm_pci_device_loaded (&self->parent, error))
    return FALSE;
  if (!self->drained)
    vmm_kick_ring (&self->kick);
  return TRUE;
}

static void
free_parts (Xhci *self)
{
  vmm_kick_clear (&self->kick);
  g_ptr_array_unref (self->spare);
}

static gboolean
add_function (Xhci *self, guint slot, GError **error)
{
  static const VmmPciIds ids = {
    .vendor = 0x1b36,
    .device = 0x000d,
    .subsystem_vendor = 0x1af4,
    .subsystem = 0x1100,
    .revision = 1,
    .class_code = 0x0c0330,
  };
  VmmPciDevice *pci = &self->parent;

  if (!vmm_pci_device_realize (pci, slot, &ids, error))
    return FALSE;
  vmm_pci_device_put (pci, SBRN, 1, 0x30);
  vmm_pci_device_put (pci, FLADJ, 1, 0x20);
  if (vmm_pci_device_add_bar (pci, BAR, BAR_SIZE, TRUE, &xhci_ops, error) &&
      vmm_pci_device_add_msix (pci, XHCI_N_INTERRUPTERS, BAR, XHCI_MSIX_TABLE, XHCI_MSIX_PBA,
                               error))
    return TRUE;
  vmm_pci_device_unrealize (pci);
  return FALSE;
}

static gboolean
xhci_realize (VmmDevice *device, gconstpointer data, GError **error)
{
  Xhci *self = (Xhci *) device;
  const VmmXhciConfig *config = data;

  if (!vmm_kick_init (&self->kick, device->board->loop, xhci_kicked, self, error))
    return FALSE;
  self->spare = g_ptr_array_new_with_free_func (g_free);
  if (!add_function (self, config->slot, error)) {
    free_parts (self);
    return FALSE;
  }
  xhci_reset_controller (self);
  return TRUE;
}

static void
xhci_unrealize (VmmDevice *device)
{
  Xhci *self = (Xhci *) device;

  xhci_drain (device);
  for (guint i = 0; i < VMM_XHCI_N_PORTS; i++)
    if (self->ports[i].device)
      xhci_detach_port (device, i + 1);
  vmm_pci_device_unrealize (&self->parent);
  free_parts (self);
}

const VmmPciDeviceClass vmm_xhci_class = {
  .parent = {
    .name = "xhci",
    .instance_size = sizeof (Xhci),
    .version = 1,
    .fields = xhci_fields,
    .realize = xhci_realize,
    .unrealize = xhci_unrealize,
    .drain = xhci_drain,
    .resume = xhci_resume,
    .reset = xhci_reset,
    .loaded = xhci_loaded,
    .save_parts = xhci_save_parts,
    .load_parts = xhci_load_parts,
  },
};
