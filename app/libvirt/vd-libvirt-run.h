/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLibvirtRun: one run of a machine on QEMU. It goes on when this process ends,
 * and the next one adopts it.
 *
 * Threads: as VdRun; its worker is the connection's, shared by all its runs.
 */
#pragma once

#include "library/vd-run.h"

G_BEGIN_DECLS

#define VD_TYPE_LIBVIRT_RUN (vd_libvirt_run_get_type ())
G_DECLARE_FINAL_TYPE (VdLibvirtRun, vd_libvirt_run, VD, LIBVIRT_RUN, VdRun)

VdRun *vd_libvirt_run_new (VdEngine *engine, VdConfig *config, const char *folder);

G_END_DECLS
