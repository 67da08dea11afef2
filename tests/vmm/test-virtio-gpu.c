/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-gpu: images and blobs from their making to the screen, what is copied and what is not,
 * and requests that are wrong.
 */
#include <stdlib.h>
#include <string.h>

#include "fake-guest.h"
#include "virtio/gpu-edid.h"
#include "virtio/virtio-gpu.h"

#define CONTROL 0
#define CURSOR  1
#define PAGE    4096
#define XRGB    2
#define ARGB    1

enum {
  GET_DISPLAY_INFO = 0x100,
  CREATE_2D,
  UNREF,
  SET_SCANOUT,
  FLUSH,
  TRANSFER,
  ATTACH,
  DETACH,
  GET_EDID = 0x10a,
  CREATE_BLOB = 0x10c,
  SET_SCANOUT_BLOB,
  UPDATE_CURSOR = 0x300,
  MOVE_CURSOR,
  OK = 0x1100,
  OK_DISPLAY_INFO = 0x1101,
  OK_EDID = 0x1104,
  UNSPEC = 0x1200,
  OUT_OF_MEMORY,
  INVALID_SCANOUT,
  INVALID_RESOURCE,
  INVALID_CONTEXT,
  INVALID_PARAMETER,
};

typedef struct {
  FakeGuest *guest;
  VmmDisplay *display;
  VmmDevice *device;
  FakeDriver *driver;
  guint64 out, in, pixels;
} Fixture;

static VmmDevice *
gpu_new (FakeGuest *guest, VmmDisplay *display)
{
  VmmVirtioGpuConfig config = { .display = display, .width = 640, .height = 480 };

  return vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_gpu_class), &guest->board, "gpu0",
                         &config, NULL);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->guest = fake_guest_new ();
  f->display = vmm_display_new ();
  f->device = gpu_new (f->guest, f->display);
  f->driver = fake_driver_new (f->guest, f->device, 0x0a);
  f->out = fake_guest_alloc (f->guest, 65536);
  f->in = fake_guest_alloc (f->guest, 2048);
  f->pixels = fake_guest_alloc (f->guest, 4 << 20);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_driver_free (f->driver);
  vmm_device_free (f->device);
  vmm_display_free (f->display);
  fake_guest_free (f->guest);
}

/* Sends a request of 32-bit words behind a header; returns the answer's type. */
static guint32
send_words (Fixture *f, guint queue, guint32 type, const guint32 *words, guint n)
{
  FakeBuffer out = { f->out, 24 + 4 * n }, in = { f->in, 2048 };
  guint32 *request = fake_guest_at (f->guest, f->out, 24 + 4 * n);
  guint32 *answer = fake_guest_at (f->guest, f->in, 2048);

  memset (request, 0, 24);
  memset (answer, 0, 2048);
  request[0] = type;
  if (n > 0)
    memcpy (request + 6, words, 4 * n);
  g_assert_cmpuint (fake_driver_call (f->driver, queue, &out, 1, &in, 1), >=, 24);
  return answer[0];
}

#define SEND(f, type, ...)                                                                         \
  send_words (f, CONTROL, type, (const guint32[]) { __VA_ARGS__ },                                 \
              sizeof ((const guint32[]) { __VA_ARGS__ }) / 4)
#define SEND_CURSOR(f, type, ...)                                                                  \
  send_words (f, CURSOR, type, (const guint32[]) { __VA_ARGS__ },                                  \
              sizeof ((const guint32[]) { __VA_ARGS__ }) / 4)

static guint64
copied (Fixture *f)
{
  guint64 frames, bytes;

  vmm_display_get_counters (f->display, &frames, &bytes);
  return bytes;
}

static void
check_damage (Fixture *f, int x, int y, int width, int height)
{
  VmmFrame frame;

  g_assert_true (vmm_display_take (f->display, &frame));
  g_assert_cmpint (frame.damage.x, ==, x);
  g_assert_cmpint (frame.damage.y, ==, y);
  g_assert_cmpint (frame.damage.width, ==, width);
  g_assert_cmpint (frame.damage.height, ==, height);
  vmm_buffer_unref (frame.buffer);
}

static guint32
pixel_of (const VmmFrame *frame, guint x, guint y)
{
  guint32 pixel;

  memcpy (&pixel,
          vmm_buffer_get_pixels (frame->buffer) + frame->offset + (gsize) y * frame->stride + 4 * x,
          4);
  return pixel;
}

