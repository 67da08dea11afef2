/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * USB keyboard and tablet on an xHCI controller: what they say they are, and what they say.
 */
#include <linux/input-event-codes.h>
#include <string.h>

#include "fake-xhci.h"
#include "usb/usb-hid.h"

#define KEYBOARD_PORT 1
#define TABLET_PORT   2
#define INTERRUPT_IN  3 /* device context index of endpoint 1, to the host */

typedef struct {
  FakeGuest *guest;
  VmmInput *input;
  VmmDevice *device;
  FakeXhci *xhci;
  guint64 data; /* in guest memory */
  guint slot, length;
} Fixture;

static VmmDevice *
controller_new (FakeGuest *guest, VmmInput *input)
{
  VmmXhciConfig config = { 0 };
  VmmUsbHidConfig hid = { .input = input };
  VmmDevice *device = vmm_device_new (&vmm_xhci_class.parent, &guest->board, "xhci", &config, NULL);

  g_assert_true (vmm_xhci_attach (
    device, vmm_usb_device_new (&vmm_usb_keyboard_class, "keyboard0", &hid, NULL), NULL));
  g_assert_true (vmm_xhci_attach (
    device, vmm_usb_device_new (&vmm_usb_tablet_class, "tablet0", &hid, NULL), NULL));
  return device;
}

static guint8 *
bytes (Fixture *f)
{
  return fake_guest_at (f->guest, f->data, 4096);
}

static guint
get (Fixture *f, guint8 type, guint8 request, guint16 value, guint16 length, guint32 *got)
{
  guint32 missing;
  guint code;

  memset (bytes (f), 0xee, 4096);
  code = fake_xhci_control (f->xhci, f->slot, type | VMM_USB_TO_HOST, request, value, 0, f->data,
                            length, &missing);
  if (got)
    *got = length - missing;
  return code;
}

static guint
set (Fixture *f, guint8 type, guint8 request, guint16 value, guint16 index)
{
  return fake_xhci_control (f->xhci, f->slot, type, request, value, index, 0, 0, NULL);
}

/* After a stall: the control endpoint works again. */
static void
recover (Fixture *f)
{
  FakeRing *ring = &f->xhci->slots[f->slot].rings[1];

  fake_xhci_endpoint_command (f->xhci, XHCI_RESET_ENDPOINT, f->slot, 1);
  fake_xhci_new_ring (f->xhci, ring);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_SET_TR_DEQUEUE, ring->base | 1, 0,
                                       f->slot << 24 | 1 << 16, NULL),
                    ==, XHCI_SUCCESS);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  guint port = GPOINTER_TO_UINT (data);

  f->guest = fake_guest_new ();
  f->input = vmm_input_new ();
  f->device = controller_new (f->guest, f->input);
  f->xhci = fake_xhci_new (f->guest, f->device, TRUE);
  f->data = fake_guest_alloc (f->guest, 4096);
  f->slot = fake_xhci_address (f->xhci, port);
  f->length = port == KEYBOARD_PORT ? 8 : 7;
}

static void
configure (Fixture *f)
{
  g_assert_cmpuint (fake_xhci_configure (f->xhci, f->slot, INTERRUPT_IN, 7), ==, XHCI_SUCCESS);
  g_assert_cmpuint (set (f, 0, 9, 1, 0), ==, XHCI_SUCCESS);
}

