/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The clock: what it shows is computed from the host's clock when it is read; a timer runs only
 * while the guest wants interrupts.
 *
 * Threads: registers on vCPU threads, the timer on the loop; both with the device locked.
 */
#include <string.h>
#include <time.h>

#include "base/vmm-bus.h"
#include "chips/rtc.h"

#define INDEX_PORT 0x70
#define N_PORTS    2
#define CMOS_SIZE  128

enum {
  REG_SECONDS = 0x00,
  REG_SECONDS_ALARM = 0x01,
  REG_MINUTES = 0x02,
  REG_MINUTES_ALARM = 0x03,
  REG_HOURS = 0x04,
  REG_HOURS_ALARM = 0x05,
  REG_WEEKDAY = 0x06,
  REG_DAY = 0x07,
  REG_MONTH = 0x08,
  REG_YEAR = 0x09,
  REG_A = 0x0a,
  REG_B = 0x0b,
  REG_C = 0x0c,
  REG_D = 0x0d,
  REG_CENTURY = 0x32,
};

#define A_RATE     0x0f
#define A_RESET    0x26 /* 32.768 kHz, 1024 Hz */
#define B_SET      0x80
#define B_PERIODIC 0x40
#define B_ALARM    0x20
#define B_UPDATE   0x10
#define B_BINARY   0x04
#define B_24_HOURS 0x02
#define C_IRQ      0x80
#define C_MASK     0x70
#define D_VALID    0x80
#define HOURS_PM   0x80
#define ALARM_ANY  0xc0 /* or above: matches always */

#define SECOND_NS  G_GINT64_CONSTANT (1000000000)
#define MAX_OFFSET G_GINT64_CONSTANT (1000000000000) /* seconds; in years four digits and more */

typedef struct {
  VmmDevice parent;
  VmmSource *timer;
  gint64 last_second; /* that update and alarm were looked at */
  gint64 next_tick;   /* of the periodic interrupt, CLOCK_MONOTONIC */
  gboolean line;
  guint8 index;
  gint64 offset; /* seconds from the host's UTC to the guest's clock */
  guint8 cmos[CMOS_SIZE];
} Rtc;

static const VmmField rtc_fields[] = {
  VMM_EXEMPT_DEVICE (Rtc),
  VMM_EXEMPT (Rtc, timer, "of the loop"),
  VMM_EXEMPT (Rtc, last_second, "host time"),
  VMM_EXEMPT (Rtc, next_tick, "host time"),
  VMM_FIELD (Rtc, line, VMM_FIELD_BOOL, "line"),
  VMM_FIELD (Rtc, index, VMM_FIELD_UINT8, "index"),
  VMM_FIELD (Rtc, offset, VMM_FIELD_UINT64, "offset"),
  VMM_FIELD (Rtc, cmos, VMM_FIELD_BYTES, "cmos"),
  VMM_FIELD_LAST,
};

static gint64
rtc_now (Rtc *self)
{
  return g_get_real_time () / G_USEC_PER_SEC + self->offset;
}

static guint8
rtc_encode (Rtc *self, guint value)
{
  return self->cmos[REG_B] & B_BINARY ? value : value / 10 << 4 | value % 10;
}

static guint
rtc_decode (Rtc *self, guint8 value)
{
  return self->cmos[REG_B] & B_BINARY ? value : (value >> 4) * 10 + (value & 0x0f);
}

static guint8
rtc_encode_hours (Rtc *self, guint hours)
{
  if (self->cmos[REG_B] & B_24_HOURS)
    return rtc_encode (self, hours);
  return rtc_encode (self, hours % 12 == 0 ? 12 : hours % 12) | (hours >= 12 ? HOURS_PM : 0);
}

static guint
rtc_decode_hours (Rtc *self, guint8 value)
{
  if (self->cmos[REG_B] & B_24_HOURS)
    return rtc_decode (self, value);
  return rtc_decode (self, value & ~HOURS_PM) % 12 + (value & HOURS_PM ? 12 : 0);
}