static guint32
pixel (Fixture *f, guint x, guint y)
{
  VmmFrame frame;
  guint32 value;

  g_assert_true (vmm_display_peek (f->display, &frame));
  value = pixel_of (&frame, x, y);
  vmm_buffer_unref (frame.buffer);
  return value;
}

static void
check_off (Fixture *f)
{
  VmmFrame frame;

  g_assert_false (vmm_display_peek (f->display, &frame));
}

static guint32 *
guest_pixels (Fixture *f)
{
  return fake_guest_at (f->guest, f->pixels, 4 << 20);
}

/* Guest pixels that say where they are. */
static void
paint (Fixture *f, guint n)
{
  guint32 *pixels = guest_pixels (f);

  for (guint i = 0; i < n; i++)
    pixels[i] = 0x01000000 + i;
}

/* 100 x 50 in two runs that are not side by side. */
static void
make_image (Fixture *f)
{
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, 100, 50), ==, OK);
  g_assert_cmphex (SEND (f, ATTACH, 1, 2, f->pixels + 10000, 0, 10000, 0, f->pixels, 0, 10000, 0),
                   ==, OK);
}

static void
test_display_info (Fixture *f, gconstpointer data)
{
  guint32 *answer = fake_guest_at (f->guest, f->in, 2048);

  g_assert_cmphex (send_words (f, CONTROL, GET_DISPLAY_INFO, NULL, 0), ==, OK_DISPLAY_INFO);
  g_assert_cmpuint (answer[8], ==, 640);
  g_assert_cmpuint (answer[9], ==, 480);
  g_assert_cmpuint (answer[10], ==, 1);
  g_assert_cmpuint (answer[16], ==, 0); /* the second is off */
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 8, 4), ==, 1);
}

static void
test_resize (Fixture *f, gconstpointer data)
{
  guint32 *answer = fake_guest_at (f->guest, f->in, 2048);

  vmm_display_request_size (f->display, 1000, 700);
  fake_guest_wait_message (f->guest, 0);
  g_assert_cmphex (fake_driver_read (f->driver, f->driver->config, 4), ==, 1);
  fake_driver_write (f->driver, f->driver->config + 4, 4, 1);
  g_assert_cmphex (fake_driver_read (f->driver, f->driver->config, 4), ==, 0);
  send_words (f, CONTROL, GET_DISPLAY_INFO, NULL, 0);
  g_assert_cmpuint (answer[8], ==, 1000);
  g_assert_cmpuint (answer[9], ==, 700);
  /* The same again is no news; nonsense is kept within bounds. */
  vmm_display_request_size (f->display, 1000, 700);
  fake_guest_settle (f->guest);
  g_assert_cmphex (fake_driver_read (f->driver, f->driver->config, 4), ==, 0);
  vmm_display_request_size (f->display, 0, G_MAXUINT);
  fake_guest_settle (f->guest);
  send_words (f, CONTROL, GET_DISPLAY_INFO, NULL, 0);
  g_assert_cmpuint (answer[8], ==, 64);
  g_assert_cmpuint (answer[9], ==, GPU_EDID_MAX_SIDE);
}

static void
test_edid (Fixture *f, gconstpointer data)
{
  guint32 *answer = fake_guest_at (f->guest, f->in, 2048);
  const guint8 *edid = (const guint8 *) (answer + 8);
  guint8 sum = 0;

  g_assert_cmphex (SEND (f, GET_EDID, 0, 0), ==, OK_EDID);
  g_assert_cmpuint (answer[6], ==, 128);
  for (guint i = 0; i < 128; i++)
    sum += edid[i];
  g_assert_cmpuint (sum, ==, 0);
  g_assert_cmpuint (edid[56] | (edid[58] & 0xf0) << 4, ==, 640);
  g_assert_cmpuint (edid[59] | (edid[61] & 0xf0) << 4, ==, 480);
  g_assert_cmphex (SEND (f, GET_EDID, 1, 0), ==, INVALID_SCANOUT);
}

