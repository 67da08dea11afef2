/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The life of a virtio device: features, status, reset and drain, and the calls by which a device
 * takes requests and gives them back.
 *
 * Threads: as virtio.h says.
 */
#include <string.h>

#include "virtio/virtio-private.h"
#include "vmm-error.h"

/* Requests that a device may take before others on the loop have their turn. */
#define TURN     32
#define NO_LIMIT G_MAXUINT /* outside a turn */

static const VmmField vmm_virtio_queue_fields[] = {
  VMM_FIELD_PART (VmmVirtioQueue, ring, vmm_virtqueue_fields, "ring"),
  VMM_EXEMPT (VmmVirtioQueue, device, "who it belongs to"),
  VMM_EXEMPT (VmmVirtioQueue, index, "who it is"),
  VMM_EXEMPT (VmmVirtioQueue, kick, "of the loop"),
  VMM_EXEMPT (VmmVirtioQueue, doorbell, "follows from the BAR"),
  VMM_EXEMPT (VmmVirtioQueue, has_doorbell, "follows from the BAR"),
  VMM_FIELD_LAST,
};

const VmmField vmm_virtio_fields[] = {
  VMM_FIELD_PART (VmmVirtio, parent, vmm_pci_device_fields, "pci"),
  VMM_FIELD (VmmVirtio, status, VMM_FIELD_UINT8, "status"),
  VMM_FIELD (VmmVirtio, isr, VMM_FIELD_UINT8, "isr"),
  VMM_FIELD (VmmVirtio, config_generation, VMM_FIELD_UINT8, "config-generation"),
  VMM_FIELD (VmmVirtio, device_feature_select, VMM_FIELD_UINT32, "device-feature-select"),
  VMM_FIELD (VmmVirtio, driver_feature_select, VMM_FIELD_UINT32, "driver-feature-select"),
  VMM_FIELD (VmmVirtio, driver_features, VMM_FIELD_UINT64, "driver-features"),
  VMM_FIELD (VmmVirtio, config_vector, VMM_FIELD_UINT16, "config-vector"),
  VMM_FIELD (VmmVirtio, queue_select, VMM_FIELD_UINT16, "queue-select"),
  VMM_EXEMPT (VmmVirtio, n_queues, "stored with the queues"),
  VMM_FIELD_POINTER (VmmVirtio, queues, n_queues, vmm_virtio_queue_fields, "queues"),
  VMM_EXEMPT (VmmVirtio, window_offset, "set up by realize"),
  VMM_EXEMPT (VmmVirtio, n_inflight, "a drained device has none"),
  VMM_EXEMPT (VmmVirtio, resetting, "a drained device is not"),
  VMM_EXEMPT (VmmVirtio, drained, "whoever loads knows"),
  VMM_EXEMPT (VmmVirtio, left, "of the loop"),
  VMM_EXEMPT (VmmVirtio, idle, "a condition"),
  VMM_FIELD_LAST,
};

guint64
vmm_virtio_get_features (VmmVirtio *self)
{
  const VmmVirtioClass *klass = vmm_virtio_class (self);
  guint64 features = G_GUINT64_CONSTANT (1) << VIRTIO_F_VERSION_1 | 1u << VIRTIO_F_INDIRECT |
                     1u << VIRTIO_F_EVENT_IDX;

  return features | (klass->get_features ? klass->get_features (self) : 0);
}

gboolean
vmm_virtio_has_feature (VmmVirtio *self, guint bit)
{
  return (self->driver_features >> bit & 1) != 0;
}

/* Loop: the doorbell of a queue rang. */
static void
queue_kicked (gpointer data)
{
  VmmVirtioQueue *queue = data;
  VmmVirtio *self = queue->device;
  const VmmVirtioClass *klass = vmm_virtio_class (self);

  vmm_device_lock (&self->parent.parent);
  self->left = klass->turn ? klass->turn : TURN;
  if (vmm_virtio_is_running (self) && !self->drained && queue->ring.enabled)
    klass->process (self, queue->index);
  self->left = NO_LIMIT;
  vmm_device_unlock (&self->parent.parent);
}

void
vmm_virtio_kick_all (VmmVirtio *self)
{
  for (guint i = 0; i < self->n_queues; i++)
    if (self->queues[i].ring.enabled)
      vmm_kick_ring (&self->queues[i].kick);
}

