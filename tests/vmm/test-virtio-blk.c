/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "fake-guest.h"
#include "virtio/virtio-blk.h"

#define SIZE    (1 << 20)
#define SECTORS (SIZE / 512)

#define F_READONLY 5

enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11, WRITE_ZEROES = 13 };
enum { OK = 0, ERROR = 1, UNSUPPORTED = 2, NONE = 0xaa };

typedef struct {
  FakeGuest *guest;
  char *path;
  VmmBlock *block;
  VmmDevice *device;
  FakeDriver *driver;
  guint64 header, status, data; /* in guest memory */
} Fixture;

static VmmDevice *
disk_new (FakeGuest *guest, VmmBlock *block)
{
  VmmVirtioBlkConfig config = { .block = block, .serial = "serial-number-of-20-and-more" };

  return vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_blk_class), &guest->board, "disk0",
                         &config, NULL);
}

static VmmBlock *
open_raw (const char *path, gboolean readonly, VmmLoop *loop)
{
  VmmBlockOptions options = { .format = VMM_DISK_RAW, .readonly = readonly, .discard = TRUE };

  return vmm_block_open (path, &options, loop, NULL);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  gboolean readonly = GPOINTER_TO_INT (data);
  guint8 *content = g_malloc (SIZE);
  int fd;

  for (guint i = 0; i < SIZE; i++)
    content[i] = i / 512 + i;
  f->guest = fake_guest_new ();
  f->path = g_build_filename (g_get_tmp_dir (), "vmm-disk-XXXXXX", NULL);
  fd = g_mkstemp (f->path);
  g_assert_cmpint (write (fd, content, SIZE), ==, SIZE);
  close (fd);
  g_free (content);
  f->block = open_raw (f->path, readonly, f->guest->loop);
  g_assert_nonnull (f->block);
  f->device = disk_new (f->guest, f->block);
  f->driver = fake_driver_new (f->guest, f->device, readonly ? 1 << F_READONLY : 0);
  f->header = fake_guest_alloc (f->guest, 16);
  f->status = fake_guest_alloc (f->guest, 1);
  f->data = fake_guest_alloc (f->guest, 65536);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_driver_free (f->driver);
  vmm_device_drain (f->device);
  vmm_device_free (f->device);
  vmm_block_close (f->block);
  fake_guest_free (f->guest);
  g_unlink (f->path);
  g_free (f->path);
}

static void *
at (Fixture *f, guint64 address, gsize size)
{
  return fake_guest_at (f->guest, address, size);
}

static void
put_header (Fixture *f, guint32 type, guint64 sector)
{
  guint8 *header = at (f, f->header, 16);

  memset (header, 0, 16);
  memcpy (header, &type, 4);
  memcpy (header + 8, &sector, 8);
  *(guint8 *) at (f, f->status, 1) = NONE;
}

static guint8
status_of (Fixture *f)
{
  return *(guint8 *) at (f, f->status, 1);
}

/* One request with one buffer; returns its status. */
static guint8
run (Fixture *f, guint32 type, guint64 sector, guint32 length, guint32 *written)
{
  gboolean in = type == IN || type == GET_ID;
  FakeBuffer out[] = { { f->header, 16 }, { f->data, length } };
  FakeBuffer back[] = { { f->data, length }, { f->status, 1 } };
  guint32 n;

  put_header (f, type, sector);
  if (in)
    n = fake_driver_call (f->driver, 0, out, 1, length ? back : back + 1, length ? 2 : 1);
  else
    n = fake_driver_call (f->driver, 0, out, length ? 2 : 1, back + 1, 1);
  if (written)
    *written = n;
  return status_of (f);
}

static void
check_sector (const guint8 *bytes, guint sector)
{
  for (guint i = 0; i < 512; i++)
    g_assert_cmphex (bytes[i], ==, (guint8) (sector + sector * 512 + i));
}

static void
test_read (Fixture *f, gconstpointer data)
{
  guint32 written;

  g_assert_cmphex (run (f, IN, 5, 1024, &written), ==, OK);
  g_assert_cmpuint (written, ==, 1025);
  check_sector (at (f, f->data, 512), 5);
  check_sector (at (f, f->data + 512, 512), 6);
  g_assert_cmphex (run (f, IN, SECTORS - 1, 512, &written), ==, OK);
  check_sector (at (f, f->data, 512), SECTORS - 1);
  g_assert_cmpuint (vmm_virtio_blk_get_n_requests (f->device), ==, 2);
}

