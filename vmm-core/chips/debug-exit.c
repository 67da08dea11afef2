/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Port 0xf4, alone in a file because it exists only where a test asks for it.
 *
 * Threads: vCPU, device locked.
 */
#include "base/vmm-bus.h"
#include "chips/debug-exit.h"

#define PORT   0xf4
#define LENGTH 4

typedef struct {
  VmmDevice parent;
} DebugExit;

static const VmmField debug_exit_fields[] = {
  VMM_EXEMPT_DEVICE (DebugExit),
  VMM_FIELD_LAST,
};

static guint64
debug_exit_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  return G_MAXUINT64;
}

static void
debug_exit_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  VmmPlatform *platform = device->board->platform;

  if (offset == 0)
    platform->klass->request (platform, VMM_REQUEST_DEBUG_EXIT, value);
}

static const VmmBusOps debug_exit_ops = { debug_exit_read, debug_exit_write };

static gboolean
debug_exit_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  return vmm_bus_add (device->board->ports, PORT, LENGTH, &debug_exit_ops, device, 0, error);
}

static void
debug_exit_unrealize (VmmDevice *device)
{
  vmm_bus_remove (device->board->ports, PORT);
}

const VmmDeviceClass vmm_debug_exit_class = {
  .name = "debug-exit",
  .instance_size = sizeof (DebugExit),
  .version = 1,
  .fields = debug_exit_fields,
  .realize = debug_exit_realize,
  .unrealize = debug_exit_unrealize,
};
