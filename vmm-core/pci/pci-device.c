/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A PCI function. The guest changes only the bits of its write mask; BARs and MSI-X follow the
 * registers after each write.
 *
 * Threads: as pci-device.h says.
 */
#include <string.h>

#include "pci/pci-express.h"
#include "pci/pci-host-private.h"
#include "vmm-error.h"

#define REG_VENDOR           0x00
#define REG_DEVICE           0x02
#define REG_COMMAND          0x04
#define REG_STATUS           0x06
#define REG_REVISION         0x08
#define REG_CLASS            0x09
#define REG_CACHE_LINE       0x0c
#define REG_HEADER_TYPE      0x0e
#define REG_BAR              0x10
#define REG_BARS_END         0x28
#define REG_ROM              0x30
#define REG_SUBSYSTEM_VENDOR 0x2c
#define REG_SUBSYSTEM        0x2e
#define REG_CAPABILITIES     0x34
#define REG_LINE             0x3c
#define REG_PIN              0x3d
#define REG_FIRST_CAPABILITY 0x40

#define HEADER_MULTIFUNCTION 0x80

#define CLASS_VGA           0x030000
#define COMMAND_PORTS       0x0001
#define COMMAND_MEMORY      0x0002
#define COMMAND_NO_INTX     0x0400
#define COMMAND_WRITABLE    0x0546 /* memory, bus master, parity, SERR, INTx disable */
#define STATUS_INTERRUPT    0x08   /* in the low byte */
#define STATUS_CAPABILITIES 0x0010
#define BAR_WIDE            0x4
#define MIN_BAR_SIZE        16

#define CAPABILITY_MSI  0x05
#define CAPABILITY_MSIX 0x11
#define MSI_CONTROL     2
#define MSI_ADDRESS     4
#define MSI_DATA        12
#define MSI_LENGTH      14
#define MSI_ENABLE      0x0001
#define MSI_WIDE        0x0080 /* 64-bit address */
#define MSIX_LENGTH     12
#define MSIX_ENABLE     0x8000
#define MSIX_MASK_ALL   0x4000

static const VmmField vmm_pci_bar_fields[] = {
  VMM_EXEMPT (VmmPciBar, size, "set up by realize"),
  VMM_EXEMPT (VmmPciBar, wide, "set up by realize"),
  VMM_EXEMPT (VmmPciBar, ops, "set up by realize"),
  VMM_EXEMPT (VmmPciBar, first, "set up by realize"),
  VMM_EXEMPT (VmmPciBar, address, "follows from the configuration space"),
  VMM_EXEMPT (VmmPciBar, mapped, "follows from the configuration space"),
  VMM_FIELD_LAST,
};

const VmmField vmm_pci_device_fields[] = {
  VMM_EXEMPT_DEVICE (VmmPciDevice),
  VMM_EXEMPT (VmmPciDevice, slot, "where it stands"),
  VMM_EXEMPT (VmmPciDevice, function, "where it stands"),
  VMM_EXEMPT (VmmPciDevice, port, "where it stands"),
  VMM_FIELD (VmmPciDevice, config, VMM_FIELD_BYTES, "config"),
  VMM_EXEMPT (VmmPciDevice, write_mask, "set up by realize"),
  VMM_EXEMPT (VmmPciDevice, reset_config, "set up by realize"),
  VMM_FIELD_PARTS (VmmPciDevice, bars, vmm_pci_bar_fields, "bars"),
  VMM_EXEMPT (VmmPciDevice, rom, "follows from the configuration space"),
  VMM_EXEMPT (VmmPciDevice, n_config, "set up by realize"),
  VMM_EXEMPT (VmmPciDevice, last_capability, "set up by realize"),
  VMM_EXEMPT (VmmPciDevice, msix_offset, "set up by realize"),
  VMM_EXEMPT (VmmPciDevice, msi_offset, "set up by realize"),
  VMM_FIELD_PART (VmmPciDevice, msix, vmm_msix_fields, "msix"),
  VMM_EXEMPT (VmmPciDevice, msi, "follows from the configuration space"),
  VMM_FIELD (VmmPciDevice, intx, VMM_FIELD_BOOL, "intx"),
  VMM_EXEMPT (VmmPciDevice, intx_pulled, "follows from intx and the command register"),
  VMM_FIELD_LAST,
};

/* The host bridge is a plain device: it has none. */
static const VmmPciDeviceClass *
hooks_of (VmmPciDevice *self)
{
  static const VmmPciDeviceClass none = { 0 };

  return self->slot == 0 ? &none : (const VmmPciDeviceClass *) self->parent.klass;
}

static guint32
get_bytes (const guint8 *bytes, guint length)
{
  guint32 value = 0;

  memcpy (&value, bytes, length);
  return value;
}

