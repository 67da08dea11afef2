/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An xHCI controller with a device on it that does as the test tells it. (Keyboard and tablet are
 * in test-usb-hid.c.)
 */
#pragma once

#include "fake-xhci.h"

G_BEGIN_DECLS

#define DATA    65536
#define NOWHERE G_GUINT64_CONSTANT (0x40000000) /* no memory of the fake guest */

#define BULK_OUT 2 /* device context indices of endpoint 1 */
#define BULK_IN  3

#define GADGET_PORT 5 /* the first of USB 3 */

/* A device that answers with what the test has put into it. */
typedef struct {
  VmmUsbDevice parent;
  VmmUsbStatus status;  /* of the next transfers */
  guint8 bytes[256];    /* what it sends, and what it got */
  gsize length;         /* of them */
  VmmUsbTransfer *held; /* after VMM_USB_LATER */
  guint32 n_resets, n_cancelled, n_submitted;
} Gadget;

typedef struct {
  FakeGuest *guest;
  VmmDevice *device;
  Gadget *gadget;
  FakeXhci *xhci;
  guint64 data; /* in guest memory */
  guint slot;
} XhciTest;

extern const VmmUsbDeviceClass xhci_test_gadget_class;

/* A controller with a gadget. */
VmmDevice *xhci_test_controller_new (FakeGuest *guest, Gadget **gadget);
/* @data is NULL for MSI-X. */
void xhci_test_set_up (XhciTest *f, gconstpointer data);
/* With the bulk endpoints ready. */
void xhci_test_set_up_configured (XhciTest *f, gconstpointer data);
void xhci_test_tear_down (XhciTest *f, gconstpointer data);

/* DATA bytes of guest memory. */
guint8 *xhci_test_bytes (XhciTest *f);
/* What the gadget does is set while the loop is not in it. */
void xhci_test_tell_gadget (XhciTest *f, VmmUsbStatus status, gsize length);
guint64 xhci_test_put_normal (XhciTest *f, guint dci, guint64 at, guint32 length, guint32 flags);
void xhci_test_ring (XhciTest *f, guint dci);
void xhci_test_check_event (XhciTest *f, guint64 parameter, XhciCode code, guint32 missing);
/* The bulk endpoint still works. */
void xhci_test_check_alive (XhciTest *f);

/* A transfer on the bulk endpoint that the gadget has not answered yet; @at is its block. */
void xhci_test_submit_and_hold (XhciTest *f, guint64 *at);
/* Now it does. */
void xhci_test_answer (XhciTest *f);

typedef struct {
  const char *name;
  gboolean configured;
  void (*run) (XhciTest *f, gconstpointer data);
} XhciTestCase;

void xhci_test_add (const XhciTestCase *cases, guint n);

G_END_DECLS
