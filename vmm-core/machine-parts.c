/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A machine's parts: made in this order, taken apart in the opposite one.
 *
 * Threads: control.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "machine-private.h"
#include "vmm-error.h"
#include "vmm-host.h"
#include "x86/apic-id.h"
#include "x86/cpu-model.h"
#include "x86/cpuid.h"

/* Huge pages are made for so much of the memory before the start. */
#define PREPARED_MEMORY (G_GUINT64_CONSTANT (256) << 20)

/* Huge pages have been set aside, or are refused by themselves. Of others a host may promise more
 * than is free at the moment: it has swap, and guests seldom use all that they have. */
static gboolean
check_memory (VmmMachine *self, GError **error)
{
  guint64 size = self->config->memory;
  VmmHostMemory host;

  vmm_host_measure_memory (&host);
  if (self->config->huge_pages)
    host.installed = 0;
  if (!vmm_host_memory_check (&host, size, error))
    return FALSE;
  if (!self->config->huge_pages && size > host.available)
    g_message ("The machine may have %" G_GUINT64_FORMAT
               " MiB of memory, but only %" G_GUINT64_FORMAT
               " MiB are free now: it is lost if it needs more than there is.",
               size >> 20, host.available >> 20);
  return TRUE;
}

static gboolean
make_memory (VmmMachine *self, GError **error)
{
  guint n;
  const VmmMemoryRegion *regions;

  if (!check_memory (self, error))
    return FALSE;
  self->memory =
    (self->config->huge_pages ? vmm_memory_new_huge : vmm_memory_new) (self->config->memory, error);
  if (!self->memory)
    return FALSE;
  self->fault_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->fault_fd < 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "An event descriptor cannot be made: %s.",
                 g_strerror (errno));
    return FALSE;
  }
  self->fault_source =
    vmm_loop_add_eventfd (self->loop, self->fault_fd, vmm_machine_fault, self, error);
  if (!self->fault_source)
    return FALSE;
  regions = vmm_memory_get_regions (self->memory, &n);
  self->fault_watch =
    vmm_fault_watch_add (regions[0].host, vmm_memory_get_size (self->memory),
                         vmm_memory_get_page_size (self->memory), self->fault_fd, error);
  if (!self->fault_watch)
    return FALSE;
  /* Never the host's last memory: a guest may get by with less than it was promised. */
  if (vmm_host_get_available_memory () / 2 > PREPARED_MEMORY)
    vmm_memory_prepare (self->memory, PREPARED_MEMORY);
  return TRUE;
}

static gboolean
make_vcpu (VmmMachine *self, guint index, const struct kvm_cpuid2 *supported, GError **error)
{
  gsize size =
    sizeof *supported + (supported->nent + VMM_CPUID_SPARE) * sizeof supported->entries[0];
  g_autofree struct kvm_cpuid2 *cpuid = g_malloc0 (size);
  VmmCpuTopology topology = vmm_config_get_topology (self->config);
  VmmCpuidConfig config = { .apic_id = vmm_apic_id (topology, index),
                            .topology = topology,
                            .tsc_deadline = vmm_kvm_has_tsc_deadline (self->kvm) };
  VmmVcpu *vcpu =
    vmm_vcpu_new (self->kvm, self->config->name ? self->config->name : "", index, config.apic_id,
                  vmm_pc_get_ports (self->pc), vmm_pc_get_mmio (self->pc), error);

  if (!vcpu)
    return FALSE;
  g_ptr_array_add (self->vcpus, vcpu);
  memcpy (cpuid, supported, sizeof *supported + supported->nent * sizeof supported->entries[0]);
  vmm_cpuid_fill (cpuid, &config);
  return vmm_vcpu_set_cpuid (vcpu, cpuid, error);
}

static gboolean
make_vcpus (VmmMachine *self, GError **error)
{
  VmmCpuTopology topology = vmm_config_get_topology (self->config);
  guint n = self->config->n_vcpus;
  g_autofree struct kvm_cpuid2 *supported =
    vmm_kvm_get_supported_cpuid (self->kvm, VMM_CPUID_SPARE, error);

  if (!vmm_kvm_check_n_vcpus (self->kvm, n, vmm_apic_id (topology, n - 1), error))
    return FALSE;
  if (!supported || !vmm_cpu_model_apply (self->config->cpu.model, supported, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!make_vcpu (self, i, supported, error))
      return FALSE;
  return TRUE;
}

gboolean
vmm_machine_make_parts (VmmMachine *self, GError **error)
{
  g_autofree char *name = g_strdup_printf ("io %s", self->config->name ? self->config->name : "");

  self->loop = vmm_loop_new (name, error);
  if (!self->loop || !make_memory (self, error))
    return FALSE;
  self->kvm = vmm_kvm_new (self->memory, &vmm_machine_events, self, error);
  if (!self->kvm)
    return FALSE;
  self->pc =
    vmm_pc_new (self->config, self->memory, self->loop, vmm_kvm_get_platform (self->kvm), error);
  if (!self->pc || !make_vcpus (self, error) || !vmm_machine_apply_cpu (self, error))
    return FALSE;
  return self->config->load ? vmm_machine_load_saved (self, self->config->load, error)
                            : vmm_machine_load (self, error);
}

void
vmm_machine_free_parts (VmmMachine *self)
{
  /* First: what it calls parks the vCPUs. A fault that comes later only counts up. */
  if (self->fault_source)
    vmm_loop_remove (self->loop, g_steal_pointer (&self->fault_source));
  g_clear_pointer (&self->vcpus, g_ptr_array_unref);
  g_clear_pointer (&self->pc, vmm_pc_free);
  g_clear_pointer (&self->kvm, vmm_kvm_free);
  g_clear_pointer (&self->fault_watch, vmm_fault_watch_remove);
  if (self->fault_fd >= 0)
    close (self->fault_fd);
  g_clear_pointer (&self->memory, vmm_memory_free);
  g_clear_pointer (&self->loop, vmm_loop_free);
}

gboolean
vmm_machine_load (VmmMachine *self, GError **error)
{
  VmmEntry entry;

  if (!vmm_pc_load (self->pc, &entry, error))
    return FALSE;
  for (guint i = 0; i < self->vcpus->len; i++)
    if (!vmm_vcpu_reset (g_ptr_array_index (self->vcpus, i), i == 0 ? &entry : NULL, error))
      return FALSE;
  return TRUE;
}
