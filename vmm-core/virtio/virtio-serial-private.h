/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-serial inside: the device and its ports, shared between virtio-serial.c (its life),
 * serial-port.c (bytes and clients) and serial-control.c (the control queues).
 *
 * Threads: loop, device locked.
 */
#pragma once

#include "virtio/virtio-serial.h"

G_BEGIN_DECLS

#define SERIAL_MAX_NAME 128

/* Queues: port 0's, control, port 1's, port 2's, ... */
#define SERIAL_NO_OUTPUT      1
#define SERIAL_CONTROL_INPUT  2
#define SERIAL_CONTROL_OUTPUT 3
#define SERIAL_INPUT(port)    (2 * (port)->number + 2)
#define SERIAL_OUTPUT(port)   (2 * (port)->number + 3)

/* Events of the control queues. */
enum {
  SERIAL_DEVICE_READY = 0,
  SERIAL_PORT_ADD = 1,
  SERIAL_PORT_READY = 3,
  SERIAL_PORT_OPEN = 6,
  SERIAL_PORT_NAME = 7,
};

typedef struct _VirtioSerial VirtioSerial;

typedef struct {
  VirtioSerial *serial;
  guint number; /* 1 and on */
  char *name;
  int listen_fd, client_fd;     /* borrowed; ours, or -1 */
  VmmSource *listener, *client; /* client: NULL while nothing of it could be passed on */
  guint8 pending;               /* 1 << SERIAL_PORT_...: what the driver is to be told */
  gboolean ready, open;         /* the driver has the port; a program of the guest has it open */
  guint64 n_written;            /* of the request at the front of the output queue */
} SerialPort;

struct _VirtioSerial {
  VmmVirtio parent;
  guint n_ports;
  SerialPort ports[VMM_SERIAL_MAX_CHANNELS];
  VmmSource *timer; /* to try writing again */
};

static inline VmmLoop *
serial_loop_of (VirtioSerial *self)
{
  return self->parent.parent.parent.board->loop;
}

/* serial-port.c: what the guest says goes to the client, as far as it takes it. */
void serial_port_output (SerialPort *port);
/* What the client says goes to the guest, from now on; where that fails the guest's next buffers
 * are the next chance. */
void serial_port_watch (SerialPort *port);
void serial_port_drop_client (SerialPort *port);
/* Loop, not locked: somebody connects to the port @data. The second at a time is turned away. */
void serial_port_connection (gpointer data);

/* serial-control.c: what the driver says of ports. */
void serial_control_output (VirtioSerial *self);
/* What it is to be told, as far as it has buffers. */
void serial_tell_driver (VirtioSerial *self);

G_END_DECLS
