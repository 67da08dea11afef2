/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An ATA disk: its commands (ACS-3, clause 7, and what older systems still use), and those that
 * read and write.
 *
 * Threads: loop, with the controller locked.
 */
#include "ahci/ata-command.h"
#include "ahci/ata-drive.h"

#define MAX_SECTORS          256
#define MAX_SECTORS_EXTENDED 65536
#define LBA28_LOW            0xffffffu
#define LBA28_HIGH           0x0f /* of the device register; likewise the head */
#define MAX_MULTIPLE         128

static guint64
lba_of (AtaDrive *self, const AtaCommand *command)
{
  const AtaRegisters *in = &command->in;
  guint high = in->device & LBA28_HIGH;

  if (command->operation->extended)
    return in->lba;
  if (in->device & ATA_DEVICE_LBA)
    return (guint64) high << 24 | (in->lba & LBA28_LOW);
  /* Cylinder, head, sector; sectors count from 1. */
  return ((in->lba >> 8 & 0xffff) * self->heads + high) * self->sectors + (in->lba & 0xff) - 1;
}

static guint
count_of (const AtaCommand *command)
{
  const AtaRegisters *in = &command->in;

  if (command->operation->protocol == ATA_QUEUED)
    return in->features ? in->features : MAX_SECTORS_EXTENDED;
  if (command->operation->extended)
    return in->count ? in->count : MAX_SECTORS_EXTENDED;
  return in->count & 0xff ? in->count & 0xff : MAX_SECTORS;
}

/* Where the command works, in bytes. FALSE, and the command has failed, where that is not on the
 * disk. */
static gboolean
get_range (AtaDrive *self, AtaCommand *command, guint64 *offset, guint64 *length)
{
  guint64 lba = lba_of (self, command), n_sectors = ata_drive_get_n_sectors (self);
  guint count = count_of (command);

  self->asleep = FALSE;
  if (lba <= n_sectors && count <= n_sectors - lba) {
    *offset = lba << ATA_SECTOR_SHIFT;
    *length = (guint64) count << ATA_SECTOR_SHIFT;
    return TRUE;
  }
  ata_command_fail (command, ATA_STATUS_ERR, ATA_ERROR_IDNF);
  return FALSE;
}

static void
read_sectors (AtaDrive *self, AtaCommand *command)
{
  guint64 offset, length;

  if (get_range (self, command, &offset, &length))
    ata_command_read (command, offset, length);
}

static void
write_with (AtaDrive *self, AtaCommand *command, gboolean fua)
{
  guint64 offset, length;

  if (vmm_block_get_readonly (self->block))
    ata_command_abort (command);
  else if (get_range (self, command, &offset, &length))
    ata_command_write (command, offset, length, fua || !self->write_cache);
}

static void
write_sectors (AtaDrive *self, AtaCommand *command)
{
  write_with (self, command, FALSE);
}

static void
write_sectors_fua (AtaDrive *self, AtaCommand *command)
{
  write_with (self, command, TRUE);
}

static void
write_queued (AtaDrive *self, AtaCommand *command)
{
  write_with (self, command, (command->in.device & ATA_DEVICE_FUA) != 0);
}

/* READ and WRITE MULTIPLE are like any other, once their block was agreed. */
static void
read_multiple (AtaDrive *self, AtaCommand *command)
{
  if (self->multiple > 0)
    read_sectors (self, command);
  else
    ata_command_abort (command);
}

static void
write_multiple (AtaDrive *self, AtaCommand *command)
{
  if (self->multiple > 0)
    write_sectors (self, command);
  else
    ata_command_abort (command);
}

static void
write_multiple_fua (AtaDrive *self, AtaCommand *command)
{
  if (self->multiple > 0)
    write_sectors_fua (self, command);
  else
    ata_command_abort (command);
}

static void
set_multiple (AtaDrive *self, AtaCommand *command)
{
  guint n = command->in.count & 0xff;

  if (n > MAX_MULTIPLE || (n & (n - 1)) != 0) {
    ata_command_abort (command);
    return;
  }
  self->multiple = n;
  ata_command_done (command);
}

/* Nothing is read: a sector of an image cannot be there and be spoilt. */
static void
verify (AtaDrive *self, AtaCommand *command)
{
  guint64 offset, length;

  if (get_range (self, command, &offset, &length))
    ata_command_done (command);
}

static void
flush_cache (AtaDrive *self, AtaCommand *command)
{
  if (vmm_block_get_readonly (self->block))
    ata_command_done (command);
  else
    ata_command_flush (command);
}

static void
initialize_parameters (AtaDrive *self, AtaCommand *command)
{
  if ((command->in.count & 0xff) == 0) {
    ata_command_abort (command);
    return;
  }
  self->heads = (command->in.device & LBA28_HIGH) + 1;
  self->sectors = command->in.count;
  ata_command_done (command);
}

static void
disk_failed (AtaDrive *self, AtaCommand *command)
{
  command->out.lba = command->request.offset >> ATA_SECTOR_SHIFT;
  if (!command->operation->extended && command->operation->protocol != ATA_QUEUED) {
    command->out.device = ATA_DEVICE_LBA | (command->out.lba >> 24 & LBA28_HIGH);
    command->out.lba &= LBA28_LOW;
  }
  if (command->request.op == VMM_BLOCK_READ)
    ata_command_fail (command, ATA_STATUS_ERR, ATA_ERROR_UNC);
  else
    ata_command_fail (command, ATA_STATUS_ERR | ATA_STATUS_DF, ATA_ERROR_ABRT);
}

