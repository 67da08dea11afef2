/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Transfers of the xHCI controller: to a device that does as it is told, at once, later or not at
 * all; and what becomes of them when the controller is saved or reset.
 */
#include <string.h>

#include "xhci-test.h"

static void
test_bulk (XhciTest *f, gconstpointer data)
{
  guint64 last;

  xhci_test_tell_gadget (f, VMM_USB_OK, 0);
  memcpy (xhci_test_bytes (f), "0123456789", 10);
  xhci_test_put_normal (f, BULK_OUT, f->data, 4, XHCI_TRB_CHAIN);
  xhci_test_put_normal (f, BULK_OUT, f->data + 4, 0, XHCI_TRB_CHAIN);
  last = xhci_test_put_normal (f, BULK_OUT, f->data + 4, 6, XHCI_TRB_IOC);
  xhci_test_ring (f, BULK_OUT);
  xhci_test_check_event (f, last, XHCI_SUCCESS, 0);
  g_assert_cmpmem (f->gadget->bytes, f->gadget->length, "0123456789", 10);
  /* Out of the block itself. */
  last = xhci_test_put_normal (f, BULK_OUT, 0x4847464544434241, 5, XHCI_TRB_IOC | XHCI_TRB_IDT);
  xhci_test_ring (f, BULK_OUT);
  xhci_test_check_event (f, last, XHCI_SUCCESS, 0);
  g_assert_cmpmem (f->gadget->bytes, f->gadget->length, "ABCDE", 5);
  /* Less than there was room for: told of where it ended, once. */
  xhci_test_tell_gadget (f, VMM_USB_OK, 100);
  xhci_test_put_normal (f, BULK_IN, f->data, 64, XHCI_TRB_CHAIN | XHCI_TRB_ISP);
  last = xhci_test_put_normal (f, BULK_IN, f->data + 1000, 64, XHCI_TRB_CHAIN | XHCI_TRB_ISP);
  xhci_test_put_normal (f, BULK_IN, f->data + 2000, 64, XHCI_TRB_IOC);
  xhci_test_ring (f, BULK_IN);
  xhci_test_check_event (f, last, XHCI_SHORT_PACKET, 28);
  g_assert_cmphex (xhci_test_bytes (f)[1035], ==, (guint8) (0xa0 + 99));
  /* Nobody wants to hear: then nobody does. */
  xhci_test_put_normal (f, BULK_IN, f->data, 64, 0);
  last = xhci_test_put_normal (f, BULK_IN, f->data, 64, XHCI_TRB_IOC);
  xhci_test_ring (f, BULK_IN);
  xhci_test_check_event (f, last, XHCI_SUCCESS, 0);
  fake_xhci_no_event (f->xhci);
}

static void
test_event_data (XhciTest *f, gconstpointer data)
{
  XhciTrb event;

  xhci_test_tell_gadget (f, VMM_USB_OK, 100);
  xhci_test_put_normal (f, BULK_IN, f->data, 64, XHCI_TRB_CHAIN);
  xhci_test_put_normal (f, BULK_IN, f->data + 64, 64, XHCI_TRB_CHAIN);
  fake_ring_put (f->xhci, &f->xhci->slots[f->slot].rings[BULK_IN],
                 G_GUINT64_CONSTANT (0x1122334455667788), 0,
                 XHCI_EVENT_DATA << XHCI_TRB_TYPE_SHIFT | XHCI_TRB_IOC);
  xhci_test_ring (f, BULK_IN);
  event = fake_xhci_wait_event (f->xhci, XHCI_TRANSFER_EVENT);
  g_assert_cmphex (event.parameter, ==, G_GUINT64_CONSTANT (0x1122334455667788));
  g_assert_cmphex (event.control & XHCI_TRB_EVENT_DATA, ==, XHCI_TRB_EVENT_DATA);
  g_assert_cmpuint (event.status & 0xffffff, ==, 100);
  g_assert_cmpuint (fake_xhci_code (&event), ==, XHCI_SHORT_PACKET);
  xhci_test_check_alive (f);
}

