/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmDisplay: the mailbox between a display device and whoever looks at it.
 *
 * The device publishes on the loop thread, the viewer takes on any one other
 * thread. At most one wake-up is under way: after it the device only adds to
 * the damage until the viewer has taken the frame. No pixel is copied: a frame
 * holds a reference to the shared buffer. Taking re-arms the wake-up, so a viewer
 * that does not look costs nothing.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VmmBuffer VmmBuffer;
typedef struct _VmmDisplay VmmDisplay;

typedef struct {
  int x, y, width, height;
} VmmRect;

typedef struct {
  VmmBuffer *buffer;   /* a reference for the taker, NULL while the screen is off */
  gsize offset;        /* of the first pixel in the buffer */
  guint width, height; /* pixels */
  guint stride;        /* bytes */
  guint32 fourcc;      /* DRM_FORMAT_XRGB8888 and the like */
  VmmRect damage;      /* since the last take; whole after a change of buffer */
  guint64 serial;      /* changes when the picture does */
} VmmFrame;

typedef struct {
  gboolean visible;
  int x, y; /* of the hot spot, in guest pixels */
  guint hot_x, hot_y;
  guint width, height; /* 0 while the guest has set no picture */
  guint64 serial;      /* changes when the picture does */
  GBytes *pixels;      /* ARGB8888, premultiplied, width * 4 a row; reference for the taker */
} VmmCursor;

typedef void (*VmmWakeFunc) (VmmDisplay *display, gpointer data);

/* The viewer's side. NULL takes the wake function off: it is not running when this returns. */
void vmm_display_set_wake (VmmDisplay *self, VmmWakeFunc wake, gpointer data);
/* FALSE when nothing changed since the last take. */
gboolean vmm_display_take (VmmDisplay *self, VmmFrame *frame);
/* FALSE when the cursor is as at the last take. */
gboolean vmm_display_take_cursor (VmmDisplay *self, VmmCursor *cursor);
/* The current frame and cursor without taking them (thumbnails, screenshots). */
gboolean vmm_display_peek (VmmDisplay *self, VmmFrame *frame);
/* The same, or where the guest has turned its screen off, a copy of what it showed before. */
gboolean vmm_display_peek_last (VmmDisplay *self, VmmFrame *frame);
void vmm_display_request_size (VmmDisplay *self, guint width, guint height);
/* Writes the current picture (cursor included) as PNG, by write, fsync, rename. */
gboolean vmm_display_screenshot (VmmDisplay *self, const char *path, GError **error);
/* The same of what vmm_display_peek_last gives: a machine that is off, as it was last seen. */
gboolean vmm_display_save_last (VmmDisplay *self, const char *path, GError **error);

/* The device's side: in device/vmm-display-source.h. */

/* Shared pixels: a memfd, a dma-buf or a view of guest memory; the last reference unmaps and
 * closes. Any thread. */
VmmBuffer *vmm_buffer_ref (VmmBuffer *self);
void vmm_buffer_unref (VmmBuffer *self);
const guint8 *vmm_buffer_get_pixels (VmmBuffer *self);
gsize vmm_buffer_get_size (VmmBuffer *self);
int vmm_buffer_get_dmabuf (VmmBuffer *self); /* borrowed, or -1 where there is none */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmBuffer, vmm_buffer_unref)

G_END_DECLS
