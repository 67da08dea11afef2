/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A hostile driver of a network card, and hostile frames. What the card sends goes through the
 * offloads in software, as the receiver would have it that the input asks for, and comes back to
 * the same card. The first two bytes are the driver's features and what the receiver takes.
 */
#include <string.h>

#include "fake-devices.h"
#include "net/net-offload.h"
#include "virtio/virtio-net.h"

#define RECEIVE  0
#define TRANSMIT 1
#define CONTROL  2

#define MAX_DEEDS 32
#define WINDOW    (1 << 18) /* of guest memory that requests lie in */
#define MAX_SIZE  3000      /* of what is read from the input for one frame */

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* Gives the card what it sends. */
typedef struct {
  VmmNet net;
  guint taken; /* by the one who gets it */
  gboolean blocked;
  guint8 frame[VMM_NET_MAX_FRAME];
} Mirror;

static gboolean
come_back (gpointer data, const struct iovec *iov, guint n)
{
  VmmNetHeader header;
  gsize length = 0;

  for (guint i = 1; i < n; i++)
    length += iov[i].iov_len;
  memcpy (&header, iov[0].iov_base, sizeof header);
  g_assert_cmpuint (length, <=, VMM_NET_MAX_FRAME);
  g_assert_true (vmm_net_header_is_good (&header, length, ((Mirror *) data)->taken | VMM_NET_CSUM));
  return vmm_net_deliver (data, 0, iov, n);
}

static gboolean
mirror_send (VmmNet *net, guint queue, const struct iovec *iov, guint n)
{
  Mirror *self = (Mirror *) net;
  VmmNetHeader header;
  gsize length = 0;

  self->blocked = !self->blocked && self->taken >> 7;
  if (self->blocked)
    return FALSE;
  memcpy (&header, iov[0].iov_base, sizeof header);
  for (guint i = 1; i < n; i++) {
    memcpy (self->frame + length, iov[i].iov_base, iov[i].iov_len);
    length += iov[i].iov_len;
  }
  vmm_net_resolve (&header, self->frame, length, self->taken & VMM_NET_ALL_OFFLOADS, come_back,
                   self);
  return TRUE;
}

static const VmmNetClass mirror_class = { .name = "mirror", .send = mirror_send };

typedef struct {
  FakeGuest *guest;
  VmmDevice *card;
  FakeDriver *driver;
  FuzzReader reader;
  guint64 window;
  gsize at; /* in the window */
  Mirror *mirror;
} Run;

static FakeBuffer
take_window (Run *run, gsize size)
{
  FakeBuffer buffer;

  if (run->at + size > WINDOW)
    run->at = 0;
  buffer = (FakeBuffer) { run->window + run->at, size };
  run->at += size;
  return buffer;
}

/* A frame from the input, continued by as many bytes as it says, in up to four parts. */
static void
send_frame (Run *run)
{
  guint16 size = fuzz_reader_u16 (&run->reader), given = fuzz_reader_u16 (&run->reader) % MAX_SIZE;
  FakeBuffer whole = take_window (run, MAX (size, given) + 1), parts[4];
  guint n = fuzz_reader_u8 (&run->reader) % 4 + 1;
  guint32 done = 0;

  fuzz_reader_read (&run->reader, fake_guest_at (run->guest, whole.address, whole.length), given);
  whole.length = MAX (size, given);
  for (guint i = 0; i < n; i++) {
    guint32 length =
      i + 1 < n ? MIN (fuzz_reader_u8 (&run->reader), whole.length - done) : whole.length - done;

    parts[i] = (FakeBuffer) { whole.address + done, length };
    done += length;
  }
  fake_driver_send (run->driver, TRANSMIT, parts, n, NULL, 0);
}

static void
offer_buffers (Run *run)
{
  guint n = fuzz_reader_u8 (&run->reader) % FAKE_QUEUE_SIZE + 1;
  guint16 size = fuzz_reader_u16 (&run->reader) & 0x3fff;

  for (guint i = 0; i < n; i++) {
    FakeBuffer buffer = take_window (run, size);

    fake_driver_send (run->driver, RECEIVE, NULL, 0, &buffer, 1);
  }
}