static void
set_up_configured (Fixture *f, gconstpointer data)
{
  set_up (f, data);
  configure (f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_xhci_free (f->xhci);
  vmm_device_free (f->device);
  vmm_input_free (f->input);
  fake_guest_free (f->guest);
}

/* Asks for a report. */
static void
ask (Fixture *f)
{
  fake_ring_put (f->xhci, &f->xhci->slots[f->slot].rings[INTERRUPT_IN], f->data, f->length,
                 XHCI_NORMAL << XHCI_TRB_TYPE_SHIFT | XHCI_TRB_IOC | XHCI_TRB_ISP);
  fake_xhci_ring_doorbell (f->xhci, f->slot, INTERRUPT_IN);
}

static void
check_report (Fixture *f, const guint8 *report)
{
  XhciTrb event = fake_xhci_wait_event (f->xhci, XHCI_TRANSFER_EVENT);

  g_assert_cmpuint (fake_xhci_code (&event), ==, XHCI_SUCCESS);
  g_assert_cmpmem (bytes (f), f->length, report, f->length);
}

static void
ask_and_check (Fixture *f, const guint8 *report)
{
  ask (f);
  check_report (f, report);
}

static void
test_descriptors (Fixture *f, gconstpointer data)
{
  gboolean keyboard = GPOINTER_TO_UINT (data) == KEYBOARD_PORT;
  guint32 got;
  guint report_length;

  g_assert_cmpuint (get (f, 0, 6, 0x100, 64, &got), ==, XHCI_SUCCESS);
  g_assert_cmpuint (got, ==, 18);
  g_assert_cmphex (bytes (f)[1], ==, 1);
  g_assert_cmphex (bytes (f)[7], ==, 64);
  g_assert_cmphex (bytes (f)[10], ==, keyboard ? 1 : 2);
  g_assert_cmpuint (get (f, 0, 6, 0x100, 8, &got), ==, XHCI_SUCCESS);
  g_assert_cmpuint (got, ==, 8);
  g_assert_cmphex (bytes (f)[8], ==, 0xee);
  g_assert_cmpuint (get (f, 0, 6, 0x600, 64, &got), ==, XHCI_SUCCESS);
  g_assert_cmpuint (got, ==, 10);
  g_assert_cmpuint (get (f, 0, 6, 0x200, 255, &got), ==, XHCI_SUCCESS);
  g_assert_cmpuint (got, ==, 34);
  g_assert_cmpuint (bytes (f)[2], ==, 34);
  g_assert_cmphex (bytes (f)[14], ==, 3); /* HID */
  g_assert_cmphex (bytes (f)[15], ==, keyboard);
  g_assert_cmphex (bytes (f)[18 + 1], ==, 0x21);
  report_length = bytes (f)[18 + 7] | bytes (f)[18 + 8] << 8;
  g_assert_cmphex (bytes (f)[27 + 2], ==, 0x81);
  g_assert_cmpuint (bytes (f)[27 + 4], ==, f->length);
  g_assert_cmpuint (get (f, 1, 6, 0x2200, 512, &got), ==, XHCI_SUCCESS);
  g_assert_cmpuint (got, ==, report_length);
  g_assert_cmphex (bytes (f)[0], ==, 0x05);
  g_assert_cmphex (bytes (f)[report_length - 1], ==, 0xc0);
  g_assert_cmpuint (get (f, 1, 6, 0x2100, 64, &got), ==, XHCI_SUCCESS);
  g_assert_cmpuint (got, ==, 9);
}

static void
test_strings (Fixture *f, gconstpointer data)
{
  guint32 got;

  g_assert_cmpuint (get (f, 0, 6, 0x300, 255, &got), ==, XHCI_SUCCESS);
  g_assert_cmpmem (bytes (f), got, "\4\3\x09\4", 4);
  g_assert_cmpuint (get (f, 0, 6, 0x301, 255, &got), ==, XHCI_SUCCESS);
  g_assert_cmpmem (bytes (f), got, "\x12\3V\0i\0r\0t\0D\0e\0s\0k\0", 18);
  g_assert_cmpuint (get (f, 0, 6, 0x303, 255, &got), ==, XHCI_SUCCESS);
  g_assert_cmphex (bytes (f)[2], ==, 'k');
  g_assert_cmpuint (get (f, 0, 6, 0x304, 255, NULL), ==, XHCI_STALL_ERROR);
}

static void
test_requests (Fixture *f, gconstpointer data)
{
  gboolean keyboard = GPOINTER_TO_UINT (data) == KEYBOARD_PORT;
  guint32 got;

  g_assert_cmpuint (get (f, 0, 8, 0, 1, &got), ==, XHCI_SUCCESS);
  g_assert_cmphex (bytes (f)[0], ==, 0);
  g_assert_cmpuint (set (f, 0, 9, 1, 0), ==, XHCI_SUCCESS);
  g_assert_cmpuint (get (f, 0, 8, 0, 1, &got), ==, XHCI_SUCCESS);
  g_assert_cmphex (bytes (f)[0], ==, 1);
  g_assert_cmpuint (get (f, 0, 0, 0, 2, &got), ==, XHCI_SUCCESS);
  g_assert_cmphex (bytes (f)[0], ==, 0);
  g_assert_cmpuint (set (f, 0, 3, 1, 0), ==, XHCI_SUCCESS); /* it may wake the host */
  g_assert_cmpuint (get (f, 0, 0, 0, 2, &got), ==, XHCI_SUCCESS);
  g_assert_cmphex (bytes (f)[0], ==, 2);
  g_assert_cmpuint (set (f, 0, 1, 1, 0), ==, XHCI_SUCCESS);
  g_assert_cmpuint (get (f, 1, 0, 0, 2, &got), ==, XHCI_SUCCESS);
  g_assert_cmpuint (get (f, 2, 0, 0, 2, &got), ==, XHCI_SUCCESS);
  g_assert_cmpuint (get (f, 1, 10, 0, 1, &got), ==, XHCI_SUCCESS);
  g_assert_cmpuint (set (f, 1, 11, 0, 0), ==, XHCI_SUCCESS);
  g_assert_cmpuint (set (f, 0, 5, 3, 0), ==, XHCI_SUCCESS);
  g_assert_cmpuint (set (f, 0x21, 10, 0x500, 0), ==, XHCI_SUCCESS);
  g_assert_cmpuint (get (f, 0x21, 2, 0, 1, &got), ==, XHCI_SUCCESS);
  g_assert_cmphex (bytes (f)[0], ==, 5);
  g_assert_cmpuint (get (f, 0x21, 1, 0x100, 8, &got), ==, XHCI_SUCCESS);
  g_assert_cmpuint (got, ==, f->length);
  bytes (f)[0] = 2;
  g_assert_cmpuint (fake_xhci_control (f->xhci, f->slot, 0x21, 9, 0x200, 0, f->data, 1, NULL), ==,
                    XHCI_SUCCESS);
  if (keyboard) {
    g_assert_cmpuint (get (f, 0x21, 3, 0, 1, &got), ==, XHCI_SUCCESS);
    g_assert_cmphex (bytes (f)[0], ==, 1);
    g_assert_cmpuint (set (f, 0x21, 11, 0, 0), ==, XHCI_SUCCESS);
    g_assert_cmpuint (get (f, 0x21, 3, 0, 1, &got), ==, XHCI_SUCCESS);
    g_assert_cmphex (bytes (f)[0], ==, 0);
  } else {
    g_assert_cmpuint (get (f, 0x21, 3, 0, 1, &got), ==, XHCI_STALL_ERROR);
  }
}

/* All requests there can be: an answer or a stall. */
static void
test_all_requests (Fixture *f, gconstpointer data)
{
  static const guint8 types[] = { 0x00, 0x01, 0x02, 0x20, 0x21, 0x40, 0x5f };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (types); i++)
    for (guint request = 0; request < 256; request++) {
      guint8 type = types[i / 2] | (i % 2 ? VMM_USB_TO_HOST : 0);
      guint code = fake_xhci_control (f->xhci, f->slot, type, request, 0x7fff, 0xff, f->data,
                                      request % 3 ? 16 : 0, NULL);

      g_assert_true (code == XHCI_SUCCESS || code == XHCI_STALL_ERROR);
      if (code == XHCI_STALL_ERROR)
        recover (f);
    }
  g_assert_cmpuint (get (f, 0, 6, 0x100, 64, NULL), ==, XHCI_SUCCESS);
}