static void
test_write (Fixture *f, gconstpointer data)
{
  g_autofree char *content = NULL;
  guint32 written;

  memset (at (f, f->data, 1024), 0x5a, 1024);
  g_assert_cmphex (run (f, OUT, 7, 1024, &written), ==, OK);
  g_assert_cmpuint (written, ==, 1);
  g_assert_cmphex (run (f, FLUSH, 0, 0, NULL), ==, OK);
  g_assert_true (g_file_get_contents (f->path, &content, NULL, NULL));
  check_sector ((guint8 *) content + 6 * 512, 6);
  g_assert_cmpmem (content + 7 * 512, 1024, at (f, f->data, 1024), 1024);
  check_sector ((guint8 *) content + 9 * 512, 9);
}

static void
test_id (Fixture *f, gconstpointer data)
{
  guint32 written;

  memset (at (f, f->data, 64), 0xee, 64);
  g_assert_cmphex (run (f, GET_ID, 0, 20, &written), ==, OK);
  g_assert_cmpuint (written, ==, 21);
  g_assert_cmpmem (at (f, f->data, 20), 20, "serial-number-of-20-", 20);
  g_assert_cmphex (*(guint8 *) at (f, f->data + 20, 1), ==, 0xee);
  /* Less room than it takes. */
  g_assert_cmphex (run (f, GET_ID, 0, 5, &written), ==, OK);
  g_assert_cmpuint (written, ==, 6);
}

static void
test_config (Fixture *f, gconstpointer data)
{
  guint64 features = fake_driver_get_features (f->driver);

  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config, 8), ==, SECTORS);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 12, 4), >=, 64);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 20, 4), ==, 512);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 40, 4), ==, 1);
  g_assert_cmpuint (fake_driver_read (f->driver, f->driver->config + 56, 1), ==, 1);
  g_assert_cmphex (features & 0xffff, ==, GPOINTER_TO_INT (data) ? 0x0e64 : 0x6e44);
}

static guint8
zeroes (Fixture *f, guint32 type, guint64 sector, guint32 n, guint32 flags)
{
  guint8 *range = at (f, f->data, 16);

  memcpy (range, &sector, 8);
  memcpy (range + 8, &n, 4);
  memcpy (range + 12, &flags, 4);
  return run (f, type, 0, 16, NULL);
}

static void
test_zeroes (Fixture *f, gconstpointer data)
{
  static const guint8 zeros[512];

  for (guint type = DISCARD; type <= WRITE_ZEROES; type += 2) {
    guint sector = type * 16;

    g_assert_cmphex (zeroes (f, type, sector, 8, 0), ==, OK);
    g_assert_cmphex (run (f, IN, sector + 7, 1024, NULL), ==, OK);
    g_assert_cmpmem (at (f, f->data, 512), 512, zeros, 512);
    check_sector (at (f, f->data + 512, 512), sector + 8);
    g_assert_cmphex (zeroes (f, type, SECTORS - 1, 2, 0), ==, ERROR);
    g_assert_cmphex (zeroes (f, type, G_MAXUINT64, 1, 0), ==, ERROR);
    g_assert_cmphex (zeroes (f, type, 0, G_MAXUINT32, 0), ==, ERROR);
    g_assert_cmphex (zeroes (f, type, 0, 0, 0), ==, OK);
    g_assert_cmphex (zeroes (f, type, 0, 1, 2), ==, UNSUPPORTED);
    g_assert_cmphex (run (f, type, 0, 8, NULL), ==, UNSUPPORTED);
  }
  g_assert_cmphex (zeroes (f, WRITE_ZEROES, 0, 1, 1), ==, OK);
  g_assert_cmphex (zeroes (f, DISCARD, 0, 1, 1), ==, UNSUPPORTED);
}

static void
test_range (Fixture *f, gconstpointer data)
{
  static const struct {
    guint64 sector;
    guint32 length;
    guint8 status;
  } cases[] = {
    { SECTORS, 512, ERROR },
    { SECTORS, 0, OK },
    { SECTORS + 1, 0, ERROR },
    { SECTORS - 1, 1024, ERROR },
    { G_MAXUINT64, 512, ERROR },
    { G_MAXUINT64 / 512, 512, ERROR },
    { G_GUINT64_CONSTANT (1) << 55, 512, ERROR },
    { 0, 511, ERROR },
    { 0, 513, ERROR },
    { 0, 0, OK },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint32 type = IN; type <= OUT; type++)
      g_assert_cmphex (run (f, type, cases[i].sector, cases[i].length, NULL), ==, cases[i].status);
  /* The disk is as it was. */
  g_assert_cmphex (run (f, IN, 0, 512, NULL), ==, OK);
  check_sector (at (f, f->data, 512), 0);
  g_assert_cmpuint (f->guest->platform.n_broken, ==, 0);
}

