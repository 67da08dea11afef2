/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The transport: negotiation, doorbells, interrupts, reset with requests under way, drain, save.
 * The device behind it holds each request until the test lets it go.
 */
#include <string.h>
#include <unistd.h>

#include "fake-guest.h"
#include "vmm-error.h"

#define N_QUEUES 2

/* Keeps what it gets. */
typedef struct {
  VmmVirtio parent;
  guint n_held;
  guint16 held[64];
  guint n_started, n_reset;
  guint32 config_value;
  FakeDriver *tireless; /* atomic: offers each request anew at once */
  guint n_served;
} Holder;

static const VmmField holder_fields[] = {
  VMM_FIELD_PART (Holder, parent, vmm_virtio_fields, "virtio"),
  VMM_FIELD (Holder, config_value, VMM_FIELD_UINT32, "config-value"),
  VMM_EXEMPT (Holder, tireless, "of the test"),
  VMM_EXEMPT (Holder, n_served, "of the test"),
  VMM_FIELD_LAST,
};

/* As if another processor of the guest offered more all the time. */
static void
holder_serve (Holder *self, FakeDriver *driver)
{
  VmmRequest request;
  guint n = 0;

  while (g_atomic_pointer_get (&self->tireless) && vmm_virtio_pop (&self->parent, 0, &request)) {
    vmm_virtio_push (&self->parent, 0, request.head, 0);
    fake_driver_offer (driver, 0, request.head);
    g_atomic_int_inc (&self->n_served);
    g_assert_cmpuint (++n, <=, 64);
  }
}

static void
holder_process (VmmVirtio *virtio, guint index)
{
  Holder *self = (Holder *) virtio;
  FakeDriver *driver = g_atomic_pointer_get (&self->tireless);
  VmmRequest request;

  if (driver) {
    holder_serve (self, driver);
    return;
  }
  while (self->n_held < G_N_ELEMENTS (self->held) && vmm_virtio_pop (virtio, index, &request))
    self->held[self->n_held++] = request.head;
}

static void
holder_let_go (Holder *self, guint32 written)
{
  VmmDevice *device = &self->parent.parent.parent;

  vmm_device_lock (device);
  for (guint i = 0; i < self->n_held; i++)
    vmm_virtio_push (&self->parent, 0, self->held[i], written);
  self->n_held = 0;
  vmm_virtio_notify (&self->parent, 0);
  vmm_device_unlock (device);
}

static void
holder_started (VmmVirtio *virtio)
{
  ((Holder *) virtio)->n_started++;
}

static void
holder_reset (VmmVirtio *virtio)
{
  ((Holder *) virtio)->n_reset++;
}

static void
holder_read_config (VmmVirtio *virtio, guint8 *config)
{
  memcpy (config, &((Holder *) virtio)->config_value, 4);
  config[6] = 0x66;
}

static void
holder_write_config (VmmVirtio *virtio, guint offset, guint length, guint32 value)
{
  if (offset == 0 && length == 4)
    ((Holder *) virtio)->config_value = value;
}

static guint64
holder_get_features (VmmVirtio *virtio)
{
  return 1 << 5;
}

static const VmmVirtioClass holder_class = {
  VMM_VIRTIO_PARENT (Holder, "holder", 1, holder_fields),
  .virtio_id = 42,
  .class_code = 0x00ff00,
  .n_queues = N_QUEUES,
  .queue_size = 64,
  .config_size = 8,
  .get_features = holder_get_features,
  .read_config = holder_read_config,
  .write_config = holder_write_config,
  .started = holder_started,
  .process = holder_process,
  .reset = holder_reset,
};

typedef struct {
  FakeGuest *guest;
  VmmDevice *device;
  Holder *holder;
} Fixture;

