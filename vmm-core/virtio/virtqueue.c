/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The split virtqueue. What the driver writes is read once and then checked; nothing that was read
 * before is trusted to be there still.
 *
 * Threads: as virtqueue.h says.
 */
#include <string.h>

#include "virtio/virtqueue.h"

#define DESC_SIZE          16
#define DESC_NEXT          1
#define DESC_WRITE         2
#define DESC_INDIRECT      4
#define AVAIL_NO_INTERRUPT 1
#define USED_NO_NOTIFY     1

/* Offsets within the driver's (available) and the device's (used) ring. */
#define RING_FLAGS   0
#define RING_INDEX   2
#define RING_ENTRIES 4
#define AVAIL_ENTRY  2
#define USED_ENTRY   8

typedef struct {
  guint64 address;
  guint32 length;
  guint16 flags;
  guint16 next;
} Desc;

G_STATIC_ASSERT (sizeof (Desc) == DESC_SIZE);

const VmmField vmm_virtqueue_fields[] = {
  VMM_FIELD (VmmVirtqueue, size, VMM_FIELD_UINT16, "size"),
  VMM_FIELD (VmmVirtqueue, vector, VMM_FIELD_UINT16, "vector"),
  VMM_FIELD (VmmVirtqueue, enabled, VMM_FIELD_BOOL, "enabled"),
  VMM_FIELD (VmmVirtqueue, desc, VMM_FIELD_UINT64, "desc"),
  VMM_FIELD (VmmVirtqueue, driver, VMM_FIELD_UINT64, "driver"),
  VMM_FIELD (VmmVirtqueue, device, VMM_FIELD_UINT64, "device"),
  VMM_FIELD (VmmVirtqueue, next_avail, VMM_FIELD_UINT16, "next-avail"),
  VMM_FIELD (VmmVirtqueue, next_used, VMM_FIELD_UINT16, "next-used"),
  VMM_FIELD (VmmVirtqueue, signalled_used, VMM_FIELD_UINT16, "signalled-used"),
  VMM_FIELD (VmmVirtqueue, signalled_valid, VMM_FIELD_BOOL, "signalled-valid"),
  VMM_EXEMPT (VmmVirtqueue, dry, "whoever loads looks at the queue"),
  VMM_EXEMPT (VmmVirtqueue, memory, "where it stands"),
  VMM_EXEMPT (VmmVirtqueue, max_size, "of the class"),
  VMM_EXEMPT (VmmVirtqueue, polled, "of the class"),
  VMM_EXEMPT (VmmVirtqueue, event_idx, "follows from the features"),
  VMM_EXEMPT (VmmVirtqueue, indirect, "follows from the features"),
  VMM_EXEMPT (VmmVirtqueue, broken, "the device's status says so"),
  VMM_FIELD_LAST,
};

void
vmm_virtqueue_init (VmmVirtqueue *self, VmmMemory *memory, guint16 max_size)
{
  self->memory = memory;
  self->max_size = max_size;
  vmm_virtqueue_reset (self);
}

void
vmm_virtqueue_reset (VmmVirtqueue *self)
{
  VmmMemory *memory = self->memory;
  guint16 max_size = self->max_size;
  gboolean polled = self->polled;

  memset (self, 0, sizeof *self);
  self->memory = memory;
  self->polled = polled;
  self->max_size = self->size = max_size;
  self->vector = G_MAXUINT16;
}

void
vmm_virtqueue_break (VmmVirtqueue *self, const char *why)
{
  if (!self->broken)
    self->broken = why;
}

static gsize
avail_size (VmmVirtqueue *self)
{
  return RING_ENTRIES + AVAIL_ENTRY * (self->size + 1);
}

static gsize
used_size (VmmVirtqueue *self)
{
  return RING_ENTRIES + USED_ENTRY * self->size + 2;
}

gboolean
vmm_virtqueue_start (VmmVirtqueue *self)
{
  if (self->size == 0 || self->size > self->max_size || (self->size & (self->size - 1)))
    vmm_virtqueue_break (self, "The driver gave a queue a wrong size.");
  else if (self->desc % DESC_SIZE || self->driver % 2 || self->device % 4)
    vmm_virtqueue_break (self, "The driver put a ring at a crooked address.");
  else if (!vmm_memory_at (self->memory, self->desc, DESC_SIZE * self->size) ||
           !vmm_memory_at (self->memory, self->driver, avail_size (self)) ||
           !vmm_memory_at (self->memory, self->device, used_size (self)))
    vmm_virtqueue_break (self, "The driver put a ring outside its memory.");
  return !self->broken;
}

