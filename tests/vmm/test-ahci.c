/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The AHCI controller: registers, resets, interrupts, saved state, and hosts that break the rules.
 */
#include <string.h>
#include <unistd.h>

#include "ahci-test.h"

static void
test_function (AhciTest *f, gconstpointer data)
{
  guint slot = f->ahci->slot;

  g_assert_cmphex (fake_guest_read_config (f->guest, slot, 0, 4), ==, 0x29228086);
  g_assert_cmphex (fake_guest_read_config (f->guest, slot, 8, 4), ==, 0x01060102);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_CAP), ==, 0xc134ff05);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_GHC), ==, 0x80000002);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_PI), ==, 0x3);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_VS), ==, 0x00010301);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_CAP2), ==, 1);
  g_assert_cmphex (ahci_test_port (f, PX_SSTS), ==, 0x133);
  g_assert_cmphex (ahci_test_port (f, PX_SIG), ==, 0x00000101);
  g_assert_cmphex (ahci_test_port (f, PX_TFD), ==, 0x0150);
  /* A port with nothing on it. */
  g_assert_cmphex (fake_ahci_read_port (f->ahci, 2, PX_SSTS), ==, 0);
  g_assert_cmphex (fake_ahci_read_port (f->ahci, 2, PX_SIG), ==, 0xffffffff);
  g_assert_cmphex (fake_ahci_read_port (f->ahci, 2, PX_TFD), ==, 0x7f);
}

/* Accesses of every size, and what may be written. */
static void
test_registers (AhciTest *f, gconstpointer data)
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
  ahci_test_check_alive (f);
}

/* BIOS/OS handoff: nobody is there to wait for. */
static void
test_handoff (AhciTest *f, gconstpointer data)
{
  fake_ahci_write (f->ahci, HBA_BOHC, 1);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_BOHC), ==, 1);
  fake_ahci_write (f->ahci, HBA_BOHC, 3);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_BOHC), ==, 2);
}

/* A port that found nonsense stands until it is stopped. */
static void
check_halted (AhciTest *f, guint32 is)
{
  ahci_test_set_port (f, PX_CI, 1);
  fake_ahci_wait (f->ahci, 0, 1);
  g_assert_cmphex (ahci_test_port (f, PX_IS) & is, ==, is);
  g_assert_cmphex (ahci_test_port (f, PX_CI), ==, 1);
  fake_ahci_stop (f->ahci, 0);
  fake_ahci_start (f->ahci, 0);
  ahci_test_check_alive (f);
}

static void
test_hostile (AhciTest *f, gconstpointer data)
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
  ahci_test_set_port (f, PX_CLB, NOWHERE);
  check_halted (f, IS_HBFS);
  fake_ahci_prepare (f->ahci, 0, 0, &ata, &buffer, 1);
  ahci_test_set_port (f, PX_FB, NOWHERE);
  ahci_test_set_port (f, PX_CI, 1);
  fake_ahci_wait (f->ahci, 0, 1);
  g_assert_cmphex (ahci_test_port (f, PX_IS) & IS_HBFS, ==, IS_HBFS);
  fake_ahci_stop (f->ahci, 0);
  fake_ahci_start (f->ahci, 0);
  ahci_test_check_alive (f);
}

/* A table in the middle of which memory ends: the entry is wrong, whatever came before. */
static void
test_table_end (AhciTest *f, gconstpointer data)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 16, .lba = 1 };
  guint64 table = FAKE_MEMORY - 0x100;

  fake_ahci_prepare (f->ahci, 0, 0, &ata, NULL, 0);
  memcpy (ahci_test_at (f, table, 0x80), fake_ahci_table (f->ahci, 0, 0), 0x80);
  for (guint i = 0; i < 8; i++) {
    guint32 entry[4] = { f->data, 0, 0, 511 };

    memcpy (ahci_test_at (f, table + 0x80 + 16 * i, 16), entry, sizeof entry);
  }
  ((guint32 *) fake_ahci_header (f->ahci, 0, 0))[0] = 5 | 0xffffu << 16;
  ((guint32 *) fake_ahci_header (f->ahci, 0, 0))[2] = table;
  check_halted (f, IS_HBFS);
}

