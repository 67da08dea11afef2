/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of virtio-gpu share: a device with a screen, and a driver that speaks to it in
 * words of 32 bits.
 *
 * Threads: the test's.
 */
#pragma once

#include "fake-guest.h"
#include "vmm-display.h"

G_BEGIN_DECLS

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
} GpuTest;

void gpu_test_set_up (GpuTest *f, gconstpointer data);
void gpu_test_tear_down (GpuTest *f, gconstpointer data);
VmmDevice *gpu_test_new_device (FakeGuest *guest, VmmDisplay *display);
/* Sends a request of 32-bit words behind a header; returns the answer's type. */
guint32 gpu_test_send (GpuTest *f, guint queue, guint32 type, const guint32 *words, guint n);
/* Bytes that were copied for the screen so far. */
guint64 gpu_test_get_copied (GpuTest *f);
/* That a viewer is told of this rectangle. */
void gpu_test_check_damage (GpuTest *f, int x, int y, int width, int height);
/* A pixel of the screen as it is now, or of a frame. */
guint32 gpu_test_pixel (GpuTest *f, guint x, guint y);
guint32 gpu_test_pixel_of (const VmmFrame *frame, guint x, guint y);
/* That the screen is off. */
void gpu_test_check_off (GpuTest *f);
guint32 *gpu_test_guest_pixels (GpuTest *f);
/* Guest pixels that say where they are. */
void gpu_test_paint (GpuTest *f, guint n);
/* Image 1, 100 x 50, in two runs of memory that are not side by side. */
void gpu_test_make_image (GpuTest *f);
guint32 gpu_test_create_blob (GpuTest *f, guint32 id, guint64 address, guint32 size);
guint32 gpu_test_show_blob (GpuTest *f,
                            guint32 id,
                            guint32 width,
                            guint32 height,
                            guint32 stride,
                            guint32 offset);

typedef struct {
  const char *name;
  void (*run) (GpuTest *f, gconstpointer data);
} GpuTestCase;

/* Each on a fixture of its own, after g_test_init; what main returns. */
int gpu_test_run_all (const GpuTestCase *tests, guint n_tests);

#define SEND(f, type, ...)                                                                         \
  gpu_test_send (f, CONTROL, type, (const guint32[]) { __VA_ARGS__ },                              \
                 sizeof ((const guint32[]) { __VA_ARGS__ }) / 4)
#define SEND_CURSOR(f, type, ...)                                                                  \
  gpu_test_send (f, CURSOR, type, (const guint32[]) { __VA_ARGS__ },                               \
                 sizeof ((const guint32[]) { __VA_ARGS__ }) / 4)

G_END_DECLS
