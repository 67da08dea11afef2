/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-gpu, the device: what it says of its screen, and how it answers.
 */
#include <string.h>

#include "gpu-test.h"
#include "virtio/gpu-edid.h"

static void
test_display_info (GpuTest *f, gconstpointer data)
{
  guint32 *answer = fake_guest_at (f->guest, f->in, 2048);

  g_assert_cmphex (gpu_test_send (f, CONTROL, GET_DISPLAY_INFO, NULL, 0), ==, OK_DISPLAY_INFO);
  g_assert_cmpuint (answer[8], ==, 640);
  g_assert_cmpuint (answer[9], ==, 480);
  g_assert_cmpuint (answer[10], ==, 1);
  g_assert_cmpuint (answer[16], ==, 0); /* the second is off */
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 8, 4), ==, 1);
}

static void
test_resize (GpuTest *f, gconstpointer data)
{
  guint32 *answer = fake_guest_at (f->guest, f->in, 2048);

  vmm_display_request_size (f->display, 1000, 700);
  fake_guest_wait_message (f->guest, 0);
  g_assert_cmphex (fake_driver_read (f->driver, f->driver->config, 4), ==, 1);
  fake_driver_write (f->driver, f->driver->config + 4, 4, 1);
  g_assert_cmphex (fake_driver_read (f->driver, f->driver->config, 4), ==, 0);
  gpu_test_send (f, CONTROL, GET_DISPLAY_INFO, NULL, 0);
  g_assert_cmpuint (answer[8], ==, 1000);
  g_assert_cmpuint (answer[9], ==, 700);
  /* The same again is no news; nonsense is kept within bounds. */
  vmm_display_request_size (f->display, 1000, 700);
  fake_guest_settle (f->guest);
  g_assert_cmphex (fake_driver_read (f->driver, f->driver->config, 4), ==, 0);
  vmm_display_request_size (f->display, 0, G_MAXUINT);
  fake_guest_settle (f->guest);
  gpu_test_send (f, CONTROL, GET_DISPLAY_INFO, NULL, 0);
  g_assert_cmpuint (answer[8], ==, 64);
  g_assert_cmpuint (answer[9], ==, GPU_EDID_MAX_SIDE);
}

static void
test_edid (GpuTest *f, gconstpointer data)
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
test_edid_clock (GpuTest *f, gconstpointer data)
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

/* The driver leaves: everything of its is gone. */
static void
test_reset (GpuTest *f, gconstpointer data)
{
  gpu_test_make_image (f);
  SEND (f, SET_SCANOUT, 0, 0, 100, 50, 0, 1);
  fake_driver_set_status (f->driver, 0);
  gpu_test_check_off (f);
  fake_driver_free (f->driver);
  f->driver = fake_driver_new (f->guest, f->device, 0x0a);
  g_assert_cmphex (SEND (f, UNREF, 1, 0), ==, INVALID_RESOURCE);
}

static void
test_fence (GpuTest *f, gconstpointer data)
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
test_no_header (GpuTest *f, gconstpointer data)
{
  FakeBuffer out = { f->out, 23 }, in = { f->in, 2048 };

  fake_driver_send (f->driver, CONTROL, &out, 1, &in, 1);
  fake_guest_settle (f->guest);
  fake_driver_check_broken (f->driver, "header");
}

/* An answer that has no room is cut, not written elsewhere. */
static void
test_small_answer (GpuTest *f, gconstpointer data)
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

int
main (int argc, char **argv)
{
  static const GpuTestCase tests[] = {
    { "/virtio-gpu/display-info", test_display_info },
    { "/virtio-gpu/resize", test_resize },
    { "/virtio-gpu/edid", test_edid },
    { "/virtio-gpu/edid-clock", test_edid_clock },
    { "/virtio-gpu/reset", test_reset },
    { "/virtio-gpu/fence", test_fence },
    { "/virtio-gpu/no-header", test_no_header },
    { "/virtio-gpu/small-answer", test_small_answer },
  };

  g_test_init (&argc, &argv, NULL);
  return gpu_test_run_all (tests, G_N_ELEMENTS (tests));
}
