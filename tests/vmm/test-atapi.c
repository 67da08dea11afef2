/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The CD drive, on port 0 of an AHCI controller: packets, sense data, discs that come and go.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "fake-ahci.h"

#define BLOCKS 100 /* the last of which has 512 bytes only */
#define SIZE   (2048 * (BLOCKS - 1) + 512)
#define DATA   (1 << 19)

/* Sense: key, code, qualifier. */
#define NO_SENSE        0x000000
#define NO_MEDIUM       0x023a01
#define NO_MEDIUM_OPEN  0x023a02
#define READ_ERROR      0x031100
#define INVALID_COMMAND 0x052000
#define OUT_OF_RANGE    0x052100
#define INVALID_FIELD   0x052400
#define PREVENTED       0x055302
#define MEDIUM_CHANGED  0x062800
#define WAS_RESET       0x062900

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
  VmmAhciConfig config = { .ports = { { VMM_AHCI_CDROM, "cdrom0", block } } };

  return vmm_device_new (&vmm_ahci_class.parent, &guest->board, "ahci", &config, NULL);
}

static guint8
byte_of (guint i)
{
  return i / 2048 + i;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  guint8 *content = g_malloc (SIZE);
  int fd;

  for (guint i = 0; i < SIZE; i++)
    content[i] = byte_of (i);
  f->guest = fake_guest_new ();
  f->path = g_build_filename (g_get_tmp_dir (), "vmm-atapi-XXXXXX", NULL);
  fd = g_mkstemp (f->path);
  g_assert_cmpint (write (fd, content, SIZE), ==, SIZE);
  close (fd);
  g_free (content);
  f->block = vmm_block_open_raw (f->path, TRUE, f->guest->loop, NULL);
  g_assert_nonnull (f->block);
  f->device = controller_new (f->guest, data ? NULL : f->block);
  f->ahci = fake_ahci_new (f->guest, f->device, TRUE);
  fake_ahci_start (f->ahci, 0);
  f->data = fake_guest_alloc (f->guest, DATA);
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
data_of (Fixture *f)
{
  return fake_guest_at (f->guest, f->data, DATA);
}

/* Returns the sense that the command failed with, 0 where it did not; @moved is what came. */
static guint32
packet_with (Fixture *f, const guint8 *packet, gsize length, gboolean dma, guint32 *moved)
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

static guint32
packet (Fixture *f, const guint8 *bytes, guint32 *moved)
{
  memset (data_of (f), 0xee, 4096);
  return packet_with (f, bytes, 65536, TRUE, moved);
}

static guint32
test_unit_ready (Fixture *f)
{
  static const guint8 bytes[12] = { 0x00 };

  return packet (f, bytes, NULL);
}

/* What every host does first. */
static void
clear_attention (Fixture *f)
{
  g_assert_cmphex (test_unit_ready (f), ==, WAS_RESET);
}

static guint32
be (const guint8 *bytes, guint n)
{
  guint32 value = 0;

  for (guint i = 0; i < n; i++)
    value = value << 8 | bytes[i];
  return value;
}

static void
test_identify (Fixture *f, gconstpointer data)
{
  FakeAta ata = { .command = 0xa1 };
  FakeBuffer buffer = { f->data, 512 };

  g_assert_cmphex (fake_ahci_read_port (f->ahci, 0, PX_SIG), ==, 0xeb140101);
  g_assert_cmphex (fake_ahci_read_port (f->ahci, 0, PX_TFD), ==, 0x0100);
  g_assert_cmphex (fake_ahci_run (f->ahci, 0, &ata, &buffer, 1), ==, TFD_GOOD);
  g_assert_cmphex (((guint16 *) data_of (f))[0], ==, 0x85c0);
  g_assert_cmphex (((guint16 *) data_of (f))[10], ==, 'c' << 8 | 'd');
  ata.command = 0xec;
  g_assert_cmphex (fake_ahci_run (f->ahci, 0, &ata, &buffer, 1), ==, 0x0441);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[5], ==, 0x14);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[6], ==, 0xeb);
  ata.command = 0x08;
  g_assert_cmphex (fake_ahci_run (f->ahci, 0, &ata, NULL, 0), ==, 0x0100);
}

