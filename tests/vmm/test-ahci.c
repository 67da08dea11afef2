/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The AHCI controller with an ATA disk on port 0 and a CD drive on port 1: registers, commands that
 * read and write, resets, and hosts that break the rules.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "fake-ahci.h"

#define SIZE     (1 << 20)
#define SECTORS  (SIZE / 512)
#define LBA      0x40
#define DATA     65536
#define NOWHERE  G_GUINT64_CONSTANT (0x40000000) /* no memory of the fake guest */
#define BIG_DATA (1 << 20)

enum {
  READ_SECTORS = 0x20,
  READ_DMA_EXT = 0x25,
  WRITE_SECTORS = 0x30,
  WRITE_DMA_EXT = 0x35,
  WRITE_DMA_FUA_EXT = 0x3d,
  READ_QUEUED = 0x60,
  WRITE_QUEUED = 0x61,
  READ_LOG = 0x2f,
  TRIM = 0x06,
  READ_DMA = 0xc8,
  WRITE_DMA = 0xca,
  READ_MULTIPLE = 0xc4,
  SET_MULTIPLE = 0xc6,
  FLUSH = 0xe7,
  FLUSH_EXT = 0xea,
  IDENTIFY = 0xec,
  SET_FEATURES = 0xef,
};

typedef struct {
  FakeGuest *guest;
  char *path;
  VmmBlock *block;
  VmmDevice *device;
  FakeAhci *ahci;
  guint64 data; /* in guest memory */
} Fixture;

static VmmDevice *
controller_new (FakeGuest *guest, VmmBlock *block)
{
  VmmAhciConfig config = {
    .ports = { { VMM_AHCI_DISK, "disk0", block }, { VMM_AHCI_CDROM, "cdrom0", NULL } },
  };

  return vmm_device_new (&vmm_ahci_class.parent, &guest->board, "ahci", &config, NULL);
}

static VmmBlock *
open_disk (const char *path, VmmLoop *loop)
{
  VmmBlockOptions options = { .format = VMM_DISK_RAW, .discard = TRUE };
  VmmBlock *block = vmm_block_open (path, &options, loop, NULL);

  g_assert_nonnull (block);
  return block;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  guint8 *content = g_malloc (SIZE);
  int fd;

  for (guint i = 0; i < SIZE; i++)
    content[i] = i / 512 + i;
  f->guest = fake_guest_new ();
  f->path = g_build_filename (g_get_tmp_dir (), "vmm-ahci-XXXXXX", NULL);
  fd = g_mkstemp (f->path);
  g_assert_cmpint (write (fd, content, SIZE), ==, SIZE);
  close (fd);
  g_free (content);
  f->block = open_disk (f->path, f->guest->loop);
  f->device = controller_new (f->guest, f->block);
  f->ahci = fake_ahci_new (f->guest, f->device, data == NULL);
  fake_ahci_start (f->ahci, 0);
  f->data = fake_guest_alloc (f->guest, BIG_DATA);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_ahci_free (f->ahci);
  vmm_device_drain (f->device);
  vmm_device_free (f->device);
  vmm_block_close (f->block);
  fake_guest_free (f->guest);
  g_unlink (f->path);
  g_free (f->path);
}

static guint8 *
at (Fixture *f, guint64 address, gsize size)
{
  return fake_guest_at (f->guest, address, size);
}

static guint32
run (Fixture *f, const FakeAta *ata, guint32 length)
{
  FakeBuffer buffer = { f->data, length };

  return fake_ahci_run (f->ahci, 0, ata, &buffer, length ? 1 : 0);
}

static guint32
port (Fixture *f, guint offset)
{
  return fake_ahci_read_port (f->ahci, 0, offset);
}

static void
set_port (Fixture *f, guint offset, guint32 value)
{
  fake_ahci_write_port (f->ahci, 0, offset, value);
}

static void
check_sector (const guint8 *bytes, guint sector)
{
  for (guint i = 0; i < 512; i++)
    g_assert_cmphex (bytes[i], ==, (guint8) (sector + sector * 512 + i));
}

/* The disk still answers, and rightly. */
static void
check_alive (Fixture *f)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 1, .lba = 9 };

  g_assert_cmphex (run (f, &ata, 512), ==, TFD_GOOD);
  check_sector (at (f, f->data, 512), 9);
}

static void
test_function (Fixture *f, gconstpointer data)
{
  guint slot = f->ahci->slot;

  g_assert_cmphex (fake_guest_read_config (f->guest, slot, 0, 4), ==, 0x29228086);
  g_assert_cmphex (fake_guest_read_config (f->guest, slot, 8, 4), ==, 0x01060102);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_CAP), ==, 0xc134ff05);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_GHC), ==, 0x80000002);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_PI), ==, 0x3);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_VS), ==, 0x00010301);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_CAP2), ==, 1);
  g_assert_cmphex (port (f, PX_SSTS), ==, 0x133);
  g_assert_cmphex (port (f, PX_SIG), ==, 0x00000101);
  g_assert_cmphex (port (f, PX_TFD), ==, 0x0150);
  /* A port with nothing on it. */
  g_assert_cmphex (fake_ahci_read_port (f->ahci, 2, PX_SSTS), ==, 0);
  g_assert_cmphex (fake_ahci_read_port (f->ahci, 2, PX_SIG), ==, 0xffffffff);
  g_assert_cmphex (fake_ahci_read_port (f->ahci, 2, PX_TFD), ==, 0x7f);
}

