/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmInput: keys, pointer and wheel for a machine, in evdev codes
 * (linux/input-event-codes.h). Whatever device the guest reads is behind it.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VmmInput VmmInput;

/* @code is KEY_A and the like. */
void vmm_input_key (VmmInput *self, guint code, gboolean pressed);
/* Absolute place, 0 to 1 of the screen's width and height. */
void vmm_input_move (VmmInput *self, double x, double y);
/* BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA. */
void vmm_input_button (VmmInput *self, guint code, gboolean pressed);
/* Notches; positive is up (or right). */
void vmm_input_wheel (VmmInput *self, int vertical, int horizontal);
/* Releases every key and button that is held. */
void vmm_input_release_all (VmmInput *self);

G_END_DECLS
