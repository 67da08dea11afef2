/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PCI Express host bridge: function 00:00.0 (looks like a Q35's), the enhanced configuration
 * space (ECAM), the old ports 0xCF8/0xCFC, and the windows from which BARs are given out.
 *
 * Threads: control, with the vCPUs stopped, unless said otherwise.
 */
#pragma once

#include "pci/pci-device.h"

G_BEGIN_DECLS

#define VMM_PCI_ECAM_BASE   VMM_MEMORY_LOW_END
#define VMM_PCI_WINDOW_BASE G_GUINT64_CONSTANT (0xc0000000) /* BARs below 4 GiB */
#define VMM_PCI_WINDOW_SIZE G_GUINT64_CONSTANT (0x3ec00000) /* up to the I/O APIC */
#define VMM_PCI_N_SLOTS     32

typedef struct {
  guint64 high_base; /* window above RAM for big 64-bit BARs; both 0: none */
  guint64 high_size;
} VmmPciHostConfig;

/* What the ACPI tables declare (_CRS of PCI0, and MCFG). */
typedef struct {
  guint64 ecam_base;
  guint n_buses; /* that exist: the last one is n_buses - 1 */
  guint64 low_base, low_size;
  guint64 high_base, high_size;
} VmmPciWindows;

extern const VmmDeviceClass vmm_pci_host_class;

void vmm_pci_host_get_windows (VmmPciHost *self, VmmPciWindows *windows);
/* The I/O APIC pin of all interrupt pins of @slot: what _PRT says. Level, active high. */
guint vmm_pci_slot_gsi (guint slot);

G_END_DECLS
