/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See root-port.h. Registers of the bridge: PCI-to-PCI Bridge 1.2, 3.2.5.
 *
 * Locks: host bridge, port, child; never the other way round.
 *
 * Threads: vCPU with host bridge and port locked, or control with the vCPUs stopped.
 */
#include <string.h>

#include "pci/pci-express.h"
#include "pci/pci-host-private.h"
#include "pci/root-port-private.h"

/* By these firmware knows a root port that says how much is to be set aside for it. */
#define VENDOR_RED_HAT   0x1b36
#define DEVICE_ROOT_PORT 0x000c
#define CLASS_BRIDGE     0x060400

#define REG_COMMAND        0x04
#define REG_HEADER_TYPE    0x0e
#define REG_PRIMARY        0x18
#define REG_SECONDARY      0x19
#define REG_SUBORDINATE    0x1a
#define REG_MEMORY_BASE    0x20
#define REG_MEMORY_LIMIT   0x22
#define REG_PREFETCH_BASE  0x24
#define REG_PREFETCH_LIMIT 0x26
#define REG_BASE_UPPER     0x28
#define REG_LIMIT_UPPER    0x2c
#define REG_WINDOWS_END    0x30
#define REG_BRIDGE_CONTROL 0x3e

#define HEADER_BRIDGE        0x01
#define HEADER_MULTIFUNCTION 0x80
#define COMMAND_MEMORY       0x0002
#define WINDOW_MASK          0xfff0u
#define WINDOW_WIDE          0x0001u
#define WINDOW_SHIFT         16 /* registers have bits 20 to 31, at bit 4 */
#define WINDOW_UNIT          0x100000u
#define BRIDGE_WRITABLE      0x0003 /* parity, SERR */

#define SLOT_BUTTON     (1u << 0)
#define SLOT_POWER      (1u << 1)
#define SLOT_INDICATORS (3u << 3)
#define SLOT_HOT_PLUG   (1u << 6)
#define SLOT_IMMEDIATE  (1u << 18) /* commands are done at once and say nothing */
#define SLOT_NUMBER     19

#define CONTROL_WRITABLE  0x17ff
#define CONTROL_INTERRUPT 0x0020
#define CONTROL_LIGHT     0x0300 /* the power indicator */
#define LIGHT_ON          0x0100
#define LIGHT_BLINKS      0x0200
#define LIGHT_OFF         0x0300
#define CONTROL_OFF       0x0400
#define CONTROL_LINK      0x1000

#define EVENT_BUTTON   0x0001
#define EVENT_PRESENCE 0x0008
#define EVENT_LINK     0x0100
#define EVENTS         0x011f /* those that the guest acknowledges */
#define SIMPLE_EVENTS  0x001f /* enabled by the same bits of the control register */
#define STATUS_PRESENT 0x0040

/* "Resource reservation" of QEMU's bridges: what firmware sets aside. */
#define CAPABILITY_VENDOR 0x09
#define RESERVE_LENGTH    40
#define RESERVE_TYPE      1
#define NO_HINT           G_MAXUINT32

#define MEMORY_SIZE   (G_GUINT64_CONSTANT (2) << 20)
#define PREFETCH_SIZE (G_GUINT64_CONSTANT (1) << 30)

enum {
  WINDOW_MEMORY,
  WINDOW_PREFETCH,
  N_WINDOWS,
};

struct _VmmRootPort {
  VmmPciDevice parent;
  guint number;
  guint express; /* the capability */
  VmmPciWindow reserved[N_WINDOWS];
  VmmPciDevice *child;
  gboolean present;   /* the child is in the slot, as far as the guest sees */
  gboolean link;      /* and has power */
  gboolean wanted;    /* somebody asked for the child */
  gboolean released;  /* and the guest has given it up; atomic */
  gboolean signalled; /* an interrupt was sent for what is pending */
  guint16 events;     /* of the slot's status */
};

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

static guint16
get16 (VmmRootPort *self, guint offset)
{
  return self->parent.config[offset] | self->parent.config[offset + 1] << 8;
}

static void
set16 (VmmRootPort *self, guint offset, guint16 value)
{
  memcpy (self->parent.config + offset, &value, sizeof value);
}

static void
change16 (VmmRootPort *self, guint offset, guint16 bits, gboolean on)
{
  guint16 value = get16 (self, offset);

  set16 (self, offset, on ? value | bits : value & ~bits);
}

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
  guint own = self->parent.config[REG_SECONDARY];

  return self->link && bus == own && own != 0 && slot == 0 && function == 0 ? self->child : NULL;
}

