/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmPollSet: rings in memory that the loop looks at before it sleeps. Work that is found there
 * costs no system call, and the guest no exit, because doorbells are asked for only when the loop
 * sleeps.
 *
 * Where sleeps prove short, the loop looks for a while before the next one: twice as long each
 * time, up to VMM_POLL_MAX_NS; one long sleep ends that. A machine that does nothing is so left
 * asleep.
 *
 * Threads: the loop.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VMM_POLL_MAX_NS 32000

typedef struct {
  /* Looks, and does what is there; FALSE where nothing was. */
  gboolean (*poll) (gpointer data);
  /* From now on a descriptor of the loop must tell. TRUE where something has come meanwhile: the
   * loop does not sleep, and polls once more. */
  gboolean (*sleep) (gpointer data);
} VmmPollFuncs;

typedef struct {
  const VmmPollFuncs *funcs;
  gpointer data;
} VmmPoller;

typedef struct {
  GArray *pollers;  /* of VmmPoller */
  gint64 window_ns; /* how long it looks where there is nothing */
} VmmPollSet;

void vmm_poll_set_init (VmmPollSet *self);
void vmm_poll_set_clear (VmmPollSet *self);
void vmm_poll_set_add (VmmPollSet *self, const VmmPollFuncs *funcs, gpointer data);
void vmm_poll_set_remove (VmmPollSet *self, gpointer data);

/* Polls until there is nothing. FALSE where the loop may not sleep now: there may be more, or
 * something came at the last moment. */
gboolean vmm_poll_set_run (VmmPollSet *self);
/* The loop slept that long. */
void vmm_poll_set_slept (VmmPollSet *self, gint64 ns);

G_END_DECLS
