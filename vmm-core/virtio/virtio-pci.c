/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The registers of a virtio device on PCI (virtio 1.2, 4.1): one BAR with a page for each of the
 * structures, and the capabilities that say where they are.
 *
 * Threads: vCPU, device locked.
 */
#include <string.h>

#include "virtio/virtio-private.h"

#define BAR_SIZE        0x8000
#define COMMON_OFFSET   0x0000
#define ISR_OFFSET      0x1000
#define CONFIG_OFFSET   0x2000
#define NOTIFY_OFFSET   0x3000
#define MSIX_OFFSET     0x4000
#define PBA_OFFSET      0x5000
#define PAGE            0x1000
#define NOTIFY_STRIDE   4
#define MAX_CONFIG_SIZE 256

#define VENDOR_VIRTIO   0x1af4
#define FIRST_DEVICE_ID 0x1040
#define FIRST_SUBSYSTEM 0x40

#define CAPABILITY_VENDOR 0x09
#define CAPABILITY_LENGTH 16

enum {
  STRUCTURE_COMMON = 1,
  STRUCTURE_NOTIFY = 2,
  STRUCTURE_ISR = 3,
  STRUCTURE_CONFIG = 4,
  STRUCTURE_WINDOW = 5, /* an access to the BAR through configuration space */
};

/* Within a capability. */
#define CAP_LENGTH 2
#define CAP_TYPE   3
#define CAP_BAR    4
#define CAP_OFFSET 8
#define CAP_SIZE   12
#define CAP_EXTRA  16 /* notify: the stride; window: the data */

/* struct virtio_pci_common_cfg */
typedef struct {
  guint32 device_feature_select, device_feature;
  guint32 driver_feature_select, driver_feature;
  guint16 config_vector, n_queues;
  guint8 status, config_generation;
  guint16 queue_select, queue_size, queue_vector, queue_enable, queue_notify_offset;
  guint64 queue_desc, queue_driver, queue_device;
} CommonConfig;

G_STATIC_ASSERT (sizeof (CommonConfig) == 56);

static VmmVirtqueue *
selected_ring (VmmVirtio *self)
{
  return self->queue_select < self->n_queues ? &self->queues[self->queue_select].ring : NULL;
}

static void
fill_common (VmmVirtio *self, CommonConfig *common)
{
  VmmVirtqueue *ring = selected_ring (self);
  guint64 features = vmm_virtio_get_features (self);

  *common = (CommonConfig) {
    .device_feature_select = self->device_feature_select,
    .driver_feature_select = self->driver_feature_select,
    .config_vector = self->config_vector,
    .n_queues = self->n_queues,
    .status = self->status,
    .config_generation = self->config_generation,
    .queue_select = self->queue_select,
  };
  if (self->device_feature_select < 2)
    common->device_feature = features >> 32 * self->device_feature_select;
  if (self->driver_feature_select < 2)
    common->driver_feature = self->driver_features >> 32 * self->driver_feature_select;
  if (!ring)
    return;
  common->queue_size = ring->size;
  common->queue_vector = ring->vector;
  common->queue_enable = ring->enabled;
  common->queue_notify_offset = self->queue_select;
  common->queue_desc = ring->desc;
  common->queue_driver = ring->driver;
  common->queue_device = ring->device;
}

static void
set_driver_feature (VmmVirtio *self, guint32 value)
{
  guint shift = 32 * self->driver_feature_select;

  if (shift > 32 || (self->status & VIRTIO_STATUS_FEATURES_OK))
    return;
  self->driver_features &= ~((guint64) G_MAXUINT32 << shift);
  self->driver_features |= (guint64) value << shift;
}

static guint16
good_vector (VmmVirtio *self, guint16 vector)
{
  return vector < self->parent.msix.n_vectors ? vector : VMM_MSIX_NO_VECTOR;
}

