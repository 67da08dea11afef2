/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ACPI power management: what makes the guest's power button and its "off" work.
 *
 * Threads: registers on vCPU threads, the timer's carry on the loop, the button on any thread;
 * all with the device locked.
 */
#include <string.h>

#include "base/vmm-bus.h"
#include "chips/pm.h"

#define PM_LENGTH 16 /* PM1a event, control and timer */

#define PM1_TIMER        0x0001
#define PM1_POWER_BUTTON 0x0100
#define PM1_STATUS_MASK  0x8d31
#define PM1_ENABLE_MASK  0x4521

#define CNT_SCI_ENABLE   0x0001
#define CNT_SLEEP_TYPE   0x1c00
#define CNT_SLEEP_SHIFT  10
#define CNT_SLEEP_ENABLE 0x2000
#define CNT_MASK         0x1c07

/* Firmware that finds it set believes that system management mode was set up before, and lets it
 * be. (ICH9, 13.8.3.13 "SMI_EN") */
#define SMI_APMC_ENABLE 0x20

#define TIMER_HZ   3579545
#define TIMER_MASK 0xffffff
#define TIMER_HALF 0x800000 /* the top bit changes every so many ticks */

#define GPE_HALF (VMM_PM_GPE0_LENGTH / 2)

enum { REGION_PM1, REGION_GPE0, REGION_SMI, N_REGIONS };

static const struct {
  guint16 port, length;
} regions[N_REGIONS] = {
  { VMM_PM_PORT, PM_LENGTH },
  { VMM_PM_GPE0_PORT, VMM_PM_GPE0_LENGTH },
  { VMM_PM_SMI_PORT, 4 },
};

typedef struct {
  VmmDevice parent;
  VmmSource *timer;
  gboolean running;
  gboolean line;
  guint64 timer_ns; /* of guest time when stopped; when running: host time of tick 0 */

  guint16 status, enable, control;
  guint8 gpe_status[GPE_HALF], gpe_enable[GPE_HALF];
} Pm;

static const VmmField pm_fields[] = {
  VMM_EXEMPT_DEVICE (Pm),
  VMM_EXEMPT (Pm, timer, "of the loop"),
  VMM_EXEMPT (Pm, running, "saved while stopped"),
  VMM_FIELD (Pm, line, VMM_FIELD_BOOL, "line"),
  VMM_FIELD (Pm, timer_ns, VMM_FIELD_UINT64, "timer-ns"),
  VMM_FIELD (Pm, status, VMM_FIELD_UINT16, "status"),
  VMM_FIELD (Pm, enable, VMM_FIELD_UINT16, "enable"),
  VMM_FIELD (Pm, control, VMM_FIELD_UINT16, "control"),
  VMM_FIELD (Pm, gpe_status, VMM_FIELD_BYTES, "gpe-status"),
  VMM_FIELD (Pm, gpe_enable, VMM_FIELD_BYTES, "gpe-enable"),
  VMM_FIELD_LAST,
};

static guint64
pm_elapsed (Pm *self)
{
  return self->running ? vmm_loop_now_ns () - self->timer_ns : self->timer_ns;
}

/* In two steps, so that the product stays within 64 bits for years. */
static guint64
pm_ticks (Pm *self)
{
  guint64 ns = pm_elapsed (self);

  return ns / 1000000000 * TIMER_HZ + ns % 1000000000 * TIMER_HZ / 1000000000;
}

static void
pm_update_line (Pm *self)
{
  VmmPlatform *platform = self->parent.board->platform;
  gboolean level = (self->status & self->enable) != 0;

  for (guint i = 0; i < GPE_HALF; i++)
    level |= (self->gpe_status[i] & self->gpe_enable[i]) != 0;
  level = level && (self->control & CNT_SCI_ENABLE);
  if (level == self->line)
    return;
  self->line = level;
  platform->klass->set_line (platform, VMM_PM_SCI_GSI, level);
}

/* The timer's interrupt is for guests that ask for it; nobody else pays for it. */
static void
pm_arm (Pm *self)
{
  guint64 wait_ns;

  if (!self->running || !(self->enable & PM1_TIMER)) {
    vmm_source_arm (self->timer, 0);
    return;
  }
  wait_ns = (TIMER_HALF - pm_ticks (self) % TIMER_HALF) * 1000000000 / TIMER_HZ;
  vmm_source_arm (self->timer, vmm_loop_now_ns () + wait_ns + 1000);
}

static void
pm_carry (gpointer data)
{
  Pm *self = data;

  vmm_device_lock (&self->parent);
  if (self->running && (self->enable & PM1_TIMER)) {
    self->status |= PM1_TIMER;
    pm_update_line (self);
    pm_arm (self);
  }
  vmm_device_unlock (&self->parent);
}

/* The registers in the order of their ports. */
static guint8
pm_read_byte (Pm *self, guint64 offset)
{
  guint8 bytes[8] = { self->status,
                      self->status >> 8,
                      self->enable,
                      self->enable >> 8,
                      self->control,
                      self->control >> 8,
                      0,
                      0 };

  return offset < sizeof bytes ? bytes[offset] : 0xff;
}

static guint64
pm_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  Pm *self = (Pm *) device;
  guint64 value = 0;

  if (region == REGION_PM1 && offset == VMM_PM_TMR_PORT - VMM_PM_PORT)
    return pm_ticks (self) & TIMER_MASK;
  if (region == REGION_SMI)
    return SMI_APMC_ENABLE >> 8 * offset;
  for (guint i = 0; i < size; i++) {
    guint64 at = offset + i;
    guint8 byte;

    if (region == REGION_PM1)
      byte = pm_read_byte (self, at);
    else
      byte = at < GPE_HALF ? self->gpe_status[at] : self->gpe_enable[at - GPE_HALF];
    value |= (guint64) byte << (8 * i);
  }
  return value;
}

