/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a card is connected to that has lost its back end: every frame is taken and goes nowhere.
 *
 * Threads: as vmm-net.h says.
 */
#include "net/vmm-net.h"

static gboolean
net_none_send (VmmNet *self, guint queue, const struct iovec *iov, guint n)
{
  return TRUE;
}

static void
net_none_free (VmmNet *self)
{
}

static const VmmNetClass net_none_class = {
  .name = "none",
  .free = net_none_free,
  .send = net_none_send,
};

void
vmm_net_none_init (VmmNet *self, const VmmNet *like)
{
  *self = (VmmNet) {
    .klass = &net_none_class,
    .loop = like->loop,
    .n_queues = like->n_queues,
    .takes = like->takes,
    .gives = like->gives,
    .mtu = like->mtu,
  };
}
