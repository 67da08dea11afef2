/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-guest.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 20000

static gboolean
add_doorbell (VmmPlatform *platform, const VmmDoorbell *doorbell, GError **error)
{
  FakePlatform *self = (FakePlatform *) platform;

  if (self->refuse)
    return FALSE;
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->doorbells, g_memdup2 (doorbell, sizeof *doorbell));
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static VmmDoorbell *
find_doorbell (FakePlatform *self, guint64 address, guint *at)
{
  for (guint i = 0; i < self->doorbells->len; i++) {
    VmmDoorbell *doorbell = g_ptr_array_index (self->doorbells, i);

    if (doorbell->address == address) {
      if (at)
        *at = i;
      return doorbell;
    }
  }
  return NULL;
}

static void
remove_doorbell (VmmPlatform *platform, const VmmDoorbell *doorbell)
{
  FakePlatform *self = (FakePlatform *) platform;
  guint at = 0;

  g_mutex_lock (&self->lock);
  g_assert_nonnull (find_doorbell (self, doorbell->address, &at));
  g_ptr_array_remove_index (self->doorbells, at);
  g_mutex_unlock (&self->lock);
}

static void
set_line (VmmPlatform *platform, guint gsi, gboolean level)
{
  FakePlatform *self = (FakePlatform *) platform;

  g_assert_cmpuint (gsi, <, FAKE_N_LINES);
  g_mutex_lock (&self->lock);
  self->n_rises[gsi] += level && !self->lines[gsi];
  self->lines[gsi] = level;
  g_mutex_unlock (&self->lock);
}

static int
map_slot (VmmPlatform *platform,
          guint64 address,
          guint64 size,
          gpointer host,
          VmmSlotFlags flags,
          GError **error)
{
  FakePlatform *self = (FakePlatform *) platform;
  int slot = 0;

  g_assert_cmphex ((address | size | (guintptr) host) & 4095, ==, 0);
  g_mutex_lock (&self->lock);
  while (self->slots[slot].size > 0)
    g_assert_cmpint (++slot, <, FAKE_N_SLOTS);
  self->slots[slot] = (FakeSlot) { address, size, host, flags };
  g_mutex_unlock (&self->lock);
  return slot;
}

static void
unmap_slot (VmmPlatform *platform, int slot)
{
  FakePlatform *self = (FakePlatform *) platform;

  g_mutex_lock (&self->lock);
  g_assert_cmpuint (self->slots[slot].size, >, 0);
  self->slots[slot].size = 0;
  g_mutex_unlock (&self->lock);
}

static gboolean
take_dirty (VmmPlatform *platform, int slot, guint64 *bitmap)
{
  return FALSE;
}

static FakeSlot *
find_slot (FakePlatform *self, guint64 address)
{
  for (guint i = 0; i < FAKE_N_SLOTS; i++)
    if (address - self->slots[i].address < self->slots[i].size)
      return &self->slots[i];
  return NULL;
}

guint64
fake_guest_read (FakeGuest *self, guint64 address, guint size)
{
  FakeSlot *slot = find_slot (&self->platform, address);
  guint64 value = 0;

  if (!slot)
    return vmm_bus_read (self->mmio, address, size);
  memcpy (&value, slot->host + (address - slot->address), size);
  return value;
}

void
fake_guest_write (FakeGuest *self, guint64 address, guint size, guint64 value)
{
  FakeSlot *slot = find_slot (&self->platform, address);

  if (!slot || (slot->flags & VMM_SLOT_READONLY))
    vmm_bus_write (self->mmio, address, size, value);
  else
    memcpy (slot->host + (address - slot->address), &value, size);
}

static int
add_msi (VmmPlatform *platform, int fd, const VmmMsi *msi, GError **error)
{
  FakePlatform *self = (FakePlatform *) platform;
  FakeMessage message = { fd, *msi };
  int route;

  if (self->refuse) {
    g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "No route left.");
    return -1;
  }
  g_mutex_lock (&self->lock);
  for (route = 0; route < (int) self->messages->len; route++)
    if (g_array_index (self->messages, FakeMessage, route).fd < 0)
      break;
  if (route == (int) self->messages->len)
    g_array_append_val (self->messages, message);
  else
    g_array_index (self->messages, FakeMessage, route) = message;
  g_mutex_unlock (&self->lock);
  return route;
}

