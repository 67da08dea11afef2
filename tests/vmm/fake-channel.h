/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The host's end of a channel: a socket that leaves no file behind, and clients of it.
 *
 * Threads: the test's.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Returns a socket to listen on, which does not block. */
int fake_channel_listen (void);
/* Returns a client of it. */
int fake_channel_connect (int listen_fd);

G_END_DECLS
