/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The command ring (xHCI 1.1, 4.6): each command is answered by an event.
 *
 * Threads: loop, with the controller locked.
 */
#include "usb/xhci-private.h"

/* Commands before others on the loop have their turn. */
#define TURN 32

#define INPUT_CONTEXT (~G_GUINT64_CONSTANT (0xf))
#define STREAM_SHIFT  16 /* in status */

static guint
slot_of (const XhciTrb *trb)
{
  return trb->control >> XHCI_TRB_SLOT_SHIFT;
}

static guint
endpoint_of (const XhciTrb *trb)
{
  return trb->control >> XHCI_TRB_ENDPOINT_SHIFT & 0x1f;
}

static XhciCode
no_op (Xhci *self, const XhciTrb *trb, guint *slot)
{
  return XHCI_SUCCESS;
}

static XhciCode
enable_slot (Xhci *self, const XhciTrb *trb, guint *slot)
{
  return xhci_slot_enable (self, slot);
}

static XhciCode
disable_slot (Xhci *self, const XhciTrb *trb, guint *slot)
{
  XhciSlot *found = xhci_slot_at (self, *slot);

  if (!found)
    return XHCI_SLOT_NOT_ENABLED;
  xhci_slot_disable (self, found);
  return XHCI_SUCCESS;
}

static XhciCode
address_device (Xhci *self, const XhciTrb *trb, guint *slot)
{
  return xhci_slot_address (self, *slot, trb->parameter & INPUT_CONTEXT,
                            (trb->control & XHCI_TRB_BSR) != 0);
}

static XhciCode
configure_endpoint (Xhci *self, const XhciTrb *trb, guint *slot)
{
  XhciSlot *found = xhci_slot_at (self, *slot);

  if (!found)
    return XHCI_SLOT_NOT_ENABLED;
  return xhci_slot_configure (self, found, trb->parameter & INPUT_CONTEXT,
                              (trb->control & XHCI_TRB_BSR) != 0);
}

static XhciCode
evaluate_context (Xhci *self, const XhciTrb *trb, guint *slot)
{
  XhciSlot *found = xhci_slot_at (self, *slot);

  if (!found)
    return XHCI_SLOT_NOT_ENABLED;
  return xhci_slot_evaluate (self, found, trb->parameter & INPUT_CONTEXT);
}

static XhciCode
reset_device (Xhci *self, const XhciTrb *trb, guint *slot)
{
  XhciSlot *found = xhci_slot_at (self, *slot);

  return found ? xhci_slot_reset (self, found) : XHCI_SLOT_NOT_ENABLED;
}

/* The slot and the endpoint that a command means; XHCI_SUCCESS where both are there. */
static XhciCode
find_endpoint (Xhci *self, const XhciTrb *trb, XhciSlot **slot, guint *dci)
{
  *slot = xhci_slot_at (self, slot_of (trb));
  *dci = endpoint_of (trb);
  if (!*slot)
    return XHCI_SLOT_NOT_ENABLED;
  if (*dci < 1 || *dci > XHCI_N_ENDPOINTS)
    return XHCI_TRB_ERROR;
  if ((*slot)->endpoints[*dci - 1].state == XHCI_EP_DISABLED)
    return XHCI_ENDPOINT_NOT_ENABLED;
  return XHCI_SUCCESS;
}

static XhciCode
reset_endpoint (Xhci *self, const XhciTrb *trb, guint *slot)
{
  XhciSlot *found;
  guint dci;
  XhciCode code = find_endpoint (self, trb, &found, &dci);

  return code == XHCI_SUCCESS ? xhci_endpoint_reset (self, found, dci) : code;
}

static XhciCode
stop_endpoint (Xhci *self, const XhciTrb *trb, guint *slot)
{
  XhciSlot *found;
  guint dci;
  XhciCode code = find_endpoint (self, trb, &found, &dci);

  return code == XHCI_SUCCESS ? xhci_endpoint_stop (self, found, dci) : code;
}

static XhciCode
set_tr_dequeue (Xhci *self, const XhciTrb *trb, guint *slot)
{
  XhciSlot *found;
  guint dci;
  XhciCode code = find_endpoint (self, trb, &found, &dci);

  if (code != XHCI_SUCCESS)
    return code;
  return xhci_endpoint_set_dequeue (self, found, dci, trb->parameter, trb->status >> STREAM_SHIFT);
}

static const struct {
  XhciTrbType type;
  const char *name;
  XhciCode (*execute) (Xhci *self, const XhciTrb *trb, guint *slot);
} commands[] = {
  { XHCI_ENABLE_SLOT, "Enable Slot", enable_slot },
  { XHCI_DISABLE_SLOT, "Disable Slot", disable_slot },
  { XHCI_ADDRESS_DEVICE, "Address Device", address_device },
  { XHCI_CONFIGURE_ENDPOINT, "Configure Endpoint", configure_endpoint },
  { XHCI_EVALUATE_CONTEXT, "Evaluate Context", evaluate_context },
  { XHCI_RESET_ENDPOINT, "Reset Endpoint", reset_endpoint },
  { XHCI_STOP_ENDPOINT, "Stop Endpoint", stop_endpoint },
  { XHCI_SET_TR_DEQUEUE, "Set TR Dequeue Pointer", set_tr_dequeue },
  { XHCI_RESET_DEVICE, "Reset Device", reset_device },
  { XHCI_NO_OP_COMMAND, "No Op", no_op },
};

static void
execute (Xhci *self, const XhciTrb *trb)
{
  XhciCode code = XHCI_TRB_ERROR;
  guint slot = slot_of (trb);

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (commands[i].type == xhci_trb_type (trb))
      code = commands[i].execute (self, trb, &slot);
  xhci_send_event (self, XHCI_COMMAND_COMPLETION,
                   &(XhciTrb) {
                     .parameter = trb->address,
                     .status = (guint32) code << XHCI_TRB_CODE_SHIFT,
                     .control = (guint32) slot << XHCI_TRB_SLOT_SHIFT,
                   });
}

gboolean
xhci_run_commands (Xhci *self)
{
  gboolean bad = FALSE;
  XhciTrb trb;

  for (guint i = 0; i < TURN; i++) {
    if (!self->command_rung || !self->command_running || !xhci_is_running (self) ||
        !xhci_has_room (self))
      return FALSE;
    if (!xhci_ring_next (self, &self->command_ring, &trb, &bad)) {
      self->command_rung = FALSE;
      if (bad)
        xhci_die (self, "The driver's command ring is no memory, or a loop of links.");
      return FALSE;
    }
    execute (self, &trb);
  }
  return TRUE;
}