/* One 16-bit field of a ring. The rings were checked when the queue started and memory never
 * changes its place. */
static guint16 *
ring_field (VmmVirtqueue *self, guint64 ring, gsize offset)
{
  return vmm_memory_at (self->memory, ring + offset, sizeof (guint16));
}

static guint16
read_avail (VmmVirtqueue *self, gsize offset)
{
  return __atomic_load_n (ring_field (self, self->driver, offset), __ATOMIC_ACQUIRE);
}

static void
write_used (VmmVirtqueue *self, gsize offset, guint16 value)
{
  __atomic_store_n (ring_field (self, self->device, offset), value, __ATOMIC_RELEASE);
}

/* EVENT_IDX: each side names the index at which it wants to hear of the other. */
static guint16
used_event (VmmVirtqueue *self)
{
  return read_avail (self, RING_ENTRIES + AVAIL_ENTRY * self->size);
}

static void
set_avail_event (VmmVirtqueue *self, guint16 index)
{
  write_used (self, RING_ENTRIES + USED_ENTRY * self->size, index);
}

static void
allow_kicks (VmmVirtqueue *self, gboolean allow)
{
  if (!self->event_idx)
    write_used (self, RING_FLAGS, allow ? 0 : USED_NO_NOTIFY);
  else if (allow)
    set_avail_event (self, self->next_avail);
  __atomic_thread_fence (__ATOMIC_SEQ_CST);
}

/* How many entries wait; breaks the queue where that cannot be. */
static guint16
count_waiting (VmmVirtqueue *self)
{
  guint16 waiting = read_avail (self, RING_INDEX) - self->next_avail;
  guint16 under_way = self->next_avail - self->next_used;

  if (waiting > self->size || under_way > self->size || (waiting > 0 && under_way == self->size)) {
    vmm_virtqueue_break (self, "The driver offered more requests than its queue holds.");
    return 0;
  }
  return waiting;
}

/* The table that a chain is read from: the queue's, or an indirect one. */
typedef struct {
  guint64 address;
  guint32 length; /* in descriptors */
  gboolean indirect;
} Table;

static const char *
enter_indirect (VmmVirtqueue *self, Table *table, const Desc *desc)
{
  if (!self->indirect || table->indirect)
    return "The driver used an indirect table where none is allowed.";
  if ((desc->flags & DESC_NEXT) || desc->length == 0 || desc->length % DESC_SIZE ||
      desc->length / DESC_SIZE > VMM_VIRTQUEUE_MAX_SEGMENTS)
    return "The driver gave a wrong indirect table.";
  *table = (Table) { desc->address, desc->length / DESC_SIZE, TRUE };
  return NULL;
}

static const char *
add_segment (VmmVirtqueue *self, VmmRequest *request, const Desc *desc)
{
  gboolean in = desc->flags & DESC_WRITE;
  void *host = vmm_memory_at (self->memory, desc->address, desc->length);

  if (desc->length == 0)
    return NULL;
  if (!host)
    return "The driver gave a buffer outside its memory.";
  if (!in && request->n_in > 0)
    return "The driver put a buffer to read after one to write.";
  if (request->n_out + request->n_in == VMM_VIRTQUEUE_MAX_SEGMENTS)
    return "The driver chained too many buffers.";
  request->iov[request->n_out + request->n_in] = (struct iovec) { host, desc->length };
  if (in)
    request->n_in++;
  else
    request->n_out++;
  return NULL;
}

/* Follows the chain from @head; returns why it is wrong, or NULL. The count ends chains that bite
 * their tail; one more than the segments, for the entry that names an indirect table. */
static const char *
walk_chain (VmmVirtqueue *self, guint16 head, VmmRequest *request)
{
  Table table = { self->desc, self->size, FALSE };
  guint32 next = head;

  for (guint n = 0; n <= VMM_VIRTQUEUE_MAX_SEGMENTS; n++) {
    const char *why;
    Desc desc;

    if (next >= table.length)
      return "The driver named a descriptor that does not exist.";
    if (!vmm_memory_read (self->memory, table.address + DESC_SIZE * next, &desc, sizeof desc))
      return "The driver put a table outside its memory.";
    if (desc.flags & DESC_INDIRECT) {
      why = enter_indirect (self, &table, &desc);
      next = 0;
      if (why)
        return why;
      continue;
    }
    why = add_segment (self, request, &desc);
    if (why || !(desc.flags & DESC_NEXT))
      return why;
    next = desc.next;
  }
  return "The driver chained too many buffers.";
}

