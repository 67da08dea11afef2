/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What devices ask of KVM: doorbells (ioeventfd), pins, and messages (irqfd and the routing table).
 * Apart from kvm-vm.c because this half is called by devices on any thread, the other by the
 * machine.
 *
 * Threads: any; the lock is held for no longer than one ioctl.
 */
#include "kvm/kvm-private.h"

#include <errno.h>
#include <string.h>

#include "vmm-error.h"

#define COMPLAINT_INTERVAL (10 * G_USEC_PER_SEC)
#define MAX_COMPLAINTS     10

static VmmKvm *
kvm_of (VmmPlatform *platform)
{
  return (VmmKvm *) platform;
}

static gboolean
set_doorbell (VmmKvm *self, const VmmDoorbell *doorbell, guint flags)
{
  struct kvm_ioeventfd request = {
    .datamatch = doorbell->match ? doorbell->value : 0,
    .addr = doorbell->address,
    .len = doorbell->length,
    .fd = doorbell->fd,
    .flags = flags | (doorbell->space == VMM_SPACE_PIO ? KVM_IOEVENTFD_FLAG_PIO : 0) |
             (doorbell->match ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0),
  };

  return vmm_kvm_ioctl (self->vm_fd, KVM_IOEVENTFD, &request) == 0;
}

static gboolean
add_doorbell (VmmPlatform *platform, const VmmDoorbell *doorbell, GError **error)
{
  return set_doorbell (kvm_of (platform), doorbell, 0) ||
         vmm_kvm_fail ("watch a device's doorbell", error);
}

static void
remove_doorbell (VmmPlatform *platform, const VmmDoorbell *doorbell)
{
  if (!set_doorbell (kvm_of (platform), doorbell, KVM_IOEVENTFD_FLAG_DEASSIGN))
    g_warning ("A doorbell cannot be removed: %s.", g_strerror (errno));
}

static void
set_line (VmmPlatform *platform, guint gsi, gboolean level)
{
  struct kvm_irq_level line = { .irq = gsi, .level = level };

  if (vmm_kvm_ioctl (kvm_of (platform)->vm_fd, KVM_IRQ_LINE, &line) < 0)
    g_warning ("Interrupt pin %u cannot be set: %s.", gsi, g_strerror (errno));
}

static void
silence_pit (VmmPlatform *platform, gboolean silent)
{
  VmmKvm *self = kvm_of (platform);
  struct kvm_pit_state2 pit;

  if (vmm_kvm_ioctl (self->vm_fd, KVM_GET_PIT2, &pit) == 0) {
    pit.flags &= ~KVM_PIT_FLAGS_HPET_LEGACY;
    pit.flags |= silent ? KVM_PIT_FLAGS_HPET_LEGACY : 0;
    if (vmm_kvm_ioctl (self->vm_fd, KVM_SET_PIT2, &pit) == 0)
      return;
  }
  g_warning ("The timer cannot be set: %s.", g_strerror (errno));
}

static void
fill_pin (struct kvm_irq_routing_entry *entry, guint gsi, guint chip, guint pin)
{
  entry->gsi = gsi;
  entry->type = KVM_IRQ_ROUTING_IRQCHIP;
  entry->u.irqchip.irqchip = chip;
  entry->u.irqchip.pin = pin;
}

/* As on every PC: pins 0 to 15 reach the old controllers too, and the timer's pin 0 is the I/O
 * APIC's pin 2 (MADT says so). */
static guint
fill_pins (struct kvm_irq_routing_entry *entries)
{
  guint n = 0;

  for (guint gsi = 0; gsi < 16; gsi++)
    if (gsi != 2)
      fill_pin (&entries[n++], gsi, gsi < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
                gsi % 8);
  for (guint gsi = 0; gsi < VMM_N_PINS; gsi++)
    if (gsi != 2)
      fill_pin (&entries[n++], gsi, KVM_IRQCHIP_IOAPIC, gsi == 0 ? 2 : gsi);
  return n;
}

gboolean
vmm_kvm_set_routes (VmmKvm *self, GError **error)
{
  gsize most = 16 + VMM_N_PINS + self->n_routes;
  g_autofree struct kvm_irq_routing *table =
    g_malloc0 (sizeof *table + most * sizeof table->entries[0]);
  guint n = fill_pins (table->entries);

  for (guint i = 0; i < self->n_routes; i++) {
    struct kvm_irq_routing_entry *entry = &table->entries[n];

    if (!self->routes[i].used)
      continue;
    entry->gsi = VMM_N_PINS + i;
    entry->type = KVM_IRQ_ROUTING_MSI;
    entry->u.msi.address_lo = (guint32) self->routes[i].msi.address;
    entry->u.msi.address_hi = (guint32) (self->routes[i].msi.address >> 32);
    entry->u.msi.data = self->routes[i].msi.data;
    n++;
  }
  table->nr = n;
  if (vmm_kvm_ioctl (self->vm_fd, KVM_SET_GSI_ROUTING, table) < 0)
    return vmm_kvm_fail ("route interrupts", error);
  return TRUE;
}

