/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A picture of the screen as a PNG file, cursor included. Apart from the mailbox because only this
 * knows formats and files.
 *
 * Threads: any.
 */
#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device/vmm-display-source.h"
#include "vmm-error.h"

#define FOURCC(a, b, c, d)                                                                         \
  ((guint32) (a) | (guint32) (b) << 8 | (guint32) (c) << 16 | (guint32) (d) << 24)
#define PIXEL 4

/* Where red, green and blue lie in the four bytes of a pixel. */
typedef struct {
  guint8 red, green, blue;
} Order;

static Order
order_of (guint32 fourcc)
{
  switch (fourcc) {
  case FOURCC ('X', 'B', '2', '4'):
  case FOURCC ('A', 'B', '2', '4'):
    return (Order) { 0, 1, 2 };
  case FOURCC ('B', 'X', '2', '4'):
  case FOURCC ('B', 'A', '2', '4'):
    return (Order) { 1, 2, 3 };
  case FOURCC ('R', 'X', '2', '4'):
  case FOURCC ('R', 'A', '2', '4'):
    return (Order) { 3, 2, 1 };
  default: /* XR24, AR24 */
    return (Order) { 2, 1, 0 };
  }
}

/* Lays the cursor's row over row @y of the picture. */
static void
blend_cursor (const VmmCursor *cursor, guint y, guint8 *rgb, guint width)
{
  gint64 left = (gint64) cursor->x - cursor->hot_x;
  gint64 row = y - ((gint64) cursor->y - cursor->hot_y);
  const guint8 *pixels;

  if (!cursor->visible || !cursor->pixels || row < 0 || row >= cursor->height)
    return;
  pixels = g_bytes_get_data (cursor->pixels, NULL);
  pixels += row * cursor->width * PIXEL;
  for (guint i = 0; i < cursor->width; i++) {
    gint64 x = left + i;
    const guint8 *from = pixels + i * PIXEL;

    if (x < 0 || x >= width)
      continue;
    for (guint c = 0; c < 3; c++)
      rgb[x * 3 + c] = MIN (255, from[2 - c] + rgb[x * 3 + c] * (255 - from[3]) / 255);
  }
}

static void
convert_row (const VmmFrame *frame, guint y, guint8 *rgb)
{
  const guint8 *from =
    vmm_buffer_get_pixels (frame->buffer) + frame->offset + (gsize) y * frame->stride;
  Order order = order_of (frame->fourcc);

  for (guint x = 0; x < frame->width; x++, from += PIXEL) {
    *rgb++ = from[order.red];
    *rgb++ = from[order.green];
    *rgb++ = from[order.blue];
  }
}

/* libpng leaves by longjmp where writing fails: nothing that has to be freed is made here. */
static gboolean
write_rows (png_struct *png,
            png_info *info,
            FILE *file,
            const VmmFrame *frame,
            const VmmCursor *cursor,
            guint8 *row)
{
  if (setjmp (png_jmpbuf (png)))
    return FALSE;
  png_init_io (png, file);
  png_set_compression_level (png, 1);
  png_set_IHDR (png, info, frame->width, frame->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info (png, info);
  for (guint y = 0; y < frame->height; y++) {
    convert_row (frame, y, row);
    blend_cursor (cursor, y, row, frame->width);
    png_write_row (png, row);
  }
  png_write_end (png, info);
  return TRUE;
}

static gboolean
write_png (FILE *file, const VmmFrame *frame, const VmmCursor *cursor)
{
  g_autofree guint8 *row = g_try_malloc_n (frame->width, 3);
  png_struct *png = png_create_write_struct (PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_info *info = png ? png_create_info_struct (png) : NULL;
  gboolean ok = row && info && write_rows (png, info, file, frame, cursor, row);

  png_destroy_write_struct (&png, &info);
  return ok && fflush (file) == 0 && fsync (fileno (file)) == 0;
}

static gboolean
save (const char *path, const VmmFrame *frame, const VmmCursor *cursor, GError **error)
{
  g_autofree char *temporary = g_strdup_printf ("%s.XXXXXX", path);
  int fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0666);
  FILE *file = fd >= 0 ? fdopen (fd, "wb") : NULL;
  gboolean ok = FALSE;
  int problem = errno;

  if (file) {
    ok = write_png (file, frame, cursor);
    problem = errno;
    ok = fclose (file) == 0 && ok;
    ok = ok && rename (temporary, path) == 0;
    if (!ok && problem == 0)
      problem = errno;
  }
  if (!ok && fd >= 0)
    unlink (temporary);
  if (!ok)
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "The screenshot “%s” cannot be written: %s.", path,
                 g_strerror (problem));
  return ok;
}

typedef gboolean (*PeekFunc) (VmmDisplay *, VmmFrame *);

static gboolean
save_peeked (VmmDisplay *self, PeekFunc peek, const char *path, GError **error)
{
  g_autoptr (GBytes) pixels = NULL;
  VmmCursor cursor;
  VmmFrame frame;
  gboolean ok;

  if (!peek (self, &frame)) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_STATE,
                 "There is no picture yet: the machine has not turned its screen on.");
    return FALSE;
  }
  vmm_display_peek_cursor (self, &cursor);
  pixels = cursor.pixels;
  ok = save (path, &frame, &cursor, error);
  vmm_buffer_unref (frame.buffer);
  return ok;
}

gboolean
vmm_display_screenshot (VmmDisplay *self, const char *path, GError **error)
{
  return save_peeked (self, vmm_display_peek, path, error);
}

gboolean
vmm_display_save_last (VmmDisplay *self, const char *path, GError **error)
{
  return save_peeked (self, vmm_display_peek_last, path, error);
}
