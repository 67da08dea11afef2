/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a driver may ask of a disk beyond reading and writing: several queues, when a write is
 * durable, where blocks lie, and to hear that the disk has grown.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "fake-engine.h"
#include "fake-guest.h"
#include "virtio/virtio-blk.h"

#define SIZE     (1u << 20)
#define N_QUEUES 4

#define FLUSH_BIT (1u << 9)
#define WCE_BIT   (1u << 11)
#define MQ_BIT    (1u << 12)

enum { IN = 0, OUT = 1, FLUSH = 4, WRITE_ZEROES = 13 };
enum { OK = 0, ERROR = 1, NONE = 0xaa };

typedef struct {
  FakeGuest *guest;
  char *path;
  VmmBlock *block;
  VmmDevice *device;
  FakeDriver *driver;
  guint64 header, status, data;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  VmmVirtioBlkConfig config = { .serial = "disk0", .n_queues = N_QUEUES };
  VmmBlockOptions options = { .format = VMM_DISK_RAW, .engine = &fake_engine };
  int fd;

  for (guint op = VMM_BLOCK_READ; op <= VMM_BLOCK_WRITE_ZEROES; op++)
    fake_engine_fail (op, 0);
  f->guest = fake_guest_new ();
  f->path = g_build_filename (g_get_tmp_dir (), "vmm-disk-XXXXXX", NULL);
  fd = g_mkstemp (f->path);
  g_assert_cmpint (ftruncate (fd, SIZE), ==, 0);
  close (fd);
  f->block = vmm_block_open (f->path, &options, f->guest->loop, NULL);
  config.block = f->block;
  f->device = vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_blk_class), &f->guest->board,
                              "disk0", &config, NULL);
  f->driver = fake_driver_new (f->guest, f->device, GPOINTER_TO_UINT (data));
  f->header = fake_guest_alloc (f->guest, 16 * N_QUEUES);
  f->status = fake_guest_alloc (f->guest, N_QUEUES);
  f->data = fake_guest_alloc (f->guest, 512 * N_QUEUES);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_driver_free (f->driver);
  vmm_device_drain (f->device);
  vmm_device_free (f->device);
  g_clear_pointer (&f->block, vmm_block_close);
  fake_guest_free (f->guest);
  g_unlink (f->path);
  g_free (f->path);
}

/* Sector @i, on a queue of its own. */
static void
send_one (Fixture *f, guint i, guint32 type, guint n_out)
{
  FakeBuffer out[] = { { f->header + 16 * i, 16 }, { f->data + 512 * i, 512 } };
  FakeBuffer in = { f->status + i, 1 };
  guint8 *header = fake_guest_at (f->guest, f->header + 16 * i, 16);

  memset (header, 0, 16);
  header[0] = type;
  header[8] = i;
  memset (fake_guest_at (f->guest, f->data + 512 * i, 512), i + 1, 512);
  *(guint8 *) fake_guest_at (f->guest, f->status + i, 1) = NONE;
  fake_driver_send (f->driver, i, out, n_out, &in, 1);
}

static void
wait_status (Fixture *f, guint i, guint8 status)
{
  guint32 head, written;

  fake_guest_wait_message (f->guest, i + 1);
  g_assert_true (fake_driver_take_used (f->driver, i, &head, &written));
  g_assert_cmphex (*(guint8 *) fake_guest_at (f->guest, f->status + i, 1), ==, status);
}

static void
wait_answer (Fixture *f, guint i)
{
  wait_status (f, i, OK);
}

/* Each is answered on its own queue, with its own interrupt. */
static void
test_queues (Fixture *f, gconstpointer data)
{
  g_autofree char *content = NULL;

  g_assert_cmphex (fake_driver_get_features (f->driver) & MQ_BIT, !=, 0);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 34, 2), ==, N_QUEUES);
  for (guint i = 0; i < N_QUEUES; i++)
    send_one (f, i, OUT, 2);
  for (guint i = 0; i < N_QUEUES; i++)
    wait_answer (f, i);
  g_assert_true (g_file_get_contents (f->path, &content, NULL, NULL));
  for (guint i = 0; i < N_QUEUES; i++)
    g_assert_cmphex (content[512 * i + 511], ==, i + 1);
}

/* What waits on one queue is tried again there. */
static void
test_kept (Fixture *f, gconstpointer data)
{
  guint32 head, written;

  fake_engine_fail (VMM_BLOCK_WRITE, -ENOSPC);
  for (guint i = 0; i < N_QUEUES; i++)
    send_one (f, i, OUT, 2);
  fake_guest_settle (f->guest);
  for (guint i = 0; i < N_QUEUES; i++)
    g_assert_false (fake_driver_take_used (f->driver, i, &head, &written));
  g_assert_cmpuint (f->guest->platform.n_pauses, ==, 1);
  vmm_device_drain (f->device);
  fake_engine_fail (VMM_BLOCK_WRITE, 0);
  vmm_device_resume (f->device);
  for (guint i = 0; i < N_QUEUES; i++)
    wait_answer (f, i);
}

