/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The event ring and its interrupt (xHCI 1.1, 4.9.4 and 4.17). There is one interrupter. Events
 * that the driver has left no room for wait here, and while some do no command and no transfer is
 * begun: so there are never more than what was under way.
 *
 * Threads: with the controller locked.
 */
#include <string.h>

#include "usb/xhci-private.h"

#define SEGMENT_ALIGN G_GUINT64_CONSTANT (0x3f)
#define MIN_SEGMENT   16
#define MAX_SEGMENT   4096
#define ERST_ENTRY    16
#define ERDP_BUSY     G_GUINT64_CONSTANT (0x8) /* EHB */
#define ERDP_POINTER  (~G_GUINT64_CONSTANT (0xf))
#define ERDP_LOW      G_GUINT64_CONSTANT (0x7) /* DESI */

const VmmField xhci_event_ring_fields[] = {
  VMM_FIELD (XhciEventRing, segment, VMM_FIELD_UINT32, "segment"),
  VMM_FIELD (XhciEventRing, index, VMM_FIELD_UINT32, "index"),
  VMM_FIELD (XhciEventRing, base, VMM_FIELD_UINT64, "base"),
  VMM_FIELD (XhciEventRing, size, VMM_FIELD_UINT32, "size"),
  VMM_FIELD (XhciEventRing, cycle, VMM_FIELD_BOOL, "cycle"),
  VMM_FIELD_LAST,
};

const VmmField xhci_trb_fields[] = {
  VMM_FIELD (XhciTrb, parameter, VMM_FIELD_UINT64, "parameter"),
  VMM_FIELD (XhciTrb, status, VMM_FIELD_UINT32, "status"),
  VMM_FIELD (XhciTrb, control, VMM_FIELD_UINT32, "control"),
  VMM_FIELD (XhciTrb, address, VMM_FIELD_UINT64, "address"),
  VMM_FIELD_LAST,
};

/* FALSE, and the controller is dead, where the table is wrong. */
static gboolean
enter_segment (Xhci *self, XhciEventRing *events, guint32 segment)
{
  struct {
    guint64 base;
    guint32 size, reserved;
  } entry;
  guint64 at = self->erstba + (guint64) ERST_ENTRY * segment;

  if (!vmm_memory_read (xhci_memory (self), at, &entry, sizeof entry)) {
    xhci_die (self, "The driver's table of event rings is no memory.");
    return FALSE;
  }
  events->segment = segment;
  events->index = 0;
  events->base = GUINT64_FROM_LE (entry.base) & ~SEGMENT_ALIGN;
  events->size = GUINT32_FROM_LE (entry.size) & 0xffff;
  if (events->size >= MIN_SEGMENT && events->size <= MAX_SEGMENT &&
      vmm_memory_at (xhci_memory (self), events->base, (guint64) XHCI_TRB_SIZE * events->size))
    return TRUE;
  xhci_die (self, "The driver's event ring has a wrong size, or is no memory.");
  return FALSE;
}

/* The table is looked at when the first event comes: its address is written in two halves. */
void
xhci_event_ring_restart (Xhci *self)
{
  self->events = (XhciEventRing) { .cycle = TRUE };
}

/* Where the ring goes on behind @events. */
static gboolean
advance (Xhci *self, XhciEventRing *events)
{
  guint32 next = events->segment + 1;

  if (++events->index < events->size)
    return TRUE;
  if (next >= self->erstsz) {
    next = 0;
    events->cycle = !events->cycle;
  }
  return enter_segment (self, events, next);
}

static guint64
address_of (const XhciEventRing *events)
{
  return events->base + (guint64) XHCI_TRB_SIZE * events->index;
}

/* The last free place stays free: full and empty would look the same. */
static gboolean
write_event (Xhci *self, const XhciTrb *event)
{
  XhciEventRing next;
  guint32 cycle = self->events.cycle ? XHCI_TRB_CYCLE : 0;
  guint32 *words;

  if (self->erstsz == 0 || (self->events.size == 0 && !enter_segment (self, &self->events, 0)))
    return FALSE;
  next = self->events;
  if (!advance (self, &next) || address_of (&next) == (self->erdp & ERDP_POINTER))
    return FALSE;
  words = vmm_memory_at (xhci_memory (self), address_of (&self->events), XHCI_TRB_SIZE);
  if (!words)
    return FALSE;
  words[0] = GUINT32_TO_LE ((guint32) event->parameter);
  words[1] = GUINT32_TO_LE ((guint32) (event->parameter >> 32));
  words[2] = GUINT32_TO_LE (event->status);
  /* Last: the driver may be looking. */
  __atomic_store_n (&words[3], GUINT32_TO_LE (event->control | cycle), __ATOMIC_RELEASE);
  self->events = next;
  return TRUE;
}

/* One interrupt until the driver has said that it is done with it (EHB). */
static void
raise_interrupt (Xhci *self)
{
  self->usbsts |= XHCI_STS_EINT;
  if (self->erdp & ERDP_BUSY)
    return;
  self->erdp |= ERDP_BUSY;
  self->iman |= XHCI_IMAN_IP;
  xhci_update_interrupt (self);
}

gboolean
xhci_has_room (Xhci *self)
{
  return self->n_waiting == 0;
}

void
xhci_send_event (Xhci *self, XhciTrbType type, const XhciTrb *event)
{
  XhciTrb typed = *event;

  if (!xhci_is_running (self))
    return;
  typed.control |= (guint32) type << XHCI_TRB_TYPE_SHIFT;
  if (xhci_has_room (self) && write_event (self, &typed))
    raise_interrupt (self);
  else if (self->n_waiting < XHCI_MAX_WAITING)
    self->waiting[self->n_waiting++] = typed;
}

static void
send_waiting (Xhci *self)
{
  guint n = 0;

  while (n < self->n_waiting && write_event (self, &self->waiting[n]))
    n++;
  if (n == 0)
    return;
  self->n_waiting -= n;
  memmove (self->waiting, self->waiting + n, self->n_waiting * sizeof *self->waiting);
  raise_interrupt (self);
}

void
xhci_write_erdp (Xhci *self, guint64 value, gboolean low)
{
  guint64 busy = self->erdp & ERDP_BUSY;

  if (low)
    busy &= ~value; /* cleared by writing it */
  self->erdp = (value & (ERDP_POINTER | ERDP_LOW)) | busy;
  if (self->n_waiting > 0) {
    send_waiting (self);
    vmm_kick_ring (&self->kick);
  }
  /* What came while it was busy has not been told of. */
  if (low && !busy && self->events.size > 0 &&
      address_of (&self->events) != (self->erdp & ERDP_POINTER))
    raise_interrupt (self);
}

/* Where it was, if that is a place in a ring; else as after a reset. */
void
xhci_event_ring_loaded (Xhci *self)
{
  XhciEventRing *events = &self->events;

  if (events->size < MIN_SEGMENT || events->size > MAX_SEGMENT || events->index >= events->size ||
      events->segment >= self->erstsz)
    xhci_event_ring_restart (self);
}
