/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmUsbDevice: what is plugged into a USB controller: an emulated device, or one of the host's
 * behind a backend. A controller hands it transfers; a device that has nothing to say yet says
 * VMM_USB_NAK and later vmm_usb_device_ready: nobody polls. One that works by itself says
 * VMM_USB_LATER and later vmm_usb_transfer_done.
 *
 * Threads: the functions of the class run on the loop with the controller locked, unless said
 * otherwise. vmm_usb_device_new and _free run on the control thread.
 */
#pragma once

#include <sys/uio.h>

#include "base/vmm-loop.h"
#include "base/vmm-state.h"
#include "usb/usb.h"

G_BEGIN_DECLS

typedef struct _VmmUsbDevice VmmUsbDevice;
typedef struct _VmmUsbTransfer VmmUsbTransfer;

typedef enum {
  VMM_USB_OK,    /* @moved bytes; fewer than asked for is a short packet */
  VMM_USB_NAK,   /* nothing to say now */
  VMM_USB_LATER, /* the device has it */
  VMM_USB_STALL,
  VMM_USB_BABBLE, /* more came than there was room for */
  VMM_USB_FAILED, /* no answer, or a broken one */
} VmmUsbStatus;

typedef enum {
  VMM_USB_CONTROL,
  VMM_USB_ISOCHRONOUS,
  VMM_USB_BULK,
  VMM_USB_INTERRUPT,
} VmmUsbTransferType;

/* The memory behind the vector is the guest's and may change at any moment: read once, then check.
 */
struct _VmmUsbTransfer {
  VmmUsbTransferType type;
  guint8 endpoint;   /* with VMM_USB_TO_HOST; 0: the default control endpoint */
  VmmUsbSetup setup; /* CONTROL */
  struct iovec *iov; /* the data, where the direction says */
  guint n_iov;
  gsize length, moved;
  /* After VMM_USB_LATER: the loop, with the controller locked. */
  void (*done) (VmmUsbTransfer *transfer, VmmUsbStatus status);
  gpointer data; /* the device's, while it has the transfer */
};

typedef struct {
  const char *name;
  gsize instance_size;
  VmmUsbSpeed speed;
  guint version; /* of the saved section */
  const VmmField *fields;

  /* Thread: control. Where it fails it cleans up after itself. */
  gboolean (*realize) (VmmUsbDevice *self, gconstpointer config, GError **error);
  void (*unrealize) (VmmUsbDevice *self);
  /* It hangs on a controller now, or hangs there no longer. Thread: control. */
  void (*attached) (VmmUsbDevice *self);
  void (*detached) (VmmUsbDevice *self);
  /* A reset of its port. */
  void (*reset) (VmmUsbDevice *self);
  VmmUsbStatus (*submit) (VmmUsbDevice *self, VmmUsbTransfer *transfer);
  /* Takes back what is with the device (LATER): done is not called, nothing of it is touched any
   * more. May be NULL where submit never says LATER. */
  void (*cancel) (VmmUsbDevice *self, VmmUsbTransfer *transfer);
  void (*loaded) (VmmUsbDevice *self); /* fields are in: make them good */
} VmmUsbDeviceClass;

/* What a device may ask of its controller. */
typedef struct {
  void (*ready) (gpointer controller, VmmUsbDevice *device, guint8 endpoint);
  void (*wake) (gpointer controller, VmmUsbDevice *device);
  void (*lock) (gpointer controller);
  void (*unlock) (gpointer controller);
} VmmUsbControllerOps;

struct _VmmUsbDevice {
  const VmmUsbDeviceClass *klass;
  char *id; /* "tablet0" */
  /* While it is attached. */
  const VmmUsbControllerOps *ops;
  gpointer controller;
  VmmLoop *loop;
};

VmmUsbDevice *vmm_usb_device_new (const VmmUsbDeviceClass *klass,
                                  const char *id,
                                  gconstpointer config,
                                  GError **error);
/* It is not attached. */
void vmm_usb_device_free (VmmUsbDevice *self);

/* For controllers. */
void vmm_usb_device_attach (VmmUsbDevice *self,
                            const VmmUsbControllerOps *ops,
                            gpointer controller,
                            VmmLoop *loop);
void vmm_usb_device_detach (VmmUsbDevice *self);

/* For devices. Any thread, with the controller locked: the endpoint has something to say, or the
 * whole device wakes from a suspend. */
void vmm_usb_device_ready (VmmUsbDevice *self, guint8 endpoint);
void vmm_usb_device_wake (VmmUsbDevice *self);
/* Any thread. */
void vmm_usb_device_lock (VmmUsbDevice *self);
void vmm_usb_device_unlock (VmmUsbDevice *self);
/* The bytes into the transfer's memory, or out of it; sets moved. */
void vmm_usb_transfer_write (VmmUsbTransfer *self, gconstpointer bytes, gsize length);
gsize vmm_usb_transfer_read (VmmUsbTransfer *self, gpointer bytes, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmUsbDevice, vmm_usb_device_free)

G_END_DECLS
