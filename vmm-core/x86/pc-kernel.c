/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC that starts with a kernel: no firmware runs, so what firmware would leave in memory is put
 * there.
 *
 * Threads: control, with the vCPUs parked.
 */
#include "vmm-error.h"
#include "x86/layout.h"
#include "x86/pc-private.h"

gboolean
vmm_pc_add_kernel (VmmPc *self, GError **error)
{
  const VmmConfig *config = self->config;

  self->kernel = vmm_file_open ("kernel", config->kernel, error);
  if (!self->kernel)
    return FALSE;
  if (!config->initrd)
    return TRUE;
  self->initrd = vmm_file_open ("initrd", config->initrd, error);
  return self->initrd != NULL;
}

static gboolean
load_tables (VmmPc *self, GError **error)
{
  g_autoptr (VmmAcpi) acpi = vmm_pc_make_acpi (self);
  g_autoptr (GByteArray) tables = vmm_acpi_place (acpi, VMM_BOOT_ACPI);

  if (tables->len <= VMM_BOOT_ACPI_SIZE &&
      vmm_memory_write (self->board.memory, VMM_BOOT_ACPI, tables->data, tables->len))
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
               "The machine is too big to be described to its guest.");
  return FALSE;
}

gboolean
vmm_pc_load_kernel (VmmPc *self, VmmEntry *entry, GError **error)
{
  VmmBootConfig boot = { .memory = self->board.memory,
                         .kernel = self->kernel,
                         .initrd = self->initrd,
                         .append = self->config->append };

  return load_tables (self, error) && vmm_boot_load (&boot, entry, error);
}

void
vmm_pc_free_kernel (VmmPc *self)
{
  g_clear_pointer (&self->kernel, vmm_file_free);
  g_clear_pointer (&self->initrd, vmm_file_free);
}