static const AtaOperation operations[ATA_N_OPERATIONS] = {
  [0x06] = { "DATA SET MANAGEMENT", ata_data_set_management, ATA_DMA, TRUE },
  [0x10] = { "RECALIBRATE", ata_succeed, ATA_NON_DATA, FALSE },
  [0x20] = { "READ SECTORS", read_sectors, ATA_PIO_IN, FALSE },
  [0x21] = { "READ SECTORS without retry", read_sectors, ATA_PIO_IN, FALSE },
  [0x24] = { "READ SECTORS EXT", read_sectors, ATA_PIO_IN, TRUE },
  [0x25] = { "READ DMA EXT", read_sectors, ATA_DMA, TRUE },
  [0x29] = { "READ MULTIPLE EXT", read_multiple, ATA_PIO_IN, TRUE },
  [0x2f] = { "READ LOG EXT", ata_read_log, ATA_PIO_IN, TRUE },
  [0x30] = { "WRITE SECTORS", write_sectors, ATA_PIO_OUT, FALSE },
  [0x31] = { "WRITE SECTORS without retry", write_sectors, ATA_PIO_OUT, FALSE },
  [0x34] = { "WRITE SECTORS EXT", write_sectors, ATA_PIO_OUT, TRUE },
  [0x35] = { "WRITE DMA EXT", write_sectors, ATA_DMA, TRUE },
  [0x39] = { "WRITE MULTIPLE EXT", write_multiple, ATA_PIO_OUT, TRUE },
  [0x3d] = { "WRITE DMA FUA EXT", write_sectors_fua, ATA_DMA, TRUE },
  [0x40] = { "READ VERIFY SECTORS", verify, ATA_NON_DATA, FALSE },
  [0x41] = { "READ VERIFY SECTORS without retry", verify, ATA_NON_DATA, FALSE },
  [0x42] = { "READ VERIFY SECTORS EXT", verify, ATA_NON_DATA, TRUE },
  [0x47] = { "READ LOG DMA EXT", ata_read_log, ATA_DMA, TRUE },
  [ATA_READ_FPDMA_QUEUED] = { "READ FPDMA QUEUED", read_sectors, ATA_QUEUED, TRUE },
  [ATA_WRITE_FPDMA_QUEUED] = { "WRITE FPDMA QUEUED", write_queued, ATA_QUEUED, TRUE },
  [0x70] = { "SEEK", ata_succeed, ATA_NON_DATA, FALSE },
  [0x90] = { "EXECUTE DEVICE DIAGNOSTIC", ata_execute_diagnostic, ATA_NON_DATA, FALSE },
  [0x91] = { "INITIALIZE DEVICE PARAMETERS", initialize_parameters, ATA_NON_DATA, FALSE },
  [0x94] = { "STANDBY IMMEDIATE", ata_standby, ATA_NON_DATA, FALSE },
  [0x95] = { "IDLE IMMEDIATE", ata_idle, ATA_NON_DATA, FALSE },
  [0x96] = { "STANDBY", ata_standby, ATA_NON_DATA, FALSE },
  [0x97] = { "IDLE", ata_idle, ATA_NON_DATA, FALSE },
  [0x98] = { "CHECK POWER MODE", ata_check_power_mode, ATA_NON_DATA, FALSE },
  [0x99] = { "SLEEP", ata_standby, ATA_NON_DATA, FALSE },
  [0xa1] = { "IDENTIFY PACKET DEVICE", ata_refuse_with_signature, ATA_NON_DATA, FALSE },
  [0xb0] = { "SMART", ata_smart, ATA_PIO_IN, FALSE },
  [0xc4] = { "READ MULTIPLE", read_multiple, ATA_PIO_IN, FALSE },
  [0xc5] = { "WRITE MULTIPLE", write_multiple, ATA_PIO_OUT, FALSE },
  [0xc6] = { "SET MULTIPLE MODE", set_multiple, ATA_NON_DATA, FALSE },
  [0xc8] = { "READ DMA", read_sectors, ATA_DMA, FALSE },
  [0xc9] = { "READ DMA without retry", read_sectors, ATA_DMA, FALSE },
  [0xca] = { "WRITE DMA", write_sectors, ATA_DMA, FALSE },
  [0xcb] = { "WRITE DMA without retry", write_sectors, ATA_DMA, FALSE },
  [0xce] = { "WRITE MULTIPLE FUA EXT", write_multiple_fua, ATA_PIO_OUT, TRUE },
  [0xe0] = { "STANDBY IMMEDIATE", ata_standby, ATA_NON_DATA, FALSE },
  [0xe1] = { "IDLE IMMEDIATE", ata_idle, ATA_NON_DATA, FALSE },
  [0xe2] = { "STANDBY", ata_standby, ATA_NON_DATA, FALSE },
  [0xe3] = { "IDLE", ata_idle, ATA_NON_DATA, FALSE },
  [0xe5] = { "CHECK POWER MODE", ata_check_power_mode, ATA_NON_DATA, FALSE },
  [0xe6] = { "SLEEP", ata_standby, ATA_NON_DATA, FALSE },
  [0xe7] = { "FLUSH CACHE", flush_cache, ATA_NON_DATA, FALSE },
  [0xea] = { "FLUSH CACHE EXT", flush_cache, ATA_NON_DATA, TRUE },
  [0xec] = { "IDENTIFY DEVICE", ata_identify_device, ATA_PIO_IN, FALSE },
  [0xef] = { "SET FEATURES", ata_set_features, ATA_NON_DATA, FALSE },
};

const AtaDriveClass ata_disk_class = {
  .name = "disk",
  .signature = { .status = ATA_STATUS_GOOD, .error = ATA_DIAGNOSTIC_GOOD, .count = 1, .lba = 1 },
  .operations = operations,
  .medium_failed = disk_failed,
};
