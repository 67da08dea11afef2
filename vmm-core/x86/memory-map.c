/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The memory map: RAM, and the holes in it that nobody may use.
 */
#include "x86/memory-map.h"

#include "pci/pci-host.h"
#include "x86/layout.h"

guint
vmm_memory_map_fill (VmmMemory *memory, VmmMapEntry entries[VMM_MAP_MAX_ENTRIES])
{
  guint n_regions, n = 0;
  const VmmMemoryRegion *regions = vmm_memory_get_regions (memory, &n_regions);

  entries[n++] = (VmmMapEntry) { 0, VMM_BOOT_LOW_END, VMM_MAP_RAM };
  entries[n++] =
    (VmmMapEntry) { VMM_BOOT_LOW_END, VMM_BOOT_KERNEL - VMM_BOOT_LOW_END, VMM_MAP_RESERVED };
  if (regions[0].size > VMM_BOOT_KERNEL)
    entries[n++] =
      (VmmMapEntry) { VMM_BOOT_KERNEL, regions[0].size - VMM_BOOT_KERNEL, VMM_MAP_RAM };
  entries[n++] = (VmmMapEntry) { VMM_PCI_ECAM_BASE, VMM_PCI_ECAM_SIZE, VMM_MAP_RESERVED };
  entries[n++] = (VmmMapEntry) { VMM_RESERVED_BASE, VMM_RESERVED_SIZE, VMM_MAP_RESERVED };
  for (guint i = 1; i < n_regions; i++)
    entries[n++] = (VmmMapEntry) { regions[i].address, regions[i].size, VMM_MAP_RAM };
  return n;
}

guint
vmm_memory_map_fill_firmware (VmmMemory *memory, VmmMapEntry entries[VMM_MAP_MAX_ENTRIES])
{
  guint n_regions, n = 0;
  const VmmMemoryRegion *regions = vmm_memory_get_regions (memory, &n_regions);

  for (guint i = 0; i < n_regions; i++)
    entries[n++] = (VmmMapEntry) { regions[i].address, regions[i].size, VMM_MAP_RAM };
  entries[n++] = (VmmMapEntry) { VMM_RESERVED_BASE, VMM_RESERVED_SIZE, VMM_MAP_RESERVED };
  return n;
}
