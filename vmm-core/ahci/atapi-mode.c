/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * MODE SENSE (6) and (10): the mode pages of a CD drive (MMC-6, clause 7). None can be changed.
 *
 * Threads: loop, with the controller locked.
 */
#include <string.h>

#include "ahci/atapi-private.h"

#define PAGE_ERROR_RECOVERY 0x01
#define PAGE_AUDIO          0x0e
#define PAGE_CAPABILITIES   0x2a
#define PAGE_ALL            0x3f

#define CONTROL_CHANGEABLE 1
#define CONTROL_SAVED      3

#define MAX_PAGE    32
#define HEADER_6    4
#define HEADER_10   8
#define MEDIUM_NONE 0x70
#define MEDIUM_DATA 0x01

#define RETRIES          5
#define SPEED_KB         5540 /* 4 x DVD, which is 32 x CD */
#define BUFFER_KB        512
#define READS_DISCS      0x3b /* CD-R, CD-RW, DVD-ROM, DVD-R, DVD-RAM */
#define READS_MODES      0x70 /* mode 2, forms 1 and 2; several sessions */
#define MECHANISM_TRAY   0x20
#define MECHANISM_EJECT  0x08
#define MECHANISM_LOCKED 0x02
#define MECHANISM_LOCKS  0x01

static void
put_error_recovery (AtaDrive *self, guint8 *page)
{
  page[3] = RETRIES;
}

static void
put_audio (AtaDrive *self, guint8 *page)
{
  page[2] = 0x04; /* answers at once */
}

static void
put_capabilities (AtaDrive *self, guint8 *page)
{
  page[2] = READS_DISCS;
  page[4] = READS_MODES;
  page[6] = MECHANISM_TRAY | MECHANISM_EJECT | MECHANISM_LOCKS |
            (self->atapi.locked ? MECHANISM_LOCKED : 0);
  atapi_put (page + 8, 2, SPEED_KB);
  atapi_put (page + 12, 2, BUFFER_KB);
  atapi_put (page + 14, 2, SPEED_KB);
}

static const struct {
  guint8 code;
  const char *name;
  guint8 length; /* with its first two bytes */
  void (*put) (AtaDrive *self, guint8 *page);
} pages[] = {
  { PAGE_ERROR_RECOVERY, "Read/Write Error Recovery", 8, put_error_recovery },
  { PAGE_AUDIO, "CD Audio Control", 16, put_audio },
  { PAGE_CAPABILITIES, "MM Capabilities and Mechanical Status", 20, put_capabilities },
};

/* 0: there is no such page. */
static gsize
put_pages (AtaDrive *self, guint8 *at, guint code, gboolean changeable)
{
  gsize length = 0;

  for (guint i = 0; i < G_N_ELEMENTS (pages); i++) {
    guint8 *page = at + length;

    if (code != pages[i].code && code != PAGE_ALL)
      continue;
    page[0] = pages[i].code;
    page[1] = pages[i].length - 2;
    if (!changeable)
      pages[i].put (self, page);
    length += pages[i].length;
  }
  return length;
}

static void
mode_sense (AtaDrive *self, AtaCommand *command, gsize header, gsize allocated)
{
  guint8 reply[HEADER_10 + MAX_PAGE * G_N_ELEMENTS (pages)] = { 0 };
  guint code = command->packet[2] & 0x3f, control = command->packet[2] >> 6;
  guint8 medium = atapi_has_medium (self) ? MEDIUM_DATA : MEDIUM_NONE;
  gsize length;

  if (control == CONTROL_SAVED) {
    atapi_fail (self, command, ATAPI_ILLEGAL_REQUEST, ATAPI_SAVING_NOT_SUPPORTED);
    return;
  }
  length = put_pages (self, reply + header, code, control == CONTROL_CHANGEABLE);
  if (length == 0) {
    atapi_refuse_field (self, command);
    return;
  }
  length += header;
  if (header == HEADER_6) {
    reply[0] = length - 1;
    reply[1] = medium;
  } else {
    atapi_put (reply, 2, length - 2);
    reply[2] = medium;
  }
  atapi_reply (command, reply, length, allocated);
}

void
atapi_mode_sense_6 (AtaDrive *self, AtaCommand *command)
{
  mode_sense (self, command, HEADER_6, command->packet[4]);
}

void
atapi_mode_sense_10 (AtaDrive *self, AtaCommand *command)
{
  mode_sense (self, command, HEADER_10, atapi_get (command->packet + 7, 2));
}