static VmmDevice *
holder_new (FakeGuest *guest)
{
  const guint slot = 0;

  return vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (holder_class), &guest->board, "holder", &slot,
                         NULL);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->guest = fake_guest_new ();
  f->device = holder_new (f->guest);
  f->holder = (Holder *) f->device;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->device) {
    holder_let_go (f->holder, 0);
    vmm_device_free (f->device);
  }
  fake_guest_free (f->guest);
}

static guint16
send_one (FakeDriver *driver)
{
  FakeBuffer buffer = { fake_guest_alloc (driver->guest, 64), 64 };
  guint16 head = fake_driver_send (driver, 0, NULL, 0, &buffer, 1);

  fake_guest_settle (driver->guest);
  return head;
}

static guint32
common (FakeDriver *driver, guint offset, guint size)
{
  return fake_driver_read (driver, driver->common + offset, size);
}

static void
test_identity (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new_unstarted (f->guest, f->device, 0);

  g_assert_cmphex (fake_guest_read_config (f->guest, driver->slot, 0, 4), ==,
                   (0x1040u + 42) << 16 | 0x1af4);
  g_assert_cmpuint (fake_guest_read_config (f->guest, driver->slot, 8, 1), >=, 1);
  g_assert_cmphex (fake_guest_read_config (f->guest, driver->slot, 0x2e, 2), >=, 0x40);
  g_assert_cmpuint (common (driver, 0x12, 2), ==, N_QUEUES);
  g_assert_cmphex (fake_driver_get_features (driver), ==,
                   G_GUINT64_CONSTANT (1) << 32 | 1 << 29 | 1 << 28 | 1 << 5);
}

static void
test_negotiation (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) good = fake_driver_new_unstarted (f->guest, f->device, 1 << 5);
  g_autoptr (FakeDriver) bad = NULL;

  g_assert_cmphex (fake_driver_get_status (good), ==, 0x0b);
  g_assert_cmphex (common (good, 0x0c, 4), ==, 1); /* the upper half is selected */
  /* Agreed is agreed. */
  fake_driver_write (good, good->common + 8, 4, 0);
  fake_driver_write (good, good->common + 12, 4, 0);
  g_assert_cmphex (common (good, 0x0c, 4), ==, 1 << 5);

  /* A feature that was not offered. */
  bad = fake_driver_new_unstarted (f->guest, f->device, 1 << 6);
  g_assert_cmphex (fake_driver_get_status (bad), ==, 0x03);

  /* A driver of the old days. */
  fake_driver_set_status (bad, 0);
  fake_driver_write (bad, bad->common + 8, 4, 1);
  fake_driver_write (bad, bad->common + 12, 4, 0);
  fake_driver_set_status (bad, 0x0b);
  g_assert_cmphex (fake_driver_get_status (bad), ==, 0x03);
  fake_driver_set_status (bad, 0x0f);
  fake_driver_check_broken (bad, "features");
}

static void
test_request (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, f->device, 0);
  guint16 sent = send_one (driver);
  guint32 head, written;

  g_assert_cmpuint (f->holder->n_started, ==, 1);
  g_assert_cmpuint (f->holder->n_held, ==, 1);
  g_assert_false (fake_driver_take_used (driver, 0, &head, &written));
  holder_let_go (f->holder, 17);
  g_assert_true (fake_driver_take_used (driver, 0, &head, &written));
  g_assert_cmpuint (head, ==, sent);
  g_assert_cmpuint (written, ==, 17);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 1), ==, 1);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 2), ==, 0);
}

