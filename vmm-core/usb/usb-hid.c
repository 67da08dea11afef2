/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * HID devices (HID 1.11) on the default control endpoint and one interrupt endpoint: descriptors,
 * requests, and reports. Each packet of input becomes a report of the whole state; where the host
 * reads slower than people move, the last report takes in what comes: the state at the end is right
 * whatever is lost on the way, so no key sticks.
 *
 * Threads: as usb-device.h says; input comes on any thread.
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
#define PROTOCOL_BOOT        0
#define PROTOCOL_REPORT      1
#define IDLE_UNIT_NS         (4 * G_GINT64_CONSTANT (1000000))
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

const VmmField usb_hid_fields[] = {
  VMM_EXEMPT (UsbHid, parent, "who the device is and where it stands"),
  VMM_EXEMPT (UsbHid, model, "a constant"),
  VMM_EXEMPT (UsbHid, input, "from the configuration"),
  VMM_FIELD (UsbHid, configuration, VMM_FIELD_UINT8, "configuration"),
  VMM_FIELD (UsbHid, protocol, VMM_FIELD_UINT8, "protocol"),
  VMM_FIELD (UsbHid, idle, VMM_FIELD_UINT8, "idle"),
  VMM_FIELD (UsbHid, leds, VMM_FIELD_UINT8, "leds"),
  VMM_FIELD (UsbHid, remote_wakeup, VMM_FIELD_BOOL, "remote-wakeup"),
  VMM_FIELD (UsbHid, halted, VMM_FIELD_BOOL, "halted"),
  VMM_FIELD (UsbHid, current, VMM_FIELD_BYTES, "current"),
  VMM_FIELD (UsbHid, down, VMM_FIELD_BYTES, "down"),
  VMM_FIELD (UsbHid, n_reports, VMM_FIELD_UINT32, "n-reports"),
  VMM_FIELD (UsbHid, reports, VMM_FIELD_BYTES, "reports"),
  VMM_EXEMPT (UsbHid, repeat, "of the loop"),
  VMM_FIELD_LAST,
};

static guint8 *
report_at (UsbHid *self, guint i)
{
  return self->reports + USB_HID_MAX_REPORT * i;
}

static gboolean
holds_key (const UsbHid *self)
{
  for (guint i = 0; i < sizeof self->down; i++)
    if (self->down[i])
      return TRUE;
  return FALSE;
}

/* A host that set an idle rate wants to hear of a key again while it is held (7.2.4): SeaBIOS does,
 * for that is how it repeats keys. */
static void
arm_repeat (UsbHid *self)
{
  gboolean wanted = self->idle != 0 && holds_key (self);

  if (self->repeat)
    vmm_source_arm (self->repeat,
                    wanted ? g_get_monotonic_time () * 1000 + self->idle * IDLE_UNIT_NS : 0);
}

static void
append_report (UsbHid *self)
{
  guint8 *last = self->n_reports > 0 ? report_at (self, self->n_reports - 1) : NULL;
  gboolean old = last && self->model->replaces && self->model->replaces (last, self->current);

  if (!old && self->n_reports < USB_HID_MAX_REPORTS)
    last = report_at (self, self->n_reports++);
  memcpy (last, self->current, USB_HID_MAX_REPORT);
  if (self->model->taken)
    self->model->taken (self);
  vmm_usb_device_ready (&self->parent, ENDPOINT | VMM_USB_TO_HOST);
}

/* Loop. */
static void
repeat_report (gpointer data)
{
  UsbHid *self = data;

  vmm_usb_device_lock (&self->parent);
  if (self->configuration && self->n_reports == 0 && holds_key (self))
    append_report (self);
  arm_repeat (self);
  vmm_usb_device_unlock (&self->parent);
}

/* Any thread: VmmInput has a packet. A device that no driver has configured has nobody to tell. */
static gboolean
take_events (gpointer data, const VmmInputEvent *events, guint n_events)
{
  UsbHid *self = data;
  gboolean taken;

  vmm_usb_device_lock (&self->parent);
  taken = self->configuration != 0;
  for (guint i = 0; taken && i < n_events; i++)
    self->model->take (self, &events[i]);
  if (taken) {
    append_report (self);
    arm_repeat (self);
    if (self->remote_wakeup)
      vmm_usb_device_wake (&self->parent);
  }
  vmm_usb_device_unlock (&self->parent);
  return taken;
}

