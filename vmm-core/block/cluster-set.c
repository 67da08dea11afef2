/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See cluster-set.h. Open addressing, at most half full.
 *
 * Threads: any; one owner at a time.
 */
#include "block/cluster-set.h"

#include <errno.h>

#define FIRST_SLOTS 64

/* Where @cluster is, or would be put. */
static gsize
find (const VmmClusterSet *self, guint64 cluster)
{
  gsize at = (cluster * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)) >> 17;

  at &= self->n_slots - 1;
  while (self->slots[at] != 0 && self->slots[at] != cluster + 1)
    at = (at + 1) & (self->n_slots - 1);
  return at;
}

static gboolean
grow (VmmClusterSet *self)
{
  VmmClusterSet bigger = { .n = self->n, .n_slots = MAX (self->n_slots * 2, FIRST_SLOTS) };

  bigger.slots = g_try_new0 (guint64, bigger.n_slots);
  if (!bigger.slots)
    return FALSE;
  for (gsize i = 0; i < self->n_slots; i++)
    if (self->slots[i] != 0)
      bigger.slots[find (&bigger, self->slots[i] - 1)] = self->slots[i];
  g_free (self->slots);
  *self = bigger;
  return TRUE;
}

void
vmm_cluster_set_clear (VmmClusterSet *self)
{
  g_free (self->slots);
  *self = (VmmClusterSet) { 0 };
}

int
vmm_cluster_set_add (VmmClusterSet *self, guint64 cluster)
{
  gsize at;

  if (self->n * 2 >= self->n_slots && !grow (self))
    return -ENOMEM;
  at = find (self, cluster);
  if (self->slots[at] != 0)
    return 0;
  self->slots[at] = cluster + 1;
  self->n++;
  return 1;
}

/* What was put behind it because its place was taken is put anew. */
void
vmm_cluster_set_remove (VmmClusterSet *self, guint64 cluster)
{
  gsize at;

  if (self->n == 0)
    return;
  at = find (self, cluster);
  if (self->slots[at] == 0)
    return;
  self->slots[at] = 0;
  self->n--;
  for (at = (at + 1) & (self->n_slots - 1); self->slots[at] != 0;
       at = (at + 1) & (self->n_slots - 1)) {
    guint64 slot = self->slots[at];

    self->slots[at] = 0;
    self->slots[find (self, slot - 1)] = slot;
  }
}

gboolean
vmm_cluster_set_has (const VmmClusterSet *self, guint64 cluster)
{
  return self->n > 0 && self->slots[find (self, cluster)] != 0;
}
