/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Commands on the way to an ATA disk: tables of memory, and queues.
 */
#include <string.h>
#include <unistd.h>

#include "ahci-test.h"

/* Memory cut in all sorts of ways is filled in its order. */
static void
test_prdt (AhciTest *f, gconstpointer data)
{
  static const guint32 cuts[][4] = { { 4096 }, { 2, 4094 }, { 510, 4, 3582 }, { 1024, 512, 2560 } };
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 8, .lba = 100 };

  for (guint i = 0; i < G_N_ELEMENTS (cuts); i++) {
    FakeBuffer buffers[4];
    guint n = 0;

    for (guint j = 0; j < 4 && cuts[i][j]; j++, n++)
      buffers[j] = (FakeBuffer) { f->data + 8192 * j, cuts[i][j] };
    g_assert_cmphex (fake_ahci_run (f->ahci, 0, &ata, buffers, n), ==, TFD_GOOD);
    for (guint j = 0, done = 0; j < n; done += buffers[j].length, j++)
      for (guint k = 0; k < buffers[j].length; k++)
        g_assert_cmphex (ahci_test_at (f, buffers[j].address, 8192)[k], ==,
                         (guint8) (100 + (done + k) / 512 + 100 * 512 + done + k));
  }
}

/* More pieces than one request has: it is done in parts. */
static void
test_long_prdt (AhciTest *f, gconstpointer data)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 400, .lba = 1 };
  guint64 table = fake_guest_alloc (f->guest, 0x80 + 16 * 800);
  guint8 *bytes = ahci_test_at (f, table, 0x80 + 16 * 800);

  fake_ahci_prepare (f->ahci, 0, 0, &ata, NULL, 0);
  memcpy (bytes, fake_ahci_table (f->ahci, 0, 0), 0x80);
  for (guint i = 0; i < 800; i++) { /* 300 and 212 bytes, never next to each other */
    guint32 entry[4] = { f->data + i * 1024, 0, 0, (i % 2 ? 212 : 300) - 1 };

    memcpy (bytes + 0x80 + 16 * i, entry, sizeof entry);
  }
  ((guint32 *) fake_ahci_header (f->ahci, 0, 0))[0] = 5 | 800u << 16;
  ((guint32 *) fake_ahci_header (f->ahci, 0, 0))[2] = table;
  ahci_test_set_port (f, PX_IS, G_MAXUINT32);
  ahci_test_set_port (f, PX_CI, 1);
  fake_ahci_wait (f->ahci, 0, 1);
  g_assert_cmphex (ahci_test_port (f, PX_TFD), ==, TFD_GOOD);
  g_assert_cmpuint (fake_ahci_moved (f->ahci, 0, 0), ==, 400 * 512);
  for (guint i = 0; i < 400; i++) {
    guint8 sector[512];

    memcpy (sector, ahci_test_at (f, f->data + 2 * i * 1024, 300), 300);
    memcpy (sector + 300, ahci_test_at (f, f->data + (2 * i + 1) * 1024, 212), 212);
    ahci_test_check_sector (sector, 1 + i);
  }
}

/* Less room than the command has data. */
static void
test_short_prdt (AhciTest *f, gconstpointer data)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 4, .lba = 20 };

  g_assert_cmphex (ahci_test_run (f, &ata, 1024), ==, TFD_GOOD);
  g_assert_cmphex (ahci_test_port (f, PX_IS), ==, IS_DHRS | IS_OFS);
  ahci_test_check_sector (ahci_test_at (f, f->data + 512, 512), 21);
  g_assert_cmphex (ahci_test_run (f, &ata, 0), ==, TFD_GOOD);
  g_assert_cmphex (ahci_test_port (f, PX_IS), ==, IS_DHRS | IS_OFS);
  ata.command = IDENTIFY;
  g_assert_cmphex (ahci_test_run (f, &ata, 100), ==, TFD_GOOD);
  g_assert_cmphex (ahci_test_port (f, PX_IS), ==, IS_PSS | IS_OFS);
  ata.command = WRITE_DMA_EXT;
  g_assert_cmphex (ahci_test_run (f, &ata, 1000), ==, 0x0441);
  ahci_test_check_alive (f);
}

static void
test_descriptor_interrupt (AhciTest *f, gconstpointer data)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 1, .lba = 20 };
  FakeBuffer buffer = { f->data, 512 };

  ahci_test_set_port (f, PX_IS, G_MAXUINT32);
  fake_ahci_prepare (f->ahci, 0, 0, &ata, &buffer, 1);
  fake_ahci_table (f->ahci, 0, 0)[0x80 + 15] |= 0x80;
  ahci_test_set_port (f, PX_CI, 1);
  fake_ahci_wait (f->ahci, 0, 1);
  g_assert_cmphex (ahci_test_port (f, PX_IS), ==, IS_DHRS | IS_DPS);
}

/* All tags at once. */
static void
test_queue (AhciTest *f, gconstpointer data)
{
  for (guint round = 0; round < 5; round++) {
    for (guint i = 0; i < 32; i++) {
      FakeAta ata = {
        .command = READ_QUEUED, .device = LBA, .features = 2, .count = i << 3, .lba = 50 + 3 * i
      };
      FakeBuffer buffer = { f->data + 1024 * i, 1024 };

      fake_ahci_prepare (f->ahci, 0, i, &ata, &buffer, 1);
    }
    memset (ahci_test_at (f, f->data, 32 * 1024), 0, 32 * 1024);
    ahci_test_set_port (f, PX_IS, G_MAXUINT32);
    ahci_test_set_port (f, PX_SACT, G_MAXUINT32);
    ahci_test_set_port (f, PX_CI, G_MAXUINT32);
    fake_ahci_wait (f->ahci, 0, G_MAXUINT32);
    g_assert_cmphex (ahci_test_port (f, PX_TFD), ==, TFD_GOOD);
    g_assert_cmphex (ahci_test_port (f, PX_IS), ==, IS_SDBS);
    for (guint i = 0; i < 32; i++)
      ahci_test_check_sector (ahci_test_at (f, f->data + 1024 * i + 512, 512), 51 + 3 * i);
    g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x58)[0], ==, 0xa1);
    g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[0], ==, 0x34);
  }
}

