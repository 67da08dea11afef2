/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The mailbox between a display device and a viewer, and the buffers that lie in it.
 *
 * Threads: any. Two locks: one for the contents, one that is held while the wake function runs, so
 * that taking it off waits for it.
 */
#include <string.h>
#include <unistd.h>

#include "device/vmm-display-source.h"

struct _VmmBuffer {
  const guint8 *pixels;
  gsize size;
  int dmabuf;
  VmmBufferFree free_func;
  gpointer data;
};

struct _VmmDisplay {
  GMutex lock;
  VmmFrame frame; /* damage: since the last take */
  VmmFrame last;  /* a copy of what was shown before the screen went off; else empty */
  gboolean frame_changed;
  VmmCursor cursor;
  gboolean cursor_changed;
  gboolean waking; /* the viewer was woken and has not taken anything since */
  guint64 n_frames, bytes_copied;

  GMutex wake_lock;
  VmmWakeFunc wake;
  gpointer wake_data;

  GMutex size_lock;
  VmmDisplaySizeFunc size_func;
  gpointer size_data;
};

VmmBuffer *
vmm_buffer_new (const guint8 *pixels,
                gsize size,
                int dmabuf,
                VmmBufferFree free_func,
                gpointer data)
{
  VmmBuffer *self = g_atomic_rc_box_new (VmmBuffer);

  *self = (VmmBuffer) { pixels, size, dmabuf, free_func, data };
  return self;
}

