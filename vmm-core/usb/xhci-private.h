/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The xHCI controller inside: shared between its registers (xhci.c), its ports (xhci-port.c), the
 * event ring (xhci-event.c), the walking of rings (xhci-ring.c), commands (xhci-command.c), slots
 * with their contexts (xhci-slot.c) and transfers (xhci-transfer.c). Names and numbers are those of
 * xHCI 1.1.
 *
 * Threads: with the controller locked; rings are worked on on the loop.
 */
#pragma once

#include "base/vmm-kick.h"
#include "usb/xhci-trb.h"
#include "usb/xhci.h"

G_BEGIN_DECLS

#define XHCI_N_SLOTS        16
#define XHCI_N_ENDPOINTS    31  /* of a slot, by device context index less one */
#define XHCI_MAX_TRBS       256 /* of one transfer */
#define XHCI_MAX_WAITING    64  /* events that the ring has no room for */
#define XHCI_N_INTERRUPTERS 1
#define XHCI_ERST_MAX       4 /* 16 segments of the event ring */

/* In the BAR. */
#define XHCI_MSIX_TABLE 0x3000
#define XHCI_MSIX_PBA   0x3800

/* USBCMD, USBSTS */
#define XHCI_CMD_RS       0x0001u
#define XHCI_CMD_INTE     0x0004u
#define XHCI_CMD_WRITABLE 0x0c0du /* RS, INTE, HSEE, EWE, EU3S */
#define XHCI_STS_HCH      0x0001u
#define XHCI_STS_EINT     0x0008u
#define XHCI_STS_PCD      0x0010u
#define XHCI_STS_HCE      0x1000u

/* IMAN */
#define XHCI_IMAN_IP 0x1u
#define XHCI_IMAN_IE 0x2u

/* Endpoint states (6.2.3) and slot states (6.2.2). */
enum {
  XHCI_EP_DISABLED = 0,
  XHCI_EP_RUNNING = 1,
  XHCI_EP_HALTED = 2,
  XHCI_EP_STOPPED = 3,
  XHCI_EP_ERROR = 4,
};
enum {
  XHCI_SLOT_ENABLED = 0,
  XHCI_SLOT_DEFAULT = 1,
  XHCI_SLOT_ADDRESSED = 2,
  XHCI_SLOT_CONFIGURED = 3,
};

/* Endpoint types (6.2.3). */
enum {
  XHCI_EP_ISOCH_OUT = 1,
  XHCI_EP_BULK_OUT = 2,
  XHCI_EP_INTERRUPT_OUT = 3,
  XHCI_EP_CONTROL = 4,
  XHCI_EP_ISOCH_IN = 5,
};
#define XHCI_EP_IN 4 /* in the type of all but control */

#define XHCI_CONTROL_DCI 1 /* the default control endpoint */

typedef struct _Xhci Xhci;
typedef struct _XhciSlot XhciSlot;
typedef struct _XhciTransfer XhciTransfer;

/* Where in a ring the next block is, and the cycle bit that makes it valid. */
typedef struct {
  guint64 dequeue;
  gboolean cycle;
} XhciRing;

typedef struct {
  guint8 state, type;
  XhciRing ring;
  XhciTransfer *transfer; /* with the device, or NULL; the ring stands before it */
} XhciEndpoint;

struct _XhciSlot {
  gboolean enabled;
  guint8 state;
  guint8 port;     /* 1 to VMM_XHCI_N_PORTS; 0: none yet */
  guint64 context; /* the output device context */
  guint32 rung;    /* doorbells, by device context index */
  XhciEndpoint endpoints[XHCI_N_ENDPOINTS];
};

typedef struct {
  guint32 portsc;
  VmmUsbDevice *device; /* or NULL */
} XhciPort;

/* The producer's side of the event ring. */
typedef struct {
  guint32 segment, index; /* where the next event goes */
  guint64 base;           /* of the segment */
  guint32 size;           /* of the segment, in events */
  gboolean cycle;
} XhciEventRing;

struct _Xhci {
  VmmPciDevice parent;
  guint32 usbcmd, usbsts, dnctrl, config;
  guint64 dcbaap;
  guint64 crcr; /* as it was written */
  XhciRing command_ring;
  gboolean command_running; /* CRCR.CRR */
  gboolean command_rung;
  guint32 iman, imod, erstsz;
  guint64 erstba, erdp;
  XhciEventRing events;
  guint32 n_waiting;
  XhciTrb waiting[XHCI_MAX_WAITING]; /* events that did not fit into the ring yet */
  XhciPort ports[VMM_XHCI_N_PORTS];
  XhciSlot slots[XHCI_N_SLOTS];

