/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-xhci.h"

#include <string.h>

#define COMMAND_MEMORY_MASTER 0x6
#define CAP_MSIX              0x11
#define MSIX_TABLE            0x3000
#define PORT_RESET            0x10
#define PORT_CHANGES          0x00fe0000
#define ERDP_BUSY             0x8
#define RUN_AND_INTERRUPT     0x5
#define CONTEXT_WORDS         8

static guint32
config (FakeXhci *self, guint offset, guint size)
{
  return fake_guest_read_config (self->guest, self->slot, offset, size);
}

guint32
fake_xhci_read (FakeXhci *self, guint offset)
{
  return vmm_bus_read (self->guest->mmio, self->bar + offset, 4);
}

void
fake_xhci_write (FakeXhci *self, guint offset, guint32 value)
{
  vmm_bus_write (self->guest->mmio, self->bar + offset, 4, value);
}

void
fake_xhci_write64 (FakeXhci *self, guint offset, guint64 value)
{
  vmm_bus_write (self->guest->mmio, self->bar + offset, 8, value);
}

guint32
fake_xhci_port (FakeXhci *self, guint port)
{
  return fake_xhci_read (self, X_PORTSC + 0x10 * (port - 1));
}

void
fake_xhci_write_port (FakeXhci *self, guint port, guint32 value)
{
  fake_xhci_write (self, X_PORTSC + 0x10 * (port - 1), value);
}

static void
enable_msix (FakeXhci *self)
{
  guint at = config (self, 0x34, 1);

  while (at && config (self, at, 1) != CAP_MSIX)
    at = config (self, at + 1, 1);
  g_assert_cmpuint (at, !=, 0);
  fake_xhci_write (self, MSIX_TABLE, 0xfee00000);
  fake_xhci_write (self, MSIX_TABLE + 4, 0);
  fake_xhci_write (self, MSIX_TABLE + 8, FAKE_XHCI_MSI);
  fake_xhci_write (self, MSIX_TABLE + 12, 0);
  fake_guest_write_config (self->guest, self->slot, at + 2, 2, 0x8000);
}

void
fake_xhci_new_ring (FakeXhci *self, FakeRing *ring)
{
  if (!ring->base)
    ring->base = fake_guest_alloc (self->guest, XHCI_TRB_SIZE * FAKE_XHCI_RING);
  memset (fake_guest_at (self->guest, ring->base, XHCI_TRB_SIZE * FAKE_XHCI_RING), 0,
          XHCI_TRB_SIZE * FAKE_XHCI_RING);
  ring->index = 0;
  ring->cycle = TRUE;
}

static void
put_trb (FakeXhci *self, guint64 at, guint64 parameter, guint32 status, guint32 control)
{
  guint32 *words = fake_guest_at (self->guest, at, XHCI_TRB_SIZE);

  words[0] = parameter;
  words[1] = parameter >> 32;
  words[2] = status;
  __atomic_store_n (&words[3], control, __ATOMIC_RELEASE);
}

guint64
fake_ring_put (FakeXhci *self, FakeRing *ring, guint64 parameter, guint32 status, guint32 control)
{
  guint64 at = ring->base + XHCI_TRB_SIZE * ring->index++;

  put_trb (self, at, parameter, status, control | (ring->cycle ? XHCI_TRB_CYCLE : 0));
  if (ring->index == FAKE_XHCI_RING - 1) {
    put_trb (self, ring->base + XHCI_TRB_SIZE * ring->index, ring->base, 0,
             XHCI_LINK << XHCI_TRB_TYPE_SHIFT | XHCI_TRB_TOGGLE | (control & XHCI_TRB_CHAIN) |
               (ring->cycle ? XHCI_TRB_CYCLE : 0));
    ring->index = 0;
    ring->cycle = !ring->cycle;
  }
  return at;
}

void
fake_xhci_ring_doorbell (FakeXhci *self, guint slot, guint dci)
{
  fake_xhci_write (self, X_DOORBELL + 4 * slot, dci);
}

