/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A private network inside: which ports there are and which address is behind which
 * (net-switch-table.c), and the ports themselves (net-switch.c). What the machines' loops share of
 * a port is its inbox; nobody waits for anything under its lock.
 *
 * Threads: any, unless said otherwise.
 */
#pragma once

#include "net/vmm-net-switch.h"

G_BEGIN_DECLS

#define SWITCH_MAX_PORTS 64

/* What other machines put in for one. */
typedef struct {
  gatomicrefcount refs;
  int wake_fd;   /* eventfd: it is not empty any more */
  guint taken;   /* VmmNetOffloads of its guest; atomic */
  GMutex lock;   /* of what follows */
  GQueue frames; /* GBytes: header and frame */
  gsize n_bytes; /* of them, and of those in hand */
} SwitchInbox;

typedef struct _Switch Switch;

SwitchInbox *switch_inbox_new (GError **error);
SwitchInbox *switch_inbox_ref (SwitchInbox *self);
void switch_inbox_unref (SwitchInbox *self);

/* One more port with this inbox on the network @name; NULL where it is full. */
Switch *switch_join (VmmNetworks *networks, const char *name, SwitchInbox *inbox, GError **error);
void switch_leave (Switch *self, SwitchInbox *inbox);

/* @from sent a frame with these Ethernet addresses: notes where the sender is, and gives those who
 * shall have it, each with a reference. Returns how many. */
guint switch_find (Switch *self,
                   SwitchInbox *from,
                   const guint8 *destination,
                   const guint8 *source,
                   SwitchInbox *to[SWITCH_MAX_PORTS]);

G_END_DECLS
