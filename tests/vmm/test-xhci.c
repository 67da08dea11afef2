/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The xHCI controller: registers, ports, commands and rings, with a device of this test on it that
 * does as it is told; and drivers that break the rules. (Keyboard and tablet are in
 * test-usb-hid.c.)
 */
#include <string.h>

#include "fake-xhci.h"

#define DATA    65536
#define NOWHERE G_GUINT64_CONSTANT (0x40000000) /* no memory of the fake guest */

#define BULK_OUT 2 /* device context indices of endpoint 1 */
#define BULK_IN  3

/* A device that answers with what the test has put into it. */
typedef struct {
  VmmUsbDevice parent;
  VmmUsbStatus status;  /* of the next transfers */
  guint8 bytes[256];    /* what it sends, and what it got */
  gsize length;         /* of them */
  VmmUsbTransfer *held; /* after VMM_USB_LATER */
  guint32 n_resets, n_cancelled, n_submitted;
} Gadget;

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

static const VmmUsbDeviceClass gadget_class = {
  .name = "gadget",
  .instance_size = sizeof (Gadget),
  .speed = VMM_USB_SUPER_SPEED,
  .version = 1,
  .fields = gadget_fields,
  .reset = gadget_reset,
  .submit = gadget_submit,
  .cancel = gadget_cancel,
};

#define GADGET_PORT 5 /* the first of USB 3 */

typedef struct {
  FakeGuest *guest;
  VmmDevice *device;
  Gadget *gadget;
  FakeXhci *xhci;
  guint64 data; /* in guest memory */
  guint slot;
} Fixture;

static VmmDevice *
controller_new (FakeGuest *guest, Gadget **gadget)
{
  VmmXhciConfig config = { 0 };
  VmmDevice *device = vmm_device_new (&vmm_xhci_class.parent, &guest->board, "xhci", &config, NULL);
  VmmUsbDevice *usb = vmm_usb_device_new (&gadget_class, "gadget0", NULL, NULL);

  g_assert_true (vmm_xhci_attach (device, usb, NULL));
  *gadget = (Gadget *) usb;
  return device;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->guest = fake_guest_new ();
  f->device = controller_new (f->guest, &f->gadget);
  f->xhci = fake_xhci_new (f->guest, f->device, data == NULL);
  f->data = fake_guest_alloc (f->guest, DATA);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_xhci_free (f->xhci);
  vmm_device_free (f->device);
  fake_guest_free (f->guest);
}

/* With the bulk endpoints ready. */
static void
set_up_configured (Fixture *f, gconstpointer data)
{
  set_up (f, data);
  f->slot = fake_xhci_address (f->xhci, GADGET_PORT);
  g_assert_cmpuint (fake_xhci_configure (f->xhci, f->slot, BULK_OUT, 2), ==, XHCI_SUCCESS);
  g_assert_cmpuint (fake_xhci_configure (f->xhci, f->slot, BULK_IN, 6), ==, XHCI_SUCCESS);
}

static guint8 *
bytes (Fixture *f)
{
  return fake_guest_at (f->guest, f->data, DATA);
}

/* What the gadget does is set while the loop is not in it. */
static void
tell_gadget (Fixture *f, VmmUsbStatus status, gsize length)
{
  vmm_device_lock (f->device);
  f->gadget->status = status;
  f->gadget->length = length;
  for (gsize i = 0; i < sizeof f->gadget->bytes; i++)
    f->gadget->bytes[i] = 0xa0 + i;
  vmm_device_unlock (f->device);
}

static guint64
put_normal (Fixture *f, guint dci, guint64 at, guint32 length, guint32 flags)
{
  return fake_ring_put (f->xhci, &f->xhci->slots[f->slot].rings[dci], at, length,
                        XHCI_NORMAL << XHCI_TRB_TYPE_SHIFT | flags);
}

static void
ring (Fixture *f, guint dci)
{
  fake_xhci_ring_doorbell (f->xhci, f->slot, dci);
}

static void
check_event (Fixture *f, guint64 parameter, XhciCode code, guint32 missing)
{
  XhciTrb event = fake_xhci_wait_event (f->xhci, XHCI_TRANSFER_EVENT);

  g_assert_cmpuint (fake_xhci_code (&event), ==, code);
  g_assert_cmphex (event.parameter, ==, parameter);
  g_assert_cmpuint (event.status & 0xffffff, ==, missing);
}

/* The bulk endpoint still works. */
static void
check_alive (Fixture *f)
{
  guint64 at;

  tell_gadget (f, VMM_USB_OK, 8);
  at = put_normal (f, BULK_IN, f->data, 8, XHCI_TRB_IOC);
  ring (f, BULK_IN);
  check_event (f, at, XHCI_SUCCESS, 0);
  g_assert_cmphex (bytes (f)[7], ==, 0xa7);
}

