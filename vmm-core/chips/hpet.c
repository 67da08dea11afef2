/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See hpet.h. While no comparator may interrupt, nothing of ours runs.
 *
 * Threads: registers on vCPU threads, comparators on the loop; all with the device locked.
 */
#include "base/vmm-bus.h"
#include "chips/hpet.h"

/* Registers, of 64 bits (2.3.2). */
#define REG_CAPABILITIES 0x000
#define REG_CONFIG       0x010
#define REG_STATUS       0x020
#define REG_COUNTER      0x0f0
#define REG_TIMERS       0x100
#define TIMER_STRIDE     0x20
#define TIMER_CONFIG     0x00
#define TIMER_COMPARATOR 0x08

#define FS_PER_NS     1000000
#define CONFIG_ENABLE 0x1
#define CONFIG_LEGACY 0x2 /* timer 0 is in the place of the PIT, timer 1 in the clock's */
#define CONFIG_MASK   0x3

#define TN_LEVEL       (1u << 1)
#define TN_ENABLE      (1u << 2)
#define TN_PERIODIC    (1u << 3)
#define TN_SET         (1u << 6) /* the next write of the comparator sets it, not the period */
#define TN_32BIT       (1u << 8)
#define TN_ROUTE_SHIFT 9
#define TN_ROUTE_MASK  0x1f
#define TN_WRITABLE    0x3f4e
#define TN_PER_CAP     (1u << 4)
#define TN_SIZE_CAP    (1u << 5)
/* Pins of the I/O APIC that no PCI wire pulls. */
#define TN_ROUTES G_GUINT64_CONSTANT (0x00f00000)

#define PIT_GSI 0 /* the platform leads it to the I/O APIC's pin 2 */
#define RTC_GSI 8

typedef struct _Hpet Hpet;

typedef struct {
  Hpet *hpet;
  VmmSource *source;
  guint32 config;
  gboolean waiting;           /* for a match; one-shot timers have one only */
  guint64 comparator, period; /* in ticks */
} HpetTimer;

struct _Hpet {
  VmmDevice parent;
  gboolean running;
  guint64 counter; /* when it stands; else its value at host time 0, modulo 2^64 */
  guint64 config, status;
  HpetTimer timers[VMM_HPET_N_TIMERS];
};

static const VmmField hpet_timer_fields[] = {
  VMM_EXEMPT (HpetTimer, hpet, "whose it is"),
  VMM_EXEMPT (HpetTimer, source, "of the loop"),
  VMM_FIELD (HpetTimer, config, VMM_FIELD_UINT32, "config"),
  VMM_FIELD (HpetTimer, waiting, VMM_FIELD_BOOL, "waiting"),
  VMM_FIELD (HpetTimer, comparator, VMM_FIELD_UINT64, "comparator"),
  VMM_FIELD (HpetTimer, period, VMM_FIELD_UINT64, "period"),
  VMM_FIELD_LAST,
};

static const VmmField hpet_fields[] = {
  VMM_EXEMPT_DEVICE (Hpet),
  VMM_EXEMPT (Hpet, running, "saved while stopped"),
  VMM_FIELD (Hpet, counter, VMM_FIELD_UINT64, "counter"),
  VMM_FIELD (Hpet, config, VMM_FIELD_UINT64, "config"),
  VMM_FIELD (Hpet, status, VMM_FIELD_UINT64, "status"),
  VMM_FIELD_PARTS (Hpet, timers, hpet_timer_fields, "timers"),
  VMM_FIELD_LAST,
};

/* The machine runs, and the guest wants the counter to. */
static gboolean
is_counting (Hpet *self)
{
  return self->running && (self->config & CONFIG_ENABLE);
}

static guint64
host_ticks (void)
{
  return vmm_loop_now_ns () / VMM_HPET_PERIOD_NS;
}

static guint64
read_counter (Hpet *self)
{
  return is_counting (self) ? self->counter + host_ticks () : self->counter;
}

/* Around everything that changes is_counting. */
static void
stop_counter (Hpet *self)
{
  self->counter = read_counter (self);
}

static void
start_counter (Hpet *self)
{
  if (is_counting (self))
    self->counter -= host_ticks ();
}

static guint
index_of (HpetTimer *timer)
{
  return timer - timer->hpet->timers;
}

static guint
gsi_of (HpetTimer *timer)
{
  if ((timer->hpet->config & CONFIG_LEGACY) && index_of (timer) < 2)
    return index_of (timer) == 0 ? PIT_GSI : RTC_GSI;
  return timer->config >> TN_ROUTE_SHIFT & TN_ROUTE_MASK;
}

static void
set_line (HpetTimer *timer, gboolean level)
{
  VmmPlatform *platform = timer->hpet->parent.board->platform;
  guint gsi = gsi_of (timer);

  if ((timer->hpet->config & CONFIG_LEGACY && index_of (timer) < 2) || (TN_ROUTES >> gsi & 1))
    platform->klass->set_line (platform, gsi, level);
}

