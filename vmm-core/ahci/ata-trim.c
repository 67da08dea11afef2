/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * DATA SET MANAGEMENT with its one function, TRIM (ACS-3, 7.5): ranges that the host needs no more.
 * All are looked at before any is given back, and then they are given back one after another.
 *
 * Threads: loop, with the controller locked.
 */
#include <string.h>

#include "ahci/ata-command.h"
#include "ahci/ata-drive.h"

#define FEATURE_TRIM  0x01
#define MAX_PAGES     8 /* as IDENTIFY DEVICE promises */
#define RANGE_SIZE    8
#define PAGE_RANGES   (ATA_SECTOR / RANGE_SIZE)
#define RANGE_LBA     G_GUINT64_CONSTANT (0xffffffffffff)
#define RANGE_N_SHIFT 48

static void
get_range (const AtaCommand *command, guint i, guint64 *lba, guint64 *n)
{
  guint64 range;

  memcpy (&range, command->ranges + RANGE_SIZE * i, sizeof range);
  range = GUINT64_FROM_LE (range);
  *lba = range & RANGE_LBA;
  *n = range >> RANGE_N_SHIFT;
}

static gboolean
ranges_are_good (AtaDrive *self, AtaCommand *command)
{
  guint64 n_sectors = ata_drive_get_n_sectors (self), lba, n;

  for (guint i = 0; i < command->n_ranges; i++) {
    get_range (command, i, &lba, &n);
    if (n > 0 && (lba >= n_sectors || n > n_sectors - lba))
      return FALSE;
  }
  return TRUE;
}

static void
trim_next (AtaCommand *command)
{
  guint64 lba = 0, n = 0;

  while (n == 0 && command->next_range < command->n_ranges)
    get_range (command, command->next_range++, &lba, &n);
  if (n == 0)
    ata_command_done (command);
  else
    ata_command_submit (command, VMM_BLOCK_DISCARD, lba << ATA_SECTOR_SHIFT, n << ATA_SECTOR_SHIFT,
                        trim_next);
}

void
ata_data_set_management (AtaDrive *self, AtaCommand *command)
{
  guint n_pages = command->in.count;

  if (!vmm_block_get_discard (self->block) || vmm_block_get_readonly (self->block) ||
      (command->in.features & 0xff) != FEATURE_TRIM || n_pages == 0 || n_pages > MAX_PAGES) {
    ata_command_abort (command);
    return;
  }
  command->n_ranges = n_pages * PAGE_RANGES;
  command->ranges = g_malloc (n_pages * ATA_SECTOR);
  if (!ata_command_take (command, command->ranges, n_pages * ATA_SECTOR))
    return;
  if (ranges_are_good (self, command))
    trim_next (command);
  else
    ata_command_fail (command, ATA_STATUS_ERR, ATA_ERROR_IDNF);
}
