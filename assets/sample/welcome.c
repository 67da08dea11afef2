/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sample machine's greeting: paints a landscape over the upper part of the
 * frame buffer and leaves the rows below to the shell (the terminal scrolls only
 * there). Runs in the guest, statically linked, once, before the shell.
 */
#include <fcntl.h>
#include <linux/fb.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct {
  double r, g, b;
} Color;

static const Color sky_top = { 0.09, 0.11, 0.28 }, sky_low = { 0.98, 0.62, 0.42 };
static const Color sun = { 1.00, 0.90, 0.68 };
static const Color near_hill = { 0.07, 0.09, 0.18 }, far_hill = { 0.62, 0.42, 0.52 };

static Color
mix (Color a, Color b, double t)
{
  t = t < 0 ? 0 : t > 1 ? 1 : t;
  return (Color) { a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t };
}

static uint32_t
pack (Color c)
{
  return (uint32_t) (c.r * 255) << 16 | (uint32_t) (c.g * 255) << 8 | (uint32_t) (c.b * 255);
}

/* Height of the ridge number @layer (0 is the farthest) at @x, both as parts of the picture. */
static double
ridge (int layer, double x)
{
  double roughness = 0.16 - 0.018 * layer, base = 0.46 + 0.125 * layer, sum = 0, weight = 1;
  double phase = 1.7 * layer + 0.4, wave = 2.1 + layer;

  for (int octave = 0; octave < 5; octave++) {
    sum += weight * sin (x * wave + phase);
    weight *= 0.48;
    wave *= 2.07;
    phase += 2.3;
  }
  return base - roughness * sum * 0.62;
}

static Color
sky (double x, double y, double aspect)
{
  double dx = (x - 0.68) * aspect, dy = y - 0.40, distance = sqrt (dx * dx + dy * dy);
  Color color = mix (sky_top, sky_low, pow (y / 0.72, 1.5));

  color = mix (color, sun, 0.55 * exp (-distance * 5));
  return mix (color, sun, (0.093 - distance) * 220);
}

static void
paint (uint8_t *pixels, const struct fb_fix_screeninfo *fix, unsigned width, unsigned height)
{
  enum { LAYERS = 5 };

  for (unsigned px = 0; px < width; px++) {
    double x = (double) px / width, tops[LAYERS];

    for (int i = 0; i < LAYERS; i++)
      tops[i] = ridge (i, x);
    for (unsigned py = 0; py < height; py++) {
      double y = (double) py / height;
      Color color = sky (x, y, (double) width / height);

      for (int i = 0; i < LAYERS; i++)
        if (y > tops[i]) /* a little mist at the foot of each ridge */
          color = mix (mix (far_hill, near_hill, i / (LAYERS - 1.0)), sky_low,
                       0.5 * (y - tops[i]) * (1 - i / (LAYERS - 1.0)));
      *(uint32_t *) (pixels + py * fix->line_length + px * 4) = pack (color);
    }
  }
}

int
main (void)
{
  struct fb_var_screeninfo var;
  struct fb_fix_screeninfo fix;
  struct winsize size = { 0 };
  int fd = open ("/dev/fb0", O_RDWR);
  unsigned rows, picture_rows, cell;
  uint8_t *pixels;

  if (fd < 0 || ioctl (fd, FBIOGET_VSCREENINFO, &var) || ioctl (fd, FBIOGET_FSCREENINFO, &fix) ||
      var.bits_per_pixel != 32 || ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_row < 8)
    return 1; /* no such screen: the shell has it all */

  rows = size.ws_row;
  cell = var.yres / rows;
  picture_rows = rows * 11 / 20;
  printf ("\033[2J\033[%u;%ur\033[%u;1H", picture_rows + 2, rows, picture_rows + 2);
  fflush (stdout);

  pixels = mmap (NULL, fix.smem_len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (pixels == MAP_FAILED)
    return 1;
  paint (pixels, &fix, var.xres, picture_rows * cell);
  return 0;
}
