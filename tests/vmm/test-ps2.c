/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The keyboard and the mouse of a PC as their drivers find and use them.
 */
#include <linux/input-event-codes.h>

#include "chips/ps2-controller.h"
#include "fake-guest.h"

typedef struct {
  FakeGuest *guest;
  VmmInput *input;
  VmmDevice *device;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  VmmPs2Config config;

  f->guest = fake_guest_new ();
  config.input = f->input = vmm_input_new ();
  f->device = vmm_device_new (&vmm_ps2_class, &f->guest->board, "ps2", &config, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  vmm_device_free (f->device);
  vmm_input_free (f->input);
  fake_guest_free (f->guest);
}

static void
command (Fixture *f, guint8 value)
{
  fake_guest_out (f->guest, 0x64, 1, value);
}

static void
out (Fixture *f, guint8 value)
{
  fake_guest_out (f->guest, 0x60, 1, value);
}

/* A driver waits for the byte, and for the keyboard's or the mouse's. */
static guint8
in (Fixture *f, gboolean mouse)
{
  guint8 status = fake_guest_in (f->guest, 0x64, 1);

  g_assert_cmphex (status & 0x01, ==, 0x01);
  g_assert_cmphex (status & 0x20, ==, mouse ? 0x20 : 0);
  return fake_guest_in (f->guest, 0x60, 1);
}

static void
check_silent (Fixture *f)
{
  g_assert_cmphex (fake_guest_in (f->guest, 0x64, 1) & 0x01, ==, 0);
}

#define check_bytes(f, mouse, ...)                                                                 \
  G_STMT_START                                                                                     \
  {                                                                                                \
    const guint8 expected[] = { __VA_ARGS__ };                                                     \
                                                                                                   \
    for (guint byte = 0; byte < sizeof expected; byte++)                                           \
      g_assert_cmphex (in (f, mouse), ==, expected[byte]);                                         \
    check_silent (f);                                                                              \
  }                                                                                                \
  G_STMT_END

static void
to_mouse (Fixture *f, guint8 value)
{
  command (f, 0xd4);
  out (f, value);
}

static void
test_controller (Fixture *f, gconstpointer data)
{
  check_silent (f);
  command (f, 0xaa);
  check_bytes (f, FALSE, 0x55);
  command (f, 0xab);
  check_bytes (f, FALSE, 0x00);
  command (f, 0xa9);
  check_bytes (f, FALSE, 0x00);
  command (f, 0x60);
  out (f, 0x47);
  command (f, 0x20);
  check_bytes (f, FALSE, 0x47);
  command (f, 0xd3); /* how drivers ask whether there is a mouse's port */
  out (f, 0xa5);
  g_assert_cmphex (in (f, TRUE), ==, 0xa5);
  command (f, 0xd0);
  check_bytes (f, FALSE, 0x03);
  g_assert_cmpuint (f->guest->platform.n_requests, ==, 0);
  command (f, 0xd1);
  out (f, 0x02);
  g_assert_cmpuint (f->guest->platform.n_requests, ==, 1);
  command (f, 0xfe);
  g_assert_cmpuint (f->guest->platform.n_requests, ==, 2);
}

/* Linux asks with both of them off, and waits half a second where nothing comes. */
static void
test_ports_off (Fixture *f, gconstpointer data)
{
  command (f, 0x60);
  out (f, 0x70);
  command (f, 0xd3);
  out (f, 0x5a);
  check_bytes (f, TRUE, 0x5a);
  command (f, 0xd2);
  out (f, 0xf0); /* as it is, though codes are translated */
  check_bytes (f, FALSE, 0xf0);
}

static void
test_keyboard_commands (Fixture *f, gconstpointer data)
{
  command (f, 0x60);
  out (f, 0x00); /* as it comes */
  out (f, 0xff);
  check_bytes (f, FALSE, 0xfa, 0xaa);
  out (f, 0xf2);
  check_bytes (f, FALSE, 0xfa, 0xab, 0x83);
  out (f, 0xee);
  check_bytes (f, FALSE, 0xee);
  out (f, 0xed);
  out (f, 0x02);
  check_bytes (f, FALSE, 0xfa, 0xfa);
  out (f, 0xf0);
  out (f, 0x00);
  check_bytes (f, FALSE, 0xfa, 0xfa, 0x02);
  out (f, 0xf0);
  out (f, 0x03); /* a set that it does not have */
  check_bytes (f, FALSE, 0xfa, 0xfe);
  out (f, 0xed);
  check_bytes (f, FALSE, 0xfa);
  out (f, 0xf4); /* no argument but a command */
  check_bytes (f, FALSE, 0xfa);
  out (f, 0x55);
  check_bytes (f, FALSE, 0xfe);
}

static void
type (Fixture *f, guint key)
{
  vmm_input_key (f->input, key, TRUE);
  vmm_input_key (f->input, key, FALSE);
}

static void
test_keys (Fixture *f, gconstpointer data)
{
  type (f, KEY_A); /* translated: set 1 */
  check_bytes (f, FALSE, 0x1e, 0x9e);
  type (f, KEY_UP);
  check_bytes (f, FALSE, 0xe0, 0x48, 0xe0, 0xc8);
  type (f, KEY_F12);
  check_bytes (f, FALSE, 0x58, 0xd8);
  type (f, KEY_F7);
  check_bytes (f, FALSE, 0x41, 0xc1);
  type (f, KEY_PAUSE);
  check_bytes (f, FALSE, 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5);
  command (f, 0x60);
  out (f, 0x01); /* as it comes: set 2 */
  type (f, KEY_A);
  check_bytes (f, FALSE, 0x1c, 0xf0, 0x1c);
  type (f, KEY_RIGHTCTRL);
  check_bytes (f, FALSE, 0xe0, 0x14, 0xe0, 0xf0, 0x14);
  type (f, KEY_MICMUTE); /* no such key */
  check_silent (f);
  out (f, 0xf5);
  check_bytes (f, FALSE, 0xfa);
  type (f, KEY_A);
  check_silent (f);
}

/* Each byte is an edge, of the pin of whom it came from. */
static void
test_lines (Fixture *f, gconstpointer data)
{
  g_assert_false (fake_guest_get_line (f->guest, 1));
  type (f, KEY_A);
  g_assert_true (fake_guest_get_line (f->guest, 1));
  in (f, FALSE);
  g_assert_true (fake_guest_get_line (f->guest, 1));
  in (f, FALSE);
  g_assert_false (fake_guest_get_line (f->guest, 1));
  to_mouse (f, 0xf4);
  g_assert_false (fake_guest_get_line (f->guest, 1));
  g_assert_true (fake_guest_get_line (f->guest, 12));
  in (f, TRUE);
  g_assert_false (fake_guest_get_line (f->guest, 12));
  command (f, 0xad); /* keyboard off: what it says waits */
  type (f, KEY_A);
  check_silent (f);
  command (f, 0xae);
  check_bytes (f, FALSE, 0x1e, 0x9e);
}

/* A guest that does not read loses keys, but never the release of one that it heard of. */
static void
test_behind (Fixture *f, gconstpointer data)
{
  guint pressed = 0, released = 0;

  for (guint i = 0; i < 200; i++)
    type (f, KEY_A);
  while (fake_guest_in (f->guest, 0x64, 1) & 1) {
    guint8 byte = in (f, FALSE);

    pressed += byte == 0x1e;
    released += byte == 0x9e;
  }
  g_assert_cmpuint (pressed, >, 4);
  g_assert_cmpuint (pressed, ==, released);
}

static void
knock (Fixture *f, guint8 first, guint8 second, guint8 third, guint8 id)
{
  const guint8 rates[] = { first, second, third };

  for (guint i = 0; i < 3; i++) {
    to_mouse (f, 0xf3);
    check_bytes (f, TRUE, 0xfa);
    to_mouse (f, rates[i]);
    check_bytes (f, TRUE, 0xfa);
  }
  to_mouse (f, 0xf2);
  check_bytes (f, TRUE, 0xfa, id);
}

static void
test_mouse (Fixture *f, gconstpointer data)
{
  to_mouse (f, 0xff);
  check_bytes (f, TRUE, 0xfa, 0xaa, 0x00);
  to_mouse (f, 0xf2);
  check_bytes (f, TRUE, 0xfa, 0x00);
  to_mouse (f, 0xe9);
  check_bytes (f, TRUE, 0xfa, 0x00, 0x02, 100);
  to_mouse (f, 0xf4);
  check_bytes (f, TRUE, 0xfa);
  vmm_input_move (f->input, 0.5, 0.5); /* from nowhere: no distance */
  check_bytes (f, TRUE, 0x08, 0, 0);
  vmm_input_move (f->input, 0.5 + 10.2 / 1024, 0.5 + 5.2 / 1024);
  check_bytes (f, TRUE, 0x28, 10, (guint8) -5);
  vmm_input_button (f->input, BTN_LEFT, TRUE);
  check_bytes (f, TRUE, 0x09, 0, 0);
  vmm_input_button (f->input, BTN_LEFT, FALSE);
  check_bytes (f, TRUE, 0x08, 0, 0);
  /* Farther than a packet says: several. */
  vmm_input_move (f->input, 0, 0.5 + 5.2 / 1024);
  check_bytes (f, TRUE, 0x18, 1, 0, 0x18, 1, 0, 0x18, (guint8) -12, 0);
  to_mouse (f, 0xf5);
  check_bytes (f, TRUE, 0xfa);
  vmm_input_move (f->input, 1, 1);
  check_silent (f);
}

static void
test_wheel (Fixture *f, gconstpointer data)
{
  knock (f, 200, 100, 80, 3);
  to_mouse (f, 0xf4);
  check_bytes (f, TRUE, 0xfa);
  vmm_input_wheel (f->input, 1, 0);
  check_bytes (f, TRUE, 0x08, 0, 0, 0xff);
  knock (f, 200, 200, 80, 4);
  vmm_input_button (f->input, BTN_EXTRA, TRUE);
  check_bytes (f, TRUE, 0x08, 0, 0, 0x20);
  vmm_input_wheel (f->input, -2, 0);
  check_bytes (f, TRUE, 0x08, 0, 0, 0x22);
}

static void
test_reset (Fixture *f, gconstpointer data)
{
  type (f, KEY_A);
  to_mouse (f, 0xf4);
  vmm_device_reset (f->device);
  check_silent (f);
  g_assert_false (fake_guest_get_line (f->guest, 1));
  type (f, KEY_B);
  check_bytes (f, FALSE, 0x30, 0xb0);
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDevice *other = vmm_device_new (&vmm_ps2_class, &guest->board, "ps2", NULL, NULL);

  knock (f, 200, 100, 80, 3);
  to_mouse (f, 0xf4);
  type (f, KEY_A);
  vmm_input_move (f->input, 0.1, 0.2);
  fake_guest_check_saved (f->device, other);
  g_assert_cmphex (fake_guest_in (guest, 0x60, 1), ==, 0xfa);
  g_assert_cmphex (fake_guest_in (guest, 0x60, 1), ==, 0x1e);
  vmm_device_free (other);
  fake_guest_free (guest);
}

/* Nothing that is written breaks it. */
static void
test_nonsense (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 20000; i++) {
    guint value = g_test_rand_int_range (0, 256);

    if (value != 0xfe)
      fake_guest_out (f->guest, g_test_rand_bit () ? 0x60 : 0x64, 1, value);
    if (i % 3 == 0)
      fake_guest_in (f->guest, g_test_rand_bit () ? 0x60 : 0x64, 1);
    if (i % 7 == 0)
      type (f, value);
    if (i % 5 == 0)
      vmm_input_move (f->input, g_test_rand_double (), g_test_rand_double ());
  }
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/ps2/controller", test_controller },
    { "/ps2/controller/ports-off", test_ports_off },
    { "/ps2/keyboard", test_keyboard_commands },
    { "/ps2/keys", test_keys },
    { "/ps2/lines", test_lines },
    { "/ps2/behind", test_behind },
    { "/ps2/mouse", test_mouse },
    { "/ps2/wheel", test_wheel },
    { "/ps2/reset", test_reset },
    { "/ps2/saved", test_saved },
    { "/ps2/nonsense", test_nonsense },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