/* A queue is set up before the driver starts and stays as it is until the device is reset. */
static void
write_queue (VmmVirtio *self, const CommonConfig *common)
{
  VmmVirtqueue *ring = selected_ring (self);

  if (!ring)
    return;
  ring->vector = good_vector (self, common->queue_vector);
  if (ring->enabled || self->resetting)
    return;
  if (common->queue_size <= ring->max_size && (common->queue_size & (common->queue_size - 1)) == 0)
    ring->size = common->queue_size;
  ring->desc = common->queue_desc;
  ring->driver = common->queue_driver;
  ring->device = common->queue_device;
  if (common->queue_enable == 1 && ring->size > 0 && !(self->status & VIRTIO_STATUS_DRIVER_OK))
    ring->enabled = TRUE;
}

/* Writes the bytes over what the registers hold now, and lets what changed take effect. */
static void
write_common (VmmVirtio *self, guint64 offset, guint size, guint64 value)
{
  CommonConfig common;

  if (offset + size > sizeof common)
    return;
  fill_common (self, &common);
  memcpy ((guint8 *) &common + offset, &value, size);

  if (offset >= G_STRUCT_OFFSET (CommonConfig, queue_size)) {
    write_queue (self, &common);
    return;
  }
  switch (offset) {
  case G_STRUCT_OFFSET (CommonConfig, device_feature_select):
    self->device_feature_select = common.device_feature_select;
    break;
  case G_STRUCT_OFFSET (CommonConfig, driver_feature_select):
    self->driver_feature_select = common.driver_feature_select;
    break;
  case G_STRUCT_OFFSET (CommonConfig, driver_feature):
    set_driver_feature (self, common.driver_feature);
    break;
  case G_STRUCT_OFFSET (CommonConfig, config_vector):
    self->config_vector = good_vector (self, common.config_vector);
    break;
  case G_STRUCT_OFFSET (CommonConfig, status):
    vmm_virtio_set_status (self, common.status);
    break;
  case G_STRUCT_OFFSET (CommonConfig, queue_select):
    self->queue_select = common.queue_select;
    break;
  default:
    break;
  }
}

static guint64
read_common (VmmVirtio *self, guint64 offset, guint size)
{
  CommonConfig common;
  guint64 value = 0;

  if (offset + size > sizeof common)
    return 0;
  fill_common (self, &common);
  memcpy (&value, (guint8 *) &common + offset, size);
  return value;
}

static guint64
read_isr (VmmVirtio *self)
{
  guint8 isr = self->isr;

  self->isr = 0;
  vmm_pci_device_set_intx (&self->parent, FALSE);
  return isr;
}

static guint64
read_device_config (VmmVirtio *self, guint64 offset, guint size)
{
  const VmmVirtioClass *klass = vmm_virtio_class (self);
  guint8 bytes[MAX_CONFIG_SIZE] = { 0 };
  guint64 value = 0;

  if (offset + size > klass->config_size || klass->config_size > sizeof bytes)
    return 0;
  klass->read_config (self, bytes);
  memcpy (&value, bytes + offset, size);
  return value;
}

static void
write_device_config (VmmVirtio *self, guint64 offset, guint size, guint64 value)
{
  const VmmVirtioClass *klass = vmm_virtio_class (self);

  if (klass->write_config && size <= 4 && offset + size <= klass->config_size)
    klass->write_config (self, offset, size, value);
}

/* Only where the kernel does not take the doorbell itself. */
static void
notify_queue (VmmVirtio *self, guint64 offset)
{
  guint64 index = offset / NOTIFY_STRIDE;

  if (index < self->n_queues)
    vmm_kick_ring (&self->queues[index].kick);
}

