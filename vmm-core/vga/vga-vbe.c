/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bochs' registers for linear modes. A mode that does not fit into memory is made to.
 *
 * Threads: vCPU, device locked.
 */
#include <string.h>

#include "vga/vga-private.h"

#define VBE_ID_FIRST 0xb0c0
#define VBE_ID_LAST  0xb0c5
#define MEMORY_64K   (VMM_VGA_MEMORY_SIZE >> 16)

#define GFX_MISC_64K 0x05 /* graphics, 64 KiB at 0xa0000 */

guint16
vga_read_vbe (Vga *self, guint16 index)
{
  if (index >= N_VBE)
    return 0;
  if (index == VBE_MEMORY_64K)
    return MEMORY_64K;
  if (self->vbe[VBE_ENABLE] & VBE_GETCAPS) {
    if (index == VBE_XRES)
      return VBE_MAX_XRES;
    if (index == VBE_YRES)
      return VBE_MAX_YRES;
    if (index == VBE_BPP)
      return 32;
  }
  return self->vbe[index];
}

static guint
bytes_a_line (const Vga *self)
{
  return (self->vbe[VBE_VIRT_WIDTH] * ((self->vbe[VBE_BPP] + 7u) & ~7u)) / 8;
}

void
vga_fit_vbe (Vga *self)
{
  guint16 *vbe = self->vbe;
  guint stride;

  if (vbe[VBE_BPP] != 8 && vbe[VBE_BPP] != 15 && vbe[VBE_BPP] != 16 && vbe[VBE_BPP] != 24)
    vbe[VBE_BPP] = 32;
  vbe[VBE_XRES] = CLAMP (vbe[VBE_XRES] & ~7, 8, VBE_MAX_XRES);
  vbe[VBE_YRES] = CLAMP (vbe[VBE_YRES], 1, VBE_MAX_YRES);
  vbe[VBE_VIRT_WIDTH] = CLAMP (vbe[VBE_VIRT_WIDTH] & ~7, vbe[VBE_XRES], VBE_MAX_XRES * 2);
  stride = bytes_a_line (self);
  vbe[VBE_VIRT_HEIGHT] = MIN (VMM_VGA_MEMORY_SIZE / stride, G_MAXUINT16);
  vbe[VBE_YRES] = MIN (vbe[VBE_YRES], vbe[VBE_VIRT_HEIGHT]);
  vbe[VBE_X_OFFSET] = MIN (vbe[VBE_X_OFFSET], vbe[VBE_VIRT_WIDTH] - vbe[VBE_XRES]);
  vbe[VBE_Y_OFFSET] = MIN (vbe[VBE_Y_OFFSET], vbe[VBE_VIRT_HEIGHT] - vbe[VBE_YRES]);
}

/* What a linear mode means for the window, through which it can be reached in banks. */
static void
enter_linear (Vga *self, gboolean clear)
{
  self->vbe[VBE_VIRT_WIDTH] = self->vbe[VBE_XRES];
  self->vbe[VBE_X_OFFSET] = self->vbe[VBE_Y_OFFSET] = 0;
  vga_fit_vbe (self);
  self->gfx[GFX_MISC] = GFX_MISC_64K;
  self->gfx[GFX_MODE] &= ~GFX_MODE_ODD_EVEN;
  self->seq[SEQ_MEMORY_MODE] |= SEQ_MEMORY_CHAIN4;
  self->seq[SEQ_PLANE_MASK] |= 0x0f;
  if (clear)
    memset (self->bytes, 0, (gsize) bytes_a_line (self) * self->vbe[VBE_YRES]);
}

void
vga_write_vbe (Vga *self, guint16 index, guint16 value)
{
  gboolean was_linear = vga_is_linear (self);

  if (index >= N_VBE || index == VBE_MEMORY_64K || index == VBE_VIRT_HEIGHT)
    return;
  if (index == VBE_ID && (value < VBE_ID_FIRST || value > VBE_ID_LAST))
    return;
  if (index == VBE_BANK && value >= MEMORY_64K)
    return;
  /* The size is for the next time that the mode is entered. */
  if (was_linear && (index == VBE_XRES || index == VBE_YRES || index == VBE_BPP))
    return;
  vga_text_close (self); /* before memory is cleared */
  self->vbe[index] = value;
  if (index == VBE_ENABLE && vga_is_linear (self) && !was_linear)
    enter_linear (self, !(value & VBE_NOCLEARMEM));
  else if (index >= VBE_VIRT_WIDTH && vga_is_linear (self))
    vga_fit_vbe (self);
  if (index == VBE_ENABLE && was_linear && !vga_is_linear (self))
    self->vbe[VBE_BANK] = 0;
  vga_touch_all (self);
}