static void
test_registers (Fixture *f, gconstpointer data)
{
  FakeXhci *x = f->xhci;
  VmmBus *mmio = f->guest->mmio;

  g_assert_cmphex (fake_guest_read_config (f->guest, x->slot, 8, 4), ==, 0x0c033001);
  g_assert_cmphex (fake_guest_read_config (f->guest, x->slot, 0x60, 2), ==, 0x2030);
  g_assert_cmphex (fake_xhci_read (x, X_CAPLENGTH), ==, 0x01100040);
  g_assert_cmphex (vmm_bus_read (mmio, x->bar, 1), ==, 0x40);
  g_assert_cmphex (vmm_bus_read (mmio, x->bar + 2, 2), ==, 0x0110);
  g_assert_cmphex (vmm_bus_read (mmio, x->bar, 8), ==, G_GUINT64_CONSTANT (0x0800011001100040));
  g_assert_cmphex (fake_xhci_read (x, X_HCSPARAMS1), ==, 0x08000110);
  g_assert_cmphex (fake_xhci_read (x, X_DBOFF), ==, X_DOORBELL);
  g_assert_cmphex (fake_xhci_read (x, X_RTSOFF), ==, X_MFINDEX);
  g_assert_cmphex ((fake_xhci_read (x, X_HCCPARAMS1) >> 16) * 4, ==, X_EXTENDED);
  g_assert_cmphex (fake_xhci_read (x, X_EXTENDED), ==, 0x02000402);
  g_assert_cmphex (fake_xhci_read (x, X_EXTENDED + 8), ==, 0x00000401);
  g_assert_cmphex (fake_xhci_read (x, X_EXTENDED + 16), ==, 0x03000002);
  g_assert_cmphex (fake_xhci_read (x, 0x48), ==, 1);
  g_assert_cmphex (fake_xhci_read (x, X_CRCR), ==, 0);
  /* Half registers are not written, and what is read-only stays. */
  vmm_bus_write (mmio, x->bar + X_CONFIG, 1, 9);
  g_assert_cmphex (fake_xhci_read (x, X_CONFIG), ==, FAKE_XHCI_SLOTS);
  for (guint offset = 0; offset < 0x40; offset += 4)
    fake_xhci_write (x, offset, G_MAXUINT32);
  g_assert_cmphex (fake_xhci_read (x, X_CAPLENGTH), ==, 0x01100040);
  g_assert_cmphex (fake_xhci_read (x, 0xff0), ==, 0);
  fake_xhci_write (x, X_USBCMD, 0);
  g_assert_cmphex (fake_xhci_read (x, X_USBSTS) & 1, ==, 1);
  g_assert_cmphex (fake_xhci_read (x, X_MFINDEX), ==, 0);
}

static void
test_commands (Fixture *f, gconstpointer data)
{
  guint slot, last = 0;

  for (guint i = 0; i < 100; i++) /* three times round the ring */
    g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_NO_OP_COMMAND, 0, 0, 0, NULL), ==,
                      XHCI_SUCCESS);
  g_assert_cmphex (fake_xhci_read (f->xhci, X_CRCR), ==, 8);
  for (guint i = 0; i < FAKE_XHCI_SLOTS; i++, last = slot) {
    g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_ENABLE_SLOT, 0, 0, 0, &slot), ==,
                      XHCI_SUCCESS);
    g_assert_cmpuint (slot, ==, last + 1);
  }
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_ENABLE_SLOT, 0, 0, 0, &slot), ==,
                    XHCI_NO_SLOTS_AVAILABLE);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_DISABLE_SLOT, 0, 0, 2u << 24, &slot), ==,
                    XHCI_SUCCESS);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_DISABLE_SLOT, 0, 0, 2u << 24, &slot), ==,
                    XHCI_SLOT_NOT_ENABLED);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_ENABLE_SLOT, 0, 0, 0, &slot), ==,
                    XHCI_SUCCESS);
  g_assert_cmpuint (slot, ==, 2);
  /* What there is none of, on slots that there are none of. */
  for (guint type = 0; type < 64; type++) {
    guint code;

    if (type == XHCI_LINK || type == XHCI_ENABLE_SLOT)
      continue;
    code = fake_xhci_command (f->xhci, type, 0, 0, 200u << 24 | 1 << 16, NULL);
    g_assert_cmpuint (code, ==,
                      type == XHCI_NO_OP_COMMAND ? XHCI_SUCCESS
                      : type >= XHCI_DISABLE_SLOT && type <= XHCI_RESET_DEVICE
                        ? XHCI_SLOT_NOT_ENABLED
                        : XHCI_TRB_ERROR);
  }
}

/* The driver stops the command ring and lets it go on. */
static void
test_command_stop (Fixture *f, gconstpointer data)
{
  XhciTrb event;

  fake_xhci_command (f->xhci, XHCI_NO_OP_COMMAND, 0, 0, 0, NULL);
  fake_xhci_write (f->xhci, X_CRCR, 2);
  event = fake_xhci_wait_event (f->xhci, XHCI_COMMAND_COMPLETION);
  g_assert_cmpuint (fake_xhci_code (&event), ==, XHCI_COMMAND_RING_STOPPED);
  g_assert_cmphex (event.parameter, ==, f->xhci->commands.base + XHCI_TRB_SIZE);
  g_assert_cmphex (fake_xhci_read (f->xhci, X_CRCR), ==, 0);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_NO_OP_COMMAND, 0, 0, 0, NULL), ==,
                    XHCI_SUCCESS);
}

static void
check_port_event (Fixture *f, guint port)
{
  XhciTrb event = fake_xhci_wait_event (f->xhci, XHCI_PORT_STATUS_CHANGE);

  g_assert_cmpuint (event.parameter >> 24, ==, port);
}