static void
test_control (XhciTest *f, gconstpointer data)
{
  guint32 missing;

  xhci_test_tell_gadget (f, VMM_USB_OK, 18);
  g_assert_cmpuint (fake_xhci_control (f->xhci, f->slot, 0x80, 6, 0x100, 0, f->data, 64, &missing),
                    ==, XHCI_SUCCESS);
  g_assert_cmpuint (missing, ==, 46);
  g_assert_cmphex (xhci_test_bytes (f)[17], ==, 0xa0 + 17);
  xhci_test_bytes (f)[0] = 0x77;
  g_assert_cmpuint (fake_xhci_control (f->xhci, f->slot, 0x21, 9, 0x200, 0, f->data, 1, NULL), ==,
                    XHCI_SUCCESS);
  g_assert_cmpuint (f->gadget->length, ==, 1);
  g_assert_cmphex (f->gadget->bytes[0], ==, 0x77);
  g_assert_cmpuint (fake_xhci_control (f->xhci, f->slot, 0, 9, 1, 0, 0, 0, NULL), ==, XHCI_SUCCESS);
}

/* An endpoint that stalled stands until it is reset and its ring is set anew. */
static void
test_stall (XhciTest *f, gconstpointer data)
{
  FakeRing *r = &f->xhci->slots[f->slot].rings[1];

  xhci_test_tell_gadget (f, VMM_USB_STALL, 0);
  g_assert_cmpuint (fake_xhci_control (f->xhci, f->slot, 0x80, 6, 0x900, 0, f->data, 64, NULL), ==,
                    XHCI_STALL_ERROR);
  g_assert_cmphex (fake_xhci_output (f->xhci, f->slot, 1)[0] & 7, ==, 2);
  xhci_test_tell_gadget (f, VMM_USB_OK, 64);
  xhci_test_ring (f, 1);
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
  xhci_test_tell_gadget (f, VMM_USB_BABBLE, 0);
  xhci_test_put_normal (f, BULK_IN, f->data, 64, 0);
  xhci_test_ring (f, BULK_IN);
  xhci_test_check_event (f, f->xhci->slots[f->slot].rings[BULK_IN].base, XHCI_BABBLE_DETECTED, 64);
  xhci_test_tell_gadget (f, VMM_USB_FAILED, 0);
  xhci_test_put_normal (f, BULK_OUT, f->data, 64, 0);
  xhci_test_ring (f, BULK_OUT);
  xhci_test_check_event (f, f->xhci->slots[f->slot].rings[BULK_OUT].base,
                         XHCI_USB_TRANSACTION_ERROR, 64);
}

/* A device that answers in its own time. */
static void
test_later (XhciTest *f, gconstpointer data)
{
  guint64 at, next;

  xhci_test_submit_and_hold (f, &at);
  next = xhci_test_put_normal (f, BULK_IN, f->data + 100, 16, XHCI_TRB_IOC);
  xhci_test_ring (f, BULK_IN);
  fake_xhci_no_event (f->xhci);
  g_assert_cmpuint (f->gadget->n_submitted, ==, 1);
  xhci_test_answer (f);
  xhci_test_check_event (f, at, XHCI_SUCCESS, 0);
  while (!f->gadget->held)
    fake_guest_settle (f->guest);
  xhci_test_answer (f);
  xhci_test_check_event (f, next, XHCI_SUCCESS, 0);
}