/* The kernel takes the doorbell: the device's thread is not in the way of the processor. */
static void
test_doorbell (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, f->device, 0);
  guint n_found = 0;

  for (guint i = 0; i < f->guest->platform.doorbells->len; i++) {
    VmmDoorbell *doorbell = g_ptr_array_index (f->guest->platform.doorbells, i);
    guint64 one = 1;

    g_assert_cmpint (doorbell->space, ==, VMM_SPACE_MMIO);
    g_assert_false (doorbell->match);
    if (doorbell->address != driver->notify)
      continue;
    n_found++;
    fake_driver_put_desc (driver, 0, 0, fake_guest_alloc (f->guest, 8), 8, FAKE_WRITE, 0);
    fake_driver_offer (driver, 0, 0);
    g_assert_cmpint (write (doorbell->fd, &one, sizeof one), ==, sizeof one);
    fake_guest_settle (f->guest);
    g_assert_cmpuint (f->holder->n_held, ==, 1);
  }
  g_assert_cmpuint (n_found, ==, 1);
  g_assert_cmpuint (f->guest->platform.doorbells->len, ==, N_QUEUES);

  /* They move with the BAR. */
  fake_guest_write_config (f->guest, driver->slot, 0x10, 4, 0xd0000000);
  for (guint i = 0; i < f->guest->platform.doorbells->len; i++) {
    VmmDoorbell *doorbell = g_ptr_array_index (f->guest->platform.doorbells, i);

    g_assert_cmphex (doorbell->address & 0xffff8000, ==, 0xd0000000);
  }
  fake_guest_write_config (f->guest, driver->slot, 4, 2, 0);
  g_assert_cmpuint (f->guest->platform.doorbells->len, ==, 0);
}

/* Without MSI-X: the pin, and the register that says why and lets it go. */
static void
test_intx (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, f->device, 0);
  guint gsi = vmm_pci_slot_gsi (driver->slot);
  guint msix = ((VmmPciDevice *) f->device)->msix_offset;

  fake_guest_write_config (f->guest, driver->slot, msix + 2, 2, 0);
  send_one (driver);
  holder_let_go (f->holder, 0);
  g_assert_true (fake_guest_get_line (f->guest, gsi));
  g_assert_cmphex (fake_driver_read (driver, driver->isr, 1), ==, 1);
  g_assert_false (fake_guest_get_line (f->guest, gsi));
  g_assert_cmphex (fake_driver_read (driver, driver->isr, 1), ==, 0);
  vmm_device_lock (f->device);
  vmm_virtio_config_changed (&f->holder->parent);
  vmm_device_unlock (f->device);
  g_assert_true (fake_guest_get_line (f->guest, gsi));
  g_assert_cmphex (fake_driver_read (driver, driver->isr, 1), ==, 2);
}

static void
test_event_idx (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, f->device, 1 << 29);
  guint16 *used_event =
    fake_guest_at (f->guest, driver->queues[0].driver + 4 + 2 * FAKE_QUEUE_SIZE, 2);

  send_one (driver);
  holder_let_go (f->holder, 0);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 1), ==, 1);
  *used_event = 2;
  send_one (driver);
  holder_let_go (f->holder, 0);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 1), ==, 0);
  send_one (driver);
  holder_let_go (f->holder, 0);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 1), ==, 1);
}

static void
test_config (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, f->device, 0);
  guint8 generation = common (driver, 0x15, 1);

  fake_driver_write (driver, driver->config, 4, 0x12345678);
  g_assert_cmphex (fake_driver_read (driver, driver->config, 4), ==, 0x12345678);
  g_assert_cmphex (fake_driver_read (driver, driver->config + 1, 2), ==, 0x3456);
  g_assert_cmphex (fake_driver_read (driver, driver->config + 6, 1), ==, 0x66);
  g_assert_cmphex (fake_driver_read (driver, driver->config, 8), ==,
                   G_GUINT64_CONSTANT (0x66000012345678));
  g_assert_cmphex (fake_driver_read (driver, driver->config + 8, 4), ==, 0);
  g_assert_cmphex (fake_driver_read (driver, driver->config + 6, 4), ==, 0);
  fake_driver_write (driver, driver->config + 8, 4, 5);

  vmm_device_lock (f->device);
  vmm_virtio_config_changed (&f->holder->parent);
  vmm_device_unlock (f->device);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 0), ==, 1);
  g_assert_cmphex (common (driver, 0x15, 1), !=, generation);
}