void
fake_xhci_start (FakeXhci *self)
{
  guint32 *entry;

  fake_xhci_write (self, X_USBCMD, 2);
  g_assert_cmphex (fake_xhci_read (self, X_USBCMD), ==, 0);
  g_assert_cmphex (fake_xhci_read (self, X_USBSTS) & 1, ==, 1);
  if (!self->dcbaa) {
    self->dcbaa = fake_guest_alloc (self->guest, 8 * 256);
    self->erst = fake_guest_alloc (self->guest, 64);
    self->events = fake_guest_alloc (self->guest, XHCI_TRB_SIZE * FAKE_XHCI_EVENTS);
  }
  memset (fake_guest_at (self->guest, self->events, XHCI_TRB_SIZE * FAKE_XHCI_EVENTS), 0,
          XHCI_TRB_SIZE * FAKE_XHCI_EVENTS);
  entry = fake_guest_at (self->guest, self->erst, 16);
  entry[0] = self->events;
  entry[2] = FAKE_XHCI_EVENTS;
  self->event_index = 0;
  self->event_cycle = TRUE;
  fake_xhci_new_ring (self, &self->commands);
  fake_xhci_write (self, X_CONFIG, FAKE_XHCI_SLOTS);
  fake_xhci_write64 (self, X_DCBAAP, self->dcbaa);
  fake_xhci_write64 (self, X_CRCR, self->commands.base | 1);
  fake_xhci_write (self, X_ERSTSZ, 1);
  fake_xhci_write64 (self, X_ERDP, self->events);
  fake_xhci_write64 (self, X_ERSTBA, self->erst);
  fake_xhci_write (self, X_IMAN, 2);
  fake_xhci_write (self, X_USBCMD, RUN_AND_INTERRUPT);
  g_assert_cmphex (fake_xhci_read (self, X_USBSTS) & 1, ==, 0);
}

FakeXhci *
fake_xhci_new (FakeGuest *guest, VmmDevice *device, gboolean msix)
{
  FakeXhci *self = g_new0 (FakeXhci, 1);

  self->guest = guest;
  self->device = device;
  self->slot = ((VmmPciDevice *) device)->slot;
  fake_guest_write_config (guest, self->slot, 4, 2, COMMAND_MEMORY_MASTER);
  self->bar = (guint64) config (self, 0x14, 4) << 32 | (config (self, 0x10, 4) & ~0xfu);
  if (msix)
    enable_msix (self);
  fake_xhci_start (self);
  return self;
}

void
fake_xhci_free (FakeXhci *self)
{
  g_free (self);
}

gboolean
fake_xhci_take_event (FakeXhci *self, XhciTrb *event)
{
  guint32 *words =
    fake_guest_at (self->guest, self->events + XHCI_TRB_SIZE * self->event_index, XHCI_TRB_SIZE);
  guint32 control = __atomic_load_n (&words[3], __ATOMIC_ACQUIRE);

  if (((control & XHCI_TRB_CYCLE) != 0) != (self->event_cycle != FALSE))
    return FALSE;
  *event = (XhciTrb) { (guint64) words[1] << 32 | words[0], words[2], control, 0 };
  if (++self->event_index == FAKE_XHCI_EVENTS) {
    self->event_index = 0;
    self->event_cycle = !self->event_cycle;
  }
  return TRUE;
}

void
fake_xhci_done (FakeXhci *self)
{
  fake_xhci_write64 (self, X_ERDP, (self->events + XHCI_TRB_SIZE * self->event_index) | ERDP_BUSY);
}

XhciTrb
fake_xhci_wait_event (FakeXhci *self, XhciTrbType type)
{
  XhciTrb event;

  while (!fake_xhci_take_event (self, &event))
    fake_guest_settle (self->guest);
  fake_xhci_done (self);
  g_assert_cmpuint (xhci_trb_type (&event), ==, type);
  return event;
}

void
fake_xhci_no_event (FakeXhci *self)
{
  XhciTrb event;

  fake_guest_settle (self->guest);
  fake_guest_settle (self->guest);
  g_assert_false (fake_xhci_take_event (self, &event));
}

guint
fake_xhci_code (const XhciTrb *event)
{
  return event->status >> XHCI_TRB_CODE_SHIFT;
}

guint
fake_xhci_command (FakeXhci *self,
                   XhciTrbType type,
                   guint64 parameter,
                   guint32 status,
                   guint32 flags,
                   guint *slot)
{
  guint64 at = fake_ring_put (self, &self->commands, parameter, status,
                              (guint32) type << XHCI_TRB_TYPE_SHIFT | flags);
  XhciTrb event;

  fake_xhci_ring_doorbell (self, 0, 0);
  do {
    event = fake_xhci_wait_event (self, XHCI_COMMAND_COMPLETION);
  } while (event.parameter != at);
  if (slot)
    *slot = event.control >> XHCI_TRB_SLOT_SHIFT;
  return fake_xhci_code (&event);
}

guint
fake_xhci_endpoint_command (FakeXhci *self, XhciTrbType type, guint slot, guint dci)
{
  return fake_xhci_command (self, type, 0, 0,
                            slot << XHCI_TRB_SLOT_SHIFT | dci << XHCI_TRB_ENDPOINT_SHIFT, NULL);
}

guint32 *
fake_xhci_input (FakeXhci *self, guint slot, guint context)
{
  return (guint32 *) fake_guest_at (self->guest, self->slots[slot].input, 33 * 32) +
         CONTEXT_WORDS * context;
}

