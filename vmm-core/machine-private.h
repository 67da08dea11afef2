/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the parts of VmmMachine share: how it is put together (machine-parts.c), how its state
 * changes (machine-state.c), what it does by itself (machine-attendant.c) and what its callers ask
 * for (vmm-machine.c).
 */
#pragma once

#include "vmm-progress.h"
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
  gboolean unplugged;                /* the guest gave up something that was attached */
  gboolean lost; /* its memory goes: of what may still happen only a crash counts */
  gboolean quitting;
  gint64 started_ns, ended_ns; /* 0: not yet */
};

/* machine-parts.c. Thread: control. */
gboolean vmm_machine_make_parts (VmmMachine *self, GError **error);
void vmm_machine_free_parts (VmmMachine *self);
/* Kernel and tables in memory, registers at their start. vCPUs parked, devices drained or new. */
gboolean vmm_machine_load (VmmMachine *self, GError **error);

/* machine-cpu.c. Thread: control. What the configuration says of cap and weight. */
gboolean vmm_machine_apply_cpu (VmmMachine *self, GError **error);

/* machine-saved.c. Thread: control. Save: paused. Load: new, in place of vmm_machine_load; where it
 * fails the machine has to go. */
gboolean vmm_machine_do_save (VmmMachine *self,
                              const char *path,
                              const VmmProgress *progress,
                              GError **error);
gboolean vmm_machine_load_saved (VmmMachine *self, const char *path, GError **error);

/* machine-state.c. Thread: control or attendant, with the control lock held. */
/* Any thread: returns at once. */
void vmm_machine_ask_to_park (VmmMachine *self);
void vmm_machine_park (VmmMachine *self);
void vmm_machine_run (VmmMachine *self);
/* And tells the listener. */
void vmm_machine_set_state (VmmMachine *self, VmmMachineState state);
/* Not stopped yet. The first cause counts. */
void vmm_machine_do_end (VmmMachine *self, const VmmEnd *end);
/* Running or paused, and so it stays. */
void vmm_machine_do_reset (VmmMachine *self);
/* Running. Where it fails the machine runs on. */
gboolean vmm_machine_do_pause (VmmMachine *self, GError **error);

/* machine-plug.c. Thread: attendant, with the control lock held: frees what the guest gave up. */
void vmm_machine_remove_unplugged (VmmMachine *self);

/* machine-attendant.c: its thread, what KVM calls, and the fault source; data is the machine. */
gpointer vmm_machine_attend (gpointer data);
extern const VmmKvmEvents vmm_machine_events;
void vmm_machine_fault (gpointer data);

G_END_DECLS