static void
test_ports (Fixture *f, gconstpointer data)
{
  VmmUsbDevice *more[5] = { NULL };
  g_autoptr (GError) error = NULL;

  /* There is what is there: connected, enabled, in U0, at super speed, and a change. */
  g_assert_cmphex (fake_xhci_port (f->xhci, GADGET_PORT), ==, 0x00021203);
  g_assert_cmphex (fake_xhci_port (f->xhci, 1), ==, 0x000002a0);
  fake_xhci_write_port (f->xhci, GADGET_PORT, 0x00fe0000);
  g_assert_cmphex (fake_xhci_port (f->xhci, GADGET_PORT), ==, 0x00001203);
  /* Resets, the warm one too. */
  fake_xhci_write_port (f->xhci, GADGET_PORT, 0x10);
  g_assert_cmphex (fake_xhci_port (f->xhci, GADGET_PORT), ==, 0x00201203);
  check_port_event (f, GADGET_PORT);
  fake_xhci_write_port (f->xhci, GADGET_PORT, 0x80000000);
  g_assert_cmphex (fake_xhci_port (f->xhci, GADGET_PORT), ==, 0x00281203);
  fake_xhci_no_event (f->xhci); /* the first change has not been cleared */
  fake_xhci_write_port (f->xhci, GADGET_PORT, 0x00fe0000);
  /* Asleep and awake. */
  fake_xhci_write_port (f->xhci, GADGET_PORT, 0x00010060);
  g_assert_cmphex (fake_xhci_port (f->xhci, GADGET_PORT), ==, 0x00001263);
  vmm_device_lock (f->device);
  vmm_usb_device_wake (&f->gadget->parent);
  vmm_device_unlock (f->device);
  g_assert_cmphex (fake_xhci_port (f->xhci, GADGET_PORT), ==, 0x004013e3);
  check_port_event (f, GADGET_PORT);
  fake_xhci_write_port (f->xhci, GADGET_PORT, 0x00410000);
  g_assert_cmphex (fake_xhci_port (f->xhci, GADGET_PORT), ==, 0x00401203);
  check_port_event (f, GADGET_PORT);
  fake_xhci_write_port (f->xhci, GADGET_PORT, 0x00400002); /* disabled */
  g_assert_cmphex (fake_xhci_port (f->xhci, GADGET_PORT), ==, 0x00001201);
  /* As many as there are ports. */
  for (guint i = 0; i < 3; i++) {
    more[i] = vmm_usb_device_new (&gadget_class, i == 2 ? "last" : "more", NULL, NULL);
    g_assert_true (vmm_xhci_attach (f->device, more[i], NULL));
    check_port_event (f, GADGET_PORT + 1 + i);
  }
  more[3] = vmm_usb_device_new (&gadget_class, "none", NULL, NULL);
  g_assert_false (vmm_xhci_attach (f->device, more[3], &error));
  g_assert_nonnull (strstr (error->message, "none"));
  vmm_usb_device_free (more[3]);
  g_assert_false (vmm_xhci_detach (f->device, "none"));
  g_assert_cmphex (fake_xhci_port (f->xhci, 8) & 1, ==, 1);
  fake_xhci_write_port (f->xhci, 8, 0x00fe0000);
  g_assert_true (vmm_xhci_detach (f->device, "last"));
  check_port_event (f, 8);
  g_assert_cmphex (fake_xhci_port (f->xhci, 8), ==, 0x000202a0);
  fake_xhci_write_port (f->xhci, 8, 0x10); /* nobody is there to be reset */
  g_assert_cmphex (fake_xhci_port (f->xhci, 8), ==, 0x000202a0);
}

static void
test_address (Fixture *f, gconstpointer data)
{
  guint slot = fake_xhci_address (f->xhci, GADGET_PORT);
  guint64 input = f->xhci->slots[slot].input;
  guint32 *context = fake_xhci_input (f->xhci, slot, 0);
  guint32 flags = slot << 24;

  g_assert_cmphex (fake_xhci_output (f->xhci, slot, 1)[0] & 7, ==, 1);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_ADDRESS_DEVICE, input, 0, flags, NULL), ==,
                    XHCI_CONTEXT_STATE_ERROR);
  /* Anew: without SET_ADDRESS first, then with it. */
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_RESET_DEVICE, 0, 0, flags, NULL), ==,
                    XHCI_SUCCESS);
  g_assert_cmphex (fake_xhci_output (f->xhci, slot, 0)[3], ==, 1u << 27);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_RESET_DEVICE, 0, 0, flags, NULL), ==,
                    XHCI_CONTEXT_STATE_ERROR);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_CONFIGURE_ENDPOINT, input, 0, flags, NULL), ==,
                    XHCI_CONTEXT_STATE_ERROR);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_ADDRESS_DEVICE, input, 0, flags, NULL), ==,
                    XHCI_SUCCESS);
  fake_xhci_command (f->xhci, XHCI_DISABLE_SLOT, 0, 0, flags, NULL);
  fake_xhci_command (f->xhci, XHCI_ENABLE_SLOT, 0, 0, 0, &slot);
  g_assert_cmpuint (
    fake_xhci_command (f->xhci, XHCI_ADDRESS_DEVICE, input, 0, flags | XHCI_TRB_BSR, NULL), ==,
    XHCI_SUCCESS);
  g_assert_cmphex (fake_xhci_output (f->xhci, slot, 0)[3], ==, 1u << 27);
  /* Input contexts that are wrong in each way. */
  fake_xhci_command (f->xhci, XHCI_DISABLE_SLOT, 0, 0, flags, NULL);
  fake_xhci_command (f->xhci, XHCI_ENABLE_SLOT, 0, 0, 0, &slot);
  for (guint i = 0; i < 8; i++) {
    static const struct {
      guint word;
      guint32 value;
      XhciCode code;
    } wrong[] = {
      { 0, 1, XHCI_PARAMETER_ERROR },
      { 1, 1, XHCI_PARAMETER_ERROR },
      { 1, 7, XHCI_PARAMETER_ERROR },
      { 8, 5, XHCI_PARAMETER_ERROR },
      { 9, 0, XHCI_PARAMETER_ERROR },
      { 9, 9 << 16, XHCI_PARAMETER_ERROR },
      { 9, 1 << 16, XHCI_USB_TRANSACTION_ERROR },
      { 17, 2 << 3, XHCI_PARAMETER_ERROR },
    };
    guint32 before = context[wrong[i].word];

    context[wrong[i].word] = wrong[i].value;
    g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_ADDRESS_DEVICE, input, 0, flags, NULL), ==,
                      wrong[i].code);
    context[wrong[i].word] = before;
  }
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_ADDRESS_DEVICE, NOWHERE, 0, flags, NULL), ==,
                    XHCI_PARAMETER_ERROR);
  *(guint64 *) fake_guest_at (f->guest, f->xhci->dcbaa + 8 * slot, 8) = NOWHERE;
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_ADDRESS_DEVICE, input, 0, flags, NULL), ==,
                    XHCI_PARAMETER_ERROR);
  fake_xhci_write64 (f->xhci, X_DCBAAP, NOWHERE);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_ADDRESS_DEVICE, input, 0, flags, NULL), ==,
                    XHCI_PARAMETER_ERROR);
}