/* The registers through configuration space, for firmware that cannot reach the BAR. */
static void
test_window (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, f->device, 0);
  guint at = fake_guest_read_config (f->guest, driver->slot, 0x34, 1);
  guint where = driver->config - driver->bar;

  while (fake_guest_read_config (f->guest, driver->slot, at, 1) != 0x09 ||
         fake_guest_read_config (f->guest, driver->slot, at + 3, 1) != 5)
    at = fake_guest_read_config (f->guest, driver->slot, at + 1, 1);
  fake_guest_write_config (f->guest, driver->slot, at + 4, 1, 0);
  fake_guest_write_config (f->guest, driver->slot, at + 8, 4, where);
  fake_guest_write_config (f->guest, driver->slot, at + 12, 4, 4);
  fake_guest_write_config (f->guest, driver->slot, at + 16, 4, 0xfeedbeef);
  g_assert_cmphex (f->holder->config_value, ==, 0xfeedbeef);
  f->holder->config_value = 0xabcd0123;
  g_assert_cmphex (fake_guest_read_config (f->guest, driver->slot, at + 16, 4), ==, 0xabcd0123);
  /* Sizes, places and BARs that do not exist do nothing. */
  fake_guest_write_config (f->guest, driver->slot, at + 12, 4, 3);
  fake_guest_write_config (f->guest, driver->slot, at + 16, 4, 1);
  fake_guest_write_config (f->guest, driver->slot, at + 12, 4, 4);
  fake_guest_write_config (f->guest, driver->slot, at + 8, 4, 0xfffffffc);
  fake_guest_write_config (f->guest, driver->slot, at + 16, 4, 1);
  fake_guest_write_config (f->guest, driver->slot, at + 8, 4, where);
  fake_guest_write_config (f->guest, driver->slot, at + 4, 1, 3);
  fake_guest_write_config (f->guest, driver->slot, at + 16, 4, 1);
  g_assert_cmphex (f->holder->config_value, ==, 0xabcd0123);
}

/* The status is 0 only when the last request has come back, and its ring is left alone. */
static void
test_reset_waits (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, f->device, 0);

  send_one (driver);
  send_one (driver);
  fake_driver_set_status (driver, 0);
  g_assert_cmphex (fake_driver_get_status (driver), !=, 0);
  fake_driver_set_status (driver, 0x0f);
  send_one (driver);
  g_assert_cmpuint (f->holder->n_held, ==, 2);
  holder_let_go (f->holder, 5);
  g_assert_cmphex (fake_driver_get_status (driver), ==, 0);
  g_assert_cmpuint (fake_driver_get_used_index (driver, 0), ==, 0);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 1), ==, 0);
  g_assert_cmpuint (f->holder->n_reset, ==, 2); /* and once by the driver's first reset */
}

static void
test_again (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 3; i++) {
    g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, f->device, 0);

    send_one (driver);
    g_assert_cmpuint (f->holder->n_held, ==, 1);
    holder_let_go (f->holder, 1);
    g_assert_cmpuint (fake_driver_get_used_index (driver, 0), ==, 1);
  }
}

static void
test_broken (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, f->device, 0);

  fake_driver_offer (driver, 0, 1000);
  fake_driver_kick (driver, 0);
  fake_driver_check_broken (driver, "descriptor");
  g_assert_cmpuint (fake_guest_take_message (f->guest, 0), ==, 1);
  /* A reset mends it. */
  {
    g_autoptr (FakeDriver) next = fake_driver_new (f->guest, f->device, 0);

    send_one (next);
    g_assert_cmpuint (f->holder->n_held, ==, 1);
  }
}