static gboolean
set_irqfd (VmmKvm *self, int route, guint flags)
{
  struct kvm_irqfd request = { .fd = self->routes[route].fd,
                               .gsi = VMM_N_PINS + route,
                               .flags = flags };

  return vmm_kvm_ioctl (self->vm_fd, KVM_IRQFD, &request) == 0;
}

/* The first free slot, or -1. */
static int
claim_route (VmmKvm *self)
{
  for (guint i = 0; i < VMM_MAX_MESSAGES; i++)
    if (!self->routes[i].used) {
      self->n_routes = MAX (self->n_routes, i + 1);
      return i;
    }
  return -1;
}

static int
add_msi (VmmPlatform *platform, int fd, const VmmMsi *msi, GError **error)
{
  VmmKvm *self = kvm_of (platform);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  int route = claim_route (self);

  if (route < 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_KVM, "The machine has more than %d interrupts.",
                 VMM_MAX_MESSAGES);
    return -1;
  }
  self->routes[route] = (VmmRoute) { .used = TRUE, .fd = fd, .msi = *msi };
  if (vmm_kvm_set_routes (self, error)) {
    if (set_irqfd (self, route, 0))
      return route;
    vmm_kvm_fail ("take an interrupt", error);
  }
  self->routes[route].used = FALSE;
  return -1;
}

static void
update_msi (VmmPlatform *platform, int route, const VmmMsi *msi)
{
  VmmKvm *self = kvm_of (platform);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  g_autoptr (GError) error = NULL;

  self->routes[route].msi = *msi;
  if (!vmm_kvm_set_routes (self, &error))
    g_warning ("%s", error->message);
}

static void
remove_msi (VmmPlatform *platform, int route)
{
  VmmKvm *self = kvm_of (platform);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  g_autoptr (GError) error = NULL;

  if (!set_irqfd (self, route, KVM_IRQFD_FLAG_DEASSIGN))
    g_warning ("An interrupt cannot be removed: %s.", g_strerror (errno));
  self->routes[route].used = FALSE;
  if (!vmm_kvm_set_routes (self, &error))
    g_warning ("%s", error->message);
}

static void
request (VmmPlatform *platform, VmmRequestKind kind, guint32 value)
{
  VmmKvm *self = kvm_of (platform);

  self->events->request (self->data, kind, value);
}

static void
ask_pause (VmmPlatform *platform, const char *device_id, const char *why)
{
  VmmKvm *self = kvm_of (platform);

  self->events->pause (self->data, device_id, why);
}

/* A guest can break its devices as fast as it likes: a few complaints in a while are enough. */
static gboolean
may_complain (VmmKvm *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gint64 now = g_get_monotonic_time ();

  if (now - self->last_complaint > COMPLAINT_INTERVAL) {
    self->last_complaint = now;
    self->n_complaints = 0;
  }
  return self->n_complaints++ < MAX_COMPLAINTS;
}

static void
panicked (VmmPlatform *platform)
{
  VmmKvm *self = kvm_of (platform);

  self->events->panicked (self->data);
}

static void
unplugged (VmmPlatform *platform)
{
  VmmKvm *self = kvm_of (platform);

  self->events->unplugged (self->data);
}

static void
device_broken (VmmPlatform *platform, const char *device_id, const char *why)
{
  VmmKvm *self = kvm_of (platform);

  if (may_complain (self))
    self->events->device_broken (self->data, device_id, why);
}

const VmmPlatformClass vmm_kvm_platform_class = {
  .add_doorbell = add_doorbell,
  .remove_doorbell = remove_doorbell,
  .set_line = set_line,
  .silence_pit = silence_pit,
  .add_msi = add_msi,
  .update_msi = update_msi,
  .remove_msi = remove_msi,
  .map_slot = vmm_kvm_map_slot,
  .unmap_slot = vmm_kvm_unmap_slot,
  .take_dirty = vmm_kvm_take_dirty,
  .request = request,
  .pause = ask_pause,
  .panicked = panicked,
  .unplugged = unplugged,
  .device_broken = device_broken,
};
