/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See pvpanic.h.
 *
 * Threads: vCPU, device locked.
 */
#include "base/vmm-bus.h"
#include "chips/pvpanic.h"

#define PORT 0x505 /* as dsdt.asl says */

#define PANICKED     (1u << 0)
#define CRASH_LOADED (1u << 1) /* and a kernel that saves what is left goes on */

typedef struct {
  VmmDevice parent;
  gboolean told; /* once is enough, however often the guest says it */
} Pvpanic;

static const VmmField pvpanic_fields[] = {
  VMM_EXEMPT_DEVICE (Pvpanic),
  VMM_FIELD (Pvpanic, told, VMM_FIELD_BOOL, "told"),
  VMM_FIELD_LAST,
};

/* What it understands. */
static guint64
pvpanic_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  return PANICKED | CRASH_LOADED;
}

static void
pvpanic_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  Pvpanic *self = (Pvpanic *) device;
  VmmPlatform *platform = device->board->platform;

  if (self->told || !(value & (PANICKED | CRASH_LOADED)))
    return;
  self->told = TRUE;
  platform->klass->panicked (platform);
}

static const VmmBusOps pvpanic_ops = { pvpanic_read, pvpanic_write };

static void
pvpanic_reset (VmmDevice *device)
{
  Pvpanic *self = (Pvpanic *) device;

  self->told = FALSE;
}

static gboolean
pvpanic_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  return vmm_bus_add (device->board->ports, PORT, 1, &pvpanic_ops, device, 0, error);
}

static void
pvpanic_unrealize (VmmDevice *device)
{
  vmm_bus_remove (device->board->ports, PORT);
}

const VmmDeviceClass vmm_pvpanic_class = {
  .name = "pvpanic",
  .instance_size = sizeof (Pvpanic),
  .version = 1,
  .fields = pvpanic_fields,
  .realize = pvpanic_realize,
  .unrealize = pvpanic_unrealize,
  .reset = pvpanic_reset,
};
