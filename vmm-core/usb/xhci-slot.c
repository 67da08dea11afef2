/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Device slots, their endpoints, and the contexts in the driver's memory in which both are
 * described (xHCI 1.1, 4.5 and 6.2). What the driver says is taken into our own structs when a
 * command says so; what we change is written where the driver looks for it, and never read back.
 *
 * Threads: with the controller locked.
 */
#include <string.h>

#include "usb/xhci-private.h"

#define CONTEXT_SIZE   32
#define CONTEXT_WORDS  8
#define CONTEXT_ALIGN  G_GUINT64_CONSTANT (0x3f)
#define INPUT_SLOT     1 /* behind the input control context */
#define FIRST_ENDPOINT 2 /* device context index behind the default control endpoint */

#define SLOT_ROUTE       0x000fffffu /* dword 0 */
#define SLOT_ENTRIES     0xf8000000u
#define SLOT_PORT_SHIFT  16 /* dword 1 */
#define SLOT_LATENCY     0x0000ffffu
#define SLOT_INTERRUPTER 0xffc00000u /* dword 2 */
#define SLOT_STATE_SHIFT 27          /* dword 3 */
#define ADD_SLOT         0x1u
#define ADD_CONTROL      0x2u
#define NEVER_DROPPED    0x3u

#define EP_STATE      0x00000007u /* dword 0 */
#define EP_STREAMS    0x00007c00u
#define EP_TYPE_SHIFT 3 /* dword 1 */
#define EP_MAX_PACKET 0xffff0000u
#define EP_DEQUEUE    (~G_GUINT64_CONSTANT (0xf))
#define EP_CYCLE      1

typedef guint32 Context[CONTEXT_WORDS];

static const VmmField xhci_endpoint_fields[] = {
  VMM_FIELD (XhciEndpoint, state, VMM_FIELD_UINT8, "state"),
  VMM_FIELD (XhciEndpoint, type, VMM_FIELD_UINT8, "type"),
  VMM_FIELD_PART (XhciEndpoint, ring, xhci_ring_fields, "ring"),
  VMM_EXEMPT (XhciEndpoint, transfer, "a drained controller has none"),
  VMM_FIELD_LAST,
};

const VmmField xhci_slot_fields[] = {
  VMM_FIELD (XhciSlot, enabled, VMM_FIELD_BOOL, "enabled"),
  VMM_FIELD (XhciSlot, state, VMM_FIELD_UINT8, "state"),
  VMM_FIELD (XhciSlot, port, VMM_FIELD_UINT8, "port"),
  VMM_FIELD (XhciSlot, context, VMM_FIELD_UINT64, "context"),
  VMM_FIELD (XhciSlot, rung, VMM_FIELD_UINT32, "rung"),
  VMM_FIELD_PARTS (XhciSlot, endpoints, xhci_endpoint_fields, "endpoints"),
  VMM_FIELD_LAST,
};

static gboolean
read_context (Xhci *self, guint64 base, guint index, Context context)
{
  guint64 at = base + (guint64) CONTEXT_SIZE * index;

  if (!vmm_memory_read (xhci_memory (self), at, context, CONTEXT_SIZE))
    return FALSE;
  for (guint i = 0; i < CONTEXT_WORDS; i++)
    context[i] = GUINT32_FROM_LE (context[i]);
  return TRUE;
}

static void
write_context (Xhci *self, guint64 base, guint index, const Context context)
{
  Context bytes;

  for (guint i = 0; i < CONTEXT_WORDS; i++)
    bytes[i] = GUINT32_TO_LE (context[i]);
  vmm_memory_write (xhci_memory (self), base + (guint64) CONTEXT_SIZE * index, bytes, sizeof bytes);
}

XhciSlot *
xhci_slot_at (Xhci *self, guint number)
{
  XhciSlot *slot = number >= 1 && number <= XHCI_N_SLOTS ? &self->slots[number - 1] : NULL;

  return slot && slot->enabled ? slot : NULL;
}

static guint
number_of (Xhci *self, const XhciSlot *slot)
{
  return slot - self->slots + 1;
}

