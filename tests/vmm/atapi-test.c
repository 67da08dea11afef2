/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "atapi-test.h"

VmmDevice *
atapi_test_controller_new (FakeGuest *guest, VmmBlock *block)
{
  VmmAhciConfig config = { .ports = { { VMM_AHCI_CDROM, "cdrom0", block } } };

  return vmm_device_new (&vmm_ahci_class.parent, &guest->board, "ahci", &config, NULL);
}

static guint8
atapi_test_byte_of (guint i)
{
  return i / 2048 + i;
}

void
atapi_test_set_up (AtapiTest *f, gconstpointer data)
{
  guint8 *content = g_malloc (SIZE);
  int fd;

  for (guint i = 0; i < SIZE; i++)
    content[i] = atapi_test_byte_of (i);
  f->guest = fake_guest_new ();
  f->path = g_build_filename (g_get_tmp_dir (), "vmm-atapi-XXXXXX", NULL);
  fd = g_mkstemp (f->path);
  g_assert_cmpint (write (fd, content, SIZE), ==, SIZE);
  close (fd);
  g_free (content);
  f->block = vmm_block_open_raw (f->path, TRUE, f->guest->loop, NULL);
  g_assert_nonnull (f->block);
  f->device = atapi_test_controller_new (f->guest, data ? NULL : f->block);
  f->ahci = fake_ahci_new (f->guest, f->device, TRUE);
  fake_ahci_start (f->ahci, 0);
  f->data = fake_guest_alloc (f->guest, DATA);
}

void
atapi_test_tear_down (AtapiTest *f, gconstpointer data)
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
atapi_test_data_of (AtapiTest *f)
{
  return fake_guest_at (f->guest, f->data, DATA);
}

guint32
atapi_test_packet_with (AtapiTest *f,
                        const guint8 *packet,
                        gsize length,
                        gboolean dma,
                        guint32 *moved)
{
  static const guint8 request_sense[12] = { 0x03, 0, 0, 0, 18 };
  FakeAta ata = { .command = 0xa0, .features = dma, .lba = 0xfffe00, .packet = packet };
  FakeBuffer buffer = { f->data, length };
  guint64 sense = fake_guest_alloc (f->guest, 18);
  guint8 *bytes = fake_guest_at (f->guest, sense, 18);
  FakeBuffer sense_buffer = { sense, 18 };
  guint32 tfd = fake_ahci_run (f->ahci, 0, &ata, &buffer, length ? 1 : 0);
  guint8 key = tfd >> 12;

  if (moved)
    *moved = fake_ahci_moved (f->ahci, 0, 0);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[12], ==, 3);
  f->guest->next = sense; /* it is not needed any more when we return */
  if (!(tfd & 1)) {
    g_assert_cmphex (tfd, ==, TFD_GOOD);
    return 0;
  }
  ata.packet = request_sense;
  g_assert_cmphex (fake_ahci_run (f->ahci, 0, &ata, &sense_buffer, 1), ==, TFD_GOOD);
  g_assert_cmphex (bytes[0], ==, 0x70);
  g_assert_cmphex (bytes[2], ==, key);
  return bytes[2] << 16 | bytes[12] << 8 | bytes[13];
}

guint32
atapi_test_packet (AtapiTest *f, const guint8 *bytes, guint32 *moved)
{
  memset (atapi_test_data_of (f), 0xee, 4096);
  return atapi_test_packet_with (f, bytes, 65536, TRUE, moved);
}

guint32
atapi_test_test_unit_ready (AtapiTest *f)
{
  static const guint8 bytes[12] = { 0x00 };

  return atapi_test_packet (f, bytes, NULL);
}

void
atapi_test_clear_attention (AtapiTest *f)
{
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, WAS_RESET);
}

guint32
atapi_test_be (const guint8 *bytes, guint n)
{
  guint32 value = 0;

  for (guint i = 0; i < n; i++)
    value = value << 8 | bytes[i];
  return value;
}

void
atapi_test_check_blocks (AtapiTest *f, guint first, guint n)
{
  for (guint i = 0; i < n * 2048; i++) {
    guint where = first * 2048 + i;

    g_assert_cmphex (atapi_test_data_of (f)[i], ==, where < SIZE ? atapi_test_byte_of (where) : 0);
  }
}

int
atapi_test_run_all (const AtapiTestCase *tests, guint n_tests)
{
  for (guint i = 0; i < n_tests; i++)
    g_test_add (tests[i].name, AtapiTest, NULL, atapi_test_set_up, tests[i].run,
                atapi_test_tear_down);
  return g_test_run ();
}
