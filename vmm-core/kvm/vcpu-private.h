/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of a vCPU share: its thread (vmm-vcpu.c), its way out of the guest
 * (vcpu-exit.c), its registers (vcpu-state.c, vcpu-entry.c; vcpu-dump.c makes them text).
 */
#pragma once

#include <pthread.h>
#include <time.h>

#include "kvm/duty-cycle.h"
#include "kvm/kvm-private.h"
#include "kvm/vmm-vcpu.h"

G_BEGIN_DECLS

/* Everything that KVM lets us read of a vCPU and write back. */
typedef struct {
  struct kvm_regs regs;
  struct kvm_sregs sregs;
  struct kvm_xcrs xcrs;
  struct kvm_debugregs debug;
  struct kvm_lapic_state lapic;
  struct kvm_mp_state mp;
  struct kvm_vcpu_events events;
  struct kvm_xsave *xsave;
  struct kvm_msrs *msrs;
} VmmVcpuState;

struct _VmmVcpu {
  VmmKvm *kvm;
  VmmBus *ports, *mmio;
  guint index, apic_id;
  int fd;
  struct kvm_run *run;
  VmmVcpuState *power_on; /* what a reset goes back to */

  GThread *thread;
  GMutex lock; /* guards what follows, with @changed */
  GCond changed;
  gboolean wanted; /* shall run */
  gboolean parked; /* does not run */
  gboolean quitting;
  gboolean has_pthread;
  pthread_t pthread;
  pid_t tid;
  timer_t timer; /* of the cap, with @has_timer */
  gboolean has_timer;
  VmmDutyCycle duty; /* of the cap, once it has begun */
  gint64 cpu_ns;     /* of the thread, once it has ended */

  gint stop;       /* atomic: leave the guest and park */
  gint cap;        /* atomic: percent of a processor; changed under @lock */
  guint64 n_exits; /* written by the thread only */
};

typedef enum {
  VMM_EXIT_GO_ON,
  VMM_EXIT_PARK, /* the machine has been told why */
} VmmExitResult;

/* vcpu-exit.c; on the vCPU's thread. */
VmmExitResult vmm_vcpu_handle_exit (VmmVcpu *self);
/* KVM_RUN itself failed with @error. */
void vmm_vcpu_run_failed (VmmVcpu *self, int error);

/* vcpu-share.c */
/* On the vCPU's thread, where it has a cap: sleeps while it owes, unless it is to stop. */
void vmm_vcpu_thread_rest (VmmVcpu *self);
/* Lock held: until @end (monotonic, microseconds), or it is to stop, or the cap is another one. */
void vmm_vcpu_thread_sleep (VmmVcpu *self, gint64 end);
void vmm_vcpu_free_timer (VmmVcpu *self);

/* vcpu-state.c */
VmmVcpuState *vmm_vcpu_state_save (VmmVcpu *self, GError **error);
/* With @clock the time stamp counter is @state's; else it goes on, the same for all vCPUs. */
gboolean
vmm_vcpu_state_load (VmmVcpu *self, const VmmVcpuState *state, gboolean clock, GError **error);
gsize vmm_vcpu_xsave_size (VmmVcpu *self); /* bytes */
void vmm_vcpu_state_free (VmmVcpuState *state);

/* vcpu-entry.c */
gboolean vmm_vcpu_set_entry (VmmVcpu *self, const VmmEntry *entry, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmVcpuState, vmm_vcpu_state_free)

G_END_DECLS
