/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The virtual machine's descriptor and what hangs on it: memory slots, interrupt controllers,
 * timer, clock. Its life as a platform of devices is in kvm-platform.c.
 *
 * Threads: control.
 */
#include "kvm/kvm-private.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm-error.h"

/* Intel CPUs without unrestricted guest mode need four pages of their own, in the hole between the
 * local APIC and the flash; e820 reserves them. */
#define IDENTITY_MAP_ADDRESS G_GUINT64_CONSTANT (0xfeffc000)
#define TSS_ADDRESS          0xfeffd000UL

#define VGA_WINDOW     0xa0000
#define VGA_WINDOW_END 0xc0000

static const struct {
  int capability;
  const char *what;
} needed[] = {
  { KVM_CAP_IRQCHIP, "interrupt controllers" }, { KVM_CAP_PIT2, "a timer" },
  { KVM_CAP_USER_MEMORY, "user memory" },       { KVM_CAP_READONLY_MEM, "read-only memory" },
  { KVM_CAP_IOEVENTFD, "ioeventfd" },           { KVM_CAP_IRQFD, "irqfd" },
  { KVM_CAP_IRQ_ROUTING, "interrupt routing" }, { KVM_CAP_SIGNAL_MSI, "message interrupts" },
  { KVM_CAP_IMMEDIATE_EXIT, "immediate exit" }, { KVM_CAP_EXT_CPUID, "CPUID" },
  { KVM_CAP_ADJUST_CLOCK, "a clock" },
};

int
vmm_kvm_ioctl (int fd, unsigned long request, gpointer argument)
{
  int result;

  do
    result = ioctl (fd, request, argument);
  while (result < 0 && errno == EINTR);
  return result;
}

gboolean
vmm_kvm_fail (const char *what, GError **error)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_KVM, "KVM refused to %s: %s.", what, g_strerror (errno));
  return FALSE;
}

int
vmm_kvm_check (VmmKvm *self, int capability)
{
  int value = vmm_kvm_ioctl (self->vm_fd, KVM_CHECK_EXTENSION, GINT_TO_POINTER ((gint) capability));

  return MAX (value, 0);
}

static int
open_failed (GError **error)
{
  if (errno == EACCES || errno == EPERM)
    g_set_error (error, VMM_ERROR, VMM_ERROR_KVM_DENIED,
                 "You may not use /dev/kvm: become a member of the group “kvm” and log in again.");
  else if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
    g_set_error (error, VMM_ERROR, VMM_ERROR_NO_KVM,
                 "There is no /dev/kvm on this computer: turn on virtualization (Intel VT-x, AMD "
                 "SVM) in the firmware's setup and load the kvm_intel or kvm_amd module.");
  else
    g_set_error (error, VMM_ERROR, VMM_ERROR_KVM, "/dev/kvm cannot be opened: %s.",
                 g_strerror (errno));
  return -1;
}

#define CPUID_VMX (1u << 5) /* leaf 1, ECX */
#define CPUID_SVM (1u << 2) /* leaf 0x80000001, ECX */

/* Some hosts have a /dev/kvm without VT-x or AMD-V behind it (PVM, in clouds): it runs kernels that
 * were made for it and none that people have. (Intel SDM 3A 25.6; AMD APM 3, Fn8000_0001_ECX.) */
static gboolean
cpu_can_virtualize (void)
{
  guint eax, ebx, ecx, edx;

  if (__get_cpuid (1, &eax, &ebx, &ecx, &edx) && (ecx & CPUID_VMX))
    return TRUE;
  return __get_cpuid (0x80000001, &eax, &ebx, &ecx, &edx) && (ecx & CPUID_SVM);
}

int
vmm_kvm_open (GError **error)
{
  int fd = open ("/dev/kvm", O_RDWR | O_CLOEXEC);

  if (fd < 0)
    return open_failed (error);
  if (!cpu_can_virtualize ()) {
    g_set_error (
      error, VMM_ERROR, VMM_ERROR_NO_KVM,
      "There is a /dev/kvm, but no VT-x or AMD-V behind it: switch it on in the firmware's "
      "setup or, on a virtual machine, allow nested virtualization.");
    close (fd);
    return -1;
  }
  if (vmm_kvm_ioctl (fd, KVM_GET_API_VERSION, NULL) != KVM_API_VERSION) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_KVM, "/dev/kvm is not a KVM that VirtDesk knows.");
    close (fd);
    return -1;
  }
  for (guint i = 0; i < G_N_ELEMENTS (needed); i++)
    if (vmm_kvm_ioctl (fd, KVM_CHECK_EXTENSION, GINT_TO_POINTER (needed[i].capability)) <= 0) {
      g_set_error (error, VMM_ERROR, VMM_ERROR_KVM,
                   "This kernel's KVM has no %s: take a newer kernel.", needed[i].what);
      close (fd);
      return -1;
    }
  return fd;
}

