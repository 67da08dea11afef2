/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A SATA disk whose image has no room left, or fails, or takes its time: what the guest hears of
 * it, and what waits for what.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "ahci/ahci-private.h"
#include "fake-ahci.h"
#include "fake-engine.h"

#define SIZE    (1 << 20)
#define LBA     0x40
#define N_SLOTS 3

enum {
  TRIM = 0x06,
  READ_DMA_EXT = 0x25,
  WRITE_DMA_EXT = 0x35,
  WRITE_DMA_FUA_EXT = 0x3d,
  READ_QUEUED = 0x60,
  WRITE_QUEUED = 0x61,
  FLUSH_EXT = 0xea,
  SET_FEATURES = 0xef,
};

typedef struct {
  FakeGuest *guest;
  char *path;
  VmmBlock *block;
  VmmDevice *device;
  FakeAhci *ahci;
  guint64 data;
} Fixture;

static VmmDevice *
controller_new (FakeGuest *guest, VmmBlock *block)
{
  VmmAhciConfig config = { .ports = { { VMM_AHCI_DISK, "disk0", block } } };

  return vmm_device_new (&vmm_ahci_class.parent, &guest->board, "ahci", &config, NULL);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  VmmBlockOptions options = { .format = VMM_DISK_RAW, .discard = TRUE, .engine = &fake_engine };
  FakeAta identify = { .command = 0xec };
  FakeBuffer buffer;
  int fd;

  for (VmmBlockOp op = VMM_BLOCK_READ; op <= VMM_BLOCK_WRITE_ZEROES; op++) {
    fake_engine_fail (op, 0);
    fake_engine_take_count (op);
  }
  f->guest = fake_guest_new ();
  f->path = g_build_filename (g_get_tmp_dir (), "vmm-ahci-XXXXXX", NULL);
  fd = g_mkstemp (f->path);
  g_assert_cmpint (ftruncate (fd, SIZE), ==, 0);
  close (fd);
  f->block = vmm_block_open (f->path, &options, f->guest->loop, NULL);
  g_assert_nonnull (f->block);
  f->device = controller_new (f->guest, f->block);
  f->ahci = fake_ahci_new (f->guest, f->device, TRUE);
  fake_ahci_start (f->ahci, 0);
  f->data = fake_guest_alloc (f->guest, SIZE);
  buffer = (FakeBuffer) { f->data, 512 };
  fake_ahci_run (f->ahci, 0, &identify, &buffer, 1);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_ahci_free (f->ahci);
  vmm_device_free (f->device);
  vmm_block_close (f->block);
  fake_guest_free (f->guest);
  g_unlink (f->path);
  g_free (f->path);
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

static guint32
run (Fixture *f, guint8 command, guint64 lba)
{
  FakeAta ata = { .command = command, .device = LBA, .count = 1, .lba = lba };
  FakeBuffer buffer = { f->data, 512 };

  return fake_ahci_run (f->ahci, 0, &ata, &buffer, 1);
}

/* Writes of one sector each, queued or (one after another) not. */
static void
issue_writes (Fixture *f, gboolean queued)
{
  guint32 slots = (1 << N_SLOTS) - 1;

  for (guint i = 0; i < N_SLOTS; i++) {
    FakeAta ata = { .command = WRITE_DMA_EXT, .device = LBA, .count = 1, .lba = 10 + i };
    FakeBuffer buffer = { f->data + 512 * i, 512 };

    if (queued) {
      ata.command = WRITE_QUEUED;
      ata.features = 1;
      ata.count = i << 3;
    }
    memset (fake_guest_at (f->guest, f->data + 512 * i, 512), 0x50 + i, 512);
    fake_ahci_prepare (f->ahci, 0, i, &ata, &buffer, 1);
  }
  set_port (f, PX_IS, G_MAXUINT32);
  if (queued)
    set_port (f, PX_SACT, slots);
  set_port (f, PX_CI, slots);
}

static void
wait_for_pause (Fixture *f, guint n)
{
  guint n_pauses;

  do {
    fake_guest_settle (f->guest);
    g_mutex_lock (&f->guest->platform.lock);
    n_pauses = f->guest->platform.n_pauses;
    g_mutex_unlock (&f->guest->platform.lock);
  } while (n_pauses < n);
}

static void
check_written (Fixture *f)
{
  g_autofree char *content = NULL;

  g_assert_true (g_file_get_contents (f->path, &content, NULL, NULL));
  for (guint i = 0; i < N_SLOTS; i++)
    for (guint j = 0; j < 512; j++)
      g_assert_cmphex (content[(10 + i) * 512 + j], ==, 0x50 + i);
}

/* The guest hears nothing; the machine pauses and says which file it is; and in the end all is
 * written. Resumed too early, it pauses again. */
static void
test_no_room (Fixture *f, gconstpointer data)
{
  gboolean queued = GPOINTER_TO_INT (data);
  guint32 slots = (1 << N_SLOTS) - 1;

  fake_engine_fail (VMM_BLOCK_WRITE, queued ? -ENOSPC : -EDQUOT);
  issue_writes (f, queued);
  for (guint i = 1; i <= 2; i++) {
    wait_for_pause (f, i);
    vmm_device_drain (f->device);
    g_assert_cmpuint (f->guest->platform.n_pauses, ==, i);
    g_assert_nonnull (strstr (f->guest->platform.last_pause, f->path));
    g_assert_nonnull (strstr (f->guest->platform.last_pause, queued ? "full" : "quota"));
    g_assert_cmphex ((port (f, PX_CI) | port (f, PX_SACT)) & slots, ==, slots);
    g_assert_cmphex (port (f, PX_IS), ==, 0);
    if (i == 2)
      fake_engine_fail (VMM_BLOCK_WRITE, 0);
    vmm_device_resume (f->device);
  }
  fake_ahci_wait (f->ahci, 0, slots);
  g_assert_cmphex (port (f, PX_TFD), ==, TFD_GOOD);
  check_written (f);
  g_assert_cmpuint (f->guest->platform.n_broken, ==, 0);
}

/* Saved while it waits for room, and loaded elsewhere. */
static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDevice *other = controller_new (guest, f->block);

  fake_engine_fail (VMM_BLOCK_WRITE, -ENOSPC);
  issue_writes (f, TRUE);
  wait_for_pause (f, 1);
  fake_guest_check_saved (f->device, other);
  vmm_device_free (other);
  fake_guest_free (guest);
  fake_engine_fail (VMM_BLOCK_WRITE, 0);
  vmm_device_resume (f->device);
  fake_ahci_wait (f->ahci, 0, (1 << N_SLOTS) - 1);
  check_written (f);
}

