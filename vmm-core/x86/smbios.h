/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * SMBIOS: how the machine is called, by whom it was made, and its UUID, for systems that ask
 * (SMBIOS 3.6).
 *
 * Threads: any.
 */
#pragma once

#include "vmm-cpu.h"

G_BEGIN_DECLS

#define VMM_SMBIOS_ANCHOR_FILE "etc/smbios/smbios-anchor"
#define VMM_SMBIOS_TABLES_FILE "etc/smbios/smbios-tables"

typedef struct {
  const guint8 *uuid; /* 16 bytes */
  guint64 memory;     /* bytes */
  VmmCpuTopology topology;
} VmmSmbiosConfig;

/* The structures, and the entry point that says where they are: at @address, or where firmware,
 * which mends it, puts them. */
GByteArray *vmm_smbios_tables (const VmmSmbiosConfig *config);
GByteArray *vmm_smbios_anchor (const GByteArray *tables, guint64 address);

G_END_DECLS
