/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The control queues of virtio-serial (virtio 1.2, 5.3.6.2): which ports there are, what they are
 * called, who has them open. What the driver is still to be told of a port is a few bits of it, so
 * that a driver that gives no buffers costs nothing.
 *
 * Threads: loop, device locked.
 */
#include <string.h>

#include "virtio/virtio-serial-private.h"

/* struct virtio_console_control, little-endian */
typedef struct {
  guint32 id;
  guint16 event, value;
} Control;

/* The next thing that the driver is to be told of the port, and no more to be told then. */
static gsize
take_message (SerialPort *port, guint8 *bytes)
{
  static const guint order[] = { SERIAL_PORT_ADD, SERIAL_PORT_NAME, SERIAL_PORT_OPEN };
  gsize length = strlen (port->name);
  Control message = { .id = GUINT32_TO_LE (port->number) };
  guint event = 0;

  for (guint i = 0; event == 0 && i < G_N_ELEMENTS (order); i++)
    if (port->pending & 1u << order[i])
      event = order[i];
  port->pending &= ~(1u << event);
  message.event = GUINT16_TO_LE (event);
  message.value = GUINT16_TO_LE (event != SERIAL_PORT_OPEN || port->client_fd >= 0);
  memcpy (bytes, &message, sizeof message);
  if (event != SERIAL_PORT_NAME)
    return sizeof message;
  memcpy (bytes + sizeof message, port->name, length);
  return sizeof message + length;
}

/* As far as the driver has buffers. One that is too small for a message goes back with less. */
void
serial_tell_driver (VirtioSerial *self)
{
  guint8 bytes[sizeof (Control) + SERIAL_MAX_NAME];
  VmmRequest request;

  for (guint i = 0; i < self->n_ports; i++)
    while (self->ports[i].pending &&
           vmm_virtio_pop (&self->parent, SERIAL_CONTROL_INPUT, &request)) {
      gsize length = take_message (&self->ports[i], bytes);

      length = vmm_iov_write (request.in, request.n_in, 0, bytes, length);
      vmm_virtio_push (&self->parent, SERIAL_CONTROL_INPUT, request.head, length);
    }
  vmm_virtio_notify (&self->parent, SERIAL_CONTROL_INPUT);
}

static void
take_control (VirtioSerial *self, const Control *message)
{
  guint id = GUINT32_FROM_LE (message->id), event = GUINT16_FROM_LE (message->event);
  gboolean value = message->value != 0;
  SerialPort *port = id >= 1 && id <= self->n_ports ? &self->ports[id - 1] : NULL;

  if (event == SERIAL_DEVICE_READY && value) {
    for (guint i = 0; i < self->n_ports; i++)
      self->ports[i].pending = 1u << SERIAL_PORT_ADD;
  } else if (event == SERIAL_PORT_READY && port) {
    port->ready = value;
    if (value)
      port->pending |= 1u << SERIAL_PORT_NAME | 1u << SERIAL_PORT_OPEN;
  } else if (event == SERIAL_PORT_OPEN && port) {
    port->open = value;
    serial_port_watch (port);
  }
}

void
serial_control_output (VirtioSerial *self)
{
  VmmRequest request;

  while (vmm_virtio_pop (&self->parent, SERIAL_CONTROL_OUTPUT, &request)) {
    Control message = { 0 };

    if (vmm_iov_read (request.out, request.n_out, 0, &message, sizeof message) == sizeof message)
      take_control (self, &message);
    vmm_virtio_push (&self->parent, SERIAL_CONTROL_OUTPUT, request.head, 0);
  }
  vmm_virtio_notify (&self->parent, SERIAL_CONTROL_OUTPUT);
}
