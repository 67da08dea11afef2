/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-console. The loop moves bytes only as fast as both sides take them: what the host does not
 * read stays in the guest's buffers, what the guest has no buffers for stays in the descriptor.
 *
 * Threads: loop, device locked.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "virtio/virtio-console.h"

#define QUEUE_SIZE  64
#define CLASS_COMM  0x078000
#define INPUT       0
#define OUTPUT      1
#define CHUNK       4096 /* what a pipe that is writable takes without blocking */
#define RETRY_NS    10000000
#define TURN        64 /* chunks that are moved before others on the loop have their turn */
#define CONFIG_SIZE 12

typedef struct {
  VmmVirtio parent;
  VmmVirtioConsoleConfig config;
  VmmSource *input; /* NULL while the guest has no buffers, or at the end */
  VmmSource *timer; /* to try writing again */
  gboolean ended;
  guint64 n_written; /* of the request at the front of the output queue */
} VirtioConsole;

static const VmmField virtio_console_fields[] = {
  VMM_FIELD_PART (VirtioConsole, parent, vmm_virtio_fields, "virtio"),
  VMM_EXEMPT (VirtioConsole, config, "from the configuration"),
  VMM_EXEMPT (VirtioConsole, input, "of the loop"),
  VMM_EXEMPT (VirtioConsole, timer, "of the loop"),
  VMM_EXEMPT (VirtioConsole, ended, "of the descriptor"),
  VMM_FIELD (VirtioConsole, n_written, VMM_FIELD_UINT64, "n-written"),
  VMM_FIELD_LAST,
};

static VmmLoop *
loop_of (VirtioConsole *self)
{
  return self->parent.parent.parent.board->loop;
}

static void
unwatch (VirtioConsole *self)
{
  if (self->input)
    vmm_loop_remove (loop_of (self), g_steal_pointer (&self->input));
}

/* Fills one of the guest's buffers; FALSE when there is nothing to do now. */
static gboolean
read_some (VirtioConsole *self)
{
  struct pollfd poller = { self->config.in_fd, POLLIN, 0 };
  VmmRequest request;
  gssize n;

  if (poll (&poller, 1, 0) <= 0)
    return FALSE;
  if (!vmm_virtio_pop (&self->parent, INPUT, &request)) {
    unwatch (self);
    return FALSE;
  }
  n = request.n_in > 0 ? readv (self->config.in_fd, request.in, request.n_in) : 0;
  if (n > 0) {
    vmm_virtio_push (&self->parent, INPUT, request.head, n);
    return TRUE;
  }
  vmm_virtio_unpop (&self->parent, INPUT);
  if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
    self->ended = TRUE;
    unwatch (self);
  }
  return FALSE;
}

/* Loop: the descriptor has something, or ended. */
static void
console_input (gpointer data)
{
  VirtioConsole *self = data;

  vmm_device_lock (&self->parent.parent.parent);
  for (guint i = 0; i < TURN && read_some (self); i++)
    ;
  vmm_virtio_notify (&self->parent, INPUT);
  vmm_device_unlock (&self->parent.parent.parent);
}

/* Writes a part of the request; TRUE when all of it is out (or nobody wants it). */
static gboolean
write_some (VirtioConsole *self, VmmRequest *request, gboolean *more)
{
  struct pollfd poller = { self->config.out_fd, POLLOUT, 0 };
  guint8 bytes[CHUNK];
  gsize length;
  gssize n;

  *more = FALSE;
  if (self->config.out_fd < 0)
    return TRUE;
  length = vmm_iov_read (request->out, request->n_out, self->n_written, bytes, sizeof bytes);
  if (length == 0)
    return TRUE;
  if (poll (&poller, 1, 0) <= 0)
    return FALSE;
  n = write (self->config.out_fd, bytes, length);
  if (n < 0)
    return errno != EAGAIN && errno != EINTR;
  self->n_written += n;
  *more = TRUE;
  return FALSE;
}

static void
console_output (VirtioConsole *self)
{
  VmmRequest request;
  gboolean more = TRUE;
  guint left = TURN;

  while (more && vmm_virtio_pop (&self->parent, OUTPUT, &request)) {
    gboolean done = FALSE;

    while (!done && more && left-- > 0)
      done = write_some (self, &request, &more);
    if (done) {
      self->n_written = 0;
      vmm_virtio_push (&self->parent, OUTPUT, request.head, 0);
      more = TRUE;
    } else {
      vmm_virtio_unpop (&self->parent, OUTPUT);
      vmm_source_arm (self->timer, more ? 1 : vmm_loop_now_ns () + RETRY_NS);
      more = FALSE;
    }
  }
  vmm_virtio_notify (&self->parent, OUTPUT);
}

/* Loop: time to try again. */
static void
console_retry (gpointer data)
{
  VirtioConsole *self = data;

  vmm_device_lock (&self->parent.parent.parent);
  console_output (self);
  vmm_device_unlock (&self->parent.parent.parent);
}

/* Where it fails the guest's next buffers are the next chance. */
static void
watch (VirtioConsole *self)
{
  g_autoptr (GError) error = NULL;

  self->input = vmm_loop_add_fd (loop_of (self), self->config.in_fd, console_input, self, &error);
  if (error)
    g_warning ("%s hears nothing now: %s", self->parent.parent.parent.id, error->message);
}

/* The guest gave new buffers: the descriptor is looked at again. */
static void
virtio_console_process (VmmVirtio *virtio, guint index)
{
  VirtioConsole *self = (VirtioConsole *) virtio;

  if (index == OUTPUT)
    console_output (self);
  else if (!self->input && !self->ended && self->config.in_fd >= 0)
    watch (self);
}

/* A size of the screen is not known: zeroes. */
static void
virtio_console_read_config (VmmVirtio *virtio, guint8 *config)
{
}

static void
virtio_console_reset (VmmVirtio *virtio)
{
  ((VirtioConsole *) virtio)->n_written = 0;
}

static gboolean
virtio_console_realize (VmmVirtio *virtio, gconstpointer config, GError **error)
{
  VirtioConsole *self = (VirtioConsole *) virtio;

  self->config = *(const VmmVirtioConsoleConfig *) config;
  self->timer = vmm_loop_add_timer (loop_of (self), console_retry, self, error);
  return self->timer != NULL;
}

static void
console_stop (gpointer data)
{
  VirtioConsole *self = data;

  unwatch (self);
  vmm_loop_remove (loop_of (self), self->timer);
}

static void
virtio_console_unrealize (VmmVirtio *virtio)
{
  VirtioConsole *self = (VirtioConsole *) virtio;

  vmm_loop_call (loop_of (self), console_stop, self);
}

const VmmVirtioClass vmm_virtio_console_class = {
  VMM_VIRTIO_PARENT (VirtioConsole, "virtio-console", 1, virtio_console_fields),
  .virtio_id = 3,
  .class_code = CLASS_COMM,
  .n_queues = 2,
  .queue_size = QUEUE_SIZE,
  .config_size = CONFIG_SIZE,
  .realize = virtio_console_realize,
  .unrealize = virtio_console_unrealize,
  .read_config = virtio_console_read_config,
  .process = virtio_console_process,
  .reset = virtio_console_reset,
};