void
vmm_virtio_look_again (VmmVirtio *self)
{
  if (vmm_virtio_is_running (self) && !self->drained)
    vmm_virtio_kick_all (self);
}

static void
signal_vector (VmmVirtio *self, guint16 vector, guint8 isr)
{
  if (self->parent.msix.enabled) {
    vmm_msix_signal (&self->parent.msix, vector);
    return;
  }
  self->isr |= isr;
  vmm_pci_device_set_intx (&self->parent, TRUE);
}

void
vmm_virtio_config_changed (VmmVirtio *self)
{
  self->config_generation++;
  if (self->status & VIRTIO_STATUS_DRIVER_OK)
    signal_vector (self, self->config_vector, VIRTIO_ISR_CONFIG);
}

void
vmm_virtio_break (VmmVirtio *self, const char *why)
{
  if (self->status & VIRTIO_STATUS_NEEDS_RESET)
    return;
  self->status |= VIRTIO_STATUS_NEEDS_RESET;
  vmm_virtio_config_changed (self);
  vmm_device_broken (&self->parent.parent, why);
}

static void
stop_leaf (VmmVirtio *self)
{
  if (vmm_virtio_class (self)->stop)
    vmm_virtio_class (self)->stop (self);
}

/* Everything that a driver set is forgotten. No request is under way. */
static void
forget_driver (VmmVirtio *self)
{
  stop_leaf (self);
  self->resetting = FALSE;
  self->status = 0;
  self->isr = 0;
  self->device_feature_select = self->driver_feature_select = 0;
  self->driver_features = 0;
  self->config_vector = VMM_MSIX_NO_VECTOR;
  self->queue_select = 0;
  for (guint i = 0; i < self->n_queues; i++)
    vmm_virtqueue_reset (&self->queues[i].ring);
  vmm_pci_device_set_intx (&self->parent, FALSE);
  if (vmm_virtio_class (self)->reset)
    vmm_virtio_class (self)->reset (self);
}

/* Whether the driver's features are ones that it may have. */
static gboolean
features_are_good (VmmVirtio *self)
{
  return !(self->driver_features & ~vmm_virtio_get_features (self)) &&
         vmm_virtio_has_feature (self, VIRTIO_F_VERSION_1);
}

/* FALSE, and broken, where a queue is wrong. */
static gboolean
start_queues (VmmVirtio *self)
{
  for (guint i = 0; i < self->n_queues; i++) {
    VmmVirtqueue *ring = &self->queues[i].ring;

    ring->event_idx = vmm_virtio_has_feature (self, VIRTIO_F_EVENT_IDX);
    ring->indirect = vmm_virtio_has_feature (self, VIRTIO_F_INDIRECT);
    if (ring->enabled && !vmm_virtqueue_start (ring)) {
      vmm_virtio_break (self, ring->broken);
      return FALSE;
    }
  }
  return TRUE;
}

static void
driver_ok (VmmVirtio *self)
{
  if (!(self->status & VIRTIO_STATUS_FEATURES_OK)) {
    vmm_virtio_break (self, "The driver started before its features were agreed.");
    return;
  }
  if (!start_queues (self))
    return;
  if (vmm_virtio_class (self)->started)
    vmm_virtio_class (self)->started (self);
  vmm_virtio_kick_all (self);
}

/* Reset comes first and waits for what is under way; the driver reads the status until it is 0. */
void
vmm_virtio_set_status (VmmVirtio *self, guint8 status)
{
  guint8 before = self->status;

  if (status == 0) {
    self->resetting = TRUE;
    if (self->n_inflight == 0)
      forget_driver (self);
    return;
  }
  if (self->resetting)
    return;
  self->status |= status & VIRTIO_STATUS_WRITABLE;
  if (!(before & VIRTIO_STATUS_FEATURES_OK) && (status & VIRTIO_STATUS_FEATURES_OK) &&
      !features_are_good (self))
    self->status &= ~VIRTIO_STATUS_FEATURES_OK;
  if (!(before & VIRTIO_STATUS_DRIVER_OK) && (status & VIRTIO_STATUS_DRIVER_OK))
    driver_ok (self);
}

gboolean
vmm_virtio_is_ready (VmmVirtio *self)
{
  return vmm_virtio_is_running (self);
}

/* Counts a request that was @taken from @ring, or breaks the device with it. */
static gboolean
count_taken (VmmVirtio *self, VmmVirtqueue *ring, gboolean taken)
{
  if (taken)
    self->n_inflight++;
  else if (ring->broken)
    vmm_virtio_break (self, ring->broken);
  return taken;
}