static void
pm_write_control (Pm *self, guint16 value)
{
  VmmPlatform *platform = self->parent.board->platform;

  self->control = (value & CNT_MASK) | CNT_SCI_ENABLE;
  if ((value & CNT_SLEEP_ENABLE) && (value & CNT_SLEEP_TYPE) >> CNT_SLEEP_SHIFT == VMM_PM_S5_TYPE)
    platform->klass->request (platform, VMM_REQUEST_POWER_OFF, 0);
}

static void
pm_write_pm1 (Pm *self, guint64 offset, guint8 value)
{
  guint shift = 8 * (offset & 1);
  guint16 mask = 0xff << shift, word = value << shift;

  switch (offset & ~G_GUINT64_CONSTANT (1)) {
  case VMM_PM1A_EVT_PORT - VMM_PM_PORT:
    self->status &= ~word;
    break;
  case VMM_PM1A_EVT_PORT - VMM_PM_PORT + 2:
    self->enable = ((self->enable & ~mask) | word) & PM1_ENABLE_MASK;
    pm_arm (self);
    break;
  case VMM_PM1A_CNT_PORT - VMM_PM_PORT:
    pm_write_control (self, (self->control & ~mask) | word);
    break;
  default:
    break;
  }
}

static void
pm_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  Pm *self = (Pm *) device;

  if (region == REGION_SMI)
    return;
  for (guint i = 0; i < size; i++) {
    guint64 at = offset + i;
    guint8 byte = value >> (8 * i);

    if (region == REGION_PM1)
      pm_write_pm1 (self, at, byte);
    else if (at < GPE_HALF)
      self->gpe_status[at] &= ~byte;
    else
      self->gpe_enable[at - GPE_HALF] = byte;
  }
  pm_update_line (self);
}

static const VmmBusOps pm_ops = { pm_read, pm_write };

void
vmm_pm_power_button (VmmDevice *pm)
{
  Pm *self = (Pm *) pm;

  vmm_device_lock (pm);
  self->status |= PM1_POWER_BUTTON;
  pm_update_line (self);
  vmm_device_unlock (pm);
}

void
vmm_pm_raise_gpe (VmmDevice *pm, guint number)
{
  Pm *self = (Pm *) pm;

  g_return_if_fail (number < GPE_HALF * 8);

  vmm_device_lock (pm);
  self->gpe_status[number / 8] |= 1 << number % 8;
  pm_update_line (self);
  vmm_device_unlock (pm);
}

/* The timer stands still while the machine does. */
static void
pm_drain (VmmDevice *device)
{
  Pm *self = (Pm *) device;

  vmm_device_lock (device);
  self->timer_ns = pm_elapsed (self);
  self->running = FALSE;
  pm_arm (self);
  vmm_device_unlock (device);
}

static void
pm_resume (VmmDevice *device)
{
  Pm *self = (Pm *) device;

  vmm_device_lock (device);
  if (!self->running)
    self->timer_ns = vmm_loop_now_ns () - self->timer_ns;
  self->running = TRUE;
  pm_arm (self);
  vmm_device_unlock (device);
}

/* There is no firmware that switches ACPI on: the SCI is enabled from the start. */
static void
pm_reset (VmmDevice *device)
{
  Pm *self = (Pm *) device;

  self->status = self->enable = 0;
  self->control = CNT_SCI_ENABLE;
  memset (self->gpe_status, 0, sizeof self->gpe_status);
  memset (self->gpe_enable, 0, sizeof self->gpe_enable);
  self->timer_ns = self->running ? vmm_loop_now_ns () : 0;
  pm_arm (self);
  pm_update_line (self);
}

static gboolean
pm_loaded (VmmDevice *device, GError **error)
{
  Pm *self = (Pm *) device;
  VmmPlatform *platform = device->board->platform;

  self->status &= PM1_STATUS_MASK;
  self->enable &= PM1_ENABLE_MASK;
  self->control &= CNT_MASK;
  if (self->running)
    self->timer_ns = vmm_loop_now_ns () - self->timer_ns;
  pm_arm (self);
  platform->klass->set_line (platform, VMM_PM_SCI_GSI, self->line);
  return TRUE;
}

static gboolean
pm_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  Pm *self = (Pm *) device;

  self->timer = vmm_loop_add_timer (device->board->loop, pm_carry, self, error);
  if (!self->timer)
    return FALSE;
  for (guint i = 0; i < N_REGIONS; i++) {
    if (vmm_bus_add (device->board->ports, regions[i].port, regions[i].length, &pm_ops, device, i,
                     error))
      continue;
    while (i > 0)
      vmm_bus_remove (device->board->ports, regions[--i].port);
    vmm_loop_remove (device->board->loop, self->timer);
    return FALSE;
  }
  self->running = TRUE;
  pm_reset (device);
  return TRUE;
}

static void
pm_unrealize (VmmDevice *device)
{
  Pm *self = (Pm *) device;

  for (guint i = 0; i < N_REGIONS; i++)
    vmm_bus_remove (device->board->ports, regions[i].port);
  vmm_loop_remove (device->board->loop, self->timer);
}

const VmmDeviceClass vmm_pm_class = {
  .name = "pm",
  .instance_size = sizeof (Pm),
  .version = 1,
  .fields = pm_fields,
  .realize = pm_realize,
  .unrealize = pm_unrealize,
  .drain = pm_drain,
  .resume = pm_resume,
  .reset = pm_reset,
  .loaded = pm_loaded,
};
