/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A line at a time, into a file: what firmware says fits into memory, so nothing waits.
 *
 * Threads: vCPU, device locked.
 */
#include "chips/debug-port.h"

#include <unistd.h>

#include "base/vmm-bus.h"

#define PORT        0x402
#define HERE        0xe9
#define LINE_LENGTH 256

typedef struct {
  VmmDevice parent;
  int fd;
  guint length;
  char line[LINE_LENGTH];
} DebugPort;

static const VmmField debug_port_fields[] = {
  VMM_EXEMPT_DEVICE (DebugPort),
  VMM_EXEMPT (DebugPort, fd, "from the configuration"),
  VMM_EXEMPT (DebugPort, length, "written when drained"),
  VMM_EXEMPT (DebugPort, line, "written when drained"),
  VMM_FIELD_LAST,
};

/* What cannot be written is lost: it is a help, not a device that a guest relies on. */
static void
debug_port_drain (VmmDevice *device)
{
  DebugPort *self = (DebugPort *) device;

  if (self->length > 0 && write (self->fd, self->line, self->length) < 0)
    g_debug ("The firmware's words are lost.");
  self->length = 0;
}

static guint64
debug_port_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  return HERE;
}

static void
debug_port_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  DebugPort *self = (DebugPort *) device;

  self->line[self->length++] = value;
  if (self->length == LINE_LENGTH || (char) value == '\n')
    debug_port_drain (device);
}

static const VmmBusOps debug_port_ops = { debug_port_read, debug_port_write };

static gboolean
debug_port_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  DebugPort *self = (DebugPort *) device;

  self->fd = ((const VmmDebugPortConfig *) config)->fd;
  return vmm_bus_add (device->board->ports, PORT, 1, &debug_port_ops, device, 0, error);
}

static void
debug_port_unrealize (VmmDevice *device)
{
  vmm_bus_remove (device->board->ports, PORT);
  debug_port_drain (device);
}

const VmmDeviceClass vmm_debug_port_class = {
  .name = "debug-port",
  .instance_size = sizeof (DebugPort),
  .version = 1,
  .fields = debug_port_fields,
  .realize = debug_port_realize,
  .unrealize = debug_port_unrealize,
  .drain = debug_port_drain,
};
