/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The 16550A.
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "chips/serial.h"
#include "fake-guest.h"

#define PORT 0x3f8
#define GSI  4

#define DATA 0
#define IER  1
#define IIR  2
#define FCR  2
#define LCR  3
#define MCR  4
#define LSR  5
#define MSR  6
#define SCR  7

typedef struct {
  FakeGuest *guest;
  VmmDevice *serial;
  int to_guest[2], from_guest[2];
} Fixture;

static void
make_serial (Fixture *f)
{
  VmmSerialConfig config = { PORT, GSI, f->to_guest[0], f->from_guest[1] };

  f->serial = vmm_device_new (&vmm_serial_class, &f->guest->board, "serial0", &config, NULL);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->guest = fake_guest_new ();
  g_assert_cmpint (pipe2 (f->to_guest, O_CLOEXEC), ==, 0);
  g_assert_cmpint (pipe2 (f->from_guest, O_CLOEXEC), ==, 0);
  make_serial (f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->serial, vmm_device_free);
  fake_guest_free (f->guest);
  for (guint i = 0; i < 2; i++) {
    close (f->to_guest[i]);
    close (f->from_guest[i]);
  }
}

static guint8
in (Fixture *f, guint offset)
{
  return fake_guest_in (f->guest, PORT + offset, 1);
}

static void
out (Fixture *f, guint offset, guint8 value)
{
  fake_guest_out (f->guest, PORT + offset, 1, value);
}

static gboolean
line (Fixture *f)
{
  return fake_guest_get_line (f->guest, GSI);
}

static void
say (Fixture *f, const char *text)
{
  while (*text)
    out (f, DATA, *text++);
}

static void
hear (Fixture *f, const char *expected)
{
  char got[256] = "";
  gsize n = 0;

  while (n < strlen (expected)) {
    gssize part = read (f->from_guest[0], got + n, strlen (expected) - n);

    g_assert_cmpint (part, >, 0);
    n += part;
  }
  g_assert_cmpstr (got, ==, expected);
}

static void
type (Fixture *f, const char *text)
{
  g_assert_cmpint (write (f->to_guest[1], text, strlen (text)), ==, strlen (text));
  fake_guest_settle (f->guest);
}

static void
test_output (Fixture *f, gconstpointer data)
{
  say (f, "hello\n");
  hear (f, "hello\n");
  g_assert_cmphex (in (f, LSR), ==, 0x60);
}

/* What was said last is not lost when the machine goes. */
static void
test_last_words (Fixture *f, gconstpointer data)
{
  say (f, "last words");
  g_clear_pointer (&f->serial, vmm_device_free);
  hear (f, "last words");
}

static void
test_input (Fixture *f, gconstpointer data)
{
  g_assert_cmphex (in (f, LSR), ==, 0x60);
  type (f, "ab");
  g_assert_cmphex (in (f, LSR), ==, 0x61);
  g_assert_cmphex (in (f, DATA), ==, 'a');
  g_assert_cmphex (in (f, DATA), ==, 'b');
  g_assert_cmphex (in (f, LSR), ==, 0x60);
  g_assert_cmphex (in (f, DATA), ==, 0);
}

/* More than the chip holds waits in the pipe and comes when there is room. */
static void
test_much_input (Fixture *f, gconstpointer data)
{
  g_autoptr (GString) text = g_string_new ("");
  g_autoptr (GString) got = g_string_new ("");

  for (guint i = 0; i < 1000; i++)
    g_string_append_c (text, 'a' + i % 26);
  type (f, text->str);
  while (got->len < text->len) {
    while (in (f, LSR) & 1)
      g_string_append_c (got, in (f, DATA));
    fake_guest_settle (f->guest);
  }
  g_assert_cmpstr (got->str, ==, text->str);
  g_assert_cmphex (in (f, LSR) & 2, ==, 0);
}

