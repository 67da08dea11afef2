/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdReleaseKey: notices the key or chord that gives the keyboard back to the host.
 * A chord counts when its keys were pressed and let go with no other key between,
 * so Ctrl+Alt+Delete still goes to the guest.
 *
 * Threads: main.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* The values of the enum of the same name in the settings' schema. */
typedef enum {
  VD_RELEASE_CTRL_ALT,
  VD_RELEASE_RIGHT_CTRL,
  VD_RELEASE_SCROLL_LOCK,
} VdReleaseChord;

typedef struct {
  VdReleaseChord chord;
  guint held;        /* bits of the chord's keys that are down */
  gboolean complete; /* all of them were down together */
  gboolean spoiled;  /* another key came in between */
} VdReleaseKey;

void vd_release_key_init (VdReleaseKey *self, VdReleaseChord chord);
/* TRUE when with this event (an evdev code) the chord was completed. */
gboolean vd_release_key_feed (VdReleaseKey *self, guint evdev, gboolean pressed);
/* For people, translated: "Ctrl+Alt". */
const char *vd_release_chord_get_label (VdReleaseChord chord);

G_END_DECLS