static void
test_configure (Fixture *f, gconstpointer data)
{
  guint slot = f->slot;
  guint64 input = f->xhci->slots[slot].input;
  guint32 *context = fake_xhci_input (f->xhci, slot, 0);
  guint32 flags = slot << 24;

  g_assert_cmphex (fake_xhci_output (f->xhci, slot, 0)[3], ==, 3u << 27 | slot);
  g_assert_cmphex (fake_xhci_output (f->xhci, slot, 0)[0] >> 27, ==, BULK_IN);
  g_assert_cmphex (fake_xhci_output (f->xhci, slot, BULK_IN)[0] & 7, ==, 1);
  /* Endpoints that are none. */
  g_assert_cmpuint (fake_xhci_configure (f->xhci, slot, 4, 0), ==, XHCI_PARAMETER_ERROR);
  g_assert_cmpuint (fake_xhci_configure (f->xhci, slot, 4, 6), ==, XHCI_PARAMETER_ERROR);
  g_assert_cmpuint (fake_xhci_configure (f->xhci, slot, 5, 2), ==, XHCI_PARAMETER_ERROR);
  context[1] = 2;
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_CONFIGURE_ENDPOINT, input, 0, flags, NULL), ==,
                    XHCI_PARAMETER_ERROR);
  context[0] = 2;
  context[1] = 1;
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_CONFIGURE_ENDPOINT, input, 0, flags, NULL), ==,
                    XHCI_PARAMETER_ERROR);
  /* One goes, then all do. */
  context[0] = 1u << BULK_OUT;
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_CONFIGURE_ENDPOINT, input, 0, flags, NULL), ==,
                    XHCI_SUCCESS);
  g_assert_cmphex (fake_xhci_output (f->xhci, slot, BULK_OUT)[0] & 7, ==, 0);
  g_assert_cmpuint (fake_xhci_endpoint_command (f->xhci, XHCI_STOP_ENDPOINT, slot, BULK_OUT), ==,
                    XHCI_ENDPOINT_NOT_ENABLED);
  g_assert_cmpuint (fake_xhci_endpoint_command (f->xhci, XHCI_STOP_ENDPOINT, slot, 0), ==,
                    XHCI_TRB_ERROR);
  check_alive (f);
  g_assert_cmpuint (
    fake_xhci_command (f->xhci, XHCI_CONFIGURE_ENDPOINT, 0, 0, flags | XHCI_TRB_BSR, NULL), ==,
    XHCI_SUCCESS);
  g_assert_cmphex (fake_xhci_output (f->xhci, slot, 0)[3], ==, 2u << 27 | slot);
  g_assert_cmphex (fake_xhci_output (f->xhci, slot, BULK_IN)[0] & 7, ==, 0);
  /* What may change meanwhile. */
  context[0] = 0;
  context[1] = 3;
  context[17] = 512 << 16;
  context[9] = 0x1234;
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_EVALUATE_CONTEXT, input, 0, flags, NULL), ==,
                    XHCI_SUCCESS);
  g_assert_cmphex (fake_xhci_output (f->xhci, slot, 1)[1] >> 16, ==, 512);
  g_assert_cmphex (fake_xhci_output (f->xhci, slot, 0)[1] & 0xffff, ==, 0x1234);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_EVALUATE_CONTEXT, NOWHERE, 0, flags, NULL), ==,
                    XHCI_PARAMETER_ERROR);
}

static void
test_bulk (Fixture *f, gconstpointer data)
{
  guint64 last;

  tell_gadget (f, VMM_USB_OK, 0);
  memcpy (bytes (f), "0123456789", 10);
  put_normal (f, BULK_OUT, f->data, 4, XHCI_TRB_CHAIN);
  put_normal (f, BULK_OUT, f->data + 4, 0, XHCI_TRB_CHAIN);
  last = put_normal (f, BULK_OUT, f->data + 4, 6, XHCI_TRB_IOC);
  ring (f, BULK_OUT);
  check_event (f, last, XHCI_SUCCESS, 0);
  g_assert_cmpmem (f->gadget->bytes, f->gadget->length, "0123456789", 10);
  /* Out of the block itself. */
  last = put_normal (f, BULK_OUT, 0x4847464544434241, 5, XHCI_TRB_IOC | XHCI_TRB_IDT);
  ring (f, BULK_OUT);
  check_event (f, last, XHCI_SUCCESS, 0);
  g_assert_cmpmem (f->gadget->bytes, f->gadget->length, "ABCDE", 5);
  /* Less than there was room for: told of where it ended, once. */
  tell_gadget (f, VMM_USB_OK, 100);
  put_normal (f, BULK_IN, f->data, 64, XHCI_TRB_CHAIN | XHCI_TRB_ISP);
  last = put_normal (f, BULK_IN, f->data + 1000, 64, XHCI_TRB_CHAIN | XHCI_TRB_ISP);
  put_normal (f, BULK_IN, f->data + 2000, 64, XHCI_TRB_IOC);
  ring (f, BULK_IN);
  check_event (f, last, XHCI_SHORT_PACKET, 28);
  g_assert_cmphex (bytes (f)[1035], ==, (guint8) (0xa0 + 99));
  /* Nobody wants to hear: then nobody does. */
  put_normal (f, BULK_IN, f->data, 64, 0);
  last = put_normal (f, BULK_IN, f->data, 64, XHCI_TRB_IOC);
  ring (f, BULK_IN);
  check_event (f, last, XHCI_SUCCESS, 0);
  fake_xhci_no_event (f->xhci);
}