/* A refresh rate that any mode of any size keeps, as far as 16 bits of clock go. */
static void
test_edid_clock (Fixture *f, gconstpointer data)
{
  static const guint sizes[][2] = { { 64, 64 }, { 1280, 800 }, { 1920, 1080 }, { 3840, 2160 } };
  guint8 edid[GPU_EDID_SIZE];

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    guint clock, width, height;

    gpu_edid_fill (edid, sizes[i][0], sizes[i][1]);
    clock = (edid[54] | edid[55] << 8) * 10000;
    width = sizes[i][0] + edid[57];
    height = sizes[i][1] + edid[60];
    g_assert_cmpuint (clock / (width * height), >=, 59);
    g_assert_cmpuint (clock / (width * height), <=, 60);
  }
  gpu_edid_fill (edid, GPU_EDID_MAX_SIDE, GPU_EDID_MAX_SIDE);
}

static void
test_image (Fixture *f, gconstpointer data)
{
  paint (f, 5000);
  make_image (f);
  check_off (f);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 0, 0, 100, 50, 0, 1), ==, OK);
  check_damage (f, 0, 0, 100, 50);
  g_assert_cmphex (pixel (f, 5, 5), ==, 0); /* nothing was transferred yet */

  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 100, 50, 0, 0, 1, 0), ==, OK);
  g_assert_cmpuint (copied (f), ==, 20000);
  g_assert_cmphex (pixel (f, 0, 0), ==, 0x01000000 + 2500);
  g_assert_cmphex (pixel (f, 99, 24), ==, 0x01000000 + 4999);
  g_assert_cmphex (pixel (f, 0, 25), ==, 0x01000000);
  g_assert_cmphex (SEND (f, FLUSH, 10, 5, 20, 10, 1, 0), ==, OK);
  check_damage (f, 10, 5, 20, 10);
}

/* A part of an image: only its bytes move, and none beside them. */
static void
test_part (Fixture *f, gconstpointer data)
{
  guint32 offset = (20 * 100 + 30) * 4;

  make_image (f);
  SEND (f, SET_SCANOUT, 0, 0, 100, 50, 0, 1);
  paint (f, 5000);
  g_assert_cmphex (SEND (f, TRANSFER, 30, 20, 10, 8, offset, 0, 1, 0), ==, OK);
  g_assert_cmpuint (copied (f), ==, 10 * 8 * 4);
  for (guint y = 18; y < 30; y++)
    for (guint x = 28; x < 42; x++) {
      gboolean inside = x >= 30 && x < 40 && y >= 20 && y < 28;
      guint at = y * 100 + x;

      /* The first half of the image lies in the second half of memory. */
      g_assert_cmphex (pixel (f, x, y), ==, inside ? 0x01000000 + (at + 2500) % 5000 : 0);
    }
}

/* A screen that shows a part of its image. */
static void
test_window (Fixture *f, gconstpointer data)
{
  paint (f, 5000);
  make_image (f);
  SEND (f, TRANSFER, 0, 0, 100, 50, 0, 0, 1, 0);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 40, 10, 50, 30, 0, 1), ==, OK);
  check_damage (f, 0, 0, 50, 30);
  g_assert_cmphex (pixel (f, 3, 2), ==, 0x01000000 + 2500 + 12 * 100 + 43);
  SEND (f, FLUSH, 0, 0, 45, 15, 1, 0);
  check_damage (f, 0, 0, 5, 5);
  SEND (f, FLUSH, 60, 30, 40, 20, 1, 0);
  check_damage (f, 20, 20, 30, 10);
}

static guint32
create_blob (Fixture *f, guint32 id, guint64 address, guint32 size)
{
  return SEND (f, CREATE_BLOB, id, 1, 1, 1, 0, 0, size, 0, address, 0, size, 0);
}

static guint32
show_blob (Fixture *f, guint32 id, guint32 width, guint32 height, guint32 stride, guint32 offset)
{
  return SEND (f, SET_SCANOUT_BLOB, 0, 0, width, height, 0, id, width, height, XRGB, 0, stride, 0,
               0, 0, offset, 0, 0, 0);
}

/* A blob is looked at where it lies: what the guest writes is on the screen, and nothing was
 * copied. */
static void
test_blob (Fixture *f, gconstpointer data)
{
  g_assert_cmphex (create_blob (f, 1, f->pixels, 100 * PAGE), ==, OK);
  g_assert_cmphex (show_blob (f, 1, 320, 200, 1280, 4096), ==, OK);
  check_damage (f, 0, 0, 320, 200);
  paint (f, 102400);
  g_assert_cmphex (pixel (f, 7, 3), ==, 0x01000000 + 1024 + 3 * 320 + 7);
  g_assert_cmphex (SEND (f, FLUSH, 5, 6, 7, 8, 1, 0), ==, OK);
  check_damage (f, 5, 6, 7, 8);
  guest_pixels (f)[1024] = 0xabcdef;
  g_assert_cmphex (pixel (f, 0, 0), ==, 0xabcdef);
  /* Linux asks for a transfer all the same. */
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 320, 200, 0, 0, 1, 0), ==, OK);
  g_assert_cmpuint (copied (f), ==, 0);
}

