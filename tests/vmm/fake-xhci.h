/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The driver of an xHCI controller in the fake guest: rings and contexts in its memory, good or
 * broken.
 */
#pragma once

#include "fake-guest.h"
#include "usb/xhci-trb.h"
#include "usb/xhci.h"

G_BEGIN_DECLS

/* Registers, by their offset in the BAR. */
enum {
  X_CAPLENGTH = 0x00,
  X_HCSPARAMS1 = 0x04,
  X_HCCPARAMS1 = 0x10,
  X_DBOFF = 0x14,
  X_RTSOFF = 0x18,
  X_USBCMD = 0x40,
  X_USBSTS = 0x44,
  X_CRCR = 0x58,
  X_DCBAAP = 0x70,
  X_CONFIG = 0x78,
  X_PORTSC = 0x440,
  X_EXTENDED = 0x600,
  X_MFINDEX = 0x1000,
  X_IMAN = 0x1020,
  X_ERSTSZ = 0x1028,
  X_ERSTBA = 0x1030,
  X_ERDP = 0x1038,
  X_DOORBELL = 0x2000,
};

#define FAKE_XHCI_RING   32 /* blocks of a ring, with the link at its end */
#define FAKE_XHCI_EVENTS 16
#define FAKE_XHCI_SLOTS  4
#define FAKE_XHCI_MSI    0x99 /* the message's data */

typedef struct {
  guint64 base;
  guint index;
  gboolean cycle;
} FakeRing;

typedef struct {
  guint64 output, input;
  FakeRing rings[32]; /* by device context index */
} FakeXhciSlot;

typedef struct {
  FakeGuest *guest;
  VmmDevice *device;
  guint slot; /* of PCI */
  guint64 bar, dcbaa, erst, events;
  guint event_index;
  gboolean event_cycle;
  FakeRing commands;
  FakeXhciSlot slots[FAKE_XHCI_SLOTS + 1]; /* by number */
} FakeXhci;

/* Resets, sets rings up and runs. */
FakeXhci *fake_xhci_new (FakeGuest *guest, VmmDevice *device, gboolean msix);
void fake_xhci_free (FakeXhci *self);
/* From HCRST on. */
void fake_xhci_start (FakeXhci *self);

guint32 fake_xhci_read (FakeXhci *self, guint offset);
void fake_xhci_write (FakeXhci *self, guint offset, guint32 value);
void fake_xhci_write64 (FakeXhci *self, guint offset, guint64 value);
guint32 fake_xhci_port (FakeXhci *self, guint port);
void fake_xhci_write_port (FakeXhci *self, guint port, guint32 value);

/* Puts a block into a ring; returns its address. */
guint64
fake_ring_put (FakeXhci *self, FakeRing *ring, guint64 parameter, guint32 status, guint32 control);
void fake_xhci_new_ring (FakeXhci *self, FakeRing *ring);
void fake_xhci_ring_doorbell (FakeXhci *self, guint slot, guint dci);

/* The next event, or FALSE; the controller is not told that it was taken before _done. */
gboolean fake_xhci_take_event (FakeXhci *self, XhciTrb *event);
void fake_xhci_done (FakeXhci *self);
/* Waits for the next event, which is of this type. */
XhciTrb fake_xhci_wait_event (FakeXhci *self, XhciTrbType type);
/* That there is none. */
void fake_xhci_no_event (FakeXhci *self);
guint fake_xhci_code (const XhciTrb *event);

/* Returns the completion code; @slot is the event's. */
guint fake_xhci_command (FakeXhci *self,
                         XhciTrbType type,
                         guint64 parameter,
                         guint32 status,
                         guint32 flags,
                         guint *slot);
/* On an endpoint of a slot. */
guint fake_xhci_endpoint_command (FakeXhci *self, XhciTrbType type, guint slot, guint dci);

guint32 *fake_xhci_input (FakeXhci *self, guint slot, guint context);
guint32 *fake_xhci_output (FakeXhci *self, guint slot, guint context);
/* Resets the port, enables a slot and gives the device an address. Returns the slot. */
guint fake_xhci_address (FakeXhci *self, guint port);
/* Configures one endpoint. */
guint fake_xhci_configure (FakeXhci *self, guint slot, guint dci, guint type);

/* A control transfer whose data is at @data; returns the completion code, and what is missing. */
guint fake_xhci_control (FakeXhci *self,
                         guint slot,
                         guint8 type,
                         guint8 request,
                         guint16 value,
                         guint16 index,
                         guint64 data,
                         guint16 length,
                         guint32 *missing);

G_END_DECLS