void
vmm_pci_device_put (VmmPciDevice *self, guint offset, guint length, guint32 value)
{
  memcpy (self->config + offset, &value, length);
  memcpy (self->reset_config + offset, &value, length);
}

void
vmm_pci_device_init (VmmPciDevice *self, const VmmPciIds *ids)
{
  /* A VGA has ports without having BARs for them. */
  const guint32 writable = COMMAND_WRITABLE | (ids->class_code == CLASS_VGA ? COMMAND_PORTS : 0);

  vmm_pci_device_put (self, REG_VENDOR, 2, ids->vendor);
  vmm_pci_device_put (self, REG_DEVICE, 2, ids->device);
  vmm_pci_device_put (self, REG_REVISION, 1, ids->revision);
  vmm_pci_device_put (self, REG_CLASS, 3, ids->class_code);
  vmm_pci_device_put (self, REG_SUBSYSTEM_VENDOR, 2, ids->subsystem_vendor);
  vmm_pci_device_put (self, REG_SUBSYSTEM, 2, ids->subsystem);
  memcpy (self->write_mask + REG_COMMAND, &writable, 2);
  self->write_mask[REG_CACHE_LINE] = 0xff;
  self->write_mask[REG_LINE] = 0xff;
  self->n_config = REG_FIRST_CAPABILITY;
}

gboolean
vmm_pci_device_realize (VmmPciDevice *self, guint slot, const VmmPciIds *ids, GError **error)
{
  return vmm_pci_device_realize_at (self, slot, 0, ids, error);
}

gboolean
vmm_pci_device_realize_at (VmmPciDevice *self,
                           guint slot,
                           guint function,
                           const VmmPciIds *ids,
                           GError **error)
{
  vmm_pci_device_init (self, ids);
  if (!vmm_pci_host_add (self->parent.board->pci, self, slot, function, error))
    return FALSE;
  vmm_pci_device_put (self, REG_PIN, 1, 1);
  vmm_pci_device_put (self, REG_LINE, 1, vmm_pci_slot_gsi (self->slot));
  if (self->port)
    vmm_pci_device_add_express (self, VMM_PCI_EXPRESS_ENDPOINT, 0);
  return TRUE;
}

void
vmm_pci_device_set_multifunction (VmmPciDevice *self)
{
  vmm_pci_device_put (self, REG_HEADER_TYPE, 1, HEADER_MULTIFUNCTION);
}

static guint64
bar_register (VmmPciDevice *self, guint bar)
{
  guint at = REG_BAR + 4 * bar;
  guint64 value = get_bytes (self->config + at, 4) & ~G_GUINT64_CONSTANT (0xf);

  if (self->bars[bar].wide)
    value |= (guint64) get_bytes (self->config + at + 4, 4) << 32;
  return value;
}

static void
unmap_bar (VmmPciDevice *self, guint number)
{
  VmmPciBar *bar = &self->bars[number];

  if (!bar->mapped)
    return;
  bar->mapped = FALSE;
  if (hooks_of (self)->bar_mapped)
    hooks_of (self)->bar_mapped (self, number, bar->address, FALSE);
  vmm_bus_remove (self->parent.board->mmio, bar->address);
}

/* A place outside the windows, or taken, is one that a guest passes through while it sizes and
 * moves: the BAR is silent there. */
static void
map_bar (VmmPciDevice *self, guint number, guint64 address)
{
  VmmPciBar *bar = &self->bars[number];
  const VmmBoard *board = self->parent.board;

  if (!vmm_pci_host_in_window (board->pci, address, bar->size) ||
      !vmm_bus_add (board->mmio, address, bar->size, bar->ops, &self->parent, number, NULL))
    return;
  bar->address = address;
  bar->mapped = TRUE;
  if (hooks_of (self)->bar_mapped)
    hooks_of (self)->bar_mapped (self, number, address, TRUE);
}

static gboolean
is_reached (VmmPciDevice *self, guint64 address, guint64 size)
{
  return !self->port || vmm_root_port_forwards (self->port, address, size);
}

void
vmm_pci_device_update_bars (VmmPciDevice *self)
{
  gboolean decode = self->config[REG_COMMAND] & COMMAND_MEMORY;

  for (guint i = 0; i < VMM_PCI_N_BARS; i++) {
    VmmPciBar *bar = &self->bars[i];
    guint64 address = bar_register (self, i);
    gboolean answers = decode && is_reached (self, address, bar->size);

    if (bar->size == 0)
      continue;
    if (bar->mapped && (!answers || bar->address != address))
      unmap_bar (self, i);
    if (!bar->mapped && answers)
      map_bar (self, i, address);
  }
  vmm_pci_device_update_rom (self, decode);
}

