/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The xHCI controller as its driver finds it: registers, ports, commands, slots and events.
 * (Transfers are in test-xhci-transfer.c, drivers that break the rules in test-xhci-wrong.c.)
 */
#include "xhci-test.h"

static void
test_registers (XhciTest *f, gconstpointer data)
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
test_commands (XhciTest *f, gconstpointer data)
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
test_command_stop (XhciTest *f, gconstpointer data)
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
check_port_event (XhciTest *f, guint port)
{
  XhciTrb event = fake_xhci_wait_event (f->xhci, XHCI_PORT_STATUS_CHANGE);

  g_assert_cmpuint (event.parameter >> 24, ==, port);
}

static void
test_ports (XhciTest *f, gconstpointer data)
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
    more[i] = vmm_usb_device_new (&xhci_test_gadget_class, i == 2 ? "last" : "more", NULL, NULL);
    g_assert_true (vmm_xhci_attach (f->device, more[i], NULL));
    check_port_event (f, GADGET_PORT + 1 + i);
  }
  more[3] = vmm_usb_device_new (&xhci_test_gadget_class, "none", NULL, NULL);
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
test_unplug (XhciTest *f, gconstpointer data)
{
  guint64 at;

  xhci_test_submit_and_hold (f, &at);
  g_assert_true (vmm_xhci_detach (f->device, "gadget0"));
  check_port_event (f, GADGET_PORT);
  xhci_test_check_event (f, at, XHCI_USB_TRANSACTION_ERROR, 16);
}

static void
test_address (XhciTest *f, gconstpointer data)
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
test_configure (XhciTest *f, gconstpointer data)
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
  xhci_test_check_alive (f);
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

/* Events that there is no room for come when there is. */
static void
test_full (XhciTest *f, gconstpointer data)
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
test_interrupt (XhciTest *f, gconstpointer data)
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
test_line (XhciTest *f, gconstpointer data)
{
  guint gsi = vmm_pci_slot_gsi (f->xhci->slot);

  g_assert_false (fake_guest_get_line (f->guest, gsi));
  fake_xhci_command (f->xhci, XHCI_NO_OP_COMMAND, 0, 0, 0, NULL);
  g_assert_true (fake_guest_get_line (f->guest, gsi));
  fake_xhci_write (f->xhci, X_IMAN, 3);
  g_assert_false (fake_guest_get_line (f->guest, gsi));
  g_assert_cmphex (fake_xhci_read (f->xhci, X_IMAN), ==, 2);
}

int
main (int argc, char **argv)
{
  static const XhciTestCase tests[] = {
    { "/xhci/registers", FALSE, test_registers },
    { "/xhci/commands", FALSE, test_commands },
    { "/xhci/commands/stop", FALSE, test_command_stop },
    { "/xhci/ports", FALSE, test_ports },
    { "/xhci/unplug", TRUE, test_unplug },
    { "/xhci/address", FALSE, test_address },
    { "/xhci/configure", TRUE, test_configure },
    { "/xhci/full", FALSE, test_full },
    { "/xhci/interrupt", FALSE, test_interrupt },
  };

  g_test_init (&argc, &argv, NULL);
  xhci_test_add (tests, G_N_ELEMENTS (tests));
  g_test_add ("/xhci/line", XhciTest, GINT_TO_POINTER (1), xhci_test_set_up, test_line,
              xhci_test_tear_down);
  return g_test_run ();
}
