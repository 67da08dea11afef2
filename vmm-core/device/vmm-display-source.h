/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The device's side of VmmDisplay: what a display device tells the mailbox.
 *
 * Threads: vmm_display_new and _free on the control thread; the rest where the device runs (its
 * lock held); the size function is called on the viewer's thread and only notes and posts.
 */
#pragma once

#include "vmm-display.h"

G_BEGIN_DECLS

typedef void (*VmmDisplaySizeFunc) (gpointer data, guint width, guint height);

VmmDisplay *vmm_display_new (void);
void vmm_display_free (VmmDisplay *self);

/* Shows @buffer as @frame describes it (@frame->buffer is not taken), or turns the screen off
 * (NULL). */
void vmm_display_show (VmmDisplay *self, const VmmFrame *frame);
void vmm_display_damage (VmmDisplay *self, const VmmRect *rect);
/* Pixels that the device had to copy for the picture. */
void vmm_display_count_copied (VmmDisplay *self, guint64 bytes);
void vmm_display_get_counters (VmmDisplay *self, guint64 *frames, guint64 *bytes_copied);
/* A new cursor picture; @pixels NULL for none. */
void vmm_display_set_cursor (VmmDisplay *self, const VmmCursor *cursor);
void vmm_display_move_cursor (VmmDisplay *self, int x, int y, gboolean visible);
/* The current cursor without taking it. Thread: any. */
void vmm_display_peek_cursor (VmmDisplay *self, VmmCursor *cursor);
/* Who is told of the size a viewer asks for. NULL takes it off. */
void vmm_display_set_size_func (VmmDisplay *self, VmmDisplaySizeFunc func, gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmDisplay, vmm_display_free)

typedef void (*VmmBufferFree) (gpointer data);
/* @pixels stay valid until @free_func is called with @data. @dmabuf is owned by the buffer; -1 for
 * none. */
VmmBuffer *vmm_buffer_new (const guint8 *pixels,
                           gsize size,
                           int dmabuf,
                           VmmBufferFree free_func,
                           gpointer data);

G_END_DECLS
