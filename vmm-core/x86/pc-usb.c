/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC's USB controller and what hangs on it.
 *
 * Threads: control, with the vCPUs parked.
 */
#include "usb/usb-hid.h"
#include "usb/xhci.h"
#include "x86/pc-private.h"

static gboolean
plug (VmmDevice *xhci,
      const VmmUsbDeviceClass *klass,
      const char *id,
      gconstpointer config,
      GError **error)
{
  VmmUsbDevice *device = vmm_usb_device_new (klass, id, config, error);

  if (!device)
    return FALSE;
  if (vmm_xhci_attach (xhci, device, error))
    return TRUE;
  vmm_usb_device_free (device);
  return FALSE;
}

gboolean
vmm_pc_add_usb (VmmPc *self, GError **error)
{
  VmmXhciConfig config = { 0 };
  VmmUsbHidConfig hid = { .input = self->input };
  VmmDevice *xhci;

  if (!self->config->usb)
    return TRUE;
  xhci = vmm_pc_add (self, &vmm_xhci_class.parent, "xhci", &config, error);
  if (!xhci || !self->config->graphics)
    return xhci != NULL;
  return plug (xhci, &vmm_usb_keyboard_class, "usb-keyboard0", &hid, error) &&
         plug (xhci, &vmm_usb_tablet_class, "usb-tablet0", &hid, error);
}
