/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * TestDisplay: a VdDisplay whose picture the test paints and whose input it reads.
 *
 * Threads: main.
 */
#pragma once

#include "vd-display.h"

G_BEGIN_DECLS

#define TEST_TYPE_DISPLAY (test_display_get_type ())
G_DECLARE_FINAL_TYPE (TestDisplay, test_display, TEST, DISPLAY, VdDisplay)

TestDisplay *test_display_new (guint width, guint height);
/* The whole screen in one colour (0xRRGGBB), and "changed". */
void test_display_fill (TestDisplay *self, guint32 colour);
void test_display_fill_rect (TestDisplay *self, const VdRect *rect, guint32 colour);
/* A cursor picture in one colour. */
void test_display_set_cursor (TestDisplay *self, guint size, guint32 colour);

/* What arrived since the last call, one word each: "key 30 1", "move 0.50 0.25", "button 272 1",
 * "wheel 1 0", "release", "size 640 480". Owned by the caller. */
char *test_display_take_log (TestDisplay *self);
guint test_display_get_n_takes (TestDisplay *self);

G_END_DECLS
