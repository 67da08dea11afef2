/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A polled virtio device, the disk, and the loop: one interrupt for what is done together, no
 * doorbell while the loop is awake, and sleep where nothing can be done. The disk's engine fails on
 * the loop, at once, as it is told.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/vmm-kick.h"
#include "fake-engine.h"
#include "fake-guest.h"
#include "virtio/virtio-blk.h"

#define SIZE (1 << 20)

enum { OUT = 1, ERROR = 1, NONE = 0xaa };

typedef struct {
  FakeGuest *guest;
  char *path;
  VmmBlock *block;
  VmmDevice *device;
  FakeDriver *driver;
  guint64 header, status, data; /* in guest memory */
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  VmmBlockOptions options = { .format = VMM_DISK_RAW, .discard = TRUE, .engine = &fake_engine };
  VmmVirtioBlkConfig config = { .serial = "disk0" };
  int fd;

  f->guest = fake_guest_new ();
  f->path = g_build_filename (g_get_tmp_dir (), "vmm-disk-XXXXXX", NULL);
  fd = g_mkstemp (f->path);
  g_assert_cmpint (ftruncate (fd, SIZE), ==, 0);
  close (fd);
  fake_engine_fail (VMM_BLOCK_WRITE, GPOINTER_TO_INT (data));
  config.block = f->block = vmm_block_open (f->path, &options, f->guest->loop, NULL);
  f->device = vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_blk_class), &f->guest->board,
                              "disk0", &config, NULL);
  f->driver = fake_driver_new (f->guest, f->device, 0);
  f->header = fake_guest_alloc (f->guest, 16);
  f->status = fake_guest_alloc (f->guest, 1);
  f->data = fake_guest_alloc (f->guest, 512);
  *(guint8 *) fake_guest_at (f->guest, f->header, 16) = OUT;
  *(guint8 *) fake_guest_at (f->guest, f->status, 1) = NONE;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_driver_free (f->driver);
  vmm_device_drain (f->device);
  vmm_device_free (f->device);
  vmm_block_close (f->block);
  fake_engine_fail (VMM_BLOCK_WRITE, 0);
  fake_guest_free (f->guest);
  g_unlink (f->path);
  g_free (f->path);
}

static guint16
send_write (Fixture *f)
{
  FakeBuffer out[] = { { f->header, 16 }, { f->data, 512 } };
  FakeBuffer in[] = { { f->status, 1 } };

  return fake_driver_send (f->driver, 0, out, 2, in, 1);
}

static guint8
status_of (Fixture *f)
{
  return *(guint8 *) fake_guest_at (f->guest, f->status, 1);
}

static void
wait_used (Fixture *f, guint n)
{
  while (fake_driver_get_used_index (f->driver, 0) != n)
    fake_guest_settle (f->guest);
}

static void
test_one_interrupt (Fixture *f, gconstpointer data)
{
  vmm_device_drain (f->device);
  for (guint i = 0; i < 4; i++)
    send_write (f);
  vmm_device_resume (f->device);
  wait_used (f, 4);
  fake_guest_settle (f->guest);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 1), ==, 1);
  g_assert_cmphex (status_of (f), ==, ERROR);
}

typedef struct {
  Fixture *f;
  VmmKick kick;
} Bell;

static void
drain (gpointer data)
{
  Fixture *f = data;

  g_assert_cmpuint (fake_driver_get_used_index (f->driver, 0), ==, 1);
  vmm_device_drain (f->device);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 1), ==, 1);
}

static void
post_drain (gpointer data)
{
  Fixture *f = data;

  vmm_loop_post (f->guest->loop, drain, f);
}

static void
send_and_ring (gpointer data)
{
  send_write (((Bell *) data)->f);
  vmm_kick_ring (&((Bell *) data)->kick);
}

/* What was done before a drain is told before it ends: a machine is saved when all is told. The
 * drain comes between the two, because the loop does what was posted in one go. */
static void
test_drain_tells (Fixture *f, gconstpointer data)
{
  Bell bell = { f };

  g_assert_true (vmm_kick_init (&bell.kick, f->guest->loop, post_drain, f, NULL));
  vmm_loop_call (f->guest->loop, send_and_ring, &bell);
  fake_guest_settle (f->guest);
  vmm_kick_clear (&bell.kick);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 1), ==, 0);
  vmm_device_resume (f->device);
}

/* A driver on the loop, which puts requests into the ring and does not ring. */
typedef struct {
  Fixture *f;
  guint left;
  gint n_sleeps; /* of the loop; atomic */
} Quiet;

/* TRUE where it offered one, after @when. */
static gboolean
offer_quietly (Quiet *quiet, gboolean when)
{
  if (!when || quiet->left == 0)
    return FALSE;
  quiet->left--;
  fake_driver_offer (quiet->f->driver, 0, 0);
  return TRUE;
}

static gboolean
offer_when_used (gpointer data)
{
  Quiet *quiet = data;

  return offer_quietly (quiet, fake_driver_get_used_index (quiet->f->driver, 0) > 0);
}

static gboolean
offer_when_kept (gpointer data)
{
  Quiet *quiet = data;

  return offer_quietly (quiet, quiet->f->guest->platform.n_pauses > 0);
}

static gboolean
count_sleep (gpointer data)
{
  g_atomic_int_inc (&((Quiet *) data)->n_sleeps);
  return FALSE;
}

static const VmmPollFuncs offers_when_used = { offer_when_used, count_sleep };
static const VmmPollFuncs offers_when_kept = { offer_when_kept, count_sleep };

static void
test_no_doorbell (Fixture *f, gconstpointer data)
{
  Quiet quiet = { f, 2 };

  vmm_loop_add_poller (f->guest->loop, &offers_when_used, &quiet);
  g_assert_cmpuint (send_write (f), ==, 0);
  wait_used (f, 3);
  vmm_loop_remove_poller (f->guest->loop, &quiet);
}

/* Requests that wait for room on the host's disk, and those behind them, do not keep the loop
 * awake. */
static void
test_kept (Fixture *f, gconstpointer data)
{
  Quiet quiet = { f, 1 };
  gint before;

  vmm_loop_add_poller (f->guest->loop, &offers_when_kept, &quiet);
  send_write (f);
  fake_guest_settle (f->guest);
  g_assert_cmpuint (quiet.left, ==, 0);
  before = g_atomic_int_get (&quiet.n_sleeps);
  while (g_atomic_int_get (&quiet.n_sleeps) < before + 2)
    fake_guest_settle (f->guest);
  vmm_loop_remove_poller (f->guest->loop, &quiet);
  g_assert_cmphex (status_of (f), ==, NONE);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    int error;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/virtio-poll/one-interrupt", -EBADMSG, test_one_interrupt },
    { "/virtio-poll/drain-tells", -EBADMSG, test_drain_tells },
    { "/virtio-poll/no-doorbell", -EBADMSG, test_no_doorbell },
    { "/virtio-poll/kept", -ENOSPC, test_kept },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, GINT_TO_POINTER (tests[i].error), set_up, tests[i].run,
                tear_down);
  return g_test_run ();
}