static void
test_keys (Fixture *f, gconstpointer data)
{
  ask (f);
  fake_xhci_no_event (f->xhci);
  vmm_input_key (f->input, KEY_A, TRUE);
  check_report (f, (const guint8[]) { 0, 0, 4, 0, 0, 0, 0, 0 });
  vmm_input_key (f->input, KEY_LEFTSHIFT, TRUE);
  vmm_input_key (f->input, KEY_B, TRUE);
  vmm_input_key (f->input, KEY_A, FALSE);
  vmm_input_release_all (f->input);
  ask_and_check (f, (const guint8[]) { 2, 0, 4, 0, 0, 0, 0, 0 });
  ask_and_check (f, (const guint8[]) { 2, 0, 4, 5, 0, 0, 0, 0 });
  ask_and_check (f, (const guint8[]) { 2, 0, 5, 0, 0, 0, 0, 0 });
  ask_and_check (f, (const guint8[]) { 0, 0, 5, 0, 0, 0, 0, 0 });
  ask_and_check (f, (const guint8[]) { 0, 0, 0, 0, 0, 0, 0, 0 });
  ask (f);
  fake_xhci_no_event (f->xhci);
}

/* More keys than a report has room for. */
static void
test_roll_over (Fixture *f, gconstpointer data)
{
  static const guint8 keys[] = { KEY_Q, KEY_W, KEY_E, KEY_R, KEY_T, KEY_Y, KEY_U };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    vmm_input_key (f->input, keys[i], TRUE);
    ask (f);
    fake_xhci_wait_event (f->xhci, XHCI_TRANSFER_EVENT);
  }
  g_assert_cmpmem (bytes (f), 8, "\0\0\1\1\1\1\1\1", 8);
  vmm_input_key (f->input, KEY_Q, FALSE);
  ask (f);
  fake_xhci_wait_event (f->xhci, XHCI_TRANSFER_EVENT);
  g_assert_cmpmem (bytes (f) + 2, 6, "\x08\x15\x17\x18\x1a\x1c", 6);
}

