/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A disk whose host has no room left: the guest is told nothing, the machine is asked to pause, and
 * what was to be written is written when it is resumed. The block layer's engine is one that fails
 * as it is told.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "block/block-private.h"
#include "fake-guest.h"
#include "virtio/virtio-blk.h"

#define SIZE     (1 << 20)
#define N_WRITES 3

enum { OUT = 1, FLUSH = 4 };
enum { OK = 0, ERROR = 1, NONE = 0xaa };

/* How the engine fails: an engine has no configuration of its own. */
static struct {
  gint error; /* atomic; 0: not at all */
  VmmBlockOp op;
  VmmLoop *loop;
} fault;

static VmmBlockEngine *
faulty_new (VmmHostFile *file, VmmLoop *loop)
{
  fault.loop = loop;
  return vmm_block_threads.new (file, loop);
}

static void
faulty_free (VmmBlockEngine *self)
{
  vmm_block_threads.free (self);
}

static void
fail_request (gpointer data)
{
  VmmBlockRequest *request = data;

  request->done (request, request->result);
}

static void
faulty_submit (VmmBlockEngine *self, VmmBlockRequest *request)
{
  int error = g_atomic_int_get (&fault.error);

  if (error == 0 || request->op != fault.op) {
    vmm_block_threads.submit (self, request);
    return;
  }
  request->result = error;
  /* Part of it was written when the room ran out. */
  if (request->op == VMM_BLOCK_WRITE)
    vmm_block_request_advance (request, 100);
  vmm_loop_post (fault.loop, fail_request, request);
}

static void
faulty_kick (VmmBlockEngine *self)
{
}

static const VmmBlockEngineClass faulty = {
  "faulty", faulty_new, faulty_free, faulty_submit, faulty_kick,
};

typedef struct {
  FakeGuest *guest;
  char *path;
  VmmBlock *block;
  VmmDevice *device;
  FakeDriver *driver;
} Disk;

typedef struct {
  Disk disk;
  guint64 header[N_WRITES], status[N_WRITES], data[N_WRITES]; /* in guest memory */
} Fixture;

static void
disk_open (Disk *disk)
{
  VmmVirtioBlkConfig config = { .serial = "disk0" };
  VmmBlockOptions options = { .format = VMM_DISK_RAW, .discard = TRUE, .engine = &faulty };
  int fd;

  disk->guest = fake_guest_new ();
  disk->path = g_build_filename (g_get_tmp_dir (), "vmm-disk-XXXXXX", NULL);
  fd = g_mkstemp (disk->path);
  g_assert_cmpint (ftruncate (fd, SIZE), ==, 0);
  close (fd);
  disk->block = vmm_block_open (disk->path, &options, disk->guest->loop, NULL);
  config.block = disk->block;
  disk->device = vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_blk_class),
                                 &disk->guest->board, "disk0", &config, NULL);
}

static void
disk_close (Disk *disk)
{
  g_clear_pointer (&disk->driver, fake_driver_free);
  vmm_device_free (disk->device);
  vmm_block_close (disk->block);
  fake_guest_free (disk->guest);
  g_unlink (disk->path);
  g_free (disk->path);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_atomic_int_set (&fault.error, 0);
  disk_open (&f->disk);
  f->disk.driver = fake_driver_new (f->disk.guest, f->disk.device, 0);
  for (guint i = 0; i < N_WRITES; i++) {
    f->header[i] = fake_guest_alloc (f->disk.guest, 16);
    f->status[i] = fake_guest_alloc (f->disk.guest, 1);
    f->data[i] = fake_guest_alloc (f->disk.guest, 1024);
    *(guint8 *) fake_guest_at (f->disk.guest, f->status[i], 1) = NONE;
  }
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  disk_close (&f->disk);
}

static void
set_fault (VmmBlockOp op, int error)
{
  fault.op = op;
  g_atomic_int_set (&fault.error, error);
}

