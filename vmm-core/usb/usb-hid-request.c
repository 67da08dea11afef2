/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Requests on the default control endpoint of a HID device: descriptors and standard requests (USB
 * 2.0, chapter 9), and those of the class (HID 1.11, 7.2).
 *
 * Threads: loop, with the controller locked.
 */
#include <string.h>

#include "usb/usb-hid.h"

#define VENDOR        0x0627
#define MAX_PACKET    64 /* of the control endpoint, at high speed */
#define ENDPOINT      1
#define INTERVAL      4 /* 2^3 microframes: 1 ms */
#define N_STRINGS     4
#define CLASS_HID     3
#define BOOT_SUBCLASS 1
#define POWERED_WAKES 0xa0 /* attributes of a configuration: bus powered, may wake the host */
#define MAX_POWER     50   /* 100 mA */

#define DESCRIPTOR_HID    0x21
#define DESCRIPTOR_REPORT 0x22

#define STATUS_REMOTE_WAKEUP 0x02
#define STATUS_HALTED        0x01
#define MAX_DESCRIPTOR       64
#define MAX_LEDS             8

enum {
  HID_GET_REPORT = 0x01,
  HID_GET_IDLE = 0x02,
  HID_GET_PROTOCOL = 0x03,
  HID_SET_REPORT = 0x09,
  HID_SET_IDLE = 0x0a,
  HID_SET_PROTOCOL = 0x0b,
};

static VmmUsbStatus
reply (VmmUsbTransfer *transfer, gconstpointer bytes, gsize length)
{
  vmm_usb_transfer_write (transfer, bytes, length);
  return VMM_USB_OK;
}

static VmmUsbStatus
get_device_descriptor (UsbHid *self, VmmUsbTransfer *transfer)
{
  const UsbHidModel *model = self->model;
  guint8 bytes[18] = {
    sizeof bytes,
    USB_DESCRIPTOR_DEVICE,
    0x00,
    0x02,
    0,
    0,
    0,
    MAX_PACKET,
    VENDOR & 0xff,
    VENDOR >> 8,
    model->product_id,
    model->product_id >> 8,
  };

  bytes[13] = 1; /* release 1.0 */
  bytes[14] = 1; /* strings: manufacturer, product, serial number */
  bytes[15] = 2;
  bytes[16] = 3;
  bytes[17] = 1; /* configurations */
  return reply (transfer, bytes, sizeof bytes);
}

/* What it would be at another speed: the same. */
static VmmUsbStatus
get_qualifier (UsbHid *self, VmmUsbTransfer *transfer)
{
  static const guint8 bytes[10] = {
    sizeof bytes, USB_DESCRIPTOR_QUALIFIER, 0x00, 0x02, 0, 0, 0, MAX_PACKET, 1, 0,
  };

  return reply (transfer, bytes, sizeof bytes);
}

static void
put_hid_descriptor (UsbHid *self, guint8 *bytes)
{
  guint length = self->model->report_descriptor_length;
  guint8 hid[9] = { sizeof hid, DESCRIPTOR_HID,    0x11,   0x01,       0,
                    1,          DESCRIPTOR_REPORT, length, length >> 8 };

  memcpy (bytes, hid, sizeof hid);
}

static VmmUsbStatus
get_configuration_descriptor (UsbHid *self, VmmUsbTransfer *transfer)
{
  const UsbHidModel *model = self->model;
  guint8 bytes[34] = {
    /* configuration */
    9,
    USB_DESCRIPTOR_CONFIGURATION,
    sizeof bytes,
    0,
    1,
    1,
    0,
    POWERED_WAKES,
    MAX_POWER,
    /* interface */
    9,
    USB_DESCRIPTOR_INTERFACE,
    0,
    0,
    1,
    CLASS_HID,
    model->boot ? BOOT_SUBCLASS : 0,
    model->boot_protocol,
    0,
  };
  guint8 endpoint[7] = {
    sizeof endpoint,   USB_DESCRIPTOR_ENDPOINT, USB_HID_ENDPOINT | VMM_USB_TO_HOST,
    VMM_USB_INTERRUPT, model->report_length,    0,
    INTERVAL,
  };

  put_hid_descriptor (self, bytes + 18);
  memcpy (bytes + 27, endpoint, sizeof endpoint);
  return reply (transfer, bytes, sizeof bytes);
}

