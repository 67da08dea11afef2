/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdService: a library on a bus: the interface com.example.VirtDesk1 (described in
 * dbus/vd-service-xml.h) at /com/example/VirtDesk1. Everybody who is not
 * the owner of the library is its client, vdctl first of all.
 *
 * Signal: released: the library was given to another process; what still runs here
 * goes from the list as it stops.
 *
 * Threads: main.
 */
#pragma once

#include "vd-library.h"

G_BEGIN_DECLS

#define VD_SERVICE_NAME      "com.example.VirtDesk"
#define VD_SERVICE_INTERFACE "com.example.VirtDesk1"
#define VD_SERVICE_PATH      "/com/example/VirtDesk1"

#define VD_TYPE_SERVICE (vd_service_get_type ())
G_DECLARE_FINAL_TYPE (VdService, vd_service, VD, SERVICE, GObject)

/* @releases: this process gives the library to a window that asks (vdctl serve). The name on the
 * bus is the caller's affair. */
VdService *
vd_service_new (VdLibrary *library, GDBusConnection *connection, gboolean releases, GError **error);
/* Gives the library away, as if it had been asked for over the bus. */
gboolean vd_service_release (VdService *self, GError **error);

/* The name on the bus for the library at @path (NULL: the default): each has its own. */
char *vd_service_make_name (const char *path);
/* Whether a process has the library at @path (NULL: the default) open. */
gboolean vd_service_is_owned (const char *path);
/* Before vd_library_open: asks a "vdctl serve" that owns the library at @path (NULL: the default)
 * for it. TRUE when nobody owns it now. An owner that hangs is waited for some seconds. */
void vd_service_take_over_async (GDBusConnection *connection,
                                 const char *path,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer data);
gboolean vd_service_take_over_finish (GAsyncResult *result, GError **error);

G_END_DECLS
