/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The driver's half of the fake guest.
 */
#include "fake-guest.h"

#include <string.h>

#define COMMAND_MEMORY_MASTER 0x6
#define CAP_VENDOR            0x09
#define CAP_MSIX              0x11

#define COMMON_DEVICE_FEATURE_SELECT 0x00
#define COMMON_DEVICE_FEATURE        0x04
#define COMMON_DRIVER_FEATURE_SELECT 0x08
#define COMMON_DRIVER_FEATURE        0x0c
#define COMMON_CONFIG_VECTOR         0x10
#define COMMON_N_QUEUES              0x12
#define COMMON_STATUS                0x14
#define COMMON_QUEUE_SELECT          0x16
#define COMMON_QUEUE_SIZE            0x18
#define COMMON_QUEUE_VECTOR          0x1a
#define COMMON_QUEUE_ENABLE          0x1c
#define COMMON_QUEUE_NOTIFY_OFFSET   0x1e
#define COMMON_QUEUE_DESC            0x20
#define COMMON_QUEUE_DRIVER          0x28
#define COMMON_QUEUE_DEVICE          0x30

#define F_INDIRECT  28
#define F_EVENT_IDX 29
#define F_VERSION_1 32

#define STATUS_READY       0x03
#define STATUS_FEATURES_OK 0x08
#define STATUS_DRIVER_OK   0x04
#define STATUS_NEEDS_RESET 0x40

guint64
fake_driver_read (FakeDriver *self, guint64 address, guint size)
{
  return vmm_bus_read (self->guest->mmio, address, size);
}

void
fake_driver_write (FakeDriver *self, guint64 address, guint size, guint64 value)
{
  vmm_bus_write (self->guest->mmio, address, size, value);
}

static guint32
config (FakeDriver *self, guint offset, guint size)
{
  return fake_guest_read_config (self->guest, self->slot, offset, size);
}

static guint64
bar_address (FakeDriver *self, guint bar)
{
  guint64 low = config (self, 0x10 + 4 * bar, 4), high = 0;

  if ((low & 0x6) == 0x4)
    high = config (self, 0x14 + 4 * bar, 4);
  return high << 32 | (low & ~G_GUINT64_CONSTANT (0xf));
}

static void
enable_msix (FakeDriver *self, guint at)
{
  guint32 where = config (self, at + 4, 4);
  guint n = (config (self, at + 2, 2) & 0x7ff) + 1;
  guint64 table = bar_address (self, where & 7) + (where & ~7u);

  fake_guest_write_config (self->guest, self->slot, at + 2, 2, 0xc000);
  for (guint i = 0; i < n; i++) {
    fake_driver_write (self, table + 16 * i, 8, 0xfee00000);
    fake_driver_write (self, table + 16 * i + 8, 4, i);
    fake_driver_write (self, table + 16 * i + 12, 4, 0);
  }
  fake_guest_write_config (self->guest, self->slot, at + 2, 2, 0x8000);
}

static void
note_structure (FakeDriver *self, guint at)
{
  guint64 address = bar_address (self, config (self, at + 4, 1)) + config (self, at + 8, 4);

  switch (config (self, at + 3, 1)) {
  case 1:
    self->common = address;
    break;
  case 2:
    self->notify = address;
    self->notify_stride = config (self, at + 16, 4);
    break;
  case 3:
    self->isr = address;
    break;
  case 4:
    self->config = address;
    break;
  default:
    break;
  }
}

static void
walk_capabilities (FakeDriver *self)
{
  guint at = config (self, 0x34, 1), n = 0;

  fake_guest_write_config (self->guest, self->slot, 4, 2, COMMAND_MEMORY_MASTER);
  for (; at; at = config (self, at + 1, 1)) {
    g_assert_cmpuint (n++, <, 48);
    if (config (self, at, 1) == CAP_VENDOR)
      note_structure (self, at);
    else if (config (self, at, 1) == CAP_MSIX)
      enable_msix (self, at);
  }
  self->bar = bar_address (self, 0);
  g_assert_cmpuint (self->common, !=, 0);
  g_assert_cmpuint (self->notify, !=, 0);
  g_assert_cmpuint (self->isr, !=, 0);
}

guint8
fake_driver_get_status (FakeDriver *self)
{
  return fake_driver_read (self, self->common + COMMON_STATUS, 1);
}

void
fake_driver_set_status (FakeDriver *self, guint8 status)
{
  fake_driver_write (self, self->common + COMMON_STATUS, 1, status);
}

