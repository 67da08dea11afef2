/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdReview: the rows of New Machine's review page and the VdConfig behind them. Apart
 * from the dialog because it is all that knows which row stands for which property.
 *
 * Threads: main.
 */
#pragma once

#include <adwaita.h>

#include "vd-config.h"

G_BEGIN_DECLS

typedef struct {
  /* Rows, borrowed from the dialog's template */
  GtkWidget *name, *source, *memory, *cpus, *disk, *engine, *engine_group, *more, *boot, *kernel,
    *initrd, *append, *graphics, *network;
  GPtrArray *bindings; /* owned */
} VdReview;

/* Shows @config and writes every change of a row back to it. */
void vd_review_bind (VdReview *self, VdConfig *config);
void vd_review_clear (VdReview *self);
/* Marks the row of @bad_field (NULL for none); says which engine it is and why. */
void vd_review_show (VdReview *self, const char *bad_field, const char *engine, const char *reason);

G_END_DECLS