/* Base and limit are the upper bits of the first and the last MiB. */
gboolean
vmm_root_port_get_window (VmmRootPort *self, guint index, VmmPciWindow *window)
{
  guint at = index == WINDOW_MEMORY ? REG_MEMORY_BASE : REG_PREFETCH_BASE;
  guint64 base = (guint64) (get16 (self, at) & WINDOW_MASK) << WINDOW_SHIFT;
  guint64 limit = (guint64) (get16 (self, at + 2) & WINDOW_MASK) << WINDOW_SHIFT;
  guint32 upper[2];

  if (index == WINDOW_PREFETCH) {
    memcpy (upper, self->parent.config + REG_BASE_UPPER, sizeof upper);
    base |= (guint64) upper[0] << 32;
    limit |= (guint64) upper[1] << 32;
  }
  *window = (VmmPciWindow) { base, limit - base + WINDOW_UNIT };
  return limit >= base && window->size > 0;
}

gboolean
vmm_root_port_get_reserved (VmmRootPort *self, guint index, VmmPciWindow *window)
{
  *window = self->reserved[index];
  return window->size > 0;
}

gboolean
vmm_root_port_forwards (VmmRootPort *self, guint64 address, guint64 size)
{
  VmmPciWindow window;

  if (!self->link || !(get16 (self, REG_COMMAND) & COMMAND_MEMORY))
    return FALSE;
  for (guint i = 0; i < N_WINDOWS; i++)
    if (vmm_root_port_get_window (self, i, &window) && address >= window.base &&
        size <= window.size && address - window.base <= window.size - size)
      return TRUE;
  return FALSE;
}

/* Behind the BARs that it has already. Where no window is open yet any place is as good as another:
 * whoever opens one moves the BARs. */
guint64
vmm_root_port_find_room (VmmRootPort *self, guint64 size)
{
  VmmPciWindow window;
  guint64 at;

  if (!vmm_root_port_get_window (self, WINDOW_MEMORY, &window) || window.base == 0)
    window = (VmmPciWindow) { VMM_PCI_WINDOW_BASE, VMM_PCI_WINDOW_END - VMM_PCI_WINDOW_BASE };
  at = window.base;
  for (guint i = 0; self->child && i < VMM_PCI_N_BARS; i++)
    if (self->child->bars[i].size > 0)
      at = MAX (at, self->child->bars[i].first + self->child->bars[i].size);
  at = (at + size - 1) & ~(size - 1);
  return size <= window.size && at - window.base <= window.size - size ? at : 0;
}

/* MSI, where the guest has set it up, for what begins to pend; else the pin while something does.
 */
static void
update_interrupt (VmmRootPort *self)
{
  guint16 control = get16 (self, self->express + VMM_PCI_EXPRESS_SLOT_CONTROL);
  guint16 enabled = (control & SIMPLE_EVENTS) | (control & CONTROL_LINK ? EVENT_LINK : 0);
  gboolean pending = (control & CONTROL_INTERRUPT) && (self->events & enabled);
  gboolean msi = vmm_pci_device_has_msi (&self->parent);

  if (pending && !self->signalled && msi)
    vmm_pci_device_send_msi (&self->parent);
  self->signalled = pending;
  vmm_pci_device_set_intx (&self->parent, pending && !msi);
}

/* BARs behind the port answer where it forwards. */
static void
update_child (VmmRootPort *self)
{
  if (!self->child)
    return;
  vmm_device_lock (&self->child->parent);
  vmm_pci_device_update_bars (self->child);
  vmm_device_unlock (&self->child->parent);
}

/* Presence, power or events changed. */
static void
update (VmmRootPort *self)
{
  guint control = self->express + VMM_PCI_EXPRESS_SLOT_CONTROL;
  gboolean link = self->present && !(get16 (self, control) & CONTROL_OFF);

  if (link != self->link) {
    self->link = link;
    self->events |= EVENT_LINK;
    update_child (self);
  }
  set16 (self, self->express + VMM_PCI_EXPRESS_SLOT_STATUS,
         self->events | (self->present ? STATUS_PRESENT : 0));
  change16 (self, self->express + VMM_PCI_EXPRESS_LINK_STATUS, VMM_PCI_EXPRESS_LINK_ACTIVE, link);
  update_interrupt (self);
}

static void
release (VmmRootPort *self)
{
  VmmPlatform *platform = self->parent.parent.board->platform;

  self->wanted = FALSE;
  self->present = FALSE;
  self->events |= EVENT_PRESENCE;
  g_atomic_int_set (&self->released, TRUE);
  platform->klass->unplugged (platform);
}

static gboolean
touches (guint offset, guint length, guint start, guint end)
{
  return offset < end && offset + length > start;
}

