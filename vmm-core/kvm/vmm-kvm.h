/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmKvm: one virtual machine of the kernel: its memory slots, its interrupt controllers, its timer
 * and its message routes. It is the VmmPlatform of every device that runs for real.
 *
 * Threads: control, unless said otherwise.
 */
#pragma once

#include "base/vmm-memory.h"
#include "base/vmm-platform.h"
#include "base/vmm-state.h"

G_BEGIN_DECLS

typedef struct _VmmKvm VmmKvm;

/* Why a machine crashed for which the host has no page. */
#define VMM_KVM_NO_MEMORY                                                                          \
  "This computer has no memory left for the machine: close other programs or give the machine "    \
  "less memory."

/* What the guest or the hardware wants. Called on any thread of the machine: note and return. */
typedef struct {
  void (*request) (gpointer data, VmmRequestKind kind, guint32 value);
  void (*pause) (gpointer data, const char *device_id, const char *why);
  void (*panicked) (gpointer data);
  void (*unplugged) (gpointer data);
  void (*device_broken) (gpointer data, const char *device_id, const char *why);
  /* The machine's memory goes: nothing that the guest does from now on counts, and crashed follows.
   * Allocates nothing. */
  void (*lost) (gpointer data);
  /* The machine cannot go on. @message is one sentence, @registers a dump, or "" where one is
   * better made later. */
  void (*crashed) (gpointer data, const char *message, const char *registers);
} VmmKvmEvents;

/* Opens /dev/kvm and checks that it can do what we need. Returns the descriptor or -1 with
 * VMM_ERROR_NO_KVM, _KVM_DENIED or _KVM. Thread: any. */
int vmm_kvm_open (GError **error);

VmmKvm *vmm_kvm_new (VmmMemory *memory, const VmmKvmEvents *events, gpointer data, GError **error);
void vmm_kvm_free (VmmKvm *self);
VmmPlatform *vmm_kvm_get_platform (VmmKvm *self);

/* Interrupt controllers and timer as after power-on; the routes stay. */
gboolean vmm_kvm_reset (VmmKvm *self, GError **error);
/* The guest's clock goes on from where it stood: call after a pause. */
gboolean vmm_kvm_save_clock (VmmKvm *self, GError **error);
gboolean vmm_kvm_restore_clock (VmmKvm *self, GError **error);

/* Interrupt controllers, timer and the clock that was saved last: as sections "kvm/...". After
 * load, restore_clock. */
gboolean vmm_kvm_save (VmmKvm *self, VmmState *state, GError **error);
gboolean vmm_kvm_load (VmmKvm *self, VmmState *state, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmKvm, vmm_kvm_free)

G_END_DECLS
