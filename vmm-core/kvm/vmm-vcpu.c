/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The life of a vCPU: made, run, parked, reset, freed; and its thread. What it does between two
 * entries into the guest is in vcpu-exit.c.
 *
 * Threads: see vmm-vcpu.h; functions of the thread are named vcpu_thread_*.
 */
#include "kvm/vcpu-private.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kvm/vmm-signals.h"
#include "vmm-error.h"

static gint64
pthread_cpu_ns (pthread_t thread)
{
  struct timespec time;
  clockid_t clock;

  if (pthread_getcpuclockid (thread, &clock) != 0 || clock_gettime (clock, &time) < 0)
    return 0;
  return time.tv_sec * G_GINT64_CONSTANT (1000000000) + time.tv_nsec;
}

/* Sleeps while the vCPU shall not run. FALSE: the thread is to end. */
static gboolean
vcpu_thread_wait (VmmVcpu *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (!self->wanted && !self->quitting) {
    self->parked = TRUE;
    g_cond_broadcast (&self->changed);
    g_cond_wait (&self->changed, &self->lock);
  }
  self->parked = FALSE;
  return !self->quitting;
}

static void
vcpu_thread_unwant (VmmVcpu *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->wanted = FALSE;
}

/* The last port or memory access of the guest ends inside the next KVM_RUN: do that without running
 * the guest, so that the registers of a parked vCPU are whole. */
static void
vcpu_thread_settle (VmmVcpu *self)
{
  __atomic_store_n (&self->run->immediate_exit, 1, __ATOMIC_RELAXED);
  while (ioctl (self->fd, KVM_RUN, NULL) == 0 && self->run->exit_reason != KVM_EXIT_INTR)
    if (vmm_vcpu_handle_exit (self) == VMM_EXIT_PARK)
      break;
}

static gboolean
is_capped (VmmVcpu *self)
{
  return g_atomic_int_get (&self->cap) != VMM_CPU_NO_CAP;
}