/* Pages here and there, in any order: one picture without a copy. */
static void
test_scattered (Fixture *f, gconstpointer data)
{
  guint32 words[10 + 4 * 64] = { 1, 1, 1, 64, 0, 0, 64 * PAGE, 0 };

  for (guint i = 0; i < 64; i++) {
    guint page = i * 37 % 64 * 2;

    words[8 + 4 * i] = f->pixels + page * PAGE;
    words[8 + 4 * i + 2] = PAGE;
    guest_pixels (f)[page * 1024] = i;
    guest_pixels (f)[page * 1024 + 1023] = i + 1000;
  }
  g_assert_cmphex (send_words (f, CONTROL, CREATE_BLOB, words, 8 + 4 * 64), ==, OK);
  g_assert_cmphex (show_blob (f, 1, 1024, 64, 4096, 0), ==, OK);
  for (guint i = 0; i < 64; i++) {
    g_assert_cmphex (pixel (f, 0, i), ==, i);
    g_assert_cmphex (pixel (f, 1023, i), ==, i + 1000);
  }
  g_assert_cmpuint (copied (f), ==, 0);
}

/* Not whole pages: copied, when it is shown and as much as is flushed. */
static void
test_crooked_blob (Fixture *f, gconstpointer data)
{
  paint (f, 10000);
  g_assert_cmphex (create_blob (f, 1, f->pixels + 16, 20000), ==, OK);
  g_assert_cmphex (show_blob (f, 1, 100, 50, 400, 0), ==, OK);
  g_assert_cmpuint (copied (f), ==, 20000);
  g_assert_cmphex (pixel (f, 3, 2), ==, 0x01000000 + 4 + 203);
  guest_pixels (f)[4 + 203] = 0xabcdef;
  g_assert_cmphex (pixel (f, 3, 2), ==, 0x01000000 + 4 + 203);
  g_assert_cmphex (SEND (f, FLUSH, 3, 2, 5, 1, 1, 0), ==, OK);
  g_assert_cmphex (pixel (f, 3, 2), ==, 0xabcdef);
  g_assert_cmpuint (copied (f), ==, 20000 + 20);
}

/* The picture that a viewer holds stays when the guest takes the resource away. */
static void
test_unref (Fixture *f, gconstpointer data)
{
  VmmFrame frame;

  paint (f, 102400);
  create_blob (f, 1, f->pixels, 100 * PAGE);
  show_blob (f, 1, 320, 200, 1280, 0);
  g_assert_true (vmm_display_take (f->display, &frame));
  g_assert_cmphex (SEND (f, UNREF, 1, 0), ==, OK);
  check_off (f);
  g_assert_cmphex (pixel_of (&frame, 5, 0), ==, 0x01000005);
  vmm_buffer_unref (frame.buffer);
  g_assert_cmphex (SEND (f, UNREF, 1, 0), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, FLUSH, 0, 0, 1, 1, 1, 0), ==, INVALID_RESOURCE);
}

static void
test_off (Fixture *f, gconstpointer data)
{
  create_blob (f, 1, f->pixels, 100 * PAGE);
  show_blob (f, 1, 320, 200, 1280, 0);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 0, 0, 0, 0, 0, 0), ==, OK);
  check_off (f);
  /* A flush of what is not shown is no news. */
  {
    VmmFrame frame;

    vmm_display_take (f->display, &frame);
    SEND (f, FLUSH, 0, 0, 10, 10, 1, 0);
    g_assert_false (vmm_display_take (f->display, &frame));
  }
}

/* The driver leaves: everything of its is gone. */
static void
test_reset (Fixture *f, gconstpointer data)
{
  make_image (f);
  SEND (f, SET_SCANOUT, 0, 0, 100, 50, 0, 1);
  fake_driver_set_status (f->driver, 0);
  check_off (f);
  fake_driver_free (f->driver);
  f->driver = fake_driver_new (f->guest, f->device, 0x0a);
  g_assert_cmphex (SEND (f, UNREF, 1, 0), ==, INVALID_RESOURCE);
}

