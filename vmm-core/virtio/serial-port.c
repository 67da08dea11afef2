/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A port of virtio-serial and the client of its channel: bytes both ways, only as fast as both
 * sides take them.
 *
 * Threads: loop, device locked unless said otherwise.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtio/virtio-serial-private.h"

#define CHUNK    4096
#define TURN     64 /* chunks that are moved before others on the loop have their turn */
#define RETRY_NS 10000000

static void
unwatch (SerialPort *port)
{
  if (port->client)
    vmm_loop_remove (serial_loop_of (port->serial), g_steal_pointer (&port->client));
}

void
serial_port_drop_client (SerialPort *port)
{
  unwatch (port);
  if (port->client_fd < 0)
    return;
  close (port->client_fd);
  port->client_fd = -1;
  if (port->ready)
    port->pending |= 1u << SERIAL_PORT_OPEN;
}

/* Fills one of the guest's buffers; FALSE when there is nothing to do now. */
static gboolean
read_some (SerialPort *port)
{
  VmmVirtio *virtio = &port->serial->parent;
  VmmRequest request;
  gssize n;

  if (!port->open || !vmm_virtio_pop (virtio, SERIAL_INPUT (port), &request)) {
    unwatch (port);
    return FALSE;
  }
  errno = EAGAIN;
  n = request.n_in > 0 ? readv (port->client_fd, request.in, request.n_in) : -1;
  if (n > 0) {
    vmm_virtio_push (virtio, SERIAL_INPUT (port), request.head, n);
    return TRUE;
  }
  vmm_virtio_unpop (virtio, SERIAL_INPUT (port));
  if (n == 0 || (errno != EAGAIN && errno != EINTR))
    serial_port_drop_client (port);
  else if (request.n_in == 0)
    vmm_virtio_break (virtio, "A buffer for what a channel says has no room.");
  return FALSE;
}

/* Loop: the client says something, or hung up. */
static void
client_input (gpointer data)
{
  SerialPort *port = data;
  VmmVirtio *virtio = &port->serial->parent;

  vmm_device_lock (&virtio->parent.parent);
  for (guint i = 0; i < TURN && port->client && read_some (port); i++)
    ;
  vmm_virtio_notify (virtio, SERIAL_INPUT (port));
  serial_tell_driver (port->serial);
  vmm_device_unlock (&virtio->parent.parent);
}

void
serial_port_watch (SerialPort *port)
{
  if (!port->client && port->client_fd >= 0 && port->open)
    port->client =
      vmm_loop_add_fd (serial_loop_of (port->serial), port->client_fd, client_input, port, NULL);
}

/* A part of the request; TRUE when all of it is out, or nobody wants it. */
static gboolean
write_some (SerialPort *port, VmmRequest *request, gboolean *more)
{
  guint8 bytes[CHUNK];
  gsize length = vmm_iov_read (request->out, request->n_out, port->n_written, bytes, sizeof bytes);
  gssize n;

  *more = FALSE;
  if (length == 0 || port->client_fd < 0)
    return TRUE;
  n = send (port->client_fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return FALSE;
  if (n < 0) {
    serial_port_drop_client (port);
    return TRUE;
  }
  port->n_written += n;
  *more = TRUE;
  return FALSE;
}

void
serial_port_output (SerialPort *port)
{
  VmmVirtio *virtio = &port->serial->parent;
  VmmRequest request;
  gboolean more = TRUE;
  guint left = TURN;

  while (more && vmm_virtio_pop (virtio, SERIAL_OUTPUT (port), &request)) {
    gboolean done = FALSE;

    while (!done && more && left-- > 0)
      done = write_some (port, &request, &more);
    if (done) {
      port->n_written = 0;
      vmm_virtio_push (virtio, SERIAL_OUTPUT (port), request.head, 0);
      more = TRUE;
    } else {
      vmm_virtio_unpop (virtio, SERIAL_OUTPUT (port));
      vmm_source_arm (port->serial->timer, more ? 1 : vmm_loop_now_ns () + RETRY_NS);
      more = FALSE;
    }
  }
  vmm_virtio_notify (virtio, SERIAL_OUTPUT (port));
}

/* One that nobody listens to may have hung up unnoticed. */
static gboolean
has_hung_up (SerialPort *port)
{
  struct pollfd poller = { port->client_fd, POLLRDHUP, 0 };

  return poll (&poller, 1, 0) > 0 && (poller.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

void
serial_port_connection (gpointer data)
{
  SerialPort *port = data;
  VirtioSerial *self = port->serial;
  int fd = accept4 (port->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

  if (fd < 0)
    return;
  vmm_device_lock (&self->parent.parent.parent);
  if (port->client_fd >= 0 && has_hung_up (port))
    serial_port_drop_client (port);
  if (port->client_fd >= 0) {
    close (fd);
  } else {
    port->client_fd = fd;
    port->n_written = 0;
    if (port->ready)
      port->pending |= 1u << SERIAL_PORT_OPEN;
    serial_port_watch (port);
  }
  serial_tell_driver (self);
  vmm_device_unlock (&self->parent.parent.parent);
}
