/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-input. Events wait in the device until the driver has given a buffer for each; a pointer
 * that moves faster than the guest reads is heard of at its last place only. Room is kept for the
 * release of every key whose press was taken, so that none sticks in a guest that falls behind.
 *
 * Threads: the sink on any thread, the rest on the loop; both with the device locked.
 */
#include <linux/input-event-codes.h>
#include <string.h>

#include "virtio/virtio-input.h"

#define QUEUE_SIZE     64
#define CLASS_KEYBOARD 0x090000
#define EVENTS         0
#define STATUS         1
#define MAX_WAITING    512
#define KEY_PACKET     2 /* the key and the end of its packet */

#define CONFIG_SELECT    0
#define CONFIG_SUBSELECT 1
#define CONFIG_SIZE      2
#define CONFIG_DATA      8
#define CONFIG_LENGTH    136
#define DATA_LENGTH      (CONFIG_LENGTH - CONFIG_DATA)

enum {
  SELECT_NAME = 0x01,
  SELECT_SERIAL = 0x02,
  SELECT_IDS = 0x03,
  SELECT_PROPERTIES = 0x10,
  SELECT_EVENTS = 0x11,
  SELECT_ABS = 0x12,
};

#define BUS_VIRTUAL_ID 0x06
#define VENDOR         0x0627
#define LAST_KEY       KEY_MICMUTE

typedef struct {
  VmmVirtio parent;
  VmmInput *input;
  VmmInputKind kind;
  gboolean posted; /* a delivery is on its way to the loop */
  guint8 select, subselect;
  guint32 n_waiting;
  guint32 last_packet; /* where in the list the last packet begins */
  guint32 n_down;      /* keys and buttons whose press was taken, and no release yet */
  guint8 down[KEY_CNT / 8];
  VmmInputEvent waiting[MAX_WAITING];
} VirtioInput;

static const VmmField virtio_input_fields[] = {
  VMM_FIELD_PART (VirtioInput, parent, vmm_virtio_fields, "virtio"),
  VMM_EXEMPT (VirtioInput, input, "from the configuration"),
  VMM_EXEMPT (VirtioInput, kind, "from the configuration"),
  VMM_EXEMPT (VirtioInput, posted, "of the loop"),
  VMM_FIELD (VirtioInput, select, VMM_FIELD_UINT8, "select"),
  VMM_FIELD (VirtioInput, subselect, VMM_FIELD_UINT8, "subselect"),
  VMM_FIELD (VirtioInput, n_waiting, VMM_FIELD_UINT32, "n-waiting"),
  VMM_FIELD (VirtioInput, last_packet, VMM_FIELD_UINT32, "last-packet"),
  VMM_EXEMPT (VirtioInput, n_down, "follows from down"),
  VMM_FIELD (VirtioInput, down, VMM_FIELD_BYTES, "down"),
  VMM_FIELD (VirtioInput, waiting, VMM_FIELD_BYTES, "waiting"),
  VMM_FIELD_LAST,
};

static guint
put_bits (guint8 *data, const guint16 *codes, guint n)
{
  guint size = 0;

  for (guint i = 0; i < n; i++) {
    data[codes[i] / 8] |= 1 << codes[i] % 8;
    size = MAX (size, codes[i] / 8 + 1u);
  }
  return size;
}

static guint
put_keyboard_events (guint type, guint8 *data)
{
  static const guint16 leds[] = { LED_NUML, LED_CAPSL, LED_SCROLLL };

  if (type == EV_LED)
    return put_bits (data, leds, G_N_ELEMENTS (leds));
  if (type == EV_REP)
    return 1; /* no bits, but present: the guest repeats */
  if (type != EV_KEY)
    return 0;
  for (guint16 code = KEY_ESC; code <= LAST_KEY; code++)
    put_bits (data, &code, 1);
  return LAST_KEY / 8 + 1;
}

static guint
put_tablet_events (guint type, guint8 *data)
{
  static const guint16 buttons[] = { BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA };
  static const guint16 wheels[] = { REL_WHEEL, REL_HWHEEL };
  static const guint16 axes[] = { ABS_X, ABS_Y };

  switch (type) {
  case EV_KEY:
    return put_bits (data, buttons, G_N_ELEMENTS (buttons));
  case EV_REL:
    return put_bits (data, wheels, G_N_ELEMENTS (wheels));
  case EV_ABS:
    return put_bits (data, axes, G_N_ELEMENTS (axes));
  default:
    return 0;
  }
}

static guint
put_ids (VirtioInput *self, guint8 *data)
{
  guint16 ids[4] = { BUS_VIRTUAL_ID, VENDOR, self->kind + 1, 1 };

  memcpy (data, ids, sizeof ids);
  return sizeof ids;
}