static void
update_line (HpetTimer *timer)
{
  Hpet *self = timer->hpet;

  if (timer->config & TN_LEVEL)
    set_line (timer, (self->status >> index_of (timer) & 1) && (timer->config & TN_ENABLE));
}

static void
interrupt (HpetTimer *timer)
{
  if (timer->config & TN_LEVEL) {
    timer->hpet->status |= G_GUINT64_CONSTANT (1) << index_of (timer);
    update_line (timer);
  } else {
    set_line (timer, TRUE);
    set_line (timer, FALSE);
  }
}

/* Ticks from now on; 0 where the comparator was passed already. */
static guint64
ticks_left (HpetTimer *timer, guint64 now)
{
  guint64 left = timer->comparator - now;

  if (timer->config & TN_32BIT)
    return (gint32) left > 0 ? (guint32) left : 0;
  return (gint64) left > 0 ? left : 0;
}

static void
arm (HpetTimer *timer)
{
  Hpet *self = timer->hpet;
  guint64 left;

  if (!is_counting (self) || !timer->waiting || !(timer->config & TN_ENABLE)) {
    vmm_source_arm (timer->source, 0);
    return;
  }
  left = MIN (ticks_left (timer, read_counter (self)), G_MAXINT64 / 2 / VMM_HPET_PERIOD_NS);
  vmm_source_arm (timer->source, vmm_loop_now_ns () + left * VMM_HPET_PERIOD_NS + 1);
}

/* To the first match that is not over; what was missed meanwhile is not made up for. Not more often
 * than the table says, whatever a guest asks for: the loop serves others too. */
static void
advance (HpetTimer *timer, guint64 now)
{
  guint64 period = MAX (timer->period, VMM_HPET_MIN_TICKS);
  guint64 behind = now - timer->comparator;

  if (timer->config & TN_32BIT)
    behind = (guint32) behind;
  timer->comparator += (behind / period + 1) * period;
}

/* Loop. */
static void
on_match (gpointer data)
{
  HpetTimer *timer = data;
  Hpet *self = timer->hpet;
  guint64 now;

  vmm_device_lock (&self->parent);
  now = read_counter (self);
  if (is_counting (self) && timer->waiting && (timer->config & TN_ENABLE) &&
      ticks_left (timer, now) == 0) {
    interrupt (timer);
    timer->waiting = (timer->config & TN_PERIODIC) && timer->period > 0;
    if (timer->waiting)
      advance (timer, now);
  }
  arm (timer);
  vmm_device_unlock (&self->parent);
}

static void
arm_all (Hpet *self)
{
  for (guint i = 0; i < VMM_HPET_N_TIMERS; i++)
    arm (&self->timers[i]);
}

static void
write_config (Hpet *self, guint64 value)
{
  VmmPlatform *platform = self->parent.board->platform;
  guint64 before = self->config;

  stop_counter (self);
  self->config = value & CONFIG_MASK;
  start_counter (self);
  if ((before ^ self->config) & CONFIG_LEGACY)
    platform->klass->silence_pit (platform, (self->config & CONFIG_LEGACY) != 0);
  arm_all (self);
}

static void
write_counter (Hpet *self, guint64 value)
{
  stop_counter (self);
  self->counter = value;
  start_counter (self);
  arm_all (self);
}

static void
write_timer_config (HpetTimer *timer, guint64 value)
{
  set_line (timer, FALSE);
  timer->config = value & TN_WRITABLE;
  if (timer->config & TN_32BIT) {
    timer->comparator = (guint32) timer->comparator;
    timer->period = (guint32) timer->period;
  }
  update_line (timer);
  arm (timer);
}

static void
write_masked (guint64 *to, guint64 value, guint64 mask)
{
  *to = (*to & ~mask) | (value & mask);
}

/* (2.3.9.2.2: periodic mode.) TN_SET is for one write of the whole, be it in halves. */
static void
write_comparator (HpetTimer *timer, guint64 value, guint64 mask)
{
  if (timer->config & TN_32BIT)
    mask = (guint32) mask;
  if (!(timer->config & TN_PERIODIC) || (timer->config & TN_SET))
    write_masked (&timer->comparator, value, mask);
  if (timer->config & TN_PERIODIC)
    write_masked (&timer->period, value, mask);
  timer->waiting = TRUE;
  if ((timer->config & TN_32BIT) || mask > G_MAXUINT32)
    timer->config &= ~TN_SET;
  arm (timer);
}

static guint64
read_timer (HpetTimer *timer, guint reg)
{
  if (reg == TIMER_CONFIG)
    return timer->config | TN_PER_CAP | TN_SIZE_CAP | TN_ROUTES << 32;
  return reg == TIMER_COMPARATOR ? timer->comparator : 0;
}

static guint64
read_register (Hpet *self, guint reg)
{
  if (reg >= REG_TIMERS && reg < REG_TIMERS + VMM_HPET_N_TIMERS * TIMER_STRIDE)
    return read_timer (&self->timers[(reg - REG_TIMERS) / TIMER_STRIDE], reg % TIMER_STRIDE);
  switch (reg) {
  case REG_CAPABILITIES:
    return (guint64) VMM_HPET_PERIOD_NS * FS_PER_NS << 32 | VMM_HPET_BLOCK_ID;
  case REG_CONFIG:
    return self->config;
  case REG_STATUS:
    return self->status;
  case REG_COUNTER:
    return read_counter (self);
  default:
    return 0;
  }
}

