/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Keys and pointer on their way to whatever device the guest reads. What the guest believes to be
 * held is remembered, so that it can be let go in one place and a key that repeats is sent once:
 * repeating is the guest's. A press that the guest did not hear of is not held: it may come again.
 *
 * Threads: any; the lock is held while a sink runs, so a sink that was taken off runs no more.
 */
#include <linux/input-event-codes.h>

#include "device/vmm-input-sink.h"

#define N_KINDS    2
#define MAX_EVENTS 4

typedef struct {
  const VmmInputSink *klass; /* NULL: there is none */
  gpointer data;
} Sink;

struct _VmmInput {
  GMutex lock;
  Sink sinks[N_KINDS][VMM_INPUT_N_RANKS];
  guint8 held[KEY_CNT / 8];
  guint forgotten; /* atomic: a bit a kind; what is held there is held no more */
};

VmmInput *
vmm_input_new (void)
{
  VmmInput *self = g_new0 (VmmInput, 1);

  g_mutex_init (&self->lock);
  return self;
}

void
vmm_input_free (VmmInput *self)
{
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
vmm_input_set_sink (VmmInput *self,
                    VmmInputKind kind,
                    VmmInputRank rank,
                    const VmmInputSink *sink,
                    gpointer data)
{
  g_mutex_lock (&self->lock);
  self->sinks[kind][rank] = (Sink) { sink, data };
  g_mutex_unlock (&self->lock);
}

void
vmm_input_forget (VmmInput *self, VmmInputKind kind)
{
  g_atomic_int_or (&self->forgotten, 1u << kind);
}

/* The best device that somebody reads, or NULL. The lock is held. */
static Sink *
find_sink (VmmInput *self, VmmInputKind kind)
{
  for (guint rank = 0; rank < VMM_INPUT_N_RANKS; rank++) {
    Sink *sink = &self->sinks[kind][rank];

    if (sink->klass && (!sink->klass->listens || sink->klass->listens (sink->data)))
      return sink;
  }
  return NULL;
}

/* One packet, with its end; whether the guest will hear of it. The lock is held. */
static gboolean
send (VmmInput *self, VmmInputKind kind, const VmmInputEvent *events, guint n)
{
  VmmInputEvent packet[MAX_EVENTS] = { { 0 } };
  Sink *sink = find_sink (self, kind);

  for (guint i = 0; i < n; i++)
    packet[i] = events[i];
  packet[n] = (VmmInputEvent) { EV_SYN, SYN_REPORT, 0 };
  return sink && sink->klass->take (sink->data, packet, n + 1);
}

static gboolean
is_button (guint code)
{
  return code >= BTN_LEFT && code <= BTN_TASK;
}

static VmmInputKind
kind_of (guint code)
{
  return is_button (code) ? VMM_INPUT_TABLET : VMM_INPUT_KEYBOARD;
}

/* The lock is held. */
static void
take_forgotten (VmmInput *self)
{
  guint forgotten = g_atomic_int_and (&self->forgotten, 0);

  for (guint code = 1; forgotten && code < KEY_CNT; code++)
    if (forgotten >> kind_of (code) & 1)
      self->held[code / 8] &= ~(1 << code % 8);
}

/* The lock is held. */
static void
set_held (VmmInput *self, guint code, gboolean pressed)
{
  guint8 *byte = &self->held[code / 8], bit = 1 << code % 8;
  VmmInputEvent event = { EV_KEY, code, pressed ? 1 : 0 };

  take_forgotten (self);
  if (((*byte & bit) != 0) == (pressed != FALSE))
    return;
  if (send (self, kind_of (code), &event, 1) || !pressed)
    *byte ^= bit;
}

void
vmm_input_key (VmmInput *self, guint code, gboolean pressed)
{
  if (code == KEY_RESERVED || code >= KEY_CNT || is_button (code))
    return;
  g_mutex_lock (&self->lock);
  set_held (self, code, pressed);
  g_mutex_unlock (&self->lock);
}

void
vmm_input_button (VmmInput *self, guint code, gboolean pressed)
{
  if (!is_button (code))
    return;
  g_mutex_lock (&self->lock);
  set_held (self, code, pressed);
  g_mutex_unlock (&self->lock);
}

/* Written so that "not a number" becomes 0. */
static gint32
axis (double place)
{
  if (!(place > 0))
    return 0;
  return place >= 1 ? VMM_INPUT_ABS_MAX : (gint32) (place * VMM_INPUT_ABS_MAX + 0.5);
}

void
vmm_input_move (VmmInput *self, double x, double y)
{
  VmmInputEvent events[] = { { EV_ABS, ABS_X, axis (x) }, { EV_ABS, ABS_Y, axis (y) } };

  g_mutex_lock (&self->lock);
  send (self, VMM_INPUT_TABLET, events, G_N_ELEMENTS (events));
  g_mutex_unlock (&self->lock);
}

void
vmm_input_wheel (VmmInput *self, int vertical, int horizontal)
{
  VmmInputEvent events[2];
  guint n = 0;

  if (vertical)
    events[n++] = (VmmInputEvent) { EV_REL, REL_WHEEL, vertical };
  if (horizontal)
    events[n++] = (VmmInputEvent) { EV_REL, REL_HWHEEL, horizontal };
  if (n == 0)
    return;
  g_mutex_lock (&self->lock);
  send (self, VMM_INPUT_TABLET, events, n);
  g_mutex_unlock (&self->lock);
}

void
vmm_input_release_all (VmmInput *self)
{
  g_mutex_lock (&self->lock);
  for (guint code = 1; code < KEY_CNT; code++)
    set_held (self, code, FALSE);
  g_mutex_unlock (&self->lock);
}
