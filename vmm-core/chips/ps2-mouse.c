/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The mouse. It says how far it moved, while viewers say where the pointer is: the difference is
 * what it sends. What does not fit into a packet, or into the queue, is sent with the next one.
 *
 * Threads: with the i8042 locked.
 */
#include <linux/input-event-codes.h>
#include <string.h>

#include "chips/ps2.h"

enum {
  COMMAND_SCALE_1 = 0xe6,
  COMMAND_SCALE_2 = 0xe7,
  COMMAND_RESOLUTION = 0xe8,
  COMMAND_STATUS = 0xe9,
  COMMAND_STREAM = 0xea,
  COMMAND_READ = 0xeb,
  COMMAND_REMOTE = 0xf0,
  COMMAND_IDENTIFY = 0xf2,
  COMMAND_RATE = 0xf3,
  COMMAND_ENABLE = 0xf4,
  COMMAND_DISABLE = 0xf5,
  COMMAND_DEFAULTS = 0xf6,
  COMMAND_RESET = 0xff,
};

enum { ID_PLAIN = 0, ID_WHEEL = 3, ID_FIVE_BUTTONS = 4 };

#define ACK                0xfa
#define ERROR              0xfc
#define TEST_DONE          0xaa
#define ALWAYS_SET         0x08
#define X_NEGATIVE         0x10
#define Y_NEGATIVE         0x20
#define DEFAULT_RATE       100
#define DEFAULT_RESOLUTION 2
#define MAX_STEP           255
#define MAX_WHEEL          7
/* A step of the mouse in units of the absolute axes: as if the screen were 1024 pixels wide. */
#define STEP ((VMM_INPUT_ABS_MAX + 1) / 1024)

const VmmField vmm_ps2_mouse_fields[] = {
  VMM_FIELD_PART (VmmPs2Mouse, queue, vmm_ps2_queue_fields, "queue"),
  VMM_FIELD (VmmPs2Mouse, reporting, VMM_FIELD_BOOL, "reporting"),
  VMM_FIELD (VmmPs2Mouse, remote, VMM_FIELD_BOOL, "remote"),
  VMM_FIELD (VmmPs2Mouse, doubled, VMM_FIELD_BOOL, "doubled"),
  VMM_FIELD (VmmPs2Mouse, command, VMM_FIELD_UINT8, "command"),
  VMM_FIELD (VmmPs2Mouse, id, VMM_FIELD_UINT8, "id"),
  VMM_FIELD (VmmPs2Mouse, resolution, VMM_FIELD_UINT8, "resolution"),
  VMM_FIELD (VmmPs2Mouse, rate, VMM_FIELD_UINT8, "rate"),
  VMM_FIELD (VmmPs2Mouse, rates, VMM_FIELD_BYTES, "rates"),
  VMM_FIELD (VmmPs2Mouse, buttons, VMM_FIELD_UINT8, "buttons"),
  VMM_FIELD (VmmPs2Mouse, dx, VMM_FIELD_UINT32, "dx"),
  VMM_FIELD (VmmPs2Mouse, dy, VMM_FIELD_UINT32, "dy"),
  VMM_FIELD (VmmPs2Mouse, wheel, VMM_FIELD_UINT32, "wheel"),
  VMM_FIELD (VmmPs2Mouse, x, VMM_FIELD_UINT32, "x"),
  VMM_FIELD (VmmPs2Mouse, y, VMM_FIELD_UINT32, "y"),
  VMM_FIELD_LAST,
};

void
vmm_ps2_mouse_reset (VmmPs2Mouse *self)
{
  memset (self, 0, sizeof *self);
  self->rate = DEFAULT_RATE;
  self->resolution = DEFAULT_RESOLUTION;
  self->x = self->y = -1;
}

static void
answer (VmmPs2Mouse *self, guint n, const guint8 *bytes)
{
  vmm_ps2_queue_put (&self->queue, bytes, n);
}

/* As much of @value as one byte of a packet takes, with the sign apart. */
static gint32
take_step (gint32 *value)
{
  gint32 step = CLAMP (*value / STEP, -MAX_STEP, MAX_STEP);

  *value -= step * STEP;
  return step;
}

static guint
make_packet (VmmPs2Mouse *self, guint8 packet[4])
{
  gint32 dx = take_step (&self->dx), dy = take_step (&self->dy);
  gint32 wheel = CLAMP (self->wheel, -MAX_WHEEL, MAX_WHEEL);

  packet[0] =
    ALWAYS_SET | (self->buttons & 7) | (dx < 0 ? X_NEGATIVE : 0) | (dy < 0 ? Y_NEGATIVE : 0);
  packet[1] = dx;
  packet[2] = dy;
  if (self->id == ID_PLAIN)
    return 3;
  self->wheel -= wheel;
  packet[3] = self->id == ID_WHEEL ? -wheel : (-wheel & 0x0f) | (self->buttons & 0x18) << 1;
  return 4;
}

