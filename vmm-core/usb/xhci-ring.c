/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rings of transfer request blocks that the driver fills (xHCI 1.1, 4.9): blocks are valid whose
 * cycle bit is the ring's, links lead from one segment to the next. A ring may be a loop of links
 * and nothing else, so they are counted.
 *
 * Threads: with the controller locked.
 */
#include <string.h>

#include "usb/xhci-private.h"

#define MAX_LINKS   32
#define LINK_TARGET (~G_GUINT64_CONSTANT (0xf))

const VmmField xhci_ring_fields[] = {
  VMM_FIELD (XhciRing, dequeue, VMM_FIELD_UINT64, "dequeue"),
  VMM_FIELD (XhciRing, cycle, VMM_FIELD_BOOL, "cycle"),
  VMM_FIELD_LAST,
};

static gboolean
read_trb (Xhci *self, guint64 address, XhciTrb *trb)
{
  guint32 words[4];

  if (!vmm_memory_read (xhci_memory (self), address, words, sizeof words))
    return FALSE;
  *trb = (XhciTrb) {
    .parameter = (guint64) GUINT32_FROM_LE (words[1]) << 32 | GUINT32_FROM_LE (words[0]),
    .status = GUINT32_FROM_LE (words[2]),
    .control = GUINT32_FROM_LE (words[3]),
    .address = address,
  };
  return TRUE;
}

gboolean
xhci_ring_next (Xhci *self, XhciRing *ring, XhciTrb *trb, gboolean *bad)
{
  *bad = FALSE;
  for (guint links = 0; links <= MAX_LINKS; links++) {
    if (!read_trb (self, ring->dequeue, trb)) {
      *bad = TRUE;
      return FALSE;
    }
    if (((trb->control & XHCI_TRB_CYCLE) != 0) != (ring->cycle != FALSE))
      return FALSE;
    if (xhci_trb_type (trb) != XHCI_LINK) {
      ring->dequeue += XHCI_TRB_SIZE;
      return TRUE;
    }
    ring->dequeue = trb->parameter & LINK_TARGET;
    if (trb->control & XHCI_TRB_TOGGLE)
      ring->cycle = !ring->cycle;
  }
  *bad = TRUE;
  return FALSE;
}
