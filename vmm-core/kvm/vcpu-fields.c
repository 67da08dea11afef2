/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The registers of a vCPU as fields. (Structs: Linux, Documentation/virt/kvm/api.rst.)
 *
 * Threads: any.
 */
#include "kvm/saved-fields.h"
#include "kvm/vcpu-private.h"

static const VmmField kvm_regs_fields[] = {
  VMM_FIELD (struct kvm_regs, rax, VMM_FIELD_UINT64, "rax"),
  VMM_FIELD (struct kvm_regs, rbx, VMM_FIELD_UINT64, "rbx"),
  VMM_FIELD (struct kvm_regs, rcx, VMM_FIELD_UINT64, "rcx"),
  VMM_FIELD (struct kvm_regs, rdx, VMM_FIELD_UINT64, "rdx"),
  VMM_FIELD (struct kvm_regs, rsi, VMM_FIELD_UINT64, "rsi"),
  VMM_FIELD (struct kvm_regs, rdi, VMM_FIELD_UINT64, "rdi"),
  VMM_FIELD (struct kvm_regs, rsp, VMM_FIELD_UINT64, "rsp"),
  VMM_FIELD (struct kvm_regs, rbp, VMM_FIELD_UINT64, "rbp"),
  VMM_FIELD (struct kvm_regs, r8, VMM_FIELD_UINT64, "r8"),
  VMM_FIELD (struct kvm_regs, r9, VMM_FIELD_UINT64, "r9"),
  VMM_FIELD (struct kvm_regs, r10, VMM_FIELD_UINT64, "r10"),
  VMM_FIELD (struct kvm_regs, r11, VMM_FIELD_UINT64, "r11"),
  VMM_FIELD (struct kvm_regs, r12, VMM_FIELD_UINT64, "r12"),
  VMM_FIELD (struct kvm_regs, r13, VMM_FIELD_UINT64, "r13"),
  VMM_FIELD (struct kvm_regs, r14, VMM_FIELD_UINT64, "r14"),
  VMM_FIELD (struct kvm_regs, r15, VMM_FIELD_UINT64, "r15"),
  VMM_FIELD (struct kvm_regs, rip, VMM_FIELD_UINT64, "rip"),
  VMM_FIELD (struct kvm_regs, rflags, VMM_FIELD_UINT64, "rflags"),
  VMM_FIELD_LAST,
};

static const VmmField kvm_segment_fields[] = {
  VMM_FIELD (struct kvm_segment, base, VMM_FIELD_UINT64, "base"),
  VMM_FIELD (struct kvm_segment, limit, VMM_FIELD_UINT32, "limit"),
  VMM_FIELD (struct kvm_segment, selector, VMM_FIELD_UINT16, "selector"),
  VMM_FIELD (struct kvm_segment, type, VMM_FIELD_UINT8, "type"),
  VMM_FIELD (struct kvm_segment, present, VMM_FIELD_UINT8, "present"),
  VMM_FIELD (struct kvm_segment, dpl, VMM_FIELD_UINT8, "dpl"),
  VMM_FIELD (struct kvm_segment, db, VMM_FIELD_UINT8, "db"),
  VMM_FIELD (struct kvm_segment, s, VMM_FIELD_UINT8, "s"),
  VMM_FIELD (struct kvm_segment, l, VMM_FIELD_UINT8, "l"),
  VMM_FIELD (struct kvm_segment, g, VMM_FIELD_UINT8, "g"),
  VMM_FIELD (struct kvm_segment, avl, VMM_FIELD_UINT8, "avl"),
  VMM_FIELD (struct kvm_segment, unusable, VMM_FIELD_UINT8, "unusable"),
  VMM_EXEMPT (struct kvm_segment, padding, "padding"),
  VMM_FIELD_LAST,
};

static const VmmField kvm_dtable_fields[] = {
  VMM_FIELD (struct kvm_dtable, base, VMM_FIELD_UINT64, "base"),
  VMM_FIELD (struct kvm_dtable, limit, VMM_FIELD_UINT16, "limit"),
  VMM_EXEMPT (struct kvm_dtable, padding, "padding"),
  VMM_FIELD_LAST,
};

