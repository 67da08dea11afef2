/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See virtio-serial.h. The loop moves bytes only as fast as both sides take them. What the driver
 * is still to be told of a port is a few bits of it, so that a driver that gives no buffers costs
 * nothing.
 *
 * Threads: loop, device locked; reset on any.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtio/virtio-serial.h"

#define QUEUE_SIZE        64
#define CLASS_COMM        0x078000
#define FEATURE_MULTIPORT 1
#define CONFIG_SIZE       12
#define CONFIG_MAX_PORTS  4

/* Queues: port 0's, control, port 1's, port 2's, ... */
#define NO_OUTPUT      1
#define CONTROL_INPUT  2
#define CONTROL_OUTPUT 3
#define INPUT(port)    (2 * (port)->number + 2)
#define OUTPUT(port)   (2 * (port)->number + 3)

#define CHUNK    4096
#define TURN     64 /* chunks that are moved before others on the loop have their turn */
#define RETRY_NS 10000000
#define MAX_NAME 128

enum {
  CONTROL_DEVICE_READY = 0,
  CONTROL_PORT_ADD = 1,
  CONTROL_PORT_READY = 3,
  CONTROL_PORT_OPEN = 6,
  CONTROL_PORT_NAME = 7,
};

/* struct virtio_console_control, little-endian */
typedef struct {
  guint32 id;
  guint16 event, value;
} Control;

typedef struct _VirtioSerial VirtioSerial;

typedef struct {
  VirtioSerial *serial;
  guint number; /* 1 and on */
  char *name;
  int listen_fd, client_fd;     /* borrowed; ours, or -1 */
  VmmSource *listener, *client; /* client: NULL while nothing of it could be passed on */
  guint8 pending;               /* 1 << CONTROL_...: what the driver is to be told */
  gboolean ready, open;         /* the driver has the port; a program of the guest has it open */
  guint64 n_written;            /* of the request at the front of the output queue */
} Port;

struct _VirtioSerial {
  VmmVirtio parent;
  guint n_ports;
  Port ports[VMM_SERIAL_MAX_CHANNELS];
  VmmSource *timer; /* to try writing again */
};

static const VmmField port_fields[] = {
  VMM_EXEMPT (Port, serial, "who it belongs to"),
  VMM_EXEMPT (Port, number, "where it stands"),
  VMM_EXEMPT (Port, name, "from the configuration"),
  VMM_EXEMPT (Port, listen_fd, "from the configuration"),
  VMM_EXEMPT (Port, client_fd, "of this run"),
  VMM_EXEMPT (Port, listener, "of the loop"),
  VMM_EXEMPT (Port, client, "of the loop"),
  VMM_FIELD (Port, pending, VMM_FIELD_UINT8, "pending"),
  VMM_FIELD (Port, ready, VMM_FIELD_BOOL, "ready"),
  VMM_FIELD (Port, open, VMM_FIELD_BOOL, "open"),
  VMM_FIELD (Port, n_written, VMM_FIELD_UINT64, "n-written"),
  VMM_FIELD_LAST,
};

static const VmmField virtio_serial_fields[] = {
  VMM_FIELD_PART (VirtioSerial, parent, vmm_virtio_fields, "virtio"),
  VMM_EXEMPT (VirtioSerial, n_ports, "from the configuration"),
  VMM_FIELD_PARTS (VirtioSerial, ports, port_fields, "ports"),
  VMM_EXEMPT (VirtioSerial, timer, "of the loop"),
  VMM_FIELD_LAST,
};

static VmmLoop *
loop_of (VirtioSerial *self)
{
  return self->parent.parent.parent.board->loop;
}

/* The next thing that the driver is to be told of the port, and no more to be told then. */
static gsize
take_message (Port *port, guint8 *bytes)
{
  static const guint order[] = { CONTROL_PORT_ADD, CONTROL_PORT_NAME, CONTROL_PORT_OPEN };
  gsize length = strlen (port->name);
  Control message = { .id = GUINT32_TO_LE (port->number) };
  guint event = 0;

  for (guint i = 0; event == 0 && i < G_N_ELEMENTS (order); i++)
    if (port->pending & 1u << order[i])
      event = order[i];
  port->pending &= ~(1u << event);
  message.event = GUINT16_TO_LE (event);
  message.value = GUINT16_TO_LE (event != CONTROL_PORT_OPEN || port->client_fd >= 0);
  memcpy (bytes, &message, sizeof message);
  if (event != CONTROL_PORT_NAME)
    return sizeof message;
  memcpy (bytes + sizeof message, port->name, length);
  return sizeof message + length;
}