static VmmUsbStatus
get_string (UsbHid *self, VmmUsbTransfer *transfer, guint index)
{
  const char *const texts[N_STRINGS] = { NULL, "VirtDesk", self->model->product, self->parent.id };
  guint8 bytes[MAX_DESCRIPTOR] = { 4, USB_DESCRIPTOR_STRING, 0x09, 0x04 }; /* 0: English */

  if (index >= N_STRINGS)
    return VMM_USB_STALL;
  if (index > 0) {
    gsize n = MIN (strlen (texts[index]), (sizeof bytes - 2) / 2);

    bytes[0] = 2 + 2 * n;
    for (gsize i = 0; i < n; i++) {
      bytes[2 + 2 * i] = texts[index][i];
      bytes[3 + 2 * i] = 0;
    }
  }
  return reply (transfer, bytes, bytes[0]);
}

static VmmUsbStatus
get_descriptor (UsbHid *self, VmmUsbTransfer *transfer)
{
  switch (transfer->setup.value >> 8) {
  case USB_DESCRIPTOR_DEVICE:
    return get_device_descriptor (self, transfer);
  case USB_DESCRIPTOR_QUALIFIER:
    return get_qualifier (self, transfer);
  case USB_DESCRIPTOR_CONFIGURATION:
    return get_configuration_descriptor (self, transfer);
  case USB_DESCRIPTOR_STRING:
    return get_string (self, transfer, transfer->setup.value & 0xff);
  default:
    return VMM_USB_STALL;
  }
}

static VmmUsbStatus
get_interface_descriptor (UsbHid *self, VmmUsbTransfer *transfer)
{
  guint8 bytes[9];

  switch (transfer->setup.value >> 8) {
  case DESCRIPTOR_HID:
    put_hid_descriptor (self, bytes);
    return reply (transfer, bytes, sizeof bytes);
  case DESCRIPTOR_REPORT:
    return reply (transfer, self->model->report_descriptor, self->model->report_descriptor_length);
  default:
    return VMM_USB_STALL;
  }
}

static VmmUsbStatus
get_device_status (UsbHid *self, VmmUsbTransfer *transfer)
{
  guint8 bytes[2] = { self->remote_wakeup ? STATUS_REMOTE_WAKEUP : 0 };

  return reply (transfer, bytes, sizeof bytes);
}

static VmmUsbStatus
get_interface_status (UsbHid *self, VmmUsbTransfer *transfer)
{
  static const guint8 bytes[2];

  return reply (transfer, bytes, sizeof bytes);
}

static VmmUsbStatus
get_endpoint_status (UsbHid *self, VmmUsbTransfer *transfer)
{
  gboolean ours = transfer->setup.index == (USB_HID_ENDPOINT | VMM_USB_TO_HOST);
  guint8 bytes[2] = { ours && self->halted ? STATUS_HALTED : 0 };

  return reply (transfer, bytes, sizeof bytes);
}

static VmmUsbStatus
change_device_feature (UsbHid *self, VmmUsbTransfer *transfer)
{
  if (transfer->setup.value != USB_FEATURE_REMOTE_WAKEUP)
    return VMM_USB_STALL;
  self->remote_wakeup = transfer->setup.request == USB_SET_FEATURE;
  return VMM_USB_OK;
}

static VmmUsbStatus
change_endpoint_feature (UsbHid *self, VmmUsbTransfer *transfer)
{
  if (transfer->setup.value != USB_FEATURE_ENDPOINT_HALT)
    return VMM_USB_STALL;
  if (transfer->setup.index == (USB_HID_ENDPOINT | VMM_USB_TO_HOST))
    self->halted = transfer->setup.request == USB_SET_FEATURE;
  return VMM_USB_OK;
}

static VmmUsbStatus
accept (UsbHid *self, VmmUsbTransfer *transfer)
{
  return VMM_USB_OK;
}

static VmmUsbStatus
get_configuration (UsbHid *self, VmmUsbTransfer *transfer)
{
  return reply (transfer, &self->configuration, 1);
}

static VmmUsbStatus
set_configuration (UsbHid *self, VmmUsbTransfer *transfer)
{
  if (transfer->setup.value > 1)
    return VMM_USB_STALL;
  self->configuration = transfer->setup.value;
  self->halted = FALSE;
  usb_hid_forget_input (self);
  return VMM_USB_OK;
}

static VmmUsbStatus
get_zero (UsbHid *self, VmmUsbTransfer *transfer)
{
  static const guint8 zero;

  return reply (transfer, &zero, 1);
}

static VmmUsbStatus
set_interface (UsbHid *self, VmmUsbTransfer *transfer)
{
  return transfer->setup.value == 0 ? VMM_USB_OK : VMM_USB_STALL;
}

static VmmUsbStatus
get_report (UsbHid *self, VmmUsbTransfer *transfer)
{
  return reply (transfer, self->current, self->model->report_length);
}

