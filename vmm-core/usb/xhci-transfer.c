/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Transfers: from the blocks of an endpoint's ring to a transfer that a device understands, and
 * back to events (xHCI 1.1, 4.10 and 4.11). The ring's position moves on when a transfer is done,
 * so one that a device has nothing to say to yet, or that is taken back, is simply found again.
 *
 * Threads: loop, with the controller locked.
 */
#include <string.h>

#include "usb/xhci-private.h"

/* Transfers of an endpoint before others on the loop have their turn. */
#define TURN 32

#define SETUP_BYTES    8
#define MAX_IMMEDIATE  8
#define MAX_TRB_LENGTH 0x10000
#define EVENT_LENGTH   0x00ffffffu

struct _XhciTransfer {
  VmmUsbTransfer usb; /* first: completions cast */
  Xhci *xhci;
  XhciSlot *slot;
  guint dci;
  XhciRing next; /* behind it */
  guint n_trbs;
  XhciTrb trbs[XHCI_MAX_TRBS];
  guint8 immediate[MAX_IMMEDIATE]; /* data that lay in a block */
  struct iovec iov[XHCI_MAX_TRBS];
};

/* What became of looking for a transfer. */
typedef enum {
  FOUND,
  NOTHING, /* or not all of it yet */
  BROKEN,
} Outcome;

static XhciTransfer *
take_spare (Xhci *self)
{
  XhciTransfer *transfer = self->spare->len > 0
                             ? g_ptr_array_steal_index_fast (self->spare, self->spare->len - 1)
                             : g_new (XhciTransfer, 1);

  transfer->n_trbs = 0;
  transfer->usb = (VmmUsbTransfer) { .iov = transfer->iov };
  return transfer;
}

static void
give_back (Xhci *self, XhciTransfer *transfer)
{
  g_ptr_array_add (self->spare, transfer);
}

static gboolean
carries_data (const XhciTrb *trb)
{
  guint type = xhci_trb_type (trb);

  return type == XHCI_NORMAL || type == XHCI_DATA_STAGE || type == XHCI_ISOCH;
}

static gboolean
is_last (const XhciTrb *trb, gboolean control)
{
  guint type = xhci_trb_type (trb);

  if (!control)
    return !(trb->control & XHCI_TRB_CHAIN);
  /* All stages are one transfer to a device; an Event Data block may follow the last. */
  return (type == XHCI_STATUS_STAGE || type == XHCI_NO_OP || type == XHCI_EVENT_DATA) &&
         !(trb->control & XHCI_TRB_CHAIN);
}

/* Reads blocks up to the last of the transfer. */
static Outcome
collect (Xhci *self, XhciTransfer *transfer, gboolean control)
{
  gboolean bad;

  do {
    if (transfer->n_trbs == XHCI_MAX_TRBS)
      return BROKEN;
    if (!xhci_ring_next (self, &transfer->next, &transfer->trbs[transfer->n_trbs], &bad))
      return bad ? BROKEN : NOTHING;
    transfer->n_trbs++;
    /* The event of a data stage does not end a control transfer. */
    if (control && xhci_trb_type (&transfer->trbs[transfer->n_trbs - 1]) == XHCI_EVENT_DATA &&
        (transfer->n_trbs < 2 ||
         xhci_trb_type (&transfer->trbs[transfer->n_trbs - 2]) != XHCI_STATUS_STAGE))
      continue;
    if (is_last (&transfer->trbs[transfer->n_trbs - 1], control))
      return FOUND;
  } while (TRUE);
}

static gboolean
append_data (Xhci *self, XhciTransfer *transfer, const XhciTrb *trb)
{
  gsize length = trb->status & XHCI_TRB_LENGTH;
  void *base;

  if (length > MAX_TRB_LENGTH)
    return FALSE;
  if (length == 0)
    return TRUE;
  if (trb->control & XHCI_TRB_IDT) {
    if (length > MAX_IMMEDIATE)
      return FALSE;
    memcpy (transfer->immediate, &trb->parameter, sizeof transfer->immediate);
    base = transfer->immediate;
  } else {
    base = vmm_memory_at (xhci_memory (self), trb->parameter, length);
  }
  if (!base)
    return FALSE;
  transfer->iov[transfer->usb.n_iov++] = (struct iovec) { base, length };
  transfer->usb.length += length;
  return TRUE;
}

static gboolean
read_setup (XhciTransfer *transfer)
{
  const XhciTrb *trb = &transfer->trbs[0];
  guint8 bytes[SETUP_BYTES];
  VmmUsbSetup *setup = &transfer->usb.setup;

  if (xhci_trb_type (trb) != XHCI_SETUP_STAGE || !(trb->control & XHCI_TRB_IDT) ||
      (trb->status & XHCI_TRB_LENGTH) != SETUP_BYTES)
    return FALSE;
  memcpy (bytes, &trb->parameter, sizeof bytes);
  *setup = (VmmUsbSetup) {
    .type = bytes[0],
    .request = bytes[1],
    .value = bytes[2] | bytes[3] << 8,
    .index = bytes[4] | bytes[5] << 8,
    .length = bytes[6] | bytes[7] << 8,
  };
  return TRUE;
}

