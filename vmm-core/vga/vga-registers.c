/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The registers behind the ports: sequencer, graphics controller, CRTC, attribute controller and
 * DAC.
 *
 * Threads: vCPU, device locked.
 */
#include <string.h>

#include "vga/vga-private.h"

#define MONO_CRTC           0x3b0
#define COLOR_CRTC          0x3d0
#define MISC_COLOR          0x01
#define CRTC_PROTECT        0x80
#define CRTC_PROTECTED      7
#define CRTC_LINE_COMPARE_8 0x10
#define STATUS_RETRACE      0x09
#define DAC_READ_STATE      0x00
#define DAC_WRITE_STATE     0x03
#define INPUT_SENSE         0x10

/* A register of which the picture may depend. */
static void
set (Vga *self, guint8 *reg, guint8 value)
{
  if (*reg == value)
    return;
  *reg = value;
  vga_touch_all (self);
}

static void
write_attribute (Vga *self, guint8 value)
{
  if (!self->attr_data)
    set (self, &self->attr_index, value & 0x3f);
  else
    set (self, &self->attr[self->attr_index & 0x1f], value);
  self->attr_data = !self->attr_data;
}

/* Six bits a component, red first; eight where VBE says so. */
static void
write_dac (Vga *self, guint8 value)
{
  self->dac_part[self->dac_phase] = self->vbe[VBE_ENABLE] & VBE_8BIT_DAC ? value : value & 0x3f;
  if (++self->dac_phase < 3)
    return;
  for (guint i = 0; i < 3; i++)
    set (self, &self->dac[3 * self->dac_write + i], self->dac_part[i]);
  self->dac_phase = 0;
  self->dac_write++;
}

static guint8
read_dac (Vga *self)
{
  guint8 value = self->dac[3 * self->dac_read + self->dac_phase];

  if (++self->dac_phase == 3) {
    self->dac_phase = 0;
    self->dac_read++;
  }
  return value;
}

static void
write_crtc (Vga *self, guint8 value)
{
  guint8 *reg = &self->crtc[self->crtc_index % N_CRTC];

  if ((self->crtc[CRTC_V_SYNC_END] & CRTC_PROTECT) && self->crtc_index <= CRTC_PROTECTED) {
    if (self->crtc_index == CRTC_OVERFLOW)
      *reg = (*reg & ~CRTC_LINE_COMPARE_8) | (value & CRTC_LINE_COMPARE_8);
    return;
  }
  /* The cursor is looked for wherever it is. */
  if (self->crtc_index >= CRTC_CURSOR_HIGH && self->crtc_index <= CRTC_CURSOR_LOW) {
    *reg = value;
    vga_touch (self);
  } else {
    set (self, reg, value);
  }
}

/* The CRTC answers at 0x3b4 or at 0x3d4: as one of both, or 0 for the other. */
static guint
port_number (Vga *self, guint port)
{
  guint base = self->misc & MISC_COLOR ? COLOR_CRTC : MONO_CRTC;

  if (port >= 0x3c0 && port < COLOR_CRTC)
    return port;
  return port - base < 0x10 ? port - base + COLOR_CRTC : 0;
}

void
vga_write_port (Vga *self, guint16 port, guint8 value)
{
  switch (port_number (self, port)) {
  case 0x3c0:
    write_attribute (self, value);
    break;
  case 0x3c2:
    set (self, &self->misc, value);
    break;
  case 0x3c4:
    self->seq_index = value % N_SEQ;
    break;
  case 0x3c5:
    set (self, &self->seq[self->seq_index], value);
    vga_text_check (self);
    break;
  case 0x3c6:
    set (self, &self->dac_mask, value);
    break;
  case 0x3c7:
    self->dac_read = value;
    self->dac_phase = 0;
    self->dac_reading = TRUE;
    break;
  case 0x3c8:
    self->dac_write = value;
    self->dac_phase = 0;
    self->dac_reading = FALSE;
    break;
  case 0x3c9:
    write_dac (self, value);
    break;
  case 0x3ce:
    self->gfx_index = value % N_GFX;
    break;
  case 0x3cf:
    set (self, &self->gfx[self->gfx_index], value);
    vga_text_check (self);
    break;
  case 0x3d4:
    self->crtc_index = value;
    break;
  case 0x3d5:
    write_crtc (self, value);
    break;
  default:
    break;
  }
}

/* Nobody scans lines here: whoever waits for the retrace sees it come and go. */
static guint8
read_status (Vga *self)
{
  self->attr_data = FALSE;
  self->status ^= STATUS_RETRACE;
  return self->status;
}

guint8
vga_read_port (Vga *self, guint16 port)
{
  switch (port_number (self, port)) {
  case 0x3c0:
    return self->attr_index;
  case 0x3c1:
    return self->attr[self->attr_index & 0x1f];
  case 0x3c2:
    return INPUT_SENSE;
  case 0x3c4:
    return self->seq_index;
  case 0x3c5:
    return self->seq[self->seq_index];
  case 0x3c6:
    return self->dac_mask;
  case 0x3c7:
    return self->dac_reading ? DAC_WRITE_STATE : DAC_READ_STATE;
  case 0x3c8:
    return self->dac_write;
  case 0x3c9:
    return read_dac (self);
  case 0x3ca:
    return 0;
  case 0x3cc:
    return self->misc;
  case 0x3ce:
    return self->gfx_index;
  case 0x3cf:
    return self->gfx[self->gfx_index];
  case 0x3d4:
    return self->crtc_index;
  case 0x3d5:
    return self->crtc[self->crtc_index % N_CRTC];
  case 0x3da:
    return read_status (self);
  default:
    return 0xff;
  }
}