static void
test_interrupts (Fixture *f, gconstpointer data)
{
  out (f, MCR, 0x08);
  g_assert_cmphex (in (f, IIR), ==, 0x01);
  out (f, FCR, 0x01);
  g_assert_cmphex (in (f, IIR), ==, 0xc1);

  /* Transmitter empty: said when asked for, until it was read, and after each byte. */
  out (f, IER, 0x02);
  g_assert_true (line (f));
  g_assert_cmphex (in (f, IIR), ==, 0xc2);
  g_assert_false (line (f));
  g_assert_cmphex (in (f, IIR), ==, 0xc1);
  out (f, DATA, 'x');
  g_assert_true (line (f));

  /* Received data comes first. */
  out (f, IER, 0x03);
  type (f, "y");
  g_assert_cmphex (in (f, IIR), ==, 0xc4);
  in (f, DATA);
  g_assert_cmphex (in (f, IIR), ==, 0xc2);
  g_assert_false (line (f));

  /* OUT2 is the gate of the pin. */
  type (f, "z");
  g_assert_true (line (f));
  out (f, MCR, 0);
  g_assert_false (line (f));
  out (f, MCR, 0x08);
  g_assert_true (line (f));
  out (f, IER, 0);
  g_assert_false (line (f));
}

/* What Linux looks at to tell what chip it is. */
static void
test_probe (Fixture *f, gconstpointer data)
{
  out (f, SCR, 0x5a);
  g_assert_cmphex (in (f, SCR), ==, 0x5a);
  out (f, IER, 0xff);
  g_assert_cmphex (in (f, IER), ==, 0x0f);
  out (f, IER, 0);
  out (f, LCR, 0x83);
  out (f, 0, 0x34);
  out (f, 1, 0x12);
  g_assert_cmphex (in (f, 0), ==, 0x34);
  g_assert_cmphex (in (f, 1), ==, 0x12);
  out (f, LCR, 0x03);
  g_assert_cmphex (in (f, IER), ==, 0);
  out (f, MCR, 0x1a);
  g_assert_cmphex (in (f, MSR) & 0xf0, ==, 0x90);
  out (f, DATA, 'L');
  g_assert_cmphex (in (f, DATA), ==, 'L');
  out (f, MCR, 0);
  g_assert_cmphex (in (f, MSR), ==, 0xb0);
}

/* Loopback can overrun; the error is said once. */
static void
test_overrun (Fixture *f, gconstpointer data)
{
  out (f, MCR, 0x18);
  out (f, IER, 0x04);
  for (guint i = 0; i < 65; i++)
    out (f, DATA, i);
  g_assert_true (line (f));
  g_assert_cmphex (in (f, IIR), ==, 0x06);
  g_assert_cmphex (in (f, LSR), ==, 0x63);
  g_assert_false (line (f));
  g_assert_cmphex (in (f, LSR), ==, 0x61);
  out (f, FCR, 0x03);
  g_assert_cmphex (in (f, LSR), ==, 0x60);
}

/* A reader that does not read never holds the guest: the transmitter is full, that is all. */
static void
test_slow_reader (Fixture *f, gconstpointer data)
{
  guint64 sent = 0, got = 0;
  char bytes[4096];

  while (in (f, LSR) & 0x20) {
    out (f, DATA, 'a' + sent++ % 26);
    g_assert_cmpuint (sent, <, 4 << 20);
    if (sent % 4096 == 0)
      fake_guest_settle (f->guest);
  }
  out (f, DATA, '!'); /* lost, as on hardware */
  out (f, MCR, 0x08);
  out (f, IER, 0x02);
  g_assert_false (line (f));
  while (got < sent) {
    gssize n = read (f->from_guest[0], bytes, sizeof bytes);

    g_assert_cmpint (n, >, 0);
    for (gssize i = 0; i < n; i++)
      g_assert_cmpint (bytes[i], ==, 'a' + (char) (got++ % 26));
  }
  while (!(in (f, LSR) & 0x20))
    fake_guest_settle (f->guest);
  g_assert_true (line (f));
}

static void
test_hang_up (Fixture *f, gconstpointer data)
{
  close (f->to_guest[1]);
  fake_guest_settle (f->guest);
  g_assert_cmphex (in (f, LSR), ==, 0x60);
  f->to_guest[1] = open ("/dev/null", O_WRONLY | O_CLOEXEC);
}

