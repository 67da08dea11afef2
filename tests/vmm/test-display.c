/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The mailbox: damage, wakes, buffers that outlive, and screenshots.
 */
#include <glib/gstdio.h>
#include <png.h>
#include <string.h>
#include <sys/stat.h>

#include "device/vmm-display-source.h"
#include "vmm-error.h"

#define XR24 0x34325258
#define XB24 0x34324258
#define W    64
#define H    48

typedef struct {
  VmmDisplay *display;
  guint8 pixels[W * H * 4];
  gint n_wakes, n_freed;
  guint width, height;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->display = vmm_display_new ();
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->display, vmm_display_free);
}

static void
wake (VmmDisplay *display, gpointer data)
{
  Fixture *f = data;

  g_atomic_int_inc (&f->n_wakes);
}

static void
freed (gpointer data)
{
  Fixture *f = data;

  f->n_freed++;
}

static void
show (Fixture *f, guint width, guint height)
{
  g_autoptr (VmmBuffer) buffer = vmm_buffer_new (f->pixels, sizeof f->pixels, -1, freed, f);
  VmmFrame frame = {
    .buffer = buffer, .width = width, .height = height, .stride = W * 4, .fourcc = XR24
  };

  vmm_display_show (f->display, &frame);
}

static void
damage (Fixture *f, int x, int y, int width, int height)
{
  vmm_display_damage (f->display, &(VmmRect) { x, y, width, height });
}

static void
check_taken (Fixture *f, int x, int y, int width, int height)
{
  VmmFrame frame;

  g_assert_true (vmm_display_take (f->display, &frame));
  g_assert_cmpint (frame.damage.x, ==, x);
  g_assert_cmpint (frame.damage.y, ==, y);
  g_assert_cmpint (frame.damage.width, ==, width);
  g_assert_cmpint (frame.damage.height, ==, height);
  g_clear_pointer (&frame.buffer, vmm_buffer_unref);
}

static void
test_damage (Fixture *f, gconstpointer data)
{
  VmmFrame frame;

  g_assert_false (vmm_display_take (f->display, &frame));
  show (f, W, H);
  damage (f, 1, 1, 2, 2);
  check_taken (f, 0, 0, W, H);
  g_assert_false (vmm_display_take (f->display, &frame));
  damage (f, 10, 20, 5, 5);
  check_taken (f, 10, 20, 5, 5);
  damage (f, 10, 20, 5, 5);
  damage (f, 30, 10, 2, 2);
  check_taken (f, 10, 10, 22, 15);
  /* Edges anywhere. */
  damage (f, -10, -10, 15, 15);
  check_taken (f, 0, 0, 5, 5);
  damage (f, W - 2, H - 2, G_MAXINT, G_MAXINT);
  check_taken (f, W - 2, H - 2, 2, 2);
  damage (f, W, 0, 10, 10);
  damage (f, G_MAXINT, G_MAXINT, G_MAXINT, G_MAXINT);
  damage (f, G_MININT, G_MININT, 5, 5);
  damage (f, 5, 5, 0, 5);
  damage (f, 5, 5, -5, 5);
  g_assert_false (vmm_display_take (f->display, &frame));
}

static guint64
get_serial (Fixture *f)
{
  VmmFrame frame;

  g_assert_true (vmm_display_peek (f->display, &frame));
  vmm_buffer_unref (frame.buffer);
  return frame.serial;
}

/* Two peeks with the same serial show the same picture. */
static void
test_serial (Fixture *f, gconstpointer data)
{
  guint64 first, second;

  show (f, W, H);
  first = get_serial (f);
  g_assert_cmpuint (first, !=, 0);
  check_taken (f, 0, 0, W, H);
  damage (f, W, 0, 10, 10);
  g_assert_cmpuint (get_serial (f), ==, first);
  damage (f, 0, 0, 1, 1);
  second = get_serial (f);
  g_assert_cmpuint (second, >, first);
  vmm_display_show (f->display, NULL);
  show (f, W, H);
  g_assert_cmpuint (get_serial (f), >, second);
}

static void
test_off (Fixture *f, gconstpointer data)
{
  VmmFrame frame;

  show (f, W, H);
  check_taken (f, 0, 0, W, H);
  vmm_display_show (f->display, NULL);
  g_assert_true (vmm_display_take (f->display, &frame));
  g_assert_null (frame.buffer);
  g_assert_cmpuint (frame.width, ==, 0);
  damage (f, 0, 0, 5, 5);
  g_assert_false (vmm_display_take (f->display, &frame));
  g_assert_false (vmm_display_peek (f->display, &frame));
}