/* Writes 1024 bytes of (@i + 1) at sector 2 * @i; does not wait. */
static guint16
send_one (Fixture *f, guint i, guint32 type)
{
  FakeBuffer out[] = { { f->header[i], 16 }, { f->data[i], 1024 } };
  FakeBuffer in[] = { { f->status[i], 1 } };
  guint8 *header = fake_guest_at (f->disk.guest, f->header[i], 16);

  memset (header, 0, 16);
  header[0] = type;
  header[8] = 2 * i;
  memset (fake_guest_at (f->disk.guest, f->data[i], 1024), i + 1, 1024);
  *(guint8 *) fake_guest_at (f->disk.guest, f->status[i], 1) = NONE;
  return fake_driver_send (f->disk.driver, 0, out, type == OUT ? 2 : 1, in, 1);
}

static guint8
status_of (Disk *disk, guint64 address)
{
  return *(guint8 *) fake_guest_at (disk->guest, address, 1);
}

/* The device gave nothing back, and no word to the guest. */
static void
check_kept (Fixture *f, guint n_pauses)
{
  guint32 head, written;

  fake_guest_settle (f->disk.guest);
  g_assert_false (fake_driver_take_used (f->disk.driver, 0, &head, &written));
  g_assert_cmpuint (fake_guest_take_message (f->disk.guest, 1), ==, 0);
  for (guint i = 0; i < N_WRITES; i++)
    g_assert_cmphex (status_of (&f->disk, f->status[i]), ==, NONE);
  g_assert_cmpuint (f->disk.guest->platform.n_pauses, ==, n_pauses);
  g_assert_cmpuint (f->disk.guest->platform.n_broken, ==, 0);
}

static void
pause_and_resume (Fixture *f)
{
  vmm_device_drain (f->disk.device); /* does not wait for what cannot be done */
  vmm_device_resume (f->disk.device);
}

static void
wait_used (Disk *disk, guint n)
{
  while (fake_driver_get_used_index (disk->driver, 0) != n)
    fake_guest_settle (disk->guest);
}

static void
check_written (Disk *disk, const guint64 *status)
{
  g_autofree char *content = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (disk->path, &content, &length, NULL));
  for (guint i = 0; i < N_WRITES; i++) {
    g_assert_cmphex (status_of (disk, status[i]), ==, OK);
    for (guint j = 0; j < 1024; j++)
      g_assert_cmphex (content[1024 * i + j], ==, i + 1);
  }
}

static void
test_kept (Fixture *f, gconstpointer data)
{
  set_fault (VMM_BLOCK_WRITE, GPOINTER_TO_INT (data));
  for (guint i = 0; i + 1 < N_WRITES; i++)
    send_one (f, i, OUT);
  fake_guest_settle (f->disk.guest);
  send_one (f, N_WRITES - 1, OUT); /* after the pause was asked for */
  check_kept (f, 1);
  g_assert_nonnull (strstr (f->disk.guest->platform.last_pause, f->disk.path));
  g_assert_nonnull (strstr (f->disk.guest->platform.last_pause, "resume"));
  /* Resumed too early. */
  pause_and_resume (f);
  check_kept (f, 2);

  vmm_device_drain (f->disk.device);
  set_fault (VMM_BLOCK_WRITE, 0);
  check_kept (f, 2);
  vmm_device_resume (f->disk.device);
  wait_used (&f->disk, N_WRITES);
  check_written (&f->disk, f->status);
  g_assert_cmpuint (f->disk.guest->platform.n_pauses, ==, 2);
}

/* What no waiting would mend is the guest's to hear. */
static void
test_errors (Fixture *f, gconstpointer data)
{
  static const struct {
    guint32 type;
    VmmBlockOp op;
    int error;
  } cases[] = {
    { OUT, VMM_BLOCK_WRITE, -EUCLEAN },
    { OUT, VMM_BLOCK_WRITE, -EFBIG },
    { FLUSH, VMM_BLOCK_FLUSH, -ENOSPC },
    { FLUSH, VMM_BLOCK_FLUSH, -EIO },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    set_fault (cases[i].op, cases[i].error);
    send_one (f, 0, cases[i].type);
    wait_used (&f->disk, i + 1);
    g_assert_cmphex (status_of (&f->disk, f->status[0]), ==, ERROR);
  }
  g_assert_cmpuint (f->disk.guest->platform.n_pauses, ==, 0);
  g_assert_cmpuint (f->disk.guest->platform.n_broken, ==, G_N_ELEMENTS (cases));
}

