/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The files of a machine before an engine gets them: it says what is wrong in its own
 * words, or nothing; and an image may have changed since the machine was made.
 *
 * Threads: any, on a frozen config; it blocks.
 */
#pragma once

#include "vd-config.h"

G_BEGIN_DECLS

/* What a CD drive is to hold. */
gboolean vd_check_disc_file (const char *path, GError **error);
/* Of disks and CD drives. */
gboolean vd_check_disk_files (VdConfig *config, GError **error);
/* With kernel and initial RAM disk. */
gboolean vd_check_files (VdConfig *config, GError **error);

G_END_DECLS
