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
#define VMM_PCI_ECAM_SIZE   G_GUINT64_CONSTANT (0x10000000)
#define VMM_PCI_WINDOW_BASE G_GUINT64_CONSTANT (0xc0000000) /* BARs below 4 GiB */
#define VMM_PCI_WINDOW_END  G_GUINT64_CONSTANT (0xfec00000) /* the I/O APIC */
#define VMM_PCI_ADDRESS_END (G_GUINT64_CONSTANT (1) << 52)  /* as far as addresses reach */
#define VMM_PCI_N_SLOTS     32
#define VMM_PCI_N_FUNCTIONS 8
/* The last slot is the south bridge's, as on every Q35; what asks for no place stands before it. */
#define VMM_PCI_FIRST_FIXED_SLOT 31

typedef struct {
  guint n_ports;     /* root ports: as many buses beside bus 0 */
  guint64 high_base; /* window above RAM for big 64-bit BARs; both 0: none */
  guint64 high_size;
} VmmPciHostConfig;

typedef struct {
  guint64 base, size;
} VmmPciWindow;

/* What the ACPI tables declare (_CRS of PCI0, and MCFG), as firmware has left it. */
typedef struct {
  guint64 ecam_base;
  guint n_buses; /* that exist: the last one is n_buses - 1 */
  VmmPciWindow memory[4];
  guint n_memory;
} VmmPciWindows;

extern const VmmDeviceClass vmm_pci_host_class;

void vmm_pci_host_get_windows (VmmPciHost *self, VmmPciWindows *windows);
/* The I/O APIC pin of all interrupt pins of @slot: what _PRT says. Level, active high. */
guint vmm_pci_slot_gsi (guint slot);

G_END_DECLS
