/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A vCPU without KVM: what it reports, and when.
 */
#include <errno.h>
#include <string.h>

#include "kvm/vcpu-private.h"

#define MEMORY (1 << 20)
#define MARK   0x5a

typedef struct {
  VmmKvm kvm;
  VmmVcpu vcpu;
  struct kvm_run run;
  guint n_lost, n_crashes;
  guint8 found; /* in memory when the machine was said to be lost */
  guint8 left;  /* in memory when the crash was reported */
  char *message;
} Fixture;

static void
lost (gpointer data)
{
  Fixture *f = data;

  f->n_lost++;
  g_assert_cmpuint (f->n_crashes, ==, 0);
  g_assert_true (vmm_memory_read (f->kvm.memory, 0, &f->found, 1));
}

static void
crashed (gpointer data, const char *message, const char *registers)
{
  Fixture *f = data;

  f->n_crashes++;
  g_set_str (&f->message, message);
  g_assert_true (vmm_memory_read (f->kvm.memory, 0, &f->left, 1));
}

static const VmmKvmEvents events = { .lost = lost, .crashed = crashed };

static void
set_up (Fixture *f, gconstpointer data)
{
  f->kvm.memory = vmm_memory_new (MEMORY, NULL);
  f->kvm.events = &events;
  f->kvm.data = f;
  f->vcpu.kvm = &f->kvm;
  f->vcpu.fd = -1;
  f->vcpu.run = &f->run;
  f->vcpu.cap = VMM_CPU_NO_CAP;
  g_mutex_init (&f->vcpu.lock);
  g_cond_init (&f->vcpu.changed);
  memset (vmm_memory_at (f->kvm.memory, 0, MEMORY), MARK, MEMORY);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  vmm_memory_free (f->kvm.memory);
  g_mutex_clear (&f->vcpu.lock);
  g_cond_clear (&f->vcpu.changed);
  g_free (f->message);
}

/* That the machine is lost is known before its memory is gone: else another vCPU, which fetches
 * zeroes now, ends the run in its own way first. The report comes when there is memory for it. */
static void
test_no_page (Fixture *f, gconstpointer data)
{
  vmm_vcpu_run_failed (&f->vcpu, GPOINTER_TO_INT (data));
  g_assert_cmpuint (f->n_crashes, ==, 1);
  g_assert_nonnull (strstr (f->message, "no memory left"));
  g_assert_cmpuint (f->n_lost, ==, 1);
  g_assert_cmphex (f->found, ==, MARK);
  g_assert_cmphex (f->left, ==, 0);
}

/* Any other failure leaves the memory as it is. */
static void
test_refused (Fixture *f, gconstpointer data)
{
  vmm_vcpu_run_failed (&f->vcpu, EINVAL);
  g_assert_cmpuint (f->n_crashes, ==, 1);
  g_assert_nonnull (strstr (f->message, g_strerror (EINVAL)));
  g_assert_cmpuint (f->n_lost, ==, 0);
  g_assert_cmphex (f->left, ==, MARK);
}

static gpointer
sleep_long (gpointer data)
{
  VmmVcpu *vcpu = data;

  g_mutex_lock (&vcpu->lock);
  vmm_vcpu_thread_sleep (vcpu, g_get_monotonic_time () + G_TIME_SPAN_DAY);
  g_mutex_unlock (&vcpu->lock);
  return NULL;
}

/* Parking ends the rest of a capped vCPU, whether it has begun or not; else this takes a day. */
static void
test_rest_ends (Fixture *f, gconstpointer data)
{
  for (guint pause_us = 0; pause_us <= 50000; pause_us += 50000) {
    GThread *thread;

    f->vcpu.stop = FALSE;
    thread = g_thread_new ("vcpu", sleep_long, &f->vcpu);
    g_usleep (pause_us);
    vmm_vcpu_park (&f->vcpu);
    g_thread_join (thread);
  }
}

/* Who owes rests, and who is asked to stop does not; without a cap nothing is counted. */
static void
test_rest (Fixture *f, gconstpointer data)
{
  vmm_vcpu_thread_rest (&f->vcpu);
  g_assert_cmpuint (f->vcpu.duty.percent, ==, 0);
  f->vcpu.cap = 1;
  vmm_vcpu_thread_rest (&f->vcpu); /* begins with a quantum */
  g_assert_cmpuint (f->vcpu.duty.percent, ==, 1);
  g_assert_cmpint (f->vcpu.duty.credit_ns, >=, 0);
  f->vcpu.duty.credit_ns = -VMM_DUTY_MAX_REST_NS;
  f->vcpu.stop = TRUE;
  vmm_vcpu_thread_rest (&f->vcpu);
  g_assert_cmpint (f->vcpu.duty.credit_ns, <, 0); /* still owed */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/vcpu/no-page", Fixture, GINT_TO_POINTER (EFAULT), set_up, test_no_page, tear_down);
  g_test_add ("/vcpu/bad-page", Fixture, GINT_TO_POINTER (EHWPOISON), set_up, test_no_page,
              tear_down);
  g_test_add ("/vcpu/rest", Fixture, NULL, set_up, test_rest, tear_down);
  g_test_add ("/vcpu/rest/ends", Fixture, NULL, set_up, test_rest_ends, tear_down);
  g_test_add ("/vcpu/refused", Fixture, NULL, set_up, test_refused, tear_down);
  return g_test_run ();
}
