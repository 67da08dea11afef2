/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The high precision event timer: its counter, its comparators in each mode, and nonsense.
 */
#include "chips/hpet.h"
#include "fake-guest.h"

#define CONFIG     0x10
#define STATUS     0x20
#define COUNTER    0xf0
#define TIMER(n)   (0x100 + 0x20 * (n))
#define COMPARE(n) (TIMER (n) + 8)

#define LEVEL    0x2
#define ENABLE   0x4
#define PERIODIC 0x8
#define SET      0x40
#define ROUTE(n) ((n) << 9)
#define FREE_GSI 20
#define PIT_GSI  0
#define MILLI    (1000000 / VMM_HPET_PERIOD_NS)

typedef struct {
  FakeGuest *guest;
  VmmDevice *device;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->guest = fake_guest_new ();
  f->device = vmm_device_new (&vmm_hpet_class, &f->guest->board, "hpet", NULL, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  vmm_device_free (f->device);
  fake_guest_free (f->guest);
}

static guint64
get (Fixture *f, guint reg)
{
  return fake_guest_read (f->guest, VMM_HPET_ADDRESS + reg, 8);
}

static void
put (Fixture *f, guint reg, guint64 value)
{
  fake_guest_write (f->guest, VMM_HPET_ADDRESS + reg, 8, value);
}

/* How often the pin rose, once it did so @n times at least. */
static void
wait_rises (Fixture *f, guint gsi, guint n)
{
  while (fake_guest_count_rises (f->guest, gsi) < n)
    g_usleep (500);
}

static void
test_counter (Fixture *f, gconstpointer data)
{
  g_autoptr (VmmState) state = vmm_state_new ();
  guint64 first;

  g_assert_cmphex (get (f, 0) >> 32, ==, VMM_HPET_PERIOD_NS * 1000000);
  g_assert_cmphex ((guint32) get (f, 0), ==, VMM_HPET_BLOCK_ID);
  g_assert_cmpuint (get (f, COUNTER), ==, 0);
  put (f, COUNTER, G_GUINT64_CONSTANT (0x100000000));
  g_assert_cmpuint (get (f, COUNTER), ==, G_GUINT64_CONSTANT (0x100000000));
  put (f, CONFIG, 1);
  first = get (f, COUNTER);
  g_assert_cmpuint (first, >=, G_GUINT64_CONSTANT (0x100000000));
  while (get (f, COUNTER) == first)
    ;
  /* It stands while the machine does, and goes on from there. */
  vmm_device_drain (f->device);
  first = get (f, COUNTER);
  g_usleep (1000);
  g_assert_cmpuint (get (f, COUNTER), ==, first);
  g_assert_true (vmm_device_save (f->device, state, NULL));
  vmm_device_resume (f->device);
  vmm_device_reset (f->device);
  vmm_device_drain (f->device);
  g_assert_true (vmm_device_load (f->device, state, NULL));
  g_assert_cmpuint (get (f, COUNTER), ==, first);
  vmm_device_resume (f->device);
  g_assert_cmpuint (get (f, COUNTER), <, first + G_GUINT64_CONSTANT (60000) * MILLI);
}

static void
test_one_shot (Fixture *f, gconstpointer data)
{
  put (f, CONFIG, 1);
  put (f, TIMER (0), ENABLE | ROUTE (FREE_GSI));
  put (f, COMPARE (0), get (f, COUNTER) + MILLI);
  wait_rises (f, FREE_GSI, 1);
  g_assert_false (fake_guest_get_line (f->guest, FREE_GSI));
  /* Once only, also after a pause. */
  vmm_device_drain (f->device);
  vmm_device_resume (f->device);
  put (f, CONFIG, 1);
  fake_guest_settle (f->guest);
  g_assert_cmpuint (fake_guest_count_rises (f->guest, FREE_GSI), ==, 1);
  /* What is over already is not waited for. */
  put (f, COMPARE (0), 1);
  wait_rises (f, FREE_GSI, 2);
}

static void
test_periodic (Fixture *f, gconstpointer data)
{
  put (f, TIMER (1), ENABLE | PERIODIC | SET | ROUTE (FREE_GSI + 1));
  put (f, COMPARE (1), MILLI);
  g_assert_cmpuint (get (f, COMPARE (1)), ==, MILLI);
  put (f, COMPARE (1), 2 * MILLI);
  g_assert_cmpuint (get (f, COMPARE (1)), ==, MILLI);
  put (f, CONFIG, 1);
  wait_rises (f, FREE_GSI + 1, 5);
  g_assert_cmpuint (get (f, COMPARE (1)) % (2 * MILLI), ==, MILLI);
  put (f, CONFIG, 0);
  fake_guest_settle (f->guest);
}

static void
test_level (Fixture *f, gconstpointer data)
{
  put (f, CONFIG, 1);
  put (f, TIMER (2), LEVEL | ENABLE | ROUTE (FREE_GSI + 2));
  put (f, COMPARE (2), 1);
  wait_rises (f, FREE_GSI + 2, 1);
  g_assert_true (fake_guest_get_line (f->guest, FREE_GSI + 2));
  g_assert_cmphex (get (f, STATUS), ==, 4);
  put (f, STATUS, 3);
  g_assert_true (fake_guest_get_line (f->guest, FREE_GSI + 2));
  put (f, STATUS, 4);
  g_assert_false (fake_guest_get_line (f->guest, FREE_GSI + 2));
}

/* In the place of the old timer, which is silent meanwhile. */
static void
test_legacy (Fixture *f, gconstpointer data)
{
  put (f, TIMER (0), ENABLE);
  put (f, COMPARE (0), 1);
  put (f, CONFIG, 3);
  g_assert_true (f->guest->platform.pit_is_silent);
  wait_rises (f, PIT_GSI, 1);
  put (f, CONFIG, 1);
  g_assert_false (f->guest->platform.pit_is_silent);
  put (f, CONFIG, 3);
  vmm_device_reset (f->device);
  g_assert_false (f->guest->platform.pit_is_silent);
}

/* The shortest period does not keep the loop from others; pins of PCI are not its own. */
static void
test_nonsense (Fixture *f, gconstpointer data)
{
  put (f, CONFIG, 1);
  put (f, TIMER (0), ENABLE | PERIODIC | SET | ROUTE (16));
  put (f, COMPARE (0), 0);
  put (f, COMPARE (0), 1);
  for (guint reg = 0; reg < VMM_HPET_SIZE; reg++)
    for (guint size = 1; size <= 8 && reg % size == 0; size *= 2) {
      fake_guest_write (f->guest, VMM_HPET_ADDRESS + reg, size, G_MAXUINT64);
      fake_guest_read (f->guest, VMM_HPET_ADDRESS + reg, size);
      fake_guest_write (f->guest, VMM_HPET_ADDRESS + reg, size, 0x0101010101010101u);
    }
  fake_guest_settle (f->guest);
  g_assert_cmpuint (fake_guest_count_rises (f->guest, 16), ==, 0);
}

#define ADD(name, func) g_test_add (name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/hpet/counter", test_counter);
  ADD ("/hpet/one-shot", test_one_shot);
  ADD ("/hpet/periodic", test_periodic);
  ADD ("/hpet/level", test_level);
  ADD ("/hpet/legacy", test_legacy);
  ADD ("/hpet/nonsense", test_nonsense);
  return g_test_run ();
}
