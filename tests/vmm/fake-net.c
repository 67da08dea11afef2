/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-net.h"

#include <netinet/in.h>
#include <string.h>

static gboolean
fake_net_send (VmmNet *net, guint queue, const struct iovec *iov, guint n)
{
  FakeNet *self = (FakeNet *) net;
  GByteArray *bytes;

  if (self->blocked)
    return FALSE;
  bytes = g_byte_array_new ();
  for (guint i = 0; i < n; i++)
    g_byte_array_append (bytes, iov[i].iov_base, iov[i].iov_len);
  g_ptr_array_add (self->sent, g_byte_array_free_to_bytes (bytes));
  return TRUE;
}

static void
fake_net_flush (VmmNet *net)
{
  ((FakeNet *) net)->n_flushed++;
}

static void
fake_net_room (VmmNet *net, guint queue)
{
  ((FakeNet *) net)->n_rooms++;
}

static void
fake_net_set_taken (VmmNet *net, guint taken)
{
  ((FakeNet *) net)->taken = taken;
}

static void
fake_net_set_pairs (VmmNet *net, guint n)
{
  ((FakeNet *) net)->n_pairs = n;
}

static void
fake_net_free (VmmNet *net)
{
  FakeNet *self = (FakeNet *) net;

  g_ptr_array_unref (self->sent);
  g_free (self);
}

static const VmmNetClass fake_net_class = {
  .name = "fake",
  .free = fake_net_free,
  .send = fake_net_send,
  .flush = fake_net_flush,
  .room = fake_net_room,
  .set_taken = fake_net_set_taken,
  .set_pairs = fake_net_set_pairs,
};

FakeNet *
fake_net_new (VmmLoop *loop, guint offloads)
{
  FakeNet *self = g_new0 (FakeNet, 1);

  self->net = (VmmNet) {
    .klass = &fake_net_class, .loop = loop, .n_queues = 1, .takes = offloads, .gives = offloads
  };
  self->sent = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  return self;
}

typedef struct {
  FakeNet *net;
  guint queue;
  struct iovec iov;
  gboolean ok;
} Gift;

static void
give (gpointer data)
{
  Gift *gift = data;

  g_assert_true (vmm_net_enter (&gift->net->net));
  gift->ok = vmm_net_deliver (&gift->net->net, gift->queue, &gift->iov, 1);
  vmm_net_leave (&gift->net->net);
}

gboolean
fake_net_give (FakeNet *self, guint queue, gconstpointer bytes, gsize size)
{
  Gift gift = { self, queue, { (gpointer) bytes, size }, FALSE };

  vmm_loop_call (self->net.loop, give, &gift);
  return gift.ok;
}

static void
unblock (gpointer data)
{
  FakeNet *self = data;

  g_assert_true (vmm_net_enter (&self->net));
  self->blocked = FALSE;
  self->net.card_class->writable (self->net.card, 0);
  vmm_net_leave (&self->net);
}

void
fake_net_unblock (FakeNet *self)
{
  vmm_loop_call (self->net.loop, unblock, self);
}