static void
update_msix (VmmPciDevice *self)
{
  guint16 control;

  if (self->msix_offset == 0)
    return;
  control = get_bytes (self->config + self->msix_offset + 2, 2);
  vmm_msix_set_control (&self->msix, (control & MSIX_ENABLE) != 0, (control & MSIX_MASK_ALL) != 0);
}

/* The vector takes over what the capability says. Off first: half a message is never sent. */
static void
update_msi (VmmPciDevice *self)
{
  const guint8 *capability = self->config + self->msi_offset;

  if (self->msi_offset == 0)
    return;
  vmm_msix_set_control (&self->msi, FALSE, FALSE);
  vmm_msix_write_table (&self->msi, 0, 4, get_bytes (capability + MSI_ADDRESS, 4));
  vmm_msix_write_table (&self->msi, 4, 4, get_bytes (capability + MSI_ADDRESS + 4, 4));
  vmm_msix_write_table (&self->msi, 8, 4, get_bytes (capability + MSI_DATA, 2));
  vmm_msix_write_table (&self->msi, 12, 4, 0);
  vmm_msix_set_control (&self->msi, vmm_pci_device_has_msi (self), FALSE);
}

gboolean
vmm_pci_device_has_msi (VmmPciDevice *self)
{
  return self->msi_offset != 0 && (self->config[self->msi_offset + MSI_CONTROL] & MSI_ENABLE) != 0;
}

void
vmm_pci_device_send_msi (VmmPciDevice *self)
{
  if (vmm_pci_device_has_msi (self))
    vmm_msix_signal (&self->msi, 0);
}

static void
update_intx (VmmPciDevice *self)
{
  guint16 command = get_bytes (self->config + REG_COMMAND, 2);
  gboolean level = self->intx && !(command & COMMAND_NO_INTX);

  if (level == self->intx_pulled)
    return;
  self->intx_pulled = level;
  vmm_pci_lines_pull (vmm_pci_host_get_lines (self->parent.board->pci), self->slot, level);
}

void
vmm_pci_device_set_intx (VmmPciDevice *self, gboolean level)
{
  self->intx = level;
  update_intx (self);
}

void
vmm_pci_device_unrealize (VmmPciDevice *self)
{
  for (guint i = 0; i < VMM_PCI_N_BARS; i++)
    unmap_bar (self, i);
  vmm_pci_device_update_rom (self, FALSE);
  vmm_pci_device_set_intx (self, FALSE);
  vmm_msix_clear (&self->msix);
  vmm_msix_clear (&self->msi);
  vmm_pci_host_remove (self->parent.board->pci, self);
}

void
vmm_pci_device_reset (VmmPciDevice *self)
{
  memcpy (self->config, self->reset_config, sizeof self->config);
  vmm_msix_reset (&self->msix);
  vmm_msix_reset (&self->msi);
  self->intx = FALSE;
  vmm_pci_device_update_bars (self);
  if (self->slot != 0)
    update_intx (self);
}

/* A saved state must not change what a guest could not. */
gboolean
vmm_pci_device_loaded (VmmPciDevice *self, GError **error)
{
  for (guint i = 0; i < VMM_PCI_CONFIG_SIZE; i++)
    self->config[i] =
      (self->config[i] & self->write_mask[i]) | (self->reset_config[i] & ~self->write_mask[i]);
  if (self->slot == 0)
    return TRUE;
  vmm_pci_device_update_bars (self);
  update_intx (self);
  update_msix (self);
  update_msi (self);
  return vmm_msix_loaded (&self->msix, error);
}

gboolean
vmm_pci_device_add_bar (VmmPciDevice *self,
                        guint bar,
                        guint64 size,
                        gboolean wide,
                        const VmmBusOps *ops,
                        GError **error)
{
  guint at = REG_BAR + 4 * bar;
  guint64 mask = ~(size - 1);
  guint64 address = self->port ? vmm_root_port_find_room (self->port, size)
                               : vmm_pci_host_find_room (self->parent.board->pci, size, wide);

  g_return_val_if_fail (bar + (wide ? 2 : 1) <= VMM_PCI_N_BARS, FALSE);
  g_return_val_if_fail (size >= MIN_BAR_SIZE && (size & (size - 1)) == 0, FALSE);

  if (address == 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "There is no room in the PCI windows for %s.",
                 self->parent.id);
    return FALSE;
  }
  self->bars[bar] = (VmmPciBar) { .size = size, .wide = wide, .ops = ops, .first = address };
  vmm_pci_device_put (self, at, 4, (guint32) address | (wide ? BAR_WIDE : 0));
  memcpy (self->write_mask + at, &mask, wide ? 8 : 4);
  if (wide)
    vmm_pci_device_put (self, at + 4, 4, address >> 32);
  return TRUE;
}