/* Accesses of every size, and what may be written. */
static void
test_registers (Fixture *f, gconstpointer data)
{
  guint64 px = f->ahci->bar + 0x180; /* port 1 */
  VmmBus *mmio = f->guest->mmio;

  vmm_bus_write (mmio, px + PX_CLB, 8, G_GUINT64_CONSTANT (0x123456789abcdef0));
  g_assert_cmphex (vmm_bus_read (mmio, px + PX_CLB, 4), ==, 0x9abcdc00);
  g_assert_cmphex (vmm_bus_read (mmio, px + PX_CLBU, 4), ==, 0x12345678);
  g_assert_cmphex (vmm_bus_read (mmio, px + PX_CLB, 8), ==,
                   G_GUINT64_CONSTANT (0x123456789abcdc00));
  vmm_bus_write (mmio, px + PX_FB + 1, 1, 0xaa);
  g_assert_cmphex (vmm_bus_read (mmio, px + PX_FB, 4), ==, 0x0000aa00);
  vmm_bus_write (mmio, px + PX_FB + 3, 2, 0x55bb);
  g_assert_cmphex (vmm_bus_read (mmio, px + PX_FB, 8), ==, G_GUINT64_CONSTANT (0x55bb00aa00));
  g_assert_cmphex (vmm_bus_read (mmio, px + PX_FB + 1, 2), ==, 0x00aa);
  vmm_bus_write (mmio, px + PX_IE, 4, G_MAXUINT32);
  g_assert_cmphex (vmm_bus_read (mmio, px + PX_IE, 4), ==, 0xfdc000ff);
  /* Not without PxCMD.ST. */
  vmm_bus_write (mmio, px + PX_CI, 4, 1);
  vmm_bus_write (mmio, px + PX_SACT, 4, 1);
  g_assert_cmphex (vmm_bus_read (mmio, px + PX_CI, 4), ==, 0);
  g_assert_cmphex (vmm_bus_read (mmio, px + PX_SACT, 4), ==, 0);
  /* The exchange is told until it is cleared. */
  g_assert_cmphex (vmm_bus_read (mmio, px + PX_SERR, 4), ==, 0x04000000);
  g_assert_cmphex (vmm_bus_read (mmio, px + PX_IS, 4), ==, IS_PCS);
  vmm_bus_write (mmio, px + PX_IS, 4, G_MAXUINT32);
  g_assert_cmphex (vmm_bus_read (mmio, px + PX_IS, 4), ==, IS_PCS);
  vmm_bus_write (mmio, px + PX_SERR, 4, G_MAXUINT32);
  g_assert_cmphex (vmm_bus_read (mmio, px + PX_IS, 4), ==, 0);
  /* What is nowhere, and what is read-only. */
  for (guint offset = 0; offset < 0x1000; offset += 4)
    if (offset < 0x100 || offset >= 0x180)
      vmm_bus_write (mmio, f->ahci->bar + offset, 4, offset == HBA_GHC ? 2 : G_MAXUINT32);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_VS), ==, 0x00010301);
  g_assert_cmphex (fake_ahci_read (f->ahci, 0x800), ==, 0);
  check_alive (f);
}

/* BIOS/OS handoff: nobody is there to wait for. */
static void
test_handoff (Fixture *f, gconstpointer data)
{
  fake_ahci_write (f->ahci, HBA_BOHC, 1);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_BOHC), ==, 1);
  fake_ahci_write (f->ahci, HBA_BOHC, 3);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_BOHC), ==, 2);
}

static guint16
word (Fixture *f, guint i)
{
  return ((guint16 *) at (f, f->data, 512))[i];
}

static void
test_identify (Fixture *f, gconstpointer data)
{
  FakeAta ata = { .command = IDENTIFY };
  guint8 sum = 0, *fis;

  g_assert_cmphex (run (f, &ata, 512), ==, TFD_GOOD);
  for (guint i = 0; i < 512; i++)
    sum += at (f, f->data, 512)[i];
  g_assert_cmphex (sum, ==, 0);
  g_assert_cmphex (word (f, 0), ==, 0x0040);
  g_assert_cmphex (word (f, 10), ==, 'd' << 8 | 'i');
  g_assert_cmphex (word (f, 27), ==, 'V' << 8 | 'i');
  g_assert_cmpuint (word (f, 60), ==, SECTORS);
  g_assert_cmpuint (word (f, 100), ==, SECTORS);
  g_assert_cmpuint (word (f, 75), ==, 31);
  g_assert_cmphex (word (f, 88), ==, 0x203f);
  g_assert_cmphex (word (f, 83) & 0x0400, ==, 0x0400);
  g_assert_cmpuint (word (f, 169), ==, 1);
  g_assert_cmpuint (fake_ahci_moved (f->ahci, 0, 0), ==, 512);
  /* A PIO read ends with its data, so there is a PIO Setup FIS and no other. */
  fis = fake_ahci_fis (f->ahci, 0, 0x20);
  g_assert_cmphex (fis[0], ==, 0x5f);
  g_assert_cmphex (fis[1], ==, 0x60);
  g_assert_cmphex (fis[2], ==, 0x58);
  g_assert_cmphex (fis[15], ==, 0x50);
  g_assert_cmpuint (fis[16] | fis[17] << 8, ==, 512);
  g_assert_cmphex (port (f, PX_IS), ==, IS_PSS);
}

