/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The host's end of the serial port: the descriptors that it reads and writes. Apart because it
 * knows nothing of registers.
 *
 * Threads: loop, unless said otherwise; takes the device's lock itself.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "chips/serial-private.h"

#define TX_CHUNK      512 /* a pipe or terminal that is writable takes this much without blocking */
#define TX_RETRY_NS   10000000
#define FLUSH_WAIT_MS 500
#define TURN          (TX_SIZE / TX_CHUNK) /* then others on the loop have theirs */

void
serial_unwatch_input (Serial *self)
{
  if (self->input)
    vmm_loop_remove (self->parent.board->loop, g_steal_pointer (&self->input));
}

/* Loop: the descriptor has something, or ended. */
static void
serial_input (gpointer data)
{
  Serial *self = data;
  guint8 bytes[RX_SIZE];
  gssize n = 0;
  gsize room;

  vmm_device_lock (&self->parent);
  room = RX_SIZE - self->n_rx;
  if (room > 0)
    n = read (self->config.in_fd, bytes, room);
  if (n > 0)
    serial_receive (self, bytes, n);
  self->stalled = room == 0;
  serial_update_line (self);
  vmm_device_unlock (&self->parent);

  if (room == 0 || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
    serial_unwatch_input (self);
}

/* Watches the input again, on the loop. */
void
serial_watch_input (gpointer data)
{
  Serial *self = data;
  g_autoptr (GError) error = NULL;

  if (!self->input && !self->drained)
    self->input =
      vmm_loop_add_fd (self->parent.board->loop, self->config.in_fd, serial_input, self, &error);
  if (error)
    g_warning ("%s hears nothing more: %s", self->parent.id, error->message);
}

static gboolean
is_writable (int fd, int wait_ms)
{
  struct pollfd poller = { fd, POLLOUT, 0 };

  return poll (&poller, 1, wait_ms) > 0;
}

/* Writes one chunk without the lock; FALSE when the descriptor takes none now. A descriptor that
 * is broken swallows everything. */
static gboolean
serial_write_chunk (Serial *self, int wait_ms)
{
  guint8 chunk[TX_CHUNK];
  gsize length;
  gssize n;

  vmm_device_lock (&self->parent);
  length = MIN (self->n_tx, TX_CHUNK);
  memcpy (chunk, self->tx, length);
  vmm_device_unlock (&self->parent);
  if (length == 0 || !is_writable (self->config.out_fd, wait_ms))
    return FALSE;
  n = write (self->config.out_fd, chunk, length);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return FALSE;

  vmm_device_lock (&self->parent);
  n = n < 0 ? self->n_tx : MIN (n, self->n_tx);
  self->n_tx -= n;
  memmove (self->tx, self->tx + n, self->n_tx);
  serial_update_line (self);
  vmm_device_unlock (&self->parent);
  return TRUE;
}

/* Loop: time to write out. A guest can say more as fast as it is written. */
void
serial_output (gpointer data)
{
  Serial *self = data;
  guint n = 0;

  while (n < TURN && serial_write_chunk (self, 0))
    n++;
  vmm_device_lock (&self->parent);
  if (self->n_tx > 0)
    vmm_source_arm (self->timer, n == TURN ? 1 : serial_now_ns () + TX_RETRY_NS);
  vmm_device_unlock (&self->parent);
}

void
serial_drain_host (gpointer data)
{
  Serial *self = data;

  self->drained = TRUE;
  serial_unwatch_input (self);
  while (serial_write_chunk (self, 0))
    ;
  vmm_source_arm (self->timer, 0);
}

void
serial_resume_host (gpointer data)
{
  Serial *self = data;

  self->drained = FALSE;
  if (self->config.in_fd >= 0 && !self->stalled)
    serial_watch_input (self);
  serial_output (self);
}

void
serial_flush (Serial *self)
{
  while (serial_write_chunk (self, FLUSH_WAIT_MS))
    ;
}
