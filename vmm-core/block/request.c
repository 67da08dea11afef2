/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Vectors of requests: how far one has come, parts of it, zeroes in it.
 *
 * Threads: any; one owner at a time.
 */
#include <string.h>

#include "block/block-private.h"

gboolean
vmm_block_request_advance (VmmBlockRequest *request, gsize n)
{
  request->moved += n;
  while (request->n_iov > 0 && n >= request->iov[0].iov_len) {
    n -= request->iov[0].iov_len;
    request->iov++;
    request->n_iov--;
  }
  if (request->n_iov > 0) {
    request->iov[0].iov_base = (guint8 *) request->iov[0].iov_base + n;
    request->iov[0].iov_len -= n;
  }
  return request->moved >= request->length;
}

guint
vmm_iov_slice (const struct iovec *iov, guint n, gsize skip, gsize length, struct iovec *to)
{
  guint n_to = 0;

  for (guint i = 0; i < n && length > 0; i++) {
    gsize here = MIN (iov[i].iov_len - MIN (skip, iov[i].iov_len), length);

    if (here > 0)
      to[n_to++] = (struct iovec) { (guint8 *) iov[i].iov_base + skip, here };
    skip -= MIN (skip, iov[i].iov_len);
    length -= here;
  }
  return n_to;
}

void
vmm_iov_clear (const struct iovec *iov, guint n)
{
  for (guint i = 0; i < n; i++)
    memset (iov[i].iov_base, 0, iov[i].iov_len);
}

void
vmm_iov_copy_out (const struct iovec *iov, guint n, void *to, gsize length)
{
  guint8 *at = to;

  for (guint i = 0; i < n && length > 0; i++) {
    gsize here = MIN (iov[i].iov_len, length);

    memcpy (at, iov[i].iov_base, here);
    at += here;
    length -= here;
  }
}

void
vmm_iov_copy_in (const struct iovec *iov, guint n, const void *from, gsize length)
{
  const guint8 *at = from;

  for (guint i = 0; i < n && length > 0; i++) {
    gsize here = MIN (iov[i].iov_len, length);

    memcpy (iov[i].iov_base, at, here);
    at += here;
    length -= here;
  }
}

static void
finish (gpointer data)
{
  VmmBlockRequest *request = data;

  request->done (request, request->result);
}

void
vmm_block_request_finish_later (VmmBlockRequest *request, VmmLoop *loop, int error)
{
  request->result = error;
  vmm_loop_post (loop, finish, request);
}
