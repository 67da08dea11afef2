/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC on one page: add_devices is its list of parts, in start order.
 *
 * Threads: control, with the vCPUs parked, unless pc.h says otherwise.
 */
#include <unistd.h>

#include "base/vmm-bus.h"
#include "chips/debug-exit.h"
#include "chips/generation.h"
#include "chips/i8042.h"
#include "chips/pm.h"
#include "chips/ps2-controller.h"
#include "chips/pvpanic.h"
#include "chips/rtc.h"
#include "device/vmm-display-source.h"
#include "device/vmm-input-sink.h"
#include "pci/pci-host.h"
#include "virtio/virtio-rng.h"
#include "vmm-error.h"
#include "x86/layout.h"
#include "x86/pc-private.h"

/* 64-bit BARs above RAM. 36 bits of address is what the oldest 64-bit processors have. */
#define HIGH_WINDOW_ALIGN (G_GUINT64_CONSTANT (1) << 30)
#define HIGH_WINDOW_SIZE  (G_GUINT64_CONSTANT (16) << 30)
#define SURE_ADDRESSES    (G_GUINT64_CONSTANT (1) << 36)

VmmDevice *
vmm_pc_add (VmmPc *self,
            const VmmDeviceClass *klass,
            const char *id,
            gconstpointer config,
            GError **error)
{
  VmmDevice *device = vmm_device_new (klass, &self->board, id, config, error);

  if (device)
    g_ptr_array_add (self->devices, device);
  return device;
}

static gboolean
add_pci (VmmPc *self, GError **error)
{
  guint n;
  const VmmMemoryRegion *regions = vmm_memory_get_regions (self->board.memory, &n);
  guint64 end = MAX (regions[n - 1].address + regions[n - 1].size, VMM_MEMORY_HIGH);
  VmmPciHostConfig config = { .n_ports = self->config->n_ports };
  VmmDevice *host;

  end = (end + HIGH_WINDOW_ALIGN - 1) & ~(HIGH_WINDOW_ALIGN - 1);
  if (end + HIGH_WINDOW_SIZE <= SURE_ADDRESSES) {
    config.high_base = end;
    config.high_size = HIGH_WINDOW_SIZE;
  }
  host = vmm_pc_add (self, &vmm_pci_host_class, "pci", &config, error);
  self->board.pci = (VmmPciHost *) host;
  return host != NULL;
}

static gboolean
add_rng (VmmPc *self, GError **error)
{
  VmmVirtioRngConfig config = { 0 };

  return vmm_pc_add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_rng_class), "rng0", &config,
                     error) != NULL;
}

/* Kernels that we start have virtio's keyboard; to others a PC's is the one that is sure to be
 * there. */
static gboolean
add_keyboard_controller (VmmPc *self, GError **error)
{
  VmmPs2Config config = { 0 };

  if (!self->config->firmware)
    return vmm_pc_add (self, &vmm_i8042_class, "i8042", NULL, error) != NULL;
  if (self->config->graphics)
    config.input = self->input = vmm_input_new ();
  return vmm_pc_add (self, &vmm_ps2_class, "ps2", &config, error) != NULL;
}

/* By which host and guest tell each other what has become of them. */
static gboolean
add_state_chips (VmmPc *self, GError **error)
{
  self->generation = vmm_pc_add (self, &vmm_generation_class, "generation", NULL, error);
  return self->generation && vmm_pc_add (self, &vmm_pvpanic_class, "pvpanic", NULL, error) != NULL;
}

static gboolean
add_devices (VmmPc *self, GError **error)
{
  const VmmConfig *config = self->config;

  if (!add_pci (self, error))
    return FALSE;
  self->pm = vmm_pc_add (self, &vmm_pm_class, "pm", NULL, error);
  self->rtc = self->pm ? vmm_pc_add (self, &vmm_rtc_class, "rtc", NULL, error) : NULL;
  if (!self->rtc || !add_state_chips (self, error) || !add_keyboard_controller (self, error) ||
      !vmm_pc_add_serial (self, error))
    return FALSE;
  if (!(config->firmware ? vmm_pc_add_firmware : vmm_pc_add_kernel) (self, error))
    return FALSE;
  if (config->debug_exit && !vmm_pc_add (self, &vmm_debug_exit_class, "debug-exit", NULL, error))
    return FALSE;
  return add_rng (self, error) && vmm_pc_add_console (self, error) &&
         vmm_pc_add_channels (self, error) && vmm_pc_add_disks (self, error) &&
         vmm_pc_add_sata (self, error) && vmm_pc_add_nics (self, error) &&
         vmm_pc_add_graphics (self, error) && vmm_pc_add_usb (self, error) &&
         vmm_pc_add_balloon (self, error) && vmm_pc_add_ports (self, error) &&
         vmm_pc_plug_configured (self, error);
}