/* What was said is out when drain returns, and what comes in waits outside. */
static void
test_drained (Fixture *f, gconstpointer data)
{
  char got[16] = "";

  say (f, "before");
  vmm_device_drain (f->serial);
  g_assert_cmpint (fcntl (f->from_guest[0], F_SETFL, O_NONBLOCK), ==, 0);
  g_assert_cmpint (read (f->from_guest[0], got, sizeof got), ==, 6);
  g_assert_cmpstr (got, ==, "before");
  type (f, "later");
  vmm_device_reset (f->serial);
  fake_guest_settle (f->guest);
  g_assert_cmphex (in (f, LSR), ==, 0x60);
  vmm_device_resume (f->serial);
  fake_guest_settle (f->guest);
  g_assert_cmphex (in (f, DATA), ==, 'l');
}

/* What a reader has not taken stays in the device, and comes once when it goes on. */
static void
test_drained_full (Fixture *f, gconstpointer data)
{
  const gsize said = 3000;
  gsize got = 0;
  char bytes[4096];
  gssize n;

  g_assert_cmpint (fcntl (f->from_guest[1], F_SETPIPE_SZ, 4096), ==, 4096);
  for (gsize i = 0; i < said; i++)
    out (f, DATA, 'a' + i % 26);
  vmm_device_drain (f->serial);
  got = read (f->from_guest[0], bytes, sizeof bytes);
  g_assert_cmpuint (got, <, said);
  fake_guest_settle (f->guest);
  g_assert_cmpint (fcntl (f->from_guest[0], F_SETFL, O_NONBLOCK), ==, 0);
  g_assert_cmpint (read (f->from_guest[0], bytes, sizeof bytes), ==, -1);
  g_assert_cmpint (fcntl (f->from_guest[0], F_SETFL, 0), ==, 0);
  vmm_device_resume (f->serial);
  while (got < said) {
    n = read (f->from_guest[0], bytes, sizeof bytes);
    g_assert_cmpint (n, >, 0);
    for (gssize i = 0; i < n; i++)
      g_assert_cmpint (bytes[i], ==, 'a' + (char) (got++ % 26));
  }
  g_assert_cmpuint (got, ==, said);
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *other_guest = fake_guest_new ();
  VmmSerialConfig config = { PORT, GSI, -1, -1 };
  VmmDevice *other =
    vmm_device_new (&vmm_serial_class, &other_guest->board, "serial0", &config, NULL);

  out (f, MCR, 0x08);
  out (f, FCR, 0x01);
  out (f, IER, 0x01);
  out (f, SCR, 0x77);
  type (f, "abc");
  fake_guest_check_saved (f->serial, other);
  g_assert_true (fake_guest_get_line (other_guest, GSI));
  g_assert_cmphex (fake_guest_in (other_guest, PORT + IIR, 1), ==, 0xc4);
  g_assert_cmphex (fake_guest_in (other_guest, PORT + DATA, 1), ==, 'a');
  vmm_device_free (other);
  fake_guest_free (other_guest);
}

static void
test_reset (Fixture *f, gconstpointer data)
{
  out (f, MCR, 0x08);
  out (f, IER, 0x01);
  type (f, "abc");
  g_assert_true (line (f));
  vmm_device_reset (f->serial);
  g_assert_false (line (f));
  g_assert_cmphex (in (f, LSR), ==, 0x60);
  g_assert_cmphex (in (f, IER), ==, 0);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/serial/output", test_output },
    { "/serial/last-words", test_last_words },
    { "/serial/input", test_input },
    { "/serial/much-input", test_much_input },
    { "/serial/interrupts", test_interrupts },
    { "/serial/probe", test_probe },
    { "/serial/overrun", test_overrun },
    { "/serial/slow-reader", test_slow_reader },
    { "/serial/hang-up", test_hang_up },
    { "/serial/saved", test_saved },
    { "/serial/reset", test_reset },
    { "/serial/drained", test_drained },
    { "/serial/drained-full", test_drained_full },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
