/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a disc holds: its blocks, how many they are, and that they are one track of data in one
 * session. (Its table of contents is in atapi-toc.c.)
 *
 * Threads: loop, with the controller locked.
 */
#include "ahci/atapi-private.h"

#define CODE_READ_10 0x28

/* READ CD */
#define EXPECTED_TYPE(packet) ((packet)[1] >> 2 & 7)
#define MAIN_CHANNEL(packet)  ((packet)[9] & 0xf8)
#define SUB_CHANNEL(packet)   ((packet)[10] & 7)
#define CHANNEL_NONE          0x00
#define CHANNEL_USER_DATA     0x10
#define TYPE_ANY              0
#define TYPE_MODE_1           2

#define TRACK_DATA        0x04 /* Control: data, not to be copied */
#define ADR_POSITION      0x10
#define DISC_COMPLETE     0x0e /* and its last session too */
#define DISC_CD_ROM       0x00
#define DISC_UNRESTRICTED 0x20
#define MODE_1            0x01
#define AUDIO_NO_STATUS   0x15

static void
read_blocks (AtaDrive *self, AtaCommand *command, guint32 lba, guint32 count)
{
  guint32 n_blocks = atapi_get_n_blocks (self);

  if (lba > n_blocks || count > n_blocks - lba) {
    atapi_fail (self, command, ATAPI_ILLEGAL_REQUEST, ATAPI_BLOCK_OUT_OF_RANGE);
    return;
  }
  command->out.count = ATAPI_REASON_COMMAND | ATAPI_REASON_TO_HOST;
  ata_command_read (command, (guint64) lba << ATAPI_BLOCK_SHIFT,
                    (guint64) count << ATAPI_BLOCK_SHIFT);
}

void
atapi_read (AtaDrive *self, AtaCommand *command)
{
  const guint8 *packet = command->packet;
  gboolean is_10 = packet[0] == CODE_READ_10;

  read_blocks (self, command, atapi_get (packet + 2, 4),
               is_10 ? atapi_get (packet + 7, 2) : atapi_get (packet + 6, 4));
}

/* An image has the user data and nothing of what surrounds it on a disc. */
void
atapi_read_cd (AtaDrive *self, AtaCommand *command)
{
  const guint8 *packet = command->packet;
  guint type = EXPECTED_TYPE (packet), channel = MAIN_CHANNEL (packet);

  if ((type != TYPE_ANY && type != TYPE_MODE_1) || SUB_CHANNEL (packet) != 0 ||
      (channel != CHANNEL_NONE && channel != CHANNEL_USER_DATA)) {
    atapi_refuse_field (self, command);
    return;
  }
  read_blocks (self, command, atapi_get (packet + 2, 4),
               channel == CHANNEL_NONE ? 0 : atapi_get (packet + 6, 3));
}

void
atapi_read_capacity (AtaDrive *self, AtaCommand *command)
{
  guint8 reply[8];

  atapi_put (reply, 4, atapi_get_n_blocks (self) - 1);
  atapi_put (reply + 4, 4, ATAPI_BLOCK);
  atapi_reply (command, reply, sizeof reply, sizeof reply);
}

void
atapi_read_disc_information (AtaDrive *self, AtaCommand *command)
{
  guint8 reply[34] = { 0 };

  if ((command->packet[1] & 7) != 0) {
    atapi_refuse_field (self, command);
    return;
  }
  atapi_put (reply, 2, sizeof reply - 2);
  reply[2] = DISC_COMPLETE;
  reply[3] = 1; /* first track */
  reply[4] = 1; /* sessions */
  reply[5] = 1; /* first and last track of the last session */
  reply[6] = 1;
  reply[7] = DISC_UNRESTRICTED;
  reply[8] = DISC_CD_ROM;
  atapi_reply (command, reply, sizeof reply, atapi_get (command->packet + 7, 2));
}

/* Of the only track, by whatever it is named. */
void
atapi_read_track_information (AtaDrive *self, AtaCommand *command)
{
  guint8 reply[36] = { 0 };
  guint by = command->packet[1] & 3;
  guint32 which = atapi_get (command->packet + 2, 4);

  if ((by == 0 && which >= atapi_get_n_blocks (self)) || (by != 0 && which != 1)) {
    atapi_refuse_field (self, command);
    return;
  }
  atapi_put (reply, 2, sizeof reply - 2);
  reply[2] = 1; /* track */
  reply[3] = 1; /* session */
  reply[5] = TRACK_DATA;
  reply[6] = MODE_1;
  atapi_put (reply + 24, 4, atapi_get_n_blocks (self));
  atapi_reply (command, reply, sizeof reply, atapi_get (command->packet + 7, 2));
}

/* Nothing plays: the status says so, and the position is the disc's beginning. */
void
atapi_read_subchannel (AtaDrive *self, AtaCommand *command)
{
  gboolean msf = (command->packet[1] & 0x02) != 0, sub_q = (command->packet[2] & 0x40) != 0;
  guint format = command->packet[3];
  guint8 reply[24] = { 0, AUDIO_NO_STATUS };
  gsize length = 4;

  if (sub_q && (format == 0 || format > 3)) {
    atapi_refuse_field (self, command);
    return;
  }
  if (sub_q) {
    length = format == 1 ? 16 : 24;
    atapi_put (reply + 2, 2, length - 4);
    reply[4] = format;
    if (format == 1) {
      reply[5] = ADR_POSITION | TRACK_DATA;
      reply[6] = 1; /* track */
      reply[7] = 1; /* index */
      atapi_put_address (reply + 8, 0, msf);
      atapi_put_address (reply + 12, 0, msf);
    }
  }
  atapi_reply (command, reply, length, atapi_get (command->packet + 7, 2));
}
