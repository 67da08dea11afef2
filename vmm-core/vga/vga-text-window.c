/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The text modes' part of the window (0xb8000) as memory that the guest reaches without an exit.
 * Apart from the window itself, because it is only there for a while: it opens when a guest writes
 * much, such as a whole screen, and closes when a register gives the window another meaning or when
 * nothing has been written for a while, so that a screen that rests costs nobody a look.
 *
 * While it is open, characters and attributes are here and not in the planes; vga_text_fold brings
 * them there.
 *
 * Threads: vCPU or loop, device locked.
 */
#include <string.h>
#include <sys/mman.h>

#include "vga/vga-private.h"

#define TEXT_ADDRESS 0xb8000
#define TEXT_SIZE    0x8000u
#define TEXT_MAP     3 /* of the graphics controller's "Memory Map Select" */
#define TEXT_PLANES  3
/* Writes in a row before it opens: less than a screen of 80 x 25, more than a line. */
#define PATIENCE 200

/* Whether a byte written is a byte read, in the planes of characters and attributes. */
static gboolean
is_plain (const Vga *self)
{
  return !vga_is_linear (self) && (self->gfx[GFX_MISC] >> 2 & 3) == TEXT_MAP &&
         !(self->gfx[GFX_MISC] & GFX_MISC_GRAPHICS) &&
         !(self->seq[SEQ_MEMORY_MODE] & SEQ_MEMORY_CHAIN4) &&
         (self->gfx[GFX_MODE] & GFX_MODE_ODD_EVEN) && !(self->gfx[GFX_READ_PLANE] & 2) &&
         (self->seq[SEQ_PLANE_MASK] & TEXT_PLANES) == TEXT_PLANES;
}

/* A character and its attribute are the first two bytes of the four planes' four. */
void
vga_text_fold (Vga *self)
{
  if (self->text_slot < 0)
    return;
  for (guint i = 0; i < TEXT_SIZE / 2; i++)
    memcpy (self->bytes + i * N_PLANES, self->text + i * 2, 2);
}

static void
unfold (Vga *self)
{
  for (guint i = 0; i < TEXT_SIZE / 2; i++)
    memcpy (self->text + i * 2, self->bytes + i * N_PLANES, 2);
}

void
vga_text_close (Vga *self)
{
  VmmPlatform *platform = self->parent.board->platform;

  self->text_writes = 0;
  if (self->text_slot < 0)
    return;
  vga_text_fold (self);
  platform->klass->unmap_slot (platform, self->text_slot);
  self->text_slot = -1;
  vga_touch (self);
}

void
vga_text_check (Vga *self)
{
  if (!is_plain (self))
    vga_text_close (self);
}

/* Where there is no memory or no slot for it the window goes on as it is. */
static void
open_window (Vga *self)
{
  VmmPlatform *platform = self->parent.board->platform;

  self->text_writes = 0;
  if (!self->text) {
    gpointer text =
      mmap (NULL, TEXT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (text == MAP_FAILED)
      return;
    self->text = text;
  }
  unfold (self);
  self->text_slot = platform->klass->map_slot (platform, TEXT_ADDRESS, TEXT_SIZE, self->text,
                                               VMM_SLOT_TRACKED, NULL);
}

void
vga_text_note_write (Vga *self)
{
  if (self->text_slot < 0 && is_plain (self) && ++self->text_writes >= PATIENCE)
    open_window (self);
}

gboolean
vga_text_take_written (Vga *self)
{
  VmmPlatform *platform = self->parent.board->platform;
  guint64 bitmap = 0;

  if (self->text_slot < 0 ||
      (platform->klass->take_dirty (platform, self->text_slot, &bitmap) && bitmap == 0))
    return FALSE;
  vga_text_fold (self);
  return TRUE;
}

void
vga_text_free (Vga *self)
{
  vga_text_close (self);
  if (self->text)
    munmap (self->text, TEXT_SIZE);
  self->text = NULL;
}
