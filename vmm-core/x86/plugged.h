/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmPlugged: what stands behind a root port, in the words of a configuration; and how a saved
 * machine names it, so that another one can plug it in again. Whoever wrote a saved machine chooses
 * which images and networks of this computer are used then.
 *
 * Threads: control.
 */
#pragma once

#include "base/vmm-state.h"
#include "vmm-config.h"

G_BEGIN_DECLS

typedef struct {
  guint port;
  guint number;        /* of its name, such as "disk2" */
  VmmDiskConfig *disk; /* it is this disk, */
  VmmNicConfig *nic;   /* or this card */
} VmmPlugged;

/* Both copy. */
VmmPlugged *vmm_plugged_new_disk (guint port, guint number, const VmmDiskConfig *disk);
VmmPlugged *vmm_plugged_new_nic (guint port, guint number, const VmmNicConfig *nic);
void vmm_plugged_free (VmmPlugged *self);
/* Its name as a device. */
char *vmm_plugged_get_id (const VmmPlugged *self);

/* As number @index of the state. */
gboolean vmm_plugged_save (const VmmPlugged *self, guint index, VmmState *state, GError **error);
VmmPlugged *vmm_plugged_load (guint index, VmmState *state, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmPlugged, vmm_plugged_free)

G_END_DECLS
