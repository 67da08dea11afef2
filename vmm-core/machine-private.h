/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the halves of VmmMachine share: how it is put together (machine-parts.c) and how it lives
 * (vmm-machine.c).
 */
#pragma once

#include "kvm/vmm-kvm.h"
#include "kvm/vmm-signals.h"
#include "kvm/vmm-vcpu.h"
#include "vmm-machine.h"
#include "x86/pc.h"

G_BEGIN_DECLS

/* What the guest, the hardware or a fault asked for and nobody has seen to yet. */
typedef enum {
  PENDING_NONE,
  PENDING_PAUSE,
  PENDING_RESET,
  PENDING_END,
} VmmPending;

struct _VmmMachine {
  VmmConfig *config;
  VmmListener listener;
  gpointer listener_data;

  /* Parts, in the order in which they are made. */
  VmmMemory *memory;
  VmmLoop *loop;
  VmmKvm *kvm;
  VmmPc *pc;
  GPtrArray *vcpus;
  int fault_fd; /* eventfd: the host had no page for the guest */
  VmmSource *fault_source;
  VmmFaultWatch *fault_watch;

  GMutex control;     /* held by whoever changes the state: the caller or the attendant */
  GThread *attendant; /* sees to what the guest asks for */

  GMutex lock; /* guards what follows, with @changed */
  GCond changed;
  VmmMachineState state;
  VmmEnd end;
  char *message, *registers; /* of @end */
  VmmPending pending;
  VmmEnd pending_end;                /* its strings are @message and @registers */
  char *pause_device, *pause_reason; /* of PENDING_PAUSE */
  gboolean quitting;
  gint64 started_ns, ended_ns; /* 0: not yet */
};

/* machine-parts.c. Thread: control. */
gboolean vmm_machine_make_parts (VmmMachine *self, GError **error);
void vmm_machine_free_parts (VmmMachine *self);
/* Kernel and tables in memory, registers at their start. vCPUs parked, devices drained or new. */
gboolean vmm_machine_load (VmmMachine *self, GError **error);

/* vmm-machine.c: what KVM calls; data is the machine. */
extern const VmmKvmEvents vmm_machine_events;
void vmm_machine_fault (gpointer data);

G_END_DECLS
