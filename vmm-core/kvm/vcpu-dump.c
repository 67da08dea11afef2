/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A vCPU's registers as text, for crash reports.
 *
 * Threads: the vCPU's, or any while it is parked.
 */
#include "kvm/vcpu-private.h"

static void
dump_general (GString *text, const struct kvm_regs *regs)
{
  const struct {
    const char *name;
    guint64 value;
  } list[] = {
    { "rip", regs->rip }, { "rflags", regs->rflags }, { "rax", regs->rax }, { "rbx", regs->rbx },
    { "rcx", regs->rcx }, { "rdx", regs->rdx },       { "rsi", regs->rsi }, { "rdi", regs->rdi },
    { "rbp", regs->rbp }, { "rsp", regs->rsp },       { "r8", regs->r8 },   { "r9", regs->r9 },
    { "r10", regs->r10 }, { "r11", regs->r11 },       { "r12", regs->r12 }, { "r13", regs->r13 },
    { "r14", regs->r14 }, { "r15", regs->r15 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (list); i++)
    g_string_append_printf (text, "%-6s %016" G_GINT64_MODIFIER "x%s", list[i].name, list[i].value,
                            i % 3 == 2 ? "\n" : "  ");
}

static void
dump_segment (GString *text, const char *name, const struct kvm_segment *segment)
{
  g_string_append_printf (text, "%-4s %04x base %016llx limit %08x type %2u%s%s%s\n", name,
                          segment->selector, segment->base, segment->limit, segment->type,
                          segment->l ? " 64-bit" : "", segment->db ? " 32-bit" : "",
                          segment->unusable ? " unusable" : "");
}

static void
dump_special (GString *text, const struct kvm_sregs *sregs)
{
  dump_segment (text, "cs", &sregs->cs);
  dump_segment (text, "ds", &sregs->ds);
  dump_segment (text, "es", &sregs->es);
  dump_segment (text, "fs", &sregs->fs);
  dump_segment (text, "gs", &sregs->gs);
  dump_segment (text, "ss", &sregs->ss);
  dump_segment (text, "tr", &sregs->tr);
  dump_segment (text, "ldt", &sregs->ldt);
  g_string_append_printf (text, "gdt  base %016llx limit %04x\nidt  base %016llx limit %04x\n",
                          sregs->gdt.base, sregs->gdt.limit, sregs->idt.base, sregs->idt.limit);
  g_string_append_printf (
    text, "cr0 %llx  cr2 %llx  cr3 %llx  cr4 %llx  cr8 %llx\nefer %llx  apic %llx\n", sregs->cr0,
    sregs->cr2, sregs->cr3, sregs->cr4, sregs->cr8, sregs->efer, sregs->apic_base);
}

char *
vmm_vcpu_dump (VmmVcpu *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  struct kvm_regs regs;
  struct kvm_sregs sregs;

  g_string_append_printf (text, "CPU %u, exit reason %u\n", self->index, self->run->exit_reason);
  if (vmm_kvm_ioctl (self->fd, KVM_GET_REGS, &regs) == 0)
    dump_general (text, &regs);
  if (vmm_kvm_ioctl (self->fd, KVM_GET_SREGS, &sregs) == 0)
    dump_special (text, &sregs);
  return g_string_free (g_steal_pointer (&text), FALSE);
}
