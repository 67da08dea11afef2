/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The arithmetic of a cap, with the time made up here.
 */
#include "kvm/duty-cycle.h"

#define MS   G_GINT64_CONSTANT (1000000)
#define S    (1000 * MS)
#define YEAR (365 * 24 * 3600 * S)

typedef struct {
  gint64 clock, cpu;
  VmmDutyCycle duty;
} Fake;

static void
begin (Fake *fake, guint percent)
{
  *fake = (Fake) { .clock = 77 * S, .cpu = 5 * S };
  vmm_duty_cycle_begin (&fake->duty, percent, fake->clock, fake->cpu);
}

/* Runs for @cpu, and takes @clock for it. How long it has to rest then. */
static gint64
run (Fake *fake, gint64 cpu, gint64 clock)
{
  fake->cpu += cpu;
  fake->clock += clock;
  return vmm_duty_cycle_account (&fake->duty, fake->clock, fake->cpu);
}

/* A guest that never waits, under a host that measures in steps of @tick and is late when it wakes:
 * it has its part, whatever the step. */
static void
check_busy (guint percent, gint64 tick)
{
  Fake fake;
  gint64 start, used;

  begin (&fake, percent);
  start = fake.clock;
  used = fake.cpu;
  while (fake.clock - start < 600 * S) {
    gint64 quantum = vmm_duty_cycle_get_quantum (percent);
    gint64 stretch = (quantum + tick - 1) / tick * tick;
    gint64 rest = run (&fake, stretch, stretch);

    g_assert_cmpint (rest, <=, VMM_DUTY_MAX_REST_NS);
    if (rest > 0)
      fake.clock += rest + MS / 10;
  }
  g_assert_cmpfloat_with_epsilon ((double) (fake.cpu - used) / (fake.clock - start),
                                  percent / 100.0, 0.01);
}

static void
test_busy (void)
{
  for (guint percent = 1; percent <= 100; percent++) {
    check_busy (percent, MS / 4);
    check_busy (percent, 4 * MS);
    check_busy (percent, 10 * MS);
  }
}

/* Who uses less than the cap never rests. */
static void
test_below (void)
{
  Fake fake;

  begin (&fake, 25);
  for (guint i = 0; i < 10000; i++)
    g_assert_cmpint (run (&fake, 2 * MS, 10 * MS), ==, 0);
}

/* A long wait earns one quantum and no more. */
static void
test_no_hoard (void)
{
  Fake fake;

  begin (&fake, 20);
  g_assert_cmpint (run (&fake, 0, 3600 * S), ==, 0);
  g_assert_cmpint (vmm_duty_cycle_get_quantum (20), ==, 10 * MS);
  g_assert_cmpint (run (&fake, 10 * MS, 0), ==, 0);
  g_assert_cmpint (run (&fake, 10 * MS, 0), ==, 50 * MS);
}

/* A rest that was cut short (a pause) is still owed, and paid by the time that passed. */
static void
test_cut_short (void)
{
  Fake fake;

  begin (&fake, 50);
  g_assert_cmpint (run (&fake, 25 * MS + 100 * MS, 0), ==, 200 * MS);
  g_assert_cmpint (run (&fake, 0, 60 * MS), ==, 140 * MS);
  g_assert_cmpint (run (&fake, 0, 140 * MS), ==, 0);
  g_assert_cmpint (run (&fake, 10 * MS, 0), ==, 20 * MS);
}

/* What the kernel used at a stretch is forgiven above a second's rest. */
static void
test_long_stretch (void)
{
  Fake fake;

  begin (&fake, 1);
  g_assert_cmpint (run (&fake, 20 * S, 20 * S), ==, VMM_DUTY_MAX_REST_NS);
  g_assert_cmpint (run (&fake, 0, VMM_DUTY_MAX_REST_NS), ==, 0);
}

/* A machine may be paused for years. */
static void
test_years (void)
{
  Fake fake;

  begin (&fake, 99);
  g_assert_cmpint (run (&fake, 0, 200 * YEAR), ==, 0);
  g_assert_cmpint (fake.duty.credit_ns, ==, vmm_duty_cycle_get_quantum (99));
}

static void
test_quantum (void)
{
  for (guint percent = 1; percent <= 100; percent++) {
    gint64 quantum = vmm_duty_cycle_get_quantum (percent);

    g_assert_cmpint (quantum, >=, MS); /* a timer of none would never fire */
    g_assert_cmpint (quantum, <=, VMM_DUTY_PERIOD_NS);
    g_assert_cmpint (quantum, >=, vmm_duty_cycle_get_quantum (MAX (percent - 1, 1)));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/duty-cycle/busy", test_busy);
  g_test_add_func ("/duty-cycle/below", test_below);
  g_test_add_func ("/duty-cycle/no-hoard", test_no_hoard);
  g_test_add_func ("/duty-cycle/cut-short", test_cut_short);
  g_test_add_func ("/duty-cycle/long-stretch", test_long_stretch);
  g_test_add_func ("/duty-cycle/years", test_years);
  g_test_add_func ("/duty-cycle/quantum", test_quantum);
  return g_test_run ();
}
