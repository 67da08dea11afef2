/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an ATA disk does: it is identified, read, written and trimmed.
 */
#include <string.h>
#include <unistd.h>

#include "ahci-test.h"

static void
test_identify (AhciTest *f, gconstpointer data)
{
  FakeAta ata = { .command = IDENTIFY };
  guint8 sum = 0, *fis;

  g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, TFD_GOOD);
  for (guint i = 0; i < 512; i++)
    sum += ahci_test_at (f, f->data, 512)[i];
  g_assert_cmphex (sum, ==, 0);
  g_assert_cmphex (ahci_test_word (f, 0), ==, 0x0040);
  g_assert_cmphex (ahci_test_word (f, 10), ==, 'd' << 8 | 'i');
  g_assert_cmphex (ahci_test_word (f, 27), ==, 'V' << 8 | 'i');
  g_assert_cmpuint (ahci_test_word (f, 60), ==, SECTORS);
  g_assert_cmpuint (ahci_test_word (f, 100), ==, SECTORS);
  g_assert_cmpuint (ahci_test_word (f, 75), ==, 31);
  g_assert_cmphex (ahci_test_word (f, 88), ==, 0x203f);
  g_assert_cmphex (ahci_test_word (f, 83) & 0x0400, ==, 0x0400);
  g_assert_cmpuint (ahci_test_word (f, 169), ==, 1);
  g_assert_cmpuint (fake_ahci_moved (f->ahci, 0, 0), ==, 512);
  /* A PIO read ends with its data, so there is a PIO Setup FIS and no other. */
  fis = fake_ahci_fis (f->ahci, 0, 0x20);
  g_assert_cmphex (fis[0], ==, 0x5f);
  g_assert_cmphex (fis[1], ==, 0x60);
  g_assert_cmphex (fis[2], ==, 0x58);
  g_assert_cmphex (fis[15], ==, 0x50);
  g_assert_cmpuint (fis[16] | fis[17] << 8, ==, 512);
  g_assert_cmphex (ahci_test_port (f, PX_IS), ==, IS_PSS);
}

static void
test_read (AhciTest *f, gconstpointer data)
{
  static const FakeAta reads[] = {
    { .command = READ_SECTORS, .device = LBA, .count = 2, .lba = 5 },
    { .command = 0x21, .device = LBA, .count = 2, .lba = 5 },
    { .command = 0x24, .device = LBA, .count = 2, .lba = 5 },
    { .command = READ_DMA_EXT, .device = LBA, .count = 2, .lba = 5 },
    { .command = READ_DMA, .device = LBA, .count = 2, .lba = 5 },
    { .command = 0xc9, .device = LBA, .count = 2, .lba = 5 },
    { .command = READ_DMA, .count = 2, .lba = 6 }, /* cylinder 0, head 0, sector 6 */
    { .command = READ_MULTIPLE, .device = LBA, .count = 2, .lba = 5 },
    { .command = 0x29, .device = LBA, .count = 2, .lba = 5 },
    { .command = READ_QUEUED, .device = LBA, .features = 2, .count = 5 << 3, .lba = 5 },
  };
  FakeAta multiple = { .command = SET_MULTIPLE, .count = 16 };
  guint64 before = vmm_ahci_get_n_requests (f->device);

  g_assert_cmphex (ahci_test_run (f, &reads[7], 1024), ==, 0x0441); /* no block was agreed */
  g_assert_cmphex (ahci_test_run (f, &multiple, 0), ==, TFD_GOOD);
  for (guint i = 0; i < G_N_ELEMENTS (reads); i++) {
    memset (ahci_test_at (f, f->data, 1024), 0, 1024);
    g_assert_cmphex (ahci_test_run (f, &reads[i], 1024), ==, TFD_GOOD);
    ahci_test_check_sector (ahci_test_at (f, f->data, 512), 5);
    ahci_test_check_sector (ahci_test_at (f, f->data + 512, 512), 6);
    if (reads[i].command != READ_QUEUED)
      g_assert_cmpuint (fake_ahci_moved (f->ahci, 0, 0), ==, 1024);
  }
  g_assert_cmpuint (vmm_ahci_get_n_requests (f->device) - before, ==, 2 + G_N_ELEMENTS (reads));
}