static void
test_comreset (AhciTest *f, gconstpointer data)
{
  fake_ahci_stop (f->ahci, 0);
  ahci_test_set_port (f, PX_SCTL, 0x301);
  g_assert_cmphex (ahci_test_port (f, PX_SSTS), ==, 0);
  ahci_test_set_port (f, PX_SCTL, 0x300);
  g_assert_cmphex (ahci_test_port (f, PX_SSTS), ==, 0x133);
  g_assert_cmphex (ahci_test_port (f, PX_SERR), ==, 0x04000000);
  g_assert_cmphex (ahci_test_port (f, PX_TFD), ==, 0x0150);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[0], ==, 0x34);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[1], ==, 0);
  /* Without FRE the first FIS waits. */
  ahci_test_set_port (f, PX_CMD, 0);
  ahci_test_set_port (f, PX_SCTL, 0x304);
  g_assert_cmphex (ahci_test_port (f, PX_SSTS), ==, 4);
  ahci_test_set_port (f, PX_SCTL, 0);
  g_assert_cmphex (ahci_test_port (f, PX_TFD), ==, 0x80);
  ahci_test_set_port (f, PX_CMD, CMD_FRE);
  g_assert_cmphex (ahci_test_port (f, PX_TFD), ==, 0x0150);
  fake_ahci_start (f->ahci, 0);
  ahci_test_check_alive (f);
}

static void
soft_reset (AhciTest *f, guint i, gboolean on)
{
  FakeAta ata = { .control = on ? 4 : 0 };

  fake_ahci_prepare (f->ahci, i, 0, &ata, NULL, 0);
  fake_ahci_table (f->ahci, i, 0)[1] = 0;
  fake_ahci_write_port (f->ahci, i, PX_CI, 1);
  fake_ahci_wait (f->ahci, i, 1);
  g_assert_cmphex (fake_ahci_read_port (f->ahci, i, PX_CI), ==, 0);
}

static void
test_soft_reset (AhciTest *f, gconstpointer data)
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
  ahci_test_check_alive (f);
  /* A command while SRST is set. */
  soft_reset (f, 0, TRUE);
  fake_ahci_prepare (f->ahci, 0, 0, &ata, NULL, 0);
  ahci_test_set_port (f, PX_CI, 1);
  fake_ahci_wait (f->ahci, 0, 1);
  g_assert_cmphex (ahci_test_port (f, PX_IS) & IS_IFS, ==, IS_IFS);
  fake_ahci_stop (f->ahci, 0);
  ahci_test_set_port (f, PX_SCTL, 0x301);
  ahci_test_set_port (f, PX_SCTL, 0x300);
  fake_ahci_start (f->ahci, 0);
  ahci_test_check_alive (f);
}

static void
issue_many (AhciTest *f)
{
  for (guint i = 0; i < 32; i++) {
    FakeAta ata = {
      .command = READ_QUEUED, .device = LBA, .features = 64, .count = i << 3, .lba = i
    };
    FakeBuffer buffer = { f->data + 0x8000 * (i % 16), 0x8000 };

    fake_ahci_prepare (f->ahci, 0, i, &ata, &buffer, 1);
  }
  ahci_test_set_port (f, PX_SACT, G_MAXUINT32);
  ahci_test_set_port (f, PX_CI, G_MAXUINT32);
}

/* Whatever is stopped or reset in the middle: what is in flight may end, and then it is over. */
static void
test_in_flight (AhciTest *f, gconstpointer data)
{
  issue_many (f);
  fake_ahci_stop (f->ahci, 0);
  g_assert_cmphex (ahci_test_port (f, PX_CI) | ahci_test_port (f, PX_SACT), ==, 0);
  fake_ahci_start (f->ahci, 0);
  ahci_test_check_alive (f);

  issue_many (f);
  ahci_test_set_port (f, PX_SCTL, 0x301);
  ahci_test_set_port (f, PX_SCTL, 0x300);
  while (ahci_test_port (f, PX_TFD) != 0x0150)
    fake_guest_settle (f->guest);
  fake_ahci_stop (f->ahci, 0);
  fake_ahci_start (f->ahci, 0);
  ahci_test_check_alive (f);

  issue_many (f);
  fake_ahci_write (f->ahci, HBA_GHC, 1);
  while (fake_ahci_read (f->ahci, HBA_GHC) & 1)
    fake_guest_settle (f->guest);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_GHC), ==, 0x80000000);
  g_assert_cmphex (ahci_test_port (f, PX_CMD), ==, 6);
  g_assert_cmphex (ahci_test_port (f, PX_IE), ==, 0);
  fake_ahci_write (f->ahci, HBA_GHC, 2);
  fake_ahci_start (f->ahci, 0);
  ahci_test_check_alive (f);

  issue_many (f);
  vmm_device_reset (f->device);
  fake_guest_write_config (f->guest, f->ahci->slot, 4, 2, 6);
  g_assert_cmphex (ahci_test_port (f, PX_CI), ==, 0);
  g_assert_cmphex (ahci_test_port (f, PX_TFD), ==, 0x80);
}

