/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The keyboard and the mouse behind the i8042: what they answer to its bytes, and what they send of
 * their own. They are parts of that chip, not devices, and so have no lock and no registers.
 *
 * Threads: with the i8042 locked.
 */
#pragma once

#include "base/vmm-state.h"
#include "device/vmm-input-sink.h"

G_BEGIN_DECLS

#define VMM_PS2_QUEUE 64

/* Bytes on their way to the controller. */
typedef struct {
  guint32 n;
  guint8 bytes[VMM_PS2_QUEUE];
} VmmPs2Queue;

extern const VmmField vmm_ps2_queue_fields[];

/* FALSE, and nothing is put, where not all @n have room. */
gboolean vmm_ps2_queue_put (VmmPs2Queue *self, const guint8 *bytes, guint n);
guint8 vmm_ps2_queue_take (VmmPs2Queue *self);

/* A keyboard of scan code set 2 (1 and 3 are refused), which is what every driver takes. */
typedef struct {
  VmmPs2Queue queue;
  gboolean scanning;
  guint8 command; /* whose argument comes next, or 0 */
  guint8 leds;
} VmmPs2Keyboard;

extern const VmmField vmm_ps2_keyboard_fields[];

void vmm_ps2_keyboard_reset (VmmPs2Keyboard *self);
void vmm_ps2_keyboard_write (VmmPs2Keyboard *self, guint8 byte);
gboolean vmm_ps2_keyboard_take (VmmPs2Keyboard *self, const VmmInputEvent *events, guint n_events);
/* What the controller makes of a byte of set 2 where it translates: set 1, without the release bit.
 */
guint8 vmm_ps2_translate (guint8 byte);

/* A mouse with three buttons, and after the driver has knocked (sample rates 200, 100, 80 or 200,
 * 200, 80) with a wheel, or with a wheel and five buttons. */
typedef struct {
  VmmPs2Queue queue;
  gboolean reporting;
  gboolean remote;
  gboolean doubled; /* scaling 2:1: kept, as nobody computes with it any more */
  guint8 command;
  guint8 id;
  guint8 resolution, rate;
  guint8 rates[3]; /* the last ones: the knock */
  guint8 buttons;
  gint32 dx, dy, wheel; /* not yet sent */
  gint32 x, y;          /* where the pointer was last, -1: unknown */
} VmmPs2Mouse;

extern const VmmField vmm_ps2_mouse_fields[];

void vmm_ps2_mouse_reset (VmmPs2Mouse *self);
void vmm_ps2_mouse_write (VmmPs2Mouse *self, guint8 byte);
gboolean vmm_ps2_mouse_take (VmmPs2Mouse *self, const VmmInputEvent *events, guint n_events);

G_END_DECLS