static FakeMessage *
message_at (FakePlatform *self, int route)
{
  g_assert_cmpint (route, >=, 0);
  g_assert_cmpint (route, <, self->messages->len);
  return &g_array_index (self->messages, FakeMessage, route);
}

static void
update_msi (VmmPlatform *platform, int route, const VmmMsi *msi)
{
  FakePlatform *self = (FakePlatform *) platform;

  g_mutex_lock (&self->lock);
  message_at (self, route)->msi = *msi;
  g_mutex_unlock (&self->lock);
}

static void
remove_msi (VmmPlatform *platform, int route)
{
  FakePlatform *self = (FakePlatform *) platform;

  g_mutex_lock (&self->lock);
  g_assert_cmpint (message_at (self, route)->fd, >=, 0);
  message_at (self, route)->fd = -1;
  g_mutex_unlock (&self->lock);
}

static void
request (VmmPlatform *platform, VmmRequestKind kind, guint32 value)
{
  FakePlatform *self = (FakePlatform *) platform;

  self->n_requests++;
  self->last_request = kind;
  self->last_value = value;
}

static void
ask_pause (VmmPlatform *platform, const char *device_id, const char *why)
{
  FakePlatform *self = (FakePlatform *) platform;

  g_mutex_lock (&self->lock);
  self->n_pauses++;
  g_set_str (&self->last_pause, why);
  g_mutex_unlock (&self->lock);
}

static void
silence_pit (VmmPlatform *platform, gboolean silent)
{
  ((FakePlatform *) platform)->pit_is_silent = silent;
}

static void
panicked (VmmPlatform *platform)
{
  ((FakePlatform *) platform)->n_panics++;
}

static void
unplugged (VmmPlatform *platform)
{
  ((FakePlatform *) platform)->n_unplugged++;
}

static void
device_broken (VmmPlatform *platform, const char *device_id, const char *why)
{
  FakePlatform *self = (FakePlatform *) platform;

  g_mutex_lock (&self->lock);
  self->n_broken++;
  g_free (self->last_broken);
  self->last_broken = g_strdup (why);
  g_mutex_unlock (&self->lock);
}

static const VmmPlatformClass fake_platform_class = {
  .add_doorbell = add_doorbell,
  .remove_doorbell = remove_doorbell,
  .set_line = set_line,
  .add_msi = add_msi,
  .update_msi = update_msi,
  .remove_msi = remove_msi,
  .map_slot = map_slot,
  .unmap_slot = unmap_slot,
  .take_dirty = take_dirty,
  .request = request,
  .pause = ask_pause,
  .silence_pit = silence_pit,
  .panicked = panicked,
  .unplugged = unplugged,
  .device_broken = device_broken,
};

FakeGuest *
fake_guest_new (void)
{
  static const VmmPciHostConfig pci = { .n_ports = FAKE_N_PORTS };
  FakeGuest *self = g_new0 (FakeGuest, 1);

  self->platform.platform.klass = &fake_platform_class;
  g_mutex_init (&self->platform.lock);
  self->platform.doorbells = g_ptr_array_new_with_free_func (g_free);
  self->platform.messages = g_array_new (FALSE, FALSE, sizeof (FakeMessage));
  self->memory = vmm_memory_new (FAKE_MEMORY, NULL);
  self->loop = vmm_loop_new ("loop", NULL);
  self->ports = vmm_bus_new ();
  self->mmio = vmm_bus_new ();
  self->next = 0x10000;
  self->board = (VmmBoard) {
    .memory = self->memory,
    .loop = self->loop,
    .platform = &self->platform.platform,
    .ports = self->ports,
    .mmio = self->mmio,
  };
  self->pci = vmm_device_new (&vmm_pci_host_class, &self->board, "pci", &pci, NULL);
  self->board.pci = (VmmPciHost *) self->pci;
  return self;
}

void
fake_guest_free (FakeGuest *self)
{
  vmm_device_free (self->pci);
  /* Devices leave nothing behind. */
  g_assert_cmpuint (self->platform.doorbells->len, ==, 0);
  for (guint i = 0; i < self->platform.messages->len; i++)
    g_assert_cmpint (message_at (&self->platform, i)->fd, ==, -1);
  vmm_bus_free (self->ports);
  vmm_bus_free (self->mmio);
  vmm_loop_free (self->loop);
  vmm_memory_free (self->memory);
  g_ptr_array_unref (self->platform.doorbells);
  g_array_unref (self->platform.messages);
  g_free (self->platform.last_broken);
  g_free (self->platform.last_pause);
  g_mutex_clear (&self->platform.lock);
  g_free (self);
}

