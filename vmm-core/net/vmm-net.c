/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is the same for every back end.
 *
 * Threads: as vmm-net.h says.
 */
#include "net/vmm-net.h"

#include <string.h>

void
vmm_net_free (VmmNet *self)
{
  self->klass->free (self);
}

typedef struct {
  VmmNet *net;
  const VmmNetCardClass *klass;
  gpointer card;
} Connection;

static void
connect_on_loop (gpointer data)
{
  Connection *connection = data;

  connection->net->card_class = connection->klass;
  connection->net->card = connection->card;
  if (connection->net->klass->connected)
    connection->net->klass->connected (connection->net);
}

void
vmm_net_connect (VmmNet *self, const VmmNetCardClass *klass, gpointer card)
{
  Connection connection = { self, klass, card };

  vmm_loop_call (self->loop, connect_on_loop, &connection);
}

gboolean
vmm_net_enter (VmmNet *self)
{
  if (!self->card_class)
    return FALSE;
  self->card_class->enter (self->card);
  return TRUE;
}

void
vmm_net_leave (VmmNet *self)
{
  self->card_class->leave (self->card);
}

void
vmm_net_flush (VmmNet *self)
{
  if (self->klass->flush)
    self->klass->flush (self);
}

void
vmm_net_room (VmmNet *self, guint queue)
{
  if (self->klass->room)
    self->klass->room (self, queue);
}

void
vmm_net_set_taken (VmmNet *self, guint taken)
{
  if (self->klass->set_taken)
    self->klass->set_taken (self, taken);
}

void
vmm_net_set_pairs (VmmNet *self, guint n)
{
  if (self->klass->set_pairs)
    self->klass->set_pairs (self, n);
}

/* The bytes of @from into @to; FALSE where they do not fit. */
static gboolean
copy_vector (const struct iovec *to, guint n_to, const struct iovec *from, guint n_from)
{
  gsize at = 0;

  for (guint i = 0; i < n_from; i++) {
    const guint8 *bytes = from[i].iov_base;
    gsize left = from[i].iov_len;

    while (left > 0) {
      gsize part;

      if (n_to == 0)
        return FALSE;
      part = MIN (to->iov_len - at, left);
      memcpy ((guint8 *) to->iov_base + at, bytes, part);
      bytes += part;
      left -= part;
      at += part;
      if (at == to->iov_len) {
        to++;
        n_to--;
        at = 0;
      }
    }
  }
  return TRUE;
}

gboolean
vmm_net_deliver (VmmNet *self, guint queue, const struct iovec *iov, guint n)
{
  const struct iovec *room;
  gsize size = 0;
  guint n_room;

  for (guint i = 0; i < n; i++)
    size += iov[i].iov_len;
  if (!self->card_class)
    return TRUE;
  room = self->card_class->reserve (self->card, queue, size, &n_room);
  if (!room)
    return FALSE;
  self->card_class->commit (self->card, queue, copy_vector (room, n_room, iov, n) ? size : 0);
  return TRUE;
}
