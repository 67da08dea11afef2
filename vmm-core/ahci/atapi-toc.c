/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * READ TOC/PMA/ATIP (MMC-6, 6.25): one track of data and the lead-out behind it, in each of the
 * forms that are asked for.
 *
 * Threads: loop, with the controller locked.
 */
#include <string.h>

#include "ahci/atapi-private.h"

#define MSF               0x02 /* in the packet: addresses as minute, second, frame */
#define FRAMES_PER_SECOND 75
#define LEAD_IN_FRAMES    150

#define POSITION_DATA  0x14 /* ADR and Control of a track of data */
#define LEAD_OUT       0xaa
#define POINT_FIRST    0xa0 /* of the raw table: first and last track, lead-out */
#define POINT_LAST     0xa1
#define POINT_LEAD_OUT 0xa2
#define DISC_TYPE_DATA 0x00

enum {
  FORMAT_TOC = 0,
  FORMAT_SESSION = 1,
  FORMAT_RAW = 2,
};

void
atapi_put_address (guint8 *bytes, guint32 block, gboolean msf)
{
  guint64 frames = (guint64) block + LEAD_IN_FRAMES;

  if (!msf) {
    atapi_put (bytes, 4, block);
    return;
  }
  bytes[0] = 0;
  bytes[1] = MIN (frames / FRAMES_PER_SECOND / 60, G_MAXUINT8);
  bytes[2] = frames / FRAMES_PER_SECOND % 60;
  bytes[3] = frames % FRAMES_PER_SECOND;
}

static gsize
put_track (guint8 *at, guint8 track, guint32 block, gboolean msf)
{
  at[1] = POSITION_DATA;
  at[2] = track;
  atapi_put_address (at + 4, block, msf);
  return 8;
}

/* 0: there is no track @first. */
static gsize
put_toc (AtaDrive *self, guint8 *reply, guint first, gboolean msf)
{
  gsize length = 4;

  if (first > 1 && first != LEAD_OUT)
    return 0;
  reply[2] = reply[3] = 1; /* first and last track */
  if (first <= 1)
    length += put_track (reply + length, 1, 0, msf);
  return length + put_track (reply + length, LEAD_OUT, atapi_get_n_blocks (self), msf);
}

static gsize
put_session (guint8 *reply, gboolean msf)
{
  reply[2] = reply[3] = 1; /* first and last session */
  return 4 + put_track (reply + 4, 1, 0, msf);
}

static gsize
put_point (guint8 *at, guint8 point, guint8 minute, guint8 second, guint8 frame)
{
  at[0] = 1; /* session */
  at[1] = POSITION_DATA;
  at[3] = point;
  at[8] = minute;
  at[9] = second;
  at[10] = frame;
  return 11;
}

/* 0: there is no session @first. */
static gsize
put_raw (AtaDrive *self, guint8 *reply, guint first)
{
  guint8 end[4], start[4];
  gsize length = 4;

  if (first > 1)
    return 0;
  atapi_put_address (start, 0, TRUE);
  atapi_put_address (end, atapi_get_n_blocks (self), TRUE);
  reply[2] = reply[3] = 1;
  length += put_point (reply + length, POINT_FIRST, 1, DISC_TYPE_DATA, 0);
  length += put_point (reply + length, POINT_LAST, 1, 0, 0);
  length += put_point (reply + length, POINT_LEAD_OUT, end[1], end[2], end[3]);
  return length + put_point (reply + length, 1, start[1], start[2], start[3]);
}

void
atapi_read_toc (AtaDrive *self, AtaCommand *command)
{
  const guint8 *packet = command->packet;
  gboolean msf = (packet[1] & MSF) != 0;
  guint format = packet[2] & 0x0f;
  guint8 reply[64] = { 0 };
  gsize length = 0;

  if (format == 0)
    format = packet[9] >> 6; /* where ATAPI had it first */
  if (format == FORMAT_TOC)
    length = put_toc (self, reply, packet[6], msf);
  else if (format == FORMAT_SESSION)
    length = put_session (reply, msf);
  else if (format == FORMAT_RAW)
    length = put_raw (self, reply, packet[6]);
  if (length == 0) {
    atapi_refuse_field (self, command);
    return;
  }
  atapi_put (reply, 2, length - 2);
  atapi_reply (command, reply, length, atapi_get (packet + 7, 2));
}
