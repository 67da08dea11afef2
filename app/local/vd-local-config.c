/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdConfig to VmmConfig.
 *
 * Threads: any, on a frozen config.
 */
#include "local/vd-local-config.h"
#include "library/vd-config-private.h"
#include "library/vd-own-machine.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>

/* A disk that is empty yet lets the CD have its turn: as the engine on QEMU does. */
static const char boot_order[] = { VMM_BOOT_DISK, VMM_BOOT_CDROM, '\0' };

static gboolean
is_sata (VdDiskConfig *disk)
{
  return vd_disk_config_get_cdrom (disk) || vd_disk_config_get_bus (disk) == VD_DISK_SATA;
}

static guint
count_sata (VdConfig *config)
{
  GListModel *disks = vd_config_get_disks (config);
  guint n = 0;

  for (guint i = 0; i < g_list_model_get_n_items (disks); i++) {
    g_autoptr (VdDiskConfig) disk = g_list_model_get_item (disks, i);

    n += is_sata (disk);
  }
  return n;
}

static VmmFirmware *
find_firmware (VdConfig *config)
{
  return vmm_firmware_find (
    vd_config_get_boot (config) == VD_BOOT_UEFI ? VMM_FIRMWARE_UEFI : VMM_FIRMWARE_BIOS, NULL);
}

static const char *
explain_firmware (VdConfig *config)
{
  if (vd_config_get_boot (config) == VD_BOOT_UEFI)
    return _("VirtDesk’s own engine finds no UEFI firmware; install OVMF (the package ovmf or "
             "edk2-ovmf).");
  return _("VirtDesk’s own engine finds no BIOS; install SeaBIOS (the package seabios).");
}

const char *
vd_local_config_find_obstacle (VdConfig *config)
{
  g_autoptr (VmmFirmware) firmware = NULL;

  if (count_sata (config) > VMM_MAX_SATA)
    return _("It needs QEMU because it has more than six SATA disks and CD drives.");
  if (vd_config_get_boot (config) != VD_BOOT_KERNEL && (firmware = find_firmware (config)) == NULL)
    return explain_firmware (config);
  return NULL;
}

static gboolean
set_firmware (VmmConfig *core, VdConfig *config, const char *folder, GError **error)
{
  g_autoptr (VmmFirmware) firmware = find_firmware (config);

  if (firmware == NULL) {
    g_set_error_literal (error, VD_ERROR, VD_ERROR_UNSUPPORTED, explain_firmware (config));
    return FALSE;
  }
  core->firmware = g_steal_pointer (&firmware->image);
  core->vga_bios = g_steal_pointer (&firmware->vga_bios);
  core->boot_order = g_strdup (boot_order);
  if (firmware->nvram_template != NULL) {
    core->nvram_template = g_steal_pointer (&firmware->nvram_template);
    core->nvram = g_build_filename (folder, VD_NVRAM_FILE, NULL);
  }
  return TRUE;
}

/* A kernel that is booted directly is up before any USB: it has virtio. What boots by itself may
 * lack virtio, and finds keyboard and tablet on USB, or PS/2 that comes with firmware. */
static gboolean
set_boot (VmmConfig *core, VdConfig *config, const char *folder, GError **error)
{
  if (vd_config_get_boot (config) != VD_BOOT_KERNEL) {
    core->usb = vd_config_get_graphics (config);
    return set_firmware (core, config, folder, error);
  }
  core->kernel = g_strdup (vd_config_get_kernel (config));
  core->initrd = g_strdup (vd_config_get_initrd (config));
  core->append = g_strdup (vd_config_get_append (config));
  return TRUE;
}

static void
add_disk (VmmConfig *core, VdDiskConfig *disk)
{
  const char *path = vd_disk_config_get_path (disk);
  VmmDiskConfig *added;

  if (vd_disk_config_get_cdrom (disk)) {
    vmm_config_add_cdrom (core, path);
    return;
  }
  added = vmm_config_add_disk (core, path, vd_disk_config_get_readonly (disk));
  added->format = vd_disk_config_get_format (disk) == VD_DISK_QCOW2 ? VMM_DISK_QCOW2 : VMM_DISK_RAW;
  added->bus = vd_disk_config_get_bus (disk) == VD_DISK_SATA ? VMM_DISK_SATA : VMM_DISK_VIRTIO;
  added->discard = TRUE;
}

static void
add_disks (VmmConfig *core, VdConfig *config)
{
  GListModel *disks = vd_config_get_disks (config);

  for (guint i = 0; i < g_list_model_get_n_items (disks); i++) {
    g_autoptr (VdDiskConfig) disk = g_list_model_get_item (disks, i);

    add_disk (core, disk);
  }
}

VmmConfig *
vd_local_config_new (VdConfig *config, const char *folder, GError **error)
{
  g_autoptr (VmmConfig) core = vmm_config_new ();

  core->name = g_strdup (vd_config_get_name (config));
  vd_config_get_uuid_bytes (config, core->uuid);
  core->memory = vd_config_get_memory (config);
  core->n_vcpus = vd_config_get_cpus (config);
  core->graphics = vd_config_get_graphics (config);
  core->balloon = TRUE;
  core->serial.mode = VMM_TEXT_NONE; /* nor a console: nothing shows either yet */
  if (!set_boot (core, config, folder, error))
    return NULL;
  add_disks (core, config);
  if (vd_config_get_network (config))
    vmm_config_add_nic (core, vmm_nic_config_new (VMM_NIC_USER)); /* its address is the UUID's */
  return g_steal_pointer (&core);
}