static void
test_read (Fixture *f, gconstpointer data)
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

  g_assert_cmphex (run (f, &reads[7], 1024), ==, 0x0441); /* no block was agreed */
  g_assert_cmphex (run (f, &multiple, 0), ==, TFD_GOOD);
  for (guint i = 0; i < G_N_ELEMENTS (reads); i++) {
    memset (at (f, f->data, 1024), 0, 1024);
    g_assert_cmphex (run (f, &reads[i], 1024), ==, TFD_GOOD);
    check_sector (at (f, f->data, 512), 5);
    check_sector (at (f, f->data + 512, 512), 6);
    if (reads[i].command != READ_QUEUED)
      g_assert_cmpuint (fake_ahci_moved (f->ahci, 0, 0), ==, 1024);
  }
  g_assert_cmpuint (vmm_ahci_get_n_requests (f->device) - before, ==, 2 + G_N_ELEMENTS (reads));
}

/* A count of 0 is the greatest there is. */
static void
test_counts (Fixture *f, gconstpointer data)
{
  FakeAta all = { .command = READ_DMA, .device = LBA, .lba = 3 };

  g_assert_cmphex (run (f, &all, 256 * 512), ==, TFD_GOOD);
  check_sector (at (f, f->data + 255 * 512, 512), 258);
  all.command = READ_DMA_EXT; /* 65536 are not there */
  g_assert_cmphex (run (f, &all, BIG_DATA), ==, 0x1041);
}

static void
check_content (Fixture *f, guint first, guint n, guint8 value)
{
  g_autofree char *content = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (f->path, &content, &size, NULL));
  g_assert_cmpuint (size, ==, SIZE);
  check_sector ((guint8 *) content + (first - 1) * 512, first - 1);
  for (guint i = 0; i < n * 512; i++)
    g_assert_cmphex ((guint8) content[first * 512 + i], ==, value);
  check_sector ((guint8 *) content + (first + n) * 512, first + n);
}

static void
test_write (Fixture *f, gconstpointer data)
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

  g_assert_cmphex (run (f, &multiple, 0), ==, TFD_GOOD);
  for (guint i = 0; i < G_N_ELEMENTS (writes); i++) {
    memset (at (f, f->data, 1024), 0x10 + i, 1024);
    g_assert_cmphex (run (f, &writes[i], 1024), ==, TFD_GOOD);
    check_content (f, 7, 2, 0x10 + i);
  }
}

static void
test_range (Fixture *f, gconstpointer data)
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
    g_assert_cmphex (run (f, &ata, 1024), ==, cases[i].tfd);
    ata.command = 0x42; /* verify */
    g_assert_cmphex (run (f, &ata, 0), ==, cases[i].tfd);
    ata.command = READ_QUEUED;
    ata.features = ata.count;
    ata.count = 5 << 3;
    g_assert_cmphex (run (f, &ata, 1024), ==, cases[i].tfd);
  }
  check_alive (f);
}

/* Memory cut in all sorts of ways is filled in its order. */
static void
test_prdt (Fixture *f, gconstpointer data)
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
        g_assert_cmphex (at (f, buffers[j].address, 8192)[k], ==,
                         (guint8) (100 + (done + k) / 512 + 100 * 512 + done + k));
  }
}

/* More pieces than one request has: it is done in parts. */
static void
test_long_prdt (Fixture *f, gconstpointer data)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 400, .lba = 1 };
  guint64 table = fake_guest_alloc (f->guest, 0x80 + 16 * 800);
  guint8 *bytes = at (f, table, 0x80 + 16 * 800);

  fake_ahci_prepare (f->ahci, 0, 0, &ata, NULL, 0);
  memcpy (bytes, fake_ahci_table (f->ahci, 0, 0), 0x80);
  for (guint i = 0; i < 800; i++) { /* 300 and 212 bytes, never next to each other */
    guint32 entry[4] = { f->data + i * 1024, 0, 0, (i % 2 ? 212 : 300) - 1 };

    memcpy (bytes + 0x80 + 16 * i, entry, sizeof entry);
  }
  ((guint32 *) fake_ahci_header (f->ahci, 0, 0))[0] = 5 | 800u << 16;
  ((guint32 *) fake_ahci_header (f->ahci, 0, 0))[2] = table;
  set_port (f, PX_IS, G_MAXUINT32);
  set_port (f, PX_CI, 1);
  fake_ahci_wait (f->ahci, 0, 1);
  g_assert_cmphex (port (f, PX_TFD), ==, TFD_GOOD);
  g_assert_cmpuint (fake_ahci_moved (f->ahci, 0, 0), ==, 400 * 512);
  for (guint i = 0; i < 400; i++) {
    guint8 sector[512];

    memcpy (sector, at (f, f->data + 2 * i * 1024, 300), 300);
    memcpy (sector + 300, at (f, f->data + (2 * i + 1) * 1024, 212), 212);
    check_sector (sector, 1 + i);
  }
}

/* Less room than the command has data. */
static void
test_short_prdt (Fixture *f, gconstpointer data)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 4, .lba = 20 };

  g_assert_cmphex (run (f, &ata, 1024), ==, TFD_GOOD);
  g_assert_cmphex (port (f, PX_IS), ==, IS_DHRS | IS_OFS);
  check_sector (at (f, f->data + 512, 512), 21);
  g_assert_cmphex (run (f, &ata, 0), ==, TFD_GOOD);
  g_assert_cmphex (port (f, PX_IS), ==, IS_DHRS | IS_OFS);
  ata.command = IDENTIFY;
  g_assert_cmphex (run (f, &ata, 100), ==, TFD_GOOD);
  g_assert_cmphex (port (f, PX_IS), ==, IS_PSS | IS_OFS);
  ata.command = WRITE_DMA_EXT;
  g_assert_cmphex (run (f, &ata, 1000), ==, 0x0441);
  check_alive (f);
}

