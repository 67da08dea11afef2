/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One byte at a time stands in the output buffer, from the controller itself, the keyboard or the
 * mouse, and pulls the interrupt of whom it came from until it is read.
 *
 * Threads: registers on vCPU threads, keys and pointer on any; all with the device locked.
 */
#include "chips/ps2-controller.h"

#include "base/vmm-bus.h"

#define DATA_PORT    0x60
#define COMMAND_PORT 0x64

#define STATUS_OUTPUT_FULL 0x01
#define STATUS_SYSTEM      0x04
#define STATUS_UNLOCKED    0x10
#define STATUS_MOUSE       0x20

#define MODE_KEYBOARD_INT 0x01
#define MODE_MOUSE_INT    0x02
#define MODE_SYSTEM       0x04
#define MODE_NO_KEYBOARD  0x10
#define MODE_NO_MOUSE     0x20
#define MODE_TRANSLATE    0x40

#define OUTPUT_NO_RESET 0x01
#define OUTPUT_A20      0x02

enum {
  COMMAND_READ_MODE = 0x20,
  COMMAND_WRITE_MODE = 0x60,
  COMMAND_MOUSE_OFF = 0xa7,
  COMMAND_MOUSE_ON = 0xa8,
  COMMAND_TEST_MOUSE = 0xa9,
  COMMAND_TEST = 0xaa,
  COMMAND_TEST_KEYBOARD = 0xab,
  COMMAND_KEYBOARD_OFF = 0xad,
  COMMAND_KEYBOARD_ON = 0xae,
  COMMAND_READ_INPUT = 0xc0,
  COMMAND_READ_OUTPUT = 0xd0,
  COMMAND_WRITE_OUTPUT = 0xd1,
  COMMAND_PUT_KEYBOARD = 0xd2, /* as if it had sent the byte */
  COMMAND_PUT_MOUSE = 0xd3,
  COMMAND_TO_MOUSE = 0xd4,
  COMMAND_RESET = 0xfe,
};

#define TEST_PASSED       0x55
#define SET2_RELEASE      0xf0
#define SET1_RELEASE      0x80
#define FIRST_ANSWER_BYTE 0xaa /* what is as high is no scan code, and not translated */

typedef enum {
  FROM_NOBODY,
  FROM_CONTROLLER,
  FROM_KEYBOARD,
  FROM_MOUSE,
} Origin;

typedef struct {
  VmmDevice parent;
  VmmInput *input;

  guint8 mode, output_port;
  guint8 command;   /* whose argument comes next, or 0 */
  guint8 byte;      /* in the output buffer */
  guint32 origin;   /* of it */
  gboolean release; /* the keyboard has said that the next code is one */
  gboolean keyboard_line, mouse_line;
  VmmPs2Queue answers; /* the controller's own */
  VmmPs2Keyboard keyboard;
  VmmPs2Mouse mouse;
} Ps2;

static const VmmField ps2_fields[] = {
  VMM_EXEMPT_DEVICE (Ps2),
  VMM_EXEMPT (Ps2, input, "from the configuration"),
  VMM_FIELD (Ps2, mode, VMM_FIELD_UINT8, "mode"),
  VMM_FIELD (Ps2, output_port, VMM_FIELD_UINT8, "output-port"),
  VMM_FIELD (Ps2, command, VMM_FIELD_UINT8, "command"),
  VMM_FIELD (Ps2, byte, VMM_FIELD_UINT8, "byte"),
  VMM_FIELD (Ps2, origin, VMM_FIELD_UINT32, "origin"),
  VMM_FIELD (Ps2, release, VMM_FIELD_BOOL, "release"),
  VMM_FIELD (Ps2, keyboard_line, VMM_FIELD_BOOL, "keyboard-line"),
  VMM_FIELD (Ps2, mouse_line, VMM_FIELD_BOOL, "mouse-line"),
  VMM_FIELD_PART (Ps2, answers, vmm_ps2_queue_fields, "answers"),
  VMM_FIELD_PART (Ps2, keyboard, vmm_ps2_keyboard_fields, "keyboard"),
  VMM_FIELD_PART (Ps2, mouse, vmm_ps2_mouse_fields, "mouse"),
  VMM_FIELD_LAST,
};

static void
set_line (Ps2 *self, guint gsi, gboolean *line, gboolean level)
{
  VmmPlatform *platform = self->parent.board->platform;

  if (*line == level)
    return;
  *line = level;
  platform->klass->set_line (platform, gsi, level);
}

static void
update_lines (Ps2 *self)
{
  set_line (self, VMM_PS2_KEYBOARD_GSI, &self->keyboard_line,
            self->origin == FROM_KEYBOARD && (self->mode & MODE_KEYBOARD_INT));
  set_line (self, VMM_PS2_MOUSE_GSI, &self->mouse_line,
            self->origin == FROM_MOUSE && (self->mode & MODE_MOUSE_INT));
}

