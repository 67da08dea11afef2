/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files that are whole or not there: what write, fsync and rename need around them.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>
#include <sys/uio.h>

G_BEGIN_DECLS

/* All of it, however many calls that takes; errno where it fails. @iov is used up. */
gboolean vmm_write_all (int fd, struct iovec *iov, guint n);
gboolean vmm_write_bytes (int fd, gconstpointer bytes, gsize length);

/* A folder's names are on the disk; errno where they are not. */
gboolean vmm_sync_folder (const char *path);
/* The folder in which @path is. */
gboolean vmm_sync_parent (const char *path);

G_END_DECLS