/* Any thread. */
static gboolean
listens (gpointer data)
{
  UsbHid *self = data;
  gboolean configured;

  vmm_usb_device_lock (&self->parent);
  configured = self->configuration != 0;
  vmm_usb_device_unlock (&self->parent);
  return configured;
}

static const VmmInputSink usb_hid_sink = { listens, take_events };

/* Nobody knows of what is held any more. */
static void
forget_input (UsbHid *self)
{
  memset (self->current, 0, sizeof self->current);
  memset (self->down, 0, sizeof self->down);
  memset (self->reports, 0, sizeof self->reports);
  self->n_reports = 0;
  arm_repeat (self);
  vmm_input_forget (self->input, self->model->kind);
}

void
usb_hid_reset (VmmUsbDevice *device)
{
  UsbHid *self = (UsbHid *) device;

  self->configuration = 0;
  self->protocol = PROTOCOL_REPORT;
  self->idle = self->leds = 0;
  self->remote_wakeup = self->halted = FALSE;
  forget_input (self);
}

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
    sizeof endpoint,   USB_DESCRIPTOR_ENDPOINT, ENDPOINT | VMM_USB_TO_HOST,
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
  gboolean ours = transfer->setup.index == (ENDPOINT | VMM_USB_TO_HOST);
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
  if (transfer->setup.index == (ENDPOINT | VMM_USB_TO_HOST))
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
  forget_input (self);
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
  arm_repeat (self);
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
  if (!self->model->boot || transfer->setup.value > PROTOCOL_REPORT)
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

static VmmUsbStatus
control (UsbHid *self, VmmUsbTransfer *transfer)
{
  for (guint i = 0; i < G_N_ELEMENTS (requests); i++)
    if (requests[i].type == transfer->setup.type && requests[i].request == transfer->setup.request)
      return requests[i].execute (self, transfer);
  return VMM_USB_STALL;
}

static VmmUsbStatus
give_report (UsbHid *self, VmmUsbTransfer *transfer)
{
  if (self->halted)
    return VMM_USB_STALL;
  if (self->n_reports == 0)
    return VMM_USB_NAK;
  if (transfer->length < self->model->report_length)
    return VMM_USB_BABBLE;
  vmm_usb_transfer_write (transfer, self->reports, self->model->report_length);
  self->n_reports--;
  memmove (self->reports, report_at (self, 1), sizeof self->reports - USB_HID_MAX_REPORT);
  return VMM_USB_OK;
}

VmmUsbStatus
usb_hid_submit (VmmUsbDevice *device, VmmUsbTransfer *transfer)
{
  UsbHid *self = (UsbHid *) device;

  if (transfer->type == VMM_USB_CONTROL && transfer->endpoint == 0)
    return control (self, transfer);
  if (transfer->endpoint == (ENDPOINT | VMM_USB_TO_HOST) && self->configuration)
    return give_report (self, transfer);
  return VMM_USB_STALL;
}

void
usb_hid_loaded (VmmUsbDevice *device)
{
  UsbHid *self = (UsbHid *) device;

  self->configuration = MIN (self->configuration, 1);
  self->protocol = MIN (self->protocol, PROTOCOL_REPORT);
  self->n_reports = MIN (self->n_reports, USB_HID_MAX_REPORTS);
  arm_repeat (self);
}

gboolean
usb_hid_realize (UsbHid *self, const UsbHidModel *model, gconstpointer data)
{
  const VmmUsbHidConfig *config = data;

  self->model = model;
  self->input = config->input;
  self->protocol = PROTOCOL_REPORT;
  return TRUE;
}

/* Where there is no timer, a held key is told of once. */
void
usb_hid_attached (VmmUsbDevice *device)
{
  UsbHid *self = (UsbHid *) device;

  if (self->model->kind == VMM_INPUT_KEYBOARD)
    self->repeat = vmm_loop_add_timer (device->loop, repeat_report, self, NULL);
  vmm_input_set_sink (self->input, self->model->kind, VMM_INPUT_USB, &usb_hid_sink, self);
}

void
usb_hid_detached (VmmUsbDevice *device)
{
  UsbHid *self = (UsbHid *) device;

  vmm_input_set_sink (self->input, self->model->kind, VMM_INPUT_USB, NULL, NULL);
  if (self->repeat)
    vmm_loop_remove (device->loop, g_steal_pointer (&self->repeat));
}