static void
test_descriptor_interrupt (Fixture *f, gconstpointer data)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 1, .lba = 20 };
  FakeBuffer buffer = { f->data, 512 };

  set_port (f, PX_IS, G_MAXUINT32);
  fake_ahci_prepare (f->ahci, 0, 0, &ata, &buffer, 1);
  fake_ahci_table (f->ahci, 0, 0)[0x80 + 15] |= 0x80;
  set_port (f, PX_CI, 1);
  fake_ahci_wait (f->ahci, 0, 1);
  g_assert_cmphex (port (f, PX_IS), ==, IS_DHRS | IS_DPS);
}

/* All tags at once. */
static void
test_queue (Fixture *f, gconstpointer data)
{
  for (guint round = 0; round < 5; round++) {
    for (guint i = 0; i < 32; i++) {
      FakeAta ata = {
        .command = READ_QUEUED, .device = LBA, .features = 2, .count = i << 3, .lba = 50 + 3 * i
      };
      FakeBuffer buffer = { f->data + 1024 * i, 1024 };

      fake_ahci_prepare (f->ahci, 0, i, &ata, &buffer, 1);
    }
    memset (at (f, f->data, 32 * 1024), 0, 32 * 1024);
    set_port (f, PX_IS, G_MAXUINT32);
    set_port (f, PX_SACT, G_MAXUINT32);
    set_port (f, PX_CI, G_MAXUINT32);
    fake_ahci_wait (f->ahci, 0, G_MAXUINT32);
    g_assert_cmphex (port (f, PX_TFD), ==, TFD_GOOD);
    g_assert_cmphex (port (f, PX_IS), ==, IS_SDBS);
    for (guint i = 0; i < 32; i++)
      check_sector (at (f, f->data + 1024 * i + 512, 512), 51 + 3 * i);
    g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x58)[0], ==, 0xa1);
    g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[0], ==, 0x34);
  }
}

/* A queued command and others beside it: in their order, one after another. */
static void
test_mixed (Fixture *f, gconstpointer data)
{
  static const FakeAta commands[] = {
    { .command = WRITE_QUEUED, .device = LBA, .features = 1, .count = 0 << 3, .lba = 30 },
    { .command = READ_DMA_EXT, .device = LBA, .count = 1, .lba = 30 },
    { .command = FLUSH_EXT },
    { .command = READ_QUEUED, .device = LBA, .features = 1, .count = 3 << 3, .lba = 30 },
  };

  memset (at (f, f->data, 512), 0xc3, 512);
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    FakeBuffer buffer = { f->data + 512 * i, 512 };

    fake_ahci_prepare (f->ahci, 0, i, &commands[i], &buffer, 1);
  }
  set_port (f, PX_SACT, 0x9);
  set_port (f, PX_CI, 0xf);
  fake_ahci_wait (f->ahci, 0, 0xf);
  g_assert_cmphex (port (f, PX_TFD), ==, TFD_GOOD);
  g_assert_cmpmem (at (f, f->data + 512, 512), 512, at (f, f->data, 512), 512);
  g_assert_cmpmem (at (f, f->data + 3 * 512, 512), 512, at (f, f->data, 512), 512);
}

/* A queued command that fails: the rest of the queue is over, and a log says which it was. */
static void
test_queue_error (Fixture *f, gconstpointer data)
{
  FakeAta wrong = {
    .command = READ_QUEUED, .device = LBA, .features = 1, .count = 7 << 3, .lba = SECTORS + 5
  };
  FakeAta log = { .command = READ_LOG, .device = LBA, .count = 1, .lba = 0x10 };
  FakeBuffer buffer = { f->data, 512 };
  guint8 sum = 0;

  set_port (f, PX_IS, G_MAXUINT32);
  fake_ahci_prepare (f->ahci, 0, 7, &wrong, &buffer, 1);
  set_port (f, PX_SACT, 1 << 7);
  set_port (f, PX_CI, 1 << 7);
  fake_ahci_wait (f->ahci, 0, 1 << 7);
  g_assert_cmphex (port (f, PX_IS), ==, IS_SDBS | IS_TFES);
  g_assert_cmphex (port (f, PX_TFD), ==, 0x1041);
  g_assert_cmphex (port (f, PX_SACT), ==, 1 << 7);
  /* Nothing begins before the port was stopped. */
  fake_ahci_prepare (f->ahci, 0, 0, &log, &buffer, 1);
  set_port (f, PX_CI, 1);
  fake_guest_settle (f->guest);
  g_assert_cmphex (port (f, PX_CI) & 1, ==, 1);
  fake_ahci_stop (f->ahci, 0);
  g_assert_cmphex (port (f, PX_CI), ==, 0);
  g_assert_cmphex (port (f, PX_SACT), ==, 0);
  fake_ahci_start (f->ahci, 0);
  g_assert_cmphex (run (f, &log, 512), ==, TFD_GOOD);
  for (guint i = 0; i < 512; i++)
    sum += at (f, f->data, 512)[i];
  g_assert_cmphex (sum, ==, 0);
  g_assert_cmphex (at (f, f->data, 512)[0], ==, 7);
  g_assert_cmphex (at (f, f->data, 512)[2], ==, 0x41);
  g_assert_cmphex (at (f, f->data, 512)[3], ==, 0x10);
  g_assert_cmphex (at (f, f->data, 512)[4], ==, (SECTORS + 5) & 0xff);
  g_assert_cmphex (run (f, &log, 512), ==, TFD_GOOD);
  g_assert_cmphex (at (f, f->data, 512)[0], ==, 0x80); /* it is told once */
  log.lba = 0;
  g_assert_cmphex (run (f, &log, 512), ==, TFD_GOOD);
  g_assert_cmpuint (word (f, 0x10), ==, 1);
  log.lba = 0x30;
  g_assert_cmphex (run (f, &log, 512), ==, 0x0441);
  /* A tag that is not its slot's. */
  wrong.lba = 0;
  wrong.count = 6 << 3;
  g_assert_cmphex (run (f, &wrong, 512), ==, 0x0441);
  check_alive (f);
}