static void
test_event_data (Fixture *f, gconstpointer data)
{
  XhciTrb event;

  tell_gadget (f, VMM_USB_OK, 100);
  put_normal (f, BULK_IN, f->data, 64, XHCI_TRB_CHAIN);
  put_normal (f, BULK_IN, f->data + 64, 64, XHCI_TRB_CHAIN);
  fake_ring_put (f->xhci, &f->xhci->slots[f->slot].rings[BULK_IN],
                 G_GUINT64_CONSTANT (0x1122334455667788), 0,
                 XHCI_EVENT_DATA << XHCI_TRB_TYPE_SHIFT | XHCI_TRB_IOC);
  ring (f, BULK_IN);
  event = fake_xhci_wait_event (f->xhci, XHCI_TRANSFER_EVENT);
  g_assert_cmphex (event.parameter, ==, G_GUINT64_CONSTANT (0x1122334455667788));
  g_assert_cmphex (event.control & XHCI_TRB_EVENT_DATA, ==, XHCI_TRB_EVENT_DATA);
  g_assert_cmpuint (event.status & 0xffffff, ==, 100);
  g_assert_cmpuint (fake_xhci_code (&event), ==, XHCI_SHORT_PACKET);
  check_alive (f);
}

static void
test_control (Fixture *f, gconstpointer data)
{
  guint32 missing;

  tell_gadget (f, VMM_USB_OK, 18);
  g_assert_cmpuint (fake_xhci_control (f->xhci, f->slot, 0x80, 6, 0x100, 0, f->data, 64, &missing),
                    ==, XHCI_SUCCESS);
  g_assert_cmpuint (missing, ==, 46);
  g_assert_cmphex (bytes (f)[17], ==, 0xa0 + 17);
  bytes (f)[0] = 0x77;
  g_assert_cmpuint (fake_xhci_control (f->xhci, f->slot, 0x21, 9, 0x200, 0, f->data, 1, NULL), ==,
                    XHCI_SUCCESS);
  g_assert_cmpuint (f->gadget->length, ==, 1);
  g_assert_cmphex (f->gadget->bytes[0], ==, 0x77);
  g_assert_cmpuint (fake_xhci_control (f->xhci, f->slot, 0, 9, 1, 0, 0, 0, NULL), ==, XHCI_SUCCESS);
}

/* An endpoint that stalled stands until it is reset and its ring is set anew. */
static void
test_stall (Fixture *f, gconstpointer data)
{
  FakeRing *r = &f->xhci->slots[f->slot].rings[1];

  tell_gadget (f, VMM_USB_STALL, 0);
  g_assert_cmpuint (fake_xhci_control (f->xhci, f->slot, 0x80, 6, 0x900, 0, f->data, 64, NULL), ==,
                    XHCI_STALL_ERROR);
  g_assert_cmphex (fake_xhci_output (f->xhci, f->slot, 1)[0] & 7, ==, 2);
  tell_gadget (f, VMM_USB_OK, 64);
  ring (f, 1);
  fake_xhci_no_event (f->xhci);
  g_assert_cmpuint (
    fake_xhci_command (f->xhci, XHCI_SET_TR_DEQUEUE, r->base | 1, 0, f->slot << 24 | 1 << 16, NULL),
    ==, XHCI_CONTEXT_STATE_ERROR);
  g_assert_cmpuint (fake_xhci_endpoint_command (f->xhci, XHCI_STOP_ENDPOINT, f->slot, 1), ==,
                    XHCI_CONTEXT_STATE_ERROR);
  g_assert_cmpuint (fake_xhci_endpoint_command (f->xhci, XHCI_RESET_ENDPOINT, f->slot, 1), ==,
                    XHCI_SUCCESS);
  g_assert_cmpuint (fake_xhci_endpoint_command (f->xhci, XHCI_RESET_ENDPOINT, f->slot, 1), ==,
                    XHCI_CONTEXT_STATE_ERROR);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_SET_TR_DEQUEUE, r->base | 1, 1u << 16,
                                       f->slot << 24 | 1 << 16, NULL),
                    ==, XHCI_PARAMETER_ERROR);
  fake_xhci_new_ring (f->xhci, r);
  g_assert_cmpuint (
    fake_xhci_command (f->xhci, XHCI_SET_TR_DEQUEUE, r->base | 1, 0, f->slot << 24 | 1 << 16, NULL),
    ==, XHCI_SUCCESS);
  g_assert_cmpuint (fake_xhci_control (f->xhci, f->slot, 0x80, 6, 0x100, 0, f->data, 64, NULL), ==,
                    XHCI_SUCCESS);
  /* Other ways to fail. */
  tell_gadget (f, VMM_USB_BABBLE, 0);
  put_normal (f, BULK_IN, f->data, 64, 0);
  ring (f, BULK_IN);
  check_event (f, f->xhci->slots[f->slot].rings[BULK_IN].base, XHCI_BABBLE_DETECTED, 64);
  tell_gadget (f, VMM_USB_FAILED, 0);
  put_normal (f, BULK_OUT, f->data, 64, 0);
  ring (f, BULK_OUT);
  check_event (f, f->xhci->slots[f->slot].rings[BULK_OUT].base, XHCI_USB_TRANSACTION_ERROR, 64);
}

static void
answer (gpointer data)
{
  Fixture *f = data;
  VmmUsbTransfer *held;

  vmm_device_lock (f->device);
  held = g_steal_pointer (&f->gadget->held);
  move (f->gadget, held);
  held->done (held, VMM_USB_OK);
  vmm_device_unlock (f->device);
}

static void
submit_and_hold (Fixture *f, guint64 *at)
{
  gboolean held;

  tell_gadget (f, VMM_USB_LATER, 16);
  *at = put_normal (f, BULK_IN, f->data, 16, XHCI_TRB_IOC);
  ring (f, BULK_IN);
  do {
    fake_guest_settle (f->guest);
    vmm_device_lock (f->device);
    held = f->gadget->held != NULL;
    vmm_device_unlock (f->device);
  } while (!held);
}

