/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A USB tablet: a mouse that says where it is and not how far it went, with five buttons and two
 * wheels. Seven bytes: buttons, X, Y (little-endian, 0 to 32767), wheel, wheel to the side.
 *
 * Threads: as usb-device.h says.
 */
#include <linux/input-event-codes.h>
#include <string.h>

#include "usb/usb-hid.h"

#define BUTTONS   0 /* in the report */
#define PLACE_X   1
#define PLACE_Y   3
#define WHEEL     5
#define HWHEEL    6
#define LENGTH    7
#define MAX_WHEEL 127

static const guint8 report_descriptor[] = {
  0x05, 0x01,       /* Usage Page: Generic Desktop */
  0x09, 0x02,       /* Usage: Mouse */
  0xa1, 0x01,       /* Collection: Application */
  0x09, 0x01,       /*   Usage: Pointer */
  0xa1, 0x00,       /*   Collection: Physical */
  0x05, 0x09,       /*     Usage Page: Button */
  0x19, 0x01,       /*     Usage Minimum: 1 */
  0x29, 0x05,       /*     Usage Maximum: 5 */
  0x15, 0x00,       /*     Logical Minimum: 0 */
  0x25, 0x01,       /*     Logical Maximum: 1 */
  0x95, 0x05,       /*     Report Count: 5 */
  0x75, 0x01,       /*     Report Size: 1 */
  0x81, 0x02,       /*     Input: Data, Variable, Absolute */
  0x95, 0x01,       /*     Report Count: 1 */
  0x75, 0x03,       /*     Report Size: 3 */
  0x81, 0x01,       /*     Input: Constant */
  0x05, 0x01,       /*     Usage Page: Generic Desktop */
  0x09, 0x30,       /*     Usage: X */
  0x09, 0x31,       /*     Usage: Y */
  0x15, 0x00,       /*     Logical Minimum: 0 */
  0x26, 0xff, 0x7f, /*     Logical Maximum: 32767 */
  0x35, 0x00,       /*     Physical Minimum: 0 */
  0x46, 0xff, 0x7f, /*     Physical Maximum: 32767 */
  0x75, 0x10,       /*     Report Size: 16 */
  0x95, 0x02,       /*     Report Count: 2 */
  0x81, 0x02,       /*     Input: Data, Variable, Absolute */
  0x09, 0x38,       /*     Usage: Wheel */
  0x15, 0x81,       /*     Logical Minimum: -127 */
  0x25, 0x7f,       /*     Logical Maximum: 127 */
  0x35, 0x00,       /*     Physical Minimum: as the logical one */
  0x45, 0x00,       /*     Physical Maximum: likewise */
  0x75, 0x08,       /*     Report Size: 8 */
  0x95, 0x01,       /*     Report Count: 1 */
  0x81, 0x06,       /*     Input: Data, Variable, Relative */
  0x05, 0x0c,       /*     Usage Page: Consumer */
  0x0a, 0x38, 0x02, /*     Usage: AC Pan */
  0x81, 0x06,       /*     Input: Data, Variable, Relative */
  0xc0,             /*   End Collection */
  0xc0,             /* End Collection */
};

static void
put_place (guint8 *at, gint32 value)
{
  at[0] = value;
  at[1] = value >> 8;
}

static void
put_wheel (guint8 *at, gint32 value)
{
  *at = (gint8) CLAMP (value, -MAX_WHEEL, MAX_WHEEL);
}

static void
take_event (UsbHid *self, const VmmInputEvent *event)
{
  guint8 *report = self->current;

  if (event->type == EV_ABS && event->code == ABS_X) {
    put_place (report + PLACE_X, event->value);
  } else if (event->type == EV_ABS && event->code == ABS_Y) {
    put_place (report + PLACE_Y, event->value);
  } else if (event->type == EV_REL && event->code == REL_WHEEL) {
    put_wheel (report + WHEEL, event->value);
  } else if (event->type == EV_REL && event->code == REL_HWHEEL) {
    put_wheel (report + HWHEEL, event->value);
  } else if (event->type == EV_KEY && event->code >= BTN_LEFT && event->code <= BTN_EXTRA) {
    guint8 bit = 1 << (event->code - BTN_LEFT);

    report[BUTTONS] = event->value ? report[BUTTONS] | bit : report[BUTTONS] & ~bit;
  }
}

/* Wheels have turned once. */
static void
forget_wheels (UsbHid *self)
{
  self->current[WHEEL] = self->current[HWHEEL] = 0;
}

/* A pointer that moves faster than it is asked is heard of at its last place only. */
static gboolean
replaces (const guint8 *last, const guint8 *next)
{
  return last[BUTTONS] == next[BUTTONS] && last[WHEEL] == 0 && last[HWHEEL] == 0 &&
         next[WHEEL] == 0 && next[HWHEEL] == 0;
}

static const UsbHidModel tablet_model = {
  .kind = VMM_INPUT_TABLET,
  .product = "USB tablet",
  .product_id = 0x0002,
  .report_descriptor = report_descriptor,
  .report_descriptor_length = sizeof report_descriptor,
  .report_length = LENGTH,
  .take = take_event,
  .taken = forget_wheels,
  .replaces = replaces,
};

static gboolean
usb_tablet_realize (VmmUsbDevice *device, gconstpointer config, GError **error)
{
  return usb_hid_realize ((UsbHid *) device, &tablet_model, config);
}

const VmmUsbDeviceClass vmm_usb_tablet_class = {
  .name = "usb-tablet",
  .instance_size = sizeof (UsbHid),
  .speed = VMM_USB_HIGH_SPEED,
  .version = 1,
  .fields = usb_hid_fields,
  .realize = usb_tablet_realize,
  .attached = usb_hid_attached,
  .detached = usb_hid_detached,
  .reset = usb_hid_reset,
  .submit = usb_hid_submit,
  .loaded = usb_hid_loaded,
};
