/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The memory map that a guest is told (e820 and its likes).
 *
 * Threads: any.
 */
#pragma once

#include "base/vmm-memory.h"

G_BEGIN_DECLS

#define VMM_MAP_MAX_ENTRIES 8

typedef enum {
  VMM_MAP_RAM = 1,
  VMM_MAP_RESERVED = 2,
} VmmMapType; /* the numbers of e820, PVH and multiboot alike */

typedef struct {
  guint64 address, size;
  guint32 type;
} VmmMapEntry;

/* For a kernel that we load. Returns the number of entries. */
guint vmm_memory_map_fill (VmmMemory *memory, VmmMapEntry entries[VMM_MAP_MAX_ENTRIES]);
/* For firmware, which reserves what it takes itself. */
guint vmm_memory_map_fill_firmware (VmmMemory *memory, VmmMapEntry entries[VMM_MAP_MAX_ENTRIES]);

G_END_DECLS
