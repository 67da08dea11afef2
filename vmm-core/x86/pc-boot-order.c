/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What firmware tries to start from, and in which order: fw_cfg's "bootorder", a list of paths in
 * Open Firmware's words, as QEMU writes them and SeaBIOS and OVMF read them.
 *
 * Threads: control, with the vCPUs parked.
 */
#include <string.h>

#include "chips/fw-cfg.h"
#include "pci/pci-device.h"
#include "x86/pc-private.h"

#define FILE_NAME "bootorder"
#define ROOT      "/pci@i0cf8"

/* @name at the slot of a function of bus 0. */
static char *
unit_of (const VmmPciDevice *pci, const char *name)
{
  return pci->function == 0 ? g_strdup_printf ("%s@%x", name, pci->slot)
                            : g_strdup_printf ("%s@%x,%x", name, pci->slot, pci->function);
}

/* What stands behind a root port says that port's place for its own, and is alone on its bus. */
static char *
make_path (const VmmPciDevice *pci, const char *name)
{
  g_autofree char *unit = unit_of (pci, pci->port ? "pci-bridge" : name);

  return pci->port ? g_strdup_printf (ROOT "/%s/%s@0", unit, name)
                   : g_strdup_printf (ROOT "/%s", unit);
}

/* A function of PCI in such a path, or NULL where the machine has no such device. */
static char *
path_of (VmmPc *self, const char *id, const char *name)
{
  for (guint i = 0; i < self->devices->len; i++) {
    VmmDevice *device = g_ptr_array_index (self->devices, i);

    if (strcmp (device->id, id) == 0)
      return make_path ((const VmmPciDevice *) device, name);
  }
  return NULL;
}

static void
add_virtio (VmmPc *self,
            GString *order,
            const char *kind,
            guint number,
            const char *name,
            const char *unit)
{
  g_autofree char *id = g_strdup_printf ("%s%u", kind, number);
  g_autofree char *path = path_of (self, id, name);

  if (path)
    g_string_append_printf (order, "%s/%s\n", path, unit);
}

static void
add_port (VmmPc *self, GString *order, guint port)
{
  g_autofree char *path = path_of (self, "ahci", "pci8086,2922");

  if (path)
    g_string_append_printf (order, "%s/drive@%x/disk@0\n", path, port);
}

/* SATA's ports are given out in the order of the configuration; returns how many have disks. */
static guint
add_disks (VmmPc *self, GString *order)
{
  guint n_ports = 0;

  for (guint i = 0; i < self->config->disks->len; i++) {
    const VmmDiskConfig *disk = g_ptr_array_index (self->config->disks, i);

    if (disk->bus == VMM_DISK_VIRTIO && order)
      add_virtio (self, order, "disk", i, "scsi", "disk@0,0");
    else if (disk->bus == VMM_DISK_SATA && order)
      add_port (self, order, n_ports);
    n_ports += disk->bus == VMM_DISK_SATA;
  }
  return n_ports;
}

static void
add_kind (VmmPc *self, GString *order, char kind)
{
  if (kind == VMM_BOOT_DISK)
    add_disks (self, order);
  for (guint i = 0; kind == VMM_BOOT_CDROM && i < self->config->cdroms->len; i++)
    add_port (self, order, add_disks (self, NULL) + i);
  for (guint i = 0; kind == VMM_BOOT_NETWORK && i < self->config->nics->len; i++)
    add_virtio (self, order, "net", i, "ethernet", "ethernet-phy@0");
}

void
vmm_pc_put_boot_order (VmmPc *self)
{
  const char *kinds = self->config->boot_order ? self->config->boot_order : VMM_BOOT_DEFAULT;
  g_autoptr (GString) order = g_string_new (NULL);

  for (; *kinds; kinds++)
    add_kind (self, order, *kinds);
  if (order->len > 0) /* it ends with a zero, not with a line's end */
    order->str[order->len - 1] = '\0';
  vmm_fw_cfg_set_file (self->fw_cfg, FILE_NAME, order->str, MAX (order->len, 1));
}
