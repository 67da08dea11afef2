/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmDutyCycle: how long a vCPU rests that shall have only a part of a processor. It earns
 * processor time as the clock goes on and pays for what it used; who owes rests. Time is told by
 * the caller, in nanoseconds: of a clock that never goes back, and of the processor.
 *
 * Threads: any; one owner at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a vCPU does not use in a while is not kept for longer: it may run that much at a stretch. */
#define VMM_DUTY_PERIOD_NS (G_GINT64_CONSTANT (50) * 1000 * 1000)
/* Nobody rests longer at a stretch, whatever was used, so that a guest's watchdogs stay calm. */
#define VMM_DUTY_MAX_REST_NS (G_GINT64_CONSTANT (1000) * 1000 * 1000)

typedef struct {
  guint percent; /* 1 to 100 of one processor; 0: not begun */
  gint64 clock_ns, cpu_ns;
  gint64 credit_ns; /* processor time; what is owed is below zero */
} VmmDutyCycle;

/* Begins with a full quantum. */
void vmm_duty_cycle_begin (VmmDutyCycle *self, guint percent, gint64 clock_ns, gint64 cpu_ns);
/* How long to rest now; 0: not at all. */
gint64 vmm_duty_cycle_account (VmmDutyCycle *self, gint64 clock_ns, gint64 cpu_ns);
/* The processor time that may be used in a period: ask again when it was. */
gint64 vmm_duty_cycle_get_quantum (guint percent);

G_END_DECLS
