/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * IDENTIFY DEVICE and IDENTIFY PACKET DEVICE (ACS-3, 7.12 and 7.13): 256 words by which a host
 * learns what a drive can do. Each bit here is a promise that another file keeps.
 *
 * Threads: loop, with the controller locked.
 */
#include <string.h>

#include "ahci/ata-command.h"
#include "ahci/ata-drive.h"

#define N_WORDS        256
#define CHECKED_WORDS  0xa5 /* the low byte of word 255: a checksum follows */
#define MAX_CYLINDERS  16383
#define MAX_LBA28      0x0fffffffu
#define MAX_MULTIPLE   128
#define PIO_CYCLE_NS   120
#define QUEUE_DEPTH    32
#define ATA_8_ACS      0x01f0 /* ATA/ATAPI-4 to 8 */
#define NO_ROTATION    1
#define SATA_LINKS     0x000e /* 1.5, 3 and 6 Gb/s */
#define SATA_NCQ       0x0100
#define WORD_VALID     0x4000 /* in words whose upper bits say so */
#define DMA_MODES      0x0007
#define UDMA_MODES     0x003f
#define MODE_UDMA      0x40 /* of SET FEATURES 03h */
#define MODE_MDMA      0x20
#define MODE_NUMBER    0x07
#define MAX_TRIM_PAGES 8

/* Word 82 and 85 */
enum {
  SET1_SMART = 0x0001,
  SET1_POWER = 0x0008,
  SET1_PACKET = 0x0010,
  SET1_WRITE_CACHE = 0x0020,
  SET1_LOOK_AHEAD = 0x0040,
  SET1_DEVICE_RESET = 0x0200,
};
/* Word 83 and 86 */
enum {
  SET2_LBA48 = 0x0400,
  SET2_FLUSH = 0x1000,
  SET2_FLUSH_EXT = 0x2000,
};
/* Word 84 and 87 */
enum {
  SET3_LOGS = 0x0020,
  SET3_FUA = 0x0040,
};

/* Text in ATA's order: the first character is the upper byte of a word. */
static void
put_text (guint16 *words, const char *text, gsize length, guint n_words)
{
  for (guint i = 0; i < n_words; i++) {
    guint8 first = 2 * i < length ? text[2 * i] : ' ';
    guint8 second = 2 * i + 1 < length ? text[2 * i + 1] : ' ';

    words[i] = first << 8 | second;
  }
}

static void
put_names (AtaDrive *self, guint16 *words, const char *model)
{
  static const char firmware[] = "1.0";

  put_text (words + 10, self->serial, sizeof self->serial, 10);
  put_text (words + 23, firmware, strlen (firmware), 4);
  put_text (words + 27, model, strlen (model), 20);
}

/* The modes there are, and the one that was chosen. */
static void
put_modes (AtaDrive *self, guint16 *words)
{
  guint16 chosen = 0x100 << (self->transfer_mode & MODE_NUMBER);

  words[53] = 0x0006; /* words 64 to 70 and 88 hold */
  words[63] = DMA_MODES;
  words[64] = 0x0003; /* PIO 3 and 4 */
  for (guint i = 65; i <= 68; i++)
    words[i] = PIO_CYCLE_NS;
  words[88] = UDMA_MODES;
  if ((self->transfer_mode & ~MODE_NUMBER) == MODE_UDMA)
    words[88] |= chosen;
  else if ((self->transfer_mode & ~MODE_NUMBER) == MODE_MDMA)
    words[63] |= chosen;
}

static void
put_geometry (AtaDrive *self, guint16 *words)
{
  guint64 n_sectors = ata_drive_get_n_sectors (self);
  guint track = self->heads * self->sectors;
  guint32 cylinders = MIN (n_sectors / track, MAX_CYLINDERS), capacity = cylinders * track;
  guint32 lba28 = MIN (n_sectors, MAX_LBA28);

  words[1] = words[54] = cylinders;
  words[3] = words[55] = self->heads;
  words[6] = words[56] = self->sectors;
  words[57] = capacity;
  words[58] = capacity >> 16;
  words[53] |= 1; /* words 54 to 58 hold */
  words[60] = lba28;
  words[61] = lba28 >> 16;
  for (guint i = 0; i < 4; i++)
    words[100 + i] = n_sectors >> 16 * i;
}

static void
put_features (AtaDrive *self, guint16 *words)
{
  words[82] = SET1_SMART | SET1_POWER | SET1_WRITE_CACHE | SET1_LOOK_AHEAD;
  words[83] = WORD_VALID | SET2_LBA48 | SET2_FLUSH | SET2_FLUSH_EXT;
  words[84] = WORD_VALID | SET3_LOGS | SET3_FUA;
  words[85] = SET1_POWER | (self->smart ? SET1_SMART : 0) |
              (self->write_cache ? SET1_WRITE_CACHE : 0) |
              (self->read_look_ahead ? SET1_LOOK_AHEAD : 0);
  words[86] = SET2_LBA48 | SET2_FLUSH | SET2_FLUSH_EXT;
  words[87] = words[84];
}

static void
reply (AtaCommand *command, guint16 *words)
{
  guint8 sum = 0;

  words[255] = CHECKED_WORDS;
  for (guint i = 0; i < N_WORDS; i++) {
    sum += (words[i] & 0xff) + (words[i] >> 8);
    words[i] = GUINT16_TO_LE (words[i]);
  }
  ((guint8 *) words)[2 * N_WORDS - 1] = -sum;
  ata_command_reply (command, words, 2 * N_WORDS);
}

void
ata_identify_device (AtaDrive *self, AtaCommand *command)
{
  guint16 words[N_WORDS] = { 0 };

  words[0] = 0x0040; /* ATA, not removable */
  put_names (self, words, "VirtDesk disk");
  words[47] = 0x8000 | MAX_MULTIPLE;
  words[49] = 0x2f00; /* standby timer, IORDY, LBA, DMA */
  words[50] = WORD_VALID;
  put_modes (self, words);
  put_geometry (self, words);
  if (self->multiple > 0)
    words[59] = 0x0100 | self->multiple;
  words[75] = QUEUE_DEPTH - 1;
  words[76] = SATA_LINKS | SATA_NCQ;
  words[80] = ATA_8_ACS;
  put_features (self, words);
  if (vmm_block_get_discard (self->block)) {
    words[105] = MAX_TRIM_PAGES;
    words[169] = 1;
  }
  words[217] = NO_ROTATION;
  reply (command, words);
}

void
ata_identify_packet_device (AtaDrive *self, AtaCommand *command)
{
  guint16 words[N_WORDS] = { 0 };

  words[0] = 0x85c0; /* ATAPI, CD-ROM, removable, packets of 12 bytes, answered at once */
  put_names (self, words, "VirtDesk CD-ROM");
  words[49] = 0x0f00; /* IORDY, LBA, DMA */
  put_modes (self, words);
  words[76] = SATA_LINKS;
  words[80] = ATA_8_ACS;
  words[82] = words[85] = SET1_POWER | SET1_PACKET | SET1_DEVICE_RESET;
  words[83] = words[84] = words[87] = WORD_VALID;
  reply (command, words);
}
