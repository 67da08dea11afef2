/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * READ LOG EXT and READ LOG DMA EXT (ACS-3, 7.23): the directory, and the log from which a host
 * learns which of its queued commands failed.
 *
 * Threads: loop, with the controller locked.
 */
#include "ahci/ata-command.h"
#include "ahci/ata-drive.h"

#define LOG_DIRECTORY    0x00
#define LOG_QUEUED_ERROR 0x10
#define LOG_VERSION      1
#define NOT_QUEUED       0x80

static void
read_directory (AtaDrive *self, guint8 *page)
{
  page[0] = LOG_VERSION;
  page[2 * LOG_QUEUED_ERROR] = 1; /* pages */
}

/* 9.11. Reading it ends the error. */
static void
read_queued_error (AtaDrive *self, guint8 *page)
{
  const AtaQueuedError *error = &self->queued_error;
  guint8 sum = 0;

  page[0] = error->valid ? error->tag : NOT_QUEUED;
  page[2] = error->status;
  page[3] = error->error;
  for (guint i = 0; i < 3; i++) {
    page[4 + i] = error->lba >> 8 * i;
    page[8 + i] = error->lba >> (24 + 8 * i);
  }
  page[7] = error->device;
  page[12] = error->count;
  page[13] = error->count >> 8;
  for (guint i = 0; i < ATA_SECTOR - 1; i++)
    sum += page[i];
  page[ATA_SECTOR - 1] = -sum;
  self->queued_error = (AtaQueuedError) { 0 };
}

static const struct {
  guint8 address;
  const char *name;
  void (*read) (AtaDrive *self, guint8 *page);
} logs[] = {
  { LOG_DIRECTORY, "directory", read_directory },
  { LOG_QUEUED_ERROR, "NCQ Command Error", read_queued_error },
};

void
ata_read_log (AtaDrive *self, AtaCommand *command)
{
  guint8 address = command->in.lba;
  guint page_number = (command->in.lba >> 8 & 0xff) | (command->in.lba >> 32 & 0xff) << 8;
  guint8 page[ATA_SECTOR] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (logs); i++)
    if (logs[i].address == address && page_number == 0 && command->in.count == 1) {
      logs[i].read (self, page);
      ata_command_reply (command, page, sizeof page);
      return;
    }
  ata_command_abort (command);
}