/* One wake under way, whatever happens; taking anything re-arms it. */
/* What was shown before the screen went off is kept, whatever becomes of the guest's memory. */
static void
test_last (Fixture *f, gconstpointer data)
{
  VmmFrame frame;

  g_assert_false (vmm_display_peek_last (f->display, &frame));
  vmm_display_show (f->display, NULL);
  g_assert_false (vmm_display_peek_last (f->display, &frame));
  memset (f->pixels, 7, sizeof f->pixels);
  show (f, W - 1, H);
  for (guint i = 0; i < 2; i++) /* off twice is as once */
    vmm_display_show (f->display, NULL);
  memset (f->pixels, 0, sizeof f->pixels);
  g_assert_cmpint (f->n_freed, ==, 1);
  g_assert_false (vmm_display_peek (f->display, &frame));
  g_assert_true (vmm_display_peek_last (f->display, &frame));
  g_assert_cmpuint (frame.width, ==, W - 1);
  g_assert_cmpuint (vmm_buffer_get_pixels (frame.buffer)[vmm_buffer_get_size (frame.buffer) - 1],
                    ==, 7);
  vmm_buffer_unref (frame.buffer);
  show (f, W, H);
  g_assert_true (vmm_display_peek_last (f->display, &frame));
  g_assert_cmpuint (vmm_buffer_get_pixels (frame.buffer)[0], ==, 0);
  vmm_buffer_unref (frame.buffer);
}

static void
test_wake (Fixture *f, gconstpointer data)
{
  VmmFrame frame;
  VmmCursor cursor;

  vmm_display_set_wake (f->display, wake, f);
  g_assert_cmpint (f->n_wakes, ==, 0);
  show (f, W, H);
  g_assert_cmpint (f->n_wakes, ==, 1);
  for (guint i = 0; i < 10; i++)
    damage (f, i, i, 1, 1);
  vmm_display_move_cursor (f->display, 5, 5, TRUE);
  g_assert_cmpint (f->n_wakes, ==, 1);
  check_taken (f, 0, 0, W, H);
  damage (f, 0, 0, 1, 1);
  g_assert_cmpint (f->n_wakes, ==, 2);
  check_taken (f, 0, 0, 1, 1);
  g_assert_true (vmm_display_take_cursor (f->display, &cursor));
  g_assert_false (vmm_display_take_cursor (f->display, &cursor));
  vmm_display_move_cursor (f->display, 5, 5, TRUE);
  g_assert_cmpint (f->n_wakes, ==, 2);
  vmm_display_move_cursor (f->display, 6, 5, TRUE);
  g_assert_cmpint (f->n_wakes, ==, 3);
  g_assert_true (vmm_display_take_cursor (f->display, &cursor));
  g_assert_cmpint (cursor.x, ==, 6);
  /* Nothing to be seen: nobody is woken. */
  damage (f, W + 1, 0, 1, 1);
  g_assert_cmpint (f->n_wakes, ==, 3);
  g_assert_false (vmm_display_take (f->display, &frame));
}

/* Who comes late is told at once what there is; who leaves is left alone. */
static void
test_wake_late (Fixture *f, gconstpointer data)
{
  show (f, W, H);
  vmm_display_set_wake (f->display, wake, f);
  g_assert_cmpint (f->n_wakes, ==, 1);
  vmm_display_set_wake (f->display, NULL, NULL);
  damage (f, 0, 0, 1, 1);
  g_assert_cmpint (f->n_wakes, ==, 1);
  vmm_display_set_wake (f->display, wake, f);
  g_assert_cmpint (f->n_wakes, ==, 2);
}

static gpointer
keep_damaging (gpointer data)
{
  Fixture *f = data;

  for (guint i = 0; i < 20000; i++)
    damage (f, i % W, 0, 1, 1);
  return NULL;
}