/* A count of 0 is the greatest there is. */
static void
test_counts (AhciTest *f, gconstpointer data)
{
  FakeAta all = { .command = READ_DMA, .device = LBA, .lba = 3 };

  g_assert_cmphex (ahci_test_run (f, &all, 256 * 512), ==, TFD_GOOD);
  ahci_test_check_sector (ahci_test_at (f, f->data + 255 * 512, 512), 258);
  all.command = READ_DMA_EXT; /* 65536 are not there */
  g_assert_cmphex (ahci_test_run (f, &all, BIG_DATA), ==, 0x1041);
}

static void
check_content (AhciTest *f, guint first, guint n, guint8 value)
{
  g_autofree char *content = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (f->path, &content, &size, NULL));
  g_assert_cmpuint (size, ==, SIZE);
  ahci_test_check_sector ((guint8 *) content + (first - 1) * 512, first - 1);
  for (guint i = 0; i < n * 512; i++)
    g_assert_cmphex ((guint8) content[first * 512 + i], ==, value);
  ahci_test_check_sector ((guint8 *) content + (first + n) * 512, first + n);
}

static void
test_write (AhciTest *f, gconstpointer data)
{
  static const FakeAta writes[] = {
    { .command = WRITE_SECTORS, .device = LBA, .count = 2, .lba = 7 },
    { .command = 0x31, .device = LBA, .count = 2, .lba = 7 },
    { .command = 0x34, .device = LBA, .count = 2, .lba = 7 },
    { .command = WRITE_DMA_EXT, .device = LBA, .count = 2, .lba = 7 },
    { .command = WRITE_DMA_FUA_EXT, .device = LBA, .count = 2, .lba = 7 },
    { .command = WRITE_DMA, .device = LBA, .count = 2, .lba = 7 },
    { .command = 0xcb, .device = LBA, .count = 2, .lba = 7 },
    { .command = 0xc5, .device = LBA, .count = 2, .lba = 7 },
    { .command = 0x39, .device = LBA, .count = 2, .lba = 7 },
    { .command = 0xce, .device = LBA, .count = 2, .lba = 7 },
    { .command = WRITE_QUEUED, .device = LBA, .features = 2, .count = 5 << 3, .lba = 7 },
    { .command = WRITE_QUEUED, .device = LBA | 0x80, .features = 2, .count = 5 << 3, .lba = 7 },
  };
  FakeAta multiple = { .command = SET_MULTIPLE, .count = 16 };

  g_assert_cmphex (ahci_test_run (f, &multiple, 0), ==, TFD_GOOD);
  for (guint i = 0; i < G_N_ELEMENTS (writes); i++) {
    memset (ahci_test_at (f, f->data, 1024), 0x10 + i, 1024);
    g_assert_cmphex (ahci_test_run (f, &writes[i], 1024), ==, TFD_GOOD);
    check_content (f, 7, 2, 0x10 + i);
  }
}

