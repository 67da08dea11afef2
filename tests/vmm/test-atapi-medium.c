/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Discs of an ATAPI CD drive: they change, are locked and are not there.
 */
#include <string.h>
#include <unistd.h>

#include "atapi-test.h"

/* The event and the state of the drive that GET EVENT STATUS NOTIFICATION tells. */
static guint
media_event (AtapiTest *f)
{
  guint8 bytes[12] = { 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8 };

  g_assert_cmphex (atapi_test_packet (f, bytes, NULL), ==, 0);
  g_assert_cmphex (atapi_test_be (atapi_test_data_of (f), 4), ==, 0x00060410);
  return atapi_test_data_of (f)[4] << 8 | atapi_test_data_of (f)[5];
}

static void
test_events (AtapiTest *f, gconstpointer data)
{
  guint8 bytes[12] = { 0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8 };
  guint32 moved;

  g_assert_cmphex (media_event (f), ==, 0x0002);
  g_assert_cmphex (atapi_test_packet (f, bytes, NULL), ==, INVALID_FIELD);
  bytes[1] = 1;
  bytes[4] = 0x02;
  g_assert_cmphex (atapi_test_packet (f, bytes, &moved), ==, 0);
  g_assert_cmpuint (moved, ==, 4);
  g_assert_cmphex (atapi_test_data_of (f)[2], ==, 0x80);
}

/* By the host: out, another in, and another straight in its place. */
static void
test_change (AtapiTest *f, gconstpointer data)
{
  guint8 read_10[12] = { 0x28, 0, 0, 0, 0, 3, 0, 0, 2 };

  g_assert_true (vmm_ahci_has_cdrom (f->device, "cdrom0"));
  g_assert_false (vmm_ahci_has_cdrom (f->device, "cdrom1"));
  atapi_test_clear_attention (f);
  vmm_ahci_change_medium (f->device, "cdrom0", NULL);
  g_assert_cmphex (media_event (f), ==, 0x0301);
  g_assert_cmphex (media_event (f), ==, 0x0001);
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, NO_MEDIUM_OPEN);
  g_assert_cmphex (atapi_test_packet (f, read_10, NULL), ==, NO_MEDIUM_OPEN);
  vmm_ahci_change_medium (f->device, "cdrom0", f->block);
  g_assert_cmphex (media_event (f), ==, 0x0202);
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, MEDIUM_CHANGED);
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, 0);
  g_assert_cmphex (atapi_test_packet (f, read_10, NULL), ==, 0);
  atapi_test_check_blocks (f, 3, 2);
  vmm_ahci_change_medium (f->device, "cdrom0", f->block);
  g_assert_cmphex (media_event (f), ==, 0x0202);
  g_assert_cmphex (atapi_test_packet (f, read_10, NULL), ==, MEDIUM_CHANGED);
  g_assert_cmphex (atapi_test_packet (f, read_10, NULL), ==, 0);
}

/* While the guest reads as fast as it can. */
static void
test_change_in_flight (AtapiTest *f, gconstpointer data)
{
  guint8 read_10[12] = { 0x28, 0, 0, 0, 0, 0, 0, 0, 80 };
  FakeAta ata = { .command = 0xa0, .features = 1, .packet = read_10 };
  FakeBuffer buffer = { f->data, 80 * 2048 };

  atapi_test_clear_attention (f);
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
start_stop (AtapiTest *f, guint8 what)
{
  guint8 bytes[12] = { 0x1b, 0, 0, 0, what };

  return atapi_test_packet (f, bytes, NULL);
}

/* By the guest: the disc stays in the tray. */
static void
test_tray (AtapiTest *f, gconstpointer data)
{
  guint8 mechanism[12] = { 0xbd, [9] = 8 };

  atapi_test_clear_attention (f);
  g_assert_cmphex (start_stop (f, 0), ==, 0); /* it stops, and that is all */
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, 0);
  g_assert_cmphex (start_stop (f, 0x32), ==, 0); /* a power condition */
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, 0);
  g_assert_cmphex (start_stop (f, 2), ==, 0);
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, NO_MEDIUM_OPEN);
  g_assert_cmphex (media_event (f), ==, 0x0301);
  g_assert_cmphex (atapi_test_packet (f, mechanism, NULL), ==, 0);
  g_assert_cmphex (atapi_test_data_of (f)[1], ==, 0x10);
  g_assert_cmphex (start_stop (f, 3), ==, 0);
  g_assert_cmphex (media_event (f), ==, 0x0202);
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, MEDIUM_CHANGED);
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, 0);
  g_assert_cmphex (start_stop (f, 3), ==, 0); /* it is in already */
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, 0);
}

