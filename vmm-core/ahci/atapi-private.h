/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The CD drive inside: shared between atapi.c (packets, sense, the tray), atapi-commands.c (the
 * table of commands and the small ones), atapi-disc.c (what a disc holds) and atapi-mode.c (what
 * the drive can do). Names are those of MMC-6 and SPC-3.
 *
 * Threads: loop, with the controller locked.
 */
#pragma once

#include "ahci/ata-command.h"
#include "ahci/ata-drive.h"

G_BEGIN_DECLS

#define ATAPI_BLOCK       2048
#define ATAPI_BLOCK_SHIFT 11

/* Sense keys. */
enum {
  ATAPI_NO_SENSE = 0x0,
  ATAPI_NOT_READY = 0x2,
  ATAPI_MEDIUM_ERROR = 0x3,
  ATAPI_ILLEGAL_REQUEST = 0x5,
  ATAPI_UNIT_ATTENTION = 0x6,
};

/* Additional sense codes, with their qualifiers in the lower byte. */
enum {
  ATAPI_UNRECOVERED_READ_ERROR = 0x1100,
  ATAPI_INVALID_COMMAND = 0x2000,
  ATAPI_BLOCK_OUT_OF_RANGE = 0x2100,
  ATAPI_INVALID_FIELD = 0x2400,
  ATAPI_MEDIUM_MAY_HAVE_CHANGED = 0x2800,
  ATAPI_WAS_RESET = 0x2900,
  ATAPI_SAVING_NOT_SUPPORTED = 0x3900,
  ATAPI_NO_MEDIUM_TRAY_CLOSED = 0x3a01,
  ATAPI_NO_MEDIUM_TRAY_OPEN = 0x3a02,
  ATAPI_REMOVAL_PREVENTED = 0x5302,
};

/* Unit attentions that wait, the one told first at the lower bit. */
enum {
  ATAPI_ATTENTION_RESET = 0x01,
  ATAPI_ATTENTION_MEDIUM = 0x02,
};

/* Media events of GET EVENT STATUS NOTIFICATION. */
enum {
  ATAPI_EVENT_NONE = 0,
  ATAPI_EVENT_EJECT_REQUEST = 1,
  ATAPI_EVENT_NEW_MEDIA = 2,
  ATAPI_EVENT_MEDIA_REMOVAL = 3,
};

/* One command of the drive's table. */
typedef struct {
  const char *name; /* NULL: unknown */
  void (*execute) (AtaDrive *self, AtaCommand *command);
  guint flags;
} AtapiOperation;

enum {
  ATAPI_ALWAYS = 0x1,       /* a unit attention does not stand in its way, nor is it told */
  ATAPI_NEEDS_MEDIUM = 0x2, /* refused where there is none */
};

extern const AtapiOperation atapi_operations[256];

/* atapi.c */
gboolean atapi_has_medium (AtaDrive *self);
guint32 atapi_get_n_blocks (AtaDrive *self);
/* @code: with its qualifier. */
void atapi_fail (AtaDrive *self, AtaCommand *command, guint8 key, guint16 code);
/* The most usual failure. */
void atapi_refuse_field (AtaDrive *self, AtaCommand *command);
void atapi_done (AtaCommand *command);
/* At most @allocated bytes: what the packet has room for. */
void atapi_reply (AtaCommand *command, gconstpointer data, gsize length, gsize allocated);
void atapi_open_tray (AtaDrive *self);
void atapi_close_tray (AtaDrive *self);
/* What a person did. */
void atapi_button_pressed (AtaDrive *self);
void atapi_medium_changed (AtaDrive *self);

/* atapi-disc.c */
void atapi_read (AtaDrive *self, AtaCommand *command);
void atapi_read_cd (AtaDrive *self, AtaCommand *command);
void atapi_read_capacity (AtaDrive *self, AtaCommand *command);
void atapi_read_disc_information (AtaDrive *self, AtaCommand *command);
void atapi_read_track_information (AtaDrive *self, AtaCommand *command);
void atapi_read_subchannel (AtaDrive *self, AtaCommand *command);
/* atapi-toc.c */
void atapi_read_toc (AtaDrive *self, AtaCommand *command);
void atapi_put_address (guint8 *bytes, guint32 block, gboolean msf);
/* atapi-mode.c */
void atapi_mode_sense_6 (AtaDrive *self, AtaCommand *command);
void atapi_mode_sense_10 (AtaDrive *self, AtaCommand *command);
/* atapi-features.c */
void atapi_get_configuration (AtaDrive *self, AtaCommand *command);
void atapi_get_event_status (AtaDrive *self, AtaCommand *command);

/* Numbers in packets are big-endian. */
static inline guint32
atapi_get (const guint8 *bytes, guint n)
{
  guint32 value = 0;

  for (guint i = 0; i < n; i++)
    value = value << 8 | bytes[i];
  return value;
}

static inline void
atapi_put (guint8 *bytes, guint n, guint32 value)
{
  for (guint i = 0; i < n; i++)
    bytes[i] = value >> 8 * (n - 1 - i);
}

G_END_DECLS
