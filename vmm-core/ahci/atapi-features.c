/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GET CONFIGURATION (MMC-6, 6.6, features of clause 5) and GET EVENT STATUS NOTIFICATION (6.7):
 * what the drive can do with the disc that is in it, and what has happened to it.
 *
 * Threads: loop, with the controller locked.
 */
#include <string.h>

#include "ahci/atapi-private.h"

#define PROFILE_NONE    0x0000
#define PROFILE_CD_ROM  0x0008
#define PROFILE_DVD_ROM 0x0010
/* What is longer than a CD can be is a DVD: 80 minutes. */
#define MAX_CD_BLOCKS (80 * 60 * 75)

#define FEATURE_PROFILE_LIST 0x0000
#define FEATURE_CORE         0x0001
#define FEATURE_REMOVABLE    0x0003
#define FEATURE_READABLE     0x0010
#define FEATURE_MULTI_READ   0x001d
#define FEATURE_CD_READ      0x001e
#define FEATURE_DVD_READ     0x001f
#define FEATURE_POWER        0x0100

#define PERSISTENT      0x02
#define CURRENT         0x01
#define REQUEST_ALL     0
#define REQUEST_CURRENT 1
#define REQUEST_ONE     2
#define FEATURES_HEADER 8
#define MAX_FEATURE     12

#define POLLED          0x01
#define CLASS_MEDIA     4
#define CLASSES         (1 << CLASS_MEDIA)
#define NO_EVENT        0x80
#define MEDIA_PRESENT   0x02
#define MEDIA_TRAY_OPEN 0x01

static guint16
current_profile (AtaDrive *self)
{
  if (!atapi_has_medium (self))
    return PROFILE_NONE;
  return atapi_get_n_blocks (self) > MAX_CD_BLOCKS ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
}

static const struct {
  guint16 code;
  const char *name;
  guint8 version_flags; /* version at bit 2, persistent */
  guint16 profile;      /* current with a disc of this profile; PROFILE_NONE: always */
  guint8 length;
  guint8 data[8];
} features[] = {
  { FEATURE_PROFILE_LIST,
    "Profile List",
    PERSISTENT,
    PROFILE_NONE,
    8,
    { PROFILE_DVD_ROM >> 8, PROFILE_DVD_ROM, 0, 0, PROFILE_CD_ROM >> 8, PROFILE_CD_ROM, 0, 0 } },
  { FEATURE_CORE, "Core", 2 << 2 | PERSISTENT, PROFILE_NONE, 8, { 0, 0, 0, 2, 1 } }, /* ATAPI */
  { FEATURE_REMOVABLE, "Removable Medium", 1 << 2 | PERSISTENT, PROFILE_NONE, 4, { 0x29 } },
  { FEATURE_READABLE,
    "Random Readable",
    PERSISTENT,
    PROFILE_NONE,
    8,
    { 0, 0, ATAPI_BLOCK >> 8, 0, 0, 16, 0 } },
  { FEATURE_MULTI_READ, "Multi-Read", 0, PROFILE_CD_ROM, 0, { 0 } },
  { FEATURE_CD_READ, "CD Read", 2 << 2, PROFILE_CD_ROM, 4, { 0 } },
  { FEATURE_DVD_READ, "DVD Read", 0, PROFILE_DVD_ROM, 0, { 0 } },
  { FEATURE_POWER, "Power Management", PERSISTENT, PROFILE_NONE, 0, { 0 } },
};

/* Returns its length; in the list of profiles the current one is marked. */
static gsize
put_feature (guint8 *at, guint i, guint16 profile, gboolean current)
{
  atapi_put (at, 2, features[i].code);
  at[2] = features[i].version_flags | (current ? CURRENT : 0);
  at[3] = features[i].length;
  memcpy (at + 4, features[i].data, features[i].length);
  for (guint n = 0; features[i].code == FEATURE_PROFILE_LIST && n < features[i].length; n += 4)
    at[4 + n + 2] = atapi_get (at + 4 + n, 2) == profile ? CURRENT : 0;
  return 4 + features[i].length;
}

void
atapi_get_configuration (AtaDrive *self, AtaCommand *command)
{
  guint8 reply[FEATURES_HEADER + MAX_FEATURE * G_N_ELEMENTS (features)] = { 0 };
  guint request = command->packet[1] & 3, first = atapi_get (command->packet + 2, 2);
  guint16 profile = current_profile (self);
  gsize length = FEATURES_HEADER;

  for (guint i = 0; i < G_N_ELEMENTS (features); i++) {
    gboolean current = features[i].profile == PROFILE_NONE || features[i].profile == profile;
    gboolean wanted =
      request == REQUEST_ONE ? features[i].code == first : features[i].code >= first;

    if (wanted && (current || request != REQUEST_CURRENT))
      length += put_feature (reply + length, i, profile, current);
  }
  atapi_put (reply, 4, length - 4);
  atapi_put (reply + 6, 2, profile);
  atapi_reply (command, reply, length, atapi_get (command->packet + 7, 2));
}

void
atapi_get_event_status (AtaDrive *self, AtaCommand *command)
{
  guint8 reply[8] = { 0, 2, NO_EVENT, CLASSES };
  gsize length = 4;

  if (!(command->packet[1] & POLLED)) { /* we do not tell by ourselves */
    atapi_refuse_field (self, command);
    return;
  }
  if (command->packet[4] & CLASSES) {
    length = 8;
    reply[1] = length - 2;
    reply[2] = CLASS_MEDIA;
    reply[4] = self->atapi.media_event;
    reply[5] =
      (self->atapi.tray_open ? MEDIA_TRAY_OPEN : 0) | (atapi_has_medium (self) ? MEDIA_PRESENT : 0);
    self->atapi.media_event = ATAPI_EVENT_NONE;
  }
  atapi_reply (command, reply, length, atapi_get (command->packet + 7, 2));
}