static VmmUsbTransferType
type_of (const XhciEndpoint *endpoint)
{
  static const VmmUsbTransferType types[] = { VMM_USB_CONTROL, VMM_USB_ISOCHRONOUS, VMM_USB_BULK,
                                              VMM_USB_INTERRUPT };

  return types[endpoint->type & 3];
}

/* What the blocks mean to a device. */
static Outcome
build (Xhci *self, XhciTransfer *transfer, const XhciEndpoint *endpoint)
{
  gboolean control = endpoint->type == XHCI_EP_CONTROL;
  Outcome outcome = collect (self, transfer, control);

  if (outcome != FOUND)
    return outcome;
  transfer->usb.type = type_of (endpoint);
  transfer->usb.endpoint =
    transfer->dci >> 1 | (transfer->dci & 1 && !control ? VMM_USB_TO_HOST : 0);
  if (control && xhci_trb_type (&transfer->trbs[0]) != XHCI_NO_OP && !read_setup (transfer))
    return BROKEN;
  for (guint i = 0; i < transfer->n_trbs; i++)
    if (carries_data (&transfer->trbs[i]) && !append_data (self, transfer, &transfer->trbs[i]))
      return BROKEN;
  if (control && transfer->usb.length > transfer->usb.setup.length)
    transfer->usb.length = transfer->usb.setup.length;
  return FOUND;
}

static void
send_transfer_event (XhciTransfer *transfer,
                     XhciCode code,
                     guint64 parameter,
                     guint32 length,
                     gboolean event_data)
{
  guint slot = transfer->slot - transfer->xhci->slots + 1;

  xhci_send_event (transfer->xhci, XHCI_TRANSFER_EVENT,
                   &(XhciTrb) {
                     .parameter = parameter,
                     .status = (length & EVENT_LENGTH) | (guint32) code << XHCI_TRB_CODE_SHIFT,
                     .control = (guint32) slot << XHCI_TRB_SLOT_SHIFT |
                                transfer->dci << XHCI_TRB_ENDPOINT_SHIFT |
                                (event_data ? XHCI_TRB_EVENT_DATA : 0),
                   });
}

/* Block by block, what the driver wants to hear: of each block with IOC, of the one where the data
 * ended early (once), and of the one where it went wrong, which ends it. */
static void
report (XhciTransfer *transfer, XhciCode code)
{
  gsize left = transfer->usb.moved;
  guint32 since_event = 0; /* EDTLA */
  gboolean told_short = FALSE, is_short = FALSE;

  for (guint i = 0; i < transfer->n_trbs; i++) {
    const XhciTrb *trb = &transfer->trbs[i];
    guint32 length = carries_data (trb) ? trb->status & XHCI_TRB_LENGTH : 0;
    guint32 part = MIN (length, left);
    gboolean ends = part < length;
    gboolean last = i + 1 == transfer->n_trbs || xhci_trb_type (trb) == XHCI_STATUS_STAGE;

    left -= part;
    since_event += part;
    if (code != XHCI_SUCCESS && (ends || last)) {
      send_transfer_event (transfer, code, trb->address, length - part, FALSE);
      return;
    }
    is_short = is_short || ends;
    if (xhci_trb_type (trb) == XHCI_STATUS_STAGE)
      is_short = FALSE;
    if (xhci_trb_type (trb) == XHCI_EVENT_DATA && (trb->control & XHCI_TRB_IOC)) {
      send_transfer_event (transfer, is_short ? XHCI_SHORT_PACKET : XHCI_SUCCESS, trb->parameter,
                           since_event, TRUE);
      since_event = 0;
    } else if (ends && !told_short && (trb->control & (XHCI_TRB_ISP | XHCI_TRB_IOC))) {
      send_transfer_event (transfer, XHCI_SHORT_PACKET, trb->address, length - part, FALSE);
      told_short = TRUE;
    } else if (!(ends && told_short) && !ends && (trb->control & XHCI_TRB_IOC)) {
      send_transfer_event (transfer, XHCI_SUCCESS, trb->address, 0, FALSE);
    }
  }
}

static XhciCode
code_of (VmmUsbStatus status)
{
  switch (status) {
  case VMM_USB_OK:
    return XHCI_SUCCESS;
  case VMM_USB_STALL:
    return XHCI_STALL_ERROR;
  case VMM_USB_BABBLE:
    return XHCI_BABBLE_DETECTED;
  default:
    return XHCI_USB_TRANSACTION_ERROR;
  }
}

