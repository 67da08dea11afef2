/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The VGA inside: registers (vga.c, vga-vbe.c), the window below 1 MiB (vga-memory.c), and the way
 * from memory to the screen (vga-screen.c, vga-lines.c, vga-text.c).
 *
 * Threads: with the device locked.
 */
#pragma once

#include "vga/vga.h"

G_BEGIN_DECLS

/* Registers by their standard numbers. */
enum {
  SEQ_CLOCKING = 1,
  SEQ_PLANE_MASK = 2,
  SEQ_FONTS = 3,
  SEQ_MEMORY_MODE = 4,
  N_SEQ = 8,
};

enum {
  GFX_SET_RESET = 0,
  GFX_SET_RESET_ENABLE = 1,
  GFX_COMPARE = 2,
  GFX_ROTATE = 3,
  GFX_READ_PLANE = 4,
  GFX_MODE = 5,
  GFX_MISC = 6,
  GFX_COMPARE_MASK = 7,
  GFX_BIT_MASK = 8,
  N_GFX = 16,
};

enum {
  CRTC_H_DISPLAY_END = 0x01,
  CRTC_OVERFLOW = 0x07,
  CRTC_MAX_SCAN = 0x09,
  CRTC_CURSOR_START = 0x0a,
  CRTC_CURSOR_END = 0x0b,
  CRTC_START_HIGH = 0x0c,
  CRTC_START_LOW = 0x0d,
  CRTC_CURSOR_HIGH = 0x0e,
  CRTC_CURSOR_LOW = 0x0f,
  CRTC_V_SYNC_END = 0x11,
  CRTC_V_DISPLAY_END = 0x12,
  CRTC_OFFSET = 0x13,
  CRTC_MODE = 0x17,
  CRTC_LINE_COMPARE = 0x18,
  N_CRTC = 32,
};

enum {
  ATTR_MODE = 0x10,
  ATTR_PLANE_ENABLE = 0x12,
  ATTR_COLOR_SELECT = 0x14,
  N_ATTR = 32,
};

enum {
  VBE_ID,
  VBE_XRES,
  VBE_YRES,
  VBE_BPP,
  VBE_ENABLE,
  VBE_BANK,
  VBE_VIRT_WIDTH,
  VBE_VIRT_HEIGHT,
  VBE_X_OFFSET,
  VBE_Y_OFFSET,
  VBE_MEMORY_64K,
  N_VBE,
};

#define SEQ_CLOCKING_8_DOTS   0x01
#define SEQ_CLOCKING_OFF      0x20
#define SEQ_MEMORY_CHAIN4     0x08
#define GFX_MODE_READ_COMPARE 0x08
#define GFX_MODE_ODD_EVEN     0x10
#define GFX_MISC_GRAPHICS     0x01
#define ATTR_VIDEO_ENABLE     0x20

#define VBE_ENABLED     0x01
#define VBE_GETCAPS     0x02
#define VBE_8BIT_DAC    0x20
#define VBE_LFB_ENABLED 0x40
#define VBE_NOCLEARMEM  0x80
#define VBE_MAX_XRES    2560
#define VBE_MAX_YRES    1600

#define N_PLANES 4

/* What the registers say about the picture. */
typedef struct {
  guint width, height; /* pixels */
  guint bits;          /* a pixel; 0: text */
  guint32 start;       /* of the first line in memory, bytes */
  guint32 stride;      /* from one line to the next */
} VgaMode;

typedef struct {
  VmmDevice parent;
  VmmDisplay *display;
  VmmBuffer *memory; /* VMM_VGA_MEMORY_SIZE bytes, planes interleaved */
  guint8 *bytes;     /* of it */
  guint64 mapped_at; /* the BAR, or 0 */
  int slot;
  VmmSource *timer;
  gboolean shown;   /* the screen is ours */
  gboolean pending; /* a refresh is on its way */
  gboolean changed; /* since the last refresh: memory below 1 MiB */
  gboolean redraw;  /* since then: something that every pixel may depend on */
  guint quiet;      /* refreshes that found nothing new, in a row */
  VgaMode mode;     /* that is on the display */
  VmmBuffer *copy;  /* the picture, where memory does not hold it as a display wants it */
  guint32 *cells;   /* of text: what was drawn last, or NULL */
  guint n_cells;
  guint8 *text;      /* see vga-text-window.c; NULL until it opens first */
  int text_slot;     /* -1: it is closed */
  guint text_writes; /* in a row */

  guint8 misc, seq_index, gfx_index, crtc_index, attr_index;
  guint8 status;      /* of the retrace */
  gboolean attr_data; /* the next write to 0x3c0 is data */
  guint8 dac_mask, dac_read, dac_write, dac_phase;
  gboolean dac_reading;
  guint16 vbe_index;
  guint32 latch;
  guint8 seq[N_SEQ], gfx[N_GFX], crtc[N_CRTC], attr[N_ATTR];
  guint8 dac[256 * 3], dac_part[3];
  guint16 vbe[N_VBE];
} Vga;

/* A bit a plane to a byte a plane. */
static inline guint32
vga_spread (guint8 planes)
{
  return (planes & 1 ? 0x000000ffu : 0) | (planes & 2 ? 0x0000ff00u : 0) |
         (planes & 4 ? 0x00ff0000u : 0) | (planes & 8 ? 0xff000000u : 0);
}

static inline gboolean
vga_is_linear (const Vga *self)
{
  return self->vbe[VBE_ENABLE] & VBE_ENABLED;
}

/* vga-registers.c; @port from 0x3b0 to 0x3df. */
guint8 vga_read_port (Vga *self, guint16 port);
void vga_write_port (Vga *self, guint16 port, guint8 value);

/* vga-vbe.c */
guint16 vga_read_vbe (Vga *self, guint16 index);
void vga_write_vbe (Vga *self, guint16 index, guint16 value);
/* Brings the registers into agreement with each other and with the size of the memory. */
void vga_fit_vbe (Vga *self);

/* vga-memory.c; @offset from 0xa0000. */
guint8 vga_read_window (Vga *self, guint32 offset);
void vga_write_window (Vga *self, guint32 offset, guint8 value);

/* vga-text-window.c. Check: a register was written that may give the window another meaning. Note:
 * something was written through the window. Take: whether the guest wrote since the last question.
 * Fold: before the planes are looked at. */
void vga_text_check (Vga *self);
void vga_text_note_write (Vga *self);
gboolean vga_text_take_written (Vga *self);
void vga_text_fold (Vga *self);
void vga_text_close (Vga *self);
void vga_text_free (Vga *self);

/* vga-screen.c */
/* What is seen may have changed: it is looked at again a moment later. */
void vga_touch (Vga *self);
/* The same for everything at once: modes, colors, shapes of letters. */
void vga_touch_all (Vga *self);
/* Loop: looks. @data is the VGA. */
void vga_refresh (gpointer data);

/* vga-lines.c: one line of graphics; @to is XRGB8888. */
void vga_draw_line (Vga *self, const VgaMode *mode, guint y, guint32 *to);
/* vga-text.c: the characters that changed since the last time, or all. @lines is what that is on
 * the screen; FALSE where nothing did. */
gboolean vga_draw_text (Vga *self, const VgaMode *mode, gboolean all, guint32 *to, VmmRect *lines);
guint32 vga_color (const Vga *self, guint8 index);   /* of the DAC */
guint32 vga_palette (const Vga *self, guint8 index); /* of the 16 of the attribute controller */

G_END_DECLS