/* A disk that the host has taken back answers everything, what waited included, and always with an
 * error. */
static void
test_disconnected (Fixture *f, gconstpointer data)
{
  static const guint32 types[N_QUEUES] = { IN, OUT, FLUSH, WRITE_ZEROES };

  fake_engine_fail (VMM_BLOCK_WRITE, -ENOSPC);
  send_one (f, 0, OUT, 2);
  fake_guest_settle (f->guest);
  g_assert_cmpuint (f->guest->platform.n_pauses, ==, 1);
  vmm_device_drain (f->device);
  vmm_virtio_blk_disconnect (f->device);
  vmm_block_close (g_steal_pointer (&f->block));
  vmm_device_resume (f->device);
  wait_status (f, 0, ERROR);
  for (guint i = 0; i < N_QUEUES; i++) {
    send_one (f, i, types[i], 1 + (types[i] == OUT));
    wait_status (f, i, ERROR);
  }
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config, 8), ==, 0);
  g_assert_cmpuint (f->guest->platform.n_broken, ==, 0);
}

/* Whether a write waits until it is durable is the driver's choice; one that knows no flush has
 * none. */
static void
test_durable (Fixture *f, gconstpointer data)
{
  guint features = GPOINTER_TO_UINT (data);
  gboolean durable = features == 0;

  fake_engine_take_count (VMM_BLOCK_FLUSH);
  send_one (f, 0, OUT, 2);
  wait_answer (f, 0);
  g_assert_cmpuint (fake_engine_take_count (VMM_BLOCK_FLUSH), ==, durable ? 1 : 0);
  send_one (f, 1, IN, 1);
  wait_answer (f, 1);
  g_assert_cmpuint (fake_engine_take_count (VMM_BLOCK_FLUSH), ==, 0);
  if (!(features & WCE_BIT))
    return;
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 32, 1), ==, 1);
  fake_driver_write (f->driver, f->driver->config + 32, 1, 0);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 32, 1), ==, 0);
  send_one (f, 2, OUT, 2);
  wait_answer (f, 2);
  g_assert_cmpuint (fake_engine_take_count (VMM_BLOCK_FLUSH), ==, 1);
}

/* A write that was not made durable is not done. */
static void
test_flush_fails (Fixture *f, gconstpointer data)
{
  fake_engine_fail (VMM_BLOCK_FLUSH, -EIO);
  send_one (f, 0, OUT, 2);
  fake_guest_wait_message (f->guest, 1);
  g_assert_cmphex (*(guint8 *) fake_guest_at (f->guest, f->status, 1), ==, 1);
  g_assert_cmpuint (f->guest->platform.n_pauses, ==, 0);
  fake_engine_fail (VMM_BLOCK_FLUSH, 0);
}

static void
test_grows (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint8 generation = fake_driver_read (f->driver, f->driver->common + 21, 1);

  g_assert_true (vmm_block_resize (f->block, 2 * SIZE, &error));
  g_assert_no_error (error);
  vmm_virtio_blk_resized (f->device);
  fake_guest_wait_message (f->guest, 0);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->common + 21, 1), !=, generation);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config, 8), ==, 2 * SIZE / 512);
  g_assert_false (vmm_block_resize (f->block, SIZE, &error));
  g_assert_nonnull (strstr (error->message, "only grow"));
  g_clear_error (&error);
  g_assert_false (vmm_block_resize (f->block, 2 * SIZE + 100, &error));
  g_assert_nonnull (strstr (error->message, "sectors"));
}

static void
test_places (Fixture *f, gconstpointer data)
{
  guint64 features = fake_driver_get_features (f->driver);

  g_assert_cmphex (features >> 10 & 1, ==, 1);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 24, 1), ==, 3);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 26, 2), ==, 8);
  g_assert_cmphex (features >> 13 & 1, ==, 0); /* nothing is given back without discard=on */
  g_assert_cmphex (features >> 14 & 1, ==, 1);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    guint features;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/virtio-blk/queues", FLUSH_BIT | MQ_BIT, test_queues },
    { "/virtio-blk/queues/kept", FLUSH_BIT | MQ_BIT, test_kept },
    { "/virtio-blk/disconnected", FLUSH_BIT | MQ_BIT, test_disconnected },
    { "/virtio-blk/durable/always", 0, test_durable },
    { "/virtio-blk/durable/on-flush", FLUSH_BIT, test_durable },
    { "/virtio-blk/durable/as-told", FLUSH_BIT | WCE_BIT, test_durable },
    { "/virtio-blk/durable/fails", 0, test_flush_fails },
    { "/virtio-blk/grows", FLUSH_BIT, test_grows },
    { "/virtio-blk/places", FLUSH_BIT, test_places },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, GUINT_TO_POINTER (tests[i].features), set_up, tests[i].run,
                tear_down);
  return g_test_run ();
}