/* A device that answers in its own time. */
static void
test_later (Fixture *f, gconstpointer data)
{
  guint64 at, next;

  submit_and_hold (f, &at);
  next = put_normal (f, BULK_IN, f->data + 100, 16, XHCI_TRB_IOC);
  ring (f, BULK_IN);
  fake_xhci_no_event (f->xhci);
  g_assert_cmpuint (f->gadget->n_submitted, ==, 1);
  vmm_loop_call (f->guest->loop, answer, f);
  check_event (f, at, XHCI_SUCCESS, 0);
  while (!f->gadget->held)
    fake_guest_settle (f->guest);
  vmm_loop_call (f->guest->loop, answer, f);
  check_event (f, next, XHCI_SUCCESS, 0);
}

/* Whatever takes a transfer back: the device has it no longer when the answer is there. */
static void
test_cancel (Fixture *f, gconstpointer data)
{
  XhciTrb event;
  guint64 at;

  submit_and_hold (f, &at);
  fake_ring_put (f->xhci, &f->xhci->commands, 0, 0,
                 XHCI_STOP_ENDPOINT << XHCI_TRB_TYPE_SHIFT | f->slot << 24 | BULK_IN << 16);
  fake_xhci_ring_doorbell (f->xhci, 0, 0);
  check_event (f, at, XHCI_STOPPED, 16);
  event = fake_xhci_wait_event (f->xhci, XHCI_COMMAND_COMPLETION);
  g_assert_cmpuint (fake_xhci_code (&event), ==, XHCI_SUCCESS);
  g_assert_cmpuint (f->gadget->n_cancelled, ==, 1);
  g_assert_cmphex (fake_xhci_output (f->xhci, f->slot, BULK_IN)[0] & 7, ==, 3);
  g_assert_cmphex (fake_xhci_output (f->xhci, f->slot, BULK_IN)[2], ==, at | 1);
  /* Rung, it goes on where it was. */
  ring (f, BULK_IN);
  while (!f->gadget->held)
    fake_guest_settle (f->guest);
  g_assert_cmphex (fake_xhci_output (f->xhci, f->slot, BULK_IN)[0] & 7, ==, 1);
  vmm_device_drain (f->device);
  g_assert_cmpuint (f->gadget->n_cancelled, ==, 2);
  vmm_device_resume (f->device);
  while (!f->gadget->held)
    fake_guest_settle (f->guest);
  vmm_loop_call (f->guest->loop, answer, f);
  check_event (f, at, XHCI_SUCCESS, 0);

  submit_and_hold (f, &at);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_DISABLE_SLOT, 0, 0, f->slot << 24, NULL), ==,
                    XHCI_SUCCESS);
  g_assert_cmpuint (f->gadget->n_cancelled, ==, 3);
}

static void
test_unplug (Fixture *f, gconstpointer data)
{
  guint64 at;

  submit_and_hold (f, &at);
  g_assert_true (vmm_xhci_detach (f->device, "gadget0"));
  check_port_event (f, GADGET_PORT);
  check_event (f, at, XHCI_USB_TRANSACTION_ERROR, 16);
}

/* A device without anything to say says so later. */
static void
test_nak (Fixture *f, gconstpointer data)
{
  guint64 at;

  tell_gadget (f, VMM_USB_NAK, 8);
  at = put_normal (f, BULK_IN, f->data, 8, XHCI_TRB_IOC);
  ring (f, BULK_IN);
  fake_xhci_no_event (f->xhci);
  tell_gadget (f, VMM_USB_OK, 8);
  fake_xhci_no_event (f->xhci); /* nobody polls */
  vmm_device_lock (f->device);
  vmm_usb_device_ready (&f->gadget->parent, 0x81);
  vmm_device_unlock (f->device);
  check_event (f, at, XHCI_SUCCESS, 0);
}

/* Rings that are no memory, loops, or nonsense. */
static void
test_hostile_rings (Fixture *f, gconstpointer data)
{
  FakeRing *r = &f->xhci->slots[f->slot].rings[BULK_IN];
  guint32 flags = f->slot << 24 | BULK_IN << 16;

  tell_gadget (f, VMM_USB_OK, 8);
  for (guint i = 0; i < 7; i++) {
    guint64 where = r->base;

    fake_xhci_new_ring (f->xhci, r);
    if (i == 0) /* data that is no memory */
      put_normal (f, BULK_IN, NOWHERE, 8, XHCI_TRB_IOC);
    if (i == 1) /* that ends where memory does */
      put_normal (f, BULK_IN, FAKE_MEMORY - 4, 8, XHCI_TRB_IOC);
    if (i == 2) /* too long */
      put_normal (f, BULK_IN, f->data, 0x1ffff, XHCI_TRB_IOC);
    if (i == 3) /* too long for a block */
      put_normal (f, BULK_IN, f->data, 9, XHCI_TRB_IOC | XHCI_TRB_IDT);
    if (i == 4) /* a link to itself */
      fake_ring_put (f->xhci, r, r->base, 0, XHCI_LINK << XHCI_TRB_TYPE_SHIFT);
    if (i == 5) /* a link out of memory */
      fake_ring_put (f->xhci, r, NOWHERE, 0, XHCI_LINK << XHCI_TRB_TYPE_SHIFT);
    if (i == 6) { /* a transfer without end: its ring is all of it */
      for (guint n = 0; n < FAKE_XHCI_RING - 2; n++)
        put_normal (f, BULK_IN, f->data, 1, XHCI_TRB_CHAIN);
      fake_ring_put (f->xhci, r, r->base, 0, XHCI_LINK << XHCI_TRB_TYPE_SHIFT | XHCI_TRB_CHAIN);
    }
    if (i > 0)
      g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_SET_TR_DEQUEUE, where | 1, 0, flags, NULL),
                        ==, XHCI_SUCCESS);
    ring (f, BULK_IN);
    check_event (f, where, XHCI_TRB_ERROR, 0);
    g_assert_cmphex (fake_xhci_output (f->xhci, f->slot, BULK_IN)[0] & 7, ==, 4);
  }
  fake_xhci_new_ring (f->xhci, r);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_SET_TR_DEQUEUE, r->base | 1, 0, flags, NULL),
                    ==, XHCI_SUCCESS);
  check_alive (f);
}

