/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/input-event-codes.h>
#include <string.h>

#include "fake-guest.h"
#include "virtio/virtio-input.h"

#define EVENTS 0
#define STATUS 1

typedef struct {
  FakeGuest *guest;
  VmmInput *input;
  VmmDevice *device;
  FakeDriver *driver;
  guint64 buffers;
  guint n_given;
} Fixture;

static VmmDevice *
input_new (FakeGuest *guest, VmmInput *input, VmmInputKind kind)
{
  VmmVirtioInputConfig config = { .kind = kind, .input = input };

  return vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_input_class), &guest->board, "input0",
                         &config, NULL);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->guest = fake_guest_new ();
  f->input = vmm_input_new ();
  f->device = input_new (f->guest, f->input, GPOINTER_TO_INT (data));
  f->driver = fake_driver_new (f->guest, f->device, 0);
  f->buffers = fake_guest_alloc (f->guest, 8 * FAKE_QUEUE_SIZE);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_driver_free (f->driver);
  vmm_device_free (f->device);
  vmm_input_free (f->input);
  fake_guest_free (f->guest);
}

static void
give_buffers (Fixture *f, guint n)
{
  for (guint i = 0; i < n; i++) {
    FakeBuffer buffer = { f->buffers + 8 * (f->n_given++ % FAKE_QUEUE_SIZE), 8 };

    fake_driver_send (f->driver, EVENTS, NULL, 0, &buffer, 1);
  }
  fake_guest_settle (f->guest);
}

static void
check_event (Fixture *f, guint16 type, guint16 code, gint32 value)
{
  guint32 head, written;
  VmmInputEvent *event;

  g_assert_true (fake_driver_take_used (f->driver, EVENTS, &head, &written));
  g_assert_cmpuint (written, ==, 8);
  event = fake_guest_at (f->guest, f->buffers + 8 * head, 8);
  g_assert_cmpuint (event->type, ==, type);
  g_assert_cmpuint (event->code, ==, code);
  g_assert_cmpint (event->value, ==, value);
}

static void
check_silence (Fixture *f)
{
  guint32 head, written;

  fake_guest_settle (f->guest);
  g_assert_false (fake_driver_take_used (f->driver, EVENTS, &head, &written));
}

static void
test_keys (Fixture *f, gconstpointer data)
{
  give_buffers (f, 8);
  vmm_input_key (f->input, KEY_A, TRUE);
  vmm_input_move (f->input, 0, 0); /* not the keyboard's */
  fake_guest_wait_message (f->guest, 1);
  check_event (f, EV_KEY, KEY_A, 1);
  check_event (f, EV_SYN, SYN_REPORT, 0);
  check_silence (f);
}

/* Events wait for buffers, in order. */
static void
test_wait (Fixture *f, gconstpointer data)
{
  vmm_input_key (f->input, KEY_A, TRUE);
  vmm_input_key (f->input, KEY_B, TRUE);
  check_silence (f);
  give_buffers (f, 3);
  check_event (f, EV_KEY, KEY_A, 1);
  check_event (f, EV_SYN, SYN_REPORT, 0);
  check_event (f, EV_KEY, KEY_B, 1);
  check_silence (f);
  give_buffers (f, 1);
  check_event (f, EV_SYN, SYN_REPORT, 0);
  check_silence (f);
}

/* Of many places only the last is interesting, but a click stays where it was made. */
static void
test_motion (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i <= 1000; i++)
    vmm_input_move (f->input, i / 1000.0, 0);
  vmm_input_button (f->input, BTN_LEFT, TRUE);
  vmm_input_move (f->input, 0.25, 0);
  vmm_input_move (f->input, 0.5, 0);
  give_buffers (f, 12);
  check_event (f, EV_ABS, ABS_X, VMM_INPUT_ABS_MAX);
  check_event (f, EV_ABS, ABS_Y, 0);
  check_event (f, EV_SYN, SYN_REPORT, 0);
  check_event (f, EV_KEY, BTN_LEFT, 1);
  check_event (f, EV_SYN, SYN_REPORT, 0);
  check_event (f, EV_ABS, ABS_X, 16384);
  check_event (f, EV_ABS, ABS_Y, 0);
  check_event (f, EV_SYN, SYN_REPORT, 0);
  check_silence (f);
}

