/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Text: characters and attributes in planes 0 and 1, their shapes in plane 2.
 *
 * Threads: loop, device locked.
 */
#include "vga/vga-private.h"

#define FONT_SIZE       8192 /* of each of the eight fonts in plane 2 */
#define LINES_A_CHAR    32
#define FIRST_LINE_DRAW 0xc0 /* these characters' eighth dot goes on in the ninth */
#define LAST_LINE_DRAW  0xdf
#define LINE_DRAW       0x04 /* of the attribute mode: they do */
#define CURSOR_OFF      0x20

typedef struct {
  guint width, height; /* dots of a character */
  guint32 fonts[2];    /* of plane 2: by bit 3 of the attribute */
  guint32 cursor;      /* address of the cell, G_MAXUINT32: not to be seen */
} Shape;

static guint8
plane_byte (Vga *self, guint32 address, guint plane)
{
  return self->bytes[(address * N_PLANES + plane) % VMM_VGA_MEMORY_SIZE];
}

static void
fill_shape (Vga *self, Shape *shape)
{
  guint8 fonts = self->seq[SEQ_FONTS];
  guint32 cursor = self->crtc[CRTC_CURSOR_HIGH] << 8 | self->crtc[CRTC_CURSOR_LOW];

  shape->width = self->seq[SEQ_CLOCKING] & SEQ_CLOCKING_8_DOTS ? 8 : 9;
  shape->height = (self->crtc[CRTC_MAX_SCAN] & 0x1f) + 1;
  shape->fonts[0] = ((fonts >> 4 & 1) | (fonts << 1 & 6)) * FONT_SIZE;
  shape->fonts[1] = ((fonts >> 5 & 1) | (fonts >> 1 & 6)) * FONT_SIZE;
  shape->cursor = self->crtc[CRTC_CURSOR_START] & CURSOR_OFF ? G_MAXUINT32 : cursor;
}

/* The dots of one line of a character, the leftmost in the highest of nine bits. */
static guint
dots_of (Vga *self, const Shape *shape, guint8 character, guint8 attribute, guint line)
{
  guint32 font = shape->fonts[attribute >> 3 & 1];
  guint8 byte = plane_byte (self, font + character * LINES_A_CHAR + line, 2);
  gboolean joins = (self->attr[ATTR_MODE] & LINE_DRAW) && character >= FIRST_LINE_DRAW &&
                   character <= LAST_LINE_DRAW;

  return byte << 1 | (joins ? byte & 1 : 0);
}

static gboolean
is_cursor_line (Vga *self, guint line)
{
  return line >= (self->crtc[CRTC_CURSOR_START] & 0x1fu) &&
         line <= (self->crtc[CRTC_CURSOR_END] & 0x1fu);
}

static void
draw_cell (Vga *self, const Shape *shape, guint32 address, guint stride, guint32 *to)
{
  guint8 character = plane_byte (self, address, 0), attribute = plane_byte (self, address, 1);
  guint32 ink = vga_palette (self, attribute & 0x0f), paper = vga_palette (self, attribute >> 4);

  for (guint line = 0; line < shape->height; line++, to += stride) {
    guint dots = dots_of (self, shape, character, attribute, line);

    if (address == shape->cursor && is_cursor_line (self, line))
      dots = 0x1ff;
    for (guint x = 0; x < shape->width; x++)
      to[x] = dots >> (8 - x) & 1 ? ink : paper;
  }
}

/* What a cell shows: the character, its attribute, and whether the cursor is on it. */
static guint32
cell_at (Vga *self, const Shape *shape, guint32 address)
{
  return plane_byte (self, address, 0) | plane_byte (self, address, 1) << 8 |
         (address == shape->cursor ? 1u << 16 : 0);
}

/* Room to remember so many cells; FALSE where there was none, and all are to be drawn. */
static gboolean
remember (Vga *self, guint n_cells)
{
  if (self->cells && self->n_cells == n_cells)
    return TRUE;
  g_free (self->cells);
  self->cells = g_try_new0 (guint32, n_cells);
  self->n_cells = self->cells ? n_cells : 0;
  return FALSE;
}

static gboolean
draw_row (Vga *self, const Shape *shape, const VgaMode *mode, guint row, gboolean all, guint32 *to)
{
  guint32 address = (mode->start + row * mode->stride) / N_PLANES;
  guint n_columns = mode->width / shape->width;
  gboolean changed = FALSE;

  for (guint column = 0; column < n_columns; column++) {
    guint32 cell = cell_at (self, shape, address + column);
    guint32 *before = self->cells ? &self->cells[row * n_columns + column] : NULL;

    if (!all && before && *before == cell)
      continue;
    draw_cell (self, shape, address + column, mode->width, to + column * shape->width);
    changed = TRUE;
    if (before)
      *before = cell;
  }
  return changed;
}

gboolean
vga_draw_text (Vga *self, const VgaMode *mode, gboolean all, guint32 *to, VmmRect *lines)
{
  Shape shape;
  guint n_rows, first = G_MAXUINT, end = 0;

  fill_shape (self, &shape);
  n_rows = mode->height / shape.height;
  all = !remember (self, mode->width / shape.width * n_rows) || all;
  for (guint row = 0; row < n_rows; row++)
    if (draw_row (self, &shape, mode, row, all, to + row * shape.height * mode->width)) {
      first = MIN (first, row);
      end = row + 1;
    }
  if (end == 0)
    return FALSE;
  *lines = (VmmRect) { 0, first * shape.height, mode->width, (end - first) * shape.height };
  return TRUE;
}
