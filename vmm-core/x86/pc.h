/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmPc: the PC as a whole: which devices a VmmConfig asks for, in the order in which they start,
 * and what lies in memory when the first processor begins.
 *
 * Threads: control, with the vCPUs parked.
 */
#pragma once

#include "device/vmm-device.h"
#include "kvm/vmm-vcpu.h"
#include "vmm-balloon.h"
#include "vmm-config.h"
#include "vmm-display.h"
#include "vmm-input.h"

G_BEGIN_DECLS

typedef struct _VmmPc VmmPc;

/* Everything is borrowed and outlives the PC. Fails with VMM_ERROR_KERNEL, _DISK, _DISK_BUSY, ...
 */
VmmPc *vmm_pc_new (const VmmConfig *config,
                   VmmMemory *memory,
                   VmmLoop *loop,
                   VmmPlatform *platform,
                   GError **error);
void vmm_pc_free (VmmPc *self);

/* Tables and kernel into memory; @entry says how the first processor begins. */
gboolean vmm_pc_load (VmmPc *self, VmmEntry *entry, GError **error);

/* Drained. Load_saved in place of load, once. */
gboolean vmm_pc_save (VmmPc *self, VmmState *state, GError **error);
gboolean vmm_pc_load_saved (VmmPc *self, VmmState *state, GError **error);
/* Ids and classes, a line each, in their order. g_free. */
char *vmm_pc_list_devices (VmmPc *self);

void vmm_pc_drain (VmmPc *self);
void vmm_pc_resume (VmmPc *self);
void vmm_pc_reset (VmmPc *self); /* drained */

/* Of the CD drive @id ("cdrom0"), while the machine runs or not. Where the guest has locked the
 * drive a disc comes out only with @force; the guest is told that someone wants it. */
gboolean vmm_pc_eject (VmmPc *self, const char *id, gboolean force, GError **error);
gboolean
vmm_pc_insert (VmmPc *self, const char *id, const char *path, gboolean force, GError **error);

/* Of the disk @id ("disk0"): it grows, while the machine runs or not. */
gboolean vmm_pc_resize_disk (VmmPc *self, const char *id, guint64 size, GError **error);

VmmBus *vmm_pc_get_ports (VmmPc *self);
VmmBus *vmm_pc_get_mmio (VmmPc *self);
VmmDisplay *vmm_pc_get_display (VmmPc *self); /* NULL without graphics */
VmmInput *vmm_pc_get_input (VmmPc *self);     /* likewise */

/* Of the network card @id ("net0"): see vmm-machine.h. */
gboolean
vmm_pc_add_forward (VmmPc *self, const char *id, const VmmForward *forward, GError **error);
gboolean
vmm_pc_remove_forward (VmmPc *self, const char *id, const VmmForward *forward, GError **error);
GPtrArray *vmm_pc_list_forwards (VmmPc *self, const char *id, GError **error);
gboolean vmm_pc_set_link (VmmPc *self, const char *id, gboolean up, GError **error);

/* See vmm-machine.h. */
gboolean vmm_pc_set_balloon (VmmPc *self, guint64 target, GError **error);
gboolean vmm_pc_get_balloon (VmmPc *self, VmmBalloon *balloon, GError **error);

/* Behind a free root port, while the machine runs. Returns its name. g_free. */
char *vmm_pc_attach_disk (VmmPc *self, const VmmDiskConfig *disk, GError **error);
char *vmm_pc_attach_nic (VmmPc *self, const VmmNicConfig *nic, GError **error);
/* Asks the guest for what was attached; with @force, takes what is behind it at once. */
gboolean vmm_pc_detach (VmmPc *self, const char *id, gboolean force, GError **error);
/* How many of them there are, and those of a saved machine. */
guint vmm_pc_count_attached (VmmPc *self);
gboolean vmm_pc_attach_saved (VmmPc *self, guint n, VmmState *state, GError **error);
/* Frees what the guest has given up. Returns the names. */
GPtrArray *vmm_pc_remove_released (VmmPc *self);

/* Thread: any. */
void vmm_pc_power_button (VmmPc *self);
guint64 vmm_pc_get_n_disk_requests (VmmPc *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmPc, vmm_pc_free)

G_END_DECLS
