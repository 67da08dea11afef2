/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmKick: a doorbell: whoever rings it has a function run on a loop, soon, and once for all that
 * rang until then. It is an eventfd, so that KVM rings it without us, and another can listen to it
 * in the loop's place.
 *
 * Threads: ring any; the others that of the owner's life (control), or the loop.
 */
#pragma once

#include "base/vmm-loop.h"

G_BEGIN_DECLS

typedef struct {
  VmmLoop *loop;
  VmmLoopFunc func;
  gpointer data;
  int fd;            /* for who rings or listens without us */
  VmmSource *source; /* NULL while the loop does not listen */
} VmmKick;

gboolean
vmm_kick_init (VmmKick *self, VmmLoop *loop, VmmLoopFunc func, gpointer data, GError **error);
/* One that was never made is taken too, if it is all zeroes. */
void vmm_kick_clear (VmmKick *self);
void vmm_kick_ring (VmmKick *self);
/* The loop listens to it from now on, as after init, or no longer; what rings meanwhile is kept. */
gboolean vmm_kick_listen (VmmKick *self, GError **error);
void vmm_kick_ignore (VmmKick *self);

G_END_DECLS
