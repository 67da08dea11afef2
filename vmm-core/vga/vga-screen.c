/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From registers and memory to a frame. Where memory holds the picture as a display wants it
 * (32 bits a pixel) it is shown where it lies; every other mode is drawn into a copy.
 *
 * A write that comes here asks for a look a moment later. Memory that the guest writes without an
 * exit is looked at again and again, the rarer the longer nothing happens there, and not at all
 * where it is not on the screen.
 *
 * Threads: loop, device locked.
 */
#include <string.h>

#include "vga/vga-private.h"

#define MILLISECOND_NS G_GINT64_CONSTANT (1000000)
#define SOON_NS        (16 * MILLISECOND_NS)
#define MAX_WAIT_NS    (256 * MILLISECOND_NS)
#define TEXT_QUIET     16 /* looks that found nothing new before the text window closes */
#define MAX_SIDE       4096
#define PIXEL          4
#define PAGE           4096
#define N_PAGES        (VMM_VGA_MEMORY_SIZE / PAGE)

#define FOURCC_XRGB8888 0x34325258u

static gint64
now_ns (void)
{
  return vmm_loop_now_ns ();
}

void
vga_touch (Vga *self)
{
  self->changed = TRUE;
  self->quiet = 0;
  if (!self->shown || self->pending)
    return;
  self->pending = TRUE;
  vmm_source_arm (self->timer, now_ns () + SOON_NS);
}

void
vga_touch_all (Vga *self)
{
  self->redraw = TRUE;
  vga_touch (self);
}

static void
find_linear_mode (Vga *self, VgaMode *mode)
{
  const guint16 *vbe = self->vbe;
  guint size = (vbe[VBE_BPP] + 7) / 8;

  mode->width = vbe[VBE_XRES];
  mode->height = vbe[VBE_YRES];
  mode->bits = vbe[VBE_BPP];
  mode->stride = vbe[VBE_VIRT_WIDTH] * size;
  mode->start = vbe[VBE_Y_OFFSET] * mode->stride + vbe[VBE_X_OFFSET] * size;
}

static void
find_old_mode (Vga *self, VgaMode *mode)
{
  const guint8 *crtc = self->crtc;
  guint overflow = crtc[CRTC_OVERFLOW];
  gboolean text = !(self->gfx[GFX_MISC] & GFX_MISC_GRAPHICS);
  guint dots = text && !(self->seq[SEQ_CLOCKING] & SEQ_CLOCKING_8_DOTS) ? 9 : 8;

  mode->bits = text ? 0 : 8;
  mode->width = (crtc[CRTC_H_DISPLAY_END] + 1) * dots;
  mode->height = (crtc[CRTC_V_DISPLAY_END] | (overflow & 0x02) << 7 | (overflow & 0x40) << 3) + 1;
  mode->stride = crtc[CRTC_OFFSET] * 2 * N_PLANES;
  mode->start = (crtc[CRTC_START_HIGH] << 8 | crtc[CRTC_START_LOW]) * N_PLANES;
}

/* FALSE where the screen is dark. */
static gboolean
find_mode (Vga *self, VgaMode *mode)
{
  memset (mode, 0, sizeof *mode);
  if (vga_is_linear (self))
    find_linear_mode (self, mode);
  else if ((self->attr_index & ATTR_VIDEO_ENABLE) && !(self->seq[SEQ_CLOCKING] & SEQ_CLOCKING_OFF))
    find_old_mode (self, mode);
  return mode->width > 0 && mode->height > 1 && mode->width <= MAX_SIDE && mode->height <= MAX_SIDE;
}

static gboolean
is_shown_in_place (const VgaMode *mode)
{
  return mode->bits == 32;
}

static void
free_copy (gpointer data)
{
  g_free (data);
}

/* A new picture of the mode's size; FALSE where there is no memory for it. */
static gboolean
make_copy (Vga *self, const VgaMode *mode)
{
  gsize size = (gsize) mode->width * mode->height * PIXEL;
  guint8 *pixels = g_try_malloc0 (size);

  g_clear_pointer (&self->copy, vmm_buffer_unref);
  if (pixels)
    self->copy = vmm_buffer_new (pixels, size, -1, free_copy, pixels);
  return pixels != NULL;
}