/* No wake is lost: after the last damage there is a frame to take or none is owed. */
static void
test_threads (Fixture *f, gconstpointer data)
{
  GThread *thread;
  gint seen = 0;
  VmmFrame frame;

  show (f, W, H);
  vmm_display_set_wake (f->display, wake, f);
  thread = g_thread_new ("device", keep_damaging, f);
  for (guint i = 0; i < 20000; i++)
    if (vmm_display_take (f->display, &frame)) {
      vmm_buffer_unref (frame.buffer);
      seen++;
    }
  g_thread_join (thread);
  if (vmm_display_take (f->display, &frame)) {
    vmm_buffer_unref (frame.buffer);
    seen++;
  }
  g_assert_cmpint (seen, >, 0);
  g_assert_cmpint (f->n_wakes, <=, seen + 1);
  damage (f, 0, 0, 1, 1);
  check_taken (f, 0, 0, 1, 1);
}

/* A frame keeps its pixels when the device has gone on. */
static void
test_buffers (Fixture *f, gconstpointer data)
{
  VmmFrame frame;

  show (f, W, H);
  g_assert_true (vmm_display_take (f->display, &frame));
  show (f, W, H);
  vmm_display_show (f->display, NULL);
  g_assert_cmpint (f->n_freed, ==, 1);
  g_clear_pointer (&f->display, vmm_display_free);
  g_assert_true (vmm_buffer_get_pixels (frame.buffer) == f->pixels);
  g_assert_cmpuint (vmm_buffer_get_size (frame.buffer), ==, sizeof f->pixels);
  g_assert_cmpint (vmm_buffer_get_dmabuf (frame.buffer), ==, -1);
  vmm_buffer_unref (frame.buffer);
  g_assert_cmpint (f->n_freed, ==, 2);
}

static void
test_cursor (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) pixels = g_bytes_new_static ("\1\2\3\4", 4);
  VmmCursor cursor, again;

  g_assert_false (vmm_display_take_cursor (f->display, &cursor));
  vmm_display_set_cursor (
    f->display, &(VmmCursor) { .width = 1, .height = 1, .hot_x = 2, .hot_y = 3, .pixels = pixels });
  vmm_display_move_cursor (f->display, 7, 8, TRUE);
  g_assert_true (vmm_display_take_cursor (f->display, &cursor));
  g_assert_true (cursor.pixels == pixels);
  g_assert_cmpuint (cursor.width, ==, 1);
  g_assert_cmpuint (cursor.hot_y, ==, 3);
  g_assert_cmpint (cursor.x, ==, 7);
  g_assert_true (cursor.visible);
  vmm_display_set_cursor (f->display, &(VmmCursor) { .width = 9 });
  g_assert_true (vmm_display_take_cursor (f->display, &again));
  g_assert_cmpuint (again.serial, !=, cursor.serial);
  g_assert_cmpuint (again.width, ==, 0);
  g_assert_null (again.pixels);
  g_bytes_unref (cursor.pixels);
}

static void
wish (gpointer data, guint width, guint height)
{
  Fixture *f = data;

  f->width = width;
  f->height = height;
}

static void
test_size (Fixture *f, gconstpointer data)
{
  vmm_display_request_size (f->display, 1, 2);
  vmm_display_set_size_func (f->display, wish, f);
  vmm_display_request_size (f->display, 800, 600);
  g_assert_cmpuint (f->width, ==, 800);
  g_assert_cmpuint (f->height, ==, 600);
  vmm_display_set_size_func (f->display, NULL, NULL);
  vmm_display_request_size (f->display, 3, 4);
  g_assert_cmpuint (f->width, ==, 800);
}

static void
test_counters (Fixture *f, gconstpointer data)
{
  guint64 frames, bytes;

  show (f, W, H);
  damage (f, 0, 0, 1, 1);
  damage (f, 0, 0, 1, 1);
  vmm_display_count_copied (f->display, 100);
  vmm_display_count_copied (f->display, 23);
  vmm_display_get_counters (f->display, &frames, &bytes);
  g_assert_cmpuint (frames, ==, 2);
  g_assert_cmpuint (bytes, ==, 123);
}

/* The picture in the file, RGB. */
static guint8 *
read_png (const char *path, guint *width, guint *height)
{
  png_image image = { .version = PNG_IMAGE_VERSION };
  guint8 *pixels;

  g_assert_true (png_image_begin_read_from_file (&image, path));
  image.format = PNG_FORMAT_RGB;
  pixels = g_malloc (PNG_IMAGE_SIZE (image));
  g_assert_true (png_image_finish_read (&image, NULL, pixels, 0, NULL));
  *width = image.width;
  *height = image.height;
  return pixels;
}

