/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See virtio-serial.h. The device and its life; its ports are in serial-port.c, what is said of
 * them in serial-control.c.
 *
 * Threads: loop, device locked; reset on any.
 */
#include <string.h>

#include "virtio/virtio-serial-private.h"

#define QUEUE_SIZE        64
#define CLASS_COMM        0x078000
#define FEATURE_MULTIPORT 1
#define CONFIG_SIZE       12
#define CONFIG_MAX_PORTS  4

static const VmmField port_fields[] = {
  VMM_EXEMPT (SerialPort, serial, "who it belongs to"),
  VMM_EXEMPT (SerialPort, number, "where it stands"),
  VMM_EXEMPT (SerialPort, name, "from the configuration"),
  VMM_EXEMPT (SerialPort, listen_fd, "from the configuration"),
  VMM_EXEMPT (SerialPort, client_fd, "of this run"),
  VMM_EXEMPT (SerialPort, listener, "of the loop"),
  VMM_EXEMPT (SerialPort, client, "of the loop"),
  VMM_FIELD (SerialPort, pending, VMM_FIELD_UINT8, "pending"),
  VMM_FIELD (SerialPort, ready, VMM_FIELD_BOOL, "ready"),
  VMM_FIELD (SerialPort, open, VMM_FIELD_BOOL, "open"),
  VMM_FIELD (SerialPort, n_written, VMM_FIELD_UINT64, "n-written"),
  VMM_FIELD_LAST,
};

static const VmmField virtio_serial_fields[] = {
  VMM_FIELD_PART (VirtioSerial, parent, vmm_virtio_fields, "virtio"),
  VMM_EXEMPT (VirtioSerial, n_ports, "from the configuration"),
  VMM_FIELD_PARTS (VirtioSerial, ports, port_fields, "ports"),
  VMM_EXEMPT (VirtioSerial, timer, "of the loop"),
  VMM_FIELD_LAST,
};

/* Loop: time to try again. */
static void
serial_retry (gpointer data)
{
  VirtioSerial *self = data;

  vmm_device_lock (&self->parent.parent.parent);
  for (guint i = 0; i < self->n_ports; i++)
    serial_port_output (&self->ports[i]);
  serial_tell_driver (self);
  vmm_device_unlock (&self->parent.parent.parent);
}

/* Port 0 is a console, and there is none. */
static void
drop_output (VirtioSerial *self)
{
  VmmRequest request;

  while (vmm_virtio_pop (&self->parent, SERIAL_NO_OUTPUT, &request))
    vmm_virtio_push (&self->parent, SERIAL_NO_OUTPUT, request.head, 0);
  vmm_virtio_notify (&self->parent, SERIAL_NO_OUTPUT);
}

static void
virtio_serial_process (VmmVirtio *virtio, guint index)
{
  VirtioSerial *self = (VirtioSerial *) virtio;
  guint number = index / 2 - 1; /* of the port whose queue it is, from 1 on */

  if (index == SERIAL_NO_OUTPUT)
    drop_output (self);
  else if (index == SERIAL_CONTROL_OUTPUT)
    serial_control_output (self);
  else if (index > SERIAL_CONTROL_OUTPUT && index % 2)
    serial_port_output (&self->ports[number - 1]);
  else if (index > SERIAL_CONTROL_OUTPUT)
    serial_port_watch (&self->ports[number - 1]);
  if (index >= SERIAL_CONTROL_INPUT)
    serial_tell_driver (self);
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
  return SERIAL_CONTROL_OUTPUT + 1 + 2 * ((const VmmVirtioSerialConfig *) config)->n_channels;
}

static void
virtio_serial_reset (VmmVirtio *virtio)
{
  VirtioSerial *self = (VirtioSerial *) virtio;

  for (guint i = 0; i < self->n_ports; i++) {
    SerialPort *port = &self->ports[i];

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
      self->ports[i].pending |= 1u << SERIAL_PORT_OPEN;
}

static gboolean
virtio_serial_loaded (VmmVirtio *virtio, GError **error)
{
  VirtioSerial *self = (VirtioSerial *) virtio;
  const guint known = 1u << SERIAL_PORT_ADD | 1u << SERIAL_PORT_NAME | 1u << SERIAL_PORT_OPEN;

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
    SerialPort *port = &self->ports[i];

    serial_port_drop_client (port);
    if (port->listener)
      vmm_loop_remove (serial_loop_of (self), port->listener);
    g_free (port->name);
  }
  vmm_loop_remove (serial_loop_of (self), self->timer);
}

static gboolean
add_port (VirtioSerial *self, const char *name, int listen_fd, GError **error)
{
  SerialPort *port = &self->ports[self->n_ports++];

  *port = (SerialPort) { .serial = self,
                         .number = self->n_ports,
                         .name = g_strndup (name, SERIAL_MAX_NAME),
                         .listen_fd = listen_fd,
                         .client_fd = -1 };
  port->listener =
    vmm_loop_add_fd (serial_loop_of (self), listen_fd, serial_port_connection, port, error);
  return port->listener != NULL;
}

static gboolean
virtio_serial_realize (VmmVirtio *virtio, gconstpointer data, GError **error)
{
  VirtioSerial *self = (VirtioSerial *) virtio;
  const VmmVirtioSerialConfig *config = data;

  self->timer = vmm_loop_add_timer (serial_loop_of (self), serial_retry, self, error);
  if (!self->timer)
    return FALSE;
  for (guint i = 0; i < config->n_channels; i++)
    if (!add_port (self, config->channels[i].name, config->channels[i].listen_fd, error)) {
      vmm_loop_call (serial_loop_of (self), serial_stop, self);
      return FALSE;
    }
  return TRUE;
}

static void
virtio_serial_unrealize (VmmVirtio *virtio)
{
  VirtioSerial *self = (VirtioSerial *) virtio;

  vmm_loop_call (serial_loop_of (self), serial_stop, self);
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
