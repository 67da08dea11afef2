/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The registers with which a kernel is entered where no firmware ran before it: flat segments, in
 * 32 bits without paging or in 64 bits over an identity map.
 *
 * Threads: control, with the vCPU parked.
 */
#include "kvm/vcpu-private.h"

#define CR0_PE   G_GUINT64_CONSTANT (0x1)
#define CR0_ET   G_GUINT64_CONSTANT (0x10)
#define CR0_PG   G_GUINT64_CONSTANT (0x80000000)
#define CR4_PAE  G_GUINT64_CONSTANT (0x20)
#define EFER_LME G_GUINT64_CONSTANT (0x100)
#define EFER_LMA G_GUINT64_CONSTANT (0x400)

void
vmm_entry_fill_gdt (gboolean long_mode, guint64 gdt[VMM_ENTRY_GDT_LEN])
{
  gdt[0] = gdt[1] = 0;
  gdt[VMM_ENTRY_CODE / 8] =
    G_GUINT64_CONSTANT (0x008f9b000000ffff) |
    (long_mode ? G_GUINT64_CONSTANT (1) << 53 : G_GUINT64_CONSTANT (1) << 54);
  gdt[VMM_ENTRY_DATA / 8] = G_GUINT64_CONSTANT (0x00cf93000000ffff);
}

static void
set_code (struct kvm_segment *segment, gboolean long_mode)
{
  *segment = (struct kvm_segment) {
    .limit = 0xffffffff,
    .selector = VMM_ENTRY_CODE,
    .type = 11, /* execute, read, accessed */
    .present = 1,
    .s = 1,
    .g = 1,
    .l = long_mode,
    .db = !long_mode,
  };
}

static void
set_data (struct kvm_segment *segment)
{
  *segment = (struct kvm_segment) {
    .limit = 0xffffffff,
    .selector = VMM_ENTRY_DATA,
    .type = 3, /* read, write, accessed */
    .present = 1,
    .s = 1,
    .g = 1,
    .db = 1,
  };
}

static void
set_special (struct kvm_sregs *sregs, const VmmEntry *entry)
{
  struct kvm_segment *data[] = { &sregs->ds, &sregs->es, &sregs->fs, &sregs->gs, &sregs->ss };

  set_code (&sregs->cs, entry->long_mode);
  for (guint i = 0; i < G_N_ELEMENTS (data); i++)
    set_data (data[i]);
  /* A processor wants a busy task segment; nobody looks into it. */
  sregs->tr = (struct kvm_segment) { .limit = 0x67, .type = 11, .present = 1 };
  sregs->ldt = (struct kvm_segment) { .type = 2, .unusable = 1 };
  sregs->gdt.base = entry->gdt;
  sregs->gdt.limit = VMM_ENTRY_GDT_LEN * sizeof (guint64) - 1;
  sregs->idt.base = 0;
  sregs->idt.limit = 0;

  sregs->cr0 = CR0_PE | CR0_ET;
  sregs->cr4 = 0;
  sregs->efer = 0;
  if (entry->long_mode) {
    sregs->cr3 = entry->page_table;
    sregs->cr4 = CR4_PAE;
    sregs->cr0 |= CR0_PG;
    sregs->efer = EFER_LME | EFER_LMA;
  }
}

gboolean
vmm_vcpu_set_entry (VmmVcpu *self, const VmmEntry *entry, GError **error)
{
  struct kvm_sregs sregs;
  struct kvm_regs regs = {
    .rip = entry->rip,
    .rax = entry->rax,
    .rbx = entry->rbx,
    .rsi = entry->rsi,
    .rsp = entry->rsp,
    .rflags = 2,
  };

  if (vmm_kvm_ioctl (self->fd, KVM_GET_SREGS, &sregs) < 0)
    return vmm_kvm_fail ("read a CPU's registers", error);
  set_special (&sregs, entry);
  if (vmm_kvm_ioctl (self->fd, KVM_SET_SREGS, &sregs) < 0 ||
      vmm_kvm_ioctl (self->fd, KVM_SET_REGS, &regs) < 0)
    return vmm_kvm_fail ("set a CPU's registers", error);
  return TRUE;
}
