/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The VGA of every PC, with Bochs' extension for linear modes (VBE DISPI): what firmware, boot
 * loaders, installers and old systems show themselves with. It is the chip alone; the PCI function
 * in whose BARs its memory and registers appear is virtio-gpu's, whose pictures come before its
 * own. (IBM, "VGA Subsystem"; Bochs, "VBE Display API".)
 *
 * Threads: as said there.
 */
#pragma once

#include "device/vmm-device.h"
#include "device/vmm-display-source.h"

G_BEGIN_DECLS

#define VMM_VGA_MEMORY_SIZE (16u << 20)
#define VMM_VGA_MMIO_SIZE   0x1000

typedef struct {
  VmmDisplay *display;
} VmmVgaConfig;

extern const VmmDeviceClass vmm_vga_class;

/* The memory's BAR begins to answer at @address, or ends to (0). Thread: vCPU. */
void vmm_vga_map_memory (VmmDevice *vga, guint64 address);
/* The BARs' contents. @size is 1, 2 or 4. Thread: vCPU. */
guint64 vmm_vga_read_memory (VmmDevice *vga, guint64 offset, guint size);
void vmm_vga_write_memory (VmmDevice *vga, guint64 offset, guint size, guint64 value);
guint64 vmm_vga_read_mmio (VmmDevice *vga, guint64 offset, guint size);
void vmm_vga_write_mmio (VmmDevice *vga, guint64 offset, guint size, guint64 value);
/* Whether the screen is the VGA's, or another device's. Thread: any. */
void vmm_vga_set_shown (VmmDevice *vga, gboolean shown);

G_END_DECLS
