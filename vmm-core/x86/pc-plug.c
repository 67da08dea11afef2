/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is plugged into the PC while it runs: its root ports, and the disks and network cards behind
 * them.
 *
 * Threads: control, with the vCPUs parked.
 */
#include <string.h>

#include "pci/root-port.h"
#include "virtio/virtio-blk.h"
#include "virtio/virtio-net.h"
#include "vmm-error.h"
#include "x86/pc-private.h"

/* What was attached, and what goes with it. */
typedef struct {
  VmmDevice *device, *port;
  VmmBlock *block;       /* of a disk */
  gboolean disconnected; /* the host has it back, and the guest has not heard of it yet */
} VmmPcAttached;

G_STATIC_ASSERT (VMM_MAX_PORTS <= VMM_MAX_ROOT_PORTS);

/* All are functions of one slot: an operating system asks for one more slot only. */
gboolean
vmm_pc_add_ports (VmmPc *self, GError **error)
{
  guint n = self->config->n_ports;
  VmmRootPortConfig config = { .several = n > 1, .assigned = !self->config->firmware };

  for (guint i = 0; i < n; i++) {
    g_autofree char *id = g_strdup_printf ("port%u", i);
    VmmDevice *port;

    config.number = config.function = i;
    port = vmm_pc_add (self, &vmm_root_port_class.parent, id, &config, error);
    if (!port)
      return FALSE;
    config.slot = ((VmmPciDevice *) port)->slot;
    g_ptr_array_add (self->ports, port);
  }
  return TRUE;
}

/* The number of a port that nothing stands behind, or -1. */
static int
find_free_port (VmmPc *self, GError **error)
{
  for (guint i = 0; i < self->ports->len; i++)
    if (!vmm_root_port_get_child (g_ptr_array_index (self->ports, i)))
      return i;
  if (self->ports->len == 0)
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
                 "The machine was made without ports that something could be attached to.");
  else
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
                 "All %u ports of the machine are taken: detach something first.",
                 self->ports->len);
  return -1;
}

/* "disk2": the first number that no device has. */
static guint
find_number (VmmPc *self, const char *kind)
{
  for (guint number = 0;; number++) {
    g_autofree char *id = g_strdup_printf ("%s%u", kind, number);
    gboolean taken = FALSE;

    for (guint i = 0; !taken && i < self->devices->len; i++)
      taken = strcmp (((VmmDevice *) g_ptr_array_index (self->devices, i))->id, id) == 0;
    /* SATA drives are no devices of the list. */
    if (!taken && !(strcmp (kind, "disk") == 0 && number < self->config->disks->len))
      return number;
  }
}

static char *
insert (VmmPc *self, guint port, VmmDevice *device, VmmBlock *block)
{
  VmmPcAttached *attached = g_new (VmmPcAttached, 1);

  *attached = (VmmPcAttached) { .device = device,
                                .port = g_ptr_array_index (self->ports, port),
                                .block = block };
  g_ptr_array_add (self->attached, attached);
  vmm_root_port_insert (attached->port);
  return g_strdup (device->id);
}

char *
vmm_pc_attach_disk (VmmPc *self, const VmmDiskConfig *disk, GError **error)
{
  int port = find_free_port (self, error);
  VmmDevice *device;

  if (port < 0)
    return NULL;
  if (disk->bus != VMM_DISK_VIRTIO) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
                 "Only virtio disks can be attached to a machine that runs.");
    return NULL;
  }
  device = vmm_pc_add_disk (self, find_number (self, "disk"), VMM_PCI_BEHIND (port), disk, error);
  return device
           ? insert (self, port, device, g_ptr_array_index (self->blocks, self->blocks->len - 1))
           : NULL;
}

char *
vmm_pc_attach_nic (VmmPc *self, const VmmNicConfig *nic, GError **error)
{
  int port = find_free_port (self, error);
  VmmDevice *device = NULL;

  if (port >= 0)
    device = vmm_pc_add_nic (self, find_number (self, "net"), VMM_PCI_BEHIND (port), nic, error);
  return device ? insert (self, port, device, NULL) : NULL;
}

VmmBlock *
vmm_pc_get_attached_block (VmmPc *self, const char *id)
{
  for (guint i = 0; i < self->attached->len; i++) {
    VmmPcAttached *attached = g_ptr_array_index (self->attached, i);

    if (strcmp (attached->device->id, id) == 0)
      return attached->block;
  }
  return NULL;
}

/* The host has back what is behind the device. */
static void
disconnect (VmmPc *self, VmmPcAttached *attached)
{
  VmmDevice *device = attached->device;

  vmm_device_drain (device);
  if (attached->block) {
    vmm_virtio_blk_disconnect (device);
    g_ptr_array_remove (self->blocks, g_steal_pointer (&attached->block));
  } else {
    vmm_virtio_net_disconnect (device);
    vmm_pc_remove_nic (self, device->id);
  }
  attached->disconnected = TRUE;
}

static void
take_out (VmmPc *self, VmmPcAttached *attached)
{
  vmm_root_port_remove (attached->port);
  if (!attached->disconnected)
    disconnect (self, attached);
  g_ptr_array_remove (self->devices, attached->device);
  g_ptr_array_remove (self->disks, attached->device);
  vmm_device_free (attached->device);
  g_ptr_array_remove (self->attached, attached);
}

/* A card that is torn out leaves a driver behind that waits for ever: Linux for requests that the
 * card had not answered, and any driver of virtio for a status of 0 where reads are all ones. So
 * what is taken by force stays in its port as a card that fails, until the guest gives that up. */
gboolean
vmm_pc_detach (VmmPc *self, const char *id, gboolean force, GError **error)
{
  for (guint i = 0; i < self->attached->len; i++) {
    VmmPcAttached *attached = g_ptr_array_index (self->attached, i);

    if (attached->disconnected || strcmp (attached->device->id, id) != 0)
      continue;
    if (force) {
      disconnect (self, attached);
      vmm_device_resume (attached->device);
    }
    vmm_root_port_press_button (attached->port);
    return TRUE;
  }
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
               "“%s” cannot be detached: only what was attached while the machine ran can.", id);
  return FALSE;
}

GPtrArray *
vmm_pc_remove_released (VmmPc *self)
{
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);

  for (guint i = self->attached->len; i-- > 0;) {
    VmmPcAttached *attached = g_ptr_array_index (self->attached, i);

    if (!vmm_root_port_is_released (attached->port))
      continue;
    g_ptr_array_add (ids, g_strdup (attached->device->id));
    take_out (self, attached);
  }
  return ids;
}