/* Ones acknowledge events: the bytes that were written hold them now. */
static void
acknowledge (VmmRootPort *self, guint offset, guint length)
{
  guint status = self->express + VMM_PCI_EXPRESS_SLOT_STATUS;

  for (guint i = 0; i < 2; i++)
    if (touches (offset, length, status + i, status + i + 1))
      self->events &= ~(self->parent.config[status + i] << 8 * i);
}

static void
root_port_config_written (VmmPciDevice *pci, guint offset, guint length)
{
  VmmRootPort *self = (VmmRootPort *) pci;
  guint control = self->express + VMM_PCI_EXPRESS_SLOT_CONTROL;
  guint status = self->express + VMM_PCI_EXPRESS_SLOT_STATUS;

  if (touches (offset, length, control, status + 2)) {
    acknowledge (self, offset, length);
    if (self->wanted && (get16 (self, control) & CONTROL_OFF))
      release (self);
    update (self);
  }
  if (touches (offset, length, REG_COMMAND, REG_COMMAND + 2) ||
      touches (offset, length, REG_MEMORY_BASE, REG_WINDOWS_END))
    update_child (self);
}

/* The button alone would have Linux wait 5 seconds for a change of mind; a word from the link has
 * it look, and begin at once. */
void
vmm_root_port_insert (VmmDevice *port)
{
  VmmRootPort *self = (VmmRootPort *) port;

  vmm_device_lock (port);
  self->present = TRUE;
  self->events |= EVENT_PRESENCE | EVENT_LINK | EVENT_BUTTON;
  update (self);
  vmm_device_unlock (port);
}

/* With power, and nothing to tell. */
static void
settle (VmmRootPort *self)
{
  if (self->present)
    set16 (self, self->express + VMM_PCI_EXPRESS_SLOT_CONTROL, LIGHT_ON);
  self->signalled = FALSE;
  update (self);
  self->events = 0;
  update (self);
}

void
vmm_root_port_put_in (VmmDevice *port)
{
  VmmRootPort *self = (VmmRootPort *) port;

  vmm_device_lock (port);
  self->present = TRUE;
  settle (self);
  vmm_device_unlock (port);
}

/* A guest that is about to give the card up would take a second press for a change of mind. */
void
vmm_root_port_press_button (VmmDevice *port)
{
  VmmRootPort *self = (VmmRootPort *) port;
  guint16 control;

  vmm_device_lock (port);
  control = get16 (self, self->express + VMM_PCI_EXPRESS_SLOT_CONTROL);
  self->wanted = TRUE;
  if (control & CONTROL_OFF)
    release (self);
  else if ((control & CONTROL_LIGHT) != LIGHT_BLINKS)
    self->events |= EVENT_BUTTON;
  update (self);
  vmm_device_unlock (port);
}

gboolean
vmm_root_port_is_released (VmmDevice *port)
{
  return g_atomic_int_get (&((VmmRootPort *) port)->released);
}

void
vmm_root_port_remove (VmmDevice *port)
{
  VmmRootPort *self = (VmmRootPort *) port;

  vmm_device_lock (port);
  if (self->present)
    self->events |= EVENT_PRESENCE;
  self->present = FALSE;
  self->wanted = FALSE;
  g_atomic_int_set (&self->released, FALSE);
  update (self);
  vmm_device_unlock (port);
}

static void
put_window (VmmRootPort *self, guint at, const VmmPciWindow *window, guint16 kind)
{
  guint64 last = window->base + window->size - 1;

  vmm_pci_device_put (&self->parent, at, 2, (window->base >> WINDOW_SHIFT & WINDOW_MASK) | kind);
  vmm_pci_device_put (&self->parent, at + 2, 2, (last >> WINDOW_SHIFT & WINDOW_MASK) | kind);
  if (!(kind & WINDOW_WIDE))
    return;
  vmm_pci_device_put (&self->parent, REG_BASE_UPPER, 4, window->base >> 32);
  vmm_pci_device_put (&self->parent, REG_LIMIT_UPPER, 4, last >> 32);
}

/* A window of no size: its limit is below its base. */
static void
put_windows (VmmRootPort *self)
{
  static const VmmPciWindow none = { WINDOW_UNIT, 0 };
  const VmmPciWindow *memory = &self->reserved[WINDOW_MEMORY];
  const VmmPciWindow *prefetch = &self->reserved[WINDOW_PREFETCH];

  put_window (self, REG_MEMORY_BASE, memory->size ? memory : &none, 0);
  put_window (self, REG_PREFETCH_BASE, prefetch->size ? prefetch : &none, WINDOW_WIDE);
}

