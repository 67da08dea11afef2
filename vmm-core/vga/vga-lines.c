/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A line of graphics, from memory to XRGB8888: one function a layout of pixels.
 *
 * Threads: loop, device locked.
 */
#include <string.h>

#include "vga/vga-private.h"

#define RGB(red, green, blue)                                                                      \
  (0xff000000u | (guint32) (red) << 16 | (guint32) (green) << 8 | (guint32) (blue))

/* @bits of a color component to eight. */
static guint
widen (guint value, guint bits)
{
  value &= (1u << bits) - 1;
  return value << (8 - bits) | value >> (2 * bits - 8);
}

guint32
vga_color (const Vga *self, guint8 index)
{
  const guint8 *rgb = &self->dac[3 * (index & self->dac_mask)];

  if (self->vbe[VBE_ENABLE] & VBE_8BIT_DAC)
    return RGB (rgb[0], rgb[1], rgb[2]);
  return RGB (widen (rgb[0], 6), widen (rgb[1], 6), widen (rgb[2], 6));
}

guint32
vga_palette (const Vga *self, guint8 index)
{
  guint8 color = self->attr[index & 0x0f], select = self->attr[ATTR_COLOR_SELECT];

  if (self->attr[ATTR_MODE] & 0x80)
    color = (color & 0x0f) | (select & 0x0f) << 4;
  else
    color = (color & 0x3f) | (select & 0x0c) << 4;
  return vga_color (self, color);
}

/* The four planes' bytes at @address, the first in the lowest bits. */
static guint32
planes_at (Vga *self, guint32 address)
{
  guint32 planes = 0;

  if (address <= VMM_VGA_MEMORY_SIZE - sizeof planes)
    memcpy (&planes, self->bytes + address, sizeof planes);
  return planes & vga_spread (self->attr[ATTR_PLANE_ENABLE]);
}

/* 16 colors: bit i of each plane. */
static void
draw_planar (Vga *self, guint32 from, guint width, guint32 *to)
{
  for (guint x = 0; x < width; x += 8, from += N_PLANES) {
    guint32 planes = planes_at (self, from);

    for (guint bit = 8; bit-- > 0;)
      *to++ = vga_palette (self, (planes >> bit & 1) | (planes >> (bit + 7) & 2) |
                                   (planes >> (bit + 14) & 4) | (planes >> (bit + 21) & 8));
  }
}

/* Four colors, as CGA had them: two bits a pixel, in bytes of planes 0 and 1 (2 and 3: the high
 * bits). */
static void
draw_interleaved (Vga *self, guint32 from, guint width, guint32 *to)
{
  for (guint x = 0; x < width; x += 8, from += N_PLANES) {
    guint32 planes = planes_at (self, from);

    for (guint plane = 0; plane < 2; plane++)
      for (guint shift = 8; shift > 0; shift -= 2)
        *to++ = vga_palette (self, (planes >> (8 * plane + shift - 2) & 3) |
                                     (planes >> (8 * plane + 16 + shift - 2) & 3) << 2);
  }
}

/* 256 colors of the old modes, whose pixels are two dots wide. */
static void
draw_wide_bytes (Vga *self, guint32 from, guint width, guint32 *to)
{
  for (guint x = 0; x < width; x += 2, from++)
    to[x] = to[x + 1] = vga_color (self, self->bytes[from % VMM_VGA_MEMORY_SIZE]);
}

static guint32
pixel_at (Vga *self, const guint8 *bytes, guint bits)
{
  guint word = bytes[0] | (bits > 8 ? bytes[1] << 8 : 0);

  switch (bits) {
  case 8:
    return vga_color (self, bytes[0]);
  case 15:
    return RGB (widen (word >> 10, 5), widen (word >> 5, 5), widen (word, 5));
  case 16:
    return RGB (widen (word >> 11, 5), widen (word >> 5, 6), widen (word, 5));
  default:
    return RGB (bytes[2], bytes[1], bytes[0]);
  }
}

static void
draw_linear (Vga *self, guint32 from, const VgaMode *mode, guint32 *to)
{
  guint size = (mode->bits + 7) / 8;

  if (from > VMM_VGA_MEMORY_SIZE || mode->width * size > VMM_VGA_MEMORY_SIZE - from)
    return;
  for (guint x = 0; x < mode->width; x++, from += size)
    to[x] = pixel_at (self, self->bytes + from, mode->bits);
}

/* Where line @y of an old mode begins: lines may be shown twice, and CGA's modes keep every other
 * line elsewhere. */
static guint32
line_address (Vga *self, const VgaMode *mode, guint y)
{
  guint8 max_scan = self->crtc[CRTC_MAX_SCAN];
  guint repeat = ((max_scan & 0x1f) + 1u) << (max_scan >> 7);
  guint split = self->crtc[CRTC_LINE_COMPARE] | (self->crtc[CRTC_OVERFLOW] & 0x10) << 4 |
                (max_scan & 0x40) << 3;
  guint32 start = y > split ? 0 : mode->start, line = y > split ? y - split - 1 : y;
  guint32 address;

  if (!(self->crtc[CRTC_MODE] & 1)) {
    address = start + line / 2 / (repeat > 1 ? repeat / 2 : 1) * mode->stride;
    return (address & ~0x8000u) | (line / (max_scan >> 7 ? 2 : 1) & 1) << 15;
  }
  address = start + line / repeat * mode->stride;
  return address % VMM_VGA_MEMORY_SIZE;
}

void
vga_draw_line (Vga *self, const VgaMode *mode, guint y, guint32 *to)
{
  if (vga_is_linear (self)) {
    draw_linear (self, mode->start + y * mode->stride, mode, to);
    return;
  }
  switch (self->gfx[GFX_MODE] >> 5 & 3) {
  case 0:
    draw_planar (self, line_address (self, mode, y), mode->width, to);
    break;
  case 1:
    draw_interleaved (self, line_address (self, mode, y), mode->width, to);
    break;
  default:
    draw_wide_bytes (self, line_address (self, mode, y), mode->width, to);
    break;
  }
}