/* The host has no page for the guest's memory: as where a processor finds that out, the machine
 * ends, and the guest's file system does not hear of a bad disk. */
static void
test_no_page (Fixture *f, gconstpointer data)
{
  FakePlatform *platform = &f->disk.guest->platform;

  set_fault (VMM_BLOCK_WRITE, -EFAULT);
  send_one (f, 0, OUT);
  wait_used (&f->disk, 1);
  g_assert_cmpuint (platform->n_requests, ==, 1);
  g_assert_cmpint (platform->last_request, ==, VMM_REQUEST_NO_MEMORY);
  g_assert_cmpuint (platform->n_broken, ==, 0);
}

/* A driver that resets does not want it any more. */
static void
test_reset (Fixture *f, gconstpointer data)
{
  g_autofree char *content = NULL;

  set_fault (VMM_BLOCK_WRITE, -ENOSPC);
  for (guint i = 0; i < N_WRITES; i++)
    send_one (f, i, OUT);
  check_kept (f, 1);
  fake_driver_set_status (f->disk.driver, 0);
  g_assert_cmphex (fake_driver_get_status (f->disk.driver), ==, 0);
  fake_driver_free (f->disk.driver);
  set_fault (VMM_BLOCK_WRITE, 0);
  f->disk.driver = fake_driver_new (f->disk.guest, f->disk.device, 0);
  pause_and_resume (f);
  send_one (f, 2, OUT);
  wait_used (&f->disk, 1);
  g_assert_true (g_file_get_contents (f->disk.path, &content, NULL, NULL));
  g_assert_cmphex (content[0], ==, 0);
  g_assert_cmphex (content[2 * 1024], ==, 3);
}

/* The guest changes its mind about what it sent. */
static void
test_spoilt (Fixture *f, gconstpointer data)
{
  guint16 head;

  set_fault (VMM_BLOCK_WRITE, -ENOSPC);
  head = send_one (f, 0, OUT);
  check_kept (f, 1);
  set_fault (VMM_BLOCK_WRITE, 0);
  fake_driver_put_desc (f->disk.driver, 0, head, G_MAXUINT64 - 4, 16, 0, 0);
  pause_and_resume (f);
  fake_driver_check_broken (f->disk.driver, "outside its memory");
}

/* A snapshot of a machine that waits for room holds what it could not write. */
static void
test_saved (Fixture *f, gconstpointer data)
{
  g_autoptr (VmmState) state = vmm_state_new ();
  Disk other = { 0 };

  set_fault (VMM_BLOCK_WRITE, -ENOSPC);
  for (guint i = 0; i < N_WRITES; i++)
    send_one (f, i, OUT);
  check_kept (f, 1);
  vmm_device_drain (f->disk.device);
  g_assert_true (vmm_device_save (f->disk.device, state, NULL));

  disk_open (&other);
  fake_guest_copy_memory (other.guest, f->disk.guest);
  vmm_device_drain (other.device);
  g_assert_true (vmm_device_load (other.device, state, NULL));
  set_fault (VMM_BLOCK_WRITE, 0);
  vmm_device_resume (other.device);
  /* The driver's memory came along, and so did its ring's place. */
  fake_guest_settle (other.guest); /* all are under way */
  vmm_device_drain (other.device); /* and done */
  check_written (&other, f->status);
  disk_close (&other);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    int error;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/virtio-blk/full/no-room", -ENOSPC, test_kept },
    { "/virtio-blk/full/no-quota", -EDQUOT, test_kept },
    { "/virtio-blk/full/io-error", -EIO, test_kept },
    { "/virtio-blk/full/gone", -ENODEV, test_kept },
    { "/virtio-blk/full/stale", -ESTALE, test_kept },
    { "/virtio-blk/full/errors", 0, test_errors },
    { "/virtio-blk/full/no-page", 0, test_no_page },
    { "/virtio-blk/full/reset", 0, test_reset },
    { "/virtio-blk/full/spoilt", 0, test_spoilt },
    { "/virtio-blk/full/saved", 0, test_saved },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, GINT_TO_POINTER (tests[i].error), set_up, tests[i].run,
                tear_down);
  return g_test_run ();
}
