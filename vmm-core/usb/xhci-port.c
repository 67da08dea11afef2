/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Root hub ports (xHCI 1.1, 4.19 and 5.4.8). Ports 1 to 4 are USB 2, 5 to 8 USB 3. A USB 2 device
 * is enabled by a reset of its port, a USB 3 device by being there.
 *
 * Threads: with the controller locked.
 */
#include "usb/xhci-private.h"

#define N_USB2_PORTS 4

#define PORTSC_CCS         0x00000001u
#define PORTSC_PED         0x00000002u
#define PORTSC_PR          0x00000010u
#define PORTSC_PLS         0x000001e0u
#define PORTSC_PLS_SHIFT   5
#define PORTSC_PP          0x00000200u
#define PORTSC_SPEED       0x00003c00u
#define PORTSC_SPEED_SHIFT 10
#define PORTSC_PIC         0x0000c000u
#define PORTSC_LWS         0x00010000u
#define PORTSC_CSC         0x00020000u
#define PORTSC_WRC         0x00080000u
#define PORTSC_PRC         0x00200000u
#define PORTSC_PLC         0x00400000u
#define PORTSC_CHANGES     0x00fe0000u
#define PORTSC_WAKE        0x0e000000u
#define PORTSC_WPR         0x80000000u
#define PORTSC_PLAIN       (PORTSC_PIC | PORTSC_WAKE)

/* Link states. */
enum {
  PLS_U0 = 0,
  PLS_U3 = 3,
  PLS_RX_DETECT = 5,
  PLS_POLLING = 7,
  PLS_RESUME = 15,
};

const VmmField xhci_port_fields[] = {
  VMM_FIELD (XhciPort, portsc, VMM_FIELD_UINT32, "portsc"),
  VMM_EXEMPT (XhciPort, device, "saved for itself"),
  VMM_FIELD_LAST,
};

static XhciPort *
port_at (Xhci *self, guint number)
{
  return &self->ports[number - 1];
}

gboolean
xhci_port_has_speed (guint number, VmmUsbSpeed speed)
{
  return (number > N_USB2_PORTS) == (speed == VMM_USB_SUPER_SPEED);
}

/* Sets change bits; the driver is told of the first. */
static void
note_change (Xhci *self, guint number, guint32 changes)
{
  XhciPort *port = port_at (self, number);
  gboolean news = (port->portsc & PORTSC_CHANGES) == 0;

  port->portsc |= changes;
  self->usbsts |= XHCI_STS_PCD;
  if (news)
    xhci_send_event (self, XHCI_PORT_STATUS_CHANGE,
                     &(XhciTrb) {
                       .parameter = (guint64) number << 24,
                       .status = (guint32) XHCI_SUCCESS << XHCI_TRB_CODE_SHIFT,
                     });
}

static void
set_link (XhciPort *port, guint state)
{
  port->portsc = (port->portsc & ~PORTSC_PLS) | state << PORTSC_PLS_SHIFT;
}

static guint
link_of (const XhciPort *port)
{
  return (port->portsc & PORTSC_PLS) >> PORTSC_PLS_SHIFT;
}

/* What is plugged in appears as after power-on. */
static void
connect (XhciPort *port)
{
  gboolean super = port->device && port->device->klass->speed == VMM_USB_SUPER_SPEED;

  port->portsc &= PORTSC_PLAIN | PORTSC_CHANGES;
  port->portsc |= PORTSC_PP;
  if (!port->device) {
    set_link (port, PLS_RX_DETECT);
    return;
  }
  port->portsc |= PORTSC_CCS | (guint32) port->device->klass->speed << PORTSC_SPEED_SHIFT;
  if (super)
    port->portsc |= PORTSC_PED;
  set_link (port, super ? PLS_U0 : PLS_POLLING);
}

void
xhci_port_reset_all (Xhci *self)
{
  for (guint i = 0; i < VMM_XHCI_N_PORTS; i++) {
    XhciPort *port = &self->ports[i];

    port->portsc = 0;
    connect (port);
    if (port->device) {
      port->device->klass->reset (port->device);
      port->portsc |= PORTSC_CSC;
    }
  }
}