/* No driver moves so much at once; but as long as it lasts the machine could not be stopped. */
static void
test_huge (Fixture *f, gconstpointer data)
{
  const guint32 part = 8 << 20;
  FakeBuffer out = { f->header, 16 }, in[10];

  fake_driver_free (f->driver);
  vmm_device_free (f->device);
  vmm_block_close (f->block);
  g_assert_cmpint (truncate (f->path, 1 << 30), ==, 0);
  f->block = open_raw (f->path, FALSE, f->guest->loop);
  f->device = disk_new (f->guest, f->block);
  f->driver = fake_driver_new (f->guest, f->device, 0);
  g_assert_cmpuint (f->guest->next, <, part);
  for (guint n = 8; n <= 9; n++) {
    for (guint i = 0; i < n; i++)
      in[i] = (FakeBuffer) { part, part };
    in[n] = (FakeBuffer) { f->status, 1 };
    put_header (f, IN, 0);
    fake_driver_call (f->driver, 0, &out, 1, in, n + 1);
    g_assert_cmphex (status_of (f), ==, n == 8 ? OK : ERROR);
  }
}

static void
test_unknown (Fixture *f, gconstpointer data)
{
  g_assert_cmphex (run (f, 99, 0, 512, NULL), ==, UNSUPPORTED);
  g_assert_cmphex (run (f, G_MAXUINT32, 0, 0, NULL), ==, UNSUPPORTED);
}

static void
test_readonly (Fixture *f, gconstpointer data)
{
  g_assert_cmphex (run (f, OUT, 0, 512, NULL), ==, ERROR);
  g_assert_cmphex (zeroes (f, DISCARD, 0, 1, 0), ==, ERROR);
  g_assert_cmphex (zeroes (f, WRITE_ZEROES, 0, 1, 0), ==, ERROR);
  g_assert_cmphex (run (f, IN, 3, 512, NULL), ==, OK);
  check_sector (at (f, f->data, 512), 3);
}

/* The driver may cut a request wherever it likes. */
static void
test_layout (Fixture *f, gconstpointer data)
{
  FakeBuffer out[] = { { f->header, 3 }, { f->header + 3, 13 } };
  FakeBuffer in[] = { { f->data, 100 }, { f->data + 100, 413 } };

  put_header (f, IN, 9);
  ((guint8 *) at (f, f->data, 513))[512] = NONE;
  g_assert_cmpuint (fake_driver_call (f->driver, 0, out, 2, in, 2), ==, 513);
  check_sector (at (f, f->data, 512), 9);
  g_assert_cmphex (((guint8 *) at (f, f->data, 513))[512], ==, OK);

  /* Header and data in one buffer. */
  memset (at (f, f->data, 16), 0, 16);
  *(guint32 *) at (f, f->data, 4) = OUT;
  *(guint64 *) at (f, f->data + 8, 8) = 20;
  memset (at (f, f->data + 16, 512), 0x77, 512);
  out[0] = (FakeBuffer) { f->data, 528 };
  in[0] = (FakeBuffer) { f->status, 1 };
  g_assert_cmpuint (fake_driver_call (f->driver, 0, out, 1, in, 1), ==, 1);
  g_assert_cmphex (status_of (f), ==, OK);
  g_assert_cmphex (run (f, IN, 20, 512, NULL), ==, OK);
  for (guint i = 0; i < 512; i++)
    g_assert_cmphex (((guint8 *) at (f, f->data, 512))[i], ==, 0x77);
}

static void
test_no_header (Fixture *f, gconstpointer data)
{
  FakeBuffer out = { f->header, 15 }, in = { f->status, 1 };

  fake_driver_send (f->driver, 0, &out, 1, &in, 1);
  fake_driver_check_broken (f->driver, "header");
}

static void
test_no_status (Fixture *f, gconstpointer data)
{
  FakeBuffer out = { f->header, 16 };

  put_header (f, FLUSH, 0);
  fake_driver_send (f->driver, 0, &out, 1, NULL, 0);
  fake_driver_check_broken (f->driver, "status");
}