static void
check_pixel (const guint8 *pixels, guint x, guint y, guint8 red, guint8 green, guint8 blue)
{
  const guint8 *pixel = pixels + (y * 20 + x) * 3;

  g_assert_cmphex (pixel[0], ==, red);
  g_assert_cmphex (pixel[1], ==, green);
  g_assert_cmphex (pixel[2], ==, blue);
}

/* A part of a bigger buffer, in both orders of colours, with a cursor that hangs over the edge. */
static void
test_screenshot (Fixture *f, gconstpointer data)
{
  g_autofree char *folder = g_dir_make_tmp ("vmm-shot-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "shot.png", NULL);
  g_autoptr (VmmBuffer) buffer = vmm_buffer_new (f->pixels, sizeof f->pixels, -1, NULL, NULL);
  static const guint8 cursor_pixels[16] = {
    0xff, 0,    0, 0xff, 0, 0, 0, 0, /* opaque blue, nothing */
    0,    0x80, 0, 0x80, 0, 0, 0, 0, /* half green */
  };
  g_autoptr (GBytes) cursor = g_bytes_new_static (cursor_pixels, sizeof cursor_pixels);

  for (guint i = 0; i < W * H; i++) {
    f->pixels[4 * i] = i % W;
    f->pixels[4 * i + 1] = i / W;
    f->pixels[4 * i + 2] = 200;
  }
  vmm_display_set_cursor (f->display, &(VmmCursor) {
                                        .width = 2,
                                        .height = 2,
                                        .hot_x = 1,
                                        .hot_y = 1,
                                        .pixels = cursor,
                                      });
  for (guint order = 0; order < 2; order++) {
    VmmFrame frame = { .buffer = buffer,
                       .offset = 4 * (3 * W + 5),
                       .width = 20,
                       .height = 10,
                       .stride = W * 4,
                       .fourcc = order ? XB24 : XR24 };
    g_autofree guint8 *picture = NULL;
    g_autoptr (GError) error = NULL;
    guint width, height;

    vmm_display_show (f->display, &frame);
    vmm_display_move_cursor (f->display, 20, 5, TRUE);
    vmm_display_screenshot (f->display, path, &error);
    g_assert_no_error (error);
    picture = read_png (path, &width, &height);
    g_assert_cmpuint (width, ==, 20);
    g_assert_cmpuint (height, ==, 10);
    if (order)
      check_pixel (picture, 2, 1, 7, 4, 200);
    else
      check_pixel (picture, 2, 1, 200, 4, 7);
    check_pixel (picture, 19, 4, 0, 0, 0xff);
    check_pixel (picture, 19, 5, order ? 24 * 127 / 255 : 200 * 127 / 255, 0x80 + 8 * 127 / 255,
                 order ? 200 * 127 / 255 : 24 * 127 / 255);
  }
  g_unlink (path);
  g_assert_cmpint (g_rmdir (folder), ==, 0); /* nothing else was left there */
}

static void
test_no_screenshot (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (vmm_display_screenshot (f->display, "/tmp/x.png", &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_STATE);
  g_clear_error (&error);
  show (f, W, H);
  g_assert_false (vmm_display_screenshot (f->display, "/nonexistent/x.png", &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "/nonexistent/x.png"));
  g_clear_error (&error);
  /* A folder in which nothing can be made. */
  g_assert_false (vmm_display_screenshot (f->display, "/proc/x.png", &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_IO);
}

/* A picture without pixels leaves nothing to be kept. */
static void
test_last_empty (Fixture *f, gconstpointer data)
{
  VmmFrame frame;

  show (f, W, 0);
  vmm_display_show (f->display, NULL);
  g_assert_false (vmm_display_peek_last (f->display, &frame));
  show (f, 0, H);
  vmm_display_show (f->display, NULL);
  g_assert_false (vmm_display_peek_last (f->display, &frame));
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/display/damage", test_damage },
    { "/display/serial", test_serial },
    { "/display/off", test_off },
    { "/display/last", test_last },
    { "/display/last-empty", test_last_empty },
    { "/display/wake", test_wake },
    { "/display/wake-late", test_wake_late },
    { "/display/threads", test_threads },
    { "/display/buffers", test_buffers },
    { "/display/cursor", test_cursor },
    { "/display/size", test_size },
    { "/display/counters", test_counters },
    { "/display/screenshot", test_screenshot },
    { "/display/no-screenshot", test_no_screenshot },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
