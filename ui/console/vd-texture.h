/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * GdkTextures from the frames and cursors of a VdDisplay: over a dma-buf where the
 * frame has one and the renderer takes it, over the shared memory otherwise, so
 * that no pixel is copied here; and small pictures of a frame for thumbnails, which
 * are copies.
 *
 * Threads: main.
 */
#pragma once

#include <gtk/gtk.h>

#include "vd-display.h"

G_BEGIN_DECLS

/* NULL when the screen is off or the format is not known. @before (may be NULL) is the texture
 * of the frame before: what is not damaged is the same in it. */
GdkTexture *vd_texture_new_for_frame (const VdFrame *frame, GdkTexture *before);

GdkTexture *vd_texture_new_for_cursor (const VdCursor *cursor);

/* A copy that fits in @max_width x @max_height, averaged; NULL when the screen is off. */
GdkTexture *vd_texture_new_thumbnail (const VdFrame *frame, guint max_width, guint max_height);

G_END_DECLS