static void
test_small_commands (Fixture *f, gconstpointer data)
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
    g_assert_cmphex (run (f, &good[i], 0), ==, TFD_GOOD);
    g_assert_cmphex (port (f, PX_IS), ==, IS_DHRS);
  }
  g_assert_cmphex (run (f, &identify, 512), ==, TFD_GOOD);
  g_assert_cmpuint (word (f, 3), ==, 8);
  g_assert_cmpuint (word (f, 6), ==, 32);
  g_assert_cmphex (word (f, 63), ==, 0x0407);
  g_assert_cmphex (word (f, 85) & 0x20, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_cmphex (run (f, &wrong[i], 0), ==, 0x0441);
  check_alive (f);
}

static void
test_power (Fixture *f, gconstpointer data)
{
  FakeAta standby = { .command = 0xe0 }, check = { .command = 0xe5 };

  g_assert_cmphex (run (f, &check, 0), ==, TFD_GOOD);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[12], ==, 0xff);
  g_assert_cmphex (run (f, &standby, 0), ==, TFD_GOOD);
  g_assert_cmphex (run (f, &check, 0), ==, TFD_GOOD);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[12], ==, 0x00);
  check_alive (f);
  g_assert_cmphex (run (f, &check, 0), ==, TFD_GOOD);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[12], ==, 0xff);
}

static void
test_smart (Fixture *f, gconstpointer data)
{
  FakeAta ata = { .command = 0xb0, .lba = 0xc24f00 };
  static const guint8 pages[] = { 0xd0, 0xd1 };

  for (guint i = 0; i < G_N_ELEMENTS (pages); i++) {
    guint8 sum = 0;

    ata.features = pages[i];
    g_assert_cmphex (run (f, &ata, 512), ==, TFD_GOOD);
    for (guint k = 0; k < 512; k++)
      sum += at (f, f->data, 512)[k];
    g_assert_cmphex (sum, ==, 0);
    g_assert_cmphex (at (f, f->data, 512)[2], ==, 1);
  }
  ata.features = 0xd5;
  g_assert_cmphex (run (f, &ata, 512), ==, TFD_GOOD);
  ata.lba = 0xc24f06;
  g_assert_cmphex (run (f, &ata, 512), ==, TFD_GOOD);
  ata.lba = 0xc24f99;
  g_assert_cmphex (run (f, &ata, 512), ==, 0x0441);
  ata.features = 0xda;
  g_assert_cmphex (run (f, &ata, 0), ==, TFD_GOOD);
  g_assert_cmphex (port (f, PX_IS), ==, IS_DHRS);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[5], ==, 0x4f);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[6], ==, 0xc2);
  ata.features = 0xd9;
  g_assert_cmphex (run (f, &ata, 0), ==, TFD_GOOD);
  ata.features = 0xd0;
  g_assert_cmphex (run (f, &ata, 512), ==, 0x0441);
  ata.features = 0xd8;
  g_assert_cmphex (run (f, &ata, 0), ==, TFD_GOOD);
  ata.features = 0xee;
  g_assert_cmphex (run (f, &ata, 512), ==, 0x0441);
  ata.features = 0xd0;
  ata.lba = 0;
  g_assert_cmphex (run (f, &ata, 512), ==, 0x0441);
}

static void
put_range (Fixture *f, guint i, guint64 lba, guint64 n)
{
  guint64 range = lba | n << 48;

  memcpy (at (f, f->data + 8 * i, 8), &range, 8);
}

static void
test_trim (Fixture *f, gconstpointer data)
{
  FakeAta ata = { .command = TRIM, .features = 1, .count = 1 };
  g_autofree char *content = NULL;

  memset (at (f, f->data, 512), 0, 512);
  put_range (f, 0, 40, 8);
  put_range (f, 2, 56, 8);
  put_range (f, 3, G_GUINT64_CONSTANT (0xffffffffffff), 0);
  g_assert_cmphex (run (f, &ata, 512), ==, TFD_GOOD);
  g_assert_true (g_file_get_contents (f->path, &content, NULL, NULL));
  check_sector ((guint8 *) content + 39 * 512, 39);
  for (guint i = 0; i < 8 * 512; i++) {
    g_assert_cmphex (content[40 * 512 + i], ==, 0);
    g_assert_cmphex (content[56 * 512 + i], ==, 0);
  }
  check_sector ((guint8 *) content + 48 * 512, 48);
  check_sector ((guint8 *) content + 64 * 512, 64);
  /* One range that is wrong spoils all. */
  put_range (f, 0, 80, 8);
  put_range (f, 63, SECTORS - 1, 2);
  g_assert_cmphex (run (f, &ata, 512), ==, 0x1041);
  ata.count = 2; /* less than it says */
  g_assert_cmphex (run (f, &ata, 512), ==, 0x0441);
  ata.count = 9;
  g_assert_cmphex (run (f, &ata, DATA), ==, 0x0441);
  ata.count = 0;
  g_assert_cmphex (run (f, &ata, DATA), ==, 0x0441);
  ata.count = 1;
  ata.features = 0;
  g_assert_cmphex (run (f, &ata, 512), ==, 0x0441);
  g_clear_pointer (&content, g_free);
  g_assert_true (g_file_get_contents (f->path, &content, NULL, NULL));
  check_sector ((guint8 *) content + 80 * 512, 80);
}

