/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Devices come to the ports of the xHCI controller and go, and speak to it.
 *
 * Threads: control for coming and going; what a device calls is for any thread, with the controller
 * locked.
 */
#include <string.h>

#include "usb/xhci-private.h"
#include "vmm-error.h"

/* A device has something to say. Any thread, locked. */
static void
device_is_ready (gpointer controller, VmmUsbDevice *device, guint8 endpoint)
{
  Xhci *self = controller;
  guint dci = (endpoint & 0x0f) * 2 + (endpoint & VMM_USB_TO_HOST ? 1 : 0);

  for (guint i = 0; i < XHCI_N_SLOTS; i++)
    if (self->slots[i].enabled && xhci_slot_get_device (self, &self->slots[i]) == device)
      self->slots[i].rung |= 1u << dci;
  vmm_kick_ring (&self->kick);
}

static void
device_wakes (gpointer controller, VmmUsbDevice *device)
{
  Xhci *self = controller;
  guint number = xhci_port_find (self, device);

  if (number > 0)
    xhci_port_resume (self, number);
}

static void
lock_controller (gpointer controller)
{
  vmm_device_lock (controller);
}

static void
unlock_controller (gpointer controller)
{
  vmm_device_unlock (controller);
}

static const VmmUsbControllerOps controller_ops = {
  device_is_ready,
  device_wakes,
  lock_controller,
  unlock_controller,
};

gboolean
vmm_xhci_attach (VmmDevice *device, VmmUsbDevice *usb, GError **error)
{
  Xhci *self = (Xhci *) device;
  guint number = 0;

  vmm_device_lock (device);
  for (guint i = VMM_XHCI_N_PORTS; i >= 1; i--)
    if (!self->ports[i - 1].device && xhci_port_has_speed (i, usb->klass->speed))
      number = i;
  vmm_device_unlock (device);
  if (number == 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "There is no free USB port for %s.", usb->id);
    return FALSE;
  }
  vmm_usb_device_attach (usb, &controller_ops, self, device->board->loop);
  vmm_device_lock (device);
  xhci_port_plug (self, number, usb);
  vmm_device_unlock (device);
  return TRUE;
}

/* What the device still has comes back first; then its slots find nobody. */
static VmmUsbDevice *
unplug (Xhci *self, guint number)
{
  for (guint i = 0; i < XHCI_N_SLOTS; i++)
    for (guint dci = 1; self->slots[i].port == number && dci <= XHCI_N_ENDPOINTS; dci++)
      if (self->slots[i].endpoints[dci - 1].transfer) {
        xhci_cancel_transfer (self, &self->slots[i], dci, FALSE);
        self->slots[i].rung |= 1u << dci;
      }
  vmm_kick_ring (&self->kick);
  return xhci_port_unplug (self, number);
}

void
xhci_detach_port (VmmDevice *device, guint number)
{
  VmmUsbDevice *usb;

  vmm_device_lock (device);
  usb = unplug ((Xhci *) device, number);
  vmm_device_unlock (device);
  vmm_usb_device_detach (usb);
  vmm_usb_device_free (usb);
}

gboolean
vmm_xhci_detach (VmmDevice *device, const char *id)
{
  Xhci *self = (Xhci *) device;

  for (guint i = 0; i < VMM_XHCI_N_PORTS; i++)
    if (self->ports[i].device && strcmp (self->ports[i].device->id, id) == 0) {
      xhci_detach_port (device, i + 1);
      return TRUE;
    }
  return FALSE;
}
