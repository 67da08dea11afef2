/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VESA E-EDID 1.4, one block.
 *
 * Threads: any.
 */
#include <string.h>

#include "virtio/gpu-edid.h"

#define REFRESH_HZ    60
#define H_BLANK       160 /* CVT with reduced blanking */
#define H_FRONT       48
#define H_SYNC        32
#define V_BLANK       35
#define V_FRONT       3
#define V_SYNC        6
#define MAX_CLOCK     65535 /* in units of 10 kHz */
#define DPI           96
#define DETAILED      54
#define DETAILED_SIZE 18
#define CHECKSUM      127

/* The standard timings: (width / 8 - 31), aspect << 6 | (refresh - 60). */
#define STANDARD(width, aspect) (width) / 8 - 31, (aspect) << 6
#define ASPECT_16_10            0
#define ASPECT_5_4              2
#define ASPECT_16_9             3

static guint
millimetres (guint pixels)
{
  return pixels * 254 / 10 / DPI;
}

/* Low eight bits of each in a byte of its own, the next four of both in a third. */
static void
put_pair (guint8 *low_a, guint8 *low_b, guint8 *high, guint a, guint b)
{
  *low_a = a;
  *low_b = b;
  *high = (a >> 8 & 0x0f) << 4 | (b >> 8 & 0x0f);
}

static void
put_timing (guint8 *to, guint width, guint height)
{
  guint clock = (width + H_BLANK) * (height + V_BLANK) / 100 * REFRESH_HZ / 100;

  clock = MIN (clock, MAX_CLOCK);
  to[0] = clock;
  to[1] = clock >> 8;
  put_pair (&to[2], &to[3], &to[4], width, H_BLANK);
  put_pair (&to[5], &to[6], &to[7], height, V_BLANK);
  to[8] = H_FRONT;
  to[9] = H_SYNC;
  to[10] = V_FRONT << 4 | V_SYNC;
  put_pair (&to[12], &to[13], &to[14], millimetres (width), millimetres (height));
  to[17] = 0x1a; /* digital, separate sync, horizontal positive */
}

static void
put_name (guint8 *to, const char *name)
{
  to[3] = 0xfc;
  memset (to + 5, ' ', 13);
  memcpy (to + 5, name, strlen (name));
  to[5 + strlen (name)] = '\n';
}

static void
put_dummy (guint8 *to)
{
  to[3] = 0x10;
}

void
gpu_edid_fill (guint8 *edid, guint width, guint height)
{
  static const guint8 start[] = {
    0x00,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0x00, /* header */
    0x58,
    0x8b, /* VDK */
    0x01,
    0x00,
    0x01,
    0x00,
    0x00,
    0x00, /* product, serial */
    0x01,
    0x24,
    0x01,
    0x04, /* made 2026, EDID 1.4 */
    0xa5,
    0x00,
    0x00,
    0x78,
    0x06, /* digital, 8 bits; sRGB, timing 1 preferred */
    0xee,
    0x91,
    0xa3,
    0x54,
    0x4c,
    0x99,
    0x26,
    0x0f,
    0x50,
    0x54, /* sRGB's colours */
    0x21,
    0x08,
    0x00, /* 640x480, 800x600, 1024x768 */
    STANDARD (1280, ASPECT_16_9),
    STANDARD (1280, ASPECT_16_10),
    STANDARD (1280, ASPECT_5_4),
    STANDARD (1440, ASPECT_16_10),
    STANDARD (1600, ASPECT_16_9),
    STANDARD (1680, ASPECT_16_10),
    STANDARD (1920, ASPECT_16_9),
    STANDARD (1920, ASPECT_16_10),
  };
  guint8 sum = 0;

  G_STATIC_ASSERT (sizeof start == DETAILED);

  memset (edid, 0, GPU_EDID_SIZE);
  memcpy (edid, start, sizeof start);
  edid[21] = millimetres (width) / 10;
  edid[22] = millimetres (height) / 10;
  put_timing (edid + DETAILED, width, height);
  put_name (edid + DETAILED + DETAILED_SIZE, "VirtDesk");
  put_dummy (edid + DETAILED + 2 * DETAILED_SIZE);
  put_dummy (edid + DETAILED + 3 * DETAILED_SIZE);
  for (guint i = 0; i < CHECKSUM; i++)
    sum += edid[i];
  edid[CHECKSUM] = -sum;
}