static void
test_lock (AtapiTest *f, gconstpointer data)
{
  guint8 prevent[12] = { 0x1e, 0, 0, 0, 1 };

  atapi_test_clear_attention (f);
  g_assert_false (vmm_ahci_is_locked (f->device, "cdrom0"));
  g_assert_cmphex (atapi_test_packet (f, prevent, NULL), ==, 0);
  g_assert_true (vmm_ahci_is_locked (f->device, "cdrom0"));
  g_assert_cmphex (start_stop (f, 2), ==, PREVENTED);
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, 0);
  vmm_ahci_ask_to_eject (f->device, "cdrom0");
  g_assert_cmphex (media_event (f), ==, 0x0102);
  prevent[4] = 0;
  g_assert_cmphex (atapi_test_packet (f, prevent, NULL), ==, 0);
  g_assert_false (vmm_ahci_is_locked (f->device, "cdrom0"));
  g_assert_cmphex (start_stop (f, 2), ==, 0);
  /* A reset unlocks, but moves no tray. */
  prevent[4] = 1;
  g_assert_cmphex (atapi_test_packet (f, prevent, NULL), ==, 0);
  fake_ahci_stop (f->ahci, 0);
  fake_ahci_write_port (f->ahci, 0, PX_SCTL, 0x301);
  fake_ahci_write_port (f->ahci, 0, PX_SCTL, 0x300);
  fake_ahci_start (f->ahci, 0);
  g_assert_false (vmm_ahci_is_locked (f->device, "cdrom0"));
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, WAS_RESET);
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, NO_MEDIUM_OPEN);
}

static void
test_empty (AtapiTest *f, gconstpointer data)
{
  static const guint8 needs[] = { 0x00, 0x25, 0x28, 0x2b, 0x42, 0x43, 0x51, 0x52, 0xa8, 0xbe };
  guint8 configuration[12] = { 0x46, [7] = 1 }, mode[12] = { 0x5a, 0, 0x3f, [7] = 1 };
  guint8 formats[12] = { 0x23, 0, 0, 0, 0, 0, 0, 0, 12 };

  atapi_test_clear_attention (f);
  for (guint i = 0; i < G_N_ELEMENTS (needs); i++) {
    guint8 bytes[12] = { needs[i] };

    g_assert_cmphex (atapi_test_packet (f, bytes, NULL), ==, NO_MEDIUM);
  }
  g_assert_cmphex (atapi_test_packet (f, configuration, NULL), ==, 0);
  g_assert_cmphex (atapi_test_be (atapi_test_data_of (f) + 6, 2), ==, 0);
  g_assert_cmphex (atapi_test_packet (f, mode, NULL), ==, 0);
  g_assert_cmphex (atapi_test_data_of (f)[2], ==, 0x70);
  g_assert_cmphex (atapi_test_packet (f, formats, NULL), ==, 0);
  g_assert_cmphex (atapi_test_data_of (f)[8], ==, 3);
  g_assert_cmphex (start_stop (f, 2), ==, 0);
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, NO_MEDIUM_OPEN);
  g_assert_cmphex (start_stop (f, 3), ==, 0);
  g_assert_cmphex (atapi_test_test_unit_ready (f), ==, NO_MEDIUM);
}

int
main (int argc, char **argv)
{
  static const AtapiTestCase tests[] = {
    { "/atapi/events", test_events },
    { "/atapi/change", test_change },
    { "/atapi/change/in-flight", test_change_in_flight },
    { "/atapi/tray", test_tray },
    { "/atapi/lock", test_lock },
  };

  g_test_init (&argc, &argv, NULL);
  g_test_add ("/atapi/empty", AtapiTest, GINT_TO_POINTER (1), atapi_test_set_up, test_empty,
              atapi_test_tear_down);
  return atapi_test_run_all (tests, G_N_ELEMENTS (tests));
}