/* Whatever the code: an answer, and the disk lives. */
static void
test_all_codes (Fixture *f, gconstpointer data)
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
  check_alive (f);
  g_assert_cmpuint (f->guest->platform.n_broken, ==, 0);
}

/* A port that found nonsense stands until it is stopped. */
static void
check_halted (Fixture *f, guint32 is)
{
  set_port (f, PX_CI, 1);
  fake_ahci_wait (f->ahci, 0, 1);
  g_assert_cmphex (port (f, PX_IS) & is, ==, is);
  g_assert_cmphex (port (f, PX_CI), ==, 1);
  fake_ahci_stop (f->ahci, 0);
  fake_ahci_start (f->ahci, 0);
  check_alive (f);
}

static void
test_hostile (Fixture *f, gconstpointer data)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 1, .lba = 1 };
  static const guint64 nowhere[] = { NOWHERE, FAKE_MEMORY, 0xfffffffffffff000, FAKE_MEMORY - 256 };
  FakeBuffer buffer = { f->data, 512 };

  for (guint i = 0; i < 3; i++) { /* tables */
    fake_ahci_prepare (f->ahci, 0, 0, &ata, &buffer, 1);
    ((guint32 *) fake_ahci_header (f->ahci, 0, 0))[2] = nowhere[i];
    ((guint32 *) fake_ahci_header (f->ahci, 0, 0))[3] = nowhere[i] >> 32;
    check_halted (f, IS_HBFS);
  }
  for (guint i = 0; i < G_N_ELEMENTS (nowhere); i++) { /* data */
    fake_ahci_prepare (f->ahci, 0, 0, &ata, &buffer, 1);
    fake_ahci_put_prdt (f->ahci, 0, 0, 0, nowhere[i], 512);
    check_halted (f, IS_HBFS);
  }
  for (guint i = 0; i < 256; i++) { /* types of FIS */
    fake_ahci_prepare (f->ahci, 0, 0, &ata, &buffer, 1);
    fake_ahci_table (f->ahci, 0, 0)[0] = i;
    if (i != 0x27)
      check_halted (f, IS_IFS);
  }
  for (guint i = 0; i < 32; i++) { /* lengths of it */
    fake_ahci_prepare (f->ahci, 0, 0, &ata, &buffer, 1);
    fake_ahci_header (f->ahci, 0, 0)[0] = i;
    if (i != 5)
      check_halted (f, IS_IFS);
  }
  fake_ahci_prepare (f->ahci, 0, 0, &ata, &buffer, 1);
  set_port (f, PX_CLB, NOWHERE);
  check_halted (f, IS_HBFS);
  fake_ahci_prepare (f->ahci, 0, 0, &ata, &buffer, 1);
  set_port (f, PX_FB, NOWHERE);
  set_port (f, PX_CI, 1);
  fake_ahci_wait (f->ahci, 0, 1);
  g_assert_cmphex (port (f, PX_IS) & IS_HBFS, ==, IS_HBFS);
  fake_ahci_stop (f->ahci, 0);
  fake_ahci_start (f->ahci, 0);
  check_alive (f);
}

/* A table in the middle of which memory ends: the entry is wrong, whatever came before. */
static void
test_table_end (Fixture *f, gconstpointer data)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 16, .lba = 1 };
  guint64 table = FAKE_MEMORY - 0x100;

  fake_ahci_prepare (f->ahci, 0, 0, &ata, NULL, 0);
  memcpy (at (f, table, 0x80), fake_ahci_table (f->ahci, 0, 0), 0x80);
  for (guint i = 0; i < 8; i++) {
    guint32 entry[4] = { f->data, 0, 0, 511 };

    memcpy (at (f, table + 0x80 + 16 * i, 16), entry, sizeof entry);
  }
  ((guint32 *) fake_ahci_header (f->ahci, 0, 0))[0] = 5 | 0xffffu << 16;
  ((guint32 *) fake_ahci_header (f->ahci, 0, 0))[2] = table;
  check_halted (f, IS_HBFS);
}

static void
test_comreset (Fixture *f, gconstpointer data)
{
  fake_ahci_stop (f->ahci, 0);
  set_port (f, PX_SCTL, 0x301);
  g_assert_cmphex (port (f, PX_SSTS), ==, 0);
  set_port (f, PX_SCTL, 0x300);
  g_assert_cmphex (port (f, PX_SSTS), ==, 0x133);
  g_assert_cmphex (port (f, PX_SERR), ==, 0x04000000);
  g_assert_cmphex (port (f, PX_TFD), ==, 0x0150);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[0], ==, 0x34);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[1], ==, 0);
  /* Without FRE the first FIS waits. */
  set_port (f, PX_CMD, 0);
  set_port (f, PX_SCTL, 0x304);
  g_assert_cmphex (port (f, PX_SSTS), ==, 4);
  set_port (f, PX_SCTL, 0);
  g_assert_cmphex (port (f, PX_TFD), ==, 0x80);
  set_port (f, PX_CMD, CMD_FRE);
  g_assert_cmphex (port (f, PX_TFD), ==, 0x0150);
  fake_ahci_start (f->ahci, 0);
  check_alive (f);
}

