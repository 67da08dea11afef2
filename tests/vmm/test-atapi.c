/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An ATAPI CD drive: what it says of itself and of its disc, and reading.
 */
#include <string.h>
#include <unistd.h>

#include "atapi-test.h"

static void
test_identify (AtapiTest *f, gconstpointer data)
{
  FakeAta ata = { .command = 0xa1 };
  FakeBuffer buffer = { f->data, 512 };

  g_assert_cmphex (fake_ahci_read_port (f->ahci, 0, PX_SIG), ==, 0xeb140101);
  g_assert_cmphex (fake_ahci_read_port (f->ahci, 0, PX_TFD), ==, 0x0100);
  g_assert_cmphex (fake_ahci_run (f->ahci, 0, &ata, &buffer, 1), ==, TFD_GOOD);
  g_assert_cmphex (((guint16 *) atapi_test_data_of (f))[0], ==, 0x85c0);
  g_assert_cmphex (((guint16 *) atapi_test_data_of (f))[10], ==, 'c' << 8 | 'd');
  ata.command = 0xec;
  g_assert_cmphex (fake_ahci_run (f->ahci, 0, &ata, &buffer, 1), ==, 0x0441);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[5], ==, 0x14);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[6], ==, 0xeb);
  ata.command = 0x08;
  g_assert_cmphex (fake_ahci_run (f->ahci, 0, &ata, NULL, 0), ==, 0x0100);
}

static void
test_inquiry (AtapiTest *f, gconstpointer data)
{
  guint8 bytes[12] = { 0x12, 0, 0, 0, 36 };
  guint32 moved;

  g_assert_cmphex (atapi_test_packet (f, bytes, &moved), ==,
                   0); /* before the unit attention is told */
  g_assert_cmpuint (moved, ==, 36);
  g_assert_cmphex (atapi_test_data_of (f)[0], ==, 0x05);
  g_assert_cmphex (atapi_test_data_of (f)[1], ==, 0x80);
  g_assert_cmpmem (atapi_test_data_of (f) + 8, 16, "VirtDeskCD-ROM  ", 16);
  bytes[4] = 5;
  g_assert_cmphex (atapi_test_packet (f, bytes, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 5);
  bytes[1] = 1;
  g_assert_cmphex (atapi_test_packet (f, bytes, NULL), ==, INVALID_FIELD);
}

static void
test_attention (AtapiTest *f, gconstpointer data)
{
  guint8 sense[12] = { 0x03, 0, 0, 0, 18 };

  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, WAS_RESET);
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, 0);
  g_assert_cmphex (atapi_test_packet (f, sense, NULL), ==, 0);
  g_assert_cmphex (atapi_test_data_of (f)[2], ==, 0);
  /* Asked for, it is told as well, and once. */
  vmm_ahci_change_medium (f->device, "cdrom0", f->block);
  g_assert_cmphex (atapi_test_packet (f, sense, NULL), ==, 0);
  g_assert_cmphex (atapi_test_data_of (f)[2], ==, 6);
  g_assert_cmphex (atapi_test_data_of (f)[12], ==, 0x28);
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, 0);
}

static void
test_capacity (AtapiTest *f, gconstpointer data)
{
  guint8 capacity[12] = { 0x25 }, formats[12] = { 0x23, 0, 0, 0, 0, 0, 0, 0, 12 };

  atapi_test_clear_attention (f);
  g_assert_cmphex (atapi_test_packet (f, capacity, NULL), ==, 0);
  g_assert_cmpuint (atapi_test_be (atapi_test_data_of (f), 4), ==, BLOCKS - 1);
  g_assert_cmpuint (atapi_test_be (atapi_test_data_of (f) + 4, 4), ==, 2048);
  g_assert_cmphex (atapi_test_packet (f, formats, NULL), ==, 0);
  g_assert_cmpuint (atapi_test_be (atapi_test_data_of (f) + 4, 4), ==, BLOCKS);
}