static void
send_packet (VmmPs2Mouse *self)
{
  guint8 packet[4];

  if (self->queue.n + sizeof packet <= VMM_PS2_QUEUE)
    answer (self, make_packet (self, packet), packet);
}

/* The knock: drivers ask for a better mouse by three sample rates. */
static void
note_rate (VmmPs2Mouse *self, guint8 rate)
{
  self->rate = rate;
  memmove (self->rates, self->rates + 1, 2);
  self->rates[2] = rate;
  if (memcmp (self->rates, (guint8[]) { 200, 100, 80 }, 3) == 0)
    self->id = ID_WHEEL;
  if (memcmp (self->rates, (guint8[]) { 200, 200, 80 }, 3) == 0 && self->id == ID_WHEEL)
    self->id = ID_FIVE_BUTTONS;
}

static gboolean
take_argument (VmmPs2Mouse *self, guint8 byte)
{
  guint8 command = self->command;

  self->command = 0;
  if (command == COMMAND_RATE)
    note_rate (self, byte);
  else if (command == COMMAND_RESOLUTION)
    self->resolution = byte & 3;
  else
    return FALSE;
  answer (self, 1, (guint8[]) { ACK });
  return TRUE;
}

static void
send_status (VmmPs2Mouse *self)
{
  guint8 status = (self->remote ? 0x40 : 0) | (self->reporting ? 0x20 : 0) |
                  (self->doubled ? 0x10 : 0) | (self->buttons & 7);

  answer (self, 4, (guint8[]) { ACK, status, self->resolution, self->rate });
}

void
vmm_ps2_mouse_write (VmmPs2Mouse *self, guint8 byte)
{
  if (take_argument (self, byte))
    return;
  if (byte == COMMAND_STATUS) {
    send_status (self);
    return;
  }
  if (byte == COMMAND_RESET || byte == COMMAND_DEFAULTS)
    vmm_ps2_mouse_reset (self);
  if (byte < COMMAND_SCALE_1) {
    answer (self, 1, (guint8[]) { ERROR });
    return;
  }
  answer (self, 1, (guint8[]) { ACK });
  if (byte == COMMAND_SCALE_1 || byte == COMMAND_SCALE_2)
    self->doubled = byte == COMMAND_SCALE_2;
  else if (byte == COMMAND_RESOLUTION || byte == COMMAND_RATE)
    self->command = byte;
  else if (byte == COMMAND_STREAM || byte == COMMAND_REMOTE)
    self->remote = byte == COMMAND_REMOTE;
  else if (byte == COMMAND_ENABLE || byte == COMMAND_DISABLE)
    self->reporting = byte == COMMAND_ENABLE;
  else if (byte == COMMAND_READ)
    send_packet (self);
  else if (byte == COMMAND_IDENTIFY)
    answer (self, 1, &self->id);
  else if (byte == COMMAND_RESET)
    answer (self, 2, (guint8[]) { TEST_DONE, ID_PLAIN });
}

static guint8
button_bit (guint16 code)
{
  switch (code) {
  case BTN_LEFT:
    return 0x01;
  case BTN_RIGHT:
    return 0x02;
  case BTN_MIDDLE:
    return 0x04;
  case BTN_SIDE:
    return 0x08;
  case BTN_EXTRA:
    return 0x10;
  default:
    return 0;
  }
}

static void
move (gint32 *place, gint32 *delta, gint32 to, gint sign)
{
  if (*place >= 0)
    *delta = CLAMP (*delta + sign * (to - *place), -VMM_INPUT_ABS_MAX, VMM_INPUT_ABS_MAX);
  *place = to;
}

static void
note (VmmPs2Mouse *self, const VmmInputEvent *event)
{
  if (event->type == EV_ABS && event->code == ABS_X)
    move (&self->x, &self->dx, event->value, 1);
  else if (event->type == EV_ABS && event->code == ABS_Y)
    move (&self->y, &self->dy, event->value, -1); /* up is positive here */
  else if (event->type == EV_REL && event->code == REL_WHEEL)
    self->wheel = CLAMP (self->wheel + event->value, -MAX_WHEEL * 4, MAX_WHEEL * 4);
  else if (event->type == EV_KEY && event->value)
    self->buttons |= button_bit (event->code);
  else if (event->type == EV_KEY)
    self->buttons &= ~button_bit (event->code);
}

gboolean
vmm_ps2_mouse_take (VmmPs2Mouse *self, const VmmInputEvent *events, guint n_events)
{
  for (guint i = 0; i < n_events; i++)
    note (self, &events[i]);
  if (!self->reporting || self->remote)
    return FALSE;
  do
    send_packet (self);
  while ((ABS (self->dx) >= STEP || ABS (self->dy) >= STEP) &&
         self->queue.n + 4 <= VMM_PS2_QUEUE / 2);
  return TRUE;
}