static void
soft_reset (Fixture *f, guint i, gboolean on)
{
  FakeAta ata = { .control = on ? 4 : 0 };

  fake_ahci_prepare (f->ahci, i, 0, &ata, NULL, 0);
  fake_ahci_table (f->ahci, i, 0)[1] = 0;
  fake_ahci_write_port (f->ahci, i, PX_CI, 1);
  fake_ahci_wait (f->ahci, i, 1);
  g_assert_cmphex (fake_ahci_read_port (f->ahci, i, PX_CI), ==, 0);
}

static void
test_soft_reset (Fixture *f, gconstpointer data)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 1, .lba = 1 };

  fake_ahci_start (f->ahci, 1);
  for (guint i = 0; i < 2; i++) {
    memset (fake_ahci_fis (f->ahci, i, 0x40), 0, 20);
    soft_reset (f, i, TRUE);
    soft_reset (f, i, FALSE);
    g_assert_cmphex (fake_ahci_fis (f->ahci, i, 0x40)[0], ==, 0x34);
    g_assert_cmphex (fake_ahci_fis (f->ahci, i, 0x40)[5], ==, i ? 0x14 : 0);
    g_assert_cmphex (fake_ahci_read_port (f->ahci, i, PX_SIG), ==, i ? 0xeb140101 : 0x101);
    g_assert_cmphex (fake_ahci_read_port (f->ahci, i, PX_TFD), ==, i ? 0x100 : 0x150);
  }
  check_alive (f);
  /* A command while SRST is set. */
  soft_reset (f, 0, TRUE);
  fake_ahci_prepare (f->ahci, 0, 0, &ata, NULL, 0);
  set_port (f, PX_CI, 1);
  fake_ahci_wait (f->ahci, 0, 1);
  g_assert_cmphex (port (f, PX_IS) & IS_IFS, ==, IS_IFS);
  fake_ahci_stop (f->ahci, 0);
  set_port (f, PX_SCTL, 0x301);
  set_port (f, PX_SCTL, 0x300);
  fake_ahci_start (f->ahci, 0);
  check_alive (f);
}

static void
issue_many (Fixture *f)
{
  for (guint i = 0; i < 32; i++) {
    FakeAta ata = {
      .command = READ_QUEUED, .device = LBA, .features = 64, .count = i << 3, .lba = i
    };
    FakeBuffer buffer = { f->data + 0x8000 * (i % 16), 0x8000 };

    fake_ahci_prepare (f->ahci, 0, i, &ata, &buffer, 1);
  }
  set_port (f, PX_SACT, G_MAXUINT32);
  set_port (f, PX_CI, G_MAXUINT32);
}

/* Whatever is stopped or reset in the middle: what is in flight may end, and then it is over. */
static void
test_in_flight (Fixture *f, gconstpointer data)
{
  issue_many (f);
  fake_ahci_stop (f->ahci, 0);
  g_assert_cmphex (port (f, PX_CI) | port (f, PX_SACT), ==, 0);
  fake_ahci_start (f->ahci, 0);
  check_alive (f);

  issue_many (f);
  set_port (f, PX_SCTL, 0x301);
  set_port (f, PX_SCTL, 0x300);
  while (port (f, PX_TFD) != 0x0150)
    fake_guest_settle (f->guest);
  fake_ahci_stop (f->ahci, 0);
  fake_ahci_start (f->ahci, 0);
  check_alive (f);

  issue_many (f);
  fake_ahci_write (f->ahci, HBA_GHC, 1);
  while (fake_ahci_read (f->ahci, HBA_GHC) & 1)
    fake_guest_settle (f->guest);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_GHC), ==, 0x80000000);
  g_assert_cmphex (port (f, PX_CMD), ==, 6);
  g_assert_cmphex (port (f, PX_IE), ==, 0);
  fake_ahci_write (f->ahci, HBA_GHC, 2);
  fake_ahci_start (f->ahci, 0);
  check_alive (f);

  issue_many (f);
  vmm_device_reset (f->device);
  fake_guest_write_config (f->guest, f->ahci->slot, 4, 2, 6);
  g_assert_cmphex (port (f, PX_CI), ==, 0);
  g_assert_cmphex (port (f, PX_TFD), ==, 0x80);
}

/* What was not begun when the machine paused is begun when it goes on. */
static void
test_drain (Fixture *f, gconstpointer data)
{
  issue_many (f);
  vmm_device_drain (f->device);
  fake_guest_settle (f->guest);
  vmm_device_resume (f->device);
  fake_ahci_wait (f->ahci, 0, G_MAXUINT32);
  g_assert_cmphex (port (f, PX_TFD), ==, TFD_GOOD);

  vmm_device_drain (f->device);
  issue_many (f);
  fake_guest_settle (f->guest);
  g_assert_cmphex (port (f, PX_CI), ==, G_MAXUINT32);
  vmm_device_resume (f->device);
  fake_ahci_wait (f->ahci, 0, G_MAXUINT32);
  g_assert_cmphex (port (f, PX_CI), ==, 0);
}

static void
test_message (Fixture *f, gconstpointer data)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 1, .lba = 1 };
  guint gsi = vmm_pci_slot_gsi (f->ahci->slot);

  fake_guest_take_message (f->guest, FAKE_AHCI_MSI);
  g_assert_cmphex (run (f, &ata, 512), ==, TFD_GOOD);
  g_assert_cmpuint (fake_guest_take_message (f->guest, FAKE_AHCI_MSI), ==, 1);
  g_assert_false (fake_guest_get_line (f->guest, gsi));
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_IS), ==, 1);
  /* Not while the port or the controller is told to be still. */
  set_port (f, PX_IE, 0);
  fake_ahci_write (f->ahci, HBA_IS, 1);
  g_assert_cmphex (run (f, &ata, 512), ==, TFD_GOOD);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_IS), ==, 0);
  g_assert_cmpuint (fake_guest_take_message (f->guest, FAKE_AHCI_MSI), ==, 0);
  set_port (f, PX_IE, IS_DHRS);
  g_assert_cmpuint (fake_guest_take_message (f->guest, FAKE_AHCI_MSI), ==, 1);
}