/* Whether the device may take one more request in this turn; the queue asks for another turn where
 * not. A guest can offer requests as fast as they are served. */
static gboolean
has_turn (VmmVirtio *self, guint index)
{
  if (self->left == NO_LIMIT)
    return TRUE;
  if (self->left == 0) {
    vmm_kick_ring (&self->queues[index].kick);
    return FALSE;
  }
  self->left--;
  return TRUE;
}

gboolean
vmm_virtio_pop (VmmVirtio *self, guint index, VmmRequest *request)
{
  VmmVirtqueue *ring = &self->queues[index].ring;

  return vmm_virtio_is_running (self) && !self->drained && has_turn (self, index) &&
         count_taken (self, ring, vmm_virtqueue_pop (ring, request));
}

gboolean
vmm_virtio_take_kept (VmmVirtio *self, guint index, guint16 head, VmmRequest *request)
{
  VmmVirtqueue *ring = &self->queues[index].ring;

  return vmm_virtio_is_running (self) && !self->drained &&
         count_taken (self, ring, vmm_virtqueue_read_again (ring, head, request));
}

static void
one_less_under_way (VmmVirtio *self)
{
  self->n_inflight--;
  if (self->n_inflight > 0)
    return;
  if (self->resetting)
    forget_driver (self);
  g_cond_broadcast (&self->idle);
}

void
vmm_virtio_push (VmmVirtio *self, guint index, guint16 head, guint32 written)
{
  if (!self->resetting)
    vmm_virtqueue_push (&self->queues[index].ring, head, written);
  one_less_under_way (self);
}

void
vmm_virtio_push_many (VmmVirtio *self,
                      guint index,
                      const guint16 *heads,
                      const guint32 *written,
                      guint n)
{
  if (!self->resetting)
    vmm_virtqueue_push_many (&self->queues[index].ring, heads, written, n);
  for (guint i = 0; i < n; i++)
    one_less_under_way (self);
}

void
vmm_virtio_unpop (VmmVirtio *self, guint index)
{
  vmm_virtqueue_unpop (&self->queues[index].ring);
  one_less_under_way (self);
}

void
vmm_virtio_notify (VmmVirtio *self, guint index)
{
  VmmVirtqueue *ring = &self->queues[index].ring;

  if (vmm_virtio_is_running (self) && vmm_virtqueue_wants_interrupt (ring))
    signal_vector (self, ring->vector, VIRTIO_ISR_QUEUE);
}

void
vmm_virtio_keep (VmmVirtio *self)
{
  one_less_under_way (self);
}

gboolean
vmm_virtio_lend_queue (VmmVirtio *self, guint index, VmmVirtqueueLoan *loan)
{
  VmmVirtioQueue *queue = &self->queues[index];
  VmmVirtqueue *ring = &queue->ring;

  if (!vmm_virtio_is_running (self) || self->drained || !ring->enabled || ring->broken ||
      ring->next_avail != ring->next_used || !queue->kick.source)
    return FALSE;
  *loan = (VmmVirtqueueLoan) {
    .size = ring->size,
    .next = ring->next_avail,
    .desc = ring->desc,
    .driver = ring->driver,
    .device = ring->device,
    .kick_fd = queue->kick.fd,
    .call_fd = vmm_msix_lend (&self->parent.msix, ring->vector),
  };
  if (loan->call_fd < 0)
    return FALSE;
  vmm_kick_ignore (&queue->kick);
  return TRUE;
}

void
vmm_virtio_take_back_queue (VmmVirtio *self, guint index, guint16 next)
{
  VmmVirtioQueue *queue = &self->queues[index];
  g_autoptr (GError) error = NULL;

  queue->ring.next_avail = queue->ring.next_used = next;
  queue->ring.signalled_valid = FALSE;
  vmm_msix_take_back (&self->parent.msix, queue->ring.vector);
  if (!vmm_kick_listen (&queue->kick, &error))
    vmm_virtio_break (self, error->message);
}

void
vmm_virtio_ring (VmmVirtio *self, guint index)
{
  vmm_kick_ring (&self->queues[index].kick);
}

static void
wait_until_idle (VmmVirtio *self)
{
  while (self->n_inflight > 0)
    vmm_device_wait (&self->parent.parent, &self->idle);
}

