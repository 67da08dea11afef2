/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A keyboard controller whose output buffer never empties: every prober (Linux, SeaBIOS, OVMF)
 * tries to flush it, gives up after a few reads and says that there is none, which is the truth.
 * Its input buffer is always free, so that the reset command needs no wait.
 *
 * Threads: vCPU, device locked.
 */
#include "base/vmm-bus.h"
#include "chips/i8042.h"

#define DATA_PORT    0x60
#define COMMAND_PORT 0x64

#define STATUS_OUTPUT_FULL 0x01
#define STATUS_SYSTEM      0x04
#define STATUS_UNLOCKED    0x10

#define COMMAND_RESET 0xfe

typedef struct {
  VmmDevice parent;
} I8042;

static const VmmField i8042_fields[] = {
  VMM_EXEMPT_DEVICE (I8042),
  VMM_FIELD_LAST,
};

static guint64
i8042_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  if (region == COMMAND_PORT)
    return STATUS_OUTPUT_FULL | STATUS_SYSTEM | STATUS_UNLOCKED;
  return 0xff;
}

static void
i8042_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  VmmPlatform *platform = device->board->platform;

  if (region == COMMAND_PORT && (value & 0xff) == COMMAND_RESET)
    platform->klass->request (platform, VMM_REQUEST_RESET, 0);
}

static const VmmBusOps i8042_ops = { i8042_read, i8042_write };

static gboolean
i8042_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  VmmBus *ports = device->board->ports;

  if (!vmm_bus_add (ports, DATA_PORT, 1, &i8042_ops, device, DATA_PORT, error))
    return FALSE;
  if (vmm_bus_add (ports, COMMAND_PORT, 1, &i8042_ops, device, COMMAND_PORT, error))
    return TRUE;
  vmm_bus_remove (ports, DATA_PORT);
  return FALSE;
}

static void
i8042_unrealize (VmmDevice *device)
{
  vmm_bus_remove (device->board->ports, DATA_PORT);
  vmm_bus_remove (device->board->ports, COMMAND_PORT);
}

const VmmDeviceClass vmm_i8042_class = {
  .name = "i8042",
  .instance_size = sizeof (I8042),
  .version = 1,
  .fields = i8042_fields,
  .realize = i8042_realize,
  .unrealize = i8042_unrealize,
};