static gboolean
vm_create (VmmKvm *self, GError **error)
{
  int size;

  self->kvm_fd = vmm_kvm_open (error);
  if (self->kvm_fd < 0)
    return FALSE;
  self->vm_fd = vmm_kvm_ioctl (self->kvm_fd, KVM_CREATE_VM, NULL);
  if (self->vm_fd < 0)
    return vmm_kvm_fail ("make a machine", error);
  size = vmm_kvm_ioctl (self->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, NULL);
  if (size < (int) sizeof (struct kvm_run))
    return vmm_kvm_fail ("tell the size of a CPU", error);
  self->run_size = size;
  return TRUE;
}

static gboolean
set_slot (VmmKvm *self,
          guint slot,
          const VmmMemoryRegion *region,
          guint64 start,
          guint64 end,
          GError **error)
{
  struct kvm_userspace_memory_region memory = {
    .slot = slot,
    .guest_phys_addr = region->address + start,
    .memory_size = end - start,
    .userspace_addr = (guintptr) region->host + start,
  };

  if (vmm_kvm_ioctl (self->vm_fd, KVM_SET_USER_MEMORY_REGION, &memory) < 0)
    return vmm_kvm_fail ("take the machine's memory", error);
  return TRUE;
}

/* Without the window of the VGA: what lies there is a device's, or nothing. */
static gboolean
vm_add_memory (VmmKvm *self, GError **error)
{
  guint n_regions, slot = 0;
  const VmmMemoryRegion *regions = vmm_memory_get_regions (self->memory, &n_regions);

  if (!set_slot (self, slot++, &regions[0], 0, VGA_WINDOW, error) ||
      !set_slot (self, slot++, &regions[0], VGA_WINDOW_END, regions[0].size, error))
    return FALSE;
  for (guint i = 1; i < n_regions; i++)
    if (!set_slot (self, slot++, &regions[i], 0, regions[i].size, error))
      return FALSE;
  return TRUE;
}

/* The chips as they are now, to go back to at a reset. */
static gboolean
vm_remember_chips (VmmKvm *self, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->chips); i++) {
    self->chips[i].chip_id = i;
    if (vmm_kvm_ioctl (self->vm_fd, KVM_GET_IRQCHIP, &self->chips[i]) < 0)
      return vmm_kvm_fail ("show the interrupt controllers", error);
  }
  if (vmm_kvm_ioctl (self->vm_fd, KVM_GET_PIT2, &self->pit) < 0)
    return vmm_kvm_fail ("show the timer", error);
  return TRUE;
}

static gboolean
vm_add_chips (VmmKvm *self, GError **error)
{
  guint64 identity_map = IDENTITY_MAP_ADDRESS;
  struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

  if (vmm_kvm_ioctl (self->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0 ||
      vmm_kvm_ioctl (self->vm_fd, KVM_SET_TSS_ADDR, (gpointer) TSS_ADDRESS) < 0)
    return vmm_kvm_fail ("set a reserved address", error);
  if (vmm_kvm_ioctl (self->vm_fd, KVM_CREATE_IRQCHIP, NULL) < 0)
    return vmm_kvm_fail ("make interrupt controllers", error);
  if (vmm_kvm_ioctl (self->vm_fd, KVM_CREATE_PIT2, &pit) < 0)
    return vmm_kvm_fail ("make a timer", error);
  return vmm_kvm_set_routes (self, error) && vm_remember_chips (self, error);
}

VmmKvm *
vmm_kvm_new (VmmMemory *memory, const VmmKvmEvents *events, gpointer data, GError **error)
{
  g_autoptr (VmmKvm) self = g_new0 (VmmKvm, 1);

  self->platform.klass = &vmm_kvm_platform_class;
  self->memory = memory;
  self->events = events;
  self->data = data;
  self->kvm_fd = self->vm_fd = -1;
  g_mutex_init (&self->lock);
  if (!vm_create (self, error) || !vm_add_chips (self, error) || !vm_add_memory (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
vmm_kvm_free (VmmKvm *self)
{
  if (self->vm_fd >= 0)
    close (self->vm_fd);
  if (self->kvm_fd >= 0)
    close (self->kvm_fd);
  g_mutex_clear (&self->lock);
  g_free (self);
}

VmmPlatform *
vmm_kvm_get_platform (VmmKvm *self)
{
  return &self->platform;
}

gboolean
vmm_kvm_reset (VmmKvm *self, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->chips); i++)
    if (vmm_kvm_ioctl (self->vm_fd, KVM_SET_IRQCHIP, &self->chips[i]) < 0)
      return vmm_kvm_fail ("reset the interrupt controllers", error);
  if (vmm_kvm_ioctl (self->vm_fd, KVM_SET_PIT2, &self->pit) < 0)
    return vmm_kvm_fail ("reset the timer", error);
  return TRUE;
}

gboolean
vmm_kvm_save_clock (VmmKvm *self, GError **error)
{
  if (vmm_kvm_ioctl (self->vm_fd, KVM_GET_CLOCK, &self->clock) < 0)
    return vmm_kvm_fail ("read the machine's clock", error);
  return TRUE;
}

gboolean
vmm_kvm_restore_clock (VmmKvm *self, GError **error)
{
  struct kvm_clock_data clock = { .clock = self->clock.clock };

  if (vmm_kvm_ioctl (self->vm_fd, KVM_SET_CLOCK, &clock) < 0)
    return vmm_kvm_fail ("set the machine's clock", error);
  return TRUE;
}
