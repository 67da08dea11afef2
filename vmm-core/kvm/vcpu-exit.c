/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Why the guest was left, and what is done about it: the switch of the machine.
 *
 * Threads: the vCPU's.
 */
#include "kvm/vcpu-private.h"

#include <errno.h>
#include <string.h>

/* Values as the guest's bytes lie in the shared page: little-endian, as we are. */
static guint64
load_value (const guint8 *bytes, guint size)
{
  guint64 value = 0;

  memcpy (&value, bytes, MIN (size, sizeof value));
  return value;
}

static void
store_value (guint8 *bytes, guint size, guint64 value)
{
  memcpy (bytes, &value, MIN (size, sizeof value));
}

/* KVM cuts accesses at page borders, so that any size up to eight comes; a bus takes powers of
 * two. */
static guint
next_size (guint64 address, guint left)
{
  for (guint size = 8; size > 1; size /= 2)
    if (left >= size && (address % size == 0 || size == left))
      return size;
  return 1;
}

static void
bus_access (VmmBus *bus, guint64 address, guint8 *data, guint length, gboolean is_write)
{
  while (length > 0) {
    guint size = next_size (address, length);

    if (is_write)
      vmm_bus_write (bus, address, size, load_value (data, size));
    else
      store_value (data, size, vmm_bus_read (bus, address, size));
    address += size;
    data += size;
    length -= size;
  }
}

static void
handle_port (VmmVcpu *self)
{
  struct kvm_run *run = self->run;
  guint8 *data = (guint8 *) run + run->io.data_offset;
  guint size = run->io.size;

  for (guint i = 0; i < run->io.count; i++) {
    if (run->io.direction == KVM_EXIT_IO_OUT)
      vmm_bus_write (self->ports, run->io.port, size, load_value (data, size));
    else
      store_value (data, size, vmm_bus_read (self->ports, run->io.port, size));
    data += size;
  }
}

static void
handle_memory (VmmVcpu *self)
{
  struct kvm_run *run = self->run;

  bus_access (self->mmio, run->mmio.phys_addr, run->mmio.data,
              MIN (run->mmio.len, sizeof run->mmio.data), run->mmio.is_write);
}

/* Takes @message. */
static VmmExitResult
crash (VmmVcpu *self, char *message)
{
  g_autofree char *owned = message;
  g_autofree char *registers = vmm_vcpu_dump (self);

  self->kvm->events->crashed (self->kvm->data, owned, registers);
  return VMM_EXIT_PARK;
}

static VmmExitResult
handle_internal_error (VmmVcpu *self)
{
  static const char *const reasons[] = {
    [0] = "an unknown reason",
    [KVM_INTERNAL_ERROR_EMULATION] = "an instruction that it cannot emulate",
    [KVM_INTERNAL_ERROR_SIMUL_EX] = "two exceptions at once",
    [KVM_INTERNAL_ERROR_DELIVERY_EV] = "an event that it could not deliver",
    [KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON] = "an unexpected exit of the processor",
  };
  guint why = self->run->internal.suberror;

  return crash (self, g_strdup_printf ("KVM gave up on CPU %u for %s.", self->index,
                                       why < G_N_ELEMENTS (reasons) ? reasons[why] : reasons[0]));
}

VmmExitResult
vmm_vcpu_handle_exit (VmmVcpu *self)
{
  switch (self->run->exit_reason) {
  case KVM_EXIT_IO:
    handle_port (self);
    return VMM_EXIT_GO_ON;
  case KVM_EXIT_MMIO:
    handle_memory (self);
    return VMM_EXIT_GO_ON;
  case KVM_EXIT_INTR:
  case KVM_EXIT_IRQ_WINDOW_OPEN:
  case KVM_EXIT_HLT:
    return VMM_EXIT_GO_ON;
  case KVM_EXIT_SHUTDOWN: /* a PC resets, and says nothing; whoever looks for the reason wants to
                             know */
    g_message ("CPU %u was lost in a triple fault: the machine is reset", self->index);
    self->kvm->events->request (self->kvm->data, VMM_REQUEST_RESET, 0);
    return VMM_EXIT_PARK;
  case KVM_EXIT_FAIL_ENTRY:
    return crash (self,
                  g_strdup_printf (
                    "The processor refused to run CPU %u (reason 0x%llx): its state is not valid.",
                    self->index,
                    (unsigned long long) self->run->fail_entry.hardware_entry_failure_reason));
  case KVM_EXIT_INTERNAL_ERROR:
    return handle_internal_error (self);
  default:
    return crash (self, g_strdup_printf ("KVM stopped CPU %u for a reason unknown to us (%u).",
                                         self->index, self->run->exit_reason));
  }
}

void
vmm_vcpu_run_failed (VmmVcpu *self, int error)
{
  if (VMM_KVM_NO_PAGE (error)) {
    /* Without its memory another vCPU ends in a triple fault, which must not count; and the report
     * needs a little memory itself, which the guest, lost as it is, gives back first. */
    self->kvm->events->lost (self->kvm->data);
    vmm_memory_discard_all (self->kvm->memory);
    crash (self, g_strdup (VMM_KVM_NO_MEMORY));
  } else {
    crash (self, g_strdup_printf ("KVM cannot run CPU %u: %s.", self->index, g_strerror (error)));
  }
}