/* What waits for room is forgotten by a reset. */
static void
test_reset (Fixture *f, gconstpointer data)
{
  fake_engine_fail (VMM_BLOCK_WRITE, -ENOSPC);
  issue_writes (f, TRUE);
  wait_for_pause (f, 1);
  fake_ahci_stop (f->ahci, 0);
  fake_engine_fail (VMM_BLOCK_WRITE, 0);
  fake_ahci_start (f->ahci, 0);
  g_assert_cmphex (run (f, READ_DMA_EXT, 10), ==, TFD_GOOD);
  g_assert_cmphex (*(guint8 *) fake_guest_at (f->guest, f->data, 1), ==, 0);
  fake_engine_fail (VMM_BLOCK_WRITE, -ENOSPC);
  issue_writes (f, TRUE);
  wait_for_pause (f, 2);
  vmm_device_drain (f->device);
  vmm_device_reset (f->device);
  vmm_device_resume (f->device);
  fake_guest_settle (f->guest);
  g_assert_cmpuint (f->guest->platform.n_pauses, ==, 2);
}

static void
test_errors (Fixture *f, gconstpointer data)
{
  static const struct {
    VmmBlockOp op;
    guint8 command;
    int error;
    guint32 tfd;
  } cases[] = {
    { VMM_BLOCK_READ, READ_DMA_EXT, -EBADMSG, 0x4041 },
    { VMM_BLOCK_READ, READ_DMA_EXT, -ENOSPC, 0x4041 },
    { VMM_BLOCK_READ, 0xc8, -EBADMSG, 0x4041 },
    { VMM_BLOCK_WRITE, WRITE_DMA_EXT, -EBADMSG, 0x0461 },
    { VMM_BLOCK_FLUSH, FLUSH_EXT, -EIO, 0x0461 },
    { VMM_BLOCK_FLUSH, FLUSH_EXT, -ENOSPC, 0x0461 },
    { VMM_BLOCK_FLUSH, WRITE_DMA_FUA_EXT, -EIO, 0x0461 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    fake_engine_fail (cases[i].op, cases[i].error);
    g_assert_cmphex (run (f, cases[i].command, 0x123), ==, cases[i].tfd);
    g_assert_cmpuint (f->guest->platform.n_broken, ==, i + 1);
    if (cases[i].op == VMM_BLOCK_READ) {
      g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[4], ==, 0x23);
      g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[5], ==, 0x01);
    }
    fake_engine_fail (cases[i].op, 0);
  }
  g_assert_cmpuint (f->guest->platform.n_pauses, ==, 0);
  g_assert_cmpuint (f->guest->platform.n_requests, ==, 0);
  fake_engine_fail (VMM_BLOCK_READ, -EFAULT);
  run (f, READ_DMA_EXT, 0);
  g_assert_cmpuint (f->guest->platform.n_requests, ==, 1);
  g_assert_cmpint (f->guest->platform.last_request, ==, VMM_REQUEST_NO_MEMORY);
}

