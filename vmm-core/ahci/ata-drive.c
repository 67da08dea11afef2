/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What disks and CD drives have in common: their reset, the commands of the task file that both
 * know, and what is saved of them.
 *
 * Threads: loop, with the controller locked.
 */
#include "ahci/ata-drive.h"

#include "ahci/ata-command.h"

#define DEFAULT_HEADS   16
#define DEFAULT_SECTORS 63
#define MAX_MULTIPLE    128
#define DEFAULT_MODE    0x45 /* Ultra DMA 5 */

/* Subcommands of SET FEATURES (ACS-3, 7.45). */
enum {
  FEATURE_WRITE_CACHE_ON = 0x02,
  FEATURE_TRANSFER_MODE = 0x03,
  FEATURE_APM_ON = 0x05,
  FEATURE_LOOK_AHEAD_OFF = 0x55,
  FEATURE_KEEP_ON_SOFT_RESET = 0x66,
  FEATURE_WRITE_CACHE_OFF = 0x82,
  FEATURE_APM_OFF = 0x85,
  FEATURE_LOOK_AHEAD_ON = 0xaa,
  FEATURE_FORGET_ON_SOFT_RESET = 0xcc,
};

enum {
  POWER_STANDBY = 0x00,
  POWER_ACTIVE = 0xff,
};

static const VmmField ata_queued_error_fields[] = {
  VMM_FIELD (AtaQueuedError, valid, VMM_FIELD_BOOL, "valid"),
  VMM_FIELD (AtaQueuedError, tag, VMM_FIELD_UINT8, "tag"),
  VMM_FIELD (AtaQueuedError, status, VMM_FIELD_UINT8, "status"),
  VMM_FIELD (AtaQueuedError, error, VMM_FIELD_UINT8, "error"),
  VMM_FIELD (AtaQueuedError, device, VMM_FIELD_UINT8, "device"),
  VMM_FIELD (AtaQueuedError, count, VMM_FIELD_UINT16, "count"),
  VMM_FIELD (AtaQueuedError, lba, VMM_FIELD_UINT64, "lba"),
  VMM_FIELD_LAST,
};

const VmmField ata_drive_fields[] = {
  VMM_EXEMPT (AtaDrive, klass, "from the configuration"),
  VMM_EXEMPT (AtaDrive, id, "from the configuration"),
  VMM_EXEMPT (AtaDrive, serial, "from the configuration"),
  VMM_EXEMPT (AtaDrive, block, "from the configuration"),
  VMM_FIELD (AtaDrive, write_cache, VMM_FIELD_BOOL, "write-cache"),
  VMM_FIELD (AtaDrive, read_look_ahead, VMM_FIELD_BOOL, "read-look-ahead"),
  VMM_FIELD (AtaDrive, smart, VMM_FIELD_BOOL, "smart"),
  VMM_FIELD (AtaDrive, multiple, VMM_FIELD_UINT8, "multiple"),
  VMM_FIELD (AtaDrive, transfer_mode, VMM_FIELD_UINT8, "transfer-mode"),
  VMM_FIELD (AtaDrive, heads, VMM_FIELD_UINT8, "heads"),
  VMM_FIELD (AtaDrive, sectors, VMM_FIELD_UINT8, "sectors"),
  VMM_FIELD (AtaDrive, asleep, VMM_FIELD_BOOL, "asleep"),
  VMM_FIELD_PART (AtaDrive, queued_error, ata_queued_error_fields, "queued-error"),
  VMM_FIELD_PART (AtaDrive, atapi, atapi_fields, "atapi"),
  VMM_FIELD_LAST,
};

void
ata_drive_reset (AtaDrive *self, gboolean cold)
{
  if (cold) {
    self->write_cache = self->read_look_ahead = self->smart = TRUE;
    self->transfer_mode = DEFAULT_MODE;
    self->multiple = 0;
    self->heads = DEFAULT_HEADS;
    self->sectors = DEFAULT_SECTORS;
  }
  self->asleep = FALSE;
  self->queued_error = (AtaQueuedError) { 0 };
  if (self->klass->reset)
    self->klass->reset (self);
}

static gboolean
is_multiple (guint n)
{
  return n <= MAX_MULTIPLE && (n & (n - 1)) == 0;
}

void
ata_drive_loaded (AtaDrive *self)
{
  if (!is_multiple (self->multiple))
    self->multiple = 0;
  if (self->heads == 0 || self->heads > DEFAULT_HEADS)
    self->heads = DEFAULT_HEADS;
  if (self->sectors == 0)
    self->sectors = DEFAULT_SECTORS;
}

const AtaOperation *
ata_drive_find (AtaDrive *self, guint8 code)
{
  const AtaOperation *operation = &self->klass->operations[code];

  return operation->name ? operation : NULL;
}

guint64
ata_drive_get_n_sectors (AtaDrive *self)
{
  return self->block ? vmm_block_get_size (self->block) >> ATA_SECTOR_SHIFT : 0;
}

void
ata_succeed (AtaDrive *self, AtaCommand *command)
{
  ata_command_done (command);
}

void
ata_refuse_with_signature (AtaDrive *self, AtaCommand *command)
{
  command->out.count = self->klass->signature.count;
  command->out.lba = self->klass->signature.lba;
  ata_command_abort (command);
}

void
ata_execute_diagnostic (AtaDrive *self, AtaCommand *command)
{
  command->out = self->klass->signature;
  ata_command_done (command);
}

/* 0: as SET FEATURES found it wrong. */
static gboolean
set_feature (AtaDrive *self, const AtaRegisters *in)
{
  switch (in->features & 0xff) {
  case FEATURE_WRITE_CACHE_ON:
    self->write_cache = TRUE;
    return TRUE;
  case FEATURE_WRITE_CACHE_OFF:
    self->write_cache = FALSE;
    return TRUE;
  case FEATURE_LOOK_AHEAD_ON:
  case FEATURE_LOOK_AHEAD_OFF:
    self->read_look_ahead = (in->features & 0xff) == FEATURE_LOOK_AHEAD_ON;
    return TRUE;
  case FEATURE_TRANSFER_MODE:
    self->transfer_mode = in->count;
    return TRUE;
  case FEATURE_APM_ON:
  case FEATURE_APM_OFF:
  case FEATURE_KEEP_ON_SOFT_RESET:
  case FEATURE_FORGET_ON_SOFT_RESET:
    return TRUE;
  default:
    return FALSE;
  }
}

void
ata_set_features (AtaDrive *self, AtaCommand *command)
{
  gboolean cached = self->write_cache;

  if (!set_feature (self, &command->in))
    ata_command_abort (command);
  else if (cached && !self->write_cache && self->block)
    ata_command_flush (command); /* what is in the cache that goes */
  else
    ata_command_done (command);
}

void
ata_idle (AtaDrive *self, AtaCommand *command)
{
  self->asleep = FALSE;
  ata_command_done (command);
}

/* What was written is written before the disk would stop turning. */
void
ata_standby (AtaDrive *self, AtaCommand *command)
{
  self->asleep = TRUE;
  if (self->block && !vmm_block_get_readonly (self->block))
    ata_command_flush (command);
  else
    ata_command_done (command);
}

void
ata_check_power_mode (AtaDrive *self, AtaCommand *command)
{
  command->out.count = self->asleep ? POWER_STANDBY : POWER_ACTIVE;
  ata_command_done (command);
}