static guint64
vmm_virtio_bar_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  VmmVirtio *self = (VmmVirtio *) device;
  const VmmVirtioClass *klass = vmm_virtio_class (self);
  guint64 at = offset % PAGE;

  if (region != klass->bar || offset < klass->bar_base)
    return klass->read_bar (self, region, offset, size);
  switch (offset - at - klass->bar_base) {
  case COMMON_OFFSET:
    return read_common (self, at, size);
  case ISR_OFFSET:
    return at == 0 ? read_isr (self) : 0;
  case CONFIG_OFFSET:
    return read_device_config (self, at, size);
  case MSIX_OFFSET:
    return vmm_msix_read_table (&self->parent.msix, at, size);
  case PBA_OFFSET:
    return vmm_msix_read_pba (&self->parent.msix, at, size);
  default:
    return 0;
  }
}

static void
vmm_virtio_bar_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  VmmVirtio *self = (VmmVirtio *) device;
  const VmmVirtioClass *klass = vmm_virtio_class (self);
  guint64 at = offset % PAGE;

  if (region != klass->bar || offset < klass->bar_base) {
    klass->write_bar (self, region, offset, size, value);
    return;
  }
  switch (offset - at - klass->bar_base) {
  case COMMON_OFFSET:
    write_common (self, at, size, value);
    break;
  case CONFIG_OFFSET:
    write_device_config (self, at, size, value);
    break;
  case NOTIFY_OFFSET:
    notify_queue (self, at);
    break;
  case MSIX_OFFSET:
    vmm_msix_write_table (&self->parent.msix, at, size, value);
    break;
  default:
    break;
  }
}

static const VmmBusOps vmm_virtio_bar_ops = { vmm_virtio_bar_read, vmm_virtio_bar_write };

void
vmm_virtio_bar_mapped (VmmPciDevice *pci, guint bar, guint64 address, gboolean mapped)
{
  VmmVirtio *self = (VmmVirtio *) pci;
  const VmmVirtioClass *klass = vmm_virtio_class (self);
  VmmPlatform *platform = pci->parent.board->platform;

  if (bar != klass->bar) {
    klass->bar_mapped (self, bar, mapped ? address : 0);
    return;
  }
  for (guint i = 0; i < self->n_queues; i++) {
    VmmVirtioQueue *queue = &self->queues[i];

    if (mapped) {
      queue->doorbell = (VmmDoorbell) {
        .space = VMM_SPACE_MMIO,
        .address = address + klass->bar_base + NOTIFY_OFFSET + NOTIFY_STRIDE * i,
        .fd = queue->kick.fd,
      };
      queue->has_doorbell = platform->klass->add_doorbell (platform, &queue->doorbell, NULL);
    } else if (queue->has_doorbell) {
      platform->klass->remove_doorbell (platform, &queue->doorbell);
      queue->has_doorbell = FALSE;
    }
  }
}

/* Whether the access touches the data of the window; and if so, what the window looks at. */
static gboolean
window_of (VmmVirtio *self,
           guint offset,
           guint length,
           guint8 **data,
           guint32 *where,
           guint32 *size)
{
  guint8 *window = self->parent.config + self->window_offset;
  guint at = self->window_offset + CAP_EXTRA;

  if (offset >= at + 4 || offset + length <= at)
    return FALSE;
  *data = window + CAP_EXTRA;
  memcpy (where, window + CAP_OFFSET, 4);
  memcpy (size, window + CAP_SIZE, 4);
  return window[CAP_BAR] == vmm_virtio_class (self)->bar &&
         (*size == 1 || *size == 2 || *size == 4) && *where % *size == 0 &&
         *where <= BAR_SIZE - *size;
}

void
vmm_virtio_config_written (VmmPciDevice *pci, guint offset, guint length)
{
  VmmVirtio *self = (VmmVirtio *) pci;
  guint32 where, size, value = 0;
  guint8 *data;

  if (!window_of (self, offset, length, &data, &where, &size))
    return;
  memcpy (&value, data, size);
  vmm_virtio_bar_write (&pci->parent, vmm_virtio_class (self)->bar, where, size, value);
}

