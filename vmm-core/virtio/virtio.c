/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The life of a virtio device: features, status, interrupts, reset and drain.
 *
 * Threads: as virtio.h says.
 */
#include "virtio/virtio-private.h"
#include "vmm-error.h"

static const VmmField vmm_virtio_queue_fields[] = {
  VMM_FIELD_PART (VmmVirtioQueue, ring, vmm_virtqueue_fields, "ring"),
  VMM_EXEMPT (VmmVirtioQueue, device, "who it belongs to"),
  VMM_EXEMPT (VmmVirtioQueue, index, "who it is"),
  VMM_EXEMPT (VmmVirtioQueue, kick, "of the loop"),
  VMM_EXEMPT (VmmVirtioQueue, notify, "a drained device has told"),
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

void
vmm_virtio_signal (VmmVirtio *self, guint16 vector, guint8 isr)
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
    vmm_virtio_signal (self, self->config_vector, VIRTIO_ISR_CONFIG);
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

void
vmm_virtio_forget_driver (VmmVirtio *self)
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
      vmm_virtio_forget_driver (self);
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
  vmm_virtio_notify_now (self);
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
  vmm_virtio_forget_driver (self);
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

gboolean
vmm_virtio_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  VmmVirtio *self = (VmmVirtio *) device;
  const VmmVirtioClass *klass = vmm_virtio_class (self);
  const guint *slot = config;

  self->config_vector = VMM_MSIX_NO_VECTOR;
  if (!vmm_virtio_make_queues (self, config, error) ||
      !vmm_virtio_pci_realize (self, *slot, error)) {
    vmm_virtio_free_queues (self);
    return FALSE;
  }
  if (!klass->realize || klass->realize (self, config, error))
    return TRUE;
  vmm_pci_device_unrealize (&self->parent);
  vmm_virtio_free_queues (self);
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
  vmm_virtio_free_queues (self);
}