guint32 *
fake_xhci_output (FakeXhci *self, guint slot, guint context)
{
  return (guint32 *) fake_guest_at (self->guest, self->slots[slot].output, 32 * 32) +
         CONTEXT_WORDS * context;
}

static void
put_endpoint (FakeXhci *self, guint slot, guint dci, guint type)
{
  FakeRing *ring = &self->slots[slot].rings[dci];
  guint32 *context = fake_xhci_input (self, slot, 1 + dci);

  fake_xhci_new_ring (self, ring);
  memset (context, 0, 32);
  context[0] = 3 << 16;
  context[1] = 3 << 1 | type << 3 | 64 << 16;
  context[2] = ring->base | 1;
}

guint
fake_xhci_address (FakeXhci *self, guint port)
{
  guint number;
  guint64 *dcbaa = fake_guest_at (self->guest, self->dcbaa, 8 * 256);
  FakeXhciSlot *slot;
  guint32 *input;

  fake_xhci_write_port (self, port, PORT_CHANGES);
  fake_xhci_write_port (self, port, PORT_RESET);
  g_assert_cmphex (fake_xhci_port (self, port) & 2, ==, 2);
  fake_xhci_write_port (self, port, PORT_CHANGES);
  fake_xhci_wait_event (self, XHCI_PORT_STATUS_CHANGE);
  g_assert_cmpuint (fake_xhci_command (self, XHCI_ENABLE_SLOT, 0, 0, 0, &number), ==, XHCI_SUCCESS);
  g_assert_cmpuint (number, <=, FAKE_XHCI_SLOTS);
  slot = &self->slots[number];
  if (!slot->output) {
    slot->output = fake_guest_alloc (self->guest, 32 * 32);
    slot->input = fake_guest_alloc (self->guest, 33 * 32);
  }
  dcbaa[number] = slot->output;
  input = fake_xhci_input (self, number, 0);
  memset (input, 0, 33 * 32);
  input[1] = 3;
  input[8] = 1u << 27 | (fake_xhci_port (self, port) >> 10 & 0xf) << 20;
  input[9] = port << 16;
  put_endpoint (self, number, 1, 4);
  g_assert_cmpuint (fake_xhci_command (self, XHCI_ADDRESS_DEVICE, slot->input, 0,
                                       number << XHCI_TRB_SLOT_SHIFT, NULL),
                    ==, XHCI_SUCCESS);
  g_assert_cmphex (fake_xhci_output (self, number, 0)[3], ==, 2u << 27 | number);
  return number;
}

guint
fake_xhci_configure (FakeXhci *self, guint slot, guint dci, guint type)
{
  guint32 *input = fake_xhci_input (self, slot, 0);

  input[0] = 0;
  input[1] = 1 | 1u << dci;
  input[8] = (input[8] & 0x07ffffff) | dci << 27;
  put_endpoint (self, slot, dci, type);
  return fake_xhci_command (self, XHCI_CONFIGURE_ENDPOINT, self->slots[slot].input, 0,
                            slot << XHCI_TRB_SLOT_SHIFT, NULL);
}

guint
fake_xhci_control (FakeXhci *self,
                   guint slot,
                   guint8 type,
                   guint8 request,
                   guint16 value,
                   guint16 index,
                   guint64 data,
                   guint16 length,
                   guint32 *missing)
{
  FakeRing *ring = &self->slots[slot].rings[1];
  guint32 in = type & VMM_USB_TO_HOST ? XHCI_TRB_TO_HOST : 0;
  XhciTrb event;

  fake_ring_put (self, ring,
                 type | request << 8 | (guint64) value << 16 | (guint64) index << 32 |
                   (guint64) length << 48,
                 8, XHCI_SETUP_STAGE << XHCI_TRB_TYPE_SHIFT | XHCI_TRB_IDT);
  if (length > 0)
    fake_ring_put (self, ring, data, length,
                   XHCI_DATA_STAGE << XHCI_TRB_TYPE_SHIFT | XHCI_TRB_ISP | in);
  fake_ring_put (self, ring, 0, 0,
                 XHCI_STATUS_STAGE << XHCI_TRB_TYPE_SHIFT | XHCI_TRB_IOC |
                   (length > 0 && in ? 0 : XHCI_TRB_TO_HOST));
  fake_xhci_ring_doorbell (self, slot, 1);
  if (missing)
    *missing = 0;
  event = fake_xhci_wait_event (self, XHCI_TRANSFER_EVENT);
  if (fake_xhci_code (&event) == XHCI_SHORT_PACKET) {
    if (missing)
      *missing = event.status & 0xffffff;
    event = fake_xhci_wait_event (self, XHCI_TRANSFER_EVENT);
  }
  g_assert_cmphex (event.control >> 16, ==, slot << 8 | 1);
  return fake_xhci_code (&event);
}