VmmUsbDevice *
xhci_slot_get_device (Xhci *self, XhciSlot *slot)
{
  return slot->port ? self->ports[slot->port - 1].device : NULL;
}

void
xhci_endpoint_set_state (Xhci *self, XhciSlot *slot, guint dci, guint8 state)
{
  XhciEndpoint *endpoint = &slot->endpoints[dci - 1];
  guint64 dequeue = endpoint->ring.dequeue | (endpoint->ring.cycle ? EP_CYCLE : 0);
  Context context;

  endpoint->state = state;
  if (!read_context (self, slot->context, dci, context))
    return;
  context[0] = (context[0] & ~EP_STATE) | state;
  context[2] = dequeue;
  context[3] = dequeue >> 32;
  write_context (self, slot->context, dci, context);
}

static void
set_slot_state (Xhci *self, XhciSlot *slot, guint8 state)
{
  guint address = state >= XHCI_SLOT_ADDRESSED ? number_of (self, slot) : 0;
  Context context;

  slot->state = state;
  if (!read_context (self, slot->context, 0, context))
    return;
  context[3] = (guint32) state << SLOT_STATE_SHIFT | address;
  write_context (self, slot->context, 0, context);
}

XhciCode
xhci_slot_enable (Xhci *self, guint *number)
{
  guint n_enabled = MIN (self->config & 0xff, XHCI_N_SLOTS);

  for (guint i = 0; i < n_enabled; i++)
    if (!self->slots[i].enabled) {
      self->slots[i] = (XhciSlot) { .enabled = TRUE };
      *number = i + 1;
      return XHCI_SUCCESS;
    }
  return XHCI_NO_SLOTS_AVAILABLE;
}

void
xhci_slot_disable (Xhci *self, XhciSlot *slot)
{
  for (guint dci = 1; dci <= XHCI_N_ENDPOINTS; dci++)
    xhci_cancel_transfer (self, slot, dci, FALSE);
  memset (slot, 0, sizeof *slot);
}

/* Takes endpoint @dci over from the input context at @input; into the output context too. */
static gboolean
set_up_endpoint (Xhci *self, XhciSlot *slot, guint dci, guint64 input)
{
  XhciEndpoint *endpoint = &slot->endpoints[dci - 1];
  Context context;
  guint type;

  if (!read_context (self, input, INPUT_SLOT + dci, context))
    return FALSE;
  type = context[1] >> EP_TYPE_SHIFT & 7;
  if (type == 0 || (context[0] & EP_STREAMS) ||
      (type != XHCI_EP_CONTROL && ((type & XHCI_EP_IN) != 0) != (dci & 1)) ||
      (dci == XHCI_CONTROL_DCI && type != XHCI_EP_CONTROL))
    return FALSE;
  xhci_cancel_transfer (self, slot, dci, FALSE);
  endpoint->type = type;
  endpoint->ring.dequeue = ((guint64) context[3] << 32 | context[2]) & EP_DEQUEUE;
  endpoint->ring.cycle = context[2] & EP_CYCLE;
  write_context (self, slot->context, dci, context);
  xhci_endpoint_set_state (self, slot, dci, XHCI_EP_RUNNING);
  return TRUE;
}

static void
disable_endpoint (Xhci *self, XhciSlot *slot, guint dci)
{
  if (slot->endpoints[dci - 1].state == XHCI_EP_DISABLED)
    return;
  xhci_cancel_transfer (self, slot, dci, FALSE);
  xhci_endpoint_set_state (self, slot, dci, XHCI_EP_DISABLED);
  slot->rung &= ~(1u << dci);
}

/* Where the driver wants the slot's output context to be. */
static gboolean
find_output_context (Xhci *self, XhciSlot *slot)
{
  guint64 address;

  if (!vmm_memory_read (xhci_memory (self), self->dcbaap + 8 * number_of (self, slot), &address,
                        sizeof address))
    return FALSE;
  slot->context = GUINT64_FROM_LE (address) & ~CONTEXT_ALIGN;
  return vmm_memory_at (xhci_memory (self), slot->context, CONTEXT_SIZE * (1 + XHCI_CONTROL_DCI)) !=
         NULL;
}

