/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The VGA's life, and where on the buses its registers and its memory are.
 *
 * Threads: vCPU, device locked; set-up, reset and load as vmm-device.h says.
 */
#include <string.h>
#include <sys/mman.h>

#include "base/vmm-bus.h"
#include "vga/vga-private.h"
#include "vmm-error.h"

#define FIRST_PORT     0x3b0
#define N_PORTS        0x30
#define WINDOW_ADDRESS 0xa0000
#define WINDOW_SIZE    0x20000
#define VBE_INDEX_PORT 0x1ce
#define VBE_N_PORTS    4 /* the data at 0x1cf, or at the even 0x1d0 */

/* Of the MMIO page (QEMU, docs/specs/standard-vga): ports from 0x3c0 on, and VBE's registers. */
#define MMIO_PORTS 0x400
#define MMIO_VBE   0x500

enum { REGION_PORTS, REGION_WINDOW, REGION_VBE };

static const VmmField vga_fields[] = {
  VMM_EXEMPT_DEVICE (Vga),
  VMM_EXEMPT (Vga, display, "from the configuration"),
  VMM_EXEMPT (Vga, memory, "in parts"),
  VMM_EXEMPT (Vga, bytes, "in parts"),
  VMM_EXEMPT (Vga, mapped_at, "the PCI function's"),
  VMM_EXEMPT (Vga, slot, "the PCI function's"),
  VMM_EXEMPT (Vga, timer, "of the loop"),
  VMM_EXEMPT (Vga, shown, "the PCI function's"),
  VMM_EXEMPT (Vga, pending, "of the loop"),
  VMM_EXEMPT (Vga, changed, "of the viewer"),
  VMM_EXEMPT (Vga, redraw, "of the viewer"),
  VMM_EXEMPT (Vga, quiet, "of the viewer"),
  VMM_EXEMPT (Vga, mode, "of the viewer"),
  VMM_EXEMPT (Vga, copy, "of the viewer"),
  VMM_EXEMPT (Vga, cells, "of the viewer"),
  VMM_EXEMPT (Vga, n_cells, "of the viewer"),
  VMM_EXEMPT (Vga, text, "folded into the planes"),
  VMM_EXEMPT (Vga, text_slot, "it opens again where it is used"),
  VMM_EXEMPT (Vga, text_writes, "likewise"),
  VMM_FIELD (Vga, misc, VMM_FIELD_UINT8, "misc"),
  VMM_FIELD (Vga, seq_index, VMM_FIELD_UINT8, "seq-index"),
  VMM_FIELD (Vga, gfx_index, VMM_FIELD_UINT8, "gfx-index"),
  VMM_FIELD (Vga, crtc_index, VMM_FIELD_UINT8, "crtc-index"),
  VMM_FIELD (Vga, attr_index, VMM_FIELD_UINT8, "attr-index"),
  VMM_FIELD (Vga, status, VMM_FIELD_UINT8, "status"),
  VMM_FIELD (Vga, attr_data, VMM_FIELD_BOOL, "attr-data"),
  VMM_FIELD (Vga, dac_mask, VMM_FIELD_UINT8, "dac-mask"),
  VMM_FIELD (Vga, dac_read, VMM_FIELD_UINT8, "dac-read"),
  VMM_FIELD (Vga, dac_write, VMM_FIELD_UINT8, "dac-write"),
  VMM_FIELD (Vga, dac_phase, VMM_FIELD_UINT8, "dac-phase"),
  VMM_FIELD (Vga, dac_reading, VMM_FIELD_BOOL, "dac-reading"),
  VMM_FIELD (Vga, vbe_index, VMM_FIELD_UINT16, "vbe-index"),
  VMM_FIELD (Vga, latch, VMM_FIELD_UINT32, "latch"),
  VMM_FIELD (Vga, seq, VMM_FIELD_BYTES, "seq"),
  VMM_FIELD (Vga, gfx, VMM_FIELD_BYTES, "gfx"),
  VMM_FIELD (Vga, crtc, VMM_FIELD_BYTES, "crtc"),
  VMM_FIELD (Vga, attr, VMM_FIELD_BYTES, "attr"),
  VMM_FIELD (Vga, dac, VMM_FIELD_BYTES, "dac"),
  VMM_FIELD (Vga, dac_part, VMM_FIELD_BYTES, "dac-part"),
  VMM_FIELD (Vga, vbe, VMM_FIELD_BYTES, "vbe"),
  VMM_FIELD_LAST,
};

