/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Offloads in software: what a sender left to do and the receiver does not take: checksums and
 * segmentation of TCP and UDP over IPv4 and IPv6 (virtio 1.2, 5.1.6.2 and 5.1.6.4). Frames and
 * headers are a guest's and hostile.
 *
 * Threads: any.
 */
#pragma once

#include "net/vmm-net.h"

G_BEGIN_DECLS

/* More pieces of one frame are refused: a guest would have us send a million for one of its own. */
#define VMM_NET_MAX_SEGMENTS 2048

/* Where the parts of a TCP or UDP frame are, in bytes from its start. */
typedef struct {
  guint network;   /* the IP header */
  guint transport; /* the TCP or UDP header */
  guint payload;
  guint8 version;  /* 4 or 6 */
  guint8 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
} VmmNetLayout;

/* FALSE for any other frame, for fragments and for what is cut short. */
gboolean vmm_net_layout (const guint8 *frame, gsize length, VmmNetLayout *layout);

/* Whether a header makes sense for a frame of @length bytes and asks for no more than @offered. */
gboolean vmm_net_header_is_good (const VmmNetHeader *header, gsize length, guint offered);

/* The Internet checksum: sum, fold, complement. An odd length ends a sum. */
guint64 vmm_net_sum (guint64 sum, const void *bytes, gsize length);
guint16 vmm_net_fold (guint64 sum);
/* The sum of the pseudo-header for @length bytes behind the IP header. */
guint64 vmm_net_pseudo_sum (const guint8 *frame, const VmmNetLayout *layout, gsize length);

/* Completes the checksum that the header left over, in place. The header is good. */
void vmm_net_complete (const VmmNetHeader *header, guint8 *frame, gsize length);

/* Takes one frame: a header and what is behind it. FALSE ends the work. */
typedef gboolean (*VmmNetFrameFunc) (gpointer data, const struct iovec *iov, guint n);

/* Gives @func what a receiver that takes @taken may have: the frame itself, with its checksum, or
 * its segments. @frame may be changed. A frame that cannot be cut is lost; FALSE where @func ended
 * the work. */
gboolean vmm_net_resolve (const VmmNetHeader *header,
                          guint8 *frame,
                          gsize length,
                          guint taken,
                          VmmNetFrameFunc func,
                          gpointer data);

G_END_DECLS