static void
test_hostile_control (Fixture *f, gconstpointer data)
{
  FakeRing *r = &f->xhci->slots[f->slot].rings[1];
  guint32 flags = f->slot << 24 | 1 << 16;

  for (guint i = 0; i < 4; i++) {
    fake_xhci_new_ring (f->xhci, r);
    if (i == 0) /* no setup */
      fake_ring_put (f->xhci, r, 0, 0, XHCI_STATUS_STAGE << XHCI_TRB_TYPE_SHIFT | XHCI_TRB_IOC);
    else
      fake_ring_put (f->xhci, r, 0, i == 1 ? 7 : 8,
                     XHCI_SETUP_STAGE << XHCI_TRB_TYPE_SHIFT | (i == 2 ? 0 : XHCI_TRB_IDT));
    if (i == 3)
      fake_ring_put (f->xhci, r, NOWHERE, 8, XHCI_DATA_STAGE << XHCI_TRB_TYPE_SHIFT);
    if (i > 0)
      fake_ring_put (f->xhci, r, 0, 0, XHCI_STATUS_STAGE << XHCI_TRB_TYPE_SHIFT | XHCI_TRB_IOC);
    if (i > 0)
      fake_xhci_command (f->xhci, XHCI_SET_TR_DEQUEUE, r->base | 1, 0, flags, NULL);
    ring (f, 1);
    check_event (f, r->base, XHCI_TRB_ERROR, 0);
  }
}

/* What the controller cannot go on from. */
static void
check_dead (Fixture *f, guint n)
{
  while (!(fake_xhci_read (f->xhci, X_USBSTS) & 0x1000))
    fake_guest_settle (f->guest);
  g_assert_cmpuint (f->guest->platform.n_broken, ==, n);
  fake_xhci_start (f->xhci);
  g_assert_cmphex (fake_xhci_read (f->xhci, X_USBSTS) & 0x1000, ==, 0);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_NO_OP_COMMAND, 0, 0, 0, NULL), ==,
                    XHCI_SUCCESS);
}

static void
test_death (Fixture *f, gconstpointer data)
{
  guint32 *entry = fake_guest_at (f->guest, f->xhci->erst, 16);

  fake_xhci_write64 (f->xhci, X_CRCR, NOWHERE | 1);
  fake_xhci_ring_doorbell (f->xhci, 0, 0);
  check_dead (f, 1);
  fake_xhci_write64 (f->xhci, X_CRCR, f->xhci->commands.base | 1);
  fake_xhci_start (f->xhci);
  fake_ring_put (f->xhci, &f->xhci->commands, f->xhci->commands.base, 0,
                 XHCI_LINK << XHCI_TRB_TYPE_SHIFT);
  fake_xhci_ring_doorbell (f->xhci, 0, 0);
  check_dead (f, 2);
  for (guint i = 0; i < 3; i++) { /* the event ring */
    fake_xhci_start (f->xhci);
    fake_xhci_write64 (f->xhci, X_ERSTBA, i == 0 ? NOWHERE : f->xhci->erst);
    if (i == 1)
      entry[2] = 15;
    if (i == 2)
      entry[0] = FAKE_MEMORY - 64;
    fake_ring_put (f->xhci, &f->xhci->commands, 0, 0, XHCI_NO_OP_COMMAND << XHCI_TRB_TYPE_SHIFT);
    fake_xhci_ring_doorbell (f->xhci, 0, 0);
    check_dead (f, 3 + i);
  }
}

/* Events that there is no room for come when there is. */
static void
test_full (Fixture *f, gconstpointer data)
{
  XhciTrb event;
  guint n = 0;

  for (guint i = 0; i < 3 * FAKE_XHCI_EVENTS; i++) {
    fake_ring_put (f->xhci, &f->xhci->commands, i, 0, XHCI_NO_OP_COMMAND << XHCI_TRB_TYPE_SHIFT);
    if (i % 8 == 7)
      fake_xhci_ring_doorbell (f->xhci, 0, 0);
    if (i >= FAKE_XHCI_RING - 3)
      break;
  }
  fake_xhci_ring_doorbell (f->xhci, 0, 0);
  fake_guest_settle (f->guest);
  fake_guest_settle (f->guest);
  while (fake_xhci_take_event (f->xhci, &event))
    n++;
  g_assert_cmpuint (n, ==, FAKE_XHCI_EVENTS - 1);
  fake_xhci_done (f->xhci);
  while (n < FAKE_XHCI_RING - 2) {
    fake_guest_settle (f->guest);
    while (fake_xhci_take_event (f->xhci, &event))
      n++;
    fake_xhci_done (f->xhci);
  }
  fake_xhci_no_event (f->xhci);
}

static void
test_interrupt (Fixture *f, gconstpointer data)
{
  XhciTrb event;

  fake_guest_take_message (f->guest, FAKE_XHCI_MSI);
  fake_xhci_command (f->xhci, XHCI_NO_OP_COMMAND, 0, 0, 0, NULL);
  g_assert_cmpuint (fake_guest_take_message (f->guest, FAKE_XHCI_MSI), ==, 1);
  /* One, until the driver has said that it is done with it. */
  for (guint i = 0; i < 3; i++) {
    fake_ring_put (f->xhci, &f->xhci->commands, 0, 0, XHCI_NO_OP_COMMAND << XHCI_TRB_TYPE_SHIFT);
    fake_xhci_ring_doorbell (f->xhci, 0, 0);
    fake_guest_settle (f->guest);
  }
  g_assert_cmpuint (fake_guest_take_message (f->guest, FAKE_XHCI_MSI), ==, 1);
  g_assert_true (fake_xhci_take_event (f->xhci, &event));
  fake_xhci_done (f->xhci); /* two are left */
  g_assert_cmpuint (fake_guest_take_message (f->guest, FAKE_XHCI_MSI), ==, 1);
  fake_xhci_take_event (f->xhci, &event);
  fake_xhci_take_event (f->xhci, &event);
  fake_xhci_done (f->xhci);
  g_assert_cmpuint (fake_guest_take_message (f->guest, FAKE_XHCI_MSI), ==, 0);
  g_assert_cmphex (fake_xhci_read (f->xhci, X_USBSTS) & 8, ==, 8);
  fake_xhci_write (f->xhci, X_USBSTS, 8);
  g_assert_cmphex (fake_xhci_read (f->xhci, X_USBSTS) & 8, ==, 0);
}

