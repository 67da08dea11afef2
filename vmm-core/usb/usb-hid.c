/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * HID devices (HID 1.11): input becomes reports on an interrupt endpoint. Each packet of input
 * becomes a report of the whole state; where the host reads slower than people move, the last
 * report takes in what comes: the state at the end is right whatever is lost on the way, so no key
 * sticks.
 *
 * Threads: as usb-device.h says; input comes on any thread.
 */
#include <string.h>

#include "usb/usb-hid.h"

#define IDLE_UNIT_NS (4 * G_GINT64_CONSTANT (1000000))

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
void
usb_hid_arm_repeat (UsbHid *self)
{
  gboolean wanted = self->idle != 0 && holds_key (self);

  if (self->repeat)
    vmm_source_arm (self->repeat, wanted ? vmm_loop_now_ns () + self->idle * IDLE_UNIT_NS : 0);
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
  vmm_usb_device_ready (&self->parent, USB_HID_ENDPOINT | VMM_USB_TO_HOST);
}

/* Loop. */
static void
repeat_report (gpointer data)
{
  UsbHid *self = data;

  vmm_usb_device_lock (&self->parent);
  if (self->configuration && self->n_reports == 0 && holds_key (self))
    append_report (self);
  usb_hid_arm_repeat (self);
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
    usb_hid_arm_repeat (self);
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
void
usb_hid_forget_input (UsbHid *self)
{
  memset (self->current, 0, sizeof self->current);
  memset (self->down, 0, sizeof self->down);
  memset (self->reports, 0, sizeof self->reports);
  self->n_reports = 0;
  usb_hid_arm_repeat (self);
  vmm_input_forget (self->input, self->model->kind);
}

void
usb_hid_reset (VmmUsbDevice *device)
{
  UsbHid *self = (UsbHid *) device;

  self->configuration = 0;
  self->protocol = USB_HID_REPORT_PROTOCOL;
  self->idle = self->leds = 0;
  self->remote_wakeup = self->halted = FALSE;
  usb_hid_forget_input (self);
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
    return usb_hid_control (self, transfer);
  if (transfer->endpoint == (USB_HID_ENDPOINT | VMM_USB_TO_HOST) && self->configuration)
    return give_report (self, transfer);
  return VMM_USB_STALL;
}

void
usb_hid_loaded (VmmUsbDevice *device)
{
  UsbHid *self = (UsbHid *) device;

  self->configuration = MIN (self->configuration, 1);
  self->protocol = MIN (self->protocol, USB_HID_REPORT_PROTOCOL);
  self->n_reports = MIN (self->n_reports, USB_HID_MAX_REPORTS);
  usb_hid_arm_repeat (self);
}

gboolean
usb_hid_realize (UsbHid *self, const UsbHidModel *model, gconstpointer data)
{
  const VmmUsbHidConfig *config = data;

  self->model = model;
  self->input = config->input;
  self->protocol = USB_HID_REPORT_PROTOCOL;
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