  gboolean drained;
  gint64 started_us; /* when MFINDEX was 0 */
  VmmKick kick;      /* there is something to do */
  GPtrArray *spare;  /* transfers not in use */
};

extern const VmmField xhci_port_fields[];
extern const VmmField xhci_slot_fields[];
extern const VmmField xhci_ring_fields[];
extern const VmmField xhci_event_ring_fields[];
extern const VmmField xhci_trb_fields[];

static inline VmmMemory *
xhci_memory (Xhci *self)
{
  return self->parent.parent.board->memory;
}

/* xhci.c */
gboolean xhci_is_running (Xhci *self);
/* The driver did what cannot be answered: nothing goes on until HCRST. */
void xhci_die (Xhci *self, const char *why);
void xhci_update_interrupt (Xhci *self);
/* HCRST. */
void xhci_reset_controller (Xhci *self);
/* What devices have comes back; it is found again in its ring. */
void xhci_cancel_all (Xhci *self);

/* xhci-register.c */
extern const VmmBusOps xhci_ops;

/* xhci-plug.c. Thread: control, not locked. */
void xhci_detach_port (VmmDevice *device, guint number);

/* xhci-port.c; @number counts from 1. */
void xhci_port_reset_all (Xhci *self);
guint32 xhci_port_read (Xhci *self, guint number, guint offset);
void xhci_port_write (Xhci *self, guint number, guint offset, guint32 value);
void xhci_port_plug (Xhci *self, guint number, VmmUsbDevice *device);
VmmUsbDevice *xhci_port_unplug (Xhci *self, guint number);
guint xhci_port_find (Xhci *self, VmmUsbDevice *device);
gboolean xhci_port_is_enabled (Xhci *self, guint number);
gboolean xhci_port_has_speed (guint number, VmmUsbSpeed speed);
void xhci_port_resume (Xhci *self, guint number);
void xhci_port_loaded (Xhci *self);

/* xhci-event.c */
void xhci_event_ring_restart (Xhci *self);
/* Puts an event into the ring, or lets it wait. */
void xhci_send_event (Xhci *self, XhciTrbType type, const XhciTrb *event);
/* Whether nothing waits: else no more work is begun. */
gboolean xhci_has_room (Xhci *self);
/* @low: it is the half in which the driver says that it is done with an interrupt. */
void xhci_write_erdp (Xhci *self, guint64 value, gboolean low);
void xhci_event_ring_loaded (Xhci *self);

/* xhci-ring.c */
/* The next block; FALSE where there is none. Links are followed, but not for ever. @bad: the ring
 * is broken. */
gboolean xhci_ring_next (Xhci *self, XhciRing *ring, XhciTrb *trb, gboolean *bad);

/* xhci-command.c: TRUE where there may be more. */
gboolean xhci_run_commands (Xhci *self);

/* xhci-slot.c */
XhciSlot *xhci_slot_at (Xhci *self, guint number); /* NULL: not enabled */
XhciCode xhci_slot_enable (Xhci *self, guint *number);
void xhci_slot_disable (Xhci *self, XhciSlot *slot);
XhciCode xhci_slot_address (Xhci *self, guint number, guint64 input, gboolean block_set_address);
XhciCode xhci_slot_configure (Xhci *self, XhciSlot *slot, guint64 input, gboolean deconfigure);
XhciCode xhci_slot_evaluate (Xhci *self, XhciSlot *slot, guint64 input);
XhciCode xhci_slot_reset (Xhci *self, XhciSlot *slot);
XhciCode xhci_endpoint_reset (Xhci *self, XhciSlot *slot, guint dci);
XhciCode xhci_endpoint_stop (Xhci *self, XhciSlot *slot, guint dci);
XhciCode
xhci_endpoint_set_dequeue (Xhci *self, XhciSlot *slot, guint dci, guint64 pointer, guint stream);
/* Also where the driver looks for it. */
void xhci_endpoint_set_state (Xhci *self, XhciSlot *slot, guint dci, guint8 state);
VmmUsbDevice *xhci_slot_get_device (Xhci *self, XhciSlot *slot);
void xhci_slot_loaded (XhciSlot *slot);

/* xhci-transfer.c: TRUE where there may be more. */
gboolean xhci_run_transfers (Xhci *self);
/* Takes back what the device has of this endpoint; @told: with an event. */
void xhci_cancel_transfer (Xhci *self, XhciSlot *slot, guint dci, gboolean told);

G_END_DECLS
