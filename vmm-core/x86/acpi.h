/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The ACPI tables of the PC.
 *
 * Threads: any.
 */
#pragma once

#include "pci/pci-host.h"

G_BEGIN_DECLS

typedef struct {
  guint n_vcpus;
  gboolean serial; /* COM1 is there */
  VmmPciWindows pci;
} VmmAcpiConfig;

/* All tables, to be laid at guest-physical @address (a multiple of 64). The RSDP comes first. */
GByteArray *vmm_acpi_build (const VmmAcpiConfig *config, guint32 address);

/* acpi-ssdt.c: the bodies (without header) of what is made to measure. */
GByteArray *vmm_acpi_cpus (const VmmAcpiConfig *config);
GByteArray *vmm_acpi_board (const VmmAcpiConfig *config);

G_END_DECLS