static guint
put_abs (VirtioInput *self, guint8 *data)
{
  guint32 info[5] = { 0, VMM_INPUT_ABS_MAX, 0, 0, 0 };

  if (self->kind != VMM_INPUT_TABLET || self->subselect > ABS_Y)
    return 0;
  memcpy (data, info, sizeof info);
  return sizeof info;
}

static guint
put_name (VirtioInput *self, guint8 *data)
{
  const char *name =
    self->kind == VMM_INPUT_KEYBOARD ? "VirtDesk virtio keyboard" : "VirtDesk virtio tablet";

  memcpy (data, name, strlen (name));
  return strlen (name);
}

/* What select and subselect ask for; returns its size, 0 for "there is none". */
static guint
put_selected (VirtioInput *self, guint8 *data)
{
  switch (self->select) {
  case SELECT_NAME:
    return self->subselect == 0 ? put_name (self, data) : 0;
  case SELECT_IDS:
    return self->subselect == 0 ? put_ids (self, data) : 0;
  case SELECT_EVENTS:
    return self->kind == VMM_INPUT_KEYBOARD ? put_keyboard_events (self->subselect, data)
                                            : put_tablet_events (self->subselect, data);
  case SELECT_ABS:
    return put_abs (self, data);
  default:
    return 0;
  }
}

static void
virtio_input_read_config (VmmVirtio *virtio, guint8 *config)
{
  VirtioInput *self = (VirtioInput *) virtio;

  config[CONFIG_SELECT] = self->select;
  config[CONFIG_SUBSELECT] = self->subselect;
  config[CONFIG_SIZE] = put_selected (self, config + CONFIG_DATA);
}

static void
virtio_input_write_config (VmmVirtio *virtio, guint offset, guint length, guint32 value)
{
  VirtioInput *self = (VirtioInput *) virtio;

  for (guint i = 0; i < length; i++, value >>= 8) {
    if (offset + i == CONFIG_SELECT)
      self->select = value;
    else if (offset + i == CONFIG_SUBSELECT)
      self->subselect = value;
  }
}

static void
drop_first (VirtioInput *self, guint n)
{
  self->n_waiting -= n;
  self->last_packet -= MIN (n, self->last_packet);
  memmove (self->waiting, self->waiting + n, self->n_waiting * sizeof *self->waiting);
}

/* As many events as the driver has buffers for. */
static void
deliver (VirtioInput *self)
{
  VmmRequest request;
  guint n = 0;

  while (n < self->n_waiting && vmm_virtio_pop (&self->parent, EVENTS, &request)) {
    gsize written =
      vmm_iov_write (request.in, request.n_in, 0, &self->waiting[n], sizeof *self->waiting);

    vmm_virtio_push (&self->parent, EVENTS, request.head, written);
    n++;
  }
  drop_first (self, n);
  vmm_virtio_notify (&self->parent, EVENTS);
}

/* Lights of the keyboard: nobody shows them. */
static void
swallow_status (VirtioInput *self)
{
  VmmRequest request;

  while (vmm_virtio_pop (&self->parent, STATUS, &request))
    vmm_virtio_push (&self->parent, STATUS, request.head, 0);
  vmm_virtio_notify (&self->parent, STATUS);
}

static void
virtio_input_process (VmmVirtio *virtio, guint index)
{
  VirtioInput *self = (VirtioInput *) virtio;

  if (index == EVENTS)
    deliver (self);
  else
    swallow_status (self);
}

static void
deliver_posted (gpointer data)
{
  VirtioInput *self = data;
  VmmDevice *device = &self->parent.parent.parent;

  vmm_device_lock (device);
  self->posted = FALSE;
  deliver (self);
  vmm_device_unlock (device);
}

static gboolean
is_motion (const VmmInputEvent *events, guint n)
{
  for (guint i = 0; i + 1 < n; i++)
    if (events[i].type != EV_ABS)
      return FALSE;
  return n > 1;
}

static gboolean
is_down (VirtioInput *self, guint16 code)
{
  return (self->down[code / 8] >> code % 8 & 1) != 0;
}

/* How many keys are down once this packet is in: their releases need room. -1: it is the release of
 * a key that the guest does not believe to be down. */
static int
count_down_after (VirtioInput *self, const VmmInputEvent *event)
{
  if (event->type != EV_KEY || event->code >= KEY_CNT)
    return self->n_down;
  if (event->value == 0)
    return is_down (self, event->code) ? (int) self->n_down - 1 : -1;
  return is_down (self, event->code) ? self->n_down : self->n_down + 1;
}

