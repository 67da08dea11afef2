/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmFirmware: which firmware this host has for machines to start with.
 *
 * Threads: any; one owner at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  VMM_FIRMWARE_BIOS,
  VMM_FIRMWARE_UEFI,
} VmmFirmwareKind;

typedef struct {
  char *image;          /* the BIOS, or UEFI's code */
  char *nvram_template; /* of UEFI's variables; NULL with a BIOS */
  char *vga_bios;       /* of a screen, for a BIOS; NULL where there is none */
} VmmFirmware;

/**
 * UEFI is found by the descriptors that distributions put into qemu/firmware of the folders for
 * shared data (QEMU, docs/interop/firmware.json), first those of the user, then /etc, then the
 * system's; the first, by name, that our machine can run. A BIOS is looked for where SeaBIOS is
 * installed. Fails with VMM_ERROR_CONFIG in one sentence that says what to install.
 */
VmmFirmware *vmm_firmware_find (VmmFirmwareKind kind, GError **error);
void vmm_firmware_free (VmmFirmware *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmFirmware, vmm_firmware_free)

G_END_DECLS