/* Requests under way when the driver resets: their ring is left alone, and the disk goes on. */
static void
test_reset (Fixture *f, gconstpointer data)
{
  FakeBuffer out = { f->header, 16 }, in[] = { { f->data, 65536 }, { f->status, 1 } };

  put_header (f, IN, 0);
  for (guint i = 0; i < 5; i++)
    fake_driver_send (f->driver, 0, &out, 1, in, 2);
  fake_driver_set_status (f->driver, 0);
  while (fake_driver_get_status (f->driver) != 0)
    fake_guest_settle (f->guest);
  fake_driver_free (f->driver);
  f->driver = fake_driver_new (f->guest, f->device, 0);
  g_assert_cmphex (run (f, IN, 4, 512, NULL), ==, OK);
  check_sector (at (f, f->data, 512), 4);
}

static void
test_drain (Fixture *f, gconstpointer data)
{
  FakeBuffer out = { f->header, 16 }, in[] = { { f->data, 65536 }, { f->status, 1 } };
  guint32 head, written;

  put_header (f, IN, 0);
  for (guint i = 0; i < 5; i++)
    fake_driver_send (f->driver, 0, &out, 1, in, 2);
  vmm_device_drain (f->device);
  for (guint i = 0; i < 5 && fake_driver_take_used (f->driver, 0, &head, &written); i++)
    g_assert_cmpuint (written, ==, 65537);
  vmm_device_resume (f->device);
  while (f->driver->queues[0].last_used < 5)
    if (!fake_driver_take_used (f->driver, 0, &head, &written))
      fake_guest_settle (f->guest);
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmBlock *block = open_raw (f->path, TRUE, guest->loop);
  VmmDevice *other;

  other = disk_new (guest, block);
  fake_guest_check_saved (f->device, other);
  vmm_device_free (other);
  vmm_block_close (block);
  fake_guest_free (guest);
}

/* Random chains over random memory: only the disk may complain. */
static void
test_nonsense (Fixture *f, gconstpointer data)
{
  GRand *random = g_rand_new_with_seed (7);

  for (guint i = 0; i < 2000; i++) {
    FakeBuffer out[4], in[4];
    guint n_out = g_rand_int_range (random, 0, 5), n_in = g_rand_int_range (random, 0, 5);

    for (guint j = 0; j < 4; j++) {
      out[j] = (FakeBuffer) { f->data + g_rand_int_range (random, 0, 4096),
                              g_rand_int_range (random, 0, 40) };
      in[j] = (FakeBuffer) { f->data + g_rand_int_range (random, 0, 4096),
                             g_rand_int_range (random, 0, 1100) };
    }
    if (n_out + n_in == 0)
      n_in = 1;
    put_header (f, g_rand_int_range (random, 0, 15), g_rand_int_range (random, 0, SECTORS + 2));
    out[0] = (FakeBuffer) { f->header, 16 };
    fake_driver_send (f->driver, 0, out, n_out, in, n_in);
    fake_guest_settle (f->guest);
    if (fake_driver_get_status (f->driver) == 0x0f)
      continue;
    fake_driver_set_status (f->driver, 0);
    while (fake_driver_get_status (f->driver) != 0)
      fake_guest_settle (f->guest);
    f->guest->next = f->data + 65536;
    fake_driver_free (f->driver);
    f->driver = fake_driver_new (f->guest, f->device, 0);
  }
  g_rand_free (random);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    gboolean readonly;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/virtio-blk/read", FALSE, test_read },
    { "/virtio-blk/write", FALSE, test_write },
    { "/virtio-blk/id", FALSE, test_id },
    { "/virtio-blk/config", FALSE, test_config },
    { "/virtio-blk/config/readonly", TRUE, test_config },
    { "/virtio-blk/zeroes", FALSE, test_zeroes },
    { "/virtio-blk/range", FALSE, test_range },
    { "/virtio-blk/huge", FALSE, test_huge },
    { "/virtio-blk/unknown", FALSE, test_unknown },
    { "/virtio-blk/readonly", TRUE, test_readonly },
    { "/virtio-blk/layout", FALSE, test_layout },
    { "/virtio-blk/no-header", FALSE, test_no_header },
    { "/virtio-blk/no-status", FALSE, test_no_status },
    { "/virtio-blk/reset", FALSE, test_reset },
    { "/virtio-blk/drain", FALSE, test_drain },
    { "/virtio-blk/saved", TRUE, test_saved },
    { "/virtio-blk/nonsense", FALSE, test_nonsense },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, GINT_TO_POINTER (tests[i].readonly), set_up, tests[i].run,
                tear_down);
  return g_test_run ();
}
