/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * SMART (ATA8-ACS, 7.53): a disk in good health. Its attributes say that nothing is worn and
 * nothing has failed; an image has nothing else to tell.
 *
 * Threads: loop, with the controller locked.
 */
#include "ahci/ata-command.h"
#include "ahci/ata-drive.h"

#define KEY_SHIFT 8
#define KEY_MASK  0xffffu
#define KEY       0xc24fu

#define ATTRIBUTES_OFFSET 2
#define ATTRIBUTE_SIZE    12
#define REVISION          0x10
#define GOOD              100
#define COLLECTION_NEVER  0x00
#define SHORT_TEST_MIN    2
#define LONG_TEST_MIN     54

enum {
  SMART_READ_DATA = 0xd0,
  SMART_READ_THRESHOLDS = 0xd1,
  SMART_ATTRIBUTE_AUTOSAVE = 0xd2,
  SMART_EXECUTE_OFFLINE = 0xd4,
  SMART_READ_LOG = 0xd5,
  SMART_ENABLE = 0xd8,
  SMART_DISABLE = 0xd9,
  SMART_RETURN_STATUS = 0xda,
};

/* Number, whether it foretells a failure, and its threshold. */
static const struct {
  guint8 number, flags, threshold;
} attributes[] = {
  { 0x01, 0x03, 0x06 }, /* raw read errors */
  { 0x05, 0x03, 0x24 }, /* sectors put elsewhere */
  { 0x09, 0x03, 0x00 }, /* hours of power */
  { 0x0c, 0x03, 0x00 }, /* power cycles */
  { 0xc5, 0x03, 0x00 }, /* sectors that may be bad */
};

static void
reply (AtaCommand *command, guint8 *page)
{
  guint8 sum = 0;

  for (guint i = 0; i < ATA_SECTOR - 1; i++)
    sum += page[i];
  page[ATA_SECTOR - 1] = -sum;
  ata_command_reply (command, page, ATA_SECTOR);
}

static void
read_data (AtaDrive *self, AtaCommand *command)
{
  guint8 page[ATA_SECTOR] = { REVISION };

  for (guint i = 0; i < G_N_ELEMENTS (attributes); i++) {
    guint8 *entry = page + ATTRIBUTES_OFFSET + ATTRIBUTE_SIZE * i;

    entry[0] = attributes[i].number;
    entry[1] = attributes[i].flags;
    entry[3] = entry[4] = GOOD; /* now, and at worst */
  }
  page[362] = COLLECTION_NEVER;
  page[367] = 0x11; /* tests can be run, and are over at once */
  page[368] = 0x03; /* attributes are saved */
  page[370] = 0x01; /* there are logs */
  page[372] = SHORT_TEST_MIN;
  page[373] = LONG_TEST_MIN;
  reply (command, page);
}

static void
read_thresholds (AtaDrive *self, AtaCommand *command)
{
  guint8 page[ATA_SECTOR] = { REVISION };

  for (guint i = 0; i < G_N_ELEMENTS (attributes); i++) {
    guint8 *entry = page + ATTRIBUTES_OFFSET + ATTRIBUTE_SIZE * i;

    entry[0] = attributes[i].number;
    entry[1] = attributes[i].threshold;
  }
  reply (command, page);
}

/* Logs of errors and of tests, with nothing in them. */
static void
read_smart_log (AtaDrive *self, AtaCommand *command)
{
  guint8 page[ATA_SECTOR] = { 1 };

  switch (command->in.lba & 0xff) {
  case 0x00: /* directory */
    page[2] = 1;
    page[12] = 1;
    ata_command_reply (command, page, sizeof page);
    break;
  case 0x01: /* errors */
  case 0x06: /* self-tests */
    reply (command, page);
    break;
  default:
    ata_command_abort (command);
    break;
  }
}

static void
set_enabled (AtaDrive *self, AtaCommand *command)
{
  self->smart = (command->in.features & 0xff) == SMART_ENABLE;
  ata_command_done (command);
}

static void
return_status (AtaDrive *self, AtaCommand *command)
{
  command->out.lba = (command->in.lba & ~((guint64) KEY_MASK << KEY_SHIFT)) | KEY << KEY_SHIFT;
  ata_command_done (command);
}

static const struct {
  guint8 code;
  const char *name;
  void (*execute) (AtaDrive *self, AtaCommand *command);
} subcommands[] = {
  { SMART_READ_DATA, "SMART READ DATA", read_data },
  { SMART_READ_THRESHOLDS, "SMART READ ATTRIBUTE THRESHOLDS", read_thresholds },
  { SMART_ATTRIBUTE_AUTOSAVE, "SMART ATTRIBUTE AUTOSAVE", ata_succeed },
  { SMART_EXECUTE_OFFLINE, "SMART EXECUTE OFF-LINE IMMEDIATE", ata_succeed },
  { SMART_READ_LOG, "SMART READ LOG", read_smart_log },
  { SMART_ENABLE, "SMART ENABLE OPERATIONS", set_enabled },
  { SMART_DISABLE, "SMART DISABLE OPERATIONS", set_enabled },
  { SMART_RETURN_STATUS, "SMART RETURN STATUS", return_status },
};

void
ata_smart (AtaDrive *self, AtaCommand *command)
{
  guint8 code = command->in.features;
  gboolean open =
    (command->in.lba >> KEY_SHIFT & KEY_MASK) == KEY && (self->smart || code == SMART_ENABLE);

  for (guint i = 0; open && i < G_N_ELEMENTS (subcommands); i++)
    if (subcommands[i].code == code) {
      subcommands[i].execute (self, command);
      return;
    }
  ata_command_abort (command);
}