VmmBuffer *
vmm_buffer_ref (VmmBuffer *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
vmm_buffer_clear (gpointer data)
{
  VmmBuffer *self = data;

  if (self->free_func)
    self->free_func (self->data);
  if (self->dmabuf >= 0)
    close (self->dmabuf);
}

void
vmm_buffer_unref (VmmBuffer *self)
{
  g_atomic_rc_box_release_full (self, vmm_buffer_clear);
}

const guint8 *
vmm_buffer_get_pixels (VmmBuffer *self)
{
  return self->pixels;
}

gsize
vmm_buffer_get_size (VmmBuffer *self)
{
  return self->size;
}

int
vmm_buffer_get_dmabuf (VmmBuffer *self)
{
  return self->dmabuf;
}

VmmDisplay *
vmm_display_new (void)
{
  VmmDisplay *self = g_new0 (VmmDisplay, 1);

  g_mutex_init (&self->lock);
  g_mutex_init (&self->wake_lock);
  g_mutex_init (&self->size_lock);
  return self;
}

void
vmm_display_free (VmmDisplay *self)
{
  g_clear_pointer (&self->frame.buffer, vmm_buffer_unref);
  g_clear_pointer (&self->last.buffer, vmm_buffer_unref);
  g_clear_pointer (&self->cursor.pixels, g_bytes_unref);
  g_mutex_clear (&self->lock);
  g_mutex_clear (&self->wake_lock);
  g_mutex_clear (&self->size_lock);
  g_free (self);
}

/* Wakes the viewer unless it was woken already; without the lock. */
static void
vmm_display_wake (VmmDisplay *self)
{
  gboolean wake;

  g_mutex_lock (&self->lock);
  wake = !self->waking && (self->frame_changed || self->cursor_changed);
  g_mutex_unlock (&self->lock);
  if (!wake)
    return;

  g_mutex_lock (&self->wake_lock);
  if (self->wake) {
    g_mutex_lock (&self->lock);
    self->waking = TRUE;
    g_mutex_unlock (&self->lock);
    self->wake (self, self->wake_data);
  }
  g_mutex_unlock (&self->wake_lock);
}

void
vmm_display_set_wake (VmmDisplay *self, VmmWakeFunc wake, gpointer data)
{
  g_mutex_lock (&self->wake_lock);
  self->wake = wake;
  self->wake_data = data;
  g_mutex_unlock (&self->wake_lock);

  g_mutex_lock (&self->lock);
  self->waking = FALSE;
  g_mutex_unlock (&self->lock);
  if (wake)
    vmm_display_wake (self);
}

static VmmRect
whole (const VmmFrame *frame)
{
  return (VmmRect) { 0, 0, frame->width, frame->height };
}

static void
copy_frame (const VmmFrame *from, VmmFrame *to)
{
  *to = *from;
  if (to->buffer)
    vmm_buffer_ref (to->buffer);
}

gboolean
vmm_display_take (VmmDisplay *self, VmmFrame *frame)
{
  gboolean changed;

  g_mutex_lock (&self->lock);
  changed = self->frame_changed;
  self->waking = FALSE;
  if (changed) {
    copy_frame (&self->frame, frame);
    self->frame.damage = (VmmRect) { 0 };
    self->frame_changed = FALSE;
  }
  g_mutex_unlock (&self->lock);
  return changed;
}

gboolean
vmm_display_peek (VmmDisplay *self, VmmFrame *frame)
{
  g_mutex_lock (&self->lock);
  copy_frame (&self->frame, frame);
  g_mutex_unlock (&self->lock);
  frame->damage = whole (frame);
  return frame->buffer != NULL;
}

gboolean
vmm_display_peek_last (VmmDisplay *self, VmmFrame *frame)
{
  g_mutex_lock (&self->lock);
  copy_frame (self->frame.buffer ? &self->frame : &self->last, frame);
  g_mutex_unlock (&self->lock);
  frame->damage = whole (frame);
  return frame->buffer != NULL;
}

static void
copy_cursor (const VmmCursor *from, VmmCursor *to)
{
  *to = *from;
  if (to->pixels)
    g_bytes_ref (to->pixels);
}

gboolean
vmm_display_take_cursor (VmmDisplay *self, VmmCursor *cursor)
{
  gboolean changed;

  g_mutex_lock (&self->lock);
  changed = self->cursor_changed;
  self->waking = FALSE;
  if (changed)
    copy_cursor (&self->cursor, cursor);
  self->cursor_changed = FALSE;
  g_mutex_unlock (&self->lock);
  return changed;
}

void
vmm_display_peek_cursor (VmmDisplay *self, VmmCursor *cursor)
{
  g_mutex_lock (&self->lock);
  copy_cursor (&self->cursor, cursor);
  g_mutex_unlock (&self->lock);
}

void
vmm_display_request_size (VmmDisplay *self, guint width, guint height)
{
  g_mutex_lock (&self->size_lock);
  if (self->size_func)
    self->size_func (self->size_data, width, height);
  g_mutex_unlock (&self->size_lock);
}

void
vmm_display_set_size_func (VmmDisplay *self, VmmDisplaySizeFunc func, gpointer data)
{
  g_mutex_lock (&self->size_lock);
  self->size_func = func;
  self->size_data = data;
  g_mutex_unlock (&self->size_lock);
}

static VmmRect
unite (const VmmRect *a, const VmmRect *b)
{
  int x = MIN (a->x, b->x), y = MIN (a->y, b->y);

  if (a->width <= 0 || a->height <= 0)
    return *b;
  if (b->width <= 0 || b->height <= 0)
    return *a;
  return (VmmRect) {
    .x = x,
    .y = y,
    .width = MAX (a->x + a->width, b->x + b->width) - x,
    .height = MAX (a->y + a->height, b->y + b->height) - y,
  };
}

/* @rect as far as it lies in the frame; its edges may be anywhere. */
static VmmRect
clip (const VmmRect *rect, const VmmFrame *frame)
{
  gint64 x0 = CLAMP ((gint64) rect->x, 0, (gint64) frame->width);
  gint64 y0 = CLAMP ((gint64) rect->y, 0, (gint64) frame->height);
  gint64 x1 = CLAMP ((gint64) rect->x + rect->width, x0, (gint64) frame->width);
  gint64 y1 = CLAMP ((gint64) rect->y + rect->height, y0, (gint64) frame->height);

  return (VmmRect) { x0, y0, x1 - x0, y1 - y0 };
}

/* @frame with pixels of its own; empty when there is none or no memory for it. */
static VmmFrame
freeze (const VmmFrame *frame)
{
  VmmFrame frozen = *frame;
  guint8 *pixels;
  gsize size;

  if (!frame->buffer || frame->width == 0 || frame->height == 0)
    return (VmmFrame) { 0 };
  size = (gsize) frame->stride * (frame->height - 1) + (gsize) frame->width * 4;
  pixels = g_try_malloc (size);
  if (!pixels)
    return (VmmFrame) { 0 };
  memcpy (pixels, frame->buffer->pixels + frame->offset, size);
  frozen.buffer = vmm_buffer_new (pixels, size, -1, g_free, pixels);
  frozen.offset = 0;
  return frozen;
}

/* A system that turns off takes its picture away first, and the memory under it is used for other
 * things soon: what people saw last is kept as a copy. */
void
vmm_display_show (VmmDisplay *self, const VmmFrame *frame)
{
  VmmFrame before, last = { 0 };

  g_mutex_lock (&self->lock);
  before = self->frame;
  self->frame = (VmmFrame) { 0 };
  if (frame)
    copy_frame (frame, &self->frame);
  else if (before.buffer)
    last = freeze (&before);
  if (frame || before.buffer) {
    g_clear_pointer (&self->last.buffer, vmm_buffer_unref);
    self->last = last;
  }
  self->frame.damage = whole (&self->frame);
  self->frame.serial = before.serial + 1;
  self->frame_changed = TRUE;
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&before.buffer, vmm_buffer_unref);
  vmm_display_wake (self);
}