static void
write_vbe_port (Vga *self, guint64 offset, guint16 value)
{
  if (offset == 0)
    self->vbe_index = value;
  else
    vga_write_vbe (self, self->vbe_index, value);
}

static guint64
vga_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  Vga *self = (Vga *) device;
  guint64 value = 0;

  if (region == REGION_VBE)
    return offset == 0 ? self->vbe_index : vga_read_vbe (self, self->vbe_index);
  for (guint i = 0; i < size; i++)
    value |= (guint64) (region == REGION_WINDOW ? vga_read_window (self, offset + i)
                                                : vga_read_port (self, FIRST_PORT + offset + i))
             << 8 * i;
  return value;
}

static void
vga_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  Vga *self = (Vga *) device;

  if (region == REGION_VBE) {
    write_vbe_port (self, offset, value);
    return;
  }
  for (guint i = 0; i < size; i++, value >>= 8)
    if (region == REGION_WINDOW)
      vga_write_window (self, offset + i, value);
    else
      vga_write_port (self, FIRST_PORT + offset + i, value);
  if (region == REGION_WINDOW)
    vga_text_note_write (self);
}

static const VmmBusOps vga_ops = { vga_read, vga_write };

guint64
vmm_vga_read_mmio (VmmDevice *vga, guint64 offset, guint size)
{
  Vga *self = (Vga *) vga;
  guint64 value = G_MAXUINT64;

  vmm_device_lock (vga);
  if (offset >= MMIO_VBE && offset < MMIO_VBE + 2 * N_VBE)
    value = vga_read_vbe (self, (offset - MMIO_VBE) / 2);
  else if (offset >= MMIO_PORTS && offset + size <= MMIO_PORTS + 0x20)
    value = vga_read (vga, REGION_PORTS, offset - MMIO_PORTS + 0x3c0 - FIRST_PORT, size);
  vmm_device_unlock (vga);
  return value;
}

void
vmm_vga_write_mmio (VmmDevice *vga, guint64 offset, guint size, guint64 value)
{
  Vga *self = (Vga *) vga;

  vmm_device_lock (vga);
  if (offset >= MMIO_VBE && offset < MMIO_VBE + 2 * N_VBE)
    vga_write_vbe (self, (offset - MMIO_VBE) / 2, value);
  else if (offset >= MMIO_PORTS && offset + size <= MMIO_PORTS + 0x20)
    vga_write (vga, REGION_PORTS, offset - MMIO_PORTS + 0x3c0 - FIRST_PORT, size, value);
  vmm_device_unlock (vga);
}

guint64
vmm_vga_read_memory (VmmDevice *vga, guint64 offset, guint size)
{
  guint64 value = 0;

  if (offset + size <= VMM_VGA_MEMORY_SIZE)
    memcpy (&value, ((Vga *) vga)->bytes + offset, size);
  return value;
}

void
vmm_vga_write_memory (VmmDevice *vga, guint64 offset, guint size, guint64 value)
{
  Vga *self = (Vga *) vga;

  if (offset + size > VMM_VGA_MEMORY_SIZE)
    return;
  vmm_device_lock (vga);
  vga_text_close (self); /* who writes here uses no text */
  memcpy (self->bytes + offset, &value, size);
  vga_touch (self);
  vmm_device_unlock (vga);
}

void
vmm_vga_map_memory (VmmDevice *vga, guint64 address)
{
  Vga *self = (Vga *) vga;
  VmmPlatform *platform = vga->board->platform;

  vmm_device_lock (vga);
  if (self->slot >= 0)
    platform->klass->unmap_slot (platform, self->slot);
  self->slot = -1;
  self->mapped_at = address;
  if (address)
    self->slot = platform->klass->map_slot (platform, address, VMM_VGA_MEMORY_SIZE, self->bytes,
                                            VMM_SLOT_TRACKED, NULL);
  vga_touch (self);
  vmm_device_unlock (vga);
}

void
vmm_vga_set_shown (VmmDevice *vga, gboolean shown)
{
  Vga *self = (Vga *) vga;

  vmm_device_lock (vga);
  if (self->shown != shown) {
    self->shown = shown;
    self->mode = (VgaMode) { 0 };
    vga_touch_all (self);
  }
  vmm_device_unlock (vga);
}

static void
vga_reset (VmmDevice *device)
{
  Vga *self = (Vga *) device;

  vga_text_close (self);
  memset (&self->misc, 0, sizeof *self - G_STRUCT_OFFSET (Vga, misc));
  self->dac_mask = 0xff;
  self->vbe[VBE_ID] = 0xb0c5;
  memset (self->bytes, 0, WINDOW_SIZE * N_PLANES);
  vga_touch_all (self);
}