static void
test_cursor (Fixture *f, gconstpointer data)
{
  VmmCursor cursor;

  paint (f, 64 * 64);
  g_assert_cmphex (SEND (f, CREATE_2D, 9, ARGB, 64, 64), ==, OK);
  SEND (f, ATTACH, 9, 1, f->pixels, 0, 64 * 64 * 4, 0);
  SEND (f, TRANSFER, 0, 0, 64, 64, 0, 0, 9, 0);
  g_assert_cmphex (SEND_CURSOR (f, UPDATE_CURSOR, 0, 100, 200, 0, 9, 3, 4, 0), ==, OK);
  g_assert_true (vmm_display_take_cursor (f->display, &cursor));
  g_assert_true (cursor.visible);
  g_assert_cmpint (cursor.x, ==, 103);
  g_assert_cmpint (cursor.y, ==, 204);
  g_assert_cmpuint (cursor.hot_x, ==, 3);
  g_assert_cmpuint (cursor.width, ==, 64);
  g_assert_cmphex (((const guint32 *) g_bytes_get_data (cursor.pixels, NULL))[65], ==, 0x01000041);
  g_bytes_unref (cursor.pixels);
  g_assert_cmphex (SEND_CURSOR (f, MOVE_CURSOR, 0, 1, 2, 0, 9, 0, 0, 0), ==, OK);
  g_assert_true (vmm_display_take_cursor (f->display, &cursor));
  g_assert_cmpint (cursor.x, ==, 4);
  g_assert_true (cursor.visible);
  g_bytes_unref (cursor.pixels);
  g_assert_cmphex (SEND_CURSOR (f, UPDATE_CURSOR, 0, 1, 2, 0, 0, 0, 0, 0), ==, OK);
  g_assert_true (vmm_display_take_cursor (f->display, &cursor));
  g_assert_false (cursor.visible);
  g_assert_null (cursor.pixels);

  /* A blob does not say its size: 64 x 64. One that is smaller has no picture. */
  create_blob (f, 10, f->pixels, 64 * 64 * 4);
  SEND_CURSOR (f, UPDATE_CURSOR, 0, 0, 0, 0, 10, 0, 0, 0);
  g_assert_true (vmm_display_take_cursor (f->display, &cursor));
  g_assert_cmphex (((const guint32 *) g_bytes_get_data (cursor.pixels, NULL))[65], ==, 0x01000041);
  g_bytes_unref (cursor.pixels);
  create_blob (f, 11, f->pixels, PAGE);
  SEND_CURSOR (f, UPDATE_CURSOR, 0, 0, 0, 0, 11, 0, 0, 0);
  g_assert_true (vmm_display_take_cursor (f->display, &cursor));
  g_assert_null (cursor.pixels);
  g_assert_cmphex (SEND_CURSOR (f, UPDATE_CURSOR, 0, 0, 0, 0, 99, 0, 0, 0), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND_CURSOR (f, UPDATE_CURSOR, 1, 0, 0, 0, 0, 0, 0, 0), ==, INVALID_SCANOUT);
  /* The picture goes with its resource. */
  SEND_CURSOR (f, UPDATE_CURSOR, 0, 0, 0, 0, 10, 0, 0, 0);
  SEND (f, UNREF, 10, 0);
  g_assert_true (vmm_display_take_cursor (f->display, &cursor));
  g_assert_false (cursor.visible);
}

static void
test_fence (Fixture *f, gconstpointer data)
{
  FakeBuffer out = { f->out, 24 }, in = { f->in, 2048 };
  guint32 request[6] = { GET_DISPLAY_INFO, 1, 0x11223344, 0x55667788, 5, 0 };
  guint32 *answer = fake_guest_at (f->guest, f->in, 24);

  memcpy (fake_guest_at (f->guest, f->out, 24), request, 24);
  g_assert_cmpuint (fake_driver_call (f->driver, CONTROL, &out, 1, &in, 1), ==, 24 + 16 * 24);
  g_assert_cmphex (answer[1], ==, 1);
  g_assert_cmphex (answer[2], ==, 0x11223344);
  g_assert_cmphex (answer[3], ==, 0x55667788);
  g_assert_cmphex (answer[4], ==, 5);
}