guint64
fake_guest_alloc (FakeGuest *self, gsize size)
{
  guint64 address = self->next;

  self->next = (self->next + size + 4095) & ~G_GUINT64_CONSTANT (4095);
  g_assert_cmpuint (self->next, <=, FAKE_MEMORY);
  return address;
}

void *
fake_guest_at (FakeGuest *self, guint64 address, gsize size)
{
  void *at = vmm_memory_at (self->memory, address, size);

  g_assert_nonnull (at);
  return at;
}

static void
nothing (gpointer data)
{
}

/* Events are dispatched before posts, and what a source posts comes in the round after. */
void
fake_guest_settle (FakeGuest *self)
{
  for (guint i = 0; i < 3; i++)
    vmm_loop_call (self->loop, nothing, NULL);
}

guint32
fake_guest_in (FakeGuest *self, guint16 port, guint size)
{
  return vmm_bus_read (self->ports, port, size);
}

void
fake_guest_out (FakeGuest *self, guint16 port, guint size, guint32 value)
{
  vmm_bus_write (self->ports, port, size, value);
}

guint32
fake_guest_read_config (FakeGuest *self, guint slot, guint offset, guint size)
{
  return vmm_bus_read (self->mmio, VMM_PCI_ECAM_BASE + (slot << 15) + offset, size);
}

void
fake_guest_write_config (FakeGuest *self, guint slot, guint offset, guint size, guint32 value)
{
  vmm_bus_write (self->mmio, VMM_PCI_ECAM_BASE + (slot << 15) + offset, size, value);
}

guint
fake_guest_count_rises (FakeGuest *self, guint gsi)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->platform.lock);

  return self->platform.n_rises[gsi];
}

gboolean
fake_guest_get_line (FakeGuest *self, guint gsi)
{
  gboolean level;

  g_mutex_lock (&self->platform.lock);
  level = self->platform.lines[gsi];
  g_mutex_unlock (&self->platform.lock);
  return level;
}

void
fake_guest_copy_memory (FakeGuest *self, FakeGuest *from)
{
  fake_guest_settle (from);
  memcpy (fake_guest_at (self, 0, FAKE_MEMORY), fake_guest_at (from, 0, FAKE_MEMORY), FAKE_MEMORY);
}

static int
fd_of_message (FakeGuest *self, guint32 data)
{
  int fd = -1;

  g_mutex_lock (&self->platform.lock);
  for (guint i = 0; i < self->platform.messages->len; i++) {
    FakeMessage *message = message_at (&self->platform, i);

    if (message->fd >= 0 && message->msi.data == data)
      fd = message->fd;
  }
  g_mutex_unlock (&self->platform.lock);
  return fd;
}

guint64
fake_guest_take_message (FakeGuest *self, guint32 data)
{
  guint64 count = 0;
  int fd = fd_of_message (self, data);

  if (fd < 0 || read (fd, &count, sizeof count) < 0)
    return 0;
  return count;
}

void
fake_guest_wait_message (FakeGuest *self, guint32 data)
{
  struct pollfd poller = { fd_of_message (self, data), POLLIN, 0 };

  g_assert_cmpint (poller.fd, >=, 0);
  g_assert_cmpint (poll (&poller, 1, WAIT_MS), ==, 1);
  fake_guest_take_message (self, data);
}

static GBytes *
save (VmmDevice *device)
{
  g_autoptr (VmmState) state = vmm_state_new ();
  g_autoptr (GError) error = NULL;

  vmm_device_drain (device);
  g_assert_true (vmm_device_save (device, state, &error));
  g_assert_no_error (error);
  return vmm_state_to_bytes (state);
}

void
fake_guest_check_saved (VmmDevice *device, VmmDevice *other)
{
  g_autoptr (GBytes) first = save (device);
  g_autoptr (GBytes) blank = save (other);
  g_autoptr (GBytes) second = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (VmmState) state = vmm_state_from_bytes (first, &error);

  g_assert_no_error (error);
  /* What is compared must be able to differ. */
  g_assert_false (g_bytes_equal (first, blank));
  vmm_device_load (other, state, &error);
  g_assert_no_error (error);
  second = save (other);
  g_assert_true (g_bytes_equal (first, second));
}