XhciCode
xhci_slot_address (Xhci *self, guint number, guint64 input, gboolean block_set_address)
{
  XhciSlot *slot = xhci_slot_at (self, number);
  Context control, context;
  guint port;

  if (!slot)
    return XHCI_SLOT_NOT_ENABLED;
  if (slot->state > XHCI_SLOT_DEFAULT || (slot->state == XHCI_SLOT_DEFAULT && block_set_address))
    return XHCI_CONTEXT_STATE_ERROR;
  if (!read_context (self, input, 0, control) || !read_context (self, input, INPUT_SLOT, context) ||
      control[0] != 0 || control[1] != (ADD_SLOT | ADD_CONTROL) ||
      !find_output_context (self, slot))
    return XHCI_PARAMETER_ERROR;
  port = context[1] >> SLOT_PORT_SHIFT & 0xff;
  if ((context[0] & SLOT_ROUTE) || port < 1 || port > VMM_XHCI_N_PORTS)
    return XHCI_PARAMETER_ERROR;
  if (!xhci_port_is_enabled (self, port))
    return XHCI_USB_TRANSACTION_ERROR;
  slot->port = port;
  write_context (self, slot->context, 0, context);
  if (!set_up_endpoint (self, slot, XHCI_CONTROL_DCI, input))
    return XHCI_PARAMETER_ERROR;
  set_slot_state (self, slot, block_set_address ? XHCI_SLOT_DEFAULT : XHCI_SLOT_ADDRESSED);
  return XHCI_SUCCESS;
}

/* The slot context says how many contexts there are now. */
static void
set_entries (Xhci *self, XhciSlot *slot, guint32 entries)
{
  Context context;

  if (!read_context (self, slot->context, 0, context))
    return;
  context[0] = (context[0] & ~SLOT_ENTRIES) | (entries & SLOT_ENTRIES);
  write_context (self, slot->context, 0, context);
}

static XhciCode
deconfigure (Xhci *self, XhciSlot *slot)
{
  for (guint dci = FIRST_ENDPOINT; dci <= XHCI_N_ENDPOINTS; dci++)
    disable_endpoint (self, slot, dci);
  set_entries (self, slot, 1u << SLOT_STATE_SHIFT);
  set_slot_state (self, slot, XHCI_SLOT_ADDRESSED);
  return XHCI_SUCCESS;
}

XhciCode
xhci_slot_configure (Xhci *self, XhciSlot *slot, guint64 input, gboolean none)
{
  Context control, context;

  if (slot->state < XHCI_SLOT_ADDRESSED)
    return XHCI_CONTEXT_STATE_ERROR;
  if (none)
    return deconfigure (self, slot);
  if (!read_context (self, input, 0, control) || !read_context (self, input, INPUT_SLOT, context) ||
      (control[0] & NEVER_DROPPED) || (control[1] & NEVER_DROPPED) != ADD_SLOT)
    return XHCI_PARAMETER_ERROR;
  for (guint dci = FIRST_ENDPOINT; dci <= XHCI_N_ENDPOINTS; dci++) {
    if (control[0] & 1u << dci)
      disable_endpoint (self, slot, dci);
    if ((control[1] & 1u << dci) && !set_up_endpoint (self, slot, dci, input))
      return XHCI_PARAMETER_ERROR;
  }
  set_entries (self, slot, context[0]);
  set_slot_state (self, slot, XHCI_SLOT_CONFIGURED);
  return XHCI_SUCCESS;
}

/* What of a context may change while it is used: one word's bits. */
static gboolean
take_over (Xhci *self, XhciSlot *slot, guint index, guint64 input, guint word, guint32 mask)
{
  Context from, to;

  if (!read_context (self, input, INPUT_SLOT + index, from) ||
      !read_context (self, slot->context, index, to))
    return FALSE;
  to[word] = (to[word] & ~mask) | (from[word] & mask);
  write_context (self, slot->context, index, to);
  return TRUE;
}

