/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmClusterSet: a set of cluster numbers, for what must not be written over. A hash table of plain
 * numbers, since a hostile image decides how many there are: where memory lacks, adding fails.
 *
 * Threads: any; one owner at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint64 *slots; /* number + 1; 0: empty */
  gsize n, n_slots;
} VmmClusterSet;

void vmm_cluster_set_clear (VmmClusterSet *self);
/* 1: added; 0: it was there; -ENOMEM. */
int vmm_cluster_set_add (VmmClusterSet *self, guint64 cluster);
void vmm_cluster_set_remove (VmmClusterSet *self, guint64 cluster);
gboolean vmm_cluster_set_has (const VmmClusterSet *self, guint64 cluster);

G_END_DECLS