/* In and out of the guest until somebody wants it parked. */
static void
vcpu_thread_run (VmmVcpu *self)
{
  if (is_capped (self))
    vmm_vcpu_thread_rest (self);
  for (;;) {
    int result;

    if (g_atomic_int_get (&self->stop))
      break;
    result = ioctl (self->fd, KVM_RUN, NULL);
    __atomic_store_n (&self->n_exits, self->n_exits + 1, __ATOMIC_RELAXED);
    if (result < 0 && (errno == EINTR || errno == EAGAIN)) {
      /* A kick that comes after this line is seen at the top of the loop. */
      __atomic_store_n (&self->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
      if (is_capped (self))
        vmm_vcpu_thread_rest (self);
      continue;
    }
    if (result < 0) {
      vmm_vcpu_run_failed (self, errno);
      return;
    }
    if (vmm_vcpu_handle_exit (self) == VMM_EXIT_PARK)
      return;
  }
  vcpu_thread_settle (self);
}

static gpointer
vcpu_thread (gpointer data)
{
  VmmVcpu *self = data;

  vmm_block_foreign_signals ();
  g_mutex_lock (&self->lock);
  self->pthread = pthread_self ();
  self->tid = gettid ();
  self->has_pthread = TRUE;
  g_mutex_unlock (&self->lock);

  while (vcpu_thread_wait (self)) {
    vcpu_thread_run (self);
    vcpu_thread_unwant (self);
  }

  g_mutex_lock (&self->lock);
  self->has_pthread = FALSE;
  self->cpu_ns = pthread_cpu_ns (self->pthread);
  self->parked = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return NULL;
}

static gboolean
vcpu_create (VmmVcpu *self, GError **error)
{
  self->fd = vmm_kvm_ioctl (self->kvm->vm_fd, KVM_CREATE_VCPU, GUINT_TO_POINTER (self->apic_id));
  if (self->fd < 0)
    return vmm_kvm_fail ("make a CPU", error);
  self->run = mmap (NULL, self->kvm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
  if (self->run == MAP_FAILED) {
    self->run = NULL;
    return vmm_kvm_fail ("share a CPU's state", error);
  }
  return TRUE;
}

VmmVcpu *
vmm_vcpu_new (VmmKvm *kvm,
              const char *machine_name,
              guint index,
              guint apic_id,
              VmmBus *ports,
              VmmBus *mmio,
              GError **error)
{
  g_autoptr (VmmVcpu) self = g_new0 (VmmVcpu, 1);
  g_autofree char *thread_name = g_strdup_printf ("cpu%u %s", index, machine_name);

  self->kvm = kvm;
  self->ports = ports;
  self->mmio = mmio;
  self->index = index;
  self->apic_id = apic_id;
  self->fd = -1;
  self->stop = TRUE;
  self->cap = VMM_CPU_NO_CAP;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  if (vmm_kick_signal () == 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_KVM,
                 "This process has no real-time signal left for its machines.");
    return NULL;
  }
  if (!vcpu_create (self, error))
    return NULL;
  self->thread = g_thread_try_new (thread_name, vcpu_thread, self, error);
  return self->thread ? g_steal_pointer (&self) : NULL;
}

void
vmm_vcpu_free (VmmVcpu *self)
{
  vmm_vcpu_free_timer (self);
  if (self->thread) {
    vmm_vcpu_park (self);
    g_mutex_lock (&self->lock);
    self->quitting = TRUE;
    g_cond_broadcast (&self->changed);
    g_mutex_unlock (&self->lock);
    g_thread_join (self->thread);
  }
  if (self->run)
    munmap (self->run, self->kvm->run_size);
  if (self->fd >= 0)
    close (self->fd);
  g_clear_pointer (&self->power_on, vmm_vcpu_state_free);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

gboolean
vmm_vcpu_set_cpuid (VmmVcpu *self, struct kvm_cpuid2 *cpuid, GError **error)
{
  if (vmm_kvm_ioctl (self->fd, KVM_SET_CPUID2, cpuid) < 0)
    return vmm_kvm_fail ("take a CPU's features", error);
  return TRUE;
}

gboolean
vmm_vcpu_reset (VmmVcpu *self, const VmmEntry *entry, GError **error)
{
  if (self->power_on) {
    if (!vmm_vcpu_state_load (self, self->power_on, FALSE, error))
      return FALSE;
  } else {
    self->power_on = vmm_vcpu_state_save (self, error);
    if (!self->power_on)
      return FALSE;
  }
  return !entry || entry->firmware || vmm_vcpu_set_entry (self, entry, error);
}

void
vmm_vcpu_run (VmmVcpu *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->run->immediate_exit = 0; /* parked: nobody else looks at it */
  g_atomic_int_set (&self->stop, FALSE);
  self->wanted = TRUE;
  self->parked = FALSE;
  g_cond_broadcast (&self->changed);
}

void
vmm_vcpu_park (VmmVcpu *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_atomic_int_set (&self->stop, TRUE);
  self->wanted = FALSE;
  __atomic_store_n (&self->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
  if (self->has_pthread && !self->parked && !pthread_equal (self->pthread, pthread_self ()))
    pthread_kill (self->pthread, vmm_kick_signal ());
  g_cond_broadcast (&self->changed); /* it may rest */
}

void
vmm_vcpu_wait_parked (VmmVcpu *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (!self->parked)
    g_cond_wait (&self->changed, &self->lock);
}

void
vmm_vcpu_notify_pause (VmmVcpu *self)
{
  /* Fails where the guest has no kvmclock: then there is nothing to tell. */
  ioctl (self->fd, KVM_KVMCLOCK_CTRL, NULL);
}

guint64
vmm_vcpu_get_n_exits (VmmVcpu *self)
{
  return __atomic_load_n (&self->n_exits, __ATOMIC_RELAXED);
}

gint64
vmm_vcpu_get_cpu_ns (VmmVcpu *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->has_pthread ? pthread_cpu_ns (self->pthread) : self->cpu_ns;
}