static void
test_range (AhciTest *f, gconstpointer data)
{
  static const struct {
    guint64 lba;
    guint16 count;
    guint32 tfd;
  } cases[] = {
    { SECTORS - 1, 1, TFD_GOOD },
    { SECTORS - 1, 2, 0x1041 },
    { SECTORS, 1, 0x1041 },
    { G_GUINT64_CONSTANT (0xffffffffffff), 1, 0x1041 },
    { G_GUINT64_CONSTANT (0xffffffffffff), 0, 0x1041 },
    { G_GUINT64_CONSTANT (0x800000000000), 1, 0x1041 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    FakeAta ata = { .device = LBA, .count = cases[i].count, .lba = cases[i].lba };

    ata.command = READ_DMA_EXT;
    g_assert_cmphex (ahci_test_run (f, &ata, 1024), ==, cases[i].tfd);
    ata.command = 0x42; /* verify */
    g_assert_cmphex (ahci_test_run (f, &ata, 0), ==, cases[i].tfd);
    ata.command = READ_QUEUED;
    ata.features = ata.count;
    ata.count = 5 << 3;
    g_assert_cmphex (ahci_test_run (f, &ata, 1024), ==, cases[i].tfd);
  }
  ahci_test_check_alive (f);
}

static void
test_small_commands (AhciTest *f, gconstpointer data)
{
  static const FakeAta good[] = {
    { .command = FLUSH },
    { .command = FLUSH_EXT },
    { .command = 0x10 },
    { .command = 0x40, .device = LBA, .count = 1 },
    { .command = 0x70 },
    { .command = 0x91, .device = 7, .count = 32 },
    { .command = 0xe1 },
    { .command = 0xe3 },
    { .command = SET_FEATURES, .features = 0x02 },
    { .command = SET_FEATURES, .features = 0x03, .count = 0x22 },
    { .command = SET_FEATURES, .features = 0x82 },
    { .command = SET_FEATURES, .features = 0xaa },
    { .command = SET_MULTIPLE, .count = 0 },
  };
  static const FakeAta wrong[] = {
    { .command = 0x00 },
    { .command = 0x08 },
    { .command = 0xa0 },
    { .command = 0xa1 },
    { .command = 0x91 },
    { .command = SET_FEATURES, .features = 0x77 },
    { .command = SET_MULTIPLE, .count = 3 },
    { .command = 0xff },
  };
  FakeAta identify = { .command = IDENTIFY };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++) {
    g_assert_cmphex (ahci_test_run (f, &good[i], 0), ==, TFD_GOOD);
    g_assert_cmphex (ahci_test_port (f, PX_IS), ==, IS_DHRS);
  }
  g_assert_cmphex (ahci_test_run (f, &identify, 512), ==, TFD_GOOD);
  g_assert_cmpuint (ahci_test_word (f, 3), ==, 8);
  g_assert_cmpuint (ahci_test_word (f, 6), ==, 32);
  g_assert_cmphex (ahci_test_word (f, 63), ==, 0x0407);
  g_assert_cmphex (ahci_test_word (f, 85) & 0x20, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_cmphex (ahci_test_run (f, &wrong[i], 0), ==, 0x0441);
  ahci_test_check_alive (f);
}

static void
test_power (AhciTest *f, gconstpointer data)
{
  FakeAta standby = { .command = 0xe0 }, check = { .command = 0xe5 };

  g_assert_cmphex (ahci_test_run (f, &check, 0), ==, TFD_GOOD);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[12], ==, 0xff);
  g_assert_cmphex (ahci_test_run (f, &standby, 0), ==, TFD_GOOD);
  g_assert_cmphex (ahci_test_run (f, &check, 0), ==, TFD_GOOD);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[12], ==, 0x00);
  ahci_test_check_alive (f);
  g_assert_cmphex (ahci_test_run (f, &check, 0), ==, TFD_GOOD);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[12], ==, 0xff);
}

static void
test_smart (AhciTest *f, gconstpointer data)
{
  FakeAta ata = { .command = 0xb0, .lba = 0xc24f00 };
  static const guint8 pages[] = { 0xd0, 0xd1 };

  for (guint i = 0; i < G_N_ELEMENTS (pages); i++) {
    guint8 sum = 0;

    ata.features = pages[i];
    g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, TFD_GOOD);
    for (guint k = 0; k < 512; k++)
      sum += ahci_test_at (f, f->data, 512)[k];
    g_assert_cmphex (sum, ==, 0);
    g_assert_cmphex (ahci_test_at (f, f->data, 512)[2], ==, 1);
  }
  ata.features = 0xd5;
  g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, TFD_GOOD);
  ata.lba = 0xc24f06;
  g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, TFD_GOOD);
  ata.lba = 0xc24f99;
  g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, 0x0441);
  ata.features = 0xda;
  g_assert_cmphex (ahci_test_run (f, &ata, 0), ==, TFD_GOOD);
  g_assert_cmphex (ahci_test_port (f, PX_IS), ==, IS_DHRS);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[5], ==, 0x4f);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[6], ==, 0xc2);
  ata.features = 0xd9;
  g_assert_cmphex (ahci_test_run (f, &ata, 0), ==, TFD_GOOD);
  ata.features = 0xd0;
  g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, 0x0441);
  ata.features = 0xd8;
  g_assert_cmphex (ahci_test_run (f, &ata, 0), ==, TFD_GOOD);
  ata.features = 0xee;
  g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, 0x0441);
  ata.features = 0xd0;
  ata.lba = 0;
  g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, 0x0441);
}