static void
send_command (Run *run)
{
  guint8 size = fuzz_reader_u8 (&run->reader);
  FakeBuffer out = take_window (run, size + 1), in = take_window (run, 1);

  fuzz_reader_read (&run->reader, fake_guest_at (run->guest, out.address, out.length), size);
  out.length = size;
  fake_driver_send (run->driver, CONTROL, &out, 1, &in, 1);
}

static void
write_ring (Run *run)
{
  const FakeQueue *queue = &run->driver->queues[fuzz_reader_u8 (&run->reader) % 3];
  guint8 where = fuzz_reader_u8 (&run->reader);
  guint16 *at = fake_guest_at (run->guest, queue->desc + 2 * where, 2);

  *at = fuzz_reader_u16 (&run->reader);
}

static void
host_does (Run *run)
{
  switch (fuzz_reader_u8 (&run->reader) & 3) {
  case 0:
    vmm_virtio_net_set_link (run->card, !vmm_virtio_net_get_link (run->card));
    break;
  case 1:
    vmm_device_drain (run->card);
    vmm_device_resume (run->card);
    break;
  case 2:
    run->mirror->taken = fuzz_reader_u8 (&run->reader);
    break;
  default:
    vmm_device_drain (run->card);
    vmm_device_reset (run->card);
    vmm_device_resume (run->card);
    break;
  }
}

static void
do_deeds (Run *run)
{
  for (guint i = 0; i < MAX_DEEDS && run->reader.left > 0; i++) {
    switch (fuzz_reader_u8 (&run->reader) & 7) {
    case 0:
      offer_buffers (run);
      break;
    case 1:
      send_command (run);
      break;
    case 2:
      write_ring (run);
      break;
    case 3:
      host_does (run);
      break;
    default:
      send_frame (run);
      break;
    }
    fake_guest_settle (run->guest);
  }
}

static guint64
features_of (guint8 byte)
{
  static const guint8 bits[] = { VIRTIO_NET_F_CSUM,       VIRTIO_NET_F_GUEST_CSUM,
                                 VIRTIO_NET_F_HOST_TSO4,  VIRTIO_NET_F_HOST_TSO6,
                                 VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_MRG_RXBUF,
                                 VIRTIO_NET_F_CTRL_VLAN,  VIRTIO_NET_F_HOST_USO };
  guint64 features = G_GUINT64_CONSTANT (1) << VIRTIO_NET_F_CTRL_VQ;

  for (guint i = 0; i < G_N_ELEMENTS (bits); i++)
    if (byte >> i & 1)
      features |= G_GUINT64_CONSTANT (1) << bits[i];
  return features;
}

static Mirror *
mirror_new (VmmLoop *loop)
{
  Mirror *self = g_new0 (Mirror, 1);

  self->net = (VmmNet) { .klass = &mirror_class,
                         .loop = loop,
                         .n_queues = 1,
                         .takes = VMM_NET_ALL_OFFLOADS,
                         .gives = VMM_NET_ALL_OFFLOADS };
  return self;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static FakeGuest *guest;
  static Mirror *mirror;
  static VmmDevice *card;
  static guint64 first_free;
  Run run = { .reader = { data, size } };

  if (!guest) {
    VmmVirtioNetConfig config = { .mac = { 2, 0, 0, 0, 0, 1 } };

    guest = fake_guest_new ();
    mirror = mirror_new (guest->loop);
    config.net = &mirror->net;
    card = vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_net_class), &guest->board, "net0",
                           &config, NULL);
    first_free = guest->next;
  }
  run.guest = guest;
  run.card = card;
  run.mirror = mirror;
  run.driver = fake_driver_new (guest, card, features_of (fuzz_reader_u8 (&run.reader)));
  mirror->taken = fuzz_reader_u8 (&run.reader);
  mirror->blocked = FALSE;
  run.window = fake_guest_alloc (guest, WINDOW);
  do_deeds (&run);
  fake_driver_free (run.driver);
  vmm_device_drain (card);
  vmm_device_reset (card);
  vmm_virtio_net_set_link (card, TRUE);
  vmm_device_resume (card);
  fake_guest_settle (guest);
  memset (fake_guest_at (guest, 0, guest->next), 0, guest->next);
  guest->next = first_free;
  guest->platform.n_broken = 0;
  return 0;
}