/* Host time to registers, unless the guest holds them. */
static void
rtc_show (Rtc *self)
{
  time_t now = rtc_now (self);
  struct tm tm;

  if ((self->cmos[REG_B] & B_SET) || !gmtime_r (&now, &tm))
    return;
  self->cmos[REG_SECONDS] = rtc_encode (self, tm.tm_sec);
  self->cmos[REG_MINUTES] = rtc_encode (self, tm.tm_min);
  self->cmos[REG_HOURS] = rtc_encode_hours (self, tm.tm_hour);
  self->cmos[REG_WEEKDAY] = rtc_encode (self, tm.tm_wday + 1);
  self->cmos[REG_DAY] = rtc_encode (self, tm.tm_mday);
  self->cmos[REG_MONTH] = rtc_encode (self, tm.tm_mon + 1);
  self->cmos[REG_YEAR] = rtc_encode (self, (tm.tm_year + 1900) % 100);
  self->cmos[REG_CENTURY] = rtc_encode (self, (tm.tm_year + 1900) / 100);
}

/* Registers to the difference from host time. timegm takes any numbers. */
static void
rtc_set (Rtc *self)
{
  struct tm tm = {
    .tm_sec = rtc_decode (self, self->cmos[REG_SECONDS]),
    .tm_min = rtc_decode (self, self->cmos[REG_MINUTES]),
    .tm_hour = rtc_decode_hours (self, self->cmos[REG_HOURS]),
    .tm_mday = rtc_decode (self, self->cmos[REG_DAY]),
    .tm_mon = (int) rtc_decode (self, self->cmos[REG_MONTH]) - 1,
    .tm_year = (int) (rtc_decode (self, self->cmos[REG_CENTURY]) * 100 +
                      rtc_decode (self, self->cmos[REG_YEAR])) -
               1900,
  };

  self->offset = timegm (&tm) - g_get_real_time () / G_USEC_PER_SEC;
}

static gboolean
is_time (guint8 reg)
{
  return (reg <= REG_YEAR && (reg > REG_HOURS_ALARM || reg % 2 == 0)) || reg == REG_CENTURY;
}

static void
rtc_update_line (Rtc *self)
{
  VmmPlatform *platform = self->parent.board->platform;
  gboolean level = (self->cmos[REG_B] & self->cmos[REG_C] & C_MASK) != 0;

  self->cmos[REG_C] = (self->cmos[REG_C] & C_MASK) | (level ? C_IRQ : 0);
  if (level == self->line)
    return;
  self->line = level;
  platform->klass->set_line (platform, VMM_RTC_GSI, level);
}

static gint64
rtc_period_ns (Rtc *self)
{
  guint rate = self->cmos[REG_A] & A_RATE;

  if (rate == 0)
    return 0;
  if (rate <= 2)
    rate += 7;
  return SECOND_NS * (1 << (rate - 1)) / 32768;
}

static void
rtc_arm (Rtc *self)
{
  gint64 now = vmm_loop_now_ns (), when = 0;
  guint8 wanted = self->cmos[REG_B];

  if ((wanted & B_PERIODIC) && rtc_period_ns (self) > 0) {
    if (self->next_tick <= now)
      self->next_tick = now + rtc_period_ns (self);
    when = self->next_tick;
  }
  if ((wanted & (B_ALARM | B_UPDATE)) && !(wanted & B_SET)) {
    gint64 second = now + SECOND_NS - g_get_real_time () % G_USEC_PER_SEC * 1000;

    when = when ? MIN (when, second) : second;
  }
  vmm_source_arm (self->timer, when);
}

static gboolean
rtc_alarm_matches (Rtc *self)
{
  for (guint reg = REG_SECONDS; reg <= REG_HOURS; reg += 2) {
    guint8 alarm = self->cmos[reg + 1];

    if (alarm < ALARM_ANY && alarm != self->cmos[reg])
      return FALSE;
  }
  return TRUE;
}

static void
rtc_tick (gpointer data)
{
  Rtc *self = data;
  gint64 second;

  vmm_device_lock (&self->parent);
  second = rtc_now (self);
  if ((self->cmos[REG_B] & B_PERIODIC) && vmm_loop_now_ns () >= self->next_tick)
    self->cmos[REG_C] |= B_PERIODIC;
  if (second != self->last_second && !(self->cmos[REG_B] & B_SET)) {
    self->last_second = second;
    rtc_show (self);
    self->cmos[REG_C] |= B_UPDATE | (rtc_alarm_matches (self) ? B_ALARM : 0);
  }
  rtc_update_line (self);
  rtc_arm (self);
  vmm_device_unlock (&self->parent);
}