/* One of a queue: the host learns which, and the others are over. */
static void
test_queued_error (Fixture *f, gconstpointer data)
{
  FakeAta log = { .command = 0x2f, .device = LBA, .count = 1, .lba = 0x10 };
  FakeBuffer buffer = { f->data, 512 };
  const guint8 *page;

  fake_engine_fail (VMM_BLOCK_WRITE, -EBADMSG);
  issue_writes (f, TRUE);
  fake_ahci_wait (f->ahci, 0, 1);
  g_assert_cmphex (port (f, PX_IS), ==, IS_TFES | IS_SDBS);
  fake_ahci_stop (f->ahci, 0);
  fake_ahci_start (f->ahci, 0);
  g_assert_cmpuint (f->guest->platform.n_broken, ==, 1);
  g_assert_cmphex (fake_ahci_run (f->ahci, 0, &log, &buffer, 1), ==, TFD_GOOD);
  page = fake_guest_at (f->guest, f->data, 512);
  g_assert_cmpuint (page[0], <, N_SLOTS);
  g_assert_cmpuint (page[4], ==, 10 + page[0]);
}

static void
test_trim_refused (Fixture *f, gconstpointer data)
{
  FakeAta ata = { .command = TRIM, .features = 1, .count = 1 };
  FakeBuffer buffer = { f->data, 512 };
  guint64 range = 8 | G_GUINT64_CONSTANT (8) << 48;

  memset (fake_guest_at (f->guest, f->data, 512), 0, 512);
  memcpy (fake_guest_at (f->guest, f->data, 8), &range, 8);
  fake_engine_fail (VMM_BLOCK_DISCARD, -EOPNOTSUPP);
  g_assert_cmphex (fake_ahci_run (f->ahci, 0, &ata, &buffer, 1), ==, TFD_GOOD);
  g_assert_cmpuint (fake_engine_take_count (VMM_BLOCK_DISCARD), ==, 1);
  fake_engine_fail (VMM_BLOCK_DISCARD, -EBADMSG);
  g_assert_cmphex (fake_ahci_run (f->ahci, 0, &ata, &buffer, 1), ==, 0x0461);
}

/* What must be on the disk before the answer is. */
static void
test_durable (Fixture *f, gconstpointer data)
{
  FakeAta cache_off = { .command = SET_FEATURES, .features = 0x82 };

  g_assert_cmphex (run (f, WRITE_DMA_EXT, 1), ==, TFD_GOOD);
  g_assert_cmpuint (fake_engine_take_count (VMM_BLOCK_FLUSH), ==, 0);
  g_assert_cmphex (run (f, WRITE_DMA_FUA_EXT, 1), ==, TFD_GOOD);
  g_assert_cmpuint (fake_engine_take_count (VMM_BLOCK_FLUSH), ==, 1);
  g_assert_cmphex (fake_ahci_run (f->ahci, 0, &cache_off, NULL, 0), ==, TFD_GOOD);
  g_assert_cmpuint (fake_engine_take_count (VMM_BLOCK_FLUSH), ==, 1);
  g_assert_cmphex (run (f, WRITE_DMA_EXT, 1), ==, TFD_GOOD);
  g_assert_cmpuint (fake_engine_take_count (VMM_BLOCK_FLUSH), ==, 1);
}

static void
issue_read (Fixture *f)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 1, .lba = 1 };
  FakeBuffer buffer = { f->data, 512 };

  fake_engine_hold ();
  fake_ahci_prepare (f->ahci, 0, 0, &ata, &buffer, 1);
  set_port (f, PX_CI, 1);
  fake_engine_wait_held (1);
}

/* As long as a request is in flight the host is not told that it is over. */
static void
test_stop (Fixture *f, gconstpointer data)
{
  issue_read (f);
  set_port (f, PX_CMD, CMD_FRE);
  g_assert_cmphex (port (f, PX_CMD) & CMD_CR, ==, CMD_CR);
  set_port (f, PX_CMD, CMD_FRE | CMD_ST); /* too early */
  g_assert_cmphex (port (f, PX_CMD) & CMD_ST, ==, 0);
  set_port (f, PX_IS, G_MAXUINT32);
  memset (fake_ahci_fis (f->ahci, 0, 0), 0, 0x100);
  fake_engine_release ();
  while (port (f, PX_CMD) & CMD_CR)
    fake_guest_settle (f->guest);
  g_assert_cmphex (port (f, PX_IS), ==, 0);
  g_assert_cmphex (fake_ahci_fis (f->ahci, 0, 0x40)[0], ==, 0);
  fake_ahci_start (f->ahci, 0);
  g_assert_cmphex (run (f, READ_DMA_EXT, 1), ==, TFD_GOOD);
}