/* Rings outside memory: found when the driver says that it is ready. */
static void
test_bad_rings (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new_unstarted (f->guest, f->device, 0);

  fake_driver_write (driver, driver->common + 0x16, 2, 0);
  fake_driver_write (driver, driver->common + 0x20, 8, FAKE_MEMORY - 16);
  fake_driver_write (driver, driver->common + 0x28, 8, 0x1000);
  fake_driver_write (driver, driver->common + 0x30, 8, 0x2000);
  fake_driver_write (driver, driver->common + 0x1c, 2, 1);
  fake_driver_set_status (driver, 0x0f);
  g_assert_cmpuint (f->holder->n_started, ==, 0);
  fake_driver_check_broken (driver, "outside");
}

static void
test_queue_registers (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new_unstarted (f->guest, f->device, 0);

  fake_driver_write (driver, driver->common + 0x16, 2, 0);
  g_assert_cmpuint (common (driver, 0x18, 2), ==, 64);
  fake_driver_write (driver, driver->common + 0x18, 2, 65);
  fake_driver_write (driver, driver->common + 0x18, 2, 48);
  fake_driver_write (driver, driver->common + 0x18, 2, 128);
  g_assert_cmpuint (common (driver, 0x18, 2), ==, 64);
  fake_driver_write (driver, driver->common + 0x1a, 2, N_QUEUES + 1);
  g_assert_cmphex (common (driver, 0x1a, 2), ==, 0xffff);
  fake_driver_write (driver, driver->common + 0x1a, 2, N_QUEUES);
  g_assert_cmphex (common (driver, 0x1a, 2), ==, N_QUEUES);
  fake_driver_setup_queue (driver, 0);
  /* Enabled: nothing moves any more. */
  fake_driver_write (driver, driver->common + 0x20, 8, 0x123450);
  fake_driver_write (driver, driver->common + 0x1c, 2, 0);
  g_assert_cmphex (common (driver, 0x20, 4), ==, driver->queues[0].desc);
  g_assert_cmpuint (common (driver, 0x1c, 2), ==, 1);
  /* A queue that does not exist. */
  fake_driver_write (driver, driver->common + 0x16, 2, N_QUEUES);
  g_assert_cmpuint (common (driver, 0x18, 2), ==, 0);
  fake_driver_write (driver, driver->common + 0x1c, 2, 1);
  fake_driver_write (driver, driver->notify + 4 * N_QUEUES, 2, 0);
}

static gpointer
drain (gpointer data)
{
  Fixture *f = data;

  vmm_device_drain (f->device);
  g_assert_cmpuint (f->holder->n_held, ==, 0);
  return NULL;
}

static void
test_drain (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, f->device, 0);
  GThread *thread;

  send_one (driver);
  thread = g_thread_new ("drain", drain, f);
  g_usleep (10000);
  holder_let_go (f->holder, 0);
  g_thread_join (thread);

  /* What comes now waits, and is seen afterwards without another kick. */
  send_one (driver);
  g_assert_cmpuint (f->holder->n_held, ==, 0);
  vmm_device_resume (f->device);
  fake_guest_settle (f->guest);
  g_assert_cmpuint (f->holder->n_held, ==, 1);
}

static void
test_machine_reset (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, f->device, 0);
  guint64 bar = driver->bar;

  fake_guest_write_config (f->guest, driver->slot, 0x10, 4, 0xd0000000);
  vmm_device_drain (f->device);
  vmm_device_reset (f->device);
  vmm_device_resume (f->device);
  g_assert_cmpuint (f->guest->platform.doorbells->len, ==, 0);
  g_assert_cmphex (fake_guest_read_config (f->guest, driver->slot, 4, 2), ==, 0);
  {
    g_autoptr (FakeDriver) next = fake_driver_new (f->guest, f->device, 0);

    g_assert_cmphex (next->bar, ==, bar);
    send_one (next);
    g_assert_cmpuint (f->holder->n_held, ==, 1);
  }
}

