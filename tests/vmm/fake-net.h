/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A back end for network cards that keeps what is sent and gives what it is told to give; and
 * frames to send.
 *
 * Threads: the test's; the loop of the net's owner runs beside it.
 */
#pragma once

#include "net/vmm-net.h"

G_BEGIN_DECLS

typedef struct {
  VmmNet net;
  GPtrArray *sent; /* GBytes: header and frame */
  gboolean blocked;
  guint n_flushed, n_rooms, taken, n_pairs;
} FakeNet;

FakeNet *fake_net_new (VmmLoop *loop, guint offloads);
/* Gives the guest a frame, on the loop; whether it had room. */
gboolean fake_net_give (FakeNet *self, guint queue, gconstpointer bytes, gsize size);
/* It takes frames again, on the loop. */
void fake_net_unblock (FakeNet *self);

/* Ethernet, IP and TCP or UDP with @payload bytes that count up from 0; the checksum holds the sum
 * of the pseudo-header, as one that is left to others does. @tags VLAN tags are in front. */
typedef struct {
  guint8 version; /* 4 or 6 */
  guint8 protocol;
  guint tags, payload;
  gboolean options; /* in all headers */
} FakeFrameKind;

typedef struct {
  gsize length, network, transport, payload;
  guint8 bytes[65536 + 256];
} FakeFrame;

FakeFrame *fake_frame_new (const FakeFrameKind *kind);
/* That the IP header's sum, where there is one, and that of TCP or UDP are right, and the lengths.
 */
void fake_frame_check (const guint8 *frame, gsize length);

G_END_DECLS
