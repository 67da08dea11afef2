/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is on the screen after a guest has set a mode and written pixels or letters.
 */
#include <string.h>

#include "fake-guest.h"
#include "vga/vga.h"

#define VRAM  0xd0000000u
#define WHITE 0xffffffffu
#define BLACK 0xff000000u
#define BLUE  0xff0000aau

typedef struct {
  FakeGuest *guest;
  VmmDisplay *display;
  VmmDevice *vga;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  VmmVgaConfig config;

  f->guest = fake_guest_new ();
  config.display = f->display = vmm_display_new ();
  f->vga = vmm_device_new (&vmm_vga_class, &f->guest->board, "vga", &config, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->vga, vmm_device_free);
  vmm_display_free (f->display);
  fake_guest_free (f->guest);
}

static void
out (Fixture *f, guint16 port, guint8 value)
{
  fake_guest_out (f->guest, port, 1, value);
}

static guint8
in (Fixture *f, guint16 port)
{
  return fake_guest_in (f->guest, port, 1);
}

/* A register behind an index. */
static void
set (Fixture *f, guint16 port, guint8 index, guint8 value)
{
  fake_guest_out (f->guest, port, 2, index | value << 8);
}

static void
set_attribute (Fixture *f, guint8 index, guint8 value)
{
  in (f, 0x3da);
  out (f, 0x3c0, index);
  out (f, 0x3c0, value);
}

static void
set_color (Fixture *f, guint8 index, guint8 red, guint8 green, guint8 blue)
{
  out (f, 0x3c8, index);
  out (f, 0x3c9, red);
  out (f, 0x3c9, green);
  out (f, 0x3c9, blue);
}

static void
set_common (Fixture *f)
{
  out (f, 0x3c2, 0x67);
  for (guint8 i = 0; i < 16; i++)
    set_attribute (f, i, i);
  set_attribute (f, 0x12, 0x0f);
  set_color (f, 0, 0, 0, 0);
  set_color (f, 1, 0, 0, 0x2a);
  set_color (f, 15, 0x3f, 0x3f, 0x3f);
  set (f, 0x3d4, 0x11, 0x00);
  set (f, 0x3d4, 0x17, 0xa3);
  set (f, 0x3d4, 0x18, 0xff); /* no split */
}

/* 80 x 25 letters of 8 x 16 dots, and the screen on. */
static void
set_text_mode (Fixture *f)
{
  set_common (f);
  set (f, 0x3c4, 1, 0x01);
  set (f, 0x3c4, 2, 0x03);
  set (f, 0x3c4, 4, 0x02);
  set (f, 0x3ce, 5, 0x10);
  set (f, 0x3ce, 6, 0x0e);
  set (f, 0x3d4, 0x01, 79);
  set (f, 0x3d4, 0x07, 0x12);
  set (f, 0x3d4, 0x09, 0x4f);
  set (f, 0x3d4, 0x0a, 0x20); /* no cursor */
  set (f, 0x3d4, 0x12, 0x8f);
  set (f, 0x3d4, 0x13, 40);
  in (f, 0x3da);
  out (f, 0x3c0, 0x20);
}

/* A letter whose shape is its code in every line. */
static void
set_letter (Fixture *f, guint8 letter)
{
  set (f, 0x3c4, 2, 0x04);
  set (f, 0x3ce, 5, 0x00);
  set (f, 0x3ce, 6, 0x04);
  set (f, 0x3ce, 8, 0xff);
  for (guint i = 0; i < 16; i++)
    fake_guest_write (f->guest, 0xa0000 + letter * 32 + i, 1, letter);
  set (f, 0x3c4, 2, 0x03);
  set (f, 0x3ce, 5, 0x10);
  set (f, 0x3ce, 6, 0x0e);
}

