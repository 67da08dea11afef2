/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLibvirtConnection: libvirt's QEMU driver inside this process, over a folder of
 * the library's (qemu:///embed). One worker makes all calls; events arrive on
 * the main thread. libvirt allows one such folder for the life of a process.
 *
 * Threads: any, except those marked worker.
 */
#pragma once

#include "library/vd-worker.h"

#include <libvirt/libvirt.h>

G_BEGIN_DECLS

typedef struct _VdLibvirtConnection VdLibvirtConnection;

/* A lifecycle event of the domain that is watched. Main. */
typedef void (*VdLibvirtEvent) (gpointer data, int event, int detail);

VdLibvirtConnection *vd_libvirt_connection_new (const char *folder);
VdLibvirtConnection *vd_libvirt_connection_ref (VdLibvirtConnection *self);
void vd_libvirt_connection_unref (VdLibvirtConnection *self);
VdWorker *vd_libvirt_connection_get_worker (VdLibvirtConnection *self);

/* libvirt's loop and its errors. Main, before the first open. */
void vd_libvirt_connection_prepare (VdLibvirtConnection *self);
/* Opened at the first call; borrowed. Worker. */
virConnectPtr vd_libvirt_connection_open (VdLibvirtConnection *self, GError **error);
void vd_libvirt_connection_close (VdLibvirtConnection *self); /* worker */

/* Events of @domain until unwatched; one may be under way still when that returns. @destroy frees
 * @data after the last one, or at once where there is no watch (-1); on any thread. Worker. */
int vd_libvirt_connection_watch (VdLibvirtConnection *self,
                                 virDomainPtr domain,
                                 VdLibvirtEvent func,
                                 gpointer data,
                                 GDestroyNotify destroy);
void vd_libvirt_connection_unwatch (VdLibvirtConnection *self, int watch);

/* The end of what QEMU wrote for the domain of this name, or NULL. */
char *vd_libvirt_connection_read_log (VdLibvirtConnection *self, const char *name);

/* The error of the last call of this thread, as a VD_ERROR. */
void vd_libvirt_set_error (GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VdLibvirtConnection, vd_libvirt_connection_unref)

G_END_DECLS