guint64
fake_driver_get_features (FakeDriver *self)
{
  guint64 features = 0;

  for (guint i = 0; i < 2; i++) {
    fake_driver_write (self, self->common + COMMON_DEVICE_FEATURE_SELECT, 4, i);
    features |= fake_driver_read (self, self->common + COMMON_DEVICE_FEATURE, 4) << 32 * i;
  }
  return features;
}

static void
set_features (FakeDriver *self, guint64 features)
{
  for (guint i = 0; i < 2; i++) {
    fake_driver_write (self, self->common + COMMON_DRIVER_FEATURE_SELECT, 4, i);
    fake_driver_write (self, self->common + COMMON_DRIVER_FEATURE, 4,
                       features >> 32 * i & G_MAXUINT32);
  }
}

FakeDriver *
fake_driver_new_unstarted (FakeGuest *guest, VmmDevice *device, guint64 features)
{
  FakeDriver *self = g_new0 (FakeDriver, 1);

  self->guest = guest;
  self->device = device;
  self->slot = ((VmmPciDevice *) device)->slot;
  self->event_idx = (features >> F_EVENT_IDX & 1) != 0;
  self->indirect = (features >> F_INDIRECT & 1) != 0;
  walk_capabilities (self);
  fake_driver_set_status (self, 0);
  g_assert_cmpuint (fake_driver_get_status (self), ==, 0);
  fake_driver_set_status (self, STATUS_READY);
  set_features (self, features | G_GUINT64_CONSTANT (1) << F_VERSION_1);
  fake_driver_set_status (self, STATUS_READY | STATUS_FEATURES_OK);
  return self;
}

void
fake_driver_setup_queue (FakeDriver *self, guint index)
{
  FakeQueue *queue = &self->queues[index];
  guint64 common = self->common;

  *queue = (FakeQueue) { .size = FAKE_QUEUE_SIZE };
  queue->desc = fake_guest_alloc (self->guest, 16 * queue->size);
  queue->driver = fake_guest_alloc (self->guest, 6 + 2 * queue->size);
  queue->device = fake_guest_alloc (self->guest, 6 + 8 * queue->size);
  fake_driver_write (self, common + COMMON_QUEUE_SELECT, 2, index);
  g_assert_cmpuint (fake_driver_read (self, common + COMMON_QUEUE_SIZE, 2), >=, queue->size);
  fake_driver_write (self, common + COMMON_QUEUE_SIZE, 2, queue->size);
  fake_driver_write (self, common + COMMON_QUEUE_VECTOR, 2, index + 1);
  fake_driver_write (self, common + COMMON_QUEUE_DESC, 4, queue->desc);
  fake_driver_write (self, common + COMMON_QUEUE_DESC + 4, 4, 0);
  fake_driver_write (self, common + COMMON_QUEUE_DRIVER, 8, queue->driver);
  fake_driver_write (self, common + COMMON_QUEUE_DEVICE, 8, queue->device);
  fake_driver_write (self, common + COMMON_QUEUE_ENABLE, 2, 1);
  g_assert_cmpuint (fake_driver_read (self, common + COMMON_QUEUE_ENABLE, 2), ==, 1);
  g_assert_cmpuint (fake_driver_read (self, common + COMMON_QUEUE_NOTIFY_OFFSET, 2), ==, index);
}

