/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The queues of a virtio device: its turns on the loop, and the calls by which it takes requests
 * and gives them back.
 *
 * Threads: as virtio.h says.
 */
#include "virtio/virtio-private.h"

/* Requests that a device may take before others on the loop have their turn. */
#define TURN     32
#define NO_LIMIT G_MAXUINT /* outside a turn */

static gboolean
is_served (VmmVirtioQueue *queue)
{
  return vmm_virtio_is_running (queue->device) && !queue->device->drained && queue->ring.enabled;
}

static void
serve (VmmVirtioQueue *queue)
{
  VmmVirtio *self = queue->device;
  const VmmVirtioClass *klass = vmm_virtio_class (self);

  self->left = klass->turn ? klass->turn : TURN;
  klass->process (self, queue->index);
  self->left = NO_LIMIT;
}

/* Loop: the doorbell of a queue rang. */
static void
queue_kicked (gpointer data)
{
  VmmVirtioQueue *queue = data;
  VmmDevice *device = &queue->device->parent.parent;

  vmm_device_lock (device);
  if (is_served (queue))
    serve (queue);
  vmm_device_unlock (device);
}

/* Loop. A queue that is not dry any more is left alone: the device has not taken all, and asks for
 * it when it can. */
static gboolean
poll_queues (gpointer data)
{
  VmmVirtio *self = data;
  gboolean found = FALSE;

  vmm_device_lock (&self->parent.parent);
  vmm_virtio_notify_now (self);
  for (guint i = 0; i < self->n_queues; i++) {
    VmmVirtioQueue *queue = &self->queues[i];

    if (!is_served (queue) || !vmm_virtqueue_has_more (&queue->ring))
      continue;
    queue->ring.dry = FALSE;
    serve (queue);
    found = TRUE;
  }
  vmm_device_unlock (&self->parent.parent);
  return found;
}

/* Loop. */
static gboolean
listen_to_queues (gpointer data)
{
  VmmVirtio *self = data;
  gboolean late = FALSE;

  vmm_device_lock (&self->parent.parent);
  for (guint i = 0; i < self->n_queues; i++) {
    VmmVirtioQueue *queue = &self->queues[i];

    if (!is_served (queue) || !queue->ring.dry)
      continue;
    queue->ring.dry = vmm_virtqueue_listen (&queue->ring);
    late = late || queue->ring.dry;
  }
  vmm_device_unlock (&self->parent.parent);
  return late;
}

static const VmmPollFuncs poll_funcs = { poll_queues, listen_to_queues };

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
    vmm_virtio_forget_driver (self);
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
vmm_virtio_keep (VmmVirtio *self)
{
  one_less_under_way (self);
}

void
vmm_virtio_notify (VmmVirtio *self, guint index)
{
  VmmVirtqueue *ring = &self->queues[index].ring;

  if (vmm_virtio_is_running (self) && vmm_virtqueue_wants_interrupt (ring))
    vmm_virtio_signal (self, ring->vector, VIRTIO_ISR_QUEUE);
}

void
vmm_virtio_notify_soon (VmmVirtio *self, guint index)
{
  self->queues[index].notify = TRUE;
}

void
vmm_virtio_notify_now (VmmVirtio *self)
{
  for (guint i = 0; i < self->n_queues; i++)
    if (self->queues[i].notify) {
      self->queues[i].notify = FALSE;
      vmm_virtio_notify (self, i);
    }
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

void
vmm_virtio_free_queues (VmmVirtio *self)
{
  if (vmm_virtio_class (self)->polled)
    vmm_loop_remove_poller (self->parent.parent.board->loop, self);
  for (guint i = 0; i < self->n_queues; i++)
    vmm_kick_clear (&self->queues[i].kick);
  g_clear_pointer (&self->queues, g_free);
  g_cond_clear (&self->idle);
}

gboolean
vmm_virtio_make_queues (VmmVirtio *self, gconstpointer config, GError **error)
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
    queue->ring.polled = klass->polled;
    vmm_virtqueue_init (&queue->ring, board->memory, klass->queue_size);
    if (!vmm_kick_init (&queue->kick, board->loop, queue_kicked, queue, error))
      return FALSE;
  }
  if (klass->polled)
    vmm_loop_add_poller (board->loop, &poll_funcs, self);
  return TRUE;
}