static void
put_range (AhciTest *f, guint i, guint64 lba, guint64 n)
{
  guint64 range = lba | n << 48;

  memcpy (ahci_test_at (f, f->data + 8 * i, 8), &range, 8);
}

static void
test_trim (AhciTest *f, gconstpointer data)
{
  FakeAta ata = { .command = TRIM, .features = 1, .count = 1 };
  g_autofree char *content = NULL;

  memset (ahci_test_at (f, f->data, 512), 0, 512);
  put_range (f, 0, 40, 8);
  put_range (f, 2, 56, 8);
  put_range (f, 3, G_GUINT64_CONSTANT (0xffffffffffff), 0);
  g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, TFD_GOOD);
  g_assert_true (g_file_get_contents (f->path, &content, NULL, NULL));
  ahci_test_check_sector ((guint8 *) content + 39 * 512, 39);
  for (guint i = 0; i < 8 * 512; i++) {
    g_assert_cmphex (content[40 * 512 + i], ==, 0);
    g_assert_cmphex (content[56 * 512 + i], ==, 0);
  }
  ahci_test_check_sector ((guint8 *) content + 48 * 512, 48);
  ahci_test_check_sector ((guint8 *) content + 64 * 512, 64);
  /* One range that is wrong spoils all. */
  put_range (f, 0, 80, 8);
  put_range (f, 63, SECTORS - 1, 2);
  g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, 0x1041);
  ata.count = 2; /* less than it says */
  g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, 0x0441);
  ata.count = 9;
  g_assert_cmphex (ahci_test_run (f, &ata, DATA), ==, 0x0441);
  ata.count = 0;
  g_assert_cmphex (ahci_test_run (f, &ata, DATA), ==, 0x0441);
  ata.count = 1;
  ata.features = 0;
  g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, 0x0441);
  g_clear_pointer (&content, g_free);
  g_assert_true (g_file_get_contents (f->path, &content, NULL, NULL));
  ahci_test_check_sector ((guint8 *) content + 80 * 512, 80);
}

/* Whatever the code: an answer, and the disk lives. */
static void
test_all_codes (AhciTest *f, gconstpointer data)
{
  for (guint i = 0; i < 2; i++) {
    if (i == 1)
      fake_ahci_start (f->ahci, 1);
    for (guint code = 0; code < 256; code++) {
      FakeAta ata = { .command = code, .device = LBA, .features = 1, .count = 5 << 3, .lba = 3 };
      FakeBuffer buffer = { f->data, DATA };
      guint32 tfd = fake_ahci_run (f->ahci, i, &ata, &buffer, 1);

      g_assert_cmphex (tfd & 0x88, ==, 0);
      g_assert_true (!(tfd & 1) == !(tfd >> 8) || code == 0x90 || code == 0x08);
    }
  }
  ahci_test_check_alive (f);
  g_assert_cmpuint (f->guest->platform.n_broken, ==, 0);
}

int
main (int argc, char **argv)
{
  static const AhciTestCase tests[] = {
    { "/ahci/identify", test_identify }, { "/ahci/read", test_read },
    { "/ahci/counts", test_counts },     { "/ahci/write", test_write },
    { "/ahci/range", test_range },       { "/ahci/small-commands", test_small_commands },
    { "/ahci/power", test_power },       { "/ahci/smart", test_smart },
    { "/ahci/trim", test_trim },         { "/ahci/all-codes", test_all_codes },
  };

  g_test_init (&argc, &argv, NULL);
  return ahci_test_run_all (tests, G_N_ELEMENTS (tests));
}