static VmmUsbStatus
set_report (UsbHid *self, VmmUsbTransfer *transfer)
{
  guint8 bytes[MAX_LEDS];

  if (vmm_usb_transfer_read (transfer, bytes, sizeof bytes) > 0)
    self->leds = bytes[0];
  return VMM_USB_OK;
}

static VmmUsbStatus
get_idle (UsbHid *self, VmmUsbTransfer *transfer)
{
  return reply (transfer, &self->idle, 1);
}

static VmmUsbStatus
set_idle (UsbHid *self, VmmUsbTransfer *transfer)
{
  self->idle = transfer->setup.value >> 8;
  usb_hid_arm_repeat (self);
  return VMM_USB_OK;
}

static VmmUsbStatus
get_protocol (UsbHid *self, VmmUsbTransfer *transfer)
{
  return self->model->boot ? reply (transfer, &self->protocol, 1) : VMM_USB_STALL;
}

static VmmUsbStatus
set_protocol (UsbHid *self, VmmUsbTransfer *transfer)
{
  if (!self->model->boot || transfer->setup.value > USB_HID_REPORT_PROTOCOL)
    return VMM_USB_STALL;
  self->protocol = transfer->setup.value;
  return VMM_USB_OK;
}

/* By bmRequestType and bRequest. What is not here stalls. */
static const struct {
  guint8 type, request;
  const char *name;
  VmmUsbStatus (*execute) (UsbHid *self, VmmUsbTransfer *transfer);
} requests[] = {
  { VMM_USB_TO_HOST | USB_STANDARD_DEVICE, USB_GET_STATUS, "GET_STATUS", get_device_status },
  { VMM_USB_TO_HOST | USB_STANDARD_INTERFACE, USB_GET_STATUS, "GET_STATUS", get_interface_status },
  { VMM_USB_TO_HOST | USB_STANDARD_ENDPOINT, USB_GET_STATUS, "GET_STATUS", get_endpoint_status },
  { USB_STANDARD_DEVICE, USB_CLEAR_FEATURE, "CLEAR_FEATURE", change_device_feature },
  { USB_STANDARD_DEVICE, USB_SET_FEATURE, "SET_FEATURE", change_device_feature },
  { USB_STANDARD_ENDPOINT, USB_CLEAR_FEATURE, "CLEAR_FEATURE", change_endpoint_feature },
  { USB_STANDARD_ENDPOINT, USB_SET_FEATURE, "SET_FEATURE", change_endpoint_feature },
  { USB_STANDARD_DEVICE, USB_SET_ADDRESS, "SET_ADDRESS", accept },
  { VMM_USB_TO_HOST | USB_STANDARD_DEVICE, USB_GET_DESCRIPTOR, "GET_DESCRIPTOR", get_descriptor },
  { VMM_USB_TO_HOST | USB_STANDARD_INTERFACE, USB_GET_DESCRIPTOR, "GET_DESCRIPTOR",
    get_interface_descriptor },
  { VMM_USB_TO_HOST | USB_STANDARD_DEVICE, USB_GET_CONFIGURATION, "GET_CONFIGURATION",
    get_configuration },
  { USB_STANDARD_DEVICE, USB_SET_CONFIGURATION, "SET_CONFIGURATION", set_configuration },
  { VMM_USB_TO_HOST | USB_STANDARD_INTERFACE, USB_GET_INTERFACE, "GET_INTERFACE", get_zero },
  { USB_STANDARD_INTERFACE, USB_SET_INTERFACE, "SET_INTERFACE", set_interface },
  { VMM_USB_TO_HOST | USB_CLASS_INTERFACE, HID_GET_REPORT, "GET_REPORT", get_report },
  { USB_CLASS_INTERFACE, HID_SET_REPORT, "SET_REPORT", set_report },
  { VMM_USB_TO_HOST | USB_CLASS_INTERFACE, HID_GET_IDLE, "GET_IDLE", get_idle },
  { USB_CLASS_INTERFACE, HID_SET_IDLE, "SET_IDLE", set_idle },
  { VMM_USB_TO_HOST | USB_CLASS_INTERFACE, HID_GET_PROTOCOL, "GET_PROTOCOL", get_protocol },
  { USB_CLASS_INTERFACE, HID_SET_PROTOCOL, "SET_PROTOCOL", set_protocol },
};

VmmUsbStatus
usb_hid_control (UsbHid *self, VmmUsbTransfer *transfer)
{
  for (guint i = 0; i < G_N_ELEMENTS (requests); i++)
    if (requests[i].type == transfer->setup.type && requests[i].request == transfer->setup.request)
      return requests[i].execute (self, transfer);
  return VMM_USB_STALL;
}