/* The new machine has the old one's memory; its device goes on where the old one stopped. */
static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDevice *other = holder_new (guest);
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, f->device, 1 << 5 | 1 << 29);
  guint32 head, written;

  send_one (driver);
  holder_let_go (f->holder, 3);
  f->holder->config_value = 77;
  fake_guest_copy_memory (guest, f->guest);
  fake_guest_check_saved (f->device, other);
  guest->next = f->guest->next;
  driver->guest = guest;
  vmm_device_resume (other);
  g_assert_true (fake_driver_take_used (driver, 0, &head, &written));
  send_one (driver);
  g_assert_cmpuint (((Holder *) other)->n_held, ==, 1);
  holder_let_go ((Holder *) other, 4);
  g_assert_true (fake_driver_take_used (driver, 0, &head, &written));
  g_assert_cmpuint (written, ==, 4);
  vmm_device_free (other);
  fake_guest_free (guest);
}

/* States that no running device has. */
static void
test_forged (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, f->device, 0);
  VmmVirtio *virtio = &f->holder->parent;

  for (guint i = 0; i < 2; i++) {
    g_autoptr (VmmState) state = vmm_state_new ();
    g_autoptr (GError) error = NULL;
    guint64 features = virtio->driver_features;

    if (i == 0)
      virtio->driver_features = G_MAXUINT64;
    else
      virtio->status = 0x0f;
    g_assert_true (vmm_device_save (f->device, state, NULL));
    if (i == 1) {
      g_assert_true (vmm_device_load (f->device, state, &error));
      continue;
    }
    g_assert_false (vmm_device_load (f->device, state, &error));
    g_assert_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT);
    virtio->driver_features = features;
  }
}

/* Every register, every size, every bit: nothing but the device itself may suffer. */
static void
test_nonsense (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, f->device, 0);
  guint32 random = 1;

  for (guint i = 0; i < 40000; i++) {
    guint64 at = driver->bar + (random >> 8) % 0x8000;
    guint size = 1 << (random & 3);

    random = random * 1664525 + 1013904223;
    if (i % 3)
      at = driver->common + (random >> 4) % 64;
    vmm_bus_write (f->guest->mmio, at, size, (guint64) random << 7);
    vmm_bus_read (f->guest->mmio, at, size);
    if (i % 1000 == 0)
      holder_let_go (f->holder, 0);
  }
  fake_guest_settle (f->guest);
}

/* A guest that never stops asking is served in turns: others have theirs between, and so has a
 * pause. */
static void
test_tireless (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeDriver) driver = fake_driver_new (f->guest, f->device, 0);
  guint before;

  g_atomic_pointer_set (&f->holder->tireless, driver);
  send_one (driver);
  while (g_atomic_int_get (&f->holder->n_served) < 1000)
    fake_guest_settle (f->guest);
  vmm_device_drain (f->device);
  before = g_atomic_int_get (&f->holder->n_served);
  fake_guest_settle (f->guest);
  g_assert_cmpuint (g_atomic_int_get (&f->holder->n_served), ==, before);
  vmm_device_resume (f->device);
  while ((guint) g_atomic_int_get (&f->holder->n_served) < before + 1000)
    fake_guest_settle (f->guest);
  g_atomic_pointer_set (&f->holder->tireless, NULL);
  fake_guest_settle (f->guest);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/virtio/identity", test_identity },
    { "/virtio/negotiation", test_negotiation },
    { "/virtio/request", test_request },
    { "/virtio/doorbell", test_doorbell },
    { "/virtio/intx", test_intx },
    { "/virtio/event-idx", test_event_idx },
    { "/virtio/config", test_config },
    { "/virtio/window", test_window },
    { "/virtio/reset-waits", test_reset_waits },
    { "/virtio/again", test_again },
    { "/virtio/broken", test_broken },
    { "/virtio/bad-rings", test_bad_rings },
    { "/virtio/queue-registers", test_queue_registers },
    { "/virtio/drain", test_drain },
    { "/virtio/machine-reset", test_machine_reset },
    { "/virtio/saved", test_saved },
    { "/virtio/forged", test_forged },
    { "/virtio/nonsense", test_nonsense },
    { "/virtio/tireless", test_tireless },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
