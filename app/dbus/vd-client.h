/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdClient: the other end of VdService. It finds the owner of a library on the
 * session bus; where nobody owns it, it opens the library itself and talks to a
 * service of its own over a pair of sockets, so that there is one way only.
 *
 * Threads: main. Calls block, with the main context running.
 */
#pragma once

#include "vd-service.h"

G_BEGIN_DECLS

typedef struct _VdClient VdClient;

/* @path NULL: the default library. */
VdClient *vd_client_new (const char *path, GError **error);
void vd_client_free (VdClient *self);
/* Nobody else owns the library: what runs on the local engine ends with us. */
gboolean vd_client_is_direct (VdClient *self);
/* @args is sunk if floating; @fd, which may be NULL, gets the descriptor of the answer. */
GVariant *
vd_client_call (VdClient *self, const char *method, GVariant *args, int *fd, GError **error);
/* Ends a call that is waited for, from a source of the main context. */
void vd_client_cancel (VdClient *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VdClient, vd_client_free)

G_END_DECLS
