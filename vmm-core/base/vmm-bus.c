/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The table of address ranges. A handler runs with its device locked, and whether its range still
 * stands is asked again under that lock: so taking a range away needs nothing but the device's lock
 * to know that no handler is left in it.
 *
 * Threads: any.
 */
#include "base/vmm-bus.h"
#include "vmm-error.h"

typedef struct {
  guint64 address, length;
  const VmmBusOps *ops;
  VmmDevice *device;
  guint region;
  gboolean gone; /* guarded by the device's lock */
} Range;

struct _VmmBus {
  GRWLock lock;
  GPtrArray *ranges; /* by address */
};

VmmBus *
vmm_bus_new (void)
{
  VmmBus *self = g_new0 (VmmBus, 1);

  g_rw_lock_init (&self->lock);
  self->ranges = g_ptr_array_new_with_free_func (g_atomic_rc_box_release);
  return self;
}

void
vmm_bus_free (VmmBus *self)
{
  g_ptr_array_unref (self->ranges);
  g_rw_lock_clear (&self->lock);
  g_free (self);
}

/* The number of ranges that begin at or below @address. */
static guint
count_up_to (VmmBus *self, guint64 address)
{
  guint low = 0, high = self->ranges->len;

  while (low < high) {
    guint middle = (low + high) / 2;
    Range *range = g_ptr_array_index (self->ranges, middle);

    if (range->address <= address)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static gboolean
is_free (VmmBus *self, guint64 address, guint64 length, guint at)
{
  if (length == 0 || address + (length - 1) < address)
    return FALSE;
  if (at > 0) {
    Range *before = g_ptr_array_index (self->ranges, at - 1);

    if (address - before->address < before->length)
      return FALSE;
  }
  if (at < self->ranges->len) {
    Range *after = g_ptr_array_index (self->ranges, at);

    if (after->address - address < length)
      return FALSE;
  }
  return TRUE;
}

gboolean
vmm_bus_add (VmmBus *self,
             guint64 address,
             guint64 length,
             const VmmBusOps *ops,
             VmmDevice *device,
             guint region,
             GError **error)
{
  g_autoptr (GRWLockWriterLocker) locker = g_rw_lock_writer_locker_new (&self->lock);
  guint at = count_up_to (self, address);
  Range *range;

  if (!is_free (self, address, length, at)) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
                 "%s cannot answer at 0x%" G_GINT64_MODIFIER "x: something else does already.",
                 device->id, address);
    return FALSE;
  }
  range = g_atomic_rc_box_new0 (Range);
  *range = (Range) { address, length, ops, device, region, FALSE };
  g_ptr_array_insert (self->ranges, at, range);
  return TRUE;
}

static Range *
vmm_bus_take_out (VmmBus *self, guint64 address)
{
  g_autoptr (GRWLockWriterLocker) locker = g_rw_lock_writer_locker_new (&self->lock);
  guint at = count_up_to (self, address);
  Range *range = at > 0 ? g_ptr_array_index (self->ranges, at - 1) : NULL;

  if (!range || range->address != address)
    return NULL;
  g_atomic_rc_box_acquire (range);
  g_ptr_array_remove_index (self->ranges, at - 1);
  return range;
}

void
vmm_bus_remove (VmmBus *self, guint64 address)
{
  Range *range = vmm_bus_take_out (self, address);

  if (!range)
    return;
  if (vmm_device_is_locked (range->device)) {
    range->gone = TRUE;
  } else {
    vmm_device_lock (range->device);
    range->gone = TRUE;
    vmm_device_unlock (range->device);
  }
  g_atomic_rc_box_release (range);
}

/* The range that holds all @size bytes at @address; NULL where none does. @touched says whether one
 * holds some of them. */
static Range *
vmm_bus_find (VmmBus *self, guint64 address, guint size, gboolean *touched)
{
  g_autoptr (GRWLockReaderLocker) locker = g_rw_lock_reader_locker_new (&self->lock);
  guint at = count_up_to (self, address);
  Range *range = at > 0 ? g_ptr_array_index (self->ranges, at - 1) : NULL;
  Range *after = at < self->ranges->len ? g_ptr_array_index (self->ranges, at) : NULL;

  *touched = after && after->address - address < size;
  if (!range || address - range->address >= range->length)
    return NULL;
  *touched = TRUE;
  return range->length - (address - range->address) >= size ? g_atomic_rc_box_acquire (range)
                                                            : NULL;
}

static guint64
all_ones (guint size)
{
  return size >= 8 ? G_MAXUINT64 : (G_GUINT64_CONSTANT (1) << (8 * size)) - 1;
}

/* An access that crosses the edge of a range is taken apart, as hardware does. */
guint64
vmm_bus_read (VmmBus *self, guint64 address, guint size)
{
  gboolean touched;
  Range *range = vmm_bus_find (self, address, size, &touched);
  guint64 value = G_MAXUINT64;

  if (!range) {
    guint half = size / 2;

    if (!touched || half == 0)
      return all_ones (size);
    return vmm_bus_read (self, address, half) | vmm_bus_read (self, address + half, half)
                                                  << (8 * half);
  }
  vmm_device_lock (range->device);
  if (!range->gone)
    value = range->ops->read (range->device, range->region, address - range->address, size);
  vmm_device_unlock (range->device);
  g_atomic_rc_box_release (range);
  return value & all_ones (size);
}

void
vmm_bus_write (VmmBus *self, guint64 address, guint size, guint64 value)
{
  gboolean touched;
  Range *range = vmm_bus_find (self, address, size, &touched);

  if (!range) {
    guint half = size / 2;

    if (touched && half > 0) {
      vmm_bus_write (self, address, half, value & all_ones (half));
      vmm_bus_write (self, address + half, half, value >> (8 * half));
    }
    return;
  }
  vmm_device_lock (range->device);
  if (!range->gone)
    range->ops->write (range->device, range->region, address - range->address, size,
                       value & all_ones (size));
  vmm_device_unlock (range->device);
  g_atomic_rc_box_release (range);
}
