/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmVcpu: one processor of a machine: a thread around KVM_RUN. It is born parked; running it may
 * be asked for and taken back at any time.
 *
 * Threads: control, unless said otherwise.
 */
#pragma once

#include "base/vmm-bus.h"
#include "base/vmm-state.h"
#include "kvm/vmm-kvm.h"
#include "vmm-cpu.h"

G_BEGIN_DECLS

typedef struct _VmmVcpu VmmVcpu;
struct kvm_cpuid2;

/* How the first processor begins. */
typedef struct {
  gboolean firmware;  /* it begins at the reset vector; the rest is for kernels */
  gboolean long_mode; /* 64 bits with paging on; else 32 bits without */
  guint64 rip, rax, rbx, rsi, rsp;
  guint64 page_table; /* long mode: of an identity map */
  guint64 gdt;        /* where vmm_entry_fill_gdt's descriptors lie in guest memory */
} VmmEntry;

#define VMM_ENTRY_CODE    0x10
#define VMM_ENTRY_DATA    0x18
#define VMM_ENTRY_GDT_LEN 4
/* The selectors that Linux's boot protocol names. Thread: any. */
void vmm_entry_fill_gdt (gboolean long_mode, guint64 gdt[VMM_ENTRY_GDT_LEN]);

/* The lists of what KVM can do, to be mended and handed to vmm_vcpu_set_cpuid. g_free. */
struct kvm_cpuid2 *vmm_kvm_get_supported_cpuid (VmmKvm *kvm, guint n_spare, GError **error);
gboolean vmm_kvm_has_tsc_deadline (VmmKvm *kvm);
/* Whether KVM gives a machine so many, with APIC ids up to @last_id. */
gboolean vmm_kvm_check_n_vcpus (VmmKvm *kvm, guint n_vcpus, guint last_id, GError **error);

VmmVcpu *vmm_vcpu_new (VmmKvm *kvm,
                       const char *machine_name,
                       guint index,
                       guint apic_id,
                       VmmBus *ports,
                       VmmBus *mmio,
                       GError **error);
/* Ends the thread. */
void vmm_vcpu_free (VmmVcpu *self);

/* Before the first run. */
gboolean vmm_vcpu_set_cpuid (VmmVcpu *self, struct kvm_cpuid2 *cpuid, GError **error);
/* Parked: registers as after power-on, then @entry (NULL: waits to be woken). */
gboolean vmm_vcpu_reset (VmmVcpu *self, const VmmEntry *entry, GError **error);

/* Parked. All of it as sections "cpu<index>"; load is for one that has not run yet, after all of
 * them were reset once, the first one first, with the guest's memory in place. */
gboolean vmm_vcpu_save (VmmVcpu *self, VmmState *state, GError **error);
gboolean vmm_vcpu_load (VmmVcpu *self, VmmState *state, GError **error);

void vmm_vcpu_run (VmmVcpu *self);
/* Asks to stop at the next instruction boundary; returns at once. Thread: any. */
void vmm_vcpu_park (VmmVcpu *self);
/* Returns when it has stopped. Not from a vCPU's thread. */
void vmm_vcpu_wait_parked (VmmVcpu *self);
/* The guest learns that it stood still (no false alarms of its watchdogs). Parked. */
void vmm_vcpu_notify_pause (VmmVcpu *self);

/* Percent of one processor, 1 to VMM_CPU_NO_CAP. Whether it runs or not. */
gboolean vmm_vcpu_set_cap (VmmVcpu *self, guint percent, GError **error);
/* Of its thread, as of a process. The host may refuse less than it is. */
gboolean vmm_vcpu_set_nice (VmmVcpu *self, int nice, GError **error);

/* The registers as text, never NULL. Parked, or the vCPU's own thread. */
char *vmm_vcpu_dump (VmmVcpu *self);

/* Thread: any. */
guint64 vmm_vcpu_get_n_exits (VmmVcpu *self);
gint64 vmm_vcpu_get_cpu_ns (VmmVcpu *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmVcpu, vmm_vcpu_free)

G_END_DECLS
