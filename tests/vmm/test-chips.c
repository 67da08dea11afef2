/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The small chips: power management, clock, keyboard controller, debug exit.
 */
#include <string.h>
#include <time.h>

#include "chips/debug-exit.h"
#include "chips/generation.h"
#include "chips/i8042.h"
#include "chips/pm.h"
#include "chips/pvpanic.h"
#include "chips/rtc.h"
#include "fake-guest.h"

typedef struct {
  FakeGuest *guest;
  VmmDevice *device;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  const VmmDeviceClass *klass = data;

  f->guest = fake_guest_new ();
  f->device = vmm_device_new (klass, &f->guest->board, klass->name, NULL, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  vmm_device_free (f->device);
  fake_guest_free (f->guest);
}

static guint32
in (Fixture *f, guint16 port, guint size)
{
  return fake_guest_in (f->guest, port, size);
}

static void
out (Fixture *f, guint16 port, guint size, guint32 value)
{
  fake_guest_out (f->guest, port, size, value);
}

static void
check_request (Fixture *f, guint n, VmmRequestKind kind)
{
  g_assert_cmpuint (f->guest->platform.n_requests, ==, n);
  g_assert_cmpint (f->guest->platform.last_request, ==, kind);
}

static void
test_debug_exit (Fixture *f, gconstpointer data)
{
  out (f, 0xf4, 1, 21);
  check_request (f, 1, VMM_REQUEST_DEBUG_EXIT);
  g_assert_cmpuint (f->guest->platform.last_value, ==, 21);
  out (f, 0xf4, 4, 0x12345);
  g_assert_cmpuint (f->guest->platform.last_value, ==, 0x12345);
  out (f, 0xf5, 1, 1);
  check_request (f, 2, VMM_REQUEST_DEBUG_EXIT);
}

static void
test_i8042 (Fixture *f, gconstpointer data)
{
  /* Free to take a command at once, and a flush that soon gives up. */
  g_assert_cmphex (in (f, 0x64, 1) & 0x02, ==, 0);
  for (guint i = 0; i < 32; i++) {
    g_assert_cmphex (in (f, 0x64, 1) & 0x01, ==, 1);
    in (f, 0x60, 1);
  }
  out (f, 0x64, 1, 0xad);
  out (f, 0x60, 1, 0xfe);
  g_assert_cmpuint (f->guest->platform.n_requests, ==, 0);
  out (f, 0x64, 1, 0xfe);
  check_request (f, 1, VMM_REQUEST_RESET);
}

static void
test_pm_button (Fixture *f, gconstpointer data)
{
  g_assert_cmphex (in (f, 0x604, 2), ==, 1);
  vmm_pm_power_button (f->device);
  g_assert_cmphex (in (f, 0x600, 2), ==, 0x100);
  g_assert_false (fake_guest_get_line (f->guest, 9));
  out (f, 0x602, 2, 0x100);
  g_assert_true (fake_guest_get_line (f->guest, 9));
  out (f, 0x600, 2, 0x001);
  g_assert_true (fake_guest_get_line (f->guest, 9));
  out (f, 0x600, 2, 0x100);
  g_assert_false (fake_guest_get_line (f->guest, 9));
  g_assert_cmphex (in (f, 0x600, 2), ==, 0);
}

static void
test_pm_off (Fixture *f, gconstpointer data)
{
  out (f, 0x604, 2, 0x2000 | 1 << 10); /* S1: not ours */
  out (f, 0x604, 2, 0x0001);
  g_assert_cmpuint (f->guest->platform.n_requests, ==, 0);
  out (f, 0x604, 2, 0x2001);
  check_request (f, 1, VMM_REQUEST_POWER_OFF);
  /* Byte by byte too. */
  out (f, 0x605, 1, 0x20);
  check_request (f, 2, VMM_REQUEST_POWER_OFF);
  g_assert_cmphex (in (f, 0x604, 2), ==, 1);
}

static void
test_pm_gpe (Fixture *f, gconstpointer data)
{
  out (f, 0x628, 1, 0x04);
  vmm_pm_raise_gpe (f->device, 1);
  g_assert_false (fake_guest_get_line (f->guest, 9));
  vmm_pm_raise_gpe (f->device, 2);
  g_assert_true (fake_guest_get_line (f->guest, 9));
  g_assert_cmphex (in (f, 0x620, 4), ==, 0x06);
  out (f, 0x620, 1, 0x04);
  g_assert_false (fake_guest_get_line (f->guest, 9));
  g_assert_cmphex (in (f, 0x620, 1), ==, 0x02);
}

static void
test_pm_timer (Fixture *f, gconstpointer data)
{
  guint32 before, after;

  /* It runs, within 24 bits, and stands while the machine does. */
  before = in (f, 0x608, 4);
  g_usleep (2000);
  after = in (f, 0x608, 4);
  g_assert_cmphex (after & 0xff000000, ==, 0);
  g_assert_cmpuint ((after - before) & 0xffffff, >=, 7159);
  vmm_device_drain (f->device);
  before = in (f, 0x608, 4);
  g_usleep (2000);
  g_assert_cmpuint (in (f, 0x608, 4), ==, before);
  vmm_device_resume (f->device);
  g_usleep (2000);
  after = in (f, 0x608, 4);
  g_assert_cmpuint ((after - before) & 0xffffff, >=, 7159);
}

static void
test_pm_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDevice *other = vmm_device_new (&vmm_pm_class, &guest->board, "pm", NULL, NULL);

  out (f, 0x602, 2, 0x100);
  out (f, 0x628, 1, 0x04);
  vmm_pm_power_button (f->device);
  vmm_pm_raise_gpe (f->device, 2);
  fake_guest_check_saved (f->device, other);
  g_assert_true (fake_guest_get_line (guest, 9));
  g_assert_cmphex (fake_guest_in (guest, 0x600, 4), ==, 0x01000100);
  g_assert_cmphex (fake_guest_in (guest, 0x608, 4), ==, in (f, 0x608, 4));
  vmm_device_reset (other);
  g_assert_false (fake_guest_get_line (guest, 9));
  g_assert_cmphex (fake_guest_in (guest, 0x600, 4), ==, 0);
  vmm_device_free (other);
  fake_guest_free (guest);
}

