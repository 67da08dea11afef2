/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The words of USB (USB 2.0, chapter 9): requests, descriptors and speeds.
 *
 * Threads: constants.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* As xHCI numbers them too (xHCI 1.1, 7.2.2.1.1). */
typedef enum {
  VMM_USB_FULL_SPEED = 1,
  VMM_USB_LOW_SPEED = 2,
  VMM_USB_HIGH_SPEED = 3,
  VMM_USB_SUPER_SPEED = 4,
} VmmUsbSpeed;

/* A setup packet (9.3). */
typedef struct {
  guint8 type; /* bmRequestType */
  guint8 request;
  guint16 value, index, length;
} VmmUsbSetup;

#define VMM_USB_TO_HOST 0x80 /* of bmRequestType, and of an endpoint's address */

/* bmRequestType, without the direction. */
enum {
  USB_STANDARD_DEVICE = 0x00,
  USB_STANDARD_INTERFACE = 0x01,
  USB_STANDARD_ENDPOINT = 0x02,
  USB_CLASS_INTERFACE = 0x21,
};

enum {
  USB_GET_STATUS = 0x00,
  USB_CLEAR_FEATURE = 0x01,
  USB_SET_FEATURE = 0x03,
  USB_SET_ADDRESS = 0x05,
  USB_GET_DESCRIPTOR = 0x06,
  USB_GET_CONFIGURATION = 0x08,
  USB_SET_CONFIGURATION = 0x09,
  USB_GET_INTERFACE = 0x0a,
  USB_SET_INTERFACE = 0x0b,
};

enum {
  USB_DESCRIPTOR_DEVICE = 0x01,
  USB_DESCRIPTOR_CONFIGURATION = 0x02,
  USB_DESCRIPTOR_STRING = 0x03,
  USB_DESCRIPTOR_INTERFACE = 0x04,
  USB_DESCRIPTOR_ENDPOINT = 0x05,
  USB_DESCRIPTOR_QUALIFIER = 0x06,
};

enum {
  USB_FEATURE_ENDPOINT_HALT = 0,
  USB_FEATURE_REMOTE_WAKEUP = 1,
};

G_END_DECLS
