/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLocalEngine: machines on vmm-core, in this process. Needs KVM.
 *
 * Threads: main.
 */
#pragma once

#include "vd-engine.h"

G_BEGIN_DECLS

#define VD_TYPE_LOCAL_ENGINE (vd_local_engine_get_type ())
G_DECLARE_FINAL_TYPE (VdLocalEngine, vd_local_engine, VD, LOCAL_ENGINE, VdEngine)

VdEngine *vd_local_engine_new (void);

/* Turns a VMM_ERROR into a VD_ERROR, in place. Thread: any. */
void vd_local_map_error (GError **error);
/* Whether KVM works here; the sentence says how to turn it on. */
gboolean vd_local_check_kvm (GError **error);

G_END_DECLS
