/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The chips that firmware and old systems use: fw_cfg with its DMA, the VGA, keyboard and mouse,
 * the ISA bridge's router, and the event timer.
 */
#include <string.h>

#include "chips/fw-cfg.h"
#include "chips/hpet.h"
#include "chips/lpc.h"
#include "chips/ps2-controller.h"
#include "device/vmm-display-source.h"
#include "fake-devices.h"
#include "vga/vga-private.h"

#define MAX_DEEDS   512
#define DMA_ADDRESS 0x1000

typedef struct {
  FakeGuest *guest;
  VmmDisplay *display;
  VmmInput *input;
  VmmDevice *fw_cfg, *vga, *ps2, *lpc, *hpet;
} Chips;

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static Chips *
make_chips (void)
{
  Chips *self = g_new0 (Chips, 1);
  VmmVgaConfig vga;
  VmmPs2Config ps2;

  self->guest = fake_guest_new ();
  vga.display = self->display = vmm_display_new ();
  ps2.input = self->input = vmm_input_new ();
  self->fw_cfg = vmm_device_new (&vmm_fw_cfg_class, &self->guest->board, "fw-cfg", NULL, NULL);
  self->vga = vmm_device_new (&vmm_vga_class, &self->guest->board, "vga", &vga, NULL);
  self->ps2 = vmm_device_new (&vmm_ps2_class, &self->guest->board, "ps2", &ps2, NULL);
  self->lpc = vmm_device_new (&vmm_lpc_class.parent, &self->guest->board, "lpc", NULL, NULL);
  self->hpet = vmm_device_new (&vmm_hpet_class, &self->guest->board, "hpet", NULL, NULL);
  vmm_fw_cfg_set_file (self->fw_cfg, "etc/read", "0123456789", 10);
  vmm_fw_cfg_add_writable (self->fw_cfg, "etc/write", 16);
  return self;
}

static void
touch (VmmBus *bus, guint64 address, guint size, FuzzReader *reader, gboolean write)
{
  if (write)
    vmm_bus_write (bus, address, size, fuzz_reader_u64 (reader));
  else
    vmm_bus_read (bus, address, size);
}

/* A request in memory, good or not, and its start. */
static void
do_dma (Chips *self, FuzzReader *reader)
{
  fuzz_reader_read (reader, fake_guest_at (self->guest, DMA_ADDRESS, 16), 16);
  fake_guest_out (self->guest, VMM_FW_CFG_PORT + 4, 4, 0);
  fake_guest_out (self->guest, VMM_FW_CFG_PORT + 8, 4, GUINT32_TO_BE (DMA_ADDRESS));
}

static void
do_input (Chips *self, FuzzReader *reader)
{
  guint16 code = fuzz_reader_u16 (reader);

  vmm_input_key (self->input, code & 0x1ff, code >> 15);
  vmm_input_move (self->input, (code & 0xff) / 255.0, (code >> 8) / 255.0);
}

/* What: two bits of size, one of direction, and what is meant. */
static void
do_deed (Chips *self, FuzzReader *reader)
{
  guint8 what = fuzz_reader_u8 (reader);
  guint16 where = fuzz_reader_u16 (reader);
  guint size = 1 << (what & 3);
  gboolean write = (what & 4) != 0;
  FakeGuest *guest = self->guest;

  switch (what >> 3 & 7) {
  case 0:
    touch (guest->ports, where & 0x7ff, MIN (size, 4), reader, write);
    break;
  case 1:
    touch (guest->mmio, 0xa0000 + where * 2, size, reader, write);
    break;
  case 2:
    touch (guest->mmio, VMM_PCI_ECAM_BASE + (VMM_LPC_SLOT << 15) + (where & 0xff), size, reader,
           write);
    break;
  case 3:
    vmm_vga_write_mmio (self->vga, where & 0xfff, MIN (size, 4), fuzz_reader_u32 (reader));
    break;
  case 4:
    vmm_vga_write_memory (self->vga, (guint64) where << 8, MIN (size, 4), fuzz_reader_u32 (reader));
    break;
  case 5:
    do_dma (self, reader);
    break;
  case 6:
    if (where & 0x8000)
      touch (guest->mmio, VMM_HPET_ADDRESS + (where & 0x1ff) / size * size, size, reader, write);
    else
      do_input (self, reader);
    break;
  default: /* the VGA's own registers, most of the time */
    touch (guest->ports, 0x3b0 + (where & 0x2f), MIN (size, 2), reader, TRUE);
    break;
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static Chips *chips;
  FuzzReader reader = { data, size };

  if (!chips)
    chips = make_chips ();
  for (guint i = 0; i < MAX_DEEDS && reader.left > 0; i++)
    do_deed (chips, &reader);
  vga_refresh (chips->vga);
  vmm_device_reset (chips->vga);
  vmm_device_reset (chips->ps2);
  vmm_device_reset (chips->fw_cfg);
  vmm_device_reset (chips->lpc);
  vmm_device_reset (chips->hpet);
  vmm_input_release_all (chips->input);
  return 0;
}
