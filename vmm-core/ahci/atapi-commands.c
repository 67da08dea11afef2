/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The packet commands of a CD drive: the table of all, and those that are about the drive rather
 * than about what a disc holds.
 *
 * Threads: loop, with the controller locked.
 */
#include <string.h>

#include "ahci/atapi-private.h"

#define DEVICE_CD        0x05
#define REMOVABLE        0x80
#define RESPONSE_FORMAT  0x21 /* of ATAPI's INQUIRY */
#define INQUIRY_EVPD     0x01
#define SENSE_CURRENT    0x70
#define START_STOP_START 0x01
#define START_STOP_LOEJ  0x02
#define START_STOP_POWER 0xf0
#define PREVENT          0x01
#define MECHANISM_OPEN   0x10

static void
succeed (AtaDrive *self, AtaCommand *command)
{
  atapi_done (command);
}

/* What failed last; a unit attention that waits, where nothing did. */
static void
request_sense (AtaDrive *self, AtaCommand *command)
{
  Atapi *atapi = &self->atapi;
  guint8 reply[18] = { SENSE_CURRENT };

  if (atapi->sense.key == ATAPI_NO_SENSE && (atapi->attentions & ATAPI_ATTENTION_RESET))
    atapi->sense = (AtapiSense) { ATAPI_UNIT_ATTENTION, ATAPI_WAS_RESET >> 8, 0 };
  else if (atapi->sense.key == ATAPI_NO_SENSE && atapi->attentions)
    atapi->sense = (AtapiSense) { ATAPI_UNIT_ATTENTION, ATAPI_MEDIUM_MAY_HAVE_CHANGED >> 8, 0 };
  if (atapi->sense.key == ATAPI_UNIT_ATTENTION)
    atapi->attentions &=
      atapi->sense.code == ATAPI_WAS_RESET >> 8 ? ~ATAPI_ATTENTION_RESET : ~ATAPI_ATTENTION_MEDIUM;
  reply[2] = atapi->sense.key;
  reply[7] = sizeof reply - 8;
  reply[12] = atapi->sense.code;
  reply[13] = atapi->sense.qualifier;
  atapi->sense = (AtapiSense) { 0 };
  atapi_reply (command, reply, sizeof reply, command->packet[4]);
}

static void
inquiry (AtaDrive *self, AtaCommand *command)
{
  guint8 reply[36] = { DEVICE_CD, REMOVABLE, 0, RESPONSE_FORMAT, sizeof reply - 5 };

  if (command->packet[1] & INQUIRY_EVPD || command->packet[2] != 0) {
    atapi_refuse_field (self, command);
    return;
  }
  memcpy (reply + 8, "VirtDeskCD-ROM          1.0 ", 28);
  atapi_reply (command, reply, sizeof reply, atapi_get (command->packet + 3, 2));
}

static void
start_stop_unit (AtaDrive *self, AtaCommand *command)
{
  guint8 what = command->packet[4];

  if ((what & START_STOP_POWER) || !(what & START_STOP_LOEJ)) {
    atapi_done (command); /* a disc that turns or does not is the same to us */
    return;
  }
  if (what & START_STOP_START) {
    if (self->atapi.tray_open)
      atapi_close_tray (self);
  } else if (self->atapi.locked) {
    atapi_fail (self, command, ATAPI_ILLEGAL_REQUEST, ATAPI_REMOVAL_PREVENTED);
    return;
  } else {
    atapi_open_tray (self);
  }
  atapi_done (command);
}

static void
prevent_allow (AtaDrive *self, AtaCommand *command)
{
  self->atapi.locked = (command->packet[4] & PREVENT) != 0;
  atapi_done (command);
}

static void
seek (AtaDrive *self, AtaCommand *command)
{
  if (atapi_get (command->packet + 2, 4) >= atapi_get_n_blocks (self))
    atapi_fail (self, command, ATAPI_ILLEGAL_REQUEST, ATAPI_BLOCK_OUT_OF_RANGE);
  else
    atapi_done (command);
}

static void
mechanism_status (AtaDrive *self, AtaCommand *command)
{
  guint8 reply[8] = { 0 };

  reply[1] = self->atapi.tray_open ? MECHANISM_OPEN : 0;
  reply[5] = 1; /* slot, which has no table */
  atapi_reply (command, reply, sizeof reply, atapi_get (command->packet + 8, 2));
}

/* Big enough for any image: READ CAPACITY's answer with a header. */
static void
read_format_capacities (AtaDrive *self, AtaCommand *command)
{
  guint8 reply[12] = { 0, 0, 0, 8 };

  if (atapi_has_medium (self))
    atapi_put (reply + 4, 4, atapi_get_n_blocks (self));
  reply[8] = atapi_has_medium (self) ? 2 : 3; /* formatted; no medium */
  atapi_put (reply + 9, 3, ATAPI_BLOCK);
  atapi_reply (command, reply, sizeof reply, atapi_get (command->packet + 7, 2));
}

const AtapiOperation atapi_operations[256] = {
  [0x00] = { "TEST UNIT READY", succeed, ATAPI_NEEDS_MEDIUM },
  [0x03] = { "REQUEST SENSE", request_sense, ATAPI_ALWAYS },
  [0x12] = { "INQUIRY", inquiry, ATAPI_ALWAYS },
  [0x1a] = { "MODE SENSE (6)", atapi_mode_sense_6, 0 },
  [0x1b] = { "START STOP UNIT", start_stop_unit, 0 },
  [0x1e] = { "PREVENT ALLOW MEDIUM REMOVAL", prevent_allow, 0 },
  [0x23] = { "READ FORMAT CAPACITIES", read_format_capacities, 0 },
  [0x25] = { "READ CAPACITY", atapi_read_capacity, ATAPI_NEEDS_MEDIUM },
  [0x28] = { "READ (10)", atapi_read, ATAPI_NEEDS_MEDIUM },
  [0x2b] = { "SEEK (10)", seek, ATAPI_NEEDS_MEDIUM },
  [0x35] = { "SYNCHRONIZE CACHE", succeed, ATAPI_NEEDS_MEDIUM },
  [0x42] = { "READ SUB-CHANNEL", atapi_read_subchannel, ATAPI_NEEDS_MEDIUM },
  [0x43] = { "READ TOC/PMA/ATIP", atapi_read_toc, ATAPI_NEEDS_MEDIUM },
  [0x46] = { "GET CONFIGURATION", atapi_get_configuration, ATAPI_ALWAYS },
  [0x4a] = { "GET EVENT STATUS NOTIFICATION", atapi_get_event_status, ATAPI_ALWAYS },
  [0x51] = { "READ DISC INFORMATION", atapi_read_disc_information, ATAPI_NEEDS_MEDIUM },
  [0x52] = { "READ TRACK INFORMATION", atapi_read_track_information, ATAPI_NEEDS_MEDIUM },
  [0x5a] = { "MODE SENSE (10)", atapi_mode_sense_10, 0 },
  [0xa8] = { "READ (12)", atapi_read, ATAPI_NEEDS_MEDIUM },
  [0xbb] = { "SET CD SPEED", succeed, 0 },
  [0xbd] = { "MECHANISM STATUS", mechanism_status, 0 },
  [0xbe] = { "READ CD", atapi_read_cd, ATAPI_NEEDS_MEDIUM },
};
