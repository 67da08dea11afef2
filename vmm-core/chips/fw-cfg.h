/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fw_cfg: how firmware asks the machine about itself: items that it selects by number and reads
 * byte for byte or by DMA, and a directory of named files. (QEMU, docs/specs/fw_cfg.)
 *
 * Threads: the functions here on the control thread with the vCPUs parked, or from a select
 * function.
 */
#pragma once

#include "device/vmm-device.h"

G_BEGIN_DECLS

enum {
  VMM_FW_CFG_SIGNATURE = 0x00,
  VMM_FW_CFG_ID = 0x01,
  VMM_FW_CFG_RAM_SIZE = 0x03,
  VMM_FW_CFG_NB_CPUS = 0x05,
  VMM_FW_CFG_NUMA = 0x0d,
  VMM_FW_CFG_BOOT_MENU = 0x0e,
  VMM_FW_CFG_MAX_CPUS = 0x0f,
  VMM_FW_CFG_FILE_DIR = 0x19,
  VMM_FW_CFG_FILE_FIRST = 0x20,
  VMM_FW_CFG_ARCH_LOCAL = 0x8000,
};

#define VMM_FW_CFG_PORT     0x510 /* selector and data; the DMA address is 4 higher */
#define VMM_FW_CFG_N_PORTS  12
#define VMM_FW_CFG_MAX_NAME 55

extern const VmmDeviceClass vmm_fw_cfg_class; /* config: NULL */

/* The item with this number becomes @bytes (copied); it may be changed later. */
void vmm_fw_cfg_set (VmmDevice *fw_cfg, guint16 key, gconstpointer bytes, gsize size);
void vmm_fw_cfg_set_number (VmmDevice *fw_cfg, guint16 key, guint64 value, guint size);
/* The same for a file; its number stays. */
void vmm_fw_cfg_set_file (VmmDevice *fw_cfg, const char *name, gconstpointer bytes, gsize size);
/* A file that the guest may write (by DMA), of @size bytes of zero. */
void vmm_fw_cfg_add_writable (VmmDevice *fw_cfg, const char *name, gsize size);
/* What the guest wrote there. FALSE where there is no such file of that size. */
gboolean vmm_fw_cfg_read_file (VmmDevice *fw_cfg, const char *name, gpointer bytes, gsize size);

/* Called, with the device locked, whenever the guest selects @name: files that depend on what
 * firmware did before are made then. Firmware knows their sizes from earlier: they must not change.
 */
typedef void (*VmmFwCfgSelectFunc) (VmmDevice *fw_cfg, gpointer data);
void vmm_fw_cfg_set_select_func (VmmDevice *fw_cfg,
                                 const char *name,
                                 VmmFwCfgSelectFunc func,
                                 gpointer data);

G_END_DECLS