static void
test_resets (Fixture *f, gconstpointer data)
{
  issue_read (f);
  set_port (f, PX_SCTL, 0x301);
  set_port (f, PX_SCTL, 0x300);
  g_assert_cmphex (port (f, PX_TFD), ==, 0x80);
  fake_engine_release ();
  while (port (f, PX_TFD) != 0x0150)
    fake_guest_settle (f->guest);
  g_assert_cmphex (port (f, PX_CI), ==, 1); /* nobody answers that any more */
  fake_ahci_stop (f->ahci, 0);
  fake_ahci_start (f->ahci, 0);

  issue_read (f);
  fake_ahci_write (f->ahci, HBA_GHC, 1);
  g_assert_cmphex (fake_ahci_read (f->ahci, HBA_GHC) & 1, ==, 1);
  set_port (f, PX_IE, G_MAXUINT32); /* not during the reset */
  fake_engine_release ();
  while (fake_ahci_read (f->ahci, HBA_GHC) & 1)
    fake_guest_settle (f->guest);
  g_assert_cmphex (port (f, PX_IE), ==, 0);
  fake_ahci_start (f->ahci, 0);
  g_assert_cmphex (run (f, READ_DMA_EXT, 1), ==, TFD_GOOD);
}

static gpointer
drain (gpointer device)
{
  vmm_device_drain (device);
  return NULL;
}

/* More pieces than one request has: 640 of 300 and 212 bytes. */
static void
prepare_long (Fixture *f)
{
  FakeAta ata = { .command = READ_DMA_EXT, .device = LBA, .count = 320, .lba = 1 };
  guint64 table = fake_guest_alloc (f->guest, 0x80 + 16 * 640);
  guint8 *bytes = fake_guest_at (f->guest, table, 0x80 + 16 * 640);

  fake_ahci_prepare (f->ahci, 0, 0, &ata, NULL, 0);
  memcpy (bytes, fake_ahci_table (f->ahci, 0, 0), 0x80);
  for (guint i = 0; i < 640; i++) {
    guint32 entry[4] = { f->data + i * 1024, 0, 0, (i % 2 ? 212 : 300) - 1 };

    memcpy (bytes + 0x80 + 16 * i, entry, sizeof entry);
  }
  ((guint32 *) fake_ahci_header (f->ahci, 0, 0))[0] = 5 | 640u << 16;
  ((guint32 *) fake_ahci_header (f->ahci, 0, 0))[2] = table;
}

static void
wait_until_draining (Fixture *f)
{
  gboolean drained;

  do {
    vmm_device_lock (f->device);
    drained = ((Ahci *) f->device)->drained;
    vmm_device_unlock (f->device);
  } while (!drained);
}

/* A command of several requests rests between two of them, and is done from its beginning later. */
static void
test_drain_long (Fixture *f, gconstpointer data)
{
  GThread *thread;

  prepare_long (f);
  fake_engine_hold ();
  set_port (f, PX_IS, G_MAXUINT32);
  set_port (f, PX_CI, 1);
  fake_engine_wait_held (1);
  fake_engine_take_count (VMM_BLOCK_READ);
  thread = g_thread_new ("drain", drain, f->device);
  wait_until_draining (f);
  fake_engine_release ();
  g_thread_join (thread);
  g_assert_cmphex (port (f, PX_CI), ==, 1);
  g_assert_cmpuint (fake_engine_take_count (VMM_BLOCK_READ), ==, 0); /* the second part */
  vmm_device_resume (f->device);
  fake_ahci_wait (f->ahci, 0, 1);
  g_assert_cmphex (port (f, PX_TFD), ==, TFD_GOOD);
  g_assert_cmphex (port (f, PX_IS), ==, IS_DHRS);
  g_assert_cmpuint (fake_ahci_moved (f->ahci, 0, 0), ==, 320 * 512);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    gboolean queued;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/ahci/full/no-room", FALSE, test_no_room },
    { "/ahci/full/no-room/queued", TRUE, test_no_room },
    { "/ahci/full/saved", FALSE, test_saved },
    { "/ahci/full/reset", FALSE, test_reset },
    { "/ahci/errors", FALSE, test_errors },
    { "/ahci/errors/queued", FALSE, test_queued_error },
    { "/ahci/errors/trim", FALSE, test_trim_refused },
    { "/ahci/durable", FALSE, test_durable },
    { "/ahci/in-flight/stop", FALSE, test_stop },
    { "/ahci/in-flight/resets", FALSE, test_resets },
    { "/ahci/in-flight/drain", FALSE, test_drain_long },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, GINT_TO_POINTER (tests[i].queued), set_up, tests[i].run,
                tear_down);
  return g_test_run ();
}
