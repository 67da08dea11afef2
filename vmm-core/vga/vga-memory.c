/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The window at 0xa0000: four planes behind one address, with the latches and the logic between
 * them. A byte of plane p at address a is byte 4a + p of the memory, so that chained modes are
 * linear.
 *
 * Threads: vCPU, device locked.
 */
#include <string.h>

#include "vga/vga-private.h"

#define BANK 0x10000u

/* Which part of the window answers (graphics controller, "Memory Map Select"). */
static const struct {
  guint32 base, size;
} maps[] = { { 0, 0x20000 }, { 0, 0x10000 }, { 0x10000, 0x8000 }, { 0x18000, 0x8000 } };

/* The address behind @offset, or FALSE outside of the part that answers. */
static gboolean
find_address (Vga *self, guint32 offset, guint32 *address)
{
  guint map = self->gfx[GFX_MISC] >> 2 & 3;

  if (offset - maps[map].base >= maps[map].size)
    return FALSE;
  *address = offset - maps[map].base;
  if (map == 1 && vga_is_linear (self))
    *address += self->vbe[VBE_BANK] * BANK;
  return TRUE;
}

/* In text modes even addresses are plane 0 (or 2), odd ones plane 1 (or 3). */
static guint32
odd_even (Vga *self, guint32 address, guint *plane)
{
  *plane = (self->gfx[GFX_READ_PLANE] & 2) | (address & 1);
  return (address & ~1u) << 1 | *plane;
}

static guint32
load_planes (Vga *self, guint32 address)
{
  guint32 planes = 0;

  if (address < VMM_VGA_MEMORY_SIZE / N_PLANES)
    memcpy (&planes, self->bytes + address * N_PLANES, sizeof planes);
  return planes;
}

static guint8
read_planes (Vga *self, guint32 address)
{
  guint32 differing;

  self->latch = load_planes (self, address);
  if (!(self->gfx[GFX_MODE] & GFX_MODE_READ_COMPARE))
    return self->latch >> 8 * (self->gfx[GFX_READ_PLANE] & 3);
  differing =
    (self->latch ^ vga_spread (self->gfx[GFX_COMPARE])) & vga_spread (self->gfx[GFX_COMPARE_MASK]);
  differing |= differing >> 16;
  return ~(differing | differing >> 8);
}

guint8
vga_read_window (Vga *self, guint32 offset)
{
  guint32 address;
  guint plane;

  if (!find_address (self, offset, &address))
    return 0xff;
  if (self->text_slot >= 0) /* by a processor that had left for this before it opened */
    return self->text[address];
  if (!(self->seq[SEQ_MEMORY_MODE] & SEQ_MEMORY_CHAIN4) &&
      !(self->gfx[GFX_MODE] & GFX_MODE_ODD_EVEN))
    return read_planes (self, address);
  if (!(self->seq[SEQ_MEMORY_MODE] & SEQ_MEMORY_CHAIN4))
    address = odd_even (self, address, &plane);
  return address < VMM_VGA_MEMORY_SIZE ? self->bytes[address] : 0xff;
}

static guint32
four_times (guint8 byte)
{
  return byte * 0x01010101u;
}

static guint8
rotate (Vga *self, guint8 value)
{
  guint n = self->gfx[GFX_ROTATE] & 7;

  return value >> n | value << (8 - n);
}

static guint32
combine (Vga *self, guint32 value)
{
  switch (self->gfx[GFX_ROTATE] >> 3 & 3) {
  case 1:
    return value & self->latch;
  case 2:
    return value | self->latch;
  case 3:
    return value ^ self->latch;
  default:
    return value;
  }
}

/* The four write modes: what would be written to the planes. */
static guint32
make_planes (Vga *self, guint8 byte)
{
  guint8 bit_mask = self->gfx[GFX_BIT_MASK];
  guint32 set = vga_spread (self->gfx[GFX_SET_RESET]);
  guint32 enable = vga_spread (self->gfx[GFX_SET_RESET_ENABLE]), value;

  switch (self->gfx[GFX_MODE] & 3) {
  case 0:
    value = (four_times (rotate (self, byte)) & ~enable) | (set & enable);
    break;
  case 1:
    return self->latch;
  case 2:
    value = vga_spread (byte);
    break;
  default:
    bit_mask &= rotate (self, byte);
    value = set;
    break;
  }
  return (combine (self, value) & four_times (bit_mask)) | (self->latch & ~four_times (bit_mask));
}

static void
write_planes (Vga *self, guint32 address, guint8 byte)
{
  guint32 mask = vga_spread (self->seq[SEQ_PLANE_MASK]), planes;

  if (address >= VMM_VGA_MEMORY_SIZE / N_PLANES)
    return;
  planes = (load_planes (self, address) & ~mask) | (make_planes (self, byte) & mask);
  memcpy (self->bytes + address * N_PLANES, &planes, sizeof planes);
}

void
vga_write_window (Vga *self, guint32 offset, guint8 value)
{
  guint32 address;
  guint plane;

  if (!find_address (self, offset, &address))
    return;
  if (self->text_slot >= 0) {
    self->text[address] = value;
    return;
  }
  if (self->seq[SEQ_MEMORY_MODE] & SEQ_MEMORY_CHAIN4) {
    plane = address % N_PLANES;
  } else if (self->gfx[GFX_MODE] & GFX_MODE_ODD_EVEN) {
    address = odd_even (self, address, &plane);
  } else {
    vga_touch_all (self); /* perhaps the letters' shapes */
    write_planes (self, address, value);
    return;
  }
  vga_touch (self);
  if ((self->seq[SEQ_PLANE_MASK] >> plane & 1) && address < VMM_VGA_MEMORY_SIZE)
    self->bytes[address] = value;
}