static const VmmField kvm_sregs_fields[] = {
  VMM_FIELD_PART (struct kvm_sregs, cs, kvm_segment_fields, "cs"),
  VMM_FIELD_PART (struct kvm_sregs, ds, kvm_segment_fields, "ds"),
  VMM_FIELD_PART (struct kvm_sregs, es, kvm_segment_fields, "es"),
  VMM_FIELD_PART (struct kvm_sregs, fs, kvm_segment_fields, "fs"),
  VMM_FIELD_PART (struct kvm_sregs, gs, kvm_segment_fields, "gs"),
  VMM_FIELD_PART (struct kvm_sregs, ss, kvm_segment_fields, "ss"),
  VMM_FIELD_PART (struct kvm_sregs, tr, kvm_segment_fields, "tr"),
  VMM_FIELD_PART (struct kvm_sregs, ldt, kvm_segment_fields, "ldt"),
  VMM_FIELD_PART (struct kvm_sregs, gdt, kvm_dtable_fields, "gdt"),
  VMM_FIELD_PART (struct kvm_sregs, idt, kvm_dtable_fields, "idt"),
  VMM_FIELD (struct kvm_sregs, cr0, VMM_FIELD_UINT64, "cr0"),
  VMM_FIELD (struct kvm_sregs, cr2, VMM_FIELD_UINT64, "cr2"),
  VMM_FIELD (struct kvm_sregs, cr3, VMM_FIELD_UINT64, "cr3"),
  VMM_FIELD (struct kvm_sregs, cr4, VMM_FIELD_UINT64, "cr4"),
  VMM_FIELD (struct kvm_sregs, cr8, VMM_FIELD_UINT64, "cr8"),
  VMM_FIELD (struct kvm_sregs, efer, VMM_FIELD_UINT64, "efer"),
  VMM_FIELD (struct kvm_sregs, apic_base, VMM_FIELD_UINT64, "apic-base"),
  VMM_FIELD (struct kvm_sregs, interrupt_bitmap, VMM_FIELD_BYTES, "interrupt-bitmap"),
  VMM_FIELD_LAST,
};

static const VmmField kvm_xcr_fields[] = {
  VMM_FIELD (struct kvm_xcr, xcr, VMM_FIELD_UINT32, "xcr"),
  VMM_EXEMPT (struct kvm_xcr, reserved, "reserved"),
  VMM_FIELD (struct kvm_xcr, value, VMM_FIELD_UINT64, "value"),
  VMM_FIELD_LAST,
};

static const VmmField kvm_xcrs_fields[] = {
  VMM_FIELD (struct kvm_xcrs, nr_xcrs, VMM_FIELD_UINT32, "count"),
  VMM_EXEMPT (struct kvm_xcrs, flags, "none is defined"),
  VMM_FIELD_PARTS (struct kvm_xcrs, xcrs, kvm_xcr_fields, "registers"),
  VMM_EXEMPT (struct kvm_xcrs, padding, "padding"),
  VMM_FIELD_LAST,
};

static const VmmField kvm_debug_fields[] = {
  VMM_FIELD (struct kvm_debugregs, db, VMM_FIELD_BYTES, "db"),
  VMM_FIELD (struct kvm_debugregs, dr6, VMM_FIELD_UINT64, "dr6"),
  VMM_FIELD (struct kvm_debugregs, dr7, VMM_FIELD_UINT64, "dr7"),
  VMM_EXEMPT (struct kvm_debugregs, flags, "none is defined"),
  VMM_EXEMPT (struct kvm_debugregs, reserved, "reserved"),
  VMM_FIELD_LAST,
};

/* The page of registers, as the processor lays it out (Intel SDM 3A, table 11-1). */
static const VmmField kvm_lapic_fields[] = {
  VMM_FIELD (struct kvm_lapic_state, regs, VMM_FIELD_BYTES, "registers"),
  VMM_FIELD_LAST,
};

static const VmmField kvm_mp_fields[] = {
  VMM_FIELD (struct kvm_mp_state, mp_state, VMM_FIELD_UINT32, "state"),
  VMM_FIELD_LAST,
};