/* Nobody reads for a long time: the state at the end is right all the same. */
static void
test_behind (Fixture *f, gconstpointer data)
{
  guint8 last[8] = { 0xff };
  XhciTrb event;
  guint n = 0;

  for (guint i = 0; i < 100; i++) {
    vmm_input_key (f->input, KEY_A + i % 5, TRUE);
    vmm_input_key (f->input, KEY_A + i % 5, FALSE);
  }
  vmm_input_key (f->input, KEY_SPACE, TRUE);
  do {
    ask (f);
    for (guint i = 0; i < 3; i++)
      fake_guest_settle (f->guest);
    if (!fake_xhci_take_event (f->xhci, &event))
      break;
    fake_xhci_done (f->xhci);
    memcpy (last, bytes (f), 8);
    n++;
  } while (n < 1000);
  g_assert_cmpuint (n, ==, USB_HID_MAX_REPORTS);
  g_assert_cmpmem (last, 8, "\0\0\x2c\0\0\0\0\0", 8);
}

/* A host that asked for it hears of a held key again, and of a released one no more. */
static void
test_idle (Fixture *f, gconstpointer data)
{
  g_assert_cmpuint (set (f, 0x21, 10, 0x100, 0), ==, XHCI_SUCCESS); /* every 4 ms */
  vmm_input_key (f->input, KEY_A, TRUE);
  for (guint i = 0; i < 4; i++)
    ask_and_check (f, (const guint8[]) { 0, 0, 4, 0, 0, 0, 0, 0 });
  vmm_input_key (f->input, KEY_A, FALSE);
  do {
    ask (f);
    fake_xhci_wait_event (f->xhci, XHCI_TRANSFER_EVENT);
  } while (bytes (f)[2] == 4);
  g_assert_cmphex (bytes (f)[2], ==, 0);
  ask (f);
  fake_xhci_no_event (f->xhci);
}

/* Every key that the table knows, and none that it does not. */
static void
test_all_keys (Fixture *f, gconstpointer data)
{
  gboolean seen[256] = { FALSE };
  guint n = 0;

  for (guint code = 1; code < KEY_CNT; code++) {
    guint8 usage = hid_usage_of_key (code);

    if (usage == 0)
      continue;
    g_assert_false (seen[usage]);
    seen[usage] = TRUE;
    vmm_input_key (f->input, code, TRUE);
    ask (f);
    fake_xhci_wait_event (f->xhci, XHCI_TRANSFER_EVENT);
    if (usage >= 0xe0)
      g_assert_cmphex (bytes (f)[0], ==, 1 << (usage - 0xe0));
    else
      g_assert_cmphex (bytes (f)[2], ==, usage);
    vmm_input_key (f->input, code, FALSE);
    ask (f);
    fake_xhci_wait_event (f->xhci, XHCI_TRANSFER_EVENT);
    n++;
  }
  g_assert_cmpuint (n, >, 120);
  g_assert_cmpuint (hid_usage_of_key (G_MAXUINT), ==, 0);
}