static gboolean
vga_loaded (VmmDevice *device, GError **error)
{
  Vga *self = (Vga *) device;

  self->seq_index %= N_SEQ;
  self->gfx_index %= N_GFX;
  self->dac_phase %= 3;
  self->vbe[VBE_BANK] = MIN (self->vbe[VBE_BANK], (VMM_VGA_MEMORY_SIZE >> 16) - 1);
  if (vga_is_linear (self))
    vga_fit_vbe (self);
  self->mode = (VgaMode) { 0 };
  vga_touch_all (self);
  return TRUE;
}

static gboolean
vga_save_parts (VmmDevice *device, VmmState *state, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s/memory", device->id);

  vga_text_fold ((Vga *) device);
  vmm_state_save_bytes (state, name, ((Vga *) device)->bytes, VMM_VGA_MEMORY_SIZE);
  return TRUE;
}

static gboolean
vga_load_parts (VmmDevice *device, VmmState *state, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s/memory", device->id);

  vga_text_close ((Vga *) device);
  return vmm_state_load_bytes (state, name, ((Vga *) device)->bytes, VMM_VGA_MEMORY_SIZE, error);
}

static void
unmap_memory (gpointer data)
{
  munmap (data, VMM_VGA_MEMORY_SIZE);
}

static gboolean
make_memory (Vga *self, GError **error)
{
  void *bytes = mmap (NULL, VMM_VGA_MEMORY_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  if (bytes == MAP_FAILED) {
    g_set_error_literal (error, VMM_ERROR, VMM_ERROR_NO_MEMORY,
                         "There is no memory for the machine's screen.");
    return FALSE;
  }
  self->bytes = bytes;
  self->memory = vmm_buffer_new (bytes, VMM_VGA_MEMORY_SIZE, -1, unmap_memory, bytes);
  return TRUE;
}

static gboolean
add_ranges (VmmDevice *device, GError **error)
{
  const VmmBoard *board = device->board;

  if (!vmm_bus_add (board->ports, FIRST_PORT, N_PORTS, &vga_ops, device, REGION_PORTS, error))
    return FALSE;
  if (vmm_bus_add (board->ports, VBE_INDEX_PORT, VBE_N_PORTS, &vga_ops, device, REGION_VBE,
                   error)) {
    if (vmm_bus_add (board->mmio, WINDOW_ADDRESS, WINDOW_SIZE, &vga_ops, device, REGION_WINDOW,
                     error))
      return TRUE;
    vmm_bus_remove (board->ports, VBE_INDEX_PORT);
  }
  vmm_bus_remove (board->ports, FIRST_PORT);
  return FALSE;
}

static gboolean
vga_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  Vga *self = (Vga *) device;

  self->display = ((const VmmVgaConfig *) config)->display;
  self->slot = self->text_slot = -1;
  if (!make_memory (self, error))
    return FALSE;
  self->timer = vmm_loop_add_timer (device->board->loop, vga_refresh, self, error);
  if (self->timer && add_ranges (device, error)) {
    self->shown = TRUE;
    vmm_device_reset (device); /* locked: the loop looks at the screen from now on */
    return TRUE;
  }
  if (self->timer)
    vmm_loop_remove (device->board->loop, self->timer);
  vmm_buffer_unref (self->memory);
  return FALSE;
}

static void
vga_unrealize (VmmDevice *device)
{
  Vga *self = (Vga *) device;

  vmm_bus_remove (device->board->mmio, WINDOW_ADDRESS);
  vmm_bus_remove (device->board->ports, VBE_INDEX_PORT);
  vmm_bus_remove (device->board->ports, FIRST_PORT);
  vmm_vga_set_shown (device, FALSE); /* from now on nobody arms the timer */
  vmm_loop_remove (device->board->loop, self->timer);
  vmm_vga_map_memory (device, 0);
  vga_text_free (self);
  vmm_display_show (self->display, NULL);
  g_clear_pointer (&self->copy, vmm_buffer_unref);
  g_free (self->cells);
  vmm_buffer_unref (self->memory);
}

const VmmDeviceClass vmm_vga_class = {
  .name = "vga",
  .instance_size = sizeof (Vga),
  .version = 1,
  .fields = vga_fields,
  .realize = vga_realize,
  .unrealize = vga_unrealize,
  .reset = vga_reset,
  .save_parts = vga_save_parts,
  .load_parts = vga_load_parts,
  .loaded = vga_loaded,
};