guint
vmm_pci_device_add_capability (VmmPciDevice *self, guint8 id, guint length)
{
  guint offset = self->n_config;

  g_return_val_if_fail (offset + length <= VMM_PCI_CONFIG_SIZE, 0);

  self->n_config = (offset + length + 3) & ~3u;
  vmm_pci_device_put (self, offset, 1, id);
  if (self->last_capability == 0) {
    vmm_pci_device_put (self, REG_CAPABILITIES, 1, offset);
    vmm_pci_device_put (self, REG_STATUS, 2, STATUS_CAPABILITIES);
  } else {
    vmm_pci_device_put (self, self->last_capability + 1, 1, offset);
  }
  self->last_capability = offset;
  return offset;
}

gboolean
vmm_pci_device_add_msix (VmmPciDevice *self,
                         guint n_vectors,
                         guint bar,
                         guint32 table_offset,
                         guint32 pba_offset,
                         GError **error)
{
  const guint16 writable = MSIX_ENABLE | MSIX_MASK_ALL;
  guint offset = vmm_pci_device_add_capability (self, CAPABILITY_MSIX, MSIX_LENGTH);

  if (offset == 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "%s has too many capabilities.",
                 self->parent.id);
    return FALSE;
  }
  vmm_pci_device_put (self, offset + 2, 2, n_vectors - 1);
  vmm_pci_device_put (self, offset + 4, 4, table_offset | bar);
  vmm_pci_device_put (self, offset + 8, 4, pba_offset | bar);
  memcpy (self->write_mask + offset + 2, &writable, sizeof writable);
  self->msix_offset = offset;
  vmm_msix_init (&self->msix, &self->parent, n_vectors);
  return TRUE;
}

gboolean
vmm_pci_device_add_msi (VmmPciDevice *self, GError **error)
{
  const guint32 enable = MSI_ENABLE, low = ~3u, high = G_MAXUINT32, data = G_MAXUINT16;
  guint offset = vmm_pci_device_add_capability (self, CAPABILITY_MSI, MSI_LENGTH);

  if (offset == 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "%s has too many capabilities.",
                 self->parent.id);
    return FALSE;
  }
  vmm_pci_device_put (self, offset + MSI_CONTROL, 2, MSI_WIDE);
  memcpy (self->write_mask + offset + MSI_CONTROL, &enable, 2);
  memcpy (self->write_mask + offset + MSI_ADDRESS, &low, 4);
  memcpy (self->write_mask + offset + MSI_ADDRESS + 4, &high, 4);
  memcpy (self->write_mask + offset + MSI_DATA, &data, 2);
  self->msi_offset = offset;
  vmm_msix_init (&self->msi, &self->parent, 1);
  return TRUE;
}

static gboolean
touches (guint offset, guint length, guint start, guint end)
{
  return offset < end && offset + length > start;
}

guint32
vmm_pci_device_read_config (VmmPciDevice *self, guint offset, guint length)
{
  guint32 value;

  if (length > 4 || offset + length > VMM_PCI_CONFIG_SIZE)
    return 0;
  if (hooks_of (self)->config_read)
    hooks_of (self)->config_read (self, offset, length);
  value = get_bytes (self->config + offset, length);
  if (self->intx && touches (offset, length, REG_STATUS, REG_STATUS + 1))
    value |= (guint32) STATUS_INTERRUPT << 8 * (REG_STATUS - offset);
  return value;
}

void
vmm_pci_device_write_config (VmmPciDevice *self, guint offset, guint length, guint32 value)
{
  if (length > 4 || offset + length > VMM_PCI_CONFIG_SIZE)
    return;
  for (guint i = 0; i < length; i++) {
    guint8 *byte = &self->config[offset + i], mask = self->write_mask[offset + i];

    *byte = (*byte & ~mask) | (value >> 8 * i & mask);
  }
  if (touches (offset, length, REG_COMMAND, REG_COMMAND + 2) ||
      touches (offset, length, REG_BAR, REG_BARS_END) ||
      touches (offset, length, REG_ROM, REG_ROM + 4))
    vmm_pci_device_update_bars (self);
  if (touches (offset, length, REG_COMMAND, REG_COMMAND + 2) && self->slot != 0)
    update_intx (self);
  if (touches (offset, length, self->msix_offset + 2, self->msix_offset + 4))
    update_msix (self);
  if (self->msi_offset != 0 &&
      touches (offset, length, self->msi_offset + MSI_CONTROL, self->msi_offset + MSI_LENGTH))
    update_msi (self);
  if (hooks_of (self)->config_written)
    hooks_of (self)->config_written (self, offset, length);
}