/* The keyboard's next byte as the driver wants it; FALSE where it only announced a release. */
static gboolean
take_scan_code (Ps2 *self, guint8 *byte)
{
  *byte = vmm_ps2_queue_take (&self->keyboard.queue);
  if (!(self->mode & MODE_TRANSLATE))
    return TRUE;
  if (*byte == SET2_RELEASE) {
    self->release = TRUE;
    return FALSE;
  }
  if (*byte < FIRST_ANSWER_BYTE) {
    *byte = vmm_ps2_translate (*byte) | (self->release ? SET1_RELEASE : 0);
    self->release = FALSE;
  }
  return TRUE;
}

/* Fills the output buffer where it is empty and somebody has something to say. */
static void
fill (Ps2 *self)
{
  if (self->origin == FROM_NOBODY && self->answers.n > 0) {
    self->byte = vmm_ps2_queue_take (&self->answers);
    self->origin = FROM_CONTROLLER;
  }
  while (self->origin == FROM_NOBODY && !(self->mode & MODE_NO_KEYBOARD) &&
         self->keyboard.queue.n > 0)
    if (take_scan_code (self, &self->byte))
      self->origin = FROM_KEYBOARD;
  if (self->origin == FROM_NOBODY && !(self->mode & MODE_NO_MOUSE) && self->mouse.queue.n > 0) {
    self->byte = vmm_ps2_queue_take (&self->mouse.queue);
    self->origin = FROM_MOUSE;
  }
  update_lines (self);
}

/* The pins are edge-triggered: each byte makes an edge. */
static guint8
read_data (Ps2 *self)
{
  guint8 byte = self->byte;

  self->origin = FROM_NOBODY;
  update_lines (self);
  fill (self);
  return byte;
}

static guint8
read_status (Ps2 *self)
{
  guint8 status = STATUS_UNLOCKED | (self->mode & MODE_SYSTEM ? STATUS_SYSTEM : 0);

  if (self->origin != FROM_NOBODY)
    status |= STATUS_OUTPUT_FULL;
  if (self->origin == FROM_MOUSE)
    status |= STATUS_MOUSE;
  return status;
}

static void
answer (Ps2 *self, guint8 byte)
{
  vmm_ps2_queue_put (&self->answers, &byte, 1);
}

static void
ask_reset (Ps2 *self)
{
  VmmPlatform *platform = self->parent.board->platform;

  platform->klass->request (platform, VMM_REQUEST_RESET, 0);
}

static void
write_command (Ps2 *self, guint8 command)
{
  self->command = 0;
  switch (command) {
  case COMMAND_READ_MODE:
    answer (self, self->mode);
    break;
  case COMMAND_MOUSE_OFF:
    self->mode |= MODE_NO_MOUSE;
    break;
  case COMMAND_MOUSE_ON:
    self->mode &= ~MODE_NO_MOUSE;
    break;
  case COMMAND_TEST:
    self->mode |= MODE_SYSTEM;
    answer (self, TEST_PASSED);
    break;
  case COMMAND_TEST_MOUSE:
  case COMMAND_TEST_KEYBOARD:
  case COMMAND_READ_INPUT:
    answer (self, 0);
    break;
  case COMMAND_KEYBOARD_OFF:
    self->mode |= MODE_NO_KEYBOARD;
    break;
  case COMMAND_KEYBOARD_ON:
    self->mode &= ~MODE_NO_KEYBOARD;
    break;
  case COMMAND_READ_OUTPUT:
    answer (self, self->output_port);
    break;
  case COMMAND_WRITE_MODE:
  case COMMAND_WRITE_OUTPUT:
  case COMMAND_PUT_KEYBOARD:
  case COMMAND_PUT_MOUSE:
  case COMMAND_TO_MOUSE:
    self->command = command;
    break;
  case COMMAND_RESET:
    ask_reset (self);
    break;
  default:
    break;
  }
}

static void
write_output_port (Ps2 *self, guint8 value)
{
  self->output_port = value;
  if (!(value & OUTPUT_NO_RESET))
    ask_reset (self);
}

/* As if a device had said it, and whether that one is on or not: drivers look by this whether there
 * is a port at all. */
static void
pretend (Ps2 *self, guint32 origin, VmmPs2Queue *queue, guint8 value)
{
  if (self->origin != FROM_NOBODY) {
    vmm_ps2_queue_put (queue, &value, 1);
    return;
  }
  self->byte = value;
  self->origin = origin;
}

static void
write_data (Ps2 *self, guint8 value)
{
  guint8 command = self->command;

  self->command = 0;
  switch (command) {
  case COMMAND_WRITE_MODE:
    self->mode = value;
    break;
  case COMMAND_WRITE_OUTPUT:
    write_output_port (self, value);
    break;
  case COMMAND_PUT_KEYBOARD:
    pretend (self, FROM_KEYBOARD, &self->keyboard.queue, value);
    break;
  case COMMAND_PUT_MOUSE:
    pretend (self, FROM_MOUSE, &self->mouse.queue, value);
    break;
  case COMMAND_TO_MOUSE:
    self->mode &= ~MODE_NO_MOUSE;
    vmm_ps2_mouse_write (&self->mouse, value);
    break;
  default:
    self->mode &= ~MODE_NO_KEYBOARD;
    vmm_ps2_keyboard_write (&self->keyboard, value);
    break;
  }
}