static void
test_line (Fixture *f, gconstpointer data)
{
  guint gsi = vmm_pci_slot_gsi (f->xhci->slot);

  g_assert_false (fake_guest_get_line (f->guest, gsi));
  fake_xhci_command (f->xhci, XHCI_NO_OP_COMMAND, 0, 0, 0, NULL);
  g_assert_true (fake_guest_get_line (f->guest, gsi));
  fake_xhci_write (f->xhci, X_IMAN, 3);
  g_assert_false (fake_guest_get_line (f->guest, gsi));
  g_assert_cmphex (fake_xhci_read (f->xhci, X_IMAN), ==, 2);
}

/* Saved with a transfer under way and an endpoint that stands: both go on elsewhere. */
static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  g_autoptr (VmmState) state = vmm_state_new ();
  g_autoptr (GError) error = NULL;
  Gadget *gadget;
  VmmDevice *other = controller_new (guest, &gadget);
  guint64 at;

  submit_and_hold (f, &at);
  fake_guest_check_saved (f->device, other);
  g_assert_true (vmm_device_save (f->device, state, &error));
  vmm_device_resume (f->device);
  vmm_device_drain (f->device);
  fake_guest_copy_memory (guest, f->guest);
  vmm_device_free (f->device);
  fake_guest_free (g_steal_pointer (&f->guest));
  f->guest = f->xhci->guest = guest;
  f->device = f->xhci->device = other;
  f->gadget = gadget;
  tell_gadget (f, VMM_USB_OK, 16);
  vmm_device_resume (other);
  check_event (f, at, XHCI_SUCCESS, 0);
  check_alive (f);
}

static void
test_reset (Fixture *f, gconstpointer data)
{
  guint64 at;
  guint before;

  submit_and_hold (f, &at);
  before = f->gadget->n_resets;
  fake_xhci_start (f->xhci);
  g_assert_cmpuint (f->gadget->n_cancelled, ==, 1);
  g_assert_cmpuint (f->gadget->n_resets, ==, before + 1);
  fake_xhci_no_event (f->xhci);
  g_assert_cmphex (fake_xhci_port (f->xhci, GADGET_PORT), ==, 0x00021203);
  f->slot = fake_xhci_address (f->xhci, GADGET_PORT);
  fake_xhci_configure (f->xhci, f->slot, BULK_IN, 6);
  check_alive (f);
  submit_and_hold (f, &at);
  vmm_device_reset (f->device);
  g_assert_cmpuint (f->gadget->n_cancelled, ==, 2);
}

/* Random blocks in all rings: no harm. */
static void
test_nonsense (Fixture *f, gconstpointer data)
{
  GRand *random = g_rand_new_with_seed (5);
  FakeRing *rings[] = { &f->xhci->commands, &f->xhci->slots[f->slot].rings[1],
                        &f->xhci->slots[f->slot].rings[BULK_IN] };
  XhciTrb event;

  tell_gadget (f, VMM_USB_OK, 16);
  for (guint i = 0; i < 3000; i++) {
    guint which = g_rand_int_range (random, 0, 3);

    fake_ring_put (f->xhci, rings[which],
                   g_rand_boolean (random) ? f->data + g_rand_int_range (random, 0, DATA)
                                           : g_rand_int (random),
                   g_rand_int_range (random, 0, 100),
                   (guint32) g_rand_int_range (random, 0, 30) << XHCI_TRB_TYPE_SHIFT |
                     (g_rand_int (random) & 0x3fe) | f->slot << 24 |
                     (guint32) g_rand_int_range (random, 0, 4) << 16);
    fake_xhci_ring_doorbell (f->xhci, which ? f->slot : 0, which == 2 ? BULK_IN : which);
    fake_guest_settle (f->guest);
    while (fake_xhci_take_event (f->xhci, &event))
      ;
    fake_xhci_done (f->xhci);
  }
  g_rand_free (random);
  fake_xhci_start (f->xhci);
  f->slot = fake_xhci_address (f->xhci, GADGET_PORT);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    gboolean configured;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/xhci/registers", FALSE, test_registers },
    { "/xhci/commands", FALSE, test_commands },
    { "/xhci/commands/stop", FALSE, test_command_stop },
    { "/xhci/ports", FALSE, test_ports },
    { "/xhci/address", FALSE, test_address },
    { "/xhci/configure", TRUE, test_configure },
    { "/xhci/bulk", TRUE, test_bulk },
    { "/xhci/event-data", TRUE, test_event_data },
    { "/xhci/control", TRUE, test_control },
    { "/xhci/stall", TRUE, test_stall },
    { "/xhci/later", TRUE, test_later },
    { "/xhci/cancel", TRUE, test_cancel },
    { "/xhci/unplug", TRUE, test_unplug },
    { "/xhci/nak", TRUE, test_nak },
    { "/xhci/hostile/rings", TRUE, test_hostile_rings },
    { "/xhci/hostile/control", TRUE, test_hostile_control },
    { "/xhci/death", FALSE, test_death },
    { "/xhci/full", FALSE, test_full },
    { "/xhci/interrupt", FALSE, test_interrupt },
    { "/xhci/saved", TRUE, test_saved },
    { "/xhci/reset", TRUE, test_reset },
    { "/xhci/nonsense", TRUE, test_nonsense },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, tests[i].configured ? set_up_configured : set_up,
                tests[i].run, tear_down);
  g_test_add ("/xhci/line", Fixture, GINT_TO_POINTER (1), set_up, test_line, tear_down);
  return g_test_run ();
}