/* As far as the driver has buffers. One that is too small for a message goes back with less. */
static void
tell_driver (VirtioSerial *self)
{
  guint8 bytes[sizeof (Control) + MAX_NAME];
  VmmRequest request;

  for (guint i = 0; i < self->n_ports; i++)
    while (self->ports[i].pending && vmm_virtio_pop (&self->parent, CONTROL_INPUT, &request)) {
      gsize length = take_message (&self->ports[i], bytes);

      length = vmm_iov_write (request.in, request.n_in, 0, bytes, length);
      vmm_virtio_push (&self->parent, CONTROL_INPUT, request.head, length);
    }
  vmm_virtio_notify (&self->parent, CONTROL_INPUT);
}

static void
unwatch (Port *port)
{
  if (port->client)
    vmm_loop_remove (loop_of (port->serial), g_steal_pointer (&port->client));
}

static void
drop_client (Port *port)
{
  unwatch (port);
  if (port->client_fd < 0)
    return;
  close (port->client_fd);
  port->client_fd = -1;
  if (port->ready)
    port->pending |= 1u << CONTROL_PORT_OPEN;
}

/* Fills one of the guest's buffers; FALSE when there is nothing to do now. */
static gboolean
read_some (Port *port)
{
  VmmVirtio *virtio = &port->serial->parent;
  VmmRequest request;
  gssize n;

  if (!port->open || !vmm_virtio_pop (virtio, INPUT (port), &request)) {
    unwatch (port);
    return FALSE;
  }
  errno = EAGAIN;
  n = request.n_in > 0 ? readv (port->client_fd, request.in, request.n_in) : -1;
  if (n > 0) {
    vmm_virtio_push (virtio, INPUT (port), request.head, n);
    return TRUE;
  }
  vmm_virtio_unpop (virtio, INPUT (port));
  if (n == 0 || (errno != EAGAIN && errno != EINTR))
    drop_client (port);
  else if (request.n_in == 0)
    vmm_virtio_break (virtio, "A buffer for what a channel says has no room.");
  return FALSE;
}

/* Loop: the client says something, or hung up. */
static void
client_input (gpointer data)
{
  Port *port = data;
  VmmVirtio *virtio = &port->serial->parent;

  vmm_device_lock (&virtio->parent.parent);
  for (guint i = 0; i < TURN && port->client && read_some (port); i++)
    ;
  vmm_virtio_notify (virtio, INPUT (port));
  tell_driver (port->serial);
  vmm_device_unlock (&virtio->parent.parent);
}

/* Where it fails the guest's next buffers are the next chance. */
static void
watch (Port *port)
{
  if (!port->client && port->client_fd >= 0 && port->open)
    port->client =
      vmm_loop_add_fd (loop_of (port->serial), port->client_fd, client_input, port, NULL);
}

/* A part of the request; TRUE when all of it is out, or nobody wants it. */
static gboolean
write_some (Port *port, VmmRequest *request, gboolean *more)
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
    drop_client (port);
    return TRUE;
  }
  port->n_written += n;
  *more = TRUE;
  return FALSE;
}

static void
port_output (Port *port)
{
  VmmVirtio *virtio = &port->serial->parent;
  VmmRequest request;
  gboolean more = TRUE;
  guint left = TURN;

  while (more && vmm_virtio_pop (virtio, OUTPUT (port), &request)) {
    gboolean done = FALSE;

    while (!done && more && left-- > 0)
      done = write_some (port, &request, &more);
    if (done) {
      port->n_written = 0;
      vmm_virtio_push (virtio, OUTPUT (port), request.head, 0);
      more = TRUE;
    } else {
      vmm_virtio_unpop (virtio, OUTPUT (port));
      vmm_source_arm (port->serial->timer, more ? 1 : vmm_loop_now_ns () + RETRY_NS);
      more = FALSE;
    }
  }
  vmm_virtio_notify (virtio, OUTPUT (port));
}