static guint64
ps2_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  Ps2 *self = (Ps2 *) device;

  return region == COMMAND_PORT ? read_status (self) : read_data (self);
}

static void
ps2_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  Ps2 *self = (Ps2 *) device;

  if (region == COMMAND_PORT)
    write_command (self, value);
  else
    write_data (self, value);
  fill (self);
}

static const VmmBusOps ps2_ops = { ps2_read, ps2_write };

static gboolean
take_keys (gpointer data, const VmmInputEvent *events, guint n_events)
{
  Ps2 *self = data;
  gboolean taken;

  vmm_device_lock (&self->parent);
  taken = vmm_ps2_keyboard_take (&self->keyboard, events, n_events);
  fill (self);
  vmm_device_unlock (&self->parent);
  return taken;
}

static gboolean
take_motion (gpointer data, const VmmInputEvent *events, guint n_events)
{
  Ps2 *self = data;
  gboolean taken;

  vmm_device_lock (&self->parent);
  taken = vmm_ps2_mouse_take (&self->mouse, events, n_events);
  fill (self);
  vmm_device_unlock (&self->parent);
  return taken;
}

static const VmmInputSink keyboard_sink = { NULL, take_keys };
static const VmmInputSink mouse_sink = { NULL, take_motion };

static void
ps2_reset (VmmDevice *device)
{
  Ps2 *self = (Ps2 *) device;

  self->mode = MODE_SYSTEM | MODE_KEYBOARD_INT | MODE_MOUSE_INT | MODE_TRANSLATE;
  self->output_port = OUTPUT_NO_RESET | OUTPUT_A20;
  self->command = self->byte = 0;
  self->origin = FROM_NOBODY;
  self->release = FALSE;
  self->answers = (VmmPs2Queue) { 0 };
  vmm_ps2_keyboard_reset (&self->keyboard);
  vmm_ps2_mouse_reset (&self->mouse);
  update_lines (self);
  if (!self->input)
    return;
  vmm_input_forget (self->input, VMM_INPUT_KEYBOARD);
  vmm_input_forget (self->input, VMM_INPUT_TABLET);
}

static gboolean
ps2_loaded (VmmDevice *device, GError **error)
{
  Ps2 *self = (Ps2 *) device;
  VmmPs2Queue *queues[] = { &self->answers, &self->keyboard.queue, &self->mouse.queue };
  VmmPlatform *platform = device->board->platform;

  for (guint i = 0; i < G_N_ELEMENTS (queues); i++)
    queues[i]->n = MIN (queues[i]->n, VMM_PS2_QUEUE);
  if (self->origin > FROM_MOUSE)
    self->origin = FROM_NOBODY;
  platform->klass->set_line (platform, VMM_PS2_KEYBOARD_GSI, self->keyboard_line);
  platform->klass->set_line (platform, VMM_PS2_MOUSE_GSI, self->mouse_line);
  return TRUE;
}

static void
set_sinks (Ps2 *self, const VmmInputSink *keyboard, const VmmInputSink *mouse)
{
  if (!self->input)
    return;
  vmm_input_set_sink (self->input, VMM_INPUT_KEYBOARD, VMM_INPUT_PS2, keyboard, self);
  vmm_input_set_sink (self->input, VMM_INPUT_TABLET, VMM_INPUT_PS2, mouse, self);
}

static gboolean
ps2_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  Ps2 *self = (Ps2 *) device;
  VmmBus *ports = device->board->ports;

  self->input = config ? ((const VmmPs2Config *) config)->input : NULL;
  if (!vmm_bus_add (ports, DATA_PORT, 1, &ps2_ops, device, DATA_PORT, error))
    return FALSE;
  if (!vmm_bus_add (ports, COMMAND_PORT, 1, &ps2_ops, device, COMMAND_PORT, error)) {
    vmm_bus_remove (ports, DATA_PORT);
    return FALSE;
  }
  ps2_reset (device);
  set_sinks (self, &keyboard_sink, &mouse_sink);
  return TRUE;
}

static void
ps2_unrealize (VmmDevice *device)
{
  set_sinks ((Ps2 *) device, NULL, NULL);
  vmm_bus_remove (device->board->ports, DATA_PORT);
  vmm_bus_remove (device->board->ports, COMMAND_PORT);
}

const VmmDeviceClass vmm_ps2_class = {
  .name = "ps2",
  .instance_size = sizeof (Ps2),
  .version = 1,
  .fields = ps2_fields,
  .realize = ps2_realize,
  .unrealize = ps2_unrealize,
  .reset = ps2_reset,
  .loaded = ps2_loaded,
};