/* Held when the host resets the device: it is not held any more. */
static void
test_reset (Fixture *f, gconstpointer data)
{
  vmm_input_key (f->input, KEY_A, TRUE);
  ask_and_check (f, (const guint8[]) { 0, 0, 4, 0, 0, 0, 0, 0 });
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_DISABLE_SLOT, 0, 0, f->slot << 24, NULL), ==,
                    XHCI_SUCCESS);
  f->slot = fake_xhci_address (f->xhci, KEYBOARD_PORT);
  vmm_input_key (f->input, KEY_B, TRUE); /* nobody hears it */
  configure (f);
  ask (f);
  fake_xhci_no_event (f->xhci);
  vmm_input_key (f->input, KEY_A, TRUE); /* it can be pressed again */
  check_report (f, (const guint8[]) { 0, 0, 4, 0, 0, 0, 0, 0 });
}

/* Suspended, it wakes the host if it may. */
static void
test_wake (Fixture *f, gconstpointer data)
{
  fake_xhci_write_port (f->xhci, KEYBOARD_PORT, 0x00010060);
  vmm_input_key (f->input, KEY_A, TRUE);
  g_assert_cmphex (fake_xhci_port (f->xhci, KEYBOARD_PORT) & 0x1e0, ==, 0x60);
  fake_xhci_write_port (f->xhci, KEYBOARD_PORT, 0x00010000);
  fake_xhci_wait_event (f->xhci, XHCI_PORT_STATUS_CHANGE);
  fake_xhci_write_port (f->xhci, KEYBOARD_PORT, 0x00400000);
  g_assert_cmpuint (set (f, 0, 3, 1, 0), ==, XHCI_SUCCESS);
  fake_xhci_write_port (f->xhci, KEYBOARD_PORT, 0x00010060);
  vmm_input_key (f->input, KEY_B, TRUE);
  g_assert_cmphex (fake_xhci_port (f->xhci, KEYBOARD_PORT) & 0x1e0, ==, 0x1e0);
  fake_xhci_wait_event (f->xhci, XHCI_PORT_STATUS_CHANGE);
}

static void
test_tablet (Fixture *f, gconstpointer data)
{
  static const guint buttons[] = { BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA };

  ask (f);
  fake_xhci_no_event (f->xhci);
  vmm_input_move (f->input, 1, 0.5);
  check_report (f, (const guint8[]) { 0, 0xff, 0x7f, 0x00, 0x40, 0, 0 });
  for (guint i = 0; i < G_N_ELEMENTS (buttons); i++) {
    vmm_input_button (f->input, buttons[i], TRUE);
    ask_and_check (f, (const guint8[]) { 1 << i, 0xff, 0x7f, 0x00, 0x40, 0, 0 });
    vmm_input_button (f->input, buttons[i], FALSE);
    ask_and_check (f, (const guint8[]) { 0, 0xff, 0x7f, 0x00, 0x40, 0, 0 });
  }
  vmm_input_wheel (f->input, -3, 2);
  vmm_input_wheel (f->input, 1000, 0);
  vmm_input_move (f->input, 0, 0);
  ask_and_check (f, (const guint8[]) { 0, 0xff, 0x7f, 0x00, 0x40, 0xfd, 2 });
  ask_and_check (f, (const guint8[]) { 0, 0xff, 0x7f, 0x00, 0x40, 127, 0 });
  ask_and_check (f, (const guint8[]) { 0, 0, 0, 0, 0, 0, 0 });
  /* Of many places the last counts. */
  for (guint i = 0; i <= 100; i++)
    vmm_input_move (f->input, i / 100.0, 0);
  ask_and_check (f, (const guint8[]) { 0, 0xff, 0x7f, 0, 0, 0, 0 });
  ask (f);
  fake_xhci_no_event (f->xhci);
}

