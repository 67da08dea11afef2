/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The ACPI tables of the PC.
 *
 * Threads: any.
 */
#pragma once

#include "pci/pci-host.h"
#include "vmm-cpu.h"

G_BEGIN_DECLS

typedef struct {
  VmmCpuTopology topology;
  gboolean serial; /* this and the next: what is there of COM1, keyboard and mouse, ... */
  gboolean ps2, vga, fw_cfg, hpet;
  VmmPciWindows pci;
} VmmAcpiConfig;

typedef enum {
  VMM_ACPI_RSDP,
  VMM_ACPI_TABLES,
  VMM_ACPI_N_BLOBS,
} VmmAcpiBlob;

/* @size bytes (little-endian) at @offset of @in hold a place in @to: the address of @to is to be
 * added. */
typedef struct {
  VmmAcpiBlob in, to;
  guint32 offset, size;
} VmmAcpiPointer;

/* The byte @at makes the sum of the @length bytes at @start zero. Pointers come first. */
typedef struct {
  VmmAcpiBlob in;
  guint32 at, start, length;
} VmmAcpiChecksum;

/* The tables before anybody knows where they will lie: we for a kernel (vmm_acpi_place), firmware
 * for itself (vmm_acpi_loader). */
typedef struct {
  GByteArray *rsdp, *tables;
  GArray *pointers, *checksums;
} VmmAcpi;

VmmAcpi *vmm_acpi_new (const VmmAcpiConfig *config);
void vmm_acpi_free (VmmAcpi *self);

/* acpi-place.c */

/* All tables as they are at guest-physical @address (a multiple of 64). The RSDP comes first. */
GByteArray *vmm_acpi_place (const VmmAcpi *self, guint32 address);
/* Files of fw_cfg and the script that has firmware do the same: "etc/table-loader". */
#define VMM_ACPI_RSDP_FILE   "etc/acpi/rsdp"
#define VMM_ACPI_TABLES_FILE "etc/acpi/tables"
#define VMM_ACPI_LOADER_FILE "etc/table-loader"
GByteArray *vmm_acpi_loader (const VmmAcpi *self);

/* acpi-ssdt.c: the bodies (without header) of what is made to measure. */
GByteArray *vmm_acpi_cpus (const VmmAcpiConfig *config);
GByteArray *vmm_acpi_board (const VmmAcpiConfig *config);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmAcpi, vmm_acpi_free)

G_END_DECLS
