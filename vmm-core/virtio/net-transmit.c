/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-net: frames of the guest. A frame that makes no sense is lost, as on a wire; one without a
 * header is a driver that broke the rules.
 *
 * Threads: loop, device locked.
 */
#include "net/net-offload.h"
#include "virtio/virtio-net-private.h"

#define MAX_VECTOR (VMM_VIRTQUEUE_MAX_SEGMENTS + 1)

/* The request's bytes behind the header; returns how many vectors. */
static guint
skip_header (const VmmRequest *request, struct iovec *iov)
{
  gsize skip = sizeof (VmmNetHeader);
  guint n = 0;

  for (guint i = 0; i < request->n_out; i++) {
    struct iovec part = request->out[i];

    if (skip >= part.iov_len) {
      skip -= part.iov_len;
      continue;
    }
    iov[n++] = (struct iovec) { (guint8 *) part.iov_base + skip, part.iov_len - skip };
    skip = 0;
  }
  return n;
}

/* FALSE where the back end cannot take it now. */
static gboolean
send_frame (VirtioNet *self, guint pair, const VmmRequest *request, VmmNetHeader *header)
{
  gsize length = vmm_iov_size (request->out, request->n_out) - sizeof *header;
  struct iovec iov[MAX_VECTOR];

  if (self->link_down || length < VMM_NET_MIN_FRAME || length > VMM_NET_MAX_FRAME ||
      !vmm_net_header_is_good (header, length, self->net->takes))
    return TRUE;
  iov[0] = (struct iovec) { header, sizeof *header };
  if (!vmm_net_send (self->net, pair, iov, 1 + skip_header (request, iov + 1)))
    return FALSE;
  __atomic_add_fetch (&self->n_sent, 1, __ATOMIC_RELAXED);
  return TRUE;
}

/* FALSE when there is nothing more to do now. */
static gboolean
transmit_one (VirtioNet *self, guint pair)
{
  guint index = NET_TRANSMIT (pair);
  VmmNetHeader header;
  VmmRequest request;

  if (!vmm_virtio_pop (&self->parent, index, &request))
    return FALSE;
  if (vmm_iov_read (request.out, request.n_out, 0, &header, sizeof header) < sizeof header) {
    vmm_virtio_break (&self->parent, "The driver sent a frame without a header.");
    vmm_virtio_push (&self->parent, index, request.head, 0);
    return FALSE;
  }
  header.num_buffers = 0;
  if (!send_frame (self, pair, &request, &header)) {
    vmm_virtio_unpop (&self->parent, index);
    return FALSE;
  }
  vmm_virtio_push (&self->parent, index, request.head, 0);
  return TRUE;
}

void
net_transmit (VirtioNet *self, guint pair)
{
  while (transmit_one (self, pair))
    ;
  vmm_net_flush (self->net);
  vmm_virtio_notify (&self->parent, NET_TRANSMIT (pair));
}