static gboolean
read_request (VmmVirtqueue *self, guint16 head, VmmRequest *request)
{
  const char *why;

  request->head = head;
  request->n_out = request->n_in = 0;
  why = walk_chain (self, head, request);
  if (why) {
    vmm_virtqueue_break (self, why);
    return FALSE;
  }
  request->out = request->iov;
  request->in = request->iov + request->n_out;
  return TRUE;
}

static gboolean
take_next (VmmVirtqueue *self, VmmRequest *request)
{
  gsize entry = RING_ENTRIES + AVAIL_ENTRY * (self->next_avail % self->size);

  if (!read_request (self, read_avail (self, entry), request))
    return FALSE;
  self->next_avail++;
  return TRUE;
}

gboolean
vmm_virtqueue_has_more (VmmVirtqueue *self)
{
  return self->dry && self->enabled && (count_waiting (self) > 0 || self->broken);
}

/* The driver may have added one just before it could see that it must kick. */
gboolean
vmm_virtqueue_listen (VmmVirtqueue *self)
{
  allow_kicks (self, TRUE);
  return count_waiting (self) > 0;
}

gboolean
vmm_virtqueue_pop (VmmVirtqueue *self, VmmRequest *request)
{
  if (self->broken || !self->enabled)
    return FALSE;
  if (count_waiting (self) == 0) {
    self->dry = self->polled && !self->broken;
    if (self->broken || self->polled || !vmm_virtqueue_listen (self))
      return FALSE;
  }
  self->dry = FALSE;
  if (!self->event_idx)
    allow_kicks (self, FALSE);
  return take_next (self, request);
}

gboolean
vmm_virtqueue_read_again (VmmVirtqueue *self, guint16 head, VmmRequest *request)
{
  return !self->broken && self->enabled && read_request (self, head, request);
}

void
vmm_virtqueue_unpop (VmmVirtqueue *self)
{
  self->next_avail--;
}

void
vmm_virtqueue_push_many (VmmVirtqueue *self, const guint16 *heads, const guint32 *written, guint n)
{
  if (self->broken || !self->enabled)
    return;
  for (guint i = 0; i < n; i++) {
    guint16 at = self->next_used + i;
    guint64 entry = self->device + RING_ENTRIES + USED_ENTRY * (at % self->size);
    guint32 element[2] = { heads[i], written[i] };

    vmm_memory_write (self->memory, entry, element, sizeof element);
  }
  self->next_used += n;
  write_used (self, RING_INDEX, self->next_used);
}

void
vmm_virtqueue_push (VmmVirtqueue *self, guint16 head, guint32 written)
{
  vmm_virtqueue_push_many (self, &head, &written, 1);
}

gboolean
vmm_virtqueue_wants_interrupt (VmmVirtqueue *self)
{
  guint16 old = self->signalled_used, new = self->next_used;
  gboolean valid = self->signalled_valid;

  if (self->broken || !self->enabled || old == new)
    return FALSE;
  self->signalled_used = new;
  self->signalled_valid = TRUE;
  __atomic_thread_fence (__ATOMIC_SEQ_CST);
  if (!self->event_idx)
    return !(read_avail (self, RING_FLAGS) & AVAIL_NO_INTERRUPT);
  return !valid || (guint16) (new - used_event (self) - 1) < (guint16) (new - old);
}

static gsize
copy (const struct iovec *iov, guint n, gsize skip, guint8 *bytes, gsize length, gboolean to_iov)
{
  gsize done = 0;

  for (guint i = 0; i < n && done < length; i++) {
    guint8 *base = iov[i].iov_base;
    gsize part;

    if (skip >= iov[i].iov_len) {
      skip -= iov[i].iov_len;
      continue;
    }
    part = MIN (iov[i].iov_len - skip, length - done);
    if (to_iov)
      memcpy (base + skip, bytes + done, part);
    else
      memcpy (bytes + done, base + skip, part);
    done += part;
    skip = 0;
  }
  return done;
}

gsize
vmm_iov_read (const struct iovec *iov, guint n, gsize skip, void *to, gsize length)
{
  return copy (iov, n, skip, to, length, FALSE);
}

gsize
vmm_iov_write (const struct iovec *iov, guint n, gsize skip, const void *from, gsize length)
{
  return copy (iov, n, skip, (guint8 *) from, length, TRUE);
}

gsize
vmm_iov_size (const struct iovec *iov, guint n)
{
  gsize size = 0;

  for (guint i = 0; i < n; i++)
    size += iov[i].iov_len;
  return size;
}