static guint8
cmos (Fixture *f, guint8 reg)
{
  out (f, 0x70, 1, reg);
  return in (f, 0x71, 1);
}

static void
set_cmos (Fixture *f, guint8 reg, guint8 value)
{
  out (f, 0x70, 1, reg);
  out (f, 0x71, 1, value);
}

static guint
bcd (guint8 value)
{
  return (value >> 4) * 10 + (value & 15);
}

/* The guest's clock in seconds since 1970. */
static gint64
clock_of (Fixture *f)
{
  struct tm tm = { 0 };
  guint second;

  do {
    second = cmos (f, 0);
    tm.tm_sec = bcd (second);
    tm.tm_min = bcd (cmos (f, 2));
    tm.tm_hour = bcd (cmos (f, 4));
    tm.tm_mday = bcd (cmos (f, 7));
    tm.tm_mon = bcd (cmos (f, 8)) - 1;
    tm.tm_year = bcd (cmos (f, 0x32)) * 100 + bcd (cmos (f, 9)) - 1900;
  } while (cmos (f, 0) != second);
  return timegm (&tm);
}

static gint64
host_clock (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

static void
test_rtc_time (Fixture *f, gconstpointer data)
{
  gint64 before = host_clock (), guest = clock_of (f), after = host_clock ();

  g_assert_cmpint (guest, >=, before);
  g_assert_cmpint (guest, <=, after);
  g_assert_cmphex (cmos (f, 0x0a), ==, 0x26);
  g_assert_cmphex (cmos (f, 0x0b), ==, 0x02);
  g_assert_cmphex (cmos (f, 0x0d), ==, 0x80);
}

static void
test_rtc_set (Fixture *f, gconstpointer data)
{
  static const guint8 values[][2] = { { 0, 0x56 }, { 2, 0x34 }, { 4, 0x12 },   { 7, 0x29 },
                                      { 8, 0x02 }, { 9, 0x24 }, { 0x32, 0x20 } };
  gint64 before, after, set = 1709210096; /* 2024-02-29 12:34:56 */

  before = host_clock ();
  set_cmos (f, 0x0b, 0x82);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    set_cmos (f, values[i][0], values[i][1]);
  g_assert_cmphex (cmos (f, 0), ==, 0x56);
  set_cmos (f, 0x0b, 0x02);
  after = clock_of (f);
  g_assert_cmpint (after, >=, set);
  g_assert_cmpint (after, <=, set + host_clock () - before + 1);
}

static void
test_rtc_formats (Fixture *f, gconstpointer data)
{
  guint8 hour;

  set_cmos (f, 0x0b, 0x82);
  set_cmos (f, 4, 0x13);
  set_cmos (f, 0x0b, 0x02);
  g_assert_cmphex (cmos (f, 4), ==, 0x13);
  set_cmos (f, 0x0b, 0x06);
  g_assert_cmphex (cmos (f, 4), ==, 13);
  set_cmos (f, 0x0b, 0x00);
  hour = cmos (f, 4);
  g_assert_cmphex (hour, ==, 0x81);
}

static void
test_rtc_memory (Fixture *f, gconstpointer data)
{
  for (guint reg = 0x0e; reg < 0x80; reg++)
    if (reg != 0x32)
      set_cmos (f, reg, reg ^ 0x5a);
  vmm_device_reset (f->device);
  for (guint reg = 0x0e; reg < 0x80; reg++)
    if (reg != 0x32)
      g_assert_cmphex (cmos (f, reg), ==, reg ^ 0x5a);
  g_assert_cmphex (cmos (f, 0x8f), ==, 0x0f ^ 0x5a);
}

/* 8192 Hz: the first comes, is held until it was read, and the next comes. */
static void
test_rtc_periodic (Fixture *f, gconstpointer data)
{
  set_cmos (f, 0x0a, 0x23);
  set_cmos (f, 0x0b, 0x42);
  for (guint i = 0; i < 3; i++) {
    while (!fake_guest_get_line (f->guest, 8))
      fake_guest_settle (f->guest);
    g_assert_cmphex (cmos (f, 0x0c) & 0xc0, ==, 0xc0);
  }
  set_cmos (f, 0x0b, 0x02);
  fake_guest_settle (f->guest);
  cmos (f, 0x0c);
  g_assert_false (fake_guest_get_line (f->guest, 8));
}

static void
test_rtc_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDevice *other = vmm_device_new (&vmm_rtc_class, &guest->board, "rtc", NULL, NULL);

  set_cmos (f, 0x0b, 0x82);
  set_cmos (f, 9, 0x99);
  set_cmos (f, 0x32, 0x19);
  set_cmos (f, 0x0b, 0x02);
  set_cmos (f, 0x40, 0x77);
  cmos (f, 0x40);
  fake_guest_check_saved (f->device, other);
  g_assert_cmphex (fake_guest_in (guest, 0x71, 1), ==, 0x77);
  fake_guest_out (guest, 0x70, 1, 9);
  g_assert_cmphex (fake_guest_in (guest, 0x71, 1), ==, 0x99);
  vmm_device_free (other);
  fake_guest_free (guest);
}