static void
test_line (Fixture *f, gconstpointer data)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 1, .lba = 1 };
  guint gsi = vmm_pci_slot_gsi (f->ahci->slot);

  g_assert_false (fake_guest_get_line (f->guest, gsi));
  g_assert_cmphex (run (f, &ata, 512), ==, TFD_GOOD);
  g_assert_true (fake_guest_get_line (f->guest, gsi));
  fake_ahci_write (f->ahci, HBA_IS, 1); /* it is there again: the port has not been asked */
  g_assert_true (fake_guest_get_line (f->guest, gsi));
  set_port (f, PX_IS, G_MAXUINT32);
  g_assert_true (fake_guest_get_line (f->guest, gsi));
  fake_ahci_write (f->ahci, HBA_IS, 1);
  g_assert_false (fake_guest_get_line (f->guest, gsi));
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDevice *other = controller_new (guest, f->block);
  FakeAta multiple = { .command = SET_MULTIPLE, .count = 16 };

  g_assert_cmphex (run (f, &multiple, 0), ==, TFD_GOOD);
  vmm_device_drain (f->device);
  issue_many (f);
  fake_guest_check_saved (f->device, other);
  vmm_device_free (other);
  fake_guest_free (guest);
}

/* A machine is loaded in which commands wait: they are done there. */
static void
test_saved_commands (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDevice *other;
  g_autoptr (VmmState) state = vmm_state_new ();
  g_autoptr (GError) error = NULL;

  vmm_device_drain (f->device);
  issue_many (f);
  g_assert_true (vmm_device_save (f->device, state, &error));
  fake_guest_copy_memory (guest, f->guest);
  vmm_device_free (f->device);
  vmm_block_close (f->block);
  f->block = open_disk (f->path, guest->loop);
  other = controller_new (guest, f->block);
  vmm_device_drain (other);
  g_assert_true (vmm_device_load (other, state, &error));
  fake_guest_free (g_steal_pointer (&f->guest));
  f->guest = f->ahci->guest = guest;
  f->device = other;
  vmm_device_resume (other);
  fake_ahci_wait (f->ahci, 0, G_MAXUINT32);
  g_assert_cmphex (port (f, PX_TFD), ==, TFD_GOOD);
  check_sector (at (f, f->data + 0x8000 * 15, 512), 31);
  check_alive (f);
}

/* Random commands with random tables: an answer each, and no other harm. */
static void
test_nonsense (Fixture *f, gconstpointer data)
{
  GRand *random = g_rand_new_with_seed (11);

  for (guint i = 0; i < 1500; i++) {
    FakeAta ata = {
      .command = g_rand_int (random),
      .device = g_rand_int (random),
      .features = g_rand_int_range (random, 0, 20),
      .count = g_rand_int_range (random, 0, 60),
      .lba = g_rand_int_range (random, 0, SECTORS + 10),
    };
    FakeBuffer buffers[6];
    guint n = g_rand_int_range (random, 0, 7);

    for (guint j = 0; j < n; j++)
      buffers[j] = (FakeBuffer) { f->data + g_rand_int_range (random, 0, DATA),
                                  g_rand_int_range (random, 1, 9000) };
    if (g_rand_int_range (random, 0, 20) == 0)
      buffers[0].address = NOWHERE;
    fake_ahci_run (f->ahci, 0, &ata, buffers, n);
  }
  g_rand_free (random);
  g_assert_cmpuint (f->guest->platform.n_broken, ==, 0);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/ahci/function", test_function },
    { "/ahci/registers", test_registers },
    { "/ahci/handoff", test_handoff },
    { "/ahci/identify", test_identify },
    { "/ahci/read", test_read },
    { "/ahci/counts", test_counts },
    { "/ahci/write", test_write },
    { "/ahci/range", test_range },
    { "/ahci/prdt", test_prdt },
    { "/ahci/prdt/long", test_long_prdt },
    { "/ahci/prdt/short", test_short_prdt },
    { "/ahci/prdt/interrupt", test_descriptor_interrupt },
    { "/ahci/prdt/end", test_table_end },
    { "/ahci/queue", test_queue },
    { "/ahci/queue/mixed", test_mixed },
    { "/ahci/queue/error", test_queue_error },
    { "/ahci/small-commands", test_small_commands },
    { "/ahci/power", test_power },
    { "/ahci/smart", test_smart },
    { "/ahci/trim", test_trim },
    { "/ahci/all-codes", test_all_codes },
    { "/ahci/hostile", test_hostile },
    { "/ahci/reset/wire", test_comreset },
    { "/ahci/reset/soft", test_soft_reset },
    { "/ahci/reset/in-flight", test_in_flight },
    { "/ahci/drain", test_drain },
    { "/ahci/message", test_message },
    { "/ahci/saved", test_saved },
    { "/ahci/saved/commands", test_saved_commands },
    { "/ahci/nonsense", test_nonsense },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
  g_test_add ("/ahci/line", Fixture, GINT_TO_POINTER (1), set_up, test_line, tear_down);
  return g_test_run ();
}
