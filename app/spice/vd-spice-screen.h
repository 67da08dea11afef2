/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdSpiceScreen: the picture that SPICE draws, in a buffer of our own: the
 * library's own pixels are freed under us when the guest changes its mode. Each
 * damaged rectangle is copied once, when somebody looks.
 *
 * Threads: main.
 */
#pragma once

#include "vd-display.h"

G_BEGIN_DECLS

typedef struct {
  const guint8 *source; /* SPICE's; NULL: screen off */
  GBytes *pixels;       /* ours, of the same size */
  guint width, height;
  guint stride;
  guint64 serial; /* changes when the picture does */
  VdRect stale;   /* what was drawn and not copied */
  VdRect damage;  /* what was copied and not taken */
} VdSpiceScreen;

/* Begins or ends (@source NULL) a picture. FALSE when it cannot be shown. */
gboolean vd_spice_screen_set_source (VdSpiceScreen *self,
                                     const guint8 *source,
                                     guint width,
                                     guint height,
                                     guint stride);
void vd_spice_screen_draw (VdSpiceScreen *self, const VdRect *rect);
/* The picture as it is now; damage is left as it is. */
void vd_spice_screen_peek (VdSpiceScreen *self, VdFrame *frame);
/* FALSE when nothing changed since the last take. */
gboolean vd_spice_screen_take (VdSpiceScreen *self, VdFrame *frame);
/* All of it counts as changed. */
void vd_spice_screen_touch (VdSpiceScreen *self);
void vd_spice_screen_clear (VdSpiceScreen *self);

G_END_DECLS
