/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A frame as a PNG file. The pixels may change while they are read, so they are
 * copied once and only the copy is compressed.
 *
 * Threads: any; it blocks.
 */
#include "library/vd-picture.h"
#include "library/vd-file.h"
#include "vd-error.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <png.h>
#include <stdio.h>

#define FOURCC(a, b, c, d)                                                                         \
  ((guint32) (a) | (guint32) (b) << 8 | (guint32) (c) << 16 | (guint32) (d) << 24)
#define MAX_SIDE 16384

/* Where red lies in a pixel's bytes; blue is on the other side. -1: a format that we do not know.
 */
static int
red_byte (guint32 fourcc)
{
  switch (fourcc) {
  case FOURCC ('X', 'R', '2', '4'):
  case FOURCC ('A', 'R', '2', '4'):
    return 2;
  case FOURCC ('X', 'B', '2', '4'):
  case FOURCC ('A', 'B', '2', '4'):
    return 0;
  default:
    return -1;
  }
}

static gboolean
is_sane (const VdFrame *frame)
{
  gsize size = frame->pixels != NULL ? g_bytes_get_size (frame->pixels) : 0;
  gsize last;

  if (frame->width == 0 || frame->height == 0 || frame->width > MAX_SIDE ||
      frame->height > MAX_SIDE || frame->stride < frame->width * 4 || red_byte (frame->fourcc) < 0)
    return FALSE;
  last = (gsize) frame->stride * (frame->height - 1) + (gsize) frame->width * 4;
  return frame->offset <= size && last <= size - frame->offset;
}

static guint8 *
copy_rgb (const VdFrame *frame)
{
  guint8 *copy = g_try_malloc ((gsize) frame->width * frame->height * 3);
  const guint8 *pixels = (const guint8 *) g_bytes_get_data (frame->pixels, NULL) + frame->offset;
  int red = red_byte (frame->fourcc);
  guint8 *out = copy;

  for (guint y = 0; copy != NULL && y < frame->height; y++) {
    const guint8 *in = pixels + (gsize) y * frame->stride;

    for (guint x = 0; x < frame->width; x++, in += 4, out += 3) {
      out[0] = in[red];
      out[1] = in[1];
      out[2] = in[2 - red];
    }
  }
  return copy;
}

static gboolean
compress_rgb (const guint8 *rgb, guint width, guint height, char **data, size_t *length)
{
  png_image image = {
    .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_RGB
  };
  FILE *stream = open_memstream (data, length);
  gboolean ok;

  if (stream == NULL)
    return FALSE;
  ok = png_image_write_to_stdio (&image, stream, FALSE, rgb, 0, NULL);
  png_image_free (&image);
  return fclose (stream) == 0 && ok;
}

gboolean
vd_frame_save_png (const VdFrame *frame, const char *path, GError **error)
{
  g_autofree guint8 *rgb = NULL;
  char *data = NULL;
  size_t length = 0;
  gboolean ok;

  if (!is_sane (frame)) {
    g_set_error_literal (error, VD_ERROR, VD_ERROR_STATE, _("The screen shows no picture now."));
    return FALSE;
  }
  rgb = copy_rgb (frame);
  if (rgb == NULL || !compress_rgb (rgb, frame->width, frame->height, &data, &length)) {
    free (data);
    g_set_error_literal (error, VD_ERROR, VD_ERROR_NO_MEMORY,
                         _("There is too little memory for a picture of the screen."));
    return FALSE;
  }
  ok = vd_file_replace (path, data, length, error);
  free (data);
  return ok;
}