XhciCode
xhci_slot_evaluate (Xhci *self, XhciSlot *slot, guint64 input)
{
  Context control;

  if (slot->state < XHCI_SLOT_DEFAULT)
    return XHCI_CONTEXT_STATE_ERROR;
  if (!read_context (self, input, 0, control) || control[0] != 0)
    return XHCI_PARAMETER_ERROR;
  if ((control[1] & ADD_SLOT) && !(take_over (self, slot, 0, input, 1, SLOT_LATENCY) &&
                                   take_over (self, slot, 0, input, 2, SLOT_INTERRUPTER)))
    return XHCI_PARAMETER_ERROR;
  if ((control[1] & ADD_CONTROL) &&
      !take_over (self, slot, XHCI_CONTROL_DCI, input, 1, EP_MAX_PACKET))
    return XHCI_PARAMETER_ERROR;
  return XHCI_SUCCESS;
}

XhciCode
xhci_slot_reset (Xhci *self, XhciSlot *slot)
{
  VmmUsbDevice *device = xhci_slot_get_device (self, slot);

  if (slot->state < XHCI_SLOT_ADDRESSED)
    return XHCI_CONTEXT_STATE_ERROR;
  for (guint dci = FIRST_ENDPOINT; dci <= XHCI_N_ENDPOINTS; dci++)
    disable_endpoint (self, slot, dci);
  xhci_cancel_transfer (self, slot, XHCI_CONTROL_DCI, FALSE);
  if (device)
    device->klass->reset (device);
  set_entries (self, slot, 1u << SLOT_STATE_SHIFT);
  set_slot_state (self, slot, XHCI_SLOT_DEFAULT);
  return XHCI_SUCCESS;
}

XhciCode
xhci_endpoint_reset (Xhci *self, XhciSlot *slot, guint dci)
{
  if (slot->endpoints[dci - 1].state != XHCI_EP_HALTED)
    return XHCI_CONTEXT_STATE_ERROR;
  slot->rung &= ~(1u << dci);
  xhci_endpoint_set_state (self, slot, dci, XHCI_EP_STOPPED);
  return XHCI_SUCCESS;
}

XhciCode
xhci_endpoint_stop (Xhci *self, XhciSlot *slot, guint dci)
{
  if (slot->endpoints[dci - 1].state != XHCI_EP_RUNNING)
    return XHCI_CONTEXT_STATE_ERROR;
  xhci_cancel_transfer (self, slot, dci, TRUE);
  slot->rung &= ~(1u << dci);
  xhci_endpoint_set_state (self, slot, dci, XHCI_EP_STOPPED);
  return XHCI_SUCCESS;
}

XhciCode
xhci_endpoint_set_dequeue (Xhci *self, XhciSlot *slot, guint dci, guint64 pointer, guint stream)
{
  XhciEndpoint *endpoint = &slot->endpoints[dci - 1];

  if (endpoint->state != XHCI_EP_STOPPED && endpoint->state != XHCI_EP_ERROR)
    return XHCI_CONTEXT_STATE_ERROR;
  if (stream != 0)
    return XHCI_PARAMETER_ERROR;
  endpoint->ring.dequeue = pointer & EP_DEQUEUE;
  endpoint->ring.cycle = pointer & EP_CYCLE;
  xhci_endpoint_set_state (self, slot, dci, XHCI_EP_STOPPED);
  return XHCI_SUCCESS;
}

void
xhci_slot_loaded (XhciSlot *slot)
{
  slot->state = MIN (slot->state, XHCI_SLOT_CONFIGURED);
  if (slot->port > VMM_XHCI_N_PORTS)
    slot->port = 0;
  slot->rung &= ~1u;
  for (guint i = 0; i < XHCI_N_ENDPOINTS; i++) {
    slot->endpoints[i].state = MIN (slot->endpoints[i].state, XHCI_EP_ERROR);
    slot->endpoints[i].type &= 7;
    slot->endpoints[i].transfer = NULL;
  }
}