/* Waits until the screen shows @width x @height and @color at @x, @y. */
static void
wait_pixel (Fixture *f, guint width, guint height, guint x, guint y, guint32 color)
{
  for (guint i = 0; i < 2000; i++) {
    VmmFrame frame;

    if (vmm_display_peek (f->display, &frame)) {
      guint32 pixel = 0;

      if (frame.buffer && frame.width == width && frame.height == height)
        memcpy (&pixel,
                vmm_buffer_get_pixels (frame.buffer) + frame.offset + y * frame.stride + 4 * x, 4);
      g_clear_pointer (&frame.buffer, vmm_buffer_unref);
      if ((pixel | 0xff000000u) == color && pixel != 0)
        return;
      if (color == BLACK && (pixel & 0xffffff) == 0 && frame.width == width)
        return;
    }
    g_usleep (10000);
  }
  g_error ("The pixel at %u, %u never became %x.", x, y, color);
}

static void
put_text (Fixture *f, guint column, guint row, guint8 letter, guint8 attribute)
{
  fake_guest_write (f->guest, 0xb8000 + 2 * (row * 80 + column), 2, letter | attribute << 8);
}

static void
test_text (Fixture *f, gconstpointer data)
{
  set_text_mode (f);
  set_letter (f, 0x81);
  put_text (f, 3, 2, 0x81, 0x1f);
  wait_pixel (f, 640, 400, 24, 32, WHITE);
  wait_pixel (f, 640, 400, 25, 32, BLUE);
  wait_pixel (f, 640, 400, 31, 47, WHITE);
  wait_pixel (f, 640, 400, 32, 32, BLACK);
  g_assert_cmphex (fake_guest_read (f->guest, 0xb8000 + 2 * (2 * 80 + 3), 2), ==, 0x1f81);
  /* Only this letter changes. */
  put_text (f, 79, 24, 0x81, 0x0f);
  wait_pixel (f, 640, 400, 639, 399, WHITE);
  /* The cursor, on a blank. */
  put_text (f, 0, 0, 0, 0x0f);
  set (f, 0x3d4, 0x0b, 15);
  set (f, 0x3d4, 0x0f, 0);
  set (f, 0x3d4, 0x0a, 14);
  wait_pixel (f, 640, 400, 0, 14, WHITE);
  wait_pixel (f, 640, 400, 0, 13, BLACK);
  set (f, 0x3d4, 0x0f, 1);
  wait_pixel (f, 640, 400, 0, 14, BLACK);
  /* Scrolled by two rows, by the start address. */
  set (f, 0x3d4, 0x0d, 160);
  wait_pixel (f, 640, 400, 24, 0, WHITE);
  /* Another palette changes all letters. */
  set_color (f, 15, 0, 0, 0x2a);
  wait_pixel (f, 640, 400, 24, 0, BLUE);
}

static void
set_vbe (Fixture *f, guint16 index, guint16 value)
{
  fake_guest_out (f->guest, 0x1ce, 2, index);
  fake_guest_out (f->guest, 0x1cf, 2, value);
}

static guint16
get_vbe (Fixture *f, guint16 index)
{
  fake_guest_out (f->guest, 0x1ce, 2, index);
  return fake_guest_in (f->guest, 0x1d0, 2);
}

static void
set_linear_mode (Fixture *f, guint16 width, guint16 height, guint16 bits)
{
  set_vbe (f, 4, 0);
  set_vbe (f, 1, width);
  set_vbe (f, 2, height);
  set_vbe (f, 3, bits);
  set_vbe (f, 4, 0x41);
}

static void
test_linear (Fixture *f, gconstpointer data)
{
  VmmFrame frame;

  g_assert_cmphex (get_vbe (f, 0), ==, 0xb0c5);
  g_assert_cmpuint (get_vbe (f, 10), ==, VMM_VGA_MEMORY_SIZE >> 16);
  vmm_vga_map_memory (f->vga, VRAM);
  set_linear_mode (f, 1024, 768, 32);
  fake_guest_write (f->guest, VRAM + 4 * (1024 * 5 + 7), 4, 0x123456);
  wait_pixel (f, 1024, 768, 7, 5, 0xff123456);
  /* Where it lies: what is written later is there without any copying. */
  g_assert_true (vmm_display_peek (f->display, &frame));
  fake_guest_write (f->guest, VRAM, 4, 0xabcdef);
  g_assert_cmphex (*(const guint32 *) vmm_buffer_get_pixels (frame.buffer), ==, 0xabcdef);
  vmm_buffer_unref (frame.buffer);
  /* Panned, through the page of registers. */
  vmm_vga_write_mmio (f->vga, 0x500 + 2 * 9, 2, 5);
  wait_pixel (f, 1024, 768, 7, 0, 0xff123456);
  g_assert_cmpuint (vmm_vga_read_mmio (f->vga, 0x500 + 2 * 9, 2), ==, 5);
  g_assert_cmphex (vmm_vga_read_mmio (f->vga, 0x900, 4), ==, G_MAXUINT64);
}

