/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A fake guest with one of each device in it, for fuzz targets: made once, reset between inputs.
 */
#pragma once

#include "block/vmm-block.h"
#include "fake-guest.h"
#include "vmm-display.h"
#include "vmm-input.h"

G_BEGIN_DECLS

typedef enum {
  FAKE_BLK,
  FAKE_RNG,
  FAKE_CONSOLE,
  FAKE_GPU,
  FAKE_KEYBOARD,
  FAKE_TABLET,
  FAKE_BALLOON,
  FAKE_CHANNEL, /* one, that a client may connect to */
  FAKE_N_VIRTIO,
  FAKE_SERIAL = FAKE_N_VIRTIO,
  FAKE_PM,
  FAKE_RTC,
  FAKE_I8042,
  FAKE_DEBUG_EXIT,
  FAKE_XHCI, /* a keyboard on port 1, a tablet on port 2 */
  FAKE_AHCI, /* a disk on port 0, a CD drive on port 1 */
  FAKE_NET,
  FAKE_PORT, /* a root port, and what stands behind it */
  FAKE_CARD,
  FAKE_N_DEVICES,
} FakeDeviceKind;

typedef struct {
  FakeGuest *guest;
  VmmDisplay *display;
  VmmInput *input;
  VmmDevice *devices[FAKE_N_DEVICES];
  VmmBlock *disc;     /* of the CD drive */
  int channel_fd;     /* the channel's socket */
  guint64 first_free; /* guest memory, before any driver took some */
} FakeDevices;

FakeDevices *fake_devices_new (void);
/* As new: devices, memory, notes. */
void fake_devices_reset (FakeDevices *self);

/* The input of a fuzz target, read from its front; zeroes behind its end. */
typedef struct {
  const guint8 *at;
  gsize left;
} FuzzReader;

void fuzz_reader_read (FuzzReader *self, gpointer to, gsize size);
guint8 fuzz_reader_u8 (FuzzReader *self);
guint16 fuzz_reader_u16 (FuzzReader *self);
guint32 fuzz_reader_u32 (FuzzReader *self);
guint64 fuzz_reader_u64 (FuzzReader *self);

G_END_DECLS
