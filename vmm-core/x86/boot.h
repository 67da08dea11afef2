/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Direct boot: a kernel file, perhaps an initrd and a command line, into guest memory; out comes
 * how the first processor begins. Apart from the PC because every byte read here is foreign.
 *
 * Threads: control, with the vCPUs parked.
 */
#pragma once

#include "kvm/vmm-vcpu.h"
#include "x86/boot-file.h"

G_BEGIN_DECLS

typedef struct {
  VmmMemory *memory;
  const VmmFile *kernel;
  const VmmFile *initrd; /* or NULL */
  const char *append;    /* or NULL */
} VmmBootConfig;

/* The ACPI tables are at VMM_BOOT_ACPI already. Fails with VMM_ERROR_KERNEL. */
gboolean vmm_boot_load (const VmmBootConfig *config, VmmEntry *entry, GError **error);

G_END_DECLS
