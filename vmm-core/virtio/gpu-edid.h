/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The EDID of a monitor with one wished-for mode: how a guest learns the size of the window.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define GPU_EDID_SIZE     128
#define GPU_EDID_MAX_SIDE 4095 /* what a detailed timing can say */

/* @width and @height at most GPU_EDID_MAX_SIDE. */
void gpu_edid_fill (guint8 *edid, guint width, guint height);

G_END_DECLS