FakeDriver *
fake_driver_new (FakeGuest *guest, VmmDevice *device, guint64 features)
{
  FakeDriver *self = fake_driver_new_unstarted (guest, device, features);
  guint n = fake_driver_read (self, self->common + COMMON_N_QUEUES, 2);

  g_assert_cmpuint (fake_driver_get_status (self), ==, STATUS_READY | STATUS_FEATURES_OK);
  g_assert_cmpuint (n, <=, FAKE_N_QUEUES);
  fake_driver_write (self, self->common + COMMON_CONFIG_VECTOR, 2, 0);
  for (guint i = 0; i < n; i++)
    fake_driver_setup_queue (self, i);
  fake_driver_set_status (self, STATUS_READY | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
  fake_guest_settle (guest);
  return self;
}

void
fake_driver_free (FakeDriver *self)
{
  g_free (self);
}

void
fake_driver_put_desc (FakeDriver *self,
                      guint queue,
                      guint16 index,
                      guint64 address,
                      guint32 length,
                      guint16 flags,
                      guint16 next)
{
  guint8 *desc = fake_guest_at (self->guest, self->queues[queue].desc + 16 * index, 16);

  memcpy (desc, &address, 8);
  memcpy (desc + 8, &length, 4);
  memcpy (desc + 12, &flags, 2);
  memcpy (desc + 14, &next, 2);
}

void
fake_driver_offer (FakeDriver *self, guint queue, guint16 head)
{
  FakeQueue *q = &self->queues[queue];
  guint16 *ring = fake_guest_at (self->guest, q->driver, 6 + 2 * q->size);

  ring[2 + q->next_avail % q->size] = head;
  q->next_avail++;
  __atomic_store_n (&ring[1], q->next_avail, __ATOMIC_SEQ_CST);
}

/* As the processor would: the doorbell takes the write, or the bus does. */
void
fake_driver_kick (FakeDriver *self, guint queue)
{
  fake_driver_write (self, self->notify + queue * self->notify_stride, 2, queue);
}

guint16
fake_driver_send (FakeDriver *self,
                  guint queue,
                  const FakeBuffer *out,
                  guint n_out,
                  const FakeBuffer *in,
                  guint n_in)
{
  FakeQueue *q = &self->queues[queue];
  guint16 head = q->next_desc % q->size;

  for (guint i = 0; i < n_out + n_in; i++) {
    const FakeBuffer *buffer = i < n_out ? &out[i] : &in[i - n_out];
    guint16 index = q->next_desc++ % q->size;
    guint16 flags = (i < n_out ? 0 : FAKE_WRITE) | (i + 1 < n_out + n_in ? FAKE_NEXT : 0);

    fake_driver_put_desc (self, queue, index, buffer->address, buffer->length, flags,
                          (index + 1) % q->size);
  }
  fake_driver_offer (self, queue, head);
  fake_driver_kick (self, queue);
  return head;
}

guint16
fake_driver_get_used_index (FakeDriver *self, guint queue)
{
  guint16 *index = fake_guest_at (self->guest, self->queues[queue].device + 2, 2);

  return __atomic_load_n (index, __ATOMIC_ACQUIRE);
}

gboolean
fake_driver_take_used (FakeDriver *self, guint queue, guint32 *head, guint32 *written)
{
  FakeQueue *q = &self->queues[queue];
  guint32 *element;

  if (fake_driver_get_used_index (self, queue) == q->last_used)
    return FALSE;
  element = fake_guest_at (self->guest, q->device + 4 + 8 * (q->last_used % q->size), 8);
  q->last_used++;
  *head = element[0];
  *written = element[1];
  return TRUE;
}

guint32
fake_driver_call (FakeDriver *self,
                  guint queue,
                  const FakeBuffer *out,
                  guint n_out,
                  const FakeBuffer *in,
                  guint n_in)
{
  guint16 sent = fake_driver_send (self, queue, out, n_out, in, n_in);
  guint32 head, written;

  /* A message may be one of a request before. */
  while (fake_driver_get_used_index (self, queue) == self->queues[queue].last_used)
    fake_guest_wait_message (self->guest, queue + 1);
  g_assert_true (fake_driver_take_used (self, queue, &head, &written));
  g_assert_cmpuint (head, ==, sent);
  return written;
}

void
fake_driver_check_broken (FakeDriver *self, const char *why)
{
  FakePlatform *platform = &self->guest->platform;
  guint16 used[FAKE_N_QUEUES];

  fake_guest_settle (self->guest);
  g_assert_cmpuint (fake_driver_get_status (self) & STATUS_NEEDS_RESET, !=, 0);
  g_assert_cmpuint (platform->n_broken, ==, 1);
  if (!strstr (platform->last_broken, why))
    g_error ("It said “%s” instead of “%s”", platform->last_broken, why);
  /* More nonsense changes nothing. */
  for (guint i = 0; i < FAKE_N_QUEUES && self->queues[i].size > 0; i++) {
    used[i] = fake_driver_get_used_index (self, i);
    fake_driver_kick (self, i);
  }
  fake_guest_settle (self->guest);
  g_assert_cmpuint (platform->n_broken, ==, 1);
  for (guint i = 0; i < FAKE_N_QUEUES && self->queues[i].size > 0; i++)
    g_assert_cmpuint (fake_driver_get_used_index (self, i), ==, used[i]);
  fake_driver_set_status (self, 0);
  g_assert_cmpuint (fake_driver_get_status (self), ==, 0);
}
