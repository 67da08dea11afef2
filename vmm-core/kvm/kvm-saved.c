/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The chips in the kernel, saved and loaded.
 *
 * Threads: control, with the vCPUs parked.
 */
#include "kvm/kvm-private.h"
#include "kvm/saved-fields.h"

static const struct {
  guint chip; /* KVM_IRQCHIP_* */
  const char *section;
  const VmmField *fields;
} controllers[] = {
  { KVM_IRQCHIP_PIC_MASTER, "kvm/pic0", vmm_kvm_pic_fields },
  { KVM_IRQCHIP_PIC_SLAVE, "kvm/pic1", vmm_kvm_pic_fields },
  { KVM_IRQCHIP_IOAPIC, "kvm/ioapic", vmm_kvm_ioapic_fields },
};

static gboolean
save (VmmState *state, const char *section, const VmmField *fields, gconstpointer o, GError **error)
{
  return vmm_state_save_struct (state, section, VMM_CHIP_STATE_VERSION, fields, o, error);
}

static gboolean
load (VmmState *state, const char *section, const VmmField *fields, gpointer o, GError **error)
{
  return vmm_state_load_struct (state, section, VMM_CHIP_STATE_VERSION, fields, o, NULL, error);
}

static gboolean
save_controllers (VmmKvm *self, VmmState *state, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (controllers); i++) {
    struct kvm_irqchip chip = { .chip_id = controllers[i].chip };

    if (vmm_kvm_ioctl (self->vm_fd, KVM_GET_IRQCHIP, &chip) < 0)
      return vmm_kvm_fail ("show the interrupt controllers", error);
    if (!save (state, controllers[i].section, controllers[i].fields, &chip.chip, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
vmm_kvm_save (VmmKvm *self, VmmState *state, GError **error)
{
  struct kvm_pit_state2 pit = { 0 };

  if (vmm_kvm_ioctl (self->vm_fd, KVM_GET_PIT2, &pit) < 0)
    return vmm_kvm_fail ("show the timer", error);
  return save_controllers (self, state, error) &&
         save (state, "kvm/pit", vmm_kvm_pit_fields, &pit, error) &&
         save (state, "kvm/clock", vmm_kvm_clock_fields, &self->clock, error);
}

static gboolean
load_controllers (VmmKvm *self, VmmState *state, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (controllers); i++) {
    struct kvm_irqchip chip = self->chips[i];

    if (!load (state, controllers[i].section, controllers[i].fields, &chip.chip, error))
      return FALSE;
    if (vmm_kvm_ioctl (self->vm_fd, KVM_SET_IRQCHIP, &chip) < 0)
      return vmm_kvm_fail ("set the interrupt controllers", error);
  }
  return TRUE;
}

gboolean
vmm_kvm_load (VmmKvm *self, VmmState *state, GError **error)
{
  struct kvm_pit_state2 pit = self->pit;

  if (!load_controllers (self, state, error) ||
      !load (state, "kvm/pit", vmm_kvm_pit_fields, &pit, error) ||
      !load (state, "kvm/clock", vmm_kvm_clock_fields, &self->clock, error))
    return FALSE;
  if (vmm_kvm_ioctl (self->vm_fd, KVM_SET_PIT2, &pit) < 0)
    return vmm_kvm_fail ("set the timer", error);
  return TRUE;
}