/* What was not begun when the machine paused is begun when it goes on. */
static void
test_drain (AhciTest *f, gconstpointer data)
{
  issue_many (f);
  vmm_device_drain (f->device);
  fake_guest_settle (f->guest);
  vmm_device_resume (f->device);
  fake_ahci_wait (f->ahci, 0, G_MAXUINT32);
  g_assert_cmphex (ahci_test_port (f, PX_TFD), ==, TFD_GOOD);

  vmm_device_drain (f->device);
  issue_many (f);
  fake_guest_settle (f->guest);
  g_assert_cmphex (ahci_test_port (f, PX_CI), ==, G_MAXUINT32);
  vmm_device_resume (f->device);
  fake_ahci_wait (f->ahci, 0, G_MAXUINT32);
  g_assert_cmphex (ahci_test_port (f, PX_CI), ==, 0);
}

static void
test_message (AhciTest *f, gconstpointer data)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 1, .lba = 1 };
  guint gsi = vmm_pci_slot_gsi (f->ahci->slot);

  fake_guest_take_message (f->guest, FAKE_AHCI_MSI);
  g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, TFD_GOOD);
  g_assert_cmpuint (fake_guest_take_message (f->guest, FAKE_AHCI_MSI), ==, 1);
  g_assert_false (fake_guest_get_line (f->guest, gsi));
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_IS), ==, 1);
  /* Not while the port or the controller is told to be still. */
  ahci_test_set_port (f, PX_IE, 0);
  fake_ahci_write (f->ahci, HBA_IS, 1);
  g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, TFD_GOOD);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_IS), ==, 0);
  g_assert_cmpuint (fake_guest_take_message (f->guest, FAKE_AHCI_MSI), ==, 0);
  ahci_test_set_port (f, PX_IE, IS_DHRS);
  g_assert_cmpuint (fake_guest_take_message (f->guest, FAKE_AHCI_MSI), ==, 1);
}

static void
test_line (AhciTest *f, gconstpointer data)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 1, .lba = 1 };
  guint gsi = vmm_pci_slot_gsi (f->ahci->slot);

  g_assert_false (fake_guest_get_line (f->guest, gsi));
  g_assert_cmphex (ahci_test_run (f, &ata, 512), ==, TFD_GOOD);
  g_assert_true (fake_guest_get_line (f->guest, gsi));
  fake_ahci_write (f->ahci, HBA_IS, 1); /* it is there again: the port has not been asked */
  g_assert_true (fake_guest_get_line (f->guest, gsi));
  ahci_test_set_port (f, PX_IS, G_MAXUINT32);
  g_assert_true (fake_guest_get_line (f->guest, gsi));
  fake_ahci_write (f->ahci, HBA_IS, 1);
  g_assert_false (fake_guest_get_line (f->guest, gsi));
}

static void
test_saved (AhciTest *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDevice *other = ahci_test_controller_new (guest, f->block);
  FakeAta multiple = { .command = SET_MULTIPLE, .count = 16 };

  g_assert_cmphex (ahci_test_run (f, &multiple, 0), ==, TFD_GOOD);
  vmm_device_drain (f->device);
  issue_many (f);
  fake_guest_check_saved (f->device, other);
  vmm_device_free (other);
  fake_guest_free (guest);
}

/* A machine is loaded in which commands wait: they are done there. */
static void
test_saved_commands (AhciTest *f, gconstpointer data)
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
  f->block = ahci_test_open_disk (f->path, guest->loop);
  other = ahci_test_controller_new (guest, f->block);
  vmm_device_drain (other);
  g_assert_true (vmm_device_load (other, state, &error));
  fake_guest_free (g_steal_pointer (&f->guest));
  f->guest = f->ahci->guest = guest;
  f->device = other;
  vmm_device_resume (other);
  fake_ahci_wait (f->ahci, 0, G_MAXUINT32);
  g_assert_cmphex (ahci_test_port (f, PX_TFD), ==, TFD_GOOD);
  ahci_test_check_sector (ahci_test_at (f, f->data + 0x8000 * 15, 512), 31);
  ahci_test_check_alive (f);
}

/* Random commands with random tables: an answer each, and no other harm. */
static void
test_nonsense (AhciTest *f, gconstpointer data)
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
  static const AhciTestCase tests[] = {
    { "/ahci/function", test_function },     { "/ahci/registers", test_registers },
    { "/ahci/handoff", test_handoff },       { "/ahci/prdt/end", test_table_end },
    { "/ahci/hostile", test_hostile },       { "/ahci/reset/wire", test_comreset },
    { "/ahci/reset/soft", test_soft_reset }, { "/ahci/reset/in-flight", test_in_flight },
    { "/ahci/drain", test_drain },           { "/ahci/message", test_message },
    { "/ahci/saved", test_saved },           { "/ahci/saved/commands", test_saved_commands },
    { "/ahci/nonsense", test_nonsense },
  };

  g_test_init (&argc, &argv, NULL);
  g_test_add ("/ahci/line", AhciTest, GINT_TO_POINTER (1), ahci_test_set_up, test_line,
              ahci_test_tear_down);
  return ahci_test_run_all (tests, G_N_ELEMENTS (tests));
}