static void
note_key (VirtioInput *self, const VmmInputEvent *event, guint n_down)
{
  if (n_down == self->n_down)
    return;
  self->n_down = n_down;
  self->down[event->code / 8] ^= 1 << event->code % 8;
}

/* Motion overwrites motion that nobody has seen yet. Where the guest reads nothing for long the
 * newest packets are lost. */
static gboolean
append (VirtioInput *self, const VmmInputEvent *events, guint n)
{
  guint n_last = self->n_waiting - self->last_packet;
  int n_down = count_down_after (self, events);

  if (n_last == n && is_motion (events, n) && is_motion (self->waiting + self->last_packet, n_last))
    self->n_waiting = self->last_packet;
  if (n_down < 0 || self->n_waiting + n + KEY_PACKET * n_down > MAX_WAITING)
    return FALSE;
  note_key (self, events, n_down);
  self->last_packet = self->n_waiting;
  memcpy (self->waiting + self->n_waiting, events, n * sizeof *events);
  self->n_waiting += n;
  return TRUE;
}

/* Any thread: VmmInput has a packet. Without a driver there is nobody to hear it. */
static gboolean
take_events (gpointer data, const VmmInputEvent *events, guint n_events)
{
  VirtioInput *self = data;
  VmmDevice *device = &self->parent.parent.parent;
  gboolean taken;

  vmm_device_lock (device);
  taken = vmm_virtio_is_ready (&self->parent) && append (self, events, n_events);
  if (taken && !self->posted) {
    vmm_loop_post (device->board->loop, deliver_posted, self);
    self->posted = TRUE;
  }
  vmm_device_unlock (device);
  return taken;
}

static gboolean
listens (gpointer data)
{
  VmmVirtio *virtio = data;
  gboolean ready;

  vmm_device_lock (&virtio->parent.parent);
  ready = vmm_virtio_is_ready (virtio);
  vmm_device_unlock (&virtio->parent.parent);
  return ready;
}

static const VmmInputSink virtio_input_sink = { listens, take_events };

static guint
count_bits (const guint8 *bytes, gsize length)
{
  guint n = 0;

  for (gsize i = 0; i < length; i++)
    n += __builtin_popcount (bytes[i]);
  return n;
}

static void
virtio_input_reset (VmmVirtio *virtio)
{
  VirtioInput *self = (VirtioInput *) virtio;

  self->select = self->subselect = 0;
  self->n_waiting = self->last_packet = 0;
  self->n_down = 0;
  memset (self->down, 0, sizeof self->down);
  vmm_input_forget (self->input, self->kind);
  memset (self->waiting, 0, sizeof self->waiting);
}

static gboolean
virtio_input_loaded (VmmVirtio *virtio, GError **error)
{
  VirtioInput *self = (VirtioInput *) virtio;

  self->n_waiting = MIN (self->n_waiting, MAX_WAITING);
  self->last_packet = MIN (self->last_packet, self->n_waiting);
  self->n_down = count_bits (self->down, sizeof self->down);
  return TRUE;
}

static gboolean
virtio_input_realize (VmmVirtio *virtio, gconstpointer data, GError **error)
{
  VirtioInput *self = (VirtioInput *) virtio;
  const VmmVirtioInputConfig *config = data;

  self->input = config->input;
  self->kind = config->kind;
  vmm_input_set_sink (self->input, self->kind, VMM_INPUT_VIRTIO, &virtio_input_sink, self);
  return TRUE;
}

static void
nothing (gpointer data)
{
}

static void
virtio_input_unrealize (VmmVirtio *virtio)
{
  VirtioInput *self = (VirtioInput *) virtio;

  vmm_input_set_sink (self->input, self->kind, VMM_INPUT_VIRTIO, NULL, NULL);
  /* A delivery that was posted before has run when this one has. */
  vmm_loop_call (virtio->parent.parent.board->loop, nothing, NULL);
}

const VmmVirtioClass vmm_virtio_input_class = {
  VMM_VIRTIO_PARENT (VirtioInput, "virtio-input", 1, virtio_input_fields),
  .virtio_id = 18,
  .class_code = CLASS_KEYBOARD,
  .n_queues = 2,
  .queue_size = QUEUE_SIZE,
  .config_size = CONFIG_LENGTH,
  .realize = virtio_input_realize,
  .unrealize = virtio_input_unrealize,
  .read_config = virtio_input_read_config,
  .write_config = virtio_input_write_config,
  .process = virtio_input_process,
  .reset = virtio_input_reset,
  .loaded = virtio_input_loaded,
};
