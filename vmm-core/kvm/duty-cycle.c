/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See duty-cycle.h.
 *
 * Threads: any; one owner at a time.
 */
#include "kvm/duty-cycle.h"

/* No host measures shorter stretches well. */
#define MIN_QUANTUM_NS (G_GINT64_CONSTANT (1) * 1000 * 1000)

/* Divides first: years of nanoseconds, times a hundred, would not fit. */
static gint64
part_of (gint64 ns, guint percent)
{
  return ns / 100 * percent;
}

gint64
vmm_duty_cycle_get_quantum (guint percent)
{
  return MAX (part_of (VMM_DUTY_PERIOD_NS, percent), MIN_QUANTUM_NS);
}

void
vmm_duty_cycle_begin (VmmDutyCycle *self, guint percent, gint64 clock_ns, gint64 cpu_ns)
{
  *self = (VmmDutyCycle) { .percent = percent,
                           .clock_ns = clock_ns,
                           .cpu_ns = cpu_ns,
                           .credit_ns = vmm_duty_cycle_get_quantum (percent) };
}

gint64
vmm_duty_cycle_account (VmmDutyCycle *self, gint64 clock_ns, gint64 cpu_ns)
{
  gint64 credit =
    self->credit_ns + part_of (clock_ns - self->clock_ns, self->percent) - (cpu_ns - self->cpu_ns);

  self->clock_ns = clock_ns;
  self->cpu_ns = cpu_ns;
  self->credit_ns = CLAMP (credit, -part_of (VMM_DUTY_MAX_REST_NS, self->percent),
                           vmm_duty_cycle_get_quantum (self->percent));
  return self->credit_ns < 0 ? -self->credit_ns * 100 / self->percent : 0;
}