/* Whatever takes a transfer back: the device has it no longer when the answer is there. */
static void
test_cancel (XhciTest *f, gconstpointer data)
{
  XhciTrb event;
  guint64 at;

  xhci_test_submit_and_hold (f, &at);
  fake_ring_put (f->xhci, &f->xhci->commands, 0, 0,
                 XHCI_STOP_ENDPOINT << XHCI_TRB_TYPE_SHIFT | f->slot << 24 | BULK_IN << 16);
  fake_xhci_ring_doorbell (f->xhci, 0, 0);
  xhci_test_check_event (f, at, XHCI_STOPPED, 16);
  event = fake_xhci_wait_event (f->xhci, XHCI_COMMAND_COMPLETION);
  g_assert_cmpuint (fake_xhci_code (&event), ==, XHCI_SUCCESS);
  g_assert_cmpuint (f->gadget->n_cancelled, ==, 1);
  g_assert_cmphex (fake_xhci_output (f->xhci, f->slot, BULK_IN)[0] & 7, ==, 3);
  g_assert_cmphex (fake_xhci_output (f->xhci, f->slot, BULK_IN)[2], ==, at | 1);
  /* Rung, it goes on where it was. */
  xhci_test_ring (f, BULK_IN);
  while (!f->gadget->held)
    fake_guest_settle (f->guest);
  g_assert_cmphex (fake_xhci_output (f->xhci, f->slot, BULK_IN)[0] & 7, ==, 1);
  vmm_device_drain (f->device);
  g_assert_cmpuint (f->gadget->n_cancelled, ==, 2);
  vmm_device_resume (f->device);
  while (!f->gadget->held)
    fake_guest_settle (f->guest);
  xhci_test_answer (f);
  xhci_test_check_event (f, at, XHCI_SUCCESS, 0);

  xhci_test_submit_and_hold (f, &at);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_DISABLE_SLOT, 0, 0, f->slot << 24, NULL), ==,
                    XHCI_SUCCESS);
  g_assert_cmpuint (f->gadget->n_cancelled, ==, 3);
}

/* A device without anything to say says so later. */
static void
test_nak (XhciTest *f, gconstpointer data)
{
  guint64 at;

  xhci_test_tell_gadget (f, VMM_USB_NAK, 8);
  at = xhci_test_put_normal (f, BULK_IN, f->data, 8, XHCI_TRB_IOC);
  xhci_test_ring (f, BULK_IN);
  fake_xhci_no_event (f->xhci);
  xhci_test_tell_gadget (f, VMM_USB_OK, 8);
  fake_xhci_no_event (f->xhci); /* nobody polls */
  vmm_device_lock (f->device);
  vmm_usb_device_ready (&f->gadget->parent, 0x81);
  vmm_device_unlock (f->device);
  xhci_test_check_event (f, at, XHCI_SUCCESS, 0);
}

/* Saved with a transfer under way and an endpoint that stands: both go on elsewhere. */
static void
test_saved (XhciTest *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  g_autoptr (VmmState) state = vmm_state_new ();
  g_autoptr (GError) error = NULL;
  Gadget *gadget;
  VmmDevice *other = xhci_test_controller_new (guest, &gadget);
  guint64 at;

  xhci_test_submit_and_hold (f, &at);
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
  xhci_test_tell_gadget (f, VMM_USB_OK, 16);
  vmm_device_resume (other);
  xhci_test_check_event (f, at, XHCI_SUCCESS, 0);
  xhci_test_check_alive (f);
}

static void
test_reset (XhciTest *f, gconstpointer data)
{
  guint64 at;
  guint before;

  xhci_test_submit_and_hold (f, &at);
  before = f->gadget->n_resets;
  fake_xhci_start (f->xhci);
  g_assert_cmpuint (f->gadget->n_cancelled, ==, 1);
  g_assert_cmpuint (f->gadget->n_resets, ==, before + 1);
  fake_xhci_no_event (f->xhci);
  g_assert_cmphex (fake_xhci_port (f->xhci, GADGET_PORT), ==, 0x00021203);
  f->slot = fake_xhci_address (f->xhci, GADGET_PORT);
  fake_xhci_configure (f->xhci, f->slot, BULK_IN, 6);
  xhci_test_check_alive (f);
  xhci_test_submit_and_hold (f, &at);
  vmm_device_reset (f->device);
  g_assert_cmpuint (f->gadget->n_cancelled, ==, 2);
}

int
main (int argc, char **argv)
{
  static const XhciTestCase tests[] = {
    { "/xhci/bulk", TRUE, test_bulk },       { "/xhci/event-data", TRUE, test_event_data },
    { "/xhci/control", TRUE, test_control }, { "/xhci/stall", TRUE, test_stall },
    { "/xhci/later", TRUE, test_later },     { "/xhci/cancel", TRUE, test_cancel },
    { "/xhci/nak", TRUE, test_nak },         { "/xhci/saved", TRUE, test_saved },
    { "/xhci/reset", TRUE, test_reset },
  };

  g_test_init (&argc, &argv, NULL);
  xhci_test_add (tests, G_N_ELEMENTS (tests));
  return g_test_run ();
}