VmmPc *
vmm_pc_new (const VmmConfig *config,
            VmmMemory *memory,
            VmmLoop *loop,
            VmmPlatform *platform,
            GError **error)
{
  g_autoptr (VmmPc) self = g_new0 (VmmPc, 1);

  self->config = config;
  self->serial_fd = self->console_fd = self->log_fd = -1;
  self->devices = g_ptr_array_new ();
  self->disks = g_ptr_array_new ();
  self->blocks = g_ptr_array_new_with_free_func ((GDestroyNotify) vmm_block_close);
  self->cdroms = g_ptr_array_new_with_free_func (vmm_pc_cdrom_free);
  self->nics = g_ptr_array_new_with_free_func (vmm_pc_nic_free);
  self->ports = g_ptr_array_new ();
  self->attached = g_ptr_array_new_with_free_func (vmm_pc_attached_free);
  self->board = (VmmBoard) { .memory = memory,
                             .loop = loop,
                             .platform = platform,
                             .ports = vmm_bus_new (),
                             .mmio = vmm_bus_new () };
  if (!add_devices (self, error))
    return NULL;
  if (self->fw_cfg)
    vmm_pc_put_boot_order (self);
  return g_steal_pointer (&self);
}

void
vmm_pc_free (VmmPc *self)
{
  for (guint i = self->devices->len; i-- > 0;)
    vmm_device_free (g_ptr_array_index (self->devices, i));
  g_ptr_array_unref (self->devices);
  g_ptr_array_unref (self->ports);
  g_ptr_array_unref (self->attached);
  g_ptr_array_unref (self->disks);
  g_ptr_array_unref (self->blocks);
  g_ptr_array_unref (self->cdroms);
  g_ptr_array_unref (self->nics);
  g_clear_pointer (&self->vga_bios, g_aligned_free);
  g_clear_pointer (&self->display, vmm_display_free);
  g_clear_pointer (&self->input, vmm_input_free);
  vmm_bus_free (self->board.ports);
  vmm_bus_free (self->board.mmio);
  vmm_pc_free_channels (self);
  vmm_pc_free_kernel (self);
  vmm_pc_free_firmware (self);
  if (self->serial_fd >= 0)
    close (self->serial_fd);
  if (self->console_fd >= 0)
    close (self->console_fd);
  g_free (self);
}

VmmAcpi *
vmm_pc_make_acpi (VmmPc *self)
{
  VmmAcpiConfig config = { .topology = vmm_config_get_topology (self->config),
                           .serial = self->config->serial.mode != VMM_TEXT_NONE,
                           .vga = self->config->firmware && self->config->graphics,
                           .ps2 = self->config->firmware != NULL,
                           .hpet = self->config->firmware != NULL,
                           .fw_cfg = self->fw_cfg != NULL };

  vmm_pci_host_get_windows (self->board.pci, &config.pci);
  return vmm_acpi_new (&config);
}

gboolean
vmm_pc_load (VmmPc *self, VmmEntry *entry, GError **error)
{
  return self->fw_cfg ? vmm_pc_load_firmware (self, entry, error)
                      : vmm_pc_load_kernel (self, entry, error);
}

void
vmm_pc_drain (VmmPc *self)
{
  for (guint i = 0; i < self->devices->len; i++)
    vmm_device_drain (g_ptr_array_index (self->devices, i));
}

void
vmm_pc_resume (VmmPc *self)
{
  for (guint i = 0; i < self->devices->len; i++)
    vmm_device_resume (g_ptr_array_index (self->devices, i));
}

void
vmm_pc_reset (VmmPc *self)
{
  for (guint i = 0; i < self->devices->len; i++)
    vmm_device_reset (g_ptr_array_index (self->devices, i));
}

gboolean
vmm_pc_save (VmmPc *self, VmmState *state, GError **error)
{
  if (!vmm_pc_save_attached (self, state, error))
    return FALSE;
  for (guint i = 0; i < self->devices->len; i++)
    if (!vmm_device_save (g_ptr_array_index (self->devices, i), state, error))
      return FALSE;
  return TRUE;
}

gboolean
vmm_pc_load_saved (VmmPc *self, VmmState *state, GError **error)
{
  for (guint i = 0; i < self->devices->len; i++)
    if (!vmm_device_load (g_ptr_array_index (self->devices, i), state, error))
      return FALSE;
  /* The folder stays: another machine may go on from it too. */
  vmm_generation_renew (self->generation);
  vmm_pm_raise_gpe (self->pm, VMM_GENERATION_GPE);
  return TRUE;
}

char *
vmm_pc_list_devices (VmmPc *self)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < self->devices->len; i++) {
    VmmDevice *device = g_ptr_array_index (self->devices, i);

    g_string_append_printf (text, "%s %s\n", device->id, device->klass->name);
  }
  return g_string_free_and_steal (text);
}

VmmBus *
vmm_pc_get_ports (VmmPc *self)
{
  return self->board.ports;
}

VmmBus *
vmm_pc_get_mmio (VmmPc *self)
{
  return self->board.mmio;
}

VmmDisplay *
vmm_pc_get_display (VmmPc *self)
{
  return self->display;
}

VmmInput *
vmm_pc_get_input (VmmPc *self)
{
  return self->input;
}

void
vmm_pc_power_button (VmmPc *self)
{
  vmm_pm_power_button (self->pm);
}
