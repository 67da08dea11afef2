/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "xhci-test.h"

static const VmmField gadget_fields[] = {
  VMM_EXEMPT (Gadget, parent, "who it is"),
  VMM_EXEMPT (Gadget, status, "of the test"),
  VMM_FIELD (Gadget, bytes, VMM_FIELD_BYTES, "bytes"),
  VMM_EXEMPT (Gadget, length, "of the test"),
  VMM_EXEMPT (Gadget, held, "of the test"),
  VMM_FIELD (Gadget, n_resets, VMM_FIELD_UINT32, "n-resets"),
  VMM_EXEMPT (Gadget, n_cancelled, "of the test"),
  VMM_EXEMPT (Gadget, n_submitted, "of the test"),
  VMM_FIELD_LAST,
};

static void
move (Gadget *self, VmmUsbTransfer *transfer)
{
  gboolean in = (transfer->type == VMM_USB_CONTROL ? transfer->setup.type : transfer->endpoint) &
                VMM_USB_TO_HOST;

  if (in)
    vmm_usb_transfer_write (transfer, self->bytes, self->length);
  else
    self->length = vmm_usb_transfer_read (transfer, self->bytes, sizeof self->bytes);
}

static VmmUsbStatus
gadget_submit (VmmUsbDevice *device, VmmUsbTransfer *transfer)
{
  Gadget *self = (Gadget *) device;

  self->n_submitted++;
  if (self->status == VMM_USB_OK)
    move (self, transfer);
  if (self->status == VMM_USB_LATER)
    self->held = transfer;
  return self->status;
}

static void
gadget_cancel (VmmUsbDevice *device, VmmUsbTransfer *transfer)
{
  Gadget *self = (Gadget *) device;

  g_assert_true (self->held == transfer);
  self->held = NULL;
  self->n_cancelled++;
}

static void
gadget_reset (VmmUsbDevice *device)
{
  ((Gadget *) device)->n_resets++;
}

const VmmUsbDeviceClass xhci_test_gadget_class = {
  .name = "gadget",
  .instance_size = sizeof (Gadget),
  .speed = VMM_USB_SUPER_SPEED,
  .version = 1,
  .fields = gadget_fields,
  .reset = gadget_reset,
  .submit = gadget_submit,
  .cancel = gadget_cancel,
};

VmmDevice *
xhci_test_controller_new (FakeGuest *guest, Gadget **gadget)
{
  VmmXhciConfig config = { 0 };
  VmmDevice *device = vmm_device_new (&vmm_xhci_class.parent, &guest->board, "xhci", &config, NULL);
  VmmUsbDevice *usb = vmm_usb_device_new (&xhci_test_gadget_class, "gadget0", NULL, NULL);

  g_assert_true (vmm_xhci_attach (device, usb, NULL));
  *gadget = (Gadget *) usb;
  return device;
}

void
xhci_test_set_up (XhciTest *f, gconstpointer data)
{
  f->guest = fake_guest_new ();
  f->device = xhci_test_controller_new (f->guest, &f->gadget);
  f->xhci = fake_xhci_new (f->guest, f->device, data == NULL);
  f->data = fake_guest_alloc (f->guest, DATA);
}

void
xhci_test_tear_down (XhciTest *f, gconstpointer data)
{
  fake_xhci_free (f->xhci);
  vmm_device_free (f->device);
  fake_guest_free (f->guest);
}

void
xhci_test_set_up_configured (XhciTest *f, gconstpointer data)
{
  xhci_test_set_up (f, data);
  f->slot = fake_xhci_address (f->xhci, GADGET_PORT);
  g_assert_cmpuint (fake_xhci_configure (f->xhci, f->slot, BULK_OUT, 2), ==, XHCI_SUCCESS);
  g_assert_cmpuint (fake_xhci_configure (f->xhci, f->slot, BULK_IN, 6), ==, XHCI_SUCCESS);
}

guint8 *
xhci_test_bytes (XhciTest *f)
{
  return fake_guest_at (f->guest, f->data, DATA);
}

void
xhci_test_tell_gadget (XhciTest *f, VmmUsbStatus status, gsize length)
{
  vmm_device_lock (f->device);
  f->gadget->status = status;
  f->gadget->length = length;
  for (gsize i = 0; i < sizeof f->gadget->bytes; i++)
    f->gadget->bytes[i] = 0xa0 + i;
  vmm_device_unlock (f->device);
}

guint64
xhci_test_put_normal (XhciTest *f, guint dci, guint64 at, guint32 length, guint32 flags)
{
  return fake_ring_put (f->xhci, &f->xhci->slots[f->slot].rings[dci], at, length,
                        XHCI_NORMAL << XHCI_TRB_TYPE_SHIFT | flags);
}

void
xhci_test_ring (XhciTest *f, guint dci)
{
  fake_xhci_ring_doorbell (f->xhci, f->slot, dci);
}

void
xhci_test_check_event (XhciTest *f, guint64 parameter, XhciCode code, guint32 missing)
{
  XhciTrb event = fake_xhci_wait_event (f->xhci, XHCI_TRANSFER_EVENT);

  g_assert_cmpuint (fake_xhci_code (&event), ==, code);
  g_assert_cmphex (event.parameter, ==, parameter);
  g_assert_cmpuint (event.status & 0xffffff, ==, missing);
}

void
xhci_test_check_alive (XhciTest *f)
{
  guint64 at;

  xhci_test_tell_gadget (f, VMM_USB_OK, 8);
  at = xhci_test_put_normal (f, BULK_IN, f->data, 8, XHCI_TRB_IOC);
  xhci_test_ring (f, BULK_IN);
  xhci_test_check_event (f, at, XHCI_SUCCESS, 0);
  g_assert_cmphex (xhci_test_bytes (f)[7], ==, 0xa7);
}

static void
answer (gpointer data)
{
  XhciTest *f = data;
  VmmUsbTransfer *held;

  vmm_device_lock (f->device);
  held = g_steal_pointer (&f->gadget->held);
  move (f->gadget, held);
  held->done (held, VMM_USB_OK);
  vmm_device_unlock (f->device);
}

void
xhci_test_answer (XhciTest *f)
{
  vmm_loop_call (f->guest->loop, answer, f);
}

void
xhci_test_submit_and_hold (XhciTest *f, guint64 *at)
{
  gboolean held;

  xhci_test_tell_gadget (f, VMM_USB_LATER, 16);
  *at = xhci_test_put_normal (f, BULK_IN, f->data, 16, XHCI_TRB_IOC);
  xhci_test_ring (f, BULK_IN);
  do {
    fake_guest_settle (f->guest);
    vmm_device_lock (f->device);
    held = f->gadget->held != NULL;
    vmm_device_unlock (f->device);
  } while (!held);
}

void
xhci_test_add (const XhciTestCase *cases, guint n)
{
  for (guint i = 0; i < n; i++)
    g_test_add (cases[i].name, XhciTest, NULL,
                cases[i].configured ? xhci_test_set_up_configured : xhci_test_set_up, cases[i].run,
                xhci_test_tear_down);
}