/* What firmware does where there is some. */
static gboolean
assign (VmmRootPort *self)
{
  VmmPciHost *host = self->parent.parent.board->pci;
  VmmPciWindow *memory = &self->reserved[WINDOW_MEMORY];
  VmmPciWindow *prefetch = &self->reserved[WINDOW_PREFETCH];

  memory->base = vmm_pci_host_find_room (host, MEMORY_SIZE, FALSE);
  memory->size = memory->base ? MEMORY_SIZE : 0;
  prefetch->base = vmm_pci_host_find_high_room (host, PREFETCH_SIZE);
  prefetch->size = prefetch->base ? PREFETCH_SIZE : 0;
  vmm_pci_device_put (&self->parent, REG_SECONDARY, 1, self->number + 1);
  vmm_pci_device_put (&self->parent, REG_SUBORDINATE, 1, self->number + 1);
  return memory->size > 0;
}

static void
put_bridge (VmmRootPort *self, gboolean several)
{
  static const guint8 all[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
  const guint16 window = WINDOW_MASK, bridge = BRIDGE_WRITABLE;
  VmmPciDevice *pci = &self->parent;

  vmm_pci_device_put (pci, REG_HEADER_TYPE, 1,
                      HEADER_BRIDGE | (several ? HEADER_MULTIFUNCTION : 0));
  memcpy (pci->write_mask + REG_PRIMARY, all, 3);
  for (guint at = REG_MEMORY_BASE; at <= REG_PREFETCH_LIMIT; at += 2)
    memcpy (pci->write_mask + at, &window, sizeof window);
  memcpy (pci->write_mask + REG_BASE_UPPER, all, 8);
  memcpy (pci->write_mask + REG_BRIDGE_CONTROL, &bridge, sizeof bridge);
  put_windows (self);
}

static void
put_slot (VmmRootPort *self)
{
  const guint16 control = CONTROL_WRITABLE, events = EVENTS;
  VmmPciDevice *pci = &self->parent;
  guint at;

  self->express = at = vmm_pci_device_add_express (pci, VMM_PCI_EXPRESS_ROOT_PORT, self->number);
  vmm_pci_device_put (pci, at + VMM_PCI_EXPRESS_SLOT_CAPABILITIES, 4,
                      SLOT_BUTTON | SLOT_POWER | SLOT_INDICATORS | SLOT_HOT_PLUG | SLOT_IMMEDIATE |
                        (self->number + 1) << SLOT_NUMBER);
  vmm_pci_device_put (pci, at + VMM_PCI_EXPRESS_SLOT_CONTROL, 2, LIGHT_OFF | CONTROL_OFF);
  memcpy (pci->write_mask + at + VMM_PCI_EXPRESS_SLOT_CONTROL, &control, sizeof control);
  memcpy (pci->write_mask + at + VMM_PCI_EXPRESS_SLOT_STATUS, &events, sizeof events);
}

/* One bus, no ports, so much memory. */
static void
put_reservation (VmmRootPort *self)
{
  VmmPciDevice *pci = &self->parent;
  guint at = vmm_pci_device_add_capability (pci, CAPABILITY_VENDOR, RESERVE_LENGTH);

  vmm_pci_device_put (pci, at + 2, 1, RESERVE_LENGTH);
  vmm_pci_device_put (pci, at + 3, 1, RESERVE_TYPE);
  vmm_pci_device_put (pci, at + 4, 4, NO_HINT);
  vmm_pci_device_put (pci, at + 16, 4, MEMORY_SIZE);
  vmm_pci_device_put (pci, at + 20, 4, NO_HINT);
  vmm_pci_device_put (pci, at + 24, 4, PREFETCH_SIZE);
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
  if (config->assigned && !assign (self))
    g_warning ("%s has no room for memory of devices.", device->id);
  put_bridge (self, config->several);
  put_slot (self);
  if (vmm_pci_device_add_msi (&self->parent, error)) {
    put_reservation (self);
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

/* A card that is there has power from the start. What was asked of a guest that is no more, it
 * need not consent to. */
static void
root_port_reset (VmmDevice *device)
{
  VmmRootPort *self = (VmmRootPort *) device;

  vmm_pci_device_reset (&self->parent);
  if (self->wanted)
    release (self);
  settle (self);
}

static gboolean
root_port_loaded (VmmDevice *device, GError **error)
{
  VmmRootPort *self = (VmmRootPort *) device;
  VmmPlatform *platform = device->board->platform;
  guint16 events = self->events & EVENTS;

  if (!vmm_pci_device_loaded (&self->parent, error))
    return FALSE;
  self->released = self->released && self->child;
  self->present = self->child && !self->released;
  self->signalled = TRUE; /* by whoever was saved */
  update (self);
  self->events = events; /* that it has power now is no news */
  update (self);
  if (self->released)
    platform->klass->unplugged (platform);
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