static void
test_inquiry (Fixture *f, gconstpointer data)
{
  guint8 bytes[12] = { 0x12, 0, 0, 0, 36 };
  guint32 moved;

  g_assert_cmphex (packet (f, bytes, &moved), ==, 0); /* before the unit attention is told */
  g_assert_cmpuint (moved, ==, 36);
  g_assert_cmphex (data_of (f)[0], ==, 0x05);
  g_assert_cmphex (data_of (f)[1], ==, 0x80);
  g_assert_cmpmem (data_of (f) + 8, 16, "VirtDeskCD-ROM  ", 16);
  bytes[4] = 5;
  g_assert_cmphex (packet (f, bytes, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 5);
  bytes[1] = 1;
  g_assert_cmphex (packet (f, bytes, NULL), ==, INVALID_FIELD);
}

static void
test_attention (Fixture *f, gconstpointer data)
{
  guint8 sense[12] = { 0x03, 0, 0, 0, 18 };

  g_assert_cmphex (test_unit_ready (f), ==, WAS_RESET);
  g_assert_cmphex (test_unit_ready (f), ==, 0);
  g_assert_cmphex (packet (f, sense, NULL), ==, 0);
  g_assert_cmphex (data_of (f)[2], ==, 0);
  /* Asked for, it is told as well, and once. */
  vmm_ahci_change_medium (f->device, "cdrom0", f->block);
  g_assert_cmphex (packet (f, sense, NULL), ==, 0);
  g_assert_cmphex (data_of (f)[2], ==, 6);
  g_assert_cmphex (data_of (f)[12], ==, 0x28);
  g_assert_cmphex (test_unit_ready (f), ==, 0);
}

static void
test_capacity (Fixture *f, gconstpointer data)
{
  guint8 capacity[12] = { 0x25 }, formats[12] = { 0x23, 0, 0, 0, 0, 0, 0, 0, 12 };

  clear_attention (f);
  g_assert_cmphex (packet (f, capacity, NULL), ==, 0);
  g_assert_cmpuint (be (data_of (f), 4), ==, BLOCKS - 1);
  g_assert_cmpuint (be (data_of (f) + 4, 4), ==, 2048);
  g_assert_cmphex (packet (f, formats, NULL), ==, 0);
  g_assert_cmpuint (be (data_of (f) + 4, 4), ==, BLOCKS);
}

static void
check_blocks (Fixture *f, guint first, guint n)
{
  for (guint i = 0; i < n * 2048; i++) {
    guint where = first * 2048 + i;

    g_assert_cmphex (data_of (f)[i], ==, where < SIZE ? byte_of (where) : 0);
  }
}

static void
test_read (Fixture *f, gconstpointer data)
{
  guint8 read_10[12] = { 0x28, 0, 0, 0, 0, 3, 0, 0, 2 };
  guint8 read_12[12] = { 0xa8, 0, 0, 0, 0, 3, 0, 0, 0, 2 };
  guint8 read_cd[12] = { 0xbe, 0, 0, 0, 0, 3, 0, 0, 2, 0x10 };
  guint8 *all[] = { read_10, read_12, read_cd };
  guint32 moved;

  clear_attention (f);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    for (guint dma = 0; dma < 2; dma++) {
      memset (data_of (f), 0xee, 8192);
      all[i][5] = 3;
      g_assert_cmphex (packet_with (f, all[i], 65536, dma, &moved), ==, 0);
      g_assert_cmpuint (moved, ==, 4096);
      check_blocks (f, 3, 2);
      g_assert_cmphex (data_of (f)[4096], ==, 0xee);
      /* The last block is there, though the image ends within it. */
      all[i][5] = BLOCKS - 2;
      g_assert_cmphex (packet_with (f, all[i], 65536, dma, &moved), ==, 0);
      check_blocks (f, BLOCKS - 2, 2);
      all[i][5] = BLOCKS - 1;
      g_assert_cmphex (packet_with (f, all[i], 65536, dma, NULL), ==, OUT_OF_RANGE);
      all[i][2] = 0xff;
      g_assert_cmphex (packet_with (f, all[i], 65536, dma, NULL), ==, OUT_OF_RANGE);
      all[i][2] = 0;
    }
  /* In pieces that cut sectors, the last piece of which lies behind the image's end. */
  read_10[5] = BLOCKS - 1;
  read_10[8] = 1;
  g_assert_cmphex (packet_with (f, read_10, 2048, TRUE, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 2048);
  check_blocks (f, BLOCKS - 1, 1);
  read_10[8] = 0;
  g_assert_cmphex (packet_with (f, read_10, 2048, TRUE, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 0);
  /* What is no data is not on an image. */
  read_cd[5] = 0;
  read_cd[9] = 0xf8;
  g_assert_cmphex (packet (f, read_cd, NULL), ==, INVALID_FIELD);
  read_cd[9] = 0;
  g_assert_cmphex (packet (f, read_cd, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 0);
  read_cd[1] = 1 << 2; /* audio */
  g_assert_cmphex (packet (f, read_cd, NULL), ==, INVALID_FIELD);
}

/* A PIO transfer tells of its data and then of its end. */
static void
test_pio (Fixture *f, gconstpointer data)
{
  guint8 bytes[12] = { 0x12, 0, 0, 0, 36 };

  g_assert_cmphex (packet_with (f, bytes, 36, FALSE, NULL), ==, 0);
  g_assert_cmphex (fake_ahci_read_port (f->ahci, 0, PX_IS), ==, IS_DHRS | IS_PSS);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x20)[0], ==, 0x5f);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x20)[12], ==, 2);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x20)[16], ==, 36);
  g_assert_cmphex (packet_with (f, bytes, 36, TRUE, NULL), ==, 0);
  g_assert_cmphex (fake_ahci_read_port (f->ahci, 0, PX_IS), ==, IS_DHRS);
}

