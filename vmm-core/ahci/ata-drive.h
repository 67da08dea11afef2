/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * AtaDrive: what is plugged into a port: a disk or a CD drive. A drive takes commands and answers
 * them; it knows nothing of ports, FISes and rings beyond the calls at the end of this header.
 *
 * Threads: loop, with the controller locked, unless said otherwise.
 */
#pragma once

#include "ahci/ata.h"
#include "ahci/atapi.h"
#include "base/vmm-state.h"
#include "block/vmm-block.h"

G_BEGIN_DECLS

typedef struct _AtaDrive AtaDrive;
typedef struct _AtaCommand AtaCommand;

#define ATA_SERIAL_LENGTH 20

/* One command of a drive's table. */
typedef struct {
  const char *name; /* NULL: the drive does not know the command */
  void (*execute) (AtaDrive *self, AtaCommand *command);
  AtaProtocol protocol;
  gboolean extended; /* 48-bit registers count */
} AtaOperation;

#define ATA_N_OPERATIONS 256

typedef struct {
  const char *name;
  AtaResult signature;            /* in the registers after a reset */
  const AtaOperation *operations; /* ATA_N_OPERATIONS, by code */
  void (*reset) (AtaDrive *self); /* beyond what every drive forgets; may be NULL */
  /* A request to the medium failed: ends @command with what says so. */
  void (*medium_failed) (AtaDrive *self, AtaCommand *command);
} AtaDriveClass;

/* The command of a queue that failed: log page 10h (ACS-3, 9.11). */
typedef struct {
  gboolean valid;
  guint8 tag, status, error, device;
  guint16 count;
  guint64 lba;
} AtaQueuedError;

struct _AtaDrive {
  const AtaDriveClass *klass; /* NULL: nothing is plugged in */
  char *id;                   /* "disk0", for messages */
  char serial[ATA_SERIAL_LENGTH];
  VmmBlock *block; /* borrowed; NULL: no medium */

  gboolean write_cache, read_look_ahead, smart;
  guint8 multiple;       /* sectors in a block of READ MULTIPLE; 0: off */
  guint8 transfer_mode;  /* as SET FEATURES 03h named it */
  guint8 heads, sectors; /* of the translation for what has no LBA bit */
  gboolean asleep;       /* standby: CHECK POWER MODE says so */
  AtaQueuedError queued_error;
  Atapi atapi;
};

extern const AtaDriveClass ata_disk_class;
extern const AtaDriveClass atapi_cdrom_class;
extern const VmmField ata_drive_fields[];

/* As after power-on (@cold), or after a reset by the host. */
void ata_drive_reset (AtaDrive *self, gboolean cold);
/* What a saved state says, made such as the drive could have come to it by itself. */
void ata_drive_loaded (AtaDrive *self);
/* The operation, or NULL where the drive has none of this code. */
const AtaOperation *ata_drive_find (AtaDrive *self, guint8 code);
guint64 ata_drive_get_n_sectors (AtaDrive *self);

/* Commands of both kinds (ata-common.c). */
void ata_set_features (AtaDrive *self, AtaCommand *command);
void ata_idle (AtaDrive *self, AtaCommand *command);
void ata_standby (AtaDrive *self, AtaCommand *command);
void ata_check_power_mode (AtaDrive *self, AtaCommand *command);
void ata_execute_diagnostic (AtaDrive *self, AtaCommand *command);
void ata_succeed (AtaDrive *self, AtaCommand *command); /* what needs no doing */
void ata_refuse_with_signature (AtaDrive *self, AtaCommand *command);
/* ata-identify.c */
void ata_identify_device (AtaDrive *self, AtaCommand *command);
void ata_identify_packet_device (AtaDrive *self, AtaCommand *command);
/* ata-smart.c, ata-log.c, ata-trim.c */
void ata_smart (AtaDrive *self, AtaCommand *command);
void ata_read_log (AtaDrive *self, AtaCommand *command);
void ata_data_set_management (AtaDrive *self, AtaCommand *command);

/* The end of a command: each is called once, and the command is gone when it returns. */
void ata_command_done (AtaCommand *command);
void ata_command_fail (AtaCommand *command, guint8 status, guint8 error);
void ata_command_abort (AtaCommand *command);
/* Sends @length bytes to the host, as many as it has room for, and is done. */
void ata_command_reply (AtaCommand *command, gconstpointer data, gsize length);

/* Takes @length bytes from the host; FALSE, and the command has failed, where it offers fewer. */
gboolean ata_command_take (AtaCommand *command, gpointer data, gsize length);

/* Requests to the medium (ata-transfer.c): the command ends when the last is done. @offset and
 * @length are bytes, checked; what lies behind the end of the medium reads as zeros. */
void ata_command_read (AtaCommand *command, guint64 offset, guint64 length);
/* @durable: not before it is on stable storage. */
void ata_command_write (AtaCommand *command, guint64 offset, guint64 length, gboolean durable);
void ata_command_flush (AtaCommand *command);
/* One request without data; @next is called when it went well. */
void ata_command_submit (AtaCommand *command,
                         VmmBlockOp op,
                         guint64 offset,
                         guint64 length,
                         void (*next) (AtaCommand *command));

G_END_DECLS
