/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Requests of a hostile driver to each virtio device. The first byte names the device; then come
 * deeds: requests, registers, memory, what the host does meanwhile.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake-channel.h"
#include "fake-devices.h"
#include "virtio/virtio-balloon.h"

#define MAX_DEEDS   64
#define MAX_BUFFERS 8
#define WINDOW      (1 << 18) /* of guest memory that requests lie in */

/* The second byte: what the driver negotiates. */
#define WITH_RING_FEATURES (1 << 0) /* indirect descriptors and EVENT_IDX */
#define WITH_ALL_FEATURES  (1 << 1) /* that the device offers */

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

typedef struct {
  FakeDevices *all;
  FakeDriver *driver;
  FuzzReader reader;
  guint64 window;
  guint kind;
  int client; /* of the channel, or -1 */
} Run;

/* Buffers one after another in the window; those to read are filled from the input. */
static void
send_request (Run *run)
{
  guint queue = fuzz_reader_u8 (&run->reader) % FAKE_N_QUEUES;
  guint8 counts = fuzz_reader_u8 (&run->reader);
  guint n_out = counts & 7, n_in = counts >> 4 & 7;
  FakeBuffer out[MAX_BUFFERS], in[MAX_BUFFERS];
  guint64 at = run->window;

  for (guint i = 0; i < n_out; i++) {
    out[i] = (FakeBuffer) { at, fuzz_reader_u8 (&run->reader) };
    fuzz_reader_read (&run->reader, fake_guest_at (run->all->guest, at, 256), out[i].length);
    at += out[i].length;
  }
  for (guint i = 0; i < n_in; i++) {
    in[i] = (FakeBuffer) { at, fuzz_reader_u16 (&run->reader) & 0x3fff };
    at += in[i].length;
  }
  if (run->driver->queues[queue].size > 0 && n_out + n_in > 0)
    fake_driver_send (run->driver, queue, out, n_out, in, n_in);
}

static void
write_register (Run *run)
{
  guint16 where = fuzz_reader_u16 (&run->reader);
  guint size = 1 << (where >> 14 & 3);
  guint64 value = fuzz_reader_u64 (&run->reader);

  fake_driver_write (run->driver, run->driver->bar + (where & 0x3fff), size, value);
  fake_driver_read (run->driver, run->driver->bar + (where & 0x3fff), size);
}

static void
write_memory (Run *run)
{
  guint16 where = fuzz_reader_u16 (&run->reader);
  guint8 length = fuzz_reader_u8 (&run->reader);

  /* Rings included. */
  fuzz_reader_read (&run->reader,
                    fake_guest_at (run->all->guest, run->all->first_free + where, 256), length);
}

static void
look_at_balloon (Run *run, guint8 what)
{
  VmmDevice *device = run->all->devices[FAKE_BALLOON];
  VmmBalloon balloon;

  vmm_virtio_balloon_look (device, &balloon);
  g_assert_cmpuint (balloon.actual, <=, balloon.memory);
  if (what & 0x80)
    vmm_virtio_balloon_set_target (device, (guint64) what << 16);
}

static void
hang_up (Run *run)
{
  if (run->client >= 0)
    close (run->client);
  run->client = -1;
}

/* A client comes, says something, reads or goes. */
static void
use_channel (Run *run, guint8 what)
{
  guint8 bytes[255] = { what };

  if (run->client < 0)
    run->client = fake_channel_connect (run->all->channel_fd);
  else if (what & 0x80)
    hang_up (run);
  else if (what & 0x40)
    recv (run->client, bytes, sizeof bytes, MSG_DONTWAIT);
  else
    send (run->client, bytes, what, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
host_does (Run *run)
{
  guint8 what = fuzz_reader_u8 (&run->reader);
  VmmDevice *device = run->all->devices[run->kind];
  VmmFrame frame;

  switch (what & 7) {
  case 0:
    vmm_input_key (run->all->input, what, what & 0x80);
    break;
  case 1:
    vmm_input_move (run->all->input, what / 255.0, 0.5);
    break;
  case 2:
    vmm_display_request_size (run->all->display, what * 16, what * 12);
    break;
  case 3:
    vmm_device_drain (device);
    vmm_device_resume (device);
    break;
  case 4:
    if (vmm_display_take (run->all->display, &frame) && frame.buffer) {
      gsize last = frame.offset + (gsize) (frame.height - 1) * frame.stride + 4 * frame.width - 1;

      /* All of a picture can be looked at. */
      g_assert_cmpuint (last, <, vmm_buffer_get_size (frame.buffer));
      g_assert_cmpint (vmm_buffer_get_pixels (frame.buffer)[last], >=, 0);
      vmm_buffer_unref (frame.buffer);
    }
    break;
  case 5:
    look_at_balloon (run, what);
    break;
  case 6:
    use_channel (run, what);
    break;
  default:
    fake_driver_kick (run->driver, what >> 3 & 1);
    break;
  }
}

static void
do_deeds (Run *run)
{
  for (guint i = 0; i < MAX_DEEDS && run->reader.left > 0; i++) {
    switch (fuzz_reader_u8 (&run->reader) & 7) {
    case 0:
      write_register (run);
      break;
    case 1:
      write_memory (run);
      break;
    case 2:
      host_does (run);
      break;
    default:
      send_request (run);
      break;
    }
    fake_guest_settle (run->all->guest);
  }
}

static guint64
choose_features (VmmDevice *device, guint8 choice)
{
  const VmmVirtioClass *klass = (const VmmVirtioClass *) device->klass;
  guint64 features = choice & WITH_RING_FEATURES ? 1u << 28 | 1u << 29 : 0;

  if ((choice & WITH_ALL_FEATURES) && klass->get_features)
    features |= klass->get_features ((VmmVirtio *) device);
  return features;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static FakeDevices *all;
  Run run = { .reader = { data, size }, .client = -1 };

  if (!all)
    all = fake_devices_new ();
  run.all = all;
  run.kind = fuzz_reader_u8 (&run.reader) % FAKE_N_VIRTIO;
  run.driver =
    fake_driver_new (all->guest, all->devices[run.kind],
                     choose_features (all->devices[run.kind], fuzz_reader_u8 (&run.reader)));
  run.window = fake_guest_alloc (all->guest, WINDOW);
  do_deeds (&run);
  hang_up (&run);
  fake_driver_free (run.driver);
  fake_devices_reset (all);
  return 0;
}
