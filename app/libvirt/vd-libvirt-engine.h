/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLibvirtEngine: machines on QEMU, through libvirt inside this process. With KVM
 * where there is KVM, by emulation where there is none.
 *
 * Threads: main.
 */
#pragma once

#include "libvirt/vd-libvirt-connection.h"
#include "vd-engine.h"

G_BEGIN_DECLS

#define VD_TYPE_LIBVIRT_ENGINE (vd_libvirt_engine_get_type ())
G_DECLARE_FINAL_TYPE (VdLibvirtEngine, vd_libvirt_engine, VD, LIBVIRT_ENGINE, VdEngine)

/* Once, before there is another thread. */
void vd_libvirt_engine_prepare (const char *path);
/* @path: the library's folder. Nothing is opened before the first run. */
VdEngine *vd_libvirt_engine_new (const char *path);
VdLibvirtConnection *vd_libvirt_engine_get_connection (VdLibvirtEngine *self);

G_END_DECLS
