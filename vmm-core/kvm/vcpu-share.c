/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What part of a processor a vCPU may have: the cap, a duty cycle of its thread, and its priority.
 *
 * A capped vCPU has a timer that runs with its thread's processor time and kicks it out of the
 * guest when a quantum is used up. So a guest that waits is never woken, and one without a cap has
 * no timer and pays nothing. A kick that comes just before KVM_RUN is lost; the next quantum brings
 * another, and what was used is counted all the same.
 *
 * Threads: control; functions of the vCPU's thread are named vmm_vcpu_thread_*.
 */
#include "kvm/vcpu-private.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "kvm/vmm-signals.h"
#include "vmm-error.h"

#ifndef sigev_notify_thread_id /* timer_create(2) has the name, this C library not yet */
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define NS_PER_S  G_GINT64_CONSTANT (1000000000)
#define NS_PER_US 1000

static gint64
get_thread_ns (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * NS_PER_S + time.tv_nsec;
}

void
vmm_vcpu_thread_sleep (VmmVcpu *self, gint64 end)
{
  gint cap = self->cap;

  while (!g_atomic_int_get (&self->stop) && self->cap == cap)
    if (!g_cond_wait_until (&self->changed, &self->lock, end))
      return;
}

void
vmm_vcpu_thread_rest (VmmVcpu *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gint64 now = g_get_monotonic_time (), rest;

  if (self->cap == VMM_CPU_NO_CAP)
    return;
  if (self->duty.percent != (guint) self->cap)
    vmm_duty_cycle_begin (&self->duty, self->cap, now * NS_PER_US, get_thread_ns ());
  rest = vmm_duty_cycle_account (&self->duty, now * NS_PER_US, get_thread_ns ());
  if (rest > 0)
    vmm_vcpu_thread_sleep (self, now + rest / NS_PER_US);
}

/* Lock held. */
static void
wait_for_thread (VmmVcpu *self)
{
  while (!self->has_pthread)
    g_cond_wait (&self->changed, &self->lock);
}

/* Lock held. Signals the thread alone. */
static gboolean
make_timer (VmmVcpu *self, GError **error)
{
  struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = vmm_kick_signal () };
  clockid_t clock;

  if (self->has_timer)
    return TRUE;
  event.sigev_notify_thread_id = self->tid;
  errno = pthread_getcpuclockid (self->pthread, &clock);
  if (errno == 0 && timer_create (clock, &event, &self->timer) == 0)
    return self->has_timer = TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "The machine's processors cannot be capped: %s.",
               g_strerror (errno));
  return FALSE;
}

gboolean
vmm_vcpu_set_cap (VmmVcpu *self, guint percent, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gint64 quantum = vmm_duty_cycle_get_quantum (percent);
  struct itimerspec times = { 0 }; /* stops it */

  if (percent == VMM_CPU_NO_CAP && !self->has_timer)
    return TRUE;
  wait_for_thread (self);
  if (!make_timer (self, error))
    return FALSE;
  if (percent != VMM_CPU_NO_CAP)
    times.it_interval = times.it_value =
      (struct timespec) { quantum / NS_PER_S, quantum % NS_PER_S };
  g_atomic_int_set (&self->cap, percent);
  timer_settime (self->timer, 0, &times, NULL);
  g_cond_broadcast (&self->changed);
  return TRUE;
}

void
vmm_vcpu_free_timer (VmmVcpu *self)
{
  if (self->has_timer)
    timer_delete (self->timer);
  self->has_timer = FALSE;
}

gboolean
vmm_vcpu_set_nice (VmmVcpu *self, int nice, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  wait_for_thread (self);
  if (setpriority (PRIO_PROCESS, self->tid, nice) == 0)
    return TRUE;
  if (errno == EACCES || errno == EPERM)
    g_set_error_literal (error, VMM_ERROR, VMM_ERROR_STATE,
                         "You may not raise the weight of a machine's processors on this computer "
                         "(RLIMIT_NICE): a machine that was given less has its own again when it "
                         "is started anew.");
  else
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "The weight cannot be set: %s.",
                 g_strerror (errno));
  return FALSE;
}