static void
test_colors (Fixture *f, gconstpointer data)
{
  set_color (f, 0x42, 0x3f, 0, 0x3f);
  set_linear_mode (f, 640, 480, 8);
  vmm_vga_write_memory (f->vga, 640 + 1, 1, 0x42);
  wait_pixel (f, 640, 480, 1, 1, 0xffff00ff);
  set_linear_mode (f, 640, 480, 16);
  vmm_vga_write_memory (f->vga, 2 * 640 + 2, 2, 0xf81f);
  wait_pixel (f, 640, 480, 1, 1, 0xffff00ff);
  set_linear_mode (f, 640, 480, 15);
  vmm_vga_write_memory (f->vga, 2 * 640 + 2, 2, 0x7c1f);
  wait_pixel (f, 640, 480, 1, 1, 0xffff00ff);
  set_linear_mode (f, 640, 480, 24);
  vmm_vga_write_memory (f->vga, 3 * 640 + 3, 4, 0xff00ff);
  wait_pixel (f, 640, 480, 1, 1, 0xffff00ff);
}

/* Sizes that are none, or do not fit, become some that do. */
static void
test_impossible (Fixture *f, gconstpointer data)
{
  set_linear_mode (f, 0, 0, 0);
  g_assert_cmpuint (get_vbe (f, 1), ==, 8);
  g_assert_cmpuint (get_vbe (f, 3), ==, 32);
  set_linear_mode (f, 0xffff, 0xffff, 0xffff);
  g_assert_cmpuint (get_vbe (f, 1), ==, 2560);
  g_assert_cmpuint (get_vbe (f, 2) * 2560 * 4, <=, VMM_VGA_MEMORY_SIZE);
  set_vbe (f, 6, 0xffff);
  set_vbe (f, 8, 0xffff);
  set_vbe (f, 9, 0xffff);
  set_vbe (f, 5, 0xffff);
  g_assert_cmpuint (get_vbe (f, 8), <=, get_vbe (f, 6) - get_vbe (f, 1));
  g_assert_cmpuint (get_vbe (f, 9), <=, get_vbe (f, 7) - get_vbe (f, 2));
  g_assert_cmpuint (get_vbe (f, 5), ==, 0);
  wait_pixel (f, get_vbe (f, 1), get_vbe (f, 2), 0, 0, BLACK);
}

/* The four write modes, over planes whose contents are known. */
static void
test_planes (Fixture *f, gconstpointer data)
{
  set (f, 0x3c4, 4, 0x06);
  set (f, 0x3ce, 5, 0x00);
  set (f, 0x3ce, 6, 0x05);
  set (f, 0x3ce, 8, 0xff);
  set (f, 0x3c4, 2, 0x05);
  fake_guest_write (f->guest, 0xa0010, 1, 0xa5); /* planes 0 and 2 */
  set (f, 0x3c4, 2, 0x0f);
  for (guint plane = 0; plane < 4; plane++) {
    set (f, 0x3ce, 4, plane);
    g_assert_cmphex (fake_guest_read (f->guest, 0xa0010, 1), ==, plane % 2 ? 0 : 0xa5);
  }
  set (f, 0x3ce, 5, 0x01); /* the latches, to elsewhere */
  fake_guest_write (f->guest, 0xa0020, 1, 0);
  set (f, 0x3ce, 5, 0x02); /* a color, where the bit mask lets it */
  set (f, 0x3ce, 8, 0x0f);
  fake_guest_read (f->guest, 0xa0020, 1);
  fake_guest_write (f->guest, 0xa0020, 1, 0x02);
  set (f, 0x3ce, 5, 0x00);
  set (f, 0x3ce, 8, 0xff);
  set (f, 0x3ce, 4, 0);
  g_assert_cmphex (fake_guest_read (f->guest, 0xa0020, 1), ==, 0xa0);
  set (f, 0x3ce, 4, 1);
  g_assert_cmphex (fake_guest_read (f->guest, 0xa0020, 1), ==, 0x0f);
  set (f, 0x3ce, 5, 0x08); /* compared with color 2 */
  set (f, 0x3ce, 2, 0x02);
  set (f, 0x3ce, 7, 0x0f);
  g_assert_cmphex (fake_guest_read (f->guest, 0xa0020, 1), ==, 0x0f);
  set (f, 0x3ce, 5, 0x00); /* rotated, and combined by XOR */
  set (f, 0x3ce, 3, 0x1a);
  set (f, 0x3ce, 4, 1);
  fake_guest_read (f->guest, 0xa0020, 1);
  fake_guest_write (f->guest, 0xa0020, 1, 0x03);
  g_assert_cmphex (fake_guest_read (f->guest, 0xa0020, 1), ==, 0x0f ^ 0xc0);
}