void
vmm_virtio_config_read (VmmPciDevice *pci, guint offset, guint length)
{
  VmmVirtio *self = (VmmVirtio *) pci;
  guint32 where, size, value;
  guint8 *data;

  if (!window_of (self, offset, length, &data, &where, &size))
    return;
  value = vmm_virtio_bar_read (&pci->parent, vmm_virtio_class (self)->bar, where, size);
  memcpy (data, &value, size);
}

/* struct virtio_pci_cap; returns its offset. */
static guint
add_structure (VmmVirtio *self, guint8 type, guint32 offset, guint32 size, guint extra)
{
  const VmmVirtioClass *klass = vmm_virtio_class (self);
  VmmPciDevice *pci = &self->parent;
  guint at = vmm_pci_device_add_capability (pci, CAPABILITY_VENDOR, CAPABILITY_LENGTH + extra);

  vmm_pci_device_put (pci, at + CAP_LENGTH, 1, CAPABILITY_LENGTH + extra);
  vmm_pci_device_put (pci, at + CAP_TYPE, 1, type);
  vmm_pci_device_put (pci, at + CAP_BAR, 1, klass->bar);
  vmm_pci_device_put (pci, at + CAP_OFFSET, 4, klass->bar_base + offset);
  vmm_pci_device_put (pci, at + CAP_SIZE, 4, size);
  return at;
}

static void
add_structures (VmmVirtio *self)
{
  const VmmVirtioClass *klass = vmm_virtio_class (self);
  guint at;

  add_structure (self, STRUCTURE_COMMON, COMMON_OFFSET, sizeof (CommonConfig), 0);
  add_structure (self, STRUCTURE_ISR, ISR_OFFSET, 1, 0);
  if (klass->config_size > 0)
    add_structure (self, STRUCTURE_CONFIG, CONFIG_OFFSET, klass->config_size, 0);
  at = add_structure (self, STRUCTURE_NOTIFY, NOTIFY_OFFSET, NOTIFY_STRIDE * self->n_queues, 4);
  vmm_pci_device_put (&self->parent, at + CAP_EXTRA, 4, NOTIFY_STRIDE);
  at = add_structure (self, STRUCTURE_WINDOW, 0, 0, 4);
  self->window_offset = at;
  self->parent.write_mask[at + CAP_BAR] = 0xff;
  memset (self->parent.write_mask + at + CAP_OFFSET, 0xff, CAPABILITY_LENGTH + 4 - CAP_OFFSET);
}

gboolean
vmm_virtio_add_bar (VmmVirtio *self, guint bar, guint64 size, GError **error)
{
  return vmm_pci_device_add_bar (&self->parent, bar, size, FALSE, &vmm_virtio_bar_ops, error);
}

gboolean
vmm_virtio_pci_realize (VmmVirtio *self, guint slot, GError **error)
{
  const VmmVirtioClass *klass = vmm_virtio_class (self);
  VmmPciDevice *pci = &self->parent;
  VmmPciIds ids = {
    .vendor = VENDOR_VIRTIO,
    .device = FIRST_DEVICE_ID + klass->virtio_id,
    .subsystem_vendor = VENDOR_VIRTIO,
    .subsystem = FIRST_SUBSYSTEM + klass->virtio_id,
    .revision = 1,
    .class_code = klass->class_code,
  };

  if (!vmm_pci_device_realize (pci, slot, &ids, error))
    return FALSE;
  if (vmm_pci_device_add_bar (pci, klass->bar, BAR_SIZE, TRUE, &vmm_virtio_bar_ops, error) &&
      vmm_pci_device_add_msix (pci, self->n_queues + 1, klass->bar, klass->bar_base + MSIX_OFFSET,
                               klass->bar_base + PBA_OFFSET, error)) {
    add_structures (self);
    return TRUE;
  }
  vmm_pci_device_unrealize (pci);
  return FALSE;
}