/* Draws what changed, or all; @lines is what that is. FALSE where nothing did. */
static gboolean
draw (Vga *self, const VgaMode *mode, gboolean all, VmmRect *lines)
{
  guint32 *to = (guint32 *) vmm_buffer_get_pixels (self->copy);

  if (mode->bits == 0) {
    if (!vga_draw_text (self, mode, all, to, lines))
      return FALSE;
  } else {
    *lines = (VmmRect) { 0, 0, mode->width, mode->height };
    for (guint y = 0; y < mode->height; y++)
      vga_draw_line (self, mode, y, to + y * mode->width);
  }
  vmm_display_count_copied (self->display, (guint64) lines->width * lines->height * PIXEL);
  return TRUE;
}

static void
show_mode (Vga *self, const VgaMode *mode)
{
  VmmFrame frame = { .buffer = self->memory,
                     .offset = mode->start,
                     .width = mode->width,
                     .height = mode->height,
                     .stride = mode->stride,
                     .fourcc = FOURCC_XRGB8888 };
  VmmRect lines;

  self->mode = *mode;
  if (is_shown_in_place (mode)) {
    g_clear_pointer (&self->copy, vmm_buffer_unref);
  } else {
    if (!make_copy (self, mode))
      return;
    frame.buffer = self->copy;
    frame.offset = 0;
    frame.stride = mode->width * PIXEL;
    draw (self, mode, TRUE, &lines);
  }
  vmm_display_show (self->display, &frame);
}

/* Whether the picture has the size and the place that it had: then it is drawn again, but not shown
 * anew. */
static gboolean
is_same_picture (const VgaMode *a, const VgaMode *b)
{
  return a->width == b->width && a->height == b->height && a->bits == b->bits &&
         (!is_shown_in_place (a) || (a->start == b->start && a->stride == b->stride));
}

/* The lines that were written since the last look; FALSE for none. */
static gboolean
find_written_lines (Vga *self, const VgaMode *mode, guint *first, guint *last)
{
  VmmPlatform *platform = self->parent.board->platform;
  guint64 bitmap[N_PAGES / 64];
  guint32 end = mode->start + mode->stride * mode->height, low = G_MAXUINT32, high = 0;

  *first = 0;
  *last = mode->height - 1;
  if (self->slot < 0 || !platform->klass->take_dirty (platform, self->slot, bitmap))
    return self->changed;
  for (guint32 page = mode->start / PAGE; page < N_PAGES && page * PAGE < end; page++)
    if (bitmap[page / 64] >> page % 64 & 1) {
      low = MIN (low, page * PAGE);
      high = MAX (high, (page + 1) * PAGE);
    }
  if (self->changed || high <= low)
    return self->changed;
  *first = low > mode->start ? (low - mode->start) / mode->stride : 0;
  *last = MIN (*last, (high - 1 - mode->start) / mode->stride);
  return TRUE;
}

static gboolean
update (Vga *self, const VgaMode *mode)
{
  gboolean all = self->redraw || mode->start != self->mode.start;
  guint first, last;
  VmmRect lines;

  self->mode = *mode;
  if (!find_written_lines (self, mode, &first, &last) && !all)
    return FALSE;
  lines = (VmmRect) { 0, first, mode->width, MIN (last + 1, mode->height) - first };
  if (!is_shown_in_place (mode) && (!self->copy || !draw (self, mode, all, &lines)))
    return FALSE;
  vmm_display_damage (self->display, &lines);
  return TRUE;
}

/* Whether the guest can change the picture without our being told. */
static gboolean
must_watch (Vga *self)
{
  return (self->slot >= 0 && vga_is_linear (self)) || self->text_slot >= 0;
}

void
vga_refresh (gpointer data)
{
  Vga *self = data;
  VgaMode mode;
  gboolean news = TRUE;

  vmm_device_lock (&self->parent);
  self->pending = FALSE;
  self->changed |= vga_text_take_written (self);
  if (self->shown) {
    if (!find_mode (self, &mode)) {
      self->mode = (VgaMode) { 0 };
      vmm_display_show (self->display, NULL);
    } else if (!is_same_picture (&mode, &self->mode)) {
      show_mode (self, &mode);
    } else {
      news = update (self, &mode);
    }
    self->changed = self->redraw = FALSE;
    self->quiet = news ? 0 : self->quiet + 1;
    if (self->quiet >= TEXT_QUIET)
      vga_text_close (self);
    if (must_watch (self)) {
      self->pending = TRUE;
      vmm_source_arm (self->timer,
                      now_ns () + MIN (SOON_NS << MIN (self->quiet / 8, 8), MAX_WAIT_NS));
    }
  }
  vmm_device_unlock (&self->parent);
}