/* A guest that never reads: whole packets are lost, no more memory is taken. */
static void
test_flood (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 10000; i++)
    vmm_input_key (f->input, KEY_A, i % 2 == 0);
  fake_guest_settle (f->guest);
  for (guint i = 0; i < 256; i++) {
    give_buffers (f, 2);
    check_event (f, EV_KEY, KEY_A, i % 2 == 0);
    check_event (f, EV_SYN, SYN_REPORT, 0);
  }
  give_buffers (f, 2);
  check_silence (f);
}

/* Reads what waits; returns which of the keys below KEY_CNT are down at the end. */
static guint
read_all (Fixture *f, guint8 *down)
{
  guint32 head, written;
  guint n = 0;

  for (gboolean more = TRUE; more;) {
    give_buffers (f, 1);
    more = fake_driver_take_used (f->driver, EVENTS, &head, &written);
    if (more) {
      VmmInputEvent *event = fake_guest_at (f->guest, f->buffers + 8 * head, 8);

      if (event->type == EV_KEY)
        down[event->code] = event->value;
      n++;
    }
  }
  return n;
}

/* However far the guest is behind: what it saw pressed it sees released, whatever else is lost. */
static void
test_releases (Fixture *f, gconstpointer data)
{
  guint8 down[KEY_CNT] = { 0 };

  for (guint code = KEY_ESC; code <= KEY_MICMUTE; code++)
    vmm_input_key (f->input, code, TRUE);
  for (guint i = 0; i < 1000; i++)
    vmm_input_key (f->input, KEY_ESC, i % 2 == 1);
  vmm_input_release_all (f->input);
  g_assert_cmpuint (read_all (f, down), ==, 512);
  for (guint code = 0; code < KEY_CNT; code++)
    g_assert_cmpuint (down[code], ==, 0);
  /* And it goes on: nothing is believed to be down. */
  vmm_input_key (f->input, KEY_MICMUTE, TRUE);
  read_all (f, down);
  g_assert_cmpuint (down[KEY_MICMUTE], ==, 1);
}

/* Nobody listens yet: what is typed now is not typed later. */
static void
test_no_driver (Fixture *f, gconstpointer data)
{
  fake_driver_set_status (f->driver, 0);
  vmm_input_key (f->input, KEY_A, TRUE);
  fake_driver_free (f->driver);
  f->driver = fake_driver_new (f->guest, f->device, 0);
  give_buffers (f, 4);
  check_silence (f);
}

static void
test_reset (Fixture *f, gconstpointer data)
{
  vmm_input_key (f->input, KEY_A, TRUE);
  fake_guest_settle (f->guest);
  fake_driver_set_status (f->driver, 0);
  fake_driver_free (f->driver);
  f->driver = fake_driver_new (f->guest, f->device, 0);
  f->n_given = 0;
  give_buffers (f, 4);
  check_silence (f);
  /* The key is still down: a toolkit repeats it, and this guest has not heard of it. */
  vmm_input_key (f->input, KEY_A, TRUE);
  fake_guest_settle (f->guest);
  check_event (f, EV_KEY, KEY_A, 1);
  check_event (f, EV_SYN, SYN_REPORT, 0);
  vmm_input_release_all (f->input);
  fake_guest_settle (f->guest);
  check_event (f, EV_KEY, KEY_A, 0);
}

static guint
ask (Fixture *f, guint8 select, guint8 subselect, guint8 *data)
{
  fake_driver_write (f->driver, f->driver->config, 1, select);
  fake_driver_write (f->driver, f->driver->config + 1, 1, subselect);
  for (guint i = 0; i < 128; i++)
    data[i] = fake_driver_read (f->driver, f->driver->config + 8 + i, 1);
  return fake_driver_read (f->driver, f->driver->config + 2, 1);
}

static gboolean
has_bit (const guint8 *data, guint bit)
{
  return (data[bit / 8] >> bit % 8 & 1) != 0;
}

static void
test_keyboard_config (Fixture *f, gconstpointer user_data)
{
  guint8 data[128];
  guint size = ask (f, 1, 0, data);

  g_assert_cmpmem (data, size, "VirtDesk virtio keyboard", 24);
  g_assert_cmpuint (ask (f, 3, 0, data), ==, 8);
  g_assert_cmpuint (data[0], ==, 6);
  g_assert_cmpuint (ask (f, 0x11, EV_KEY, data), ==, KEY_MICMUTE / 8 + 1);
  g_assert_true (has_bit (data, KEY_ESC));
  g_assert_true (has_bit (data, KEY_MICMUTE));
  g_assert_false (has_bit (data, KEY_RESERVED));
  g_assert_cmpuint (ask (f, 0x11, EV_ABS, data), ==, 0);
  g_assert_cmpuint (ask (f, 0x11, EV_REP, data), >, 0);
  g_assert_cmpuint (ask (f, 0x12, ABS_X, data), ==, 0);
  g_assert_cmpuint (ask (f, 0xff, 0xff, data), ==, 0);
}