static void
test_toc (Fixture *f, gconstpointer data)
{
  guint8 toc[12] = { 0x43, 0, 0, 0, 0, 0, 0, 0x10 };
  guint32 moved;

  clear_attention (f);
  g_assert_cmphex (packet (f, toc, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 20);
  g_assert_cmpuint (be (data_of (f), 2), ==, 18);
  g_assert_cmphex (data_of (f)[5], ==, 0x14);
  g_assert_cmphex (data_of (f)[14], ==, 0xaa);
  g_assert_cmpuint (be (data_of (f) + 16, 4), ==, BLOCKS);
  toc[1] = 2; /* as times: two seconds before the first block */
  g_assert_cmphex (packet (f, toc, &moved), ==, 0);
  g_assert_cmphex (be (data_of (f) + 8, 4), ==, 0x00000200);
  g_assert_cmphex (be (data_of (f) + 16, 4), ==, 0x00000319);
  toc[6] = 0xaa;
  g_assert_cmphex (packet (f, toc, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 12);
  g_assert_cmphex (data_of (f)[6], ==, 0xaa);
  toc[6] = 2;
  g_assert_cmphex (packet (f, toc, NULL), ==, INVALID_FIELD);
  toc[6] = 0;
  toc[2] = 1; /* sessions */
  g_assert_cmphex (packet (f, toc, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 12);
  toc[2] = 0;
  toc[9] = 0x40; /* the same, as ATAPI had it first */
  g_assert_cmphex (packet (f, toc, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 12);
  toc[9] = 0;
  toc[2] = 2; /* raw */
  g_assert_cmphex (packet (f, toc, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 4 + 4 * 11);
  g_assert_cmphex (data_of (f)[4 + 3], ==, 0xa0);
  g_assert_cmphex (data_of (f)[4 + 33 + 9], ==, 2);
  for (guint format = 3; format < 16; format++) {
    toc[2] = format;
    g_assert_cmphex (packet (f, toc, NULL), ==, INVALID_FIELD);
  }
}

static void
test_disc (Fixture *f, gconstpointer data)
{
  guint8 disc[12] = { 0x51, 0, 0, 0, 0, 0, 0, 0, 34 },
         track[12] = { 0x52, 1, 0, 0, 0, 1, 0, 0, 36 };
  guint8 channel[12] = { 0x42, 2, 0x40, 1, 0, 0, 0, 0, 16 };
  guint8 seek[12] = { 0x2b, 0, 0, 0, 0, BLOCKS - 1 }, mechanism[12] = { 0xbd, [9] = 8 };
  guint32 moved;

  clear_attention (f);
  g_assert_cmphex (packet (f, disc, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 34);
  g_assert_cmphex (data_of (f)[2], ==, 0x0e);
  disc[1] = 1;
  g_assert_cmphex (packet (f, disc, NULL), ==, INVALID_FIELD);
  g_assert_cmphex (packet (f, track, &moved), ==, 0);
  g_assert_cmpuint (be (data_of (f) + 24, 4), ==, BLOCKS);
  track[5] = 2;
  g_assert_cmphex (packet (f, track, NULL), ==, INVALID_FIELD);
  track[1] = 0;
  track[5] = BLOCKS;
  g_assert_cmphex (packet (f, track, NULL), ==, INVALID_FIELD);
  g_assert_cmphex (packet (f, channel, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 16);
  g_assert_cmphex (data_of (f)[1], ==, 0x15);
  g_assert_cmphex (be (data_of (f) + 8, 4), ==, 0x00000200);
  channel[3] = 4;
  g_assert_cmphex (packet (f, channel, NULL), ==, INVALID_FIELD);
  channel[2] = 0;
  g_assert_cmphex (packet (f, channel, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 4);
  g_assert_cmphex (packet (f, seek, NULL), ==, 0);
  seek[5] = BLOCKS;
  g_assert_cmphex (packet (f, seek, NULL), ==, OUT_OF_RANGE);
  g_assert_cmphex (packet (f, mechanism, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 8);
}

static void
test_mode (Fixture *f, gconstpointer data)
{
  guint8 mode_10[12] = { 0x5a, 0, 0x3f, [7] = 1 }, mode_6[12] = { 0x1a, 0, 0x2a, 0, 255 };
  guint32 moved;

  clear_attention (f);
  g_assert_cmphex (packet (f, mode_10, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 8 + 8 + 16 + 20);
  g_assert_cmpuint (be (data_of (f), 2), ==, moved - 2);
  g_assert_cmphex (data_of (f)[2], ==, 0x01);
  g_assert_cmphex (data_of (f)[8], ==, 0x01);
  g_assert_cmphex (packet (f, mode_6, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 24);
  g_assert_cmphex (data_of (f)[4], ==, 0x2a);
  g_assert_cmphex (data_of (f)[4 + 6] & 0x0b, ==, 0x09);
  mode_6[2] = 0x6a; /* what can be changed: nothing */
  g_assert_cmphex (packet (f, mode_6, &moved), ==, 0);
  for (guint i = 6; i < 24; i++)
    g_assert_cmphex (data_of (f)[i], ==, 0);
  mode_6[2] = 0xea; /* saved */
  g_assert_cmphex (packet (f, mode_6, NULL), ==, 0x053900);
  mode_6[2] = 0x08;
  g_assert_cmphex (packet (f, mode_6, NULL), ==, INVALID_FIELD);
}

static void
test_configuration (Fixture *f, gconstpointer data)
{
  guint8 bytes[12] = { 0x46, [7] = 1 };
  guint32 moved, at, n = 0;

  g_assert_cmphex (packet (f, bytes, &moved), ==, 0);
  g_assert_cmpuint (be (data_of (f), 4), ==, moved - 4);
  g_assert_cmphex (be (data_of (f) + 6, 2), ==, 0x0008);
  for (at = 8; at < moved; at += 4 + data_of (f)[at + 3])
    n++;
  g_assert_cmpuint (at, ==, moved);
  g_assert_cmpuint (n, ==, 8);
  bytes[1] = 2;
  bytes[3] = 0x1e;
  g_assert_cmphex (packet (f, bytes, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 16);
  g_assert_cmphex (data_of (f)[10] & 1, ==, 1);
  bytes[3] = 0x1f; /* a DVD is not in it */
  g_assert_cmphex (packet (f, bytes, &moved), ==, 0);
  g_assert_cmphex (data_of (f)[10] & 1, ==, 0);
  bytes[1] = 1;
  g_assert_cmphex (packet (f, bytes, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 12); /* power management alone */
}

/* The event and the state of the drive that GET EVENT STATUS NOTIFICATION tells. */
static guint
media_event (Fixture *f)
{
  guint8 bytes[12] = { 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8 };

  g_assert_cmphex (packet (f, bytes, NULL), ==, 0);
  g_assert_cmphex (be (data_of (f), 4), ==, 0x00060410);
  return data_of (f)[4] << 8 | data_of (f)[5];
}

static void
test_events (Fixture *f, gconstpointer data)
{
  guint8 bytes[12] = { 0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8 };
  guint32 moved;

  g_assert_cmphex (media_event (f), ==, 0x0002);
  g_assert_cmphex (packet (f, bytes, NULL), ==, INVALID_FIELD);
  bytes[1] = 1;
  bytes[4] = 0x02;
  g_assert_cmphex (packet (f, bytes, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 4);
  g_assert_cmphex (data_of (f)[2], ==, 0x80);
}

/* By the host: out, another in, and another straight in its place. */
static void
test_change (Fixture *f, gconstpointer data)
{
  guint8 read_10[12] = { 0x28, 0, 0, 0, 0, 3, 0, 0, 2 };

  g_assert_true (vmm_ahci_has_cdrom (f->device, "cdrom0"));
  g_assert_false (vmm_ahci_has_cdrom (f->device, "cdrom1"));
  clear_attention (f);
  vmm_ahci_change_medium (f->device, "cdrom0", NULL);
  g_assert_cmphex (media_event (f), ==, 0x0301);
  g_assert_cmphex (media_event (f), ==, 0x0001);
  g_assert_cmphex (test_unit_ready (f), ==, NO_MEDIUM_OPEN);
  g_assert_cmphex (packet (f, read_10, NULL), ==, NO_MEDIUM_OPEN);
  vmm_ahci_change_medium (f->device, "cdrom0", f->block);
  g_assert_cmphex (media_event (f), ==, 0x0202);
  g_assert_cmphex (test_unit_ready (f), ==, MEDIUM_CHANGED);
  g_assert_cmphex (test_unit_ready (f), ==, 0);
  g_assert_cmphex (packet (f, read_10, NULL), ==, 0);
  check_blocks (f, 3, 2);
  vmm_ahci_change_medium (f->device, "cdrom0", f->block);
  g_assert_cmphex (media_event (f), ==, 0x0202);
  g_assert_cmphex (packet (f, read_10, NULL), ==, MEDIUM_CHANGED);
  g_assert_cmphex (packet (f, read_10, NULL), ==, 0);
}

/* While the guest reads as fast as it can. */
static void
test_change_in_flight (Fixture *f, gconstpointer data)
{
  guint8 read_10[12] = { 0x28, 0, 0, 0, 0, 0, 0, 0, 80 };
  FakeAta ata = { .command = 0xa0, .features = 1, .packet = read_10 };
  FakeBuffer buffer = { f->data, 80 * 2048 };

  clear_attention (f);
  for (guint i = 0; i < 50; i++) {
    VmmBlock *block = vmm_block_open_raw (f->path, TRUE, f->guest->loop, NULL);

    fake_ahci_prepare (f->ahci, 0, 0, &ata, &buffer, 1);
    fake_ahci_write_port (f->ahci, 0, PX_CI, 1);
    vmm_ahci_change_medium (f->device, "cdrom0", block);
    vmm_block_close (f->block); /* nothing uses it any more */
    f->block = block;
    fake_ahci_wait (f->ahci, 0, 1);
    fake_ahci_stop (f->ahci, 0);
    fake_ahci_start (f->ahci, 0);
  }
}

static guint32
start_stop (Fixture *f, guint8 what)
{
  guint8 bytes[12] = { 0x1b, 0, 0, 0, what };

  return packet (f, bytes, NULL);
}

/* By the guest: the disc stays in the tray. */
static void
test_tray (Fixture *f, gconstpointer data)
{
  guint8 mechanism[12] = { 0xbd, [9] = 8 };

  clear_attention (f);
  g_assert_cmphex (start_stop (f, 0), ==, 0); /* it stops, and that is all */
  g_assert_cmphex (test_unit_ready (f), ==, 0);
  g_assert_cmphex (start_stop (f, 0x32), ==, 0); /* a power condition */
  g_assert_cmphex (test_unit_ready (f), ==, 0);
  g_assert_cmphex (start_stop (f, 2), ==, 0);
  g_assert_cmphex (test_unit_ready (f), ==, NO_MEDIUM_OPEN);
  g_assert_cmphex (media_event (f), ==, 0x0301);
  g_assert_cmphex (packet (f, mechanism, NULL), ==, 0);
  g_assert_cmphex (data_of (f)[1], ==, 0x10);
  g_assert_cmphex (start_stop (f, 3), ==, 0);
  g_assert_cmphex (media_event (f), ==, 0x0202);
  g_assert_cmphex (test_unit_ready (f), ==, MEDIUM_CHANGED);
  g_assert_cmphex (test_unit_ready (f), ==, 0);
  g_assert_cmphex (start_stop (f, 3), ==, 0); /* it is in already */
  g_assert_cmphex (test_unit_ready (f), ==, 0);
}

static void
test_lock (Fixture *f, gconstpointer data)
{
  guint8 prevent[12] = { 0x1e, 0, 0, 0, 1 };

  clear_attention (f);
  g_assert_false (vmm_ahci_is_locked (f->device, "cdrom0"));
  g_assert_cmphex (packet (f, prevent, NULL), ==, 0);
  g_assert_true (vmm_ahci_is_locked (f->device, "cdrom0"));
  g_assert_cmphex (start_stop (f, 2), ==, PREVENTED);
  g_assert_cmphex (test_unit_ready (f), ==, 0);
  vmm_ahci_ask_to_eject (f->device, "cdrom0");
  g_assert_cmphex (media_event (f), ==, 0x0102);
  prevent[4] = 0;
  g_assert_cmphex (packet (f, prevent, NULL), ==, 0);
  g_assert_false (vmm_ahci_is_locked (f->device, "cdrom0"));
  g_assert_cmphex (start_stop (f, 2), ==, 0);
  /* A reset unlocks, but moves no tray. */
  prevent[4] = 1;
  g_assert_cmphex (packet (f, prevent, NULL), ==, 0);
  fake_ahci_stop (f->ahci, 0);
  fake_ahci_write_port (f->ahci, 0, PX_SCTL, 0x301);
  fake_ahci_write_port (f->ahci, 0, PX_SCTL, 0x300);
  fake_ahci_start (f->ahci, 0);
  g_assert_false (vmm_ahci_is_locked (f->device, "cdrom0"));
  g_assert_cmphex (test_unit_ready (f), ==, WAS_RESET);
  g_assert_cmphex (test_unit_ready (f), ==, NO_MEDIUM_OPEN);
}

static void
test_empty (Fixture *f, gconstpointer data)
{
  static const guint8 needs[] = { 0x00, 0x25, 0x28, 0x2b, 0x42, 0x43, 0x51, 0x52, 0xa8, 0xbe };
  guint8 configuration[12] = { 0x46, [7] = 1 }, mode[12] = { 0x5a, 0, 0x3f, [7] = 1 };
  guint8 formats[12] = { 0x23, 0, 0, 0, 0, 0, 0, 0, 12 };

  clear_attention (f);
  for (guint i = 0; i < G_N_ELEMENTS (needs); i++) {
    guint8 bytes[12] = { needs[i] };

    g_assert_cmphex (packet (f, bytes, NULL), ==, NO_MEDIUM);
  }
  g_assert_cmphex (packet (f, configuration, NULL), ==, 0);
  g_assert_cmphex (be (data_of (f) + 6, 2), ==, 0);
  g_assert_cmphex (packet (f, mode, NULL), ==, 0);
  g_assert_cmphex (data_of (f)[2], ==, 0x70);
  g_assert_cmphex (packet (f, formats, NULL), ==, 0);
  g_assert_cmphex (data_of (f)[8], ==, 3);
  g_assert_cmphex (start_stop (f, 2), ==, 0);
  g_assert_cmphex (test_unit_ready (f), ==, NO_MEDIUM_OPEN);
  g_assert_cmphex (start_stop (f, 3), ==, 0);
  g_assert_cmphex (test_unit_ready (f), ==, NO_MEDIUM);
}

/* Whatever the code, and however much it asks for: an answer, and the drive lives. */
static void
test_all_codes (Fixture *f, gconstpointer data)
{
  static const guint8 fill[] = { 0x00, 0x01, 0x7f, 0xff };
  guint8 capacity[12] = { 0x25 };

  for (guint code = 0; code < 256; code++)
    for (guint i = 0; i < G_N_ELEMENTS (fill); i++) {
      guint8 bytes[12];

      memset (bytes, fill[i], sizeof bytes);
      bytes[0] = code;
      packet (f, bytes, NULL);
      packet_with (f, bytes, 0, i & 1, NULL);
    }
  vmm_ahci_change_medium (f->device, "cdrom0", f->block);
  g_assert_cmphex (test_unit_ready (f), ==, MEDIUM_CHANGED);
  g_assert_cmphex (packet (f, capacity, NULL), ==, 0);
  g_assert_cmpuint (be (data_of (f), 4), ==, BLOCKS - 1);
}

/* An image that became shorter. */
static void
test_read_error (Fixture *f, gconstpointer data)
{
  guint8 read_10[12] = { 0x28, 0, 0, 0, 0, 50, 0, 0, 1 };

  clear_attention (f);
  g_assert_cmpint (truncate (f->path, 4096), ==, 0);
  g_assert_cmphex (packet (f, read_10, NULL), ==, READ_ERROR);
  read_10[5] = 1;
  g_assert_cmphex (packet (f, read_10, NULL), ==, 0);
  check_blocks (f, 1, 1);
  g_assert_cmpuint (f->guest->platform.n_broken, ==, 1);
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDevice *other = controller_new (guest, f->block);
  guint8 prevent[12] = { 0x1e, 0, 0, 0, 1 };

  clear_attention (f);
  g_assert_cmphex (packet (f, prevent, NULL), ==, 0);
  vmm_ahci_change_medium (f->device, "cdrom0", f->block);
  fake_guest_check_saved (f->device, other);
  g_assert_true (vmm_ahci_is_locked (other, "cdrom0"));
  vmm_device_free (other);
  fake_guest_free (guest);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
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
    { "/atapi/events", test_events },
    { "/atapi/change", test_change },
    { "/atapi/change/in-flight", test_change_in_flight },
    { "/atapi/tray", test_tray },
    { "/atapi/lock", test_lock },
    { "/atapi/all-codes", test_all_codes },
    { "/atapi/saved", test_saved },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
  g_test_add ("/atapi/empty", Fixture, GINT_TO_POINTER (1), set_up, test_empty, tear_down);
  return g_test_run ();
}