static const VmmField kvm_events_fields[] = {
  VMM_FIELD (struct kvm_vcpu_events, exception.injected, VMM_FIELD_UINT8, "exception-injected"),
  VMM_FIELD (struct kvm_vcpu_events, exception.nr, VMM_FIELD_UINT8, "exception-nr"),
  VMM_FIELD (struct kvm_vcpu_events,
             exception.has_error_code,
             VMM_FIELD_UINT8,
             "exception-has-error-code"),
  VMM_FIELD (struct kvm_vcpu_events, exception.pending, VMM_FIELD_UINT8, "exception-pending"),
  VMM_FIELD (struct kvm_vcpu_events,
             exception.error_code,
             VMM_FIELD_UINT32,
             "exception-error-code"),
  VMM_FIELD (struct kvm_vcpu_events, interrupt.injected, VMM_FIELD_UINT8, "interrupt-injected"),
  VMM_FIELD (struct kvm_vcpu_events, interrupt.nr, VMM_FIELD_UINT8, "interrupt-nr"),
  VMM_FIELD (struct kvm_vcpu_events, interrupt.soft, VMM_FIELD_UINT8, "interrupt-soft"),
  VMM_FIELD (struct kvm_vcpu_events, interrupt.shadow, VMM_FIELD_UINT8, "interrupt-shadow"),
  VMM_FIELD (struct kvm_vcpu_events, nmi.injected, VMM_FIELD_UINT8, "nmi-injected"),
  VMM_FIELD (struct kvm_vcpu_events, nmi.pending, VMM_FIELD_UINT8, "nmi-pending"),
  VMM_FIELD (struct kvm_vcpu_events, nmi.masked, VMM_FIELD_UINT8, "nmi-masked"),
  VMM_EXEMPT (struct kvm_vcpu_events, nmi.pad, "padding"),
  VMM_FIELD (struct kvm_vcpu_events, sipi_vector, VMM_FIELD_UINT32, "sipi-vector"),
  VMM_FIELD (struct kvm_vcpu_events, flags, VMM_FIELD_UINT32, "flags"),
  VMM_FIELD (struct kvm_vcpu_events, smi.smm, VMM_FIELD_UINT8, "smi-smm"),
  VMM_FIELD (struct kvm_vcpu_events, smi.pending, VMM_FIELD_UINT8, "smi-pending"),
  VMM_FIELD (struct kvm_vcpu_events, smi.smm_inside_nmi, VMM_FIELD_UINT8, "smi-smm-inside-nmi"),
  VMM_FIELD (struct kvm_vcpu_events, smi.latched_init, VMM_FIELD_UINT8, "smi-latched-init"),
  VMM_FIELD (struct kvm_vcpu_events, triple_fault.pending, VMM_FIELD_UINT8, "triple-fault-pending"),
  VMM_EXEMPT (struct kvm_vcpu_events, reserved, "reserved"),
  VMM_FIELD (struct kvm_vcpu_events,
             exception_has_payload,
             VMM_FIELD_UINT8,
             "exception-has-payload"),
  VMM_FIELD (struct kvm_vcpu_events, exception_payload, VMM_FIELD_UINT64, "exception-payload"),
  VMM_FIELD_LAST,
};

const VmmField vmm_vcpu_state_fields[] = {
  VMM_FIELD_PART (VmmVcpuState, regs, kvm_regs_fields, "general"),
  VMM_FIELD_PART (VmmVcpuState, sregs, kvm_sregs_fields, "system"),
  VMM_FIELD_PART (VmmVcpuState, xcrs, kvm_xcrs_fields, "extended-control"),
  VMM_FIELD_PART (VmmVcpuState, debug, kvm_debug_fields, "debug"),
  VMM_FIELD_PART (VmmVcpuState, lapic, kvm_lapic_fields, "local-apic"),
  VMM_FIELD_PART (VmmVcpuState, mp, kvm_mp_fields, "multiprocessing"),
  VMM_FIELD_PART (VmmVcpuState, events, kvm_events_fields, "events"),
  VMM_EXEMPT (VmmVcpuState, xsave, "a section of its own: its length is the processor's"),
  VMM_EXEMPT (VmmVcpuState, msrs, "a section of its own: the kernel says which there are"),
  VMM_FIELD_LAST,
};
