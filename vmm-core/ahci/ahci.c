/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The AHCI controller: a PCI function (ICH9's), its life, and the interrupt that all ports share.
 *
 * Threads: as vmm-device.h says.
 */
#include <string.h>

#include "ahci/ahci-private.h"

#define BAR      5
#define BAR_SIZE 0x1000

#define MAP_REGISTER 0x90
#define MAP_AHCI     0x40

static const VmmField ahci_fields[] = {
  VMM_FIELD_PART (Ahci, parent, vmm_pci_device_fields, "pci"),
  VMM_FIELD (Ahci, ghc, VMM_FIELD_UINT32, "ghc"),
  VMM_FIELD (Ahci, is, VMM_FIELD_UINT32, "is"),
  VMM_FIELD (Ahci, bohc, VMM_FIELD_UINT32, "bohc"),
  VMM_EXEMPT (Ahci, resetting, "a drained controller is not"),
  VMM_EXEMPT (Ahci, drained, "whoever loads knows"),
  VMM_EXEMPT (Ahci, kick, "of the loop"),
  VMM_EXEMPT (Ahci, idle, "a condition"),
  VMM_EXEMPT (Ahci, spare, "memory to use again"),
  VMM_EXEMPT (Ahci, n_requests, "counts this run"),
  VMM_FIELD_PARTS (Ahci, ports, ahci_port_fields, "ports"),
  VMM_FIELD_LAST,
};

static void
ahci_kicked (gpointer data)
{
  Ahci *self = data;

  vmm_device_lock (&self->parent.parent);
  for (guint i = 0; i < VMM_AHCI_N_PORTS; i++)
    ahci_port_run (&self->ports[i]);
  vmm_device_unlock (&self->parent.parent);
}

/* By message each news is told, by pin as long as there is some. */
void
ahci_update_interrupt (Ahci *self, gboolean event)
{
  gboolean level;

  for (guint i = 0; i < VMM_AHCI_N_PORTS; i++)
    if (self->ports[i].is & self->ports[i].ie)
      self->is |= 1u << i;
  level = self->is != 0 && (self->ghc & AHCI_GHC_IE);
  vmm_pci_device_set_intx (&self->parent, level && !vmm_pci_device_has_msi (&self->parent));
  if (level && event)
    vmm_pci_device_send_msi (&self->parent);
}

static guint
count_inflight (Ahci *self)
{
  guint n = 0;

  for (guint i = 0; i < VMM_AHCI_N_PORTS; i++)
    n += self->ports[i].n_inflight;
  return n;
}

static void
finish_reset (Ahci *self, gboolean cold)
{
  self->resetting = FALSE;
  self->ghc = AHCI_GHC_AE;
  self->is = 0;
  for (guint i = 0; i < VMM_AHCI_N_PORTS; i++)
    ahci_port_reset (&self->ports[i], cold);
  ahci_update_interrupt (self, FALSE);
}

void
ahci_port_is_idle (Ahci *self)
{
  if (self->resetting && count_inflight (self) == 0)
    finish_reset (self, FALSE);
  g_cond_broadcast (&self->idle);
}

static void
wait_until_idle (Ahci *self)
{
  while (count_inflight (self) > 0)
    vmm_device_wait (&self->parent.parent, &self->idle);
}

/* Nothing that is in flight finds its command again. */
static void
forget_commands (Ahci *self)
{
  for (guint i = 0; i < VMM_AHCI_N_PORTS; i++)
    self->ports[i].running = self->ports[i].queued = self->ports[i].kept = 0;
}

void
ahci_reset_controller (Ahci *self)
{
  self->ghc |= AHCI_GHC_HR;
  self->resetting = TRUE;
  forget_commands (self);
  if (count_inflight (self) == 0)
    finish_reset (self, FALSE);
}

static void
ahci_drain (VmmDevice *device)
{
  Ahci *self = (Ahci *) device;

  vmm_device_lock (device);
  self->drained = TRUE;
  wait_until_idle (self);
  vmm_device_unlock (device);
}

static void
ahci_resume (VmmDevice *device)
{
  Ahci *self = (Ahci *) device;

  vmm_device_lock (device);
  self->drained = FALSE;
  for (guint i = 0; i < VMM_AHCI_N_PORTS; i++)
    self->ports[i].held = FALSE;
  vmm_kick_ring (&self->kick);
  vmm_device_unlock (device);
}

static void
ahci_reset (VmmDevice *device)
{
  Ahci *self = (Ahci *) device;

  forget_commands (self);
  wait_until_idle (self);
  self->bohc = 0;
  finish_reset (self, TRUE);
  vmm_pci_device_reset (&self->parent);
}

static gboolean
ahci_loaded (VmmDevice *device, GError **error)
{
  Ahci *self = (Ahci *) device;

  self->ghc = AHCI_GHC_AE | (self->ghc & AHCI_GHC_IE);
  self->resetting = FALSE;
  self->bohc &= AHCI_BOHC;
  for (guint i = 0; i < VMM_AHCI_N_PORTS; i++)
    ahci_port_loaded (&self->ports[i]);
  if (!vmm_pci_device_loaded (&self->parent, error))
    return FALSE;
  ahci_update_interrupt (self, FALSE);
  if (!self->drained)
    vmm_kick_ring (&self->kick);
  return TRUE;
}

static void
plug_in (AtaDrive *drive, const VmmAhciPortConfig *config)
{
  if (config->kind == VMM_AHCI_EMPTY)
    return;
  drive->klass = config->kind == VMM_AHCI_CDROM ? &atapi_cdrom_class : &ata_disk_class;
  drive->id = g_strdup (config->id);
  drive->block = config->block;
  memset (drive->serial, ' ', sizeof drive->serial);
  memcpy (drive->serial, config->id, MIN (strlen (config->id), sizeof drive->serial));
}

static void
free_parts (Ahci *self)
{
  vmm_kick_clear (&self->kick);
  for (guint i = 0; i < VMM_AHCI_N_PORTS; i++)
    g_free (self->ports[i].drive.id);
  g_ptr_array_unref (self->spare);
  g_cond_clear (&self->idle);
}

static gboolean
add_function (Ahci *self, const VmmAhciConfig *config, GError **error)
{
  static const VmmPciIds ids = {
    .vendor = 0x8086,
    .device = 0x2922,
    .subsystem_vendor = 0x1af4,
    .subsystem = 0x1100,
    .revision = 2,
    .class_code = 0x010601,
  };
  VmmPciDevice *pci = &self->parent;

  if (!vmm_pci_device_realize_at (pci, config->slot, config->function, &ids, error))
    return FALSE;
  vmm_pci_device_put (pci, MAP_REGISTER, 1, MAP_AHCI);
  if (vmm_pci_device_add_bar (pci, BAR, BAR_SIZE, FALSE, &ahci_ops, error) &&
      vmm_pci_device_add_msi (pci, error))
    return TRUE;
  vmm_pci_device_unrealize (pci);
  return FALSE;
}

static gboolean
ahci_realize (VmmDevice *device, gconstpointer data, GError **error)
{
  Ahci *self = (Ahci *) device;
  const VmmAhciConfig *config = data;

  if (!vmm_kick_init (&self->kick, device->board->loop, ahci_kicked, self, error))
    return FALSE;
  g_cond_init (&self->idle);
  self->spare = g_ptr_array_new_with_free_func (g_free);
  self->ghc = AHCI_GHC_AE;
  for (guint i = 0; i < VMM_AHCI_N_PORTS; i++) {
    plug_in (&self->ports[i].drive, &config->ports[i]);
    ahci_port_init (&self->ports[i], self, i);
  }
  if (add_function (self, config, error))
    return TRUE;
  free_parts (self);
  return FALSE;
}

static void
ahci_unrealize (VmmDevice *device)
{
  Ahci *self = (Ahci *) device;

  ahci_drain (device);
  vmm_pci_device_unrealize (&self->parent);
  free_parts (self);
}

guint64
vmm_ahci_get_n_requests (VmmDevice *device)
{
  return __atomic_load_n (&((Ahci *) device)->n_requests, __ATOMIC_RELAXED);
}

const VmmPciDeviceClass vmm_ahci_class = {
  .parent = {
    .name = "ahci",
    .instance_size = sizeof (Ahci),
    .version = 1,
    .fields = ahci_fields,
    .realize = ahci_realize,
    .unrealize = ahci_unrealize,
    .drain = ahci_drain,
    .resume = ahci_resume,
    .reset = ahci_reset,
    .loaded = ahci_loaded,
  },
};