static void
test_tablet_config (Fixture *f, gconstpointer user_data)
{
  guint8 data[128];
  guint32 range[2];
  guint size = ask (f, 1, 0, data);

  g_assert_cmpmem (data, size, "VirtDesk virtio tablet", 22);
  g_assert_cmpuint (ask (f, 0x11, EV_KEY, data), ==, BTN_EXTRA / 8 + 1);
  g_assert_true (has_bit (data, BTN_LEFT));
  g_assert_false (has_bit (data, KEY_A));
  g_assert_cmpuint (ask (f, 0x11, EV_REL, data), ==, 2);
  g_assert_true (has_bit (data, REL_WHEEL));
  g_assert_true (has_bit (data, REL_HWHEEL));
  g_assert_false (has_bit (data, REL_X));
  g_assert_cmpuint (ask (f, 0x11, EV_ABS, data), ==, 1);
  g_assert_cmpuint (data[0], ==, 3);
  g_assert_cmpuint (ask (f, 0x12, ABS_Y, data), ==, 20);
  memcpy (range, data, sizeof range);
  g_assert_cmpuint (range[0], ==, 0);
  g_assert_cmpuint (range[1], ==, VMM_INPUT_ABS_MAX);
  g_assert_cmpuint (ask (f, 0x12, ABS_Z, data), ==, 0);
}

static void
test_status (Fixture *f, gconstpointer data)
{
  FakeBuffer buffer = { f->buffers, 8 };

  g_assert_cmpuint (fake_driver_call (f->driver, STATUS, &buffer, 1, NULL, 0), ==, 0);
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmInput *input = vmm_input_new ();
  VmmDevice *other = input_new (guest, input, VMM_INPUT_TABLET);
  guint8 bits[128];

  ask (f, 0x12, ABS_Y, bits);
  vmm_input_move (f->input, 0.5, 0.5);
  vmm_input_button (f->input, BTN_LEFT, TRUE);
  fake_guest_settle (f->guest);
  fake_guest_copy_memory (guest, f->guest);
  fake_guest_check_saved (f->device, other);
  vmm_device_resume (other);
  f->driver->guest = guest;
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 2, 1), ==, 20);
  f->driver->guest = f->guest;
  vmm_device_free (other);
  vmm_input_free (input);
  fake_guest_free (guest);
}

static void
test_broken (Fixture *f, gconstpointer data)
{
  fake_driver_offer (f->driver, EVENTS, FAKE_QUEUE_SIZE);
  vmm_input_key (f->input, KEY_A, TRUE);
  fake_driver_check_broken (f->driver, "descriptor");
  vmm_input_key (f->input, KEY_B, TRUE);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    VmmInputKind kind;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/virtio-input/keys", VMM_INPUT_KEYBOARD, test_keys },
    { "/virtio-input/wait", VMM_INPUT_KEYBOARD, test_wait },
    { "/virtio-input/motion", VMM_INPUT_TABLET, test_motion },
    { "/virtio-input/flood", VMM_INPUT_KEYBOARD, test_flood },
    { "/virtio-input/releases", VMM_INPUT_KEYBOARD, test_releases },
    { "/virtio-input/no-driver", VMM_INPUT_KEYBOARD, test_no_driver },
    { "/virtio-input/reset", VMM_INPUT_KEYBOARD, test_reset },
    { "/virtio-input/config/keyboard", VMM_INPUT_KEYBOARD, test_keyboard_config },
    { "/virtio-input/config/tablet", VMM_INPUT_TABLET, test_tablet_config },
    { "/virtio-input/status", VMM_INPUT_KEYBOARD, test_status },
    { "/virtio-input/saved", VMM_INPUT_TABLET, test_saved },
    { "/virtio-input/broken", VMM_INPUT_KEYBOARD, test_broken },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, GINT_TO_POINTER (tests[i].kind), set_up, tests[i].run,
                tear_down);
  return g_test_run ();
}
