/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * USB keyboard and tablet (HID 1.11): what both have in common. A device is a model (constants) and
 * a queue of reports.
 *
 * Threads: with the controller locked, unless said otherwise.
 */
#pragma once

#include "device/vmm-input-sink.h"
#include "usb/usb-device.h"

G_BEGIN_DECLS

#define USB_HID_MAX_REPORT  8
#define USB_HID_MAX_REPORTS 16
#define USB_HID_N_USAGES    256
#define USB_HID_ENDPOINT    1 /* interrupt, to the host */

/* SET_PROTOCOL. */
#define USB_HID_REPORT_PROTOCOL 1

typedef struct _UsbHid UsbHid;

typedef struct {
  VmmInput *input; /* borrowed */
} VmmUsbHidConfig;

/* For vmm_usb_device_new, with a VmmUsbHidConfig. */
extern const VmmUsbDeviceClass vmm_usb_keyboard_class;
extern const VmmUsbDeviceClass vmm_usb_tablet_class;

/* What makes a keyboard a keyboard. */
typedef struct {
  VmmInputKind kind;
  const char *product;
  guint16 product_id;
  gboolean boot; /* it can speak the boot protocol, whose reports are the same */
  guint8 boot_protocol;
  const guint8 *report_descriptor;
  guint report_descriptor_length;
  guint report_length;
  /* Takes events of a packet into @self->current. */
  void (*take) (UsbHid *self, const VmmInputEvent *event);
  /* What of the report is of the moment only, once it is in the queue. May be NULL. */
  void (*taken) (UsbHid *self);
  /* Whether @next makes @last, which nobody has read yet, old news. */
  gboolean (*replaces) (const guint8 *last, const guint8 *next);
} UsbHidModel;

struct _UsbHid {
  VmmUsbDevice parent;
  const UsbHidModel *model;
  VmmInput *input;
  guint8 configuration; /* 0: not configured */
  guint8 protocol, idle, leds;
  gboolean remote_wakeup, halted;
  guint8 current[USB_HID_MAX_REPORT]; /* the report of now */
  guint8 down[USB_HID_N_USAGES / 8];  /* keys, by usage */
  guint32 n_reports;
  guint8 reports[USB_HID_MAX_REPORTS * USB_HID_MAX_REPORT]; /* that nobody has read */
  VmmSource *repeat; /* while a key is held and idle is set */
};

/* usb-hid.c: most of the class of both. */
extern const VmmField usb_hid_fields[];
gboolean usb_hid_realize (UsbHid *self, const UsbHidModel *model, gconstpointer config);
void usb_hid_attached (VmmUsbDevice *device);
void usb_hid_detached (VmmUsbDevice *device);
void usb_hid_reset (VmmUsbDevice *device);
VmmUsbStatus usb_hid_submit (VmmUsbDevice *device, VmmUsbTransfer *transfer);
void usb_hid_loaded (VmmUsbDevice *device);
/* The idle rate, or what is held, has changed. */
void usb_hid_arm_repeat (UsbHid *self);
/* Nobody knows of what is held any more. */
void usb_hid_forget_input (UsbHid *self);

/* usb-hid-request.c */
VmmUsbStatus usb_hid_control (UsbHid *self, VmmUsbTransfer *transfer);

/* hid-usage.c: the usage of a key (evdev code) on the keyboard page, 0 for none. */
guint8 hid_usage_of_key (guint code);

G_END_DECLS
