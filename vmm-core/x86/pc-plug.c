/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC's root ports, and the disks and network cards behind them, which come and go while it
 * runs.
 *
 * Threads: control, with the vCPUs parked.
 */
#include <string.h>

#include "pci/root-port.h"
#include "virtio/virtio-blk.h"
#include "virtio/virtio-net.h"
#include "vmm-error.h"
#include "x86/pc-private.h"
#include "x86/plugged.h"

/* What stands behind a port, and what goes with it. */
typedef struct {
  VmmPlugged *what;
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

void
vmm_pc_attached_free (gpointer data)
{
  VmmPcAttached *attached = data;

  vmm_plugged_free (attached->what);
  g_free (attached);
}

/* Takes @what. The guest does not see it yet. */
static VmmPcAttached *
plug (VmmPc *self, VmmPlugged *what, GError **error)
{
  guint slot = VMM_PCI_BEHIND (what->port);
  VmmPcAttached *attached;
  VmmDevice *device = what->disk ? vmm_pc_add_disk (self, what->number, slot, what->disk, error)
                                 : vmm_pc_add_nic (self, what->number, slot, what->nic, error);

  if (!device) {
    vmm_plugged_free (what);
    return NULL;
  }
  attached = g_new (VmmPcAttached, 1);
  *attached = (VmmPcAttached) {
    .what = what,
    .device = device,
    .port = g_ptr_array_index (self->ports, what->port),
    .block = what->disk ? g_ptr_array_index (self->blocks, self->blocks->len - 1) : NULL,
  };
  g_ptr_array_add (self->attached, attached);
  return attached;
}

/* Takes @what. Returns its name. */
static char *
insert (VmmPc *self, VmmPlugged *what, GError **error)
{
  VmmPcAttached *attached = plug (self, what, error);

  if (!attached)
    return NULL;
  vmm_root_port_insert (attached->port);
  return g_strdup (attached->device->id);
}

char *
vmm_pc_attach_disk (VmmPc *self, const VmmDiskConfig *disk, GError **error)
{
  int port = find_free_port (self, error);

  if (port < 0)
    return NULL;
  if (disk->bus == VMM_DISK_VIRTIO)
    return insert (self, vmm_plugged_new_disk (port, find_number (self, "disk"), disk), error);
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
               "Only virtio disks can be attached to a machine that runs.");
  return NULL;
}

char *
vmm_pc_attach_nic (VmmPc *self, const VmmNicConfig *nic, GError **error)
{
  int port = find_free_port (self, error);

  return port < 0
           ? NULL
           : insert (self, vmm_plugged_new_nic (port, find_number (self, "net"), nic), error);
}

/* It was there before the machine was turned on, or saved. */
static gboolean
plug_early (VmmPc *self, VmmPlugged *what, GError **error)
{
  VmmPcAttached *attached = plug (self, what, error);

  if (attached)
    vmm_root_port_put_in (attached->port);
  return attached != NULL;
}

/* What the configuration wants behind ports, in its order; there are enough of them. */
gboolean
vmm_pc_plug_configured (VmmPc *self, GError **error)
{
  const VmmConfig *config = self->config;

  for (guint i = 0; i < config->disks->len; i++) {
    const VmmDiskConfig *disk = g_ptr_array_index (config->disks, i);

    if (disk->hotplug &&
        !plug_early (self, vmm_plugged_new_disk (self->attached->len, i, disk), error))
      return FALSE;
  }
  for (guint i = 0; i < config->nics->len; i++) {
    const VmmNicConfig *nic = g_ptr_array_index (config->nics, i);

    if (nic->hotplug &&
        !plug_early (self, vmm_plugged_new_nic (self->attached->len, i, nic), error))
      return FALSE;
  }
  return TRUE;
}

guint
vmm_pc_count_attached (VmmPc *self)
{
  return self->attached->len;
}

/* Why it cannot be saved, or NULL. */
static const char *
find_obstacle (const VmmPcAttached *attached)
{
  if (attached->disconnected)
    return "was taken by force, and the guest has not given it up yet: save the machine when it "
           "has, "
           "or has been reset";
  if (attached->what->nic && attached->what->nic->tap_fd >= 0)
    return "is on a tap device that another program has opened: detach it before the machine is "
           "saved";
  return NULL;
}

/* They come and go while the machine runs. */
static void
note_forwards (VmmPc *self, VmmPcAttached *attached)
{
  VmmNicConfig *nic = attached->what->nic;
  GPtrArray *forwards = NULL;

  if (nic && nic->mode == VMM_NIC_USER)
    forwards = vmm_pc_list_forwards (self, attached->device->id, NULL);
  if (!forwards)
    return;
  g_ptr_array_unref (nic->forwards);
  nic->forwards = forwards;
}

gboolean
vmm_pc_save_attached (VmmPc *self, VmmState *state, GError **error)
{
  for (guint i = 0; i < self->attached->len; i++) {
    VmmPcAttached *attached = g_ptr_array_index (self->attached, i);
    const char *obstacle = find_obstacle (attached);

    if (obstacle) {
      g_set_error (error, VMM_ERROR, VMM_ERROR_STATE, "“%s” %s.", attached->device->id, obstacle);
      return FALSE;
    }
    note_forwards (self, attached);
    if (!vmm_plugged_save (attached->what, i, state, error))
      return FALSE;
  }
  return TRUE;
}

/* Whether the configuration had put it there already. */
static gboolean
is_plugged (VmmPc *self, const VmmPlugged *what)
{
  g_autofree char *id = vmm_plugged_get_id (what);
  VmmPciDevice *child = vmm_root_port_get_child (g_ptr_array_index (self->ports, what->port));

  return child && strcmp (child->parent.id, id) == 0;
}

gboolean
vmm_pc_attach_saved (VmmPc *self, guint n, VmmState *state, GError **error)
{
  for (guint i = 0; i < MIN (n, VMM_MAX_PORTS); i++) {
    g_autoptr (VmmPlugged) what = vmm_plugged_load (i, state, error);

    if (!what)
      return FALSE;
    if (what->port < self->ports->len && is_plugged (self, what))
      continue;
    if (what->port >= self->ports->len ||
        vmm_root_port_get_child (g_ptr_array_index (self->ports, what->port))) {
      g_set_error (
        error, VMM_ERROR, VMM_ERROR_SNAPSHOT,
        "The saved machine has something attached to port %u: give this one that port, and "
        "nothing else behind it.",
        what->port);
      return FALSE;
    }
    if (!plug_early (self, g_steal_pointer (&what), error))
      return FALSE;
  }
  return TRUE;
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