static void
test_read (AtapiTest *f, gconstpointer data)
{
  guint8 read_10[12] = { 0x28, 0, 0, 0, 0, 3, 0, 0, 2 };
  guint8 read_12[12] = { 0xa8, 0, 0, 0, 0, 3, 0, 0, 0, 2 };
  guint8 read_cd[12] = { 0xbe, 0, 0, 0, 0, 3, 0, 0, 2, 0x10 };
  guint8 *all[] = { read_10, read_12, read_cd };
  guint32 moved;

  atapi_test_clear_attention (f);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    for (guint dma = 0; dma < 2; dma++) {
      memset (atapi_test_data_of (f), 0xee, 8192);
      all[i][5] = 3;
      g_assert_cmphex (atapi_test_packet_with (f, all[i], 65536, dma, &moved), ==, 0);
      g_assert_cmpuint (moved, ==, 4096);
      atapi_test_check_blocks (f, 3, 2);
      g_assert_cmphex (atapi_test_data_of (f)[4096], ==, 0xee);
      /* The last block is there, though the image ends within it. */
      all[i][5] = BLOCKS - 2;
      g_assert_cmphex (atapi_test_packet_with (f, all[i], 65536, dma, &moved), ==, 0);
      atapi_test_check_blocks (f, BLOCKS - 2, 2);
      all[i][5] = BLOCKS - 1;
      g_assert_cmphex (atapi_test_packet_with (f, all[i], 65536, dma, NULL), ==, OUT_OF_RANGE);
      all[i][2] = 0xff;
      g_assert_cmphex (atapi_test_packet_with (f, all[i], 65536, dma, NULL), ==, OUT_OF_RANGE);
      all[i][2] = 0;
    }
  /* In pieces that cut sectors, the last piece of which lies behind the image's end. */
  read_10[5] = BLOCKS - 1;
  read_10[8] = 1;
  g_assert_cmphex (atapi_test_packet_with (f, read_10, 2048, TRUE, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 2048);
  atapi_test_check_blocks (f, BLOCKS - 1, 1);
  read_10[8] = 0;
  g_assert_cmphex (atapi_test_packet_with (f, read_10, 2048, TRUE, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 0);
  /* What is no data is not on an image. */
  read_cd[5] = 0;
  read_cd[9] = 0xf8;
  g_assert_cmphex (atapi_test_packet (f, read_cd, NULL), ==, INVALID_FIELD);
  read_cd[9] = 0;
  g_assert_cmphex (atapi_test_packet (f, read_cd, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 0);
  read_cd[1] = 1 << 2; /* audio */
  g_assert_cmphex (atapi_test_packet (f, read_cd, NULL), ==, INVALID_FIELD);
}

/* A PIO transfer tells of its data and then of its end. */
static void
test_pio (AtapiTest *f, gconstpointer data)
{
  guint8 bytes[12] = { 0x12, 0, 0, 0, 36 };

  g_assert_cmphex (atapi_test_packet_with (f, bytes, 36, FALSE, NULL), ==, 0);
  g_assert_cmphex (fake_ahci_read_port (f->ahci, 0, PX_IS), ==, IS_DHRS | IS_PSS);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x20)[0], ==, 0x5f);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x20)[12], ==, 2);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x20)[16], ==, 36);
  g_assert_cmphex (atapi_test_packet_with (f, bytes, 36, TRUE, NULL), ==, 0);
  g_assert_cmphex (fake_ahci_read_port (f->ahci, 0, PX_IS), ==, IS_DHRS);
}

