/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Transfer request blocks and what is in them (xHCI 1.1, 6.4), and the completion codes (6.4.5).
 *
 * Threads: constants.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define XHCI_TRB_SIZE 16

/* In the byte order of the host we are, once read. */
typedef struct {
  guint64 parameter;
  guint32 status, control;
  guint64 address; /* where it was read */
} XhciTrb;

#define XHCI_TRB_CYCLE          0x00000001u
#define XHCI_TRB_TOGGLE         0x00000002u /* of a link */
#define XHCI_TRB_ISP            0x00000004u
#define XHCI_TRB_CHAIN          0x00000010u
#define XHCI_TRB_IOC            0x00000020u
#define XHCI_TRB_IDT            0x00000040u
#define XHCI_TRB_BSR            0x00000200u /* of ADDRESS DEVICE; DC of CONFIGURE ENDPOINT */
#define XHCI_TRB_TO_HOST        0x00010000u /* of a data or status stage */
#define XHCI_TRB_EVENT_DATA     0x00000004u /* ED of a transfer event */
#define XHCI_TRB_LENGTH         0x0001ffffu /* in status */
#define XHCI_TRB_TYPE_SHIFT     10
#define XHCI_TRB_TYPE_MASK      0x3f
#define XHCI_TRB_ENDPOINT_SHIFT 16
#define XHCI_TRB_SLOT_SHIFT     24
#define XHCI_TRB_CODE_SHIFT     24 /* in status */

typedef enum {
  XHCI_NORMAL = 1,
  XHCI_SETUP_STAGE = 2,
  XHCI_DATA_STAGE = 3,
  XHCI_STATUS_STAGE = 4,
  XHCI_ISOCH = 5,
  XHCI_LINK = 6,
  XHCI_EVENT_DATA = 7,
  XHCI_NO_OP = 8,
  XHCI_ENABLE_SLOT = 9,
  XHCI_DISABLE_SLOT = 10,
  XHCI_ADDRESS_DEVICE = 11,
  XHCI_CONFIGURE_ENDPOINT = 12,
  XHCI_EVALUATE_CONTEXT = 13,
  XHCI_RESET_ENDPOINT = 14,
  XHCI_STOP_ENDPOINT = 15,
  XHCI_SET_TR_DEQUEUE = 16,
  XHCI_RESET_DEVICE = 17,
  XHCI_NO_OP_COMMAND = 23,
  XHCI_TRANSFER_EVENT = 32,
  XHCI_COMMAND_COMPLETION = 33,
  XHCI_PORT_STATUS_CHANGE = 34,
} XhciTrbType;

typedef enum {
  XHCI_SUCCESS = 1,
  XHCI_BABBLE_DETECTED = 3,
  XHCI_USB_TRANSACTION_ERROR = 4,
  XHCI_TRB_ERROR = 5,
  XHCI_STALL_ERROR = 6,
  XHCI_NO_SLOTS_AVAILABLE = 9,
  XHCI_SLOT_NOT_ENABLED = 11,
  XHCI_ENDPOINT_NOT_ENABLED = 12,
  XHCI_SHORT_PACKET = 13,
  XHCI_PARAMETER_ERROR = 17,
  XHCI_CONTEXT_STATE_ERROR = 19,
  XHCI_COMMAND_RING_STOPPED = 24,
  XHCI_STOPPED = 26,
} XhciCode;

static inline guint
xhci_trb_type (const XhciTrb *trb)
{
  return trb->control >> XHCI_TRB_TYPE_SHIFT & XHCI_TRB_TYPE_MASK;
}

G_END_DECLS
