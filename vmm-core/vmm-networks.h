/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmNetworks: the private networks of machines that run in one process. Each has a name, and is
 * there as long as a card is on it.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VmmNetworks VmmNetworks;

VmmNetworks *vmm_networks_new (void);
VmmNetworks *vmm_networks_ref (VmmNetworks *self);
void vmm_networks_unref (VmmNetworks *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmNetworks, vmm_networks_unref)

G_END_DECLS
