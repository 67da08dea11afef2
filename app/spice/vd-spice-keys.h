/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Keys for SPICE: it speaks the scancodes of the first PC keyboard (XT, "set 1"),
 * the rest of VirtDesk evdev codes.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* 0 for a key that PC keyboards do not have. Codes behind 0xe0 are 0x100 | code. */
guint vd_spice_scancode (guint evdev);

G_END_DECLS