static void
test_planar_picture (Fixture *f, gconstpointer data)
{
  set_common (f);
  set (f, 0x3c4, 1, 0x01);
  set (f, 0x3c4, 2, 0x01);
  set (f, 0x3c4, 4, 0x06);
  set (f, 0x3ce, 5, 0x00);
  set (f, 0x3ce, 6, 0x05);
  set (f, 0x3ce, 8, 0xff);
  set (f, 0x3d4, 0x01, 79);
  set (f, 0x3d4, 0x07, 0x12);
  set (f, 0x3d4, 0x09, 0x40);
  set (f, 0x3d4, 0x12, 0xdf);
  set (f, 0x3d4, 0x13, 40);
  in (f, 0x3da);
  out (f, 0x3c0, 0x20);
  fake_guest_write (f->guest, 0xa0000 + 80 * 3 + 1, 1, 0x40);
  wait_pixel (f, 640, 480, 9, 3, BLUE);
  wait_pixel (f, 640, 480, 10, 3, BLACK);
}

/* The text window as memory of the guest's; NULL where it is closed. */
static guint8 *
find_text_window (Fixture *f)
{
  FakePlatform *platform = &f->guest->platform;
  guint8 *host = NULL;

  g_mutex_lock (&platform->lock);
  for (guint i = 0; i < FAKE_N_SLOTS; i++)
    if (platform->slots[i].size > 0 && platform->slots[i].address == 0xb8000)
      host = platform->slots[i].host;
  g_mutex_unlock (&platform->lock);
  return host;
}

static void
fill_screen (Fixture *f, guint8 letter)
{
  for (guint i = 0; i < 80 * 25 && !find_text_window (f); i++)
    put_text (f, i % 80, i / 80, letter, 0x1f);
  g_assert_nonnull (find_text_window (f));
}

/* What a processor does while it is open: no exit, so nobody is told. */
static void
put_text_silently (Fixture *f, guint at, guint8 letter)
{
  const guint8 cell[2] = { letter, 0x1f };

  vmm_device_lock (f->vga);
  memcpy (find_text_window (f) + 2 * at, cell, sizeof cell);
  vmm_device_unlock (f->vga);
}

/* Whoever writes much does it without exits; it is seen, and where the window gets another meaning
 * it is in the planes. */
static void
test_text_window (Fixture *f, gconstpointer data)
{
  set_text_mode (f);
  set_letter (f, 0x81);
  put_text (f, 0, 0, 0x81, 0x1f);
  fake_guest_settle (f->guest);
  g_assert_null (find_text_window (f));
  fill_screen (f, ' ');
  put_text_silently (f, 5, 0x81);
  wait_pixel (f, 640, 400, 40, 0, WHITE);
  wait_pixel (f, 640, 400, 41, 0, BLUE);
  put_text_silently (f, 6, 0x42);
  set (f, 0x3ce, 5, 0x00); /* planes one by one */
  g_assert_null (find_text_window (f));
  set (f, 0x3ce, 6, 0x04);
  set (f, 0x3ce, 4, 0);
  g_assert_cmphex (fake_guest_read (f->guest, 0xa0000 + 6, 1), ==, 0x42);
  set (f, 0x3ce, 4, 1);
  g_assert_cmphex (fake_guest_read (f->guest, 0xa0000 + 6, 1), ==, 0x1f);
}