static void
test_wrong_images (Fixture *f, gconstpointer data)
{
  g_assert_cmphex (SEND (f, CREATE_2D, 0, XRGB, 10, 10), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, 99, 10, 10), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, 0, 10), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, 10, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, 100000, 1), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, G_MAXUINT32, G_MAXUINT32), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, 16384, 16384), ==, OUT_OF_MEMORY);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB), ==, INVALID_PARAMETER); /* cut short */
  make_image (f);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, 10, 10), ==, INVALID_RESOURCE);
  g_assert_cmphex (create_blob (f, 1, f->pixels, PAGE), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, f->pixels, 0, PAGE, 0), ==, UNSPEC);
  g_assert_cmphex (SEND (f, DETACH, 1, 0), ==, OK);
  g_assert_cmphex (SEND (f, DETACH, 1, 0), ==, UNSPEC);
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 1, 1, 0, 0, 1, 0), ==, UNSPEC);
  g_assert_cmphex (SEND (f, DETACH, 2, 0), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, 0x999, 0), ==, UNSPEC);
  g_assert_cmpuint (f->guest->platform.n_broken, ==, 0);
}

static void
test_wrong_entries (Fixture *f, gconstpointer data)
{
  SEND (f, CREATE_2D, 1, XRGB, 100, 50);
  g_assert_cmphex (SEND (f, ATTACH, 2, 1, f->pixels, 0, PAGE, 0), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, ATTACH, 1, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, ATTACH, 1, 2, f->pixels, 0, PAGE, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, ATTACH, 1, G_MAXUINT32, f->pixels, 0, PAGE, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, f->pixels, 0, 0, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, FAKE_MEMORY - 10, 0, PAGE, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, 0, G_MAXUINT32, PAGE, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, 0xfffff000, G_MAXUINT32, PAGE * 2, 0), ==,
                   INVALID_PARAMETER);
  /* None of them stayed. */
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, f->pixels, 0, 20000, 0), ==, OK);
}

static void
test_wrong_transfers (Fixture *f, gconstpointer data)
{
  make_image (f);
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 101, 50, 0, 0, 1, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, TRANSFER, 1, 0, 100, 50, 0, 0, 1, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, TRANSFER, G_MAXUINT32, 0, 2, 1, 0, 0, 1, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, TRANSFER, 0, G_MAXUINT32 - 1, 1, 3, 0, 0, 1, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 100, 50, 4, 0, 1, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 1, 1, 20000, 0, 1, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 1, 1, G_MAXUINT32, G_MAXUINT32, 1, 0), ==,
                   INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 1, 1, 0, 0, 7, 0), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, TRANSFER, 0, 0, 0, 0, 0, 0, 1, 0), ==, OK);
  g_assert_cmphex (SEND (f, TRANSFER, 99, 49, 1, 1, 19996, 0, 1, 0), ==, OK);
  g_assert_cmpuint (copied (f), ==, 4);
}