void
xhci_port_plug (Xhci *self, guint number, VmmUsbDevice *device)
{
  XhciPort *port = port_at (self, number);

  port->device = device;
  connect (port);
  note_change (self, number, PORTSC_CSC);
}

VmmUsbDevice *
xhci_port_unplug (Xhci *self, guint number)
{
  XhciPort *port = port_at (self, number);
  VmmUsbDevice *device = port->device;

  port->device = NULL;
  connect (port);
  note_change (self, number, PORTSC_CSC);
  return device;
}

guint
xhci_port_find (Xhci *self, VmmUsbDevice *device)
{
  for (guint i = 0; i < VMM_XHCI_N_PORTS; i++)
    if (self->ports[i].device == device)
      return i + 1;
  return 0;
}

gboolean
xhci_port_is_enabled (Xhci *self, guint number)
{
  return (port_at (self, number)->portsc & PORTSC_PED) != 0;
}

static void
reset (Xhci *self, guint number, gboolean warm)
{
  XhciPort *port = port_at (self, number);

  if (!port->device)
    return;
  port->device->klass->reset (port->device);
  port->portsc |= PORTSC_PED;
  set_link (port, PLS_U0);
  note_change (self, number, PORTSC_PRC | (warm ? PORTSC_WRC : 0));
}

/* The driver suspends a port, or wakes it. */
static void
write_link (Xhci *self, guint number, guint state)
{
  XhciPort *port = port_at (self, number);
  guint before = link_of (port);

  if (!(port->portsc & PORTSC_PED))
    return;
  if (state == PLS_U3 || (state == PLS_RESUME && before == PLS_U3)) {
    set_link (port, state);
  } else if (state == PLS_U0 && before != PLS_U0) {
    set_link (port, PLS_U0);
    note_change (self, number, PORTSC_PLC);
    vmm_kick_ring (&self->kick);
  }
}

void
xhci_port_resume (Xhci *self, guint number)
{
  XhciPort *port = port_at (self, number);

  if (!(port->portsc & PORTSC_PED) || link_of (port) != PLS_U3)
    return;
  set_link (port, PLS_RESUME);
  note_change (self, number, PORTSC_PLC);
}

static void
write_portsc (Xhci *self, guint number, guint32 value)
{
  XhciPort *port = port_at (self, number);

  port->portsc &= ~(value & PORTSC_CHANGES);
  port->portsc = (port->portsc & ~PORTSC_PLAIN) | (value & PORTSC_PLAIN);
  if (value & PORTSC_PED) { /* written to disable it */
    port->portsc &= ~PORTSC_PED;
    return;
  }
  if (value & PORTSC_PR)
    reset (self, number, FALSE);
  else if ((value & PORTSC_WPR) && number > N_USB2_PORTS)
    reset (self, number, TRUE);
  else if (value & PORTSC_LWS)
    write_link (self, number, (value & PORTSC_PLS) >> PORTSC_PLS_SHIFT);
}

/* PORTPMSC, PORTLI and PORTHLPMC keep nothing: links save no power here. */
guint32
xhci_port_read (Xhci *self, guint number, guint offset)
{
  return offset == 0 ? port_at (self, number)->portsc : 0;
}

void
xhci_port_write (Xhci *self, guint number, guint offset, guint32 value)
{
  if (offset == 0)
    write_portsc (self, number, value);
}

/* The configuration says what is plugged in, whatever was when the state was saved. */
void
xhci_port_loaded (Xhci *self)
{
  for (guint i = 0; i < VMM_XHCI_N_PORTS; i++) {
    XhciPort *port = &self->ports[i];
    gboolean enabled = port->portsc & PORTSC_PED;
    guint state = link_of (port);

    connect (port);
    if (!port->device || !enabled)
      continue;
    port->portsc |= PORTSC_PED;
    set_link (port, state == PLS_U3 || state == PLS_RESUME ? state : PLS_U0);
  }
}
