/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where things lie in guest memory before the first instruction: one map for all loaders, so that
 * nothing is put over anything else.
 */
#pragma once

#include "base/vmm-memory.h"

/* Below 1 MiB: ours. */
#define VMM_BOOT_GDT          G_GUINT64_CONSTANT (0x500)
#define VMM_BOOT_INFO         G_GUINT64_CONSTANT (0x6000) /* PVH or multiboot information: 2 pages */
#define VMM_BOOT_SETUP_DATA   G_GUINT64_CONSTANT (0x8000)
#define VMM_BOOT_PAGE_TABLES  G_GUINT64_CONSTANT (0x9000) /* 6 pages: the first 4 GiB */
#define VMM_BOOT_STACK        G_GUINT64_CONSTANT (0xfff0) /* grows down: one page */
#define VMM_BOOT_ZERO_PAGE    G_GUINT64_CONSTANT (0x10000)
#define VMM_BOOT_CMDLINE      G_GUINT64_CONSTANT (0x20000)
#define VMM_BOOT_CMDLINE_SIZE G_GUINT64_CONSTANT (0x10000)
#define VMM_BOOT_LOW_END      G_GUINT64_CONSTANT (0x9fc00) /* RAM for the guest ends here */
#define VMM_BOOT_ACPI         G_GUINT64_CONSTANT (0xe0000)
#define VMM_BOOT_ACPI_SIZE    G_GUINT64_CONSTANT (0x20000)
#define VMM_BOOT_KERNEL       G_GUINT64_CONSTANT (0x100000) /* kernels begin at or above */

/* Between the local APIC and the end of 4 GiB: the generation's page (chips/generation.h), and
 * KVM's own on Intel (kvm/kvm-vm.c). */
#define VMM_RESERVED_BASE G_GUINT64_CONSTANT (0xfeffb000)
#define VMM_RESERVED_SIZE G_GUINT64_CONSTANT (0x5000)

#define VMM_IOAPIC_ADDRESS 0xfec00000u
#define VMM_LAPIC_ADDRESS  0xfee00000u
