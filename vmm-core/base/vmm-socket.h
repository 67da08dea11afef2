/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sockets with a name in the file system that others connect to.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Listens on the socket @path, made with mode 0600; neither it nor accepting waits. @what is "The
 * control socket", for messages. -1 with VMM_ERROR_IO. Whoever closes it removes the name. */
int vmm_socket_listen (const char *what, const char *path, int backlog, GError **error);

G_END_DECLS
