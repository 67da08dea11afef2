/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A USB keyboard: the boot keyboard (HID 1.11, appendix B.1) and nothing more. Eight bytes: the
 * modifiers, nothing, and six keys.
 *
 * Threads: as usb-device.h says.
 */
#include <linux/input-event-codes.h>
#include <string.h>

#include "usb/usb-hid.h"

#define FIRST_MODIFIER 0xe0
#define FIRST_KEY      2 /* in the report */
#define N_KEYS         6
#define ROLL_OVER      0x01 /* more keys than there is room for */
#define BOOT_KEYBOARD  1

static const guint8 report_descriptor[] = {
  0x05, 0x01,       /* Usage Page: Generic Desktop */
  0x09, 0x06,       /* Usage: Keyboard */
  0xa1, 0x01,       /* Collection: Application */
  0x05, 0x07,       /*   Usage Page: Keyboard */
  0x19, 0xe0,       /*   Usage Minimum: Left Control */
  0x29, 0xe7,       /*   Usage Maximum: Right GUI */
  0x15, 0x00,       /*   Logical Minimum: 0 */
  0x25, 0x01,       /*   Logical Maximum: 1 */
  0x75, 0x01,       /*   Report Size: 1 */
  0x95, 0x08,       /*   Report Count: 8 */
  0x81, 0x02,       /*   Input: Data, Variable, Absolute */
  0x95, 0x01,       /*   Report Count: 1 */
  0x75, 0x08,       /*   Report Size: 8 */
  0x81, 0x01,       /*   Input: Constant */
  0x95, 0x05,       /*   Report Count: 5 */
  0x75, 0x01,       /*   Report Size: 1 */
  0x05, 0x08,       /*   Usage Page: LEDs */
  0x19, 0x01,       /*   Usage Minimum: Num Lock */
  0x29, 0x05,       /*   Usage Maximum: Kana */
  0x91, 0x02,       /*   Output: Data, Variable, Absolute */
  0x95, 0x01,       /*   Report Count: 1 */
  0x75, 0x03,       /*   Report Size: 3 */
  0x91, 0x01,       /*   Output: Constant */
  0x95, 0x06,       /*   Report Count: 6 */
  0x75, 0x08,       /*   Report Size: 8 */
  0x15, 0x00,       /*   Logical Minimum: 0 */
  0x26, 0xff, 0x00, /*   Logical Maximum: 255 */
  0x05, 0x07,       /*   Usage Page: Keyboard */
  0x19, 0x00,       /*   Usage Minimum: 0 */
  0x2a, 0xff, 0x00, /*   Usage Maximum: 255 */
  0x81, 0x00,       /*   Input: Data, Array */
  0xc0,             /* End Collection */
};

static gboolean
is_down (const UsbHid *self, guint usage)
{
  return (self->down[usage / 8] >> usage % 8 & 1) != 0;
}

static void
fill_report (UsbHid *self)
{
  guint8 *report = self->current;
  guint n = 0;

  memset (report, 0, USB_HID_MAX_REPORT);
  report[0] = self->down[FIRST_MODIFIER / 8];
  for (guint usage = 1; usage < FIRST_MODIFIER; usage++) {
    if (!is_down (self, usage))
      continue;
    if (n == N_KEYS) {
      memset (report + FIRST_KEY, ROLL_OVER, N_KEYS);
      return;
    }
    report[FIRST_KEY + n++] = usage;
  }
}

static void
take_key (UsbHid *self, const VmmInputEvent *event)
{
  guint8 usage = event->type == EV_KEY ? hid_usage_of_key (event->code) : 0;

  if (usage == 0)
    return;
  self->down[usage / 8] &= ~(1 << usage % 8);
  if (event->value)
    self->down[usage / 8] |= 1 << usage % 8;
  fill_report (self);
}

static const UsbHidModel keyboard_model = {
  .kind = VMM_INPUT_KEYBOARD,
  .product = "USB keyboard",
  .product_id = 0x0001,
  .boot = TRUE,
  .boot_protocol = BOOT_KEYBOARD,
  .report_descriptor = report_descriptor,
  .report_descriptor_length = sizeof report_descriptor,
  .report_length = 8,
  .take = take_key,
};

static gboolean
usb_keyboard_realize (VmmUsbDevice *device, gconstpointer config, GError **error)
{
  return usb_hid_realize ((UsbHid *) device, &keyboard_model, config);
}

const VmmUsbDeviceClass vmm_usb_keyboard_class = {
  .name = "usb-keyboard",
  .instance_size = sizeof (UsbHid),
  .speed = VMM_USB_HIGH_SPEED,
  .version = 1,
  .fields = usb_hid_fields,
  .realize = usb_keyboard_realize,
  .attached = usb_hid_attached,
  .detached = usb_hid_detached,
  .reset = usb_hid_reset,
  .submit = usb_hid_submit,
  .loaded = usb_hid_loaded,
};
