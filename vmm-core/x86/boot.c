/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which kind of kernel a file is, and what all kinds need.
 */
#include <stdarg.h>
#include <string.h>

#include "vmm-error.h"
#include "x86/boot-private.h"

gboolean
vmm_boot_fail (const VmmFile *file, GError **error, const char *format, ...)
{
  g_autofree char *why = NULL;
  va_list arguments;

  va_start (arguments, format);
  why = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, VMM_ERROR, VMM_ERROR_KERNEL, "%s %s", file->name, why);
  return FALSE;
}

gboolean
vmm_boot_put_cmdline (const VmmBootConfig *config, guint64 most, GError **error)
{
  const char *append = config->append ? config->append : "";
  gsize length = strlen (append);

  if (length > MIN (most, VMM_BOOT_CMDLINE_SIZE - 1))
    return vmm_boot_fail (config->kernel, error,
                          "takes at most %" G_GUINT64_FORMAT
                          " bytes of command line, but there are %zu.",
                          MIN (most, VMM_BOOT_CMDLINE_SIZE - 1), length);
  return vmm_memory_write (config->memory, VMM_BOOT_CMDLINE, append, length + 1) ||
         vmm_boot_fail (config->kernel, error, "needs more memory.");
}

gboolean
vmm_boot_put_initrd (const VmmBootConfig *config,
                     guint64 above,
                     guint64 limit,
                     guint64 *address,
                     guint64 *size,
                     GError **error)
{
  guint n_regions;
  const VmmMemoryRegion *regions = vmm_memory_get_regions (config->memory, &n_regions);
  guint64 end = regions[0].size;

  *address = *size = 0;
  if (!config->initrd)
    return TRUE;
  if (limit < end)
    end = limit + 1;
  if (end < config->initrd->size ||
      ((end - config->initrd->size) & ~G_GUINT64_CONSTANT (4095)) < above)
    return vmm_boot_fail (config->initrd, error,
                          "does not fit into the machine's memory beside the kernel: give the "
                          "machine more.");
  *address = (end - config->initrd->size) & ~G_GUINT64_CONSTANT (4095);
  *size = config->initrd->size;
  return vmm_file_load (config->initrd, 0, config->memory, *address, *size, error);
}

gboolean
vmm_boot_put_gdt (const VmmBootConfig *config, VmmEntry *entry)
{
  guint64 gdt[VMM_ENTRY_GDT_LEN];

  vmm_entry_fill_gdt (entry->long_mode, gdt);
  entry->gdt = VMM_BOOT_GDT;
  return vmm_memory_write (config->memory, VMM_BOOT_GDT, gdt, sizeof gdt);
}

static gboolean
read_head (const VmmFile *file, VmmBootHead *head, GError **error)
{
  memset (head, 0, sizeof *head);
  head->length = MIN (file->size, sizeof head->bytes);
  return vmm_file_read (file, 0, head->bytes, head->length, error);
}

/* An ELF file may have a PVH entry, be for multiboot, or both: PVH is the shorter way. */
static gboolean
load_elf (const VmmBootConfig *config, const VmmBootHead *head, VmmEntry *entry, GError **error)
{
  VmmElfImage image;
  guint offset;

  if (!vmm_elf_load (config, &image, error))
    return FALSE;
  if (image.pvh_entry != 0)
    return vmm_pvh_start (config, &image, entry, error);
  if (vmm_multiboot_find (head, &offset))
    return vmm_multiboot_load (config, head, offset, &image, entry, error);
  return vmm_boot_fail (
    config->kernel, error,
    "has neither a PVH nor a multiboot entry: use its bzImage, or build it with "
    "CONFIG_PVH.");
}

gboolean
vmm_boot_load (const VmmBootConfig *config, VmmEntry *entry, GError **error)
{
  VmmBootHead head;
  guint offset;
  gboolean ok;

  memset (entry, 0, sizeof *entry);
  if (!read_head (config->kernel, &head, error))
    return FALSE;
  if (vmm_linux_is (&head))
    ok = vmm_linux_load (config, entry, error);
  else if (vmm_elf_is (&head))
    ok = load_elf (config, &head, entry, error);
  else if (vmm_multiboot_find (&head, &offset))
    ok = vmm_multiboot_load (config, &head, offset, NULL, entry, error);
  else
    ok =
      vmm_boot_fail (config->kernel, error,
                     "is not a kernel: it is neither a Linux bzImage, nor an ELF file with a PVH "
                     "entry, nor a multiboot kernel.");
  if (!ok)
    return FALSE;
  return vmm_boot_put_gdt (config, entry) ||
         vmm_boot_fail (config->kernel, error, "needs more memory.");
}