void
vmm_display_damage (VmmDisplay *self, const VmmRect *rect)
{
  VmmRect clipped;

  g_mutex_lock (&self->lock);
  clipped = clip (rect, &self->frame);
  self->n_frames++;
  if (clipped.width > 0 && clipped.height > 0) {
    self->frame.damage = unite (&self->frame.damage, &clipped);
    self->frame.serial++;
    self->frame_changed = TRUE;
  }
  g_mutex_unlock (&self->lock);
  vmm_display_wake (self);
}

void
vmm_display_count_copied (VmmDisplay *self, guint64 bytes)
{
  g_mutex_lock (&self->lock);
  self->bytes_copied += bytes;
  g_mutex_unlock (&self->lock);
}

void
vmm_display_get_counters (VmmDisplay *self, guint64 *frames, guint64 *bytes_copied)
{
  g_mutex_lock (&self->lock);
  *frames = self->n_frames;
  *bytes_copied = self->bytes_copied;
  g_mutex_unlock (&self->lock);
}

void
vmm_display_set_cursor (VmmDisplay *self, const VmmCursor *cursor)
{
  GBytes *before;

  g_mutex_lock (&self->lock);
  before = self->cursor.pixels;
  self->cursor.pixels = cursor->pixels ? g_bytes_ref (cursor->pixels) : NULL;
  self->cursor.width = cursor->pixels ? cursor->width : 0;
  self->cursor.height = cursor->pixels ? cursor->height : 0;
  self->cursor.hot_x = cursor->hot_x;
  self->cursor.hot_y = cursor->hot_y;
  self->cursor.serial++;
  self->cursor_changed = TRUE;
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&before, g_bytes_unref);
  vmm_display_wake (self);
}

void
vmm_display_move_cursor (VmmDisplay *self, int x, int y, gboolean visible)
{
  g_mutex_lock (&self->lock);
  self->cursor_changed |=
    self->cursor.x != x || self->cursor.y != y || self->cursor.visible != visible;
  self->cursor.x = x;
  self->cursor.y = y;
  self->cursor.visible = visible;
  g_mutex_unlock (&self->lock);
  vmm_display_wake (self);
}