/* The book's way (RFC 1071), byte by byte: not the code under test. */
static guint32
add_up (guint32 sum, const guint8 *bytes, gsize length)
{
  for (gsize i = 0; i < length; i++) {
    sum += i % 2 ? bytes[i] : (guint32) bytes[i] << 8;
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum;
}

static void
put (FakeFrame *self, guint value, guint length)
{
  for (; length > 0; length--)
    self->bytes[self->length++] = value >> 8 * (length - 1);
}

static void
put_many (FakeFrame *self, guint8 first, guint n)
{
  for (guint i = 0; i < n; i++)
    put (self, first + i, 1);
}

static void
put_ip4 (FakeFrame *self, const FakeFrameKind *kind, guint transport)
{
  guint header = kind->options ? 24 : 20;
  gsize at = self->length;
  guint sum;

  put (self, 0x40 | header / 4, 1);
  put (self, 0, 1);
  put (self, header + transport, 2);
  put (self, 0xfffe, 2); /* the numbers of the segments wrap */
  put (self, 0x4000, 2);
  put (self, 64, 1);
  put (self, kind->protocol, 1);
  put (self, 0, 2);
  put_many (self, 10, 8);
  if (kind->options)
    put (self, 0x01010101, 4);
  sum = ~add_up (0, self->bytes + at, header) & 0xffff;
  self->bytes[at + 10] = sum >> 8;
  self->bytes[at + 11] = sum;
}

static void
put_ip6 (FakeFrame *self, const FakeFrameKind *kind, guint transport)
{
  put (self, 0x60000000, 4);
  put (self, transport + (kind->options ? 16 : 0), 2);
  put (self, kind->options ? IPPROTO_HOPOPTS : kind->protocol, 1);
  put (self, 64, 1);
  put_many (self, 0x20, 32);
  if (!kind->options)
    return;
  put (self, kind->protocol, 1);
  put (self, 1, 1);
  put (self, 0x010c, 2); /* padding of 12 */
  put_many (self, 0, 12);
}

static guint
pseudo_sum (const guint8 *ip, guint8 protocol, gsize transport)
{
  const guint8 rest[] = { transport >> 24, transport >> 16, transport >> 8, transport, 0, 0, 0,
                          protocol };
  guint32 sum = ip[0] >> 4 == 4 ? add_up (0, ip + 12, 8) : add_up (0, ip + 8, 32);

  return add_up (sum, rest, sizeof rest);
}

static void
put_transport (FakeFrame *self, const FakeFrameKind *kind, guint length)
{
  guint sum = pseudo_sum (self->bytes + self->network, kind->protocol, length);

  put (self, 0x30393039, 4);
  if (kind->protocol == IPPROTO_UDP) {
    put (self, length, 2);
    put (self, sum, 2);
    return;
  }
  put (self, 0xffffff00, 4); /* the sequence wraps */
  put (self, 7, 4);
  put (self, kind->options ? 0x80 : 0x50, 1);
  put (self, 0x99, 1); /* CWR, ACK, PSH, FIN */
  put (self, 0x2000, 2);
  put (self, sum, 2);
  put (self, 0, 2);
  if (kind->options) {
    put (self, 0x0101080a, 4);
    put_many (self, 1, 8);
  }
}

FakeFrame *
fake_frame_new (const FakeFrameKind *kind)
{
  FakeFrame *self = g_new0 (FakeFrame, 1);
  guint header = kind->protocol == IPPROTO_UDP ? 8 : kind->options ? 32 : 20;

  put_many (self, 0x02, 6);
  put_many (self, 0x12, 6);
  for (guint i = 0; i < kind->tags; i++)
    put (self, i + 1 < kind->tags ? 0x88a80001 : 0x81000001, 4);
  put (self, kind->version == 4 ? 0x0800 : 0x86dd, 2);
  self->network = self->length;
  if (kind->version == 4)
    put_ip4 (self, kind, header + kind->payload);
  else
    put_ip6 (self, kind, header + kind->payload);
  self->transport = self->length;
  put_transport (self, kind, header + kind->payload);
  self->payload = self->length;
  for (guint i = 0; i < kind->payload; i++)
    put (self, i, 1);
  return self;
}

void
fake_frame_check (const guint8 *frame, gsize length)
{
  guint at = 12, transport, protocol;

  while ((frame[at] == 0x81 && frame[at + 1] == 0) || (frame[at] == 0x88 && frame[at + 1] == 0xa8))
    at += 4;
  at += 2;
  if (frame[at] >> 4 == 4) {
    transport = at + (frame[at] & 0xf) * 4;
    protocol = frame[at + 9];
    g_assert_cmpuint (frame[at + 2] << 8 | frame[at + 3], ==, length - at);
    g_assert_cmpuint (add_up (0, frame + at, transport - at), ==, 0xffff);
  } else {
    gboolean options = frame[at + 6] == IPPROTO_HOPOPTS;

    transport = at + 40 + (options ? 16 : 0);
    protocol = frame[options ? at + 40 : at + 6];
    g_assert_cmpuint (frame[at + 4] << 8 | frame[at + 5], ==, length - at - 40);
  }
  if (protocol == IPPROTO_UDP)
    g_assert_cmpuint (frame[transport + 4] << 8 | frame[transport + 5], ==, length - transport);
  g_assert_cmpuint (add_up (pseudo_sum (frame + at, protocol, length - transport),
                            frame + transport, length - transport),
                    ==, 0xffff);
}