static void
test_wrong_screens (Fixture *f, gconstpointer data)
{
  make_image (f);
  create_blob (f, 2, f->pixels, 10 * PAGE);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 0, 0, 100, 50, 1, 1), ==, INVALID_SCANOUT);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 0, 0, 100, 50, 0, 3), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 0, 0, 100, 50, 0, 2), ==, INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 0, 0, 100, 51, 0, 1), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, SET_SCANOUT, G_MAXUINT32, 0, 100, 50, 0, 1), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, SET_SCANOUT, 0, 0, 0, 50, 0, 1), ==, INVALID_PARAMETER);
  g_assert_cmphex (show_blob (f, 1, 100, 50, 400, 0), ==, INVALID_RESOURCE);
  g_assert_cmphex (show_blob (f, 2, 100, 103, 400, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (show_blob (f, 2, 100, 50, 396, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (show_blob (f, 2, 100, 50, 402, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (show_blob (f, 2, 100, 50, 400, 40964), ==, INVALID_PARAMETER);
  g_assert_cmphex (show_blob (f, 2, 100, 50, 400, 20964), ==, INVALID_PARAMETER);
  g_assert_cmphex (show_blob (f, 2, 100, 50, 400, 2), ==, INVALID_PARAMETER);
  g_assert_cmphex (show_blob (f, 2, 20000, 1, 80000, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (show_blob (f, 2, 100, 50, 0xfffffffc, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (show_blob (f, 2, G_MAXUINT32, G_MAXUINT32, 0xfffffffc, 0), ==,
                   INVALID_PARAMETER);
  check_off (f);
  g_assert_cmphex (show_blob (f, 2, 100, 50, 400, 20960), ==, OK);
}

static void
test_wrong_blobs (Fixture *f, gconstpointer data)
{
  /* Host memory, no memory, more than the entries have, more than anybody needs. */
  g_assert_cmphex (SEND (f, CREATE_BLOB, 1, 2, 1, 1, 0, 0, PAGE, 0, f->pixels, 0, PAGE, 0), ==,
                   INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_BLOB, 1, 1, 1, 1, 0, 0, 0, 0, f->pixels, 0, PAGE, 0), ==,
                   INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_BLOB, 1, 1, 1, 1, 0, 0, PAGE + 1, 0, f->pixels, 0, PAGE, 0), ==,
                   INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_BLOB, 1, 1, 1, 1, 0, 0, 0, 1, f->pixels, 0, PAGE, 0), ==,
                   INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_BLOB, 1, 1, 1, 0, 0, 0, PAGE, 0), ==, INVALID_PARAMETER);
  g_assert_cmphex (SEND (f, CREATE_BLOB, 0, 1, 1, 1, 0, 0, PAGE, 0, f->pixels, 0, PAGE, 0), ==,
                   INVALID_RESOURCE);
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, f->pixels, 0, PAGE, 0), ==, INVALID_RESOURCE);
  create_blob (f, 1, f->pixels, PAGE);
  g_assert_cmphex (SEND (f, ATTACH, 1, 1, f->pixels, 0, PAGE, 0), ==, UNSPEC);
  g_assert_cmphex (SEND (f, DETACH, 1, 0), ==, UNSPEC);
  g_assert_cmphex (SEND (f, FLUSH, G_MAXUINT32, G_MAXUINT32, 5, 5, 1, 0), ==, OK);
  g_assert_cmphex (SEND (f, FLUSH, 0, 0, G_MAXUINT32, 5, 1, 0), ==, INVALID_PARAMETER);
}

/* Host memory has an end, long before the host's has. */
static void
test_greed (Fixture *f, gconstpointer data)
{
  guint32 answer = OK;
  guint n = 0;

  while (answer == OK && n < 1000)
    answer = SEND (f, CREATE_2D, ++n, XRGB, 4096, 4096);
  g_assert_cmphex (answer, ==, OUT_OF_MEMORY);
  g_assert_cmpuint (n, <=, 9);
  g_assert_cmphex (SEND (f, UNREF, 1, 0), ==, OK);
  g_assert_cmphex (SEND (f, CREATE_2D, 1, XRGB, 4096, 4096), ==, OK);
  fake_driver_set_status (f->driver, 0);
  fake_driver_free (f->driver);
  f->driver = fake_driver_new (f->guest, f->device, 0x0a);
  for (n = 1, answer = OK; answer == OK && n < 100000; n++)
    answer = SEND (f, CREATE_2D, n, XRGB, 1, 1);
  g_assert_cmphex (answer, ==, OUT_OF_MEMORY);
  g_assert_cmpuint (n, <, 10000);
}

static void
test_no_header (Fixture *f, gconstpointer data)
{
  FakeBuffer out = { f->out, 23 }, in = { f->in, 2048 };

  fake_driver_send (f->driver, CONTROL, &out, 1, &in, 1);
  fake_guest_settle (f->guest);
  fake_driver_check_broken (f->driver, "header");
}

/* An answer that has no room is cut, not written elsewhere. */
static void
test_small_answer (Fixture *f, gconstpointer data)
{
  FakeBuffer out = { f->out, 24 }, in = { f->in, 10 };
  guint8 *answer = fake_guest_at (f->guest, f->in, 32);
  guint32 type = GET_DISPLAY_INFO;

  memset (answer, 0xee, 32);
  memset (fake_guest_at (f->guest, f->out, 24), 0, 24);
  memcpy (fake_guest_at (f->guest, f->out, 24), &type, 4);
  g_assert_cmpuint (fake_driver_call (f->driver, CONTROL, &out, 1, &in, 1), ==, 10);
  g_assert_cmphex (answer[10], ==, 0xee);
  g_assert_cmpuint (fake_driver_call (f->driver, CONTROL, &out, 1, NULL, 0), ==, 0);
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDisplay *display = vmm_display_new ();
  VmmDevice *other = gpu_new (guest, display);
  VmmFrame frame;
  VmmCursor cursor;
  gboolean blob = GPOINTER_TO_INT (data);

  paint (f, 102400);
  make_image (f);
  SEND (f, TRANSFER, 0, 0, 100, 50, 0, 0, 1, 0);
  if (blob) {
    SEND (f, UNREF, 1, 0);
    create_blob (f, 2, f->pixels, 100 * PAGE);
    show_blob (f, 2, 320, 200, 1280, 4096);
    SEND_CURSOR (f, UPDATE_CURSOR, 0, 100, 200, 0, 2, 3, 4, 0);
  } else {
    SEND (f, SET_SCANOUT, 10, 5, 50, 20, 0, 1);
  }
  fake_guest_copy_memory (guest, f->guest);
  fake_guest_check_saved (f->device, other);
  g_assert_true (vmm_display_take (display, &frame));
  g_assert_cmpuint (frame.width, ==, blob ? 320 : 50);
  g_assert_cmphex (pixel_of (&frame, 3, 2), ==, pixel (f, 3, 2));
  vmm_buffer_unref (frame.buffer);
  g_assert_true (vmm_display_take_cursor (display, &cursor));
  g_assert_cmpint (cursor.visible, ==, blob);
  if (blob)
    g_assert_cmpint (cursor.x, ==, 103);
  g_clear_pointer (&cursor.pixels, g_bytes_unref);
  vmm_device_free (other);
  vmm_display_free (display);
  fake_guest_free (guest);
}

/* The bytes of a saved state, each changed in turn: a load or an error, and a device that can
 * still be reset. */
static void
test_forged (Fixture *f, gconstpointer data)
{
  g_autoptr (VmmState) state = vmm_state_new ();
  g_autoptr (GBytes) bytes = NULL;
  gsize size;

  create_blob (f, 2, f->pixels, 100 * PAGE);
  show_blob (f, 2, 320, 200, 1280, 4096);
  vmm_device_drain (f->device);
  g_assert_true (vmm_device_save (f->device, state, NULL));
  bytes = vmm_state_to_bytes (state);
  size = g_bytes_get_size (bytes);
  for (gsize at = 0; at < size; at++) {
    guint8 *copy = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
    g_autoptr (GBytes) changed = NULL;
    g_autoptr (VmmState) other = NULL;

    copy[at] ^= 0x81;
    changed = g_bytes_new_take (copy, size);
    other = vmm_state_from_bytes (changed, NULL);
    if (other)
      vmm_device_load (f->device, other, NULL);
  }
  vmm_device_reset (f->device);
  vmm_device_resume (f->device);
  fake_driver_free (f->driver);
  f->driver = fake_driver_new (f->guest, f->device, 0x0a);
  g_assert_cmphex (create_blob (f, 2, f->pixels, 100 * PAGE), ==, OK);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/virtio-gpu/display-info", test_display_info },
    { "/virtio-gpu/resize", test_resize },
    { "/virtio-gpu/edid", test_edid },
    { "/virtio-gpu/edid-clock", test_edid_clock },
    { "/virtio-gpu/image", test_image },
    { "/virtio-gpu/part", test_part },
    { "/virtio-gpu/window", test_window },
    { "/virtio-gpu/blob", test_blob },
    { "/virtio-gpu/scattered", test_scattered },
    { "/virtio-gpu/crooked-blob", test_crooked_blob },
    { "/virtio-gpu/unref", test_unref },
    { "/virtio-gpu/off", test_off },
    { "/virtio-gpu/reset", test_reset },
    { "/virtio-gpu/cursor", test_cursor },
    { "/virtio-gpu/fence", test_fence },
    { "/virtio-gpu/wrong-images", test_wrong_images },
    { "/virtio-gpu/wrong-entries", test_wrong_entries },
    { "/virtio-gpu/wrong-transfers", test_wrong_transfers },
    { "/virtio-gpu/wrong-screens", test_wrong_screens },
    { "/virtio-gpu/wrong-blobs", test_wrong_blobs },
    { "/virtio-gpu/greed", test_greed },
    { "/virtio-gpu/no-header", test_no_header },
    { "/virtio-gpu/small-answer", test_small_answer },
    { "/virtio-gpu/forged", test_forged },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
  g_test_add ("/virtio-gpu/saved/image", Fixture, GINT_TO_POINTER (FALSE), set_up, test_saved,
              tear_down);
  g_test_add ("/virtio-gpu/saved/blob", Fixture, GINT_TO_POINTER (TRUE), set_up, test_saved,
              tear_down);
  return g_test_run ();
}
