/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdDisplay: one screen of a machine, whoever draws it: take a frame, its damage
 * and the cursor; send keys and the pointer. The console widget knows nothing else.
 *
 * Signals: changed (a frame or cursor waits to be taken; at most one until the
 * next take, so that a hidden console costs nothing), closed.
 *
 * Threads: main.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
  int x, y, width, height;
} VdRect;

typedef struct {
  GBytes
    *pixels; /* shared with the guest or the server: never written by the taker; NULL: screen off */
  gsize offset;        /* of the first pixel */
  guint width, height; /* pixels */
  guint stride;        /* bytes */
  guint32 fourcc;      /* DRM_FORMAT_XRGB8888, _ARGB8888 and their other orders of bytes */
  int dmabuf;          /* borrowed from @pixels, -1 where there is none */
  VdRect damage;       /* since the last take */
  guint64 serial;      /* changes when the picture does; 0: not known */
} VdFrame;

typedef struct {
  gboolean visible;
  gboolean drawn; /* TRUE: part of the frame; the viewer hides its own and draws none */
  int x, y;       /* hot spot, guest pixels */
  guint hot_x, hot_y;
  guint width, height; /* 0: no picture */
  guint64 serial;
  GBytes *pixels; /* ARGB8888 premultiplied, width * 4 a row */
} VdCursor;

void vd_frame_clear (VdFrame *self);
void vd_cursor_clear (VdCursor *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VdFrame, vd_frame_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VdCursor, vd_cursor_clear)

#define VD_TYPE_DISPLAY (vd_display_get_type ())
G_DECLARE_DERIVABLE_TYPE (VdDisplay, vd_display, VD, DISPLAY, GObject)

struct _VdDisplayClass {
  GObjectClass parent_class;

  gboolean (*take_frame) (VdDisplay *self, VdFrame *frame);
  gboolean (*take_cursor) (VdDisplay *self, VdCursor *cursor);
  gboolean (*peek_frame) (VdDisplay *self, VdFrame *frame);
  void (*set_viewed) (VdDisplay *self, gboolean viewed);
  void (*request_size) (VdDisplay *self, guint width, guint height);
  void (*key) (VdDisplay *self, guint evdev, gboolean pressed);
  void (*move) (VdDisplay *self, double x, double y);
  void (*button) (VdDisplay *self, guint evdev, gboolean pressed);
  void (*wheel) (VdDisplay *self, int vertical, int horizontal);
  void (*release_all) (VdDisplay *self);
};

/* FALSE when nothing changed since the last take. Re-arms "changed". */
gboolean vd_display_take_frame (VdDisplay *self, VdFrame *frame);
gboolean vd_display_take_cursor (VdDisplay *self, VdCursor *cursor);
/* The current frame without taking it: thumbnails. */
gboolean vd_display_peek_frame (VdDisplay *self, VdFrame *frame);
/* Nobody looks until set: no "changed" then. One viewer at a time. */
void vd_display_set_viewed (VdDisplay *self, gboolean viewed);
/* In device pixels; a hint to the guest. */
void vd_display_request_size (VdDisplay *self, guint width, guint height);

/* Codes of linux/input-event-codes.h. */
void vd_display_key (VdDisplay *self, guint evdev, gboolean pressed);
/* 0 to 1 of the screen. */
void vd_display_move (VdDisplay *self, double x, double y);
void vd_display_button (VdDisplay *self, guint evdev, gboolean pressed);
/* Notches; positive is up (right). */
void vd_display_wheel (VdDisplay *self, int vertical, int horizontal);
/* Every key and button that is held. */
void vd_display_release_all (VdDisplay *self);

/* For subclasses. */
void vd_display_emit_changed (VdDisplay *self);
void vd_display_emit_closed (VdDisplay *self);

G_END_DECLS
