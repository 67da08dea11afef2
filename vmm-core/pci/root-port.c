/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See root-port.h: the bridge (PCI-to-PCI Bridge 1.2, 3.2.5) and its life. Its slot is in
 * root-port-slot.c, its windows are in root-port-window.c.
 *
 * Locks: host bridge, port, child; never the other way round.
 *
 * Threads: vCPU with host bridge and port locked, or control with the vCPUs stopped.
 */
#include <string.h>

#include "pci/pci-host-private.h"
#include "pci/root-port-private.h"

/* By these firmware knows a root port that says how much is to be set aside for it. */
#define VENDOR_RED_HAT   0x1b36
#define DEVICE_ROOT_PORT 0x000c
#define CLASS_BRIDGE     0x060400

#define HEADER_BRIDGE        0x01
#define HEADER_MULTIFUNCTION 0x80
#define BRIDGE_WRITABLE      0x0003 /* parity, SERR */

static const VmmField root_port_fields[] = {
  VMM_FIELD_PART (VmmRootPort, parent, vmm_pci_device_fields, "pci"),
  VMM_EXEMPT (VmmRootPort, number, "from the configuration"),
  VMM_EXEMPT (VmmRootPort, express, "set up by realize"),
  VMM_EXEMPT (VmmRootPort, reserved, "set up by realize"),
  VMM_EXEMPT (VmmRootPort, child, "a device of its own"),
  VMM_EXEMPT (VmmRootPort, present, "what stands behind it"),
  VMM_EXEMPT (VmmRootPort, link, "follows from power and presence"),
  VMM_FIELD (VmmRootPort, wanted, VMM_FIELD_BOOL, "wanted"),
  VMM_FIELD (VmmRootPort, released, VMM_FIELD_BOOL, "released"),
  VMM_EXEMPT (VmmRootPort, signalled, "follows from the events"),
  VMM_FIELD (VmmRootPort, events, VMM_FIELD_UINT16, "events"),
  VMM_FIELD_LAST,
};

VmmPciDevice *
vmm_root_port_get_child (VmmDevice *port)
{
  return ((VmmRootPort *) port)->child;
}

gboolean
vmm_root_port_set_child (VmmRootPort *self, VmmPciDevice *child)
{
  if (child && self->child)
    return FALSE;
  self->child = child;
  return TRUE;
}

VmmPciDevice *
vmm_root_port_find (VmmRootPort *self, guint bus, guint slot, guint function)
{
  guint own = self->parent.config[ROOT_PORT_SECONDARY];

  return self->link && bus == own && own != 0 && slot == 0 && function == 0 ? self->child : NULL;
}

static void
root_port_config_written (VmmPciDevice *pci, guint offset, guint length)
{
  VmmRootPort *self = (VmmRootPort *) pci;

  root_port_slot_written (self, offset, length);
  if (root_port_touches (offset, length, ROOT_PORT_COMMAND, ROOT_PORT_COMMAND + 2) ||
      root_port_touches (offset, length, ROOT_PORT_MEMORY_BASE, ROOT_PORT_WINDOWS_END))
    root_port_update_child (self);
}

static void
put_bridge (VmmRootPort *self, gboolean several)
{
  static const guint8 all[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
  const guint16 window = ROOT_PORT_WINDOW_MASK, bridge = BRIDGE_WRITABLE;
  VmmPciDevice *pci = &self->parent;

  vmm_pci_device_put (pci, ROOT_PORT_HEADER_TYPE, 1,
                      HEADER_BRIDGE | (several ? HEADER_MULTIFUNCTION : 0));
  memcpy (pci->write_mask + ROOT_PORT_PRIMARY, all, 3);
  for (guint at = ROOT_PORT_MEMORY_BASE; at <= ROOT_PORT_PREFETCH_LIMIT; at += 2)
    memcpy (pci->write_mask + at, &window, sizeof window);
  memcpy (pci->write_mask + ROOT_PORT_BASE_UPPER, all, 8);
  memcpy (pci->write_mask + ROOT_PORT_BRIDGE_CONTROL, &bridge, sizeof bridge);
  root_port_put_windows (self);
}

static gboolean
root_port_realize (VmmDevice *device, gconstpointer data, GError **error)
{
  static const VmmPciIds ids = {
    .vendor = VENDOR_RED_HAT,
    .device = DEVICE_ROOT_PORT,
    .class_code = CLASS_BRIDGE,
  };
  VmmRootPort *self = (VmmRootPort *) device;
  const VmmRootPortConfig *config = data;
  VmmPciHost *host = device->board->pci;

  self->number = config->number;
  if (!vmm_pci_device_realize_at (&self->parent, config->slot, config->function, &ids, error))
    return FALSE;
  if (config->assigned && !root_port_assign (self))
    g_warning ("%s has no room for memory of devices.", device->id);
  put_bridge (self, config->several);
  root_port_put_slot (self);
  if (vmm_pci_device_add_msi (&self->parent, error)) {
    root_port_put_reservation (self);
    vmm_pci_host_set_port (host, self->number, self);
    return TRUE;
  }
  vmm_pci_device_unrealize (&self->parent);
  return FALSE;
}

static void
root_port_unrealize (VmmDevice *device)
{
  VmmRootPort *self = (VmmRootPort *) device;

  vmm_pci_host_set_port (device->board->pci, self->number, NULL);
  vmm_pci_device_unrealize (&self->parent);
}

static void
root_port_reset (VmmDevice *device)
{
  VmmRootPort *self = (VmmRootPort *) device;

  vmm_pci_device_reset (&self->parent);
  root_port_slot_reset (self);
}

static gboolean
root_port_loaded (VmmDevice *device, GError **error)
{
  if (!vmm_pci_device_loaded ((VmmPciDevice *) device, error))
    return FALSE;
  root_port_slot_loaded ((VmmRootPort *) device);
  return TRUE;
}

const VmmPciDeviceClass vmm_root_port_class = {
  .parent = { .name = "root-port",
              .instance_size = sizeof (VmmRootPort),
              .version = 2, /* 1: nothing stood behind it */
              .fields = root_port_fields,
              .realize = root_port_realize,
              .unrealize = root_port_unrealize,
              .reset = root_port_reset,
              .loaded = root_port_loaded },
  .config_written = root_port_config_written,
};
