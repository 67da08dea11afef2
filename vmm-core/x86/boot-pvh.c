/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PVH way into an ELF kernel (Xen's "x86/HVM direct boot ABI"): 32 bits, EBX at the start
 * information.
 */
#include <string.h>

#include "x86/boot-private.h"
#include "x86/memory-map.h"

#define START_MAGIC 0x336ec578

typedef struct {
  guint32 magic, version, flags, n_modules;
  guint64 modules, cmdline, rsdp, map;
  guint32 n_map, reserved;
} StartInfo;

typedef struct {
  guint64 address, size, cmdline, reserved;
} Module;

typedef struct {
  guint64 address, size;
  guint32 type, reserved;
} MapEntry;

typedef struct {
  StartInfo start;
  Module initrd;
  MapEntry map[VMM_MAP_MAX_ENTRIES];
} Information;

G_STATIC_ASSERT (sizeof (StartInfo) == 56 && sizeof (Module) == 32 && sizeof (MapEntry) == 24);

static void
fill_map (const VmmBootConfig *config, Information *information)
{
  VmmMapEntry entries[VMM_MAP_MAX_ENTRIES];

  information->start.n_map = vmm_memory_map_fill (config->memory, entries);
  information->start.map = VMM_BOOT_INFO + G_STRUCT_OFFSET (Information, map);
  for (guint i = 0; i < information->start.n_map; i++)
    information->map[i] = (MapEntry) { entries[i].address, entries[i].size, entries[i].type, 0 };
}

gboolean
vmm_pvh_start (const VmmBootConfig *config,
               const VmmElfImage *image,
               VmmEntry *entry,
               GError **error)
{
  Information information = {
    .start = { .magic = START_MAGIC,
               .version = 1,
               .cmdline = VMM_BOOT_CMDLINE,
               .rsdp = VMM_BOOT_ACPI },
  };

  if (!vmm_boot_put_cmdline (config, G_MAXUINT64, error) ||
      !vmm_boot_put_initrd (config, image->end, G_MAXUINT32, &information.initrd.address,
                            &information.initrd.size, error))
    return FALSE;
  if (information.initrd.size > 0) {
    information.start.n_modules = 1;
    information.start.modules = VMM_BOOT_INFO + G_STRUCT_OFFSET (Information, initrd);
  }
  fill_map (config, &information);
  entry->rip = image->pvh_entry;
  entry->rbx = VMM_BOOT_INFO;
  return vmm_memory_write (config->memory, VMM_BOOT_INFO, &information, sizeof information) ||
         vmm_boot_fail (config->kernel, error, "needs more memory.");
}
