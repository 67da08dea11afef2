/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Files and folders of a library: folders are 0700, files 0600, a file is never
 * half-written, removing follows no link. Apart from the types, because every one
 * of them needs the same care.
 *
 * Threads: any; they block.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The whole file, with a NUL behind it; at most @max bytes. */
char *vd_file_read (const char *path, gsize max, gsize *length, GError **error);
#define VD_PART_PREFIX ".part-" /* of a file that is being written */
/* Writes beside it, syncs, renames. */
gboolean vd_file_replace (const char *path, gconstpointer data, gsize length, GError **error);
/* A new file of @size bytes that takes no room yet. */
gboolean vd_file_make_sparse (const char *path, guint64 size, GError **error);
/* Lasting when it returns. @to must not exist. */
gboolean vd_file_rename (const char *from, const char *to, GError **error);

/* With its parents; no error when it is there. */
gboolean vd_folder_make (const char *path, GError **error);
/* With all that is in it; no error when it is not there. */
gboolean vd_folder_remove (const char *path, GError **error);

/* @format: a translated sentence without its end; the system's reason is added. */
void vd_error_set_errno (GError **error, int code, const char *format, ...) G_GNUC_PRINTF (3, 4);

G_END_DECLS