/* Nothing that a guest writes to a port does harm: every port of the chip, every value. */
static void
test_nonsense (Fixture *f, gconstpointer data)
{
  static const guint16 ports[] = { 0x60,  0x64,  0x70,  0x71,  0xf4, 0x600,
                                   0x602, 0x604, 0x608, 0x620, 0x62c };

  for (guint i = 0; i < G_N_ELEMENTS (ports); i++)
    for (guint value = 0; value < 256; value++)
      for (guint size = 1; size <= 4; size *= 2) {
        out (f, ports[i], size, value * 0x01010101u);
        in (f, ports[i] + size - 1, size);
      }
  fake_guest_settle (f->guest);
}

/* It may say so as often as it likes. */
static void
test_pvpanic (Fixture *f, gconstpointer data)
{
  g_assert_cmphex (in (f, 0x505, 1), ==, 3);
  out (f, 0x505, 1, 0xfc);
  g_assert_cmpuint (f->guest->platform.n_panics, ==, 0);
  out (f, 0x505, 1, 1);
  out (f, 0x505, 1, 1);
  out (f, 0x505, 1, 2);
  g_assert_cmpuint (f->guest->platform.n_panics, ==, 1);
  vmm_device_reset (f->device);
  out (f, 0x505, 1, 2);
  g_assert_cmpuint (f->guest->platform.n_panics, ==, 2);
}

