/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The chips in the kernel as fields. (Structs: Linux, Documentation/virt/kvm/api.rst.)
 *
 * Threads: any.
 */
#include <linux/kvm.h>

#include "kvm/saved-fields.h"

const VmmField vmm_kvm_pic_fields[] = {
  VMM_FIELD (struct kvm_pic_state, last_irr, VMM_FIELD_UINT8, "last-irr"),
  VMM_FIELD (struct kvm_pic_state, irr, VMM_FIELD_UINT8, "irr"),
  VMM_FIELD (struct kvm_pic_state, imr, VMM_FIELD_UINT8, "imr"),
  VMM_FIELD (struct kvm_pic_state, isr, VMM_FIELD_UINT8, "isr"),
  VMM_FIELD (struct kvm_pic_state, priority_add, VMM_FIELD_UINT8, "priority-add"),
  VMM_FIELD (struct kvm_pic_state, irq_base, VMM_FIELD_UINT8, "irq-base"),
  VMM_FIELD (struct kvm_pic_state, read_reg_select, VMM_FIELD_UINT8, "read-reg-select"),
  VMM_FIELD (struct kvm_pic_state, poll, VMM_FIELD_UINT8, "poll"),
  VMM_FIELD (struct kvm_pic_state, special_mask, VMM_FIELD_UINT8, "special-mask"),
  VMM_FIELD (struct kvm_pic_state, init_state, VMM_FIELD_UINT8, "init-state"),
  VMM_FIELD (struct kvm_pic_state, auto_eoi, VMM_FIELD_UINT8, "auto-eoi"),
  VMM_FIELD (struct kvm_pic_state, rotate_on_auto_eoi, VMM_FIELD_UINT8, "rotate-on-auto-eoi"),
  VMM_FIELD (struct kvm_pic_state,
             special_fully_nested_mode,
             VMM_FIELD_UINT8,
             "special-fully-nested-mode"),
  VMM_FIELD (struct kvm_pic_state, init4, VMM_FIELD_UINT8, "init4"),
  VMM_FIELD (struct kvm_pic_state, elcr, VMM_FIELD_UINT8, "elcr"),
  VMM_FIELD (struct kvm_pic_state, elcr_mask, VMM_FIELD_UINT8, "elcr-mask"),
  VMM_FIELD_LAST,
};

const VmmField vmm_kvm_ioapic_fields[] = {
  VMM_FIELD (struct kvm_ioapic_state, base_address, VMM_FIELD_UINT64, "base-address"),
  VMM_FIELD (struct kvm_ioapic_state, ioregsel, VMM_FIELD_UINT32, "ioregsel"),
  VMM_FIELD (struct kvm_ioapic_state, id, VMM_FIELD_UINT32, "id"),
  VMM_FIELD (struct kvm_ioapic_state, irr, VMM_FIELD_UINT32, "irr"),
  VMM_EXEMPT (struct kvm_ioapic_state, pad, "padding"),
  /* 24 entries of 64 bits (Intel 82093AA, 3.2.4). */
  VMM_FIELD (struct kvm_ioapic_state, redirtbl, VMM_FIELD_BYTES, "redirection-table"),
  VMM_FIELD_LAST,
};

static const VmmField kvm_pit_channel_fields[] = {
  VMM_FIELD (struct kvm_pit_channel_state, count, VMM_FIELD_UINT32, "count"),
  VMM_FIELD (struct kvm_pit_channel_state, latched_count, VMM_FIELD_UINT16, "latched-count"),
  VMM_FIELD (struct kvm_pit_channel_state, count_latched, VMM_FIELD_UINT8, "count-latched"),
  VMM_FIELD (struct kvm_pit_channel_state, status_latched, VMM_FIELD_UINT8, "status-latched"),
  VMM_FIELD (struct kvm_pit_channel_state, status, VMM_FIELD_UINT8, "status"),
  VMM_FIELD (struct kvm_pit_channel_state, read_state, VMM_FIELD_UINT8, "read-state"),
  VMM_FIELD (struct kvm_pit_channel_state, write_state, VMM_FIELD_UINT8, "write-state"),
  VMM_FIELD (struct kvm_pit_channel_state, write_latch, VMM_FIELD_UINT8, "write-latch"),
  VMM_FIELD (struct kvm_pit_channel_state, rw_mode, VMM_FIELD_UINT8, "rw-mode"),
  VMM_FIELD (struct kvm_pit_channel_state, mode, VMM_FIELD_UINT8, "mode"),
  VMM_FIELD (struct kvm_pit_channel_state, bcd, VMM_FIELD_UINT8, "bcd"),
  VMM_FIELD (struct kvm_pit_channel_state, gate, VMM_FIELD_UINT8, "gate"),
  VMM_EXEMPT (struct kvm_pit_channel_state,
              count_load_time,
              "the host's time: counting begins anew"),
  VMM_FIELD_LAST,
};

const VmmField vmm_kvm_pit_fields[] = {
  VMM_FIELD_PARTS (struct kvm_pit_state2, channels, kvm_pit_channel_fields, "channels"),
  VMM_FIELD (struct kvm_pit_state2, flags, VMM_FIELD_UINT32, "flags"),
  VMM_EXEMPT (struct kvm_pit_state2, reserved, "reserved"),
  VMM_FIELD_LAST,
};

const VmmField vmm_kvm_clock_fields[] = {
  VMM_FIELD (struct kvm_clock_data, clock, VMM_FIELD_UINT64, "nanoseconds"),
  VMM_EXEMPT (struct kvm_clock_data, flags, "says what of the following is there"),
  VMM_EXEMPT (struct kvm_clock_data, pad0, "padding"),
  VMM_EXEMPT (struct kvm_clock_data, realtime, "the guest's clock stands while it is saved"),
  VMM_EXEMPT (struct kvm_clock_data, host_tsc, "the host's"),
  VMM_EXEMPT (struct kvm_clock_data, pad, "padding"),
  VMM_FIELD_LAST,
};