void
vmm_virtio_drain (VmmDevice *device)
{
  VmmVirtio *self = (VmmVirtio *) device;

  vmm_device_lock (device);
  self->drained = TRUE;
  stop_leaf (self);
  wait_until_idle (self);
  vmm_device_unlock (device);
}

void
vmm_virtio_resume (VmmDevice *device)
{
  VmmVirtio *self = (VmmVirtio *) device;

  vmm_device_lock (device);
  self->drained = FALSE;
  if (vmm_virtio_class (self)->resumed)
    vmm_virtio_class (self)->resumed (self);
  if (vmm_virtio_is_running (self))
    vmm_virtio_kick_all (self);
  vmm_device_unlock (device);
}

void
vmm_virtio_reset (VmmDevice *device)
{
  VmmVirtio *self = (VmmVirtio *) device;

  self->resetting = TRUE;
  wait_until_idle (self);
  forget_driver (self);
  self->config_generation = 0;
  vmm_pci_device_reset (&self->parent);
}

static gboolean
queues_are_good (VmmVirtio *self)
{
  for (guint i = 0; i < self->n_queues; i++) {
    VmmVirtqueue *ring = &self->queues[i].ring;

    if (ring->size > ring->max_size || (ring->size & (ring->size - 1)))
      return FALSE;
  }
  return TRUE;
}

gboolean
vmm_virtio_loaded (VmmDevice *device, GError **error)
{
  VmmVirtio *self = (VmmVirtio *) device;
  const VmmVirtioClass *klass = vmm_virtio_class (self);
  gboolean running = self->status & VIRTIO_STATUS_DRIVER_OK;

  for (guint i = 0; i < self->n_queues; i++)
    self->queues[i].ring.broken = NULL;
  self->resetting = FALSE;
  if (!vmm_pci_device_loaded (&self->parent, error))
    return FALSE;
  if (!queues_are_good (self) || (running && (!features_are_good (self) || !start_queues (self)))) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT, "The saved state of “%s” is broken.",
                 device->id);
    return FALSE;
  }
  if (klass->loaded && !klass->loaded (self, error))
    return FALSE;
  if (vmm_virtio_is_running (self) && !self->drained)
    vmm_virtio_kick_all (self);
  return TRUE;
}

static void
free_queues (VmmVirtio *self)
{
  for (guint i = 0; i < self->n_queues; i++)
    vmm_kick_clear (&self->queues[i].kick);
  g_clear_pointer (&self->queues, g_free);
  g_cond_clear (&self->idle);
}

static gboolean
make_queues (VmmVirtio *self, gconstpointer config, GError **error)
{
  const VmmVirtioClass *klass = vmm_virtio_class (self);
  const VmmBoard *board = self->parent.parent.board;

  g_cond_init (&self->idle);
  self->n_queues = klass->count_queues ? klass->count_queues (config) : klass->n_queues;
  self->left = NO_LIMIT;
  self->queues = g_new0 (VmmVirtioQueue, self->n_queues);
  for (guint i = 0; i < self->n_queues; i++) {
    VmmVirtioQueue *queue = &self->queues[i];

    queue->device = self;
    queue->index = i;
    vmm_virtqueue_init (&queue->ring, board->memory, klass->queue_size);
    if (!vmm_kick_init (&queue->kick, board->loop, queue_kicked, queue, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
vmm_virtio_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  VmmVirtio *self = (VmmVirtio *) device;
  const VmmVirtioClass *klass = vmm_virtio_class (self);
  const guint *slot = config;

  self->config_vector = VMM_MSIX_NO_VECTOR;
  if (!make_queues (self, config, error) || !vmm_virtio_pci_realize (self, *slot, error)) {
    free_queues (self);
    return FALSE;
  }
  if (!klass->realize || klass->realize (self, config, error))
    return TRUE;
  vmm_pci_device_unrealize (&self->parent);
  free_queues (self);
  return FALSE;
}

/* Nothing may call the device any more before the leaf goes. */
void
vmm_virtio_unrealize (VmmDevice *device)
{
  VmmVirtio *self = (VmmVirtio *) device;
  const VmmVirtioClass *klass = vmm_virtio_class (self);

  vmm_virtio_drain (device);
  vmm_pci_device_unrealize (&self->parent);
  if (klass->unrealize)
    klass->unrealize (self);
  free_queues (self);
}