/* Too little room for a report. */
static void
test_babble (Fixture *f, gconstpointer data)
{
  XhciTrb event;

  f->length = 4;
  vmm_input_move (f->input, 1, 1);
  ask (f);
  event = fake_xhci_wait_event (f->xhci, XHCI_TRANSFER_EVENT);
  g_assert_cmpuint (fake_xhci_code (&event), ==, XHCI_BABBLE_DETECTED);
}

static void
test_halt (Fixture *f, gconstpointer data)
{
  XhciTrb event;

  g_assert_cmpuint (set (f, 2, 3, 0, 0x81), ==, XHCI_SUCCESS);
  ask (f);
  event = fake_xhci_wait_event (f->xhci, XHCI_TRANSFER_EVENT);
  g_assert_cmpuint (fake_xhci_code (&event), ==, XHCI_STALL_ERROR);
  g_assert_cmpuint (set (f, 2, 1, 0, 0x81), ==, XHCI_SUCCESS);
  fake_xhci_endpoint_command (f->xhci, XHCI_RESET_ENDPOINT, f->slot, INTERRUPT_IN);
  fake_xhci_ring_doorbell (f->xhci, f->slot, INTERRUPT_IN);
  vmm_input_move (f->input, 0, 1);
  check_report (f, (const guint8[]) { 0, 0, 0, 0xff, 0x7f, 0, 0 });
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmInput *input = vmm_input_new ();
  VmmDevice *other = controller_new (guest, input);

  vmm_input_key (f->input, KEY_A, TRUE);
  vmm_input_key (f->input, KEY_A, FALSE);
  vmm_input_move (f->input, 1, 1);
  fake_guest_check_saved (f->device, other);
  vmm_device_free (other);
  vmm_input_free (input);
  fake_guest_free (guest);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    guint port;
    gboolean configured;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/usb-hid/keyboard/descriptors", KEYBOARD_PORT, FALSE, test_descriptors },
    { "/usb-hid/keyboard/strings", KEYBOARD_PORT, FALSE, test_strings },
    { "/usb-hid/keyboard/requests", KEYBOARD_PORT, FALSE, test_requests },
    { "/usb-hid/keyboard/all-requests", KEYBOARD_PORT, FALSE, test_all_requests },
    { "/usb-hid/keyboard/keys", KEYBOARD_PORT, TRUE, test_keys },
    { "/usb-hid/keyboard/all-keys", KEYBOARD_PORT, TRUE, test_all_keys },
    { "/usb-hid/keyboard/roll-over", KEYBOARD_PORT, TRUE, test_roll_over },
    { "/usb-hid/keyboard/behind", KEYBOARD_PORT, TRUE, test_behind },
    { "/usb-hid/keyboard/idle", KEYBOARD_PORT, TRUE, test_idle },
    { "/usb-hid/keyboard/reset", KEYBOARD_PORT, TRUE, test_reset },
    { "/usb-hid/keyboard/wake", KEYBOARD_PORT, TRUE, test_wake },
    { "/usb-hid/keyboard/saved", KEYBOARD_PORT, TRUE, test_saved },
    { "/usb-hid/tablet/descriptors", TABLET_PORT, FALSE, test_descriptors },
    { "/usb-hid/tablet/requests", TABLET_PORT, FALSE, test_requests },
    { "/usb-hid/tablet/all-requests", TABLET_PORT, FALSE, test_all_requests },
    { "/usb-hid/tablet/events", TABLET_PORT, TRUE, test_tablet },
    { "/usb-hid/tablet/babble", TABLET_PORT, TRUE, test_babble },
    { "/usb-hid/tablet/halt", TABLET_PORT, TRUE, test_halt },
    { "/usb-hid/tablet/saved", TABLET_PORT, TRUE, test_saved },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, GUINT_TO_POINTER (tests[i].port),
                tests[i].configured ? set_up_configured : set_up, tests[i].run, tear_down);
  return g_test_run ();
}