static void
test_toc (AtapiTest *f, gconstpointer data)
{
  guint8 toc[12] = { 0x43, 0, 0, 0, 0, 0, 0, 0x10 };
  guint32 moved;

  atapi_test_clear_attention (f);
  g_assert_cmphex (atapi_test_packet (f, toc, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 20);
  g_assert_cmpuint (atapi_test_be (atapi_test_data_of (f), 2), ==, 18);
  g_assert_cmphex (atapi_test_data_of (f)[5], ==, 0x14);
  g_assert_cmphex (atapi_test_data_of (f)[14], ==, 0xaa);
  g_assert_cmpuint (atapi_test_be (atapi_test_data_of (f) + 16, 4), ==, BLOCKS);
  toc[1] = 2; /* as times: two seconds before the first block */
  g_assert_cmphex (atapi_test_packet (f, toc, &moved), ==, 0);
  g_assert_cmphex (atapi_test_be (atapi_test_data_of (f) + 8, 4), ==, 0x00000200);
  g_assert_cmphex (atapi_test_be (atapi_test_data_of (f) + 16, 4), ==, 0x00000319);
  toc[6] = 0xaa;
  g_assert_cmphex (atapi_test_packet (f, toc, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 12);
  g_assert_cmphex (atapi_test_data_of (f)[6], ==, 0xaa);
  toc[6] = 2;
  g_assert_cmphex (atapi_test_packet (f, toc, NULL), ==, INVALID_FIELD);
  toc[6] = 0;
  toc[2] = 1; /* sessions */
  g_assert_cmphex (atapi_test_packet (f, toc, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 12);
  toc[2] = 0;
  toc[9] = 0x40; /* the same, as ATAPI had it first */
  g_assert_cmphex (atapi_test_packet (f, toc, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 12);
  toc[9] = 0;
  toc[2] = 2; /* raw */
  g_assert_cmphex (atapi_test_packet (f, toc, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 4 + 4 * 11);
  g_assert_cmphex (atapi_test_data_of (f)[4 + 3], ==, 0xa0);
  g_assert_cmphex (atapi_test_data_of (f)[4 + 33 + 9], ==, 2);
  for (guint format = 3; format < 16; format++) {
    toc[2] = format;
    g_assert_cmphex (atapi_test_packet (f, toc, NULL), ==, INVALID_FIELD);
  }
}

static void
test_disc (AtapiTest *f, gconstpointer data)
{
  guint8 disc[12] = { 0x51, 0, 0, 0, 0, 0, 0, 0, 34 },
         track[12] = { 0x52, 1, 0, 0, 0, 1, 0, 0, 36 };
  guint8 channel[12] = { 0x42, 2, 0x40, 1, 0, 0, 0, 0, 16 };
  guint8 seek[12] = { 0x2b, 0, 0, 0, 0, BLOCKS - 1 }, mechanism[12] = { 0xbd, [9] = 8 };
  guint32 moved;

  atapi_test_clear_attention (f);
  g_assert_cmphex (atapi_test_packet (f, disc, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 34);
  g_assert_cmphex (atapi_test_data_of (f)[2], ==, 0x0e);
  disc[1] = 1;
  g_assert_cmphex (atapi_test_packet (f, disc, NULL), ==, INVALID_FIELD);
  g_assert_cmphex (atapi_test_packet (f, track, &moved), ==, 0);
  g_assert_cmpuint (atapi_test_be (atapi_test_data_of (f) + 24, 4), ==, BLOCKS);
  track[5] = 2;
  g_assert_cmphex (atapi_test_packet (f, track, NULL), ==, INVALID_FIELD);
  track[1] = 0;
  track[5] = BLOCKS;
  g_assert_cmphex (atapi_test_packet (f, track, NULL), ==, INVALID_FIELD);
  g_assert_cmphex (atapi_test_packet (f, channel, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 16);
  g_assert_cmphex (atapi_test_data_of (f)[1], ==, 0x15);
  g_assert_cmphex (atapi_test_be (atapi_test_data_of (f) + 8, 4), ==, 0x00000200);
  channel[3] = 4;
  g_assert_cmphex (atapi_test_packet (f, channel, NULL), ==, INVALID_FIELD);
  channel[2] = 0;
  g_assert_cmphex (atapi_test_packet (f, channel, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 4);
  g_assert_cmphex (atapi_test_packet (f, seek, NULL), ==, 0);
  seek[5] = BLOCKS;
  g_assert_cmphex (atapi_test_packet (f, seek, NULL), ==, OUT_OF_RANGE);
  g_assert_cmphex (atapi_test_packet (f, mechanism, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 8);
}

static void
test_mode (AtapiTest *f, gconstpointer data)
{
  guint8 mode_10[12] = { 0x5a, 0, 0x3f, [7] = 1 }, mode_6[12] = { 0x1a, 0, 0x2a, 0, 255 };
  guint32 moved;

  atapi_test_clear_attention (f);
  g_assert_cmphex (atapi_test_packet (f, mode_10, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 8 + 8 + 16 + 20);
  g_assert_cmpuint (atapi_test_be (atapi_test_data_of (f), 2), ==, moved - 2);
  g_assert_cmphex (atapi_test_data_of (f)[2], ==, 0x01);
  g_assert_cmphex (atapi_test_data_of (f)[8], ==, 0x01);
  g_assert_cmphex (atapi_test_packet (f, mode_6, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 24);
  g_assert_cmphex (atapi_test_data_of (f)[4], ==, 0x2a);
  g_assert_cmphex (atapi_test_data_of (f)[4 + 6] & 0x0b, ==, 0x09);
  mode_6[2] = 0x6a; /* what can be changed: nothing */
  g_assert_cmphex (atapi_test_packet (f, mode_6, &moved), ==, 0);
  for (guint i = 6; i < 24; i++)
    g_assert_cmphex (atapi_test_data_of (f)[i], ==, 0);
  mode_6[2] = 0xea; /* saved */
  g_assert_cmphex (atapi_test_packet (f, mode_6, NULL), ==, 0x053900);
  mode_6[2] = 0x08;
  g_assert_cmphex (atapi_test_packet (f, mode_6, NULL), ==, INVALID_FIELD);
}

static void
test_configuration (AtapiTest *f, gconstpointer data)
{
  guint8 bytes[12] = { 0x46, [7] = 1 };
  guint32 moved, at, n = 0;

  g_assert_cmphex (atapi_test_packet (f, bytes, &moved), ==, 0);
  g_assert_cmpuint (atapi_test_be (atapi_test_data_of (f), 4), ==, moved - 4);
  g_assert_cmphex (atapi_test_be (atapi_test_data_of (f) + 6, 2), ==, 0x0008);
  for (at = 8; at < moved; at += 4 + atapi_test_data_of (f)[at + 3])
    n++;
  g_assert_cmpuint (at, ==, moved);
  g_assert_cmpuint (n, ==, 8);
  bytes[1] = 2;
  bytes[3] = 0x1e;
  g_assert_cmphex (atapi_test_packet (f, bytes, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 16);
  g_assert_cmphex (atapi_test_data_of (f)[10] & 1, ==, 1);
  bytes[3] = 0x1f; /* a DVD is not in it */
  g_assert_cmphex (atapi_test_packet (f, bytes, &moved), ==, 0);
  g_assert_cmphex (atapi_test_data_of (f)[10] & 1, ==, 0);
  bytes[1] = 1;
  g_assert_cmphex (atapi_test_packet (f, bytes, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 12); /* power management alone */
}

/* Whatever the code, and however much it asks for: an answer, and the drive lives. */
static void
test_all_codes (AtapiTest *f, gconstpointer data)
{
  static const guint8 fill[] = { 0x00, 0x01, 0x7f, 0xff };
  guint8 capacity[12] = { 0x25 };

  for (guint code = 0; code < 256; code++)
    for (guint i = 0; i < G_N_ELEMENTS (fill); i++) {
      guint8 bytes[12];

      memset (bytes, fill[i], sizeof bytes);
      bytes[0] = code;
      atapi_test_packet (f, bytes, NULL);
      atapi_test_packet_with (f, bytes, 0, i & 1, NULL);
    }
  vmm_ahci_change_medium (f->device, "cdrom0", f->block);
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, MEDIUM_CHANGED);
  g_assert_cmphex (atapi_test_packet (f, capacity, NULL), ==, 0);
  g_assert_cmpuint (atapi_test_be (atapi_test_data_of (f), 4), ==, BLOCKS - 1);
}

/* An image that became shorter. */
static void
test_read_error (AtapiTest *f, gconstpointer data)
{
  guint8 read_10[12] = { 0x28, 0, 0, 0, 0, 50, 0, 0, 1 };

  atapi_test_clear_attention (f);
  g_assert_cmpint (truncate (f->path, 4096), ==, 0);
  g_assert_cmphex (atapi_test_packet (f, read_10, NULL), ==, READ_ERROR);
  read_10[5] = 1;
  g_assert_cmphex (atapi_test_packet (f, read_10, NULL), ==, 0);
  atapi_test_check_blocks (f, 1, 1);
  g_assert_cmpuint (f->guest->platform.n_broken, ==, 1);
}

static void
test_saved (AtapiTest *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDevice *other = atapi_test_controller_new (guest, f->block);
  guint8 prevent[12] = { 0x1e, 0, 0, 0, 1 };

  atapi_test_clear_attention (f);
  g_assert_cmphex (atapi_test_packet (f, prevent, NULL), ==, 0);
  vmm_ahci_change_medium (f->device, "cdrom0", f->block);
  fake_guest_check_saved (f->device, other);
  g_assert_true (vmm_ahci_is_locked (other, "cdrom0"));
  vmm_device_free (other);
  fake_guest_free (guest);
}

int
main (int argc, char **argv)
{
  static const AtapiTestCase tests[] = {
    { "/atapi/identify", test_identify },
    { "/atapi/inquiry", test_inquiry },
    { "/atapi/attention", test_attention },
    { "/atapi/capacity", test_capacity },
    { "/atapi/read", test_read },
    { "/atapi/read/error", test_read_error },
    { "/atapi/pio", test_pio },
    { "/atapi/toc", test_toc },
    { "/atapi/disc", test_disc },
    { "/atapi/mode", test_mode },
    { "/atapi/configuration", test_configuration },
    { "/atapi/all-codes", test_all_codes },
    { "/atapi/saved", test_saved },
  };

  g_test_init (&argc, &argv, NULL);
  return atapi_test_run_all (tests, G_N_ELEMENTS (tests));
}