/* The transfer is over; the endpoint goes on behind it, or halts at it. */
static void
finish (XhciTransfer *transfer, VmmUsbStatus status)
{
  Xhci *self = transfer->xhci;
  XhciEndpoint *endpoint = &transfer->slot->endpoints[transfer->dci - 1];

  endpoint->transfer = NULL;
  report (transfer, code_of (status));
  if (status == VMM_USB_OK)
    endpoint->ring = transfer->next;
  else if (endpoint->type != XHCI_EP_ISOCH_IN && endpoint->type != XHCI_EP_ISOCH_OUT)
    xhci_endpoint_set_state (self, transfer->slot, transfer->dci, XHCI_EP_HALTED);
  else
    endpoint->ring = transfer->next; /* what has its time does not wait */
  give_back (self, transfer);
}

/* Loop, with the controller locked: a device that said LATER is done. */
static void
transfer_done (VmmUsbTransfer *usb, VmmUsbStatus status)
{
  XhciTransfer *transfer = (XhciTransfer *) usb;
  Xhci *self = transfer->xhci;

  transfer->slot->rung |= 1u << transfer->dci;
  finish (transfer, status);
  vmm_kick_ring (&self->kick);
}

/* The ring is not what it should be: the driver has to set it anew. */
static void
break_endpoint (XhciTransfer *transfer)
{
  guint64 where = transfer->slot->endpoints[transfer->dci - 1].ring.dequeue;

  send_transfer_event (transfer, XHCI_TRB_ERROR, where, 0, FALSE);
  xhci_endpoint_set_state (transfer->xhci, transfer->slot, transfer->dci, XHCI_EP_ERROR);
}

static VmmUsbStatus
submit (XhciTransfer *transfer)
{
  VmmUsbDevice *device = xhci_slot_get_device (transfer->xhci, transfer->slot);

  if (xhci_trb_type (&transfer->trbs[0]) == XHCI_NO_OP)
    return VMM_USB_OK;
  if (!device || !xhci_port_is_enabled (transfer->xhci, transfer->slot->port))
    return VMM_USB_FAILED;
  transfer->usb.done = transfer_done;
  return device->klass->submit (device, &transfer->usb);
}

/* FALSE: there is nothing more to do for now. */
static gboolean
run_one (Xhci *self, XhciSlot *slot, guint dci)
{
  XhciEndpoint *endpoint = &slot->endpoints[dci - 1];
  XhciTransfer *transfer = take_spare (self);
  VmmUsbStatus status;
  Outcome outcome;

  transfer->xhci = self;
  transfer->slot = slot;
  transfer->dci = dci;
  transfer->next = endpoint->ring;
  outcome = build (self, transfer, endpoint);
  if (outcome != FOUND) {
    if (outcome == BROKEN)
      break_endpoint (transfer);
    give_back (self, transfer);
    return FALSE;
  }
  status = submit (transfer);
  if (status == VMM_USB_NAK) {
    give_back (self, transfer);
    return FALSE;
  }
  if (status == VMM_USB_LATER)
    endpoint->transfer = transfer;
  else
    finish (transfer, status);
  return status == VMM_USB_OK;
}

/* TRUE: its turn is over, and there may be more. */
static gboolean
run_endpoint (Xhci *self, XhciSlot *slot, guint dci)
{
  XhciEndpoint *endpoint = &slot->endpoints[dci - 1];

  for (guint i = 0; i < TURN; i++) {
    if (!slot->enabled || endpoint->state != XHCI_EP_RUNNING || endpoint->transfer ||
        !run_one (self, slot, dci))
      return FALSE;
    if (!xhci_has_room (self))
      return TRUE;
  }
  return TRUE;
}

gboolean
xhci_run_transfers (Xhci *self)
{
  gboolean more = FALSE;

  for (guint i = 0; i < XHCI_N_SLOTS; i++) {
    XhciSlot *slot = &self->slots[i];
    guint32 rung = slot->rung;

    while (rung && xhci_is_running (self) && xhci_has_room (self)) {
      guint dci = __builtin_ctz (rung);

      rung &= rung - 1;
      slot->rung &= ~(1u << dci);
      if (run_endpoint (self, slot, dci)) {
        slot->rung |= 1u << dci;
        more = TRUE;
      }
    }
  }
  return more && xhci_has_room (self);
}

void
xhci_cancel_transfer (Xhci *self, XhciSlot *slot, guint dci, gboolean told)
{
  XhciEndpoint *endpoint = &slot->endpoints[dci - 1];
  XhciTransfer *transfer = endpoint->transfer;
  VmmUsbDevice *device = xhci_slot_get_device (self, slot);

  if (!transfer)
    return;
  if (device && device->klass->cancel)
    device->klass->cancel (device, &transfer->usb);
  endpoint->transfer = NULL;
  if (told)
    send_transfer_event (transfer, XHCI_STOPPED, transfer->trbs[0].address,
                         transfer->trbs[0].status & XHCI_TRB_LENGTH, FALSE);
  give_back (self, transfer);
}