static guint8
rtc_read_register (Rtc *self, guint8 reg)
{
  guint8 value;

  if (is_time (reg))
    rtc_show (self);
  value = self->cmos[reg];
  if (reg == REG_C) {
    self->cmos[REG_C] = 0;
    rtc_update_line (self);
  }
  return value;
}

static void
rtc_write_b (Rtc *self, guint8 value)
{
  gboolean was_set = self->cmos[REG_B] & B_SET;

  if (!was_set)
    rtc_show (self);
  /* Setting ends: the registers are read in the format that they were written in. */
  self->cmos[REG_B] = value & ~B_SET;
  if (was_set && !(value & B_SET))
    rtc_set (self);
  self->cmos[REG_B] = value & B_SET ? value & ~B_UPDATE : value;
  self->last_second = rtc_now (self);
  rtc_update_line (self);
  rtc_arm (self);
}

static void
rtc_write_register (Rtc *self, guint8 reg, guint8 value)
{
  if (reg == REG_C || reg == REG_D)
    return;
  if (reg == REG_B) {
    rtc_write_b (self, value);
    return;
  }
  if (is_time (reg))
    rtc_show (self);
  self->cmos[reg] = reg == REG_A ? value & 0x7f : value;
  if (is_time (reg) && !(self->cmos[REG_B] & B_SET))
    rtc_set (self);
  if (reg == REG_A)
    rtc_arm (self);
}

static guint64
rtc_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  Rtc *self = (Rtc *) device;

  return offset == 0 ? 0xff : rtc_read_register (self, self->index);
}

static void
rtc_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  Rtc *self = (Rtc *) device;

  if (offset == 0)
    self->index = value & (CMOS_SIZE - 1);
  if (offset == 1)
    rtc_write_register (self, self->index, value);
  else if (size == 2)
    rtc_write_register (self, self->index, value >> 8);
}

static const VmmBusOps rtc_ops = { rtc_read, rtc_write };

void
vmm_rtc_set_cmos (VmmDevice *rtc, guint reg, guint8 value)
{
  Rtc *self = (Rtc *) rtc;

  g_return_if_fail (reg > REG_D && reg < CMOS_SIZE && reg != REG_CENTURY);

  self->cmos[reg] = value;
}

/* A reset stops interrupts; the time and the memory live on a battery. */
static void
rtc_reset (VmmDevice *device)
{
  Rtc *self = (Rtc *) device;

  rtc_show (self);
  self->index = 0;
  self->cmos[REG_A] = A_RESET;
  self->cmos[REG_B] = B_24_HOURS;
  self->cmos[REG_C] = 0;
  self->cmos[REG_D] = D_VALID;
  rtc_update_line (self);
  rtc_arm (self);
}

static gboolean
rtc_loaded (VmmDevice *device, GError **error)
{
  Rtc *self = (Rtc *) device;
  VmmPlatform *platform = device->board->platform;

  self->index &= CMOS_SIZE - 1;
  self->offset = CLAMP (self->offset, -MAX_OFFSET, MAX_OFFSET);
  self->cmos[REG_D] = D_VALID;
  self->last_second = rtc_now (self);
  platform->klass->set_line (platform, VMM_RTC_GSI, self->line);
  rtc_arm (self);
  return TRUE;
}

static gboolean
rtc_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  Rtc *self = (Rtc *) device;

  self->timer = vmm_loop_add_timer (device->board->loop, rtc_tick, self, error);
  if (!self->timer)
    return FALSE;
  if (!vmm_bus_add (device->board->ports, INDEX_PORT, N_PORTS, &rtc_ops, device, 0, error)) {
    vmm_loop_remove (device->board->loop, self->timer);
    return FALSE;
  }
  rtc_reset (device);
  return TRUE;
}

static void
rtc_unrealize (VmmDevice *device)
{
  Rtc *self = (Rtc *) device;

  vmm_bus_remove (device->board->ports, INDEX_PORT);
  vmm_loop_remove (device->board->loop, self->timer);
}

const VmmDeviceClass vmm_rtc_class = {
  .name = "rtc",
  .instance_size = sizeof (Rtc),
  .version = 1,
  .fields = rtc_fields,
  .realize = rtc_realize,
  .unrealize = rtc_unrealize,
  .reset = rtc_reset,
  .loaded = rtc_loaded,
};