/* A screen that rests is nobody's work; and one that goes on in another mode is not written over.
 */
static void
test_text_window_closes (Fixture *f, gconstpointer data)
{
  set_text_mode (f);
  fill_screen (f, 'x');
  while (find_text_window (f))
    g_usleep (1000);
  g_assert_cmphex (fake_guest_read (f->guest, 0xb8000, 2), ==, 0x1f78);
  fill_screen (f, 'x');
  set_linear_mode (f, 640, 480, 32);
  g_assert_null (find_text_window (f));
  wait_pixel (f, 640, 480, 0, 0, BLACK);
  wait_pixel (f, 640, 480, 1, 0, BLACK);
}

static void
test_text_window_saved (Fixture *f, gconstpointer data)
{
  Fixture other;

  set_text_mode (f);
  set_letter (f, 0x81);
  fill_screen (f, ' ');
  put_text_silently (f, 0, 0x81);
  set_up (&other, NULL);
  fake_guest_check_saved (f->vga, other.vga);
  wait_pixel (&other, 640, 400, 0, 0, WHITE);
  vmm_device_reset (f->vga);
  g_assert_null (find_text_window (f));
  tear_down (&other, NULL);
}

static void
test_given_away (Fixture *f, gconstpointer data)
{
  VmmFrame frame;

  set_linear_mode (f, 640, 480, 32);
  wait_pixel (f, 640, 480, 0, 0, BLACK);
  vmm_vga_set_shown (f->vga, FALSE);
  vmm_display_show (f->display, NULL);
  set_linear_mode (f, 800, 600, 32);
  fake_guest_settle (f->guest);
  g_assert_false (vmm_display_peek (f->display, &frame) && frame.buffer);
  vmm_vga_set_shown (f->vga, TRUE);
  wait_pixel (f, 800, 600, 0, 0, BLACK);
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  Fixture other;

  set_text_mode (f);
  set_letter (f, 0x81);
  put_text (f, 0, 0, 0x81, 0x1f);
  set_up (&other, NULL);
  fake_guest_check_saved (f->vga, other.vga);
  wait_pixel (&other, 640, 400, 0, 0, WHITE);
  wait_pixel (&other, 640, 400, 1, 0, BLUE);
  tear_down (&other, NULL);
}

/* Whatever is written, something or nothing is shown. */
static void
test_nonsense (Fixture *f, gconstpointer data)
{
  static const guint16 ports[] = { 0x3c0, 0x3c2, 0x3c4, 0x3ce, 0x3d4, 0x3c8, 0x3c9, 0x1ce, 0x1cf };

  for (guint i = 0; i < 30000; i++) {
    guint port = ports[g_test_rand_int_range (0, G_N_ELEMENTS (ports))];

    fake_guest_out (f->guest, port, 2, g_test_rand_int_range (0, 65536));
    fake_guest_write (f->guest, 0xa0000 + g_test_rand_int_range (0, 0x20000), 1, i);
    fake_guest_read (f->guest, 0xa0000 + g_test_rand_int_range (0, 0x20000), 1);
    in (f, 0x3b0 + i % 0x30);
    if (i % 1000 == 0)
      fake_guest_settle (f->guest);
  }
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/vga/text", test_text },
    { "/vga/text-window", test_text_window },
    { "/vga/text-window/closes", test_text_window_closes },
    { "/vga/text-window/saved", test_text_window_saved },
    { "/vga/linear", test_linear },
    { "/vga/colors", test_colors },
    { "/vga/impossible", test_impossible },
    { "/vga/planes", test_planes },
    { "/vga/planar-picture", test_planar_picture },
    { "/vga/given-away", test_given_away },
    { "/vga/saved", test_saved },
    { "/vga/nonsense", test_nonsense },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
