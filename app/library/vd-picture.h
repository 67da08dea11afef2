/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A frame as a PNG file, whoever drew it.
 *
 * Threads: any; it blocks.
 */
#pragma once

#include "vd-display.h"

G_BEGIN_DECLS

gboolean vd_frame_save_png (const VdFrame *frame, const char *path, GError **error);

G_END_DECLS
