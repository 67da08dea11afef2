/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a person does to a CD drive: puts a disc in, takes it out, presses its button.
 *
 * Threads: control, while the machine runs or not.
 */
#include "ahci/ahci-private.h"
#include "ahci/atapi-private.h"

static AhciPort *
find_cdrom (Ahci *self, const char *id)
{
  for (guint i = 0; i < VMM_AHCI_N_PORTS; i++) {
    AtaDrive *drive = &self->ports[i].drive;

    if (drive->klass == &atapi_cdrom_class && g_strcmp0 (drive->id, id) == 0)
      return &self->ports[i];
  }
  return NULL;
}

gboolean
vmm_ahci_has_cdrom (VmmDevice *device, const char *id)
{
  return find_cdrom ((Ahci *) device, id) != NULL;
}

gboolean
vmm_ahci_is_locked (VmmDevice *device, const char *id)
{
  AhciPort *port = find_cdrom ((Ahci *) device, id);
  gboolean locked;

  vmm_device_lock (device);
  locked = port && port->drive.atapi.locked;
  vmm_device_unlock (device);
  return locked;
}

void
vmm_ahci_ask_to_eject (VmmDevice *device, const char *id)
{
  AhciPort *port = find_cdrom ((Ahci *) device, id);

  vmm_device_lock (device);
  if (port)
    atapi_button_pressed (&port->drive);
  vmm_device_unlock (device);
}

void
vmm_ahci_change_medium (VmmDevice *device, const char *id, VmmBlock *block)
{
  Ahci *self = (Ahci *) device;
  AhciPort *port = find_cdrom (self, id);

  if (!port)
    return;
  vmm_device_lock (device);
  port->changing = TRUE;
  while (port->n_inflight > 0)
    vmm_device_wait (device, &self->idle);
  port->drive.block = block;
  atapi_medium_changed (&port->drive);
  port->changing = FALSE;
  vmm_kick_ring (&self->kick);
  vmm_device_unlock (device);
}
