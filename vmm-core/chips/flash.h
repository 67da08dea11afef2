/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Flash: memory that the guest reads as memory and writes by commands (Intel's command set, CFI
 * 0x0001), where UEFI firmware keeps its variables; and ROM, which is the same without the
 * commands.
 */
#pragma once

#include "chips/nvram.h"
#include "device/vmm-device.h"

G_BEGIN_DECLS

typedef struct {
  guint64 address;
  VmmNvram *nvram; /* taken; NULL: what follows is a ROM */
  gpointer rom;    /* borrowed, in whole pages */
  gsize rom_size;
} VmmFlashConfig;

extern const VmmDeviceClass vmm_flash_class;

G_END_DECLS