static void
read_generation (Fixture *f, guint64 id[2])
{
  id[0] = fake_guest_read (f->guest, VMM_GENERATION_ADDRESS, 8);
  id[1] = fake_guest_read (f->guest, VMM_GENERATION_ADDRESS + 8, 8);
}

/* Another one by each call, the saved one after a load, and none that a guest writes. */
static void
test_generation (Fixture *f, gconstpointer data)
{
  g_autoptr (VmmState) state = vmm_state_new ();
  guint64 first[2], second[2], third[2];

  read_generation (f, first);
  g_assert_true (vmm_device_save (f->device, state, NULL));
  vmm_generation_renew (f->device);
  read_generation (f, second);
  g_assert_true (first[0] != second[0] && first[1] != second[1]);
  vmm_device_reset (f->device);
  read_generation (f, third);
  g_assert_cmpmem (second, sizeof second, third, sizeof third);
  g_assert_true (vmm_device_load (f->device, state, NULL));
  read_generation (f, third);
  g_assert_cmpmem (first, sizeof first, third, sizeof third);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    const VmmDeviceClass *klass;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/chips/debug-exit", &vmm_debug_exit_class, test_debug_exit },
    { "/chips/debug-exit/nonsense", &vmm_debug_exit_class, test_nonsense },
    { "/chips/i8042", &vmm_i8042_class, test_i8042 },
    { "/chips/i8042/nonsense", &vmm_i8042_class, test_nonsense },
    { "/chips/pm/button", &vmm_pm_class, test_pm_button },
    { "/chips/pm/off", &vmm_pm_class, test_pm_off },
    { "/chips/pm/gpe", &vmm_pm_class, test_pm_gpe },
    { "/chips/pm/timer", &vmm_pm_class, test_pm_timer },
    { "/chips/pm/saved", &vmm_pm_class, test_pm_saved },
    { "/chips/pm/nonsense", &vmm_pm_class, test_nonsense },
    { "/chips/pvpanic", &vmm_pvpanic_class, test_pvpanic },
    { "/chips/generation", &vmm_generation_class, test_generation },
    { "/chips/rtc/time", &vmm_rtc_class, test_rtc_time },
    { "/chips/rtc/set", &vmm_rtc_class, test_rtc_set },
    { "/chips/rtc/formats", &vmm_rtc_class, test_rtc_formats },
    { "/chips/rtc/memory", &vmm_rtc_class, test_rtc_memory },
    { "/chips/rtc/periodic", &vmm_rtc_class, test_rtc_periodic },
    { "/chips/rtc/saved", &vmm_rtc_class, test_rtc_saved },
    { "/chips/rtc/nonsense", &vmm_rtc_class, test_nonsense },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, tests[i].klass, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