/* Loop: time to try again. */
static void
serial_retry (gpointer data)
{
  VirtioSerial *self = data;

  vmm_device_lock (&self->parent.parent.parent);
  for (guint i = 0; i < self->n_ports; i++)
    port_output (&self->ports[i]);
  tell_driver (self);
  vmm_device_unlock (&self->parent.parent.parent);
}

/* One that nobody listens to may have hung up unnoticed. */
static gboolean
has_hung_up (Port *port)
{
  struct pollfd poller = { port->client_fd, POLLRDHUP, 0 };

  return poll (&poller, 1, 0) > 0 && (poller.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* Loop: somebody connects. The second at a time is turned away. */
static void
port_connection (gpointer data)
{
  Port *port = data;
  VirtioSerial *self = port->serial;
  int fd = accept4 (port->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

  if (fd < 0)
    return;
  vmm_device_lock (&self->parent.parent.parent);
  if (port->client_fd >= 0 && has_hung_up (port))
    drop_client (port);
  if (port->client_fd >= 0) {
    close (fd);
  } else {
    port->client_fd = fd;
    port->n_written = 0;
    if (port->ready)
      port->pending |= 1u << CONTROL_PORT_OPEN;
    watch (port);
  }
  tell_driver (self);
  vmm_device_unlock (&self->parent.parent.parent);
}

static void
take_control (VirtioSerial *self, const Control *message)
{
  guint id = GUINT32_FROM_LE (message->id), event = GUINT16_FROM_LE (message->event);
  gboolean value = message->value != 0;
  Port *port = id >= 1 && id <= self->n_ports ? &self->ports[id - 1] : NULL;

  if (event == CONTROL_DEVICE_READY && value) {
    for (guint i = 0; i < self->n_ports; i++)
      self->ports[i].pending = 1u << CONTROL_PORT_ADD;
  } else if (event == CONTROL_PORT_READY && port) {
    port->ready = value;
    if (value)
      port->pending |= 1u << CONTROL_PORT_NAME | 1u << CONTROL_PORT_OPEN;
  } else if (event == CONTROL_PORT_OPEN && port) {
    port->open = value;
    watch (port);
  }
}

static void
control_output (VirtioSerial *self)
{
  VmmRequest request;

  while (vmm_virtio_pop (&self->parent, CONTROL_OUTPUT, &request)) {
    Control message = { 0 };

    if (vmm_iov_read (request.out, request.n_out, 0, &message, sizeof message) == sizeof message)
      take_control (self, &message);
    vmm_virtio_push (&self->parent, CONTROL_OUTPUT, request.head, 0);
  }
  vmm_virtio_notify (&self->parent, CONTROL_OUTPUT);
}

/* Port 0 is a console, and there is none. */
static void
drop_output (VirtioSerial *self)
{
  VmmRequest request;

  while (vmm_virtio_pop (&self->parent, NO_OUTPUT, &request))
    vmm_virtio_push (&self->parent, NO_OUTPUT, request.head, 0);
  vmm_virtio_notify (&self->parent, NO_OUTPUT);
}

static void
virtio_serial_process (VmmVirtio *virtio, guint index)
{
  VirtioSerial *self = (VirtioSerial *) virtio;
  guint number = index / 2 - 1; /* of the port whose queue it is, from 1 on */

  if (index == NO_OUTPUT)
    drop_output (self);
  else if (index == CONTROL_OUTPUT)
    control_output (self);
  else if (index > CONTROL_OUTPUT && index % 2)
    port_output (&self->ports[number - 1]);
  else if (index > CONTROL_OUTPUT)
    watch (&self->ports[number - 1]);
  if (index >= CONTROL_INPUT)
    tell_driver (self);
}

static guint64
virtio_serial_get_features (VmmVirtio *virtio)
{
  return G_GUINT64_CONSTANT (1) << FEATURE_MULTIPORT;
}

static void
virtio_serial_read_config (VmmVirtio *virtio, guint8 *config)
{
  guint32 n = GUINT32_TO_LE (((VirtioSerial *) virtio)->n_ports + 1);

  memcpy (config + CONFIG_MAX_PORTS, &n, sizeof n);
}

static guint
virtio_serial_count_queues (gconstpointer config)
{
  return CONTROL_OUTPUT + 1 + 2 * ((const VmmVirtioSerialConfig *) config)->n_channels;
}

static void
virtio_serial_reset (VmmVirtio *virtio)
{
  VirtioSerial *self = (VirtioSerial *) virtio;

  for (guint i = 0; i < self->n_ports; i++) {
    Port *port = &self->ports[i];

    port->pending = 0;
    port->ready = port->open = FALSE;
    port->n_written = 0;
  }
}

/* Who is connected may be another than when the machine was saved. */
static void
virtio_serial_resumed (VmmVirtio *virtio)
{
  VirtioSerial *self = (VirtioSerial *) virtio;

  for (guint i = 0; i < self->n_ports; i++)
    if (self->ports[i].ready)
      self->ports[i].pending |= 1u << CONTROL_PORT_OPEN;
}

static gboolean
virtio_serial_loaded (VmmVirtio *virtio, GError **error)
{
  VirtioSerial *self = (VirtioSerial *) virtio;
  const guint known = 1u << CONTROL_PORT_ADD | 1u << CONTROL_PORT_NAME | 1u << CONTROL_PORT_OPEN;

  for (guint i = 0; i < VMM_SERIAL_MAX_CHANNELS; i++) {
    self->ports[i].pending &= known;
    self->ports[i].n_written = 0; /* of another client */
  }
  return TRUE;
}

static void
serial_stop (gpointer data)
{
  VirtioSerial *self = data;

  for (guint i = 0; i < self->n_ports; i++) {
    Port *port = &self->ports[i];

    drop_client (port);
    if (port->listener)
      vmm_loop_remove (loop_of (self), port->listener);
    g_free (port->name);
  }
  vmm_loop_remove (loop_of (self), self->timer);
}

static gboolean
add_port (VirtioSerial *self, const char *name, int listen_fd, GError **error)
{
  Port *port = &self->ports[self->n_ports++];

  *port = (Port) { .serial = self,
                   .number = self->n_ports,
                   .name = g_strndup (name, MAX_NAME),
                   .listen_fd = listen_fd,
                   .client_fd = -1 };
  port->listener = vmm_loop_add_fd (loop_of (self), listen_fd, port_connection, port, error);
  return port->listener != NULL;
}

static gboolean
virtio_serial_realize (VmmVirtio *virtio, gconstpointer data, GError **error)
{
  VirtioSerial *self = (VirtioSerial *) virtio;
  const VmmVirtioSerialConfig *config = data;

  self->timer = vmm_loop_add_timer (loop_of (self), serial_retry, self, error);
  if (!self->timer)
    return FALSE;
  for (guint i = 0; i < config->n_channels; i++)
    if (!add_port (self, config->channels[i].name, config->channels[i].listen_fd, error)) {
      vmm_loop_call (loop_of (self), serial_stop, self);
      return FALSE;
    }
  return TRUE;
}

static void
virtio_serial_unrealize (VmmVirtio *virtio)
{
  VirtioSerial *self = (VirtioSerial *) virtio;

  vmm_loop_call (loop_of (self), serial_stop, self);
}

const VmmVirtioClass vmm_virtio_serial_class = {
  VMM_VIRTIO_PARENT (VirtioSerial, "virtio-serial", 1, virtio_serial_fields),
  .virtio_id = 3,
  .class_code = CLASS_COMM,
  .queue_size = QUEUE_SIZE,
  .config_size = CONFIG_SIZE,
  .count_queues = virtio_serial_count_queues,
  .get_features = virtio_serial_get_features,
  .realize = virtio_serial_realize,
  .unrealize = virtio_serial_unrealize,
  .read_config = virtio_serial_read_config,
  .process = virtio_serial_process,
  .resumed = virtio_serial_resumed,
  .loaded = virtio_serial_loaded,
  .reset = virtio_serial_reset,
};