static void
write_timer (HpetTimer *timer, guint reg, guint64 value, guint64 mask)
{
  if (reg == TIMER_CONFIG)
    write_timer_config (timer, (timer->config & ~mask) | (value & mask));
  else if (reg == TIMER_COMPARATOR)
    write_comparator (timer, value, mask);
}

static void
write_register (Hpet *self, guint reg, guint64 value, guint64 mask)
{
  guint64 whole = (read_register (self, reg) & ~mask) | (value & mask);

  if (reg >= REG_TIMERS && reg < REG_TIMERS + VMM_HPET_N_TIMERS * TIMER_STRIDE) {
    write_timer (&self->timers[(reg - REG_TIMERS) / TIMER_STRIDE], reg % TIMER_STRIDE, value, mask);
  } else if (reg == REG_CONFIG) {
    write_config (self, whole);
  } else if (reg == REG_COUNTER) {
    write_counter (self, whole);
  } else if (reg == REG_STATUS) {
    self->status &= ~(value & mask); /* by writing ones */
    for (guint i = 0; i < VMM_HPET_N_TIMERS; i++)
      update_line (&self->timers[i]);
  }
}

static guint64
hpet_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  return read_register ((Hpet *) device, offset & ~7u) >> 8 * (offset & 7);
}

static void
hpet_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  guint shift = 8 * (offset & 7);
  guint64 mask = size < 8 ? (G_GUINT64_CONSTANT (1) << 8 * size) - 1 : G_MAXUINT64;

  write_register ((Hpet *) device, offset & ~7u, value << shift, mask << shift);
}

static const VmmBusOps hpet_ops = { hpet_read, hpet_write };

static void
set_running (VmmDevice *device, gboolean running)
{
  Hpet *self = (Hpet *) device;

  vmm_device_lock (device);
  stop_counter (self);
  self->running = running;
  start_counter (self);
  arm_all (self);
  vmm_device_unlock (device);
}

static void
hpet_drain (VmmDevice *device)
{
  set_running (device, FALSE);
}

static void
hpet_resume (VmmDevice *device)
{
  set_running (device, TRUE);
}

static void
hpet_reset (VmmDevice *device)
{
  Hpet *self = (Hpet *) device;

  for (guint i = 0; i < VMM_HPET_N_TIMERS; i++) {
    write_timer_config (&self->timers[i], 0);
    self->timers[i].comparator = G_MAXUINT64;
    self->timers[i].period = 0;
    self->timers[i].waiting = FALSE;
  }
  write_config (self, 0);
  self->counter = self->status = 0;
}

static gboolean
hpet_loaded (VmmDevice *device, GError **error)
{
  Hpet *self = (Hpet *) device;
  VmmPlatform *platform = device->board->platform;

  self->config &= CONFIG_MASK;
  start_counter (self);
  platform->klass->silence_pit (platform, (self->config & CONFIG_LEGACY) != 0);
  for (guint i = 0; i < VMM_HPET_N_TIMERS; i++) {
    self->timers[i].config &= TN_WRITABLE;
    update_line (&self->timers[i]);
  }
  arm_all (self);
  return TRUE;
}

static void
remove_timers (Hpet *self)
{
  for (guint i = 0; i < VMM_HPET_N_TIMERS; i++)
    if (self->timers[i].source)
      vmm_loop_remove (self->parent.board->loop, self->timers[i].source);
}

static gboolean
hpet_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  Hpet *self = (Hpet *) device;

  self->running = TRUE;
  for (guint i = 0; i < VMM_HPET_N_TIMERS; i++) {
    HpetTimer *timer = &self->timers[i];

    timer->hpet = self;
    timer->comparator = G_MAXUINT64;
    timer->source = vmm_loop_add_timer (device->board->loop, on_match, timer, error);
    if (!timer->source) {
      remove_timers (self);
      return FALSE;
    }
  }
  if (vmm_bus_add (device->board->mmio, VMM_HPET_ADDRESS, VMM_HPET_SIZE, &hpet_ops, device, 0,
                   error))
    return TRUE;
  remove_timers (self);
  return FALSE;
}

static void
hpet_unrealize (VmmDevice *device)
{
  vmm_bus_remove (device->board->mmio, VMM_HPET_ADDRESS);
  remove_timers ((Hpet *) device);
}

const VmmDeviceClass vmm_hpet_class = {
  .name = "hpet",
  .instance_size = sizeof (Hpet),
  .version = 1,
  .fields = hpet_fields,
  .realize = hpet_realize,
  .unrealize = hpet_unrealize,
  .drain = hpet_drain,
  .resume = hpet_resume,
  .reset = hpet_reset,
  .loaded = hpet_loaded,
};
