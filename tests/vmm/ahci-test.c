/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "ahci-test.h"

VmmDevice *
ahci_test_controller_new (FakeGuest *guest, VmmBlock *block)
{
  VmmAhciConfig config = {
    .ports = { { VMM_AHCI_DISK, "disk0", block }, { VMM_AHCI_CDROM, "cdrom0", NULL } },
  };

  return vmm_device_new (&vmm_ahci_class.parent, &guest->board, "ahci", &config, NULL);
}

VmmBlock *
ahci_test_open_disk (const char *path, VmmLoop *loop)
{
  VmmBlockOptions options = { .format = VMM_DISK_RAW, .discard = TRUE };
  VmmBlock *block = vmm_block_open (path, &options, loop, NULL);

  g_assert_nonnull (block);
  return block;
}

void
ahci_test_set_up (AhciTest *f, gconstpointer data)
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
  f->block = ahci_test_open_disk (f->path, f->guest->loop);
  f->device = ahci_test_controller_new (f->guest, f->block);
  f->ahci = fake_ahci_new (f->guest, f->device, data == NULL);
  fake_ahci_start (f->ahci, 0);
  f->data = fake_guest_alloc (f->guest, BIG_DATA);
}

void
ahci_test_tear_down (AhciTest *f, gconstpointer data)
{
  fake_ahci_free (f->ahci);
  vmm_device_drain (f->device);
  vmm_device_free (f->device);
  vmm_block_close (f->block);
  fake_guest_free (f->guest);
  g_unlink (f->path);
  g_free (f->path);
}

guint8 *
ahci_test_at (AhciTest *f, guint64 address, gsize size)
{
  return fake_guest_at (f->guest, address, size);
}

guint32
ahci_test_run (AhciTest *f, const FakeAta *ata, guint32 length)
{
  FakeBuffer buffer = { f->data, length };

  return fake_ahci_run (f->ahci, 0, ata, &buffer, length ? 1 : 0);
}

guint32
ahci_test_port (AhciTest *f, guint offset)
{
  return fake_ahci_read_port (f->ahci, 0, offset);
}

void
ahci_test_set_port (AhciTest *f, guint offset, guint32 value)
{
  fake_ahci_write_port (f->ahci, 0, offset, value);
}

void
ahci_test_check_sector (const guint8 *bytes, guint sector)
{
  for (guint i = 0; i < 512; i++)
    g_assert_cmphex (bytes[i], ==, (guint8) (sector + sector * 512 + i));
}

void
ahci_test_check_alive (AhciTest *f)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 1, .lba = 9 };

  g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, TFD_GOOD);
  ahci_test_check_sector (ahci_test_at (f, f->data, 512), 9);
}

guint16
ahci_test_word (AhciTest *f, guint i)
{
  return ((guint16 *) ahci_test_at (f, f->data, 512))[i];
}

int
ahci_test_run_all (const AhciTestCase *tests, guint n_tests)
{
  for (guint i = 0; i < n_tests; i++)
    g_test_add (tests[i].name, AhciTest, NULL, ahci_test_set_up, tests[i].run, ahci_test_tear_down);
  return g_test_run ();
}
