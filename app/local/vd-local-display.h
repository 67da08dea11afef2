/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLocalDisplay: the screen of a machine on vmm-core. No pixel is copied: a
 * frame shares the device's buffer. The machine may end at any time on its worker;
 * the display is detached from it first and is then a screen that is off.
 *
 * Threads: main, except attach and detach (the run's worker).
 */
#pragma once

#include "vd-display.h"
#include "vmm.h"

G_BEGIN_DECLS

#define VD_TYPE_LOCAL_DISPLAY (vd_local_display_get_type ())
G_DECLARE_FINAL_TYPE (VdLocalDisplay, vd_local_display, VD, LOCAL_DISPLAY, VdDisplay)

VdLocalDisplay *vd_local_display_new (void);
/* Both borrowed until detached. */
void vd_local_display_attach (VdLocalDisplay *self, VmmDisplay *display, VmmInput *input);
void vd_local_display_detach (VdLocalDisplay *self);

G_END_DECLS