/* A queued command and others beside it: in their order, one after another. */
static void
test_mixed (AhciTest *f, gconstpointer data)
{
  static const FakeAta commands[] = {
    { .command = WRITE_QUEUED, .device = LBA, .features = 1, .count = 0 << 3, .lba = 30 },
    { .command = READ_DMA_EXT, .device = LBA, .count = 1, .lba = 30 },
    { .command = FLUSH_EXT },
    { .command = READ_QUEUED, .device = LBA, .features = 1, .count = 3 << 3, .lba = 30 },
  };

  memset (ahci_test_at (f, f->data, 512), 0xc3, 512);
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    FakeBuffer buffer = { f->data + 512 * i, 512 };

    fake_ahci_prepare (f->ahci, 0, i, &commands[i], &buffer, 1);
  }
  ahci_test_set_port (f, PX_SACT, 0x9);
  ahci_test_set_port (f, PX_CI, 0xf);
  fake_ahci_wait (f->ahci, 0, 0xf);
  g_assert_cmphex (ahci_test_port (f, PX_TFD), ==, TFD_GOOD);
  g_assert_cmpmem (ahci_test_at (f, f->data + 512, 512), 512, ahci_test_at (f, f->data, 512), 512);
  g_assert_cmpmem (ahci_test_at (f, f->data + 3 * 512, 512), 512, ahci_test_at (f, f->data, 512),
                   512);
}

/* A queued command that fails: the rest of the queue is over, and a log says which it was. */
static void
test_queue_error (AhciTest *f, gconstpointer data)
{
  FakeAta wrong = {
    .command = READ_QUEUED, .device = LBA, .features = 1, .count = 7 << 3, .lba = SECTORS + 5
  };
  FakeAta log = { .command = READ_LOG, .device = LBA, .count = 1, .lba = 0x10 };
  FakeBuffer buffer = { f->data, 512 };
  guint8 sum = 0;

  ahci_test_set_port (f, PX_IS, G_MAXUINT32);
  fake_ahci_prepare (f->ahci, 0, 7, &wrong, &buffer, 1);
  ahci_test_set_port (f, PX_SACT, 1 << 7);
  ahci_test_set_port (f, PX_CI, 1 << 7);
  fake_ahci_wait (f->ahci, 0, 1 << 7);
  g_assert_cmphex (ahci_test_port (f, PX_IS), ==, IS_SDBS | IS_TFES);
  g_assert_cmphex (ahci_test_port (f, PX_TFD), ==, 0x1041);
  g_assert_cmphex (ahci_test_port (f, PX_SACT), ==, 1 << 7);
  /* Nothing begins before the port was stopped. */
  fake_ahci_prepare (f->ahci, 0, 0, &log, &buffer, 1);
  ahci_test_set_port (f, PX_CI, 1);
  fake_guest_settle (f->guest);
  g_assert_cmphex (ahci_test_port (f, PX_CI) & 1, ==, 1);
  fake_ahci_stop (f->ahci, 0);
  g_assert_cmphex (ahci_test_port (f, PX_CI), ==, 0);
  g_assert_cmphex (ahci_test_port (f, PX_SACT), ==, 0);
  fake_ahci_start (f->ahci, 0);
  g_assert_cmphex (ahci_test_run (f, &log, 512), ==, TFD_GOOD);
  for (guint i = 0; i < 512; i++)
    sum += ahci_test_at (f, f->data, 512)[i];
  g_assert_cmphex (sum, ==, 0);
  g_assert_cmphex (ahci_test_at (f, f->data, 512)[0], ==, 7);
  g_assert_cmphex (ahci_test_at (f, f->data, 512)[2], ==, 0x41);
  g_assert_cmphex (ahci_test_at (f, f->data, 512)[3], ==, 0x10);
  g_assert_cmphex (ahci_test_at (f, f->data, 512)[4], ==, (SECTORS + 5) & 0xff);
  g_assert_cmphex (ahci_test_run (f, &log, 512), ==, TFD_GOOD);
  g_assert_cmphex (ahci_test_at (f, f->data, 512)[0], ==, 0x80); /* it is told once */
  log.lba = 0;
  g_assert_cmphex (ahci_test_run (f, &log, 512), ==, TFD_GOOD);
  g_assert_cmpuint (ahci_test_word (f, 0x10), ==, 1);
  log.lba = 0x30;
  g_assert_cmphex (ahci_test_run (f, &log, 512), ==, 0x0441);
  /* A tag that is not its slot's. */
  wrong.lba = 0;
  wrong.count = 6 << 3;
  g_assert_cmphex (ahci_test_run (f, &wrong, 512), ==, 0x0441);
  ahci_test_check_alive (f);
}

int
main (int argc, char **argv)
{
  static const AhciTestCase tests[] = {
    { "/ahci/prdt", test_prdt },
    { "/ahci/prdt/long", test_long_prdt },
    { "/ahci/prdt/short", test_short_prdt },
    { "/ahci/prdt/interrupt", test_descriptor_interrupt },
    { "/ahci/queue", test_queue },
    { "/ahci/queue/mixed", test_mixed },
    { "/ahci/queue/error", test_queue_error },
  };

  g_test_init (&argc, &argv, NULL);
  return ahci_test_run_all (tests, G_N_ELEMENTS (tests));
}
