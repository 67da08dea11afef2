/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A host that fails under a qcow2 image: no room, errors, at any moment. What fails says so, what
 * is tried again works, and the image is never wrong.
 */
#include <errno.h>
#include <string.h>

#include "block-history.h"

#define N_ROUNDS 12

/* How the host fails: a host file's class has no configuration of its own. */
static struct {
  GMutex lock;
  guint left; /* calls that still succeed, while an error is set */
  int error;  /* 0: none fails */
  gboolean reads, syncs;
  guint n_failed;
} fault;

static void
set_fault (int error, guint left)
{
  g_mutex_lock (&fault.lock);
  fault.error = error;
  fault.left = left;
  g_mutex_unlock (&fault.lock);
}

/* 0, or the error of this call. */
static int
take_fault (void)
{
  int error = 0;

  g_mutex_lock (&fault.lock);
  if (fault.error && fault.left > 0) {
    fault.left--;
  } else if (fault.error) {
    error = fault.error;
    fault.n_failed++;
  }
  g_mutex_unlock (&fault.lock);
  return error;
}

static gssize
faulty_readv (VmmHostFile *file, const struct iovec *iov, guint n_iov, guint64 offset)
{
  int error = fault.reads ? take_fault () : 0;

  return error ? error : vmm_host_file_class.readv (file, iov, n_iov, offset);
}

/* What fails has written a part. */
static gssize
faulty_writev (VmmHostFile *file, const struct iovec *iov, guint n_iov, guint64 offset)
{
  int error = take_fault ();
  struct iovec part = iov[0];

  if (!error)
    return vmm_host_file_class.writev (file, iov, n_iov, offset);
  part.iov_len = MIN (part.iov_len, 700);
  vmm_host_file_class.writev (file, &part, 1, offset);
  return error;
}

static int
faulty_sync (VmmHostFile *file)
{
  int error = fault.syncs ? take_fault () : 0;

  return error ? error : vmm_host_file_class.sync (file);
}

static int
faulty_allocate (VmmHostFile *file, int mode, guint64 offset, guint64 length)
{
  int error = take_fault ();

  return error ? error : vmm_host_file_class.allocate (file, mode, offset, length);
}

static int
faulty_truncate (VmmHostFile *file, guint64 size)
{
  int error = take_fault ();

  return error ? error : vmm_host_file_class.truncate (file, size);
}

static const VmmHostFileClass faulty = { faulty_readv, faulty_writev, faulty_sync, faulty_allocate,
                                         faulty_truncate };

static const VmmBlockOptions options = { .format = VMM_DISK_QCOW2,
                                         .discard = TRUE,
                                         .engine = &vmm_block_threads,
                                         .file = &faulty };

typedef struct {
  const char *name, *options, *prepare;
  int error;
  gboolean reads, syncs;
} Kind;

static const Kind kinds[] = {
  { "no-room", "", "", -ENOSPC, FALSE, FALSE },
  { "no-room-512", "-o cluster_size=512,refcount_bits=64", "", -ENOSPC, FALSE, FALSE },
  { "no-room-snapshot", "-o cluster_size=8k", "qemu-img snapshot -c one disk", -ENOSPC, FALSE,
    FALSE },
  { "writes", "-o cluster_size=4k", "", -EIO, FALSE, FALSE },
  { "syncs", "-o cluster_size=4k", "", -EIO, FALSE, TRUE },
  { "all", "-o cluster_size=1k", "qemu-img snapshot -c one disk", -EIO, TRUE, TRUE },
  { "backing", "",
    "mv disk base && qemu-img create -q -f qcow2 -o cluster_size=4k -b base -F qcow2 disk", -EIO,
    TRUE, TRUE },
};

static int
try_deed (const BlockDeed *deed, BlockTest *test)
{
  guint64 offset = (guint64) deed->first * VMM_BLOCK_SECTOR;
  guint64 length = (guint64) (deed->end - deed->first) * VMM_BLOCK_SECTOR;
  g_autofree guint8 *bytes = NULL;

  switch (deed->op) {
  case VMM_BLOCK_WRITE:
    bytes = g_malloc (length);
    memset (bytes, deed->byte, length);
    return block_test_write (test, offset, bytes, length);
  case VMM_BLOCK_WRITE_ZEROES:
    return block_test_zero (test, offset, length, deed->first & 1);
  case VMM_BLOCK_DISCARD:
    return block_test_discard (test, offset, length);
  case VMM_BLOCK_FLUSH:
  case VMM_BLOCK_READ:
    break;
  }
  return block_test_flush (test);
}

/* As a machine does it: what fails is tried again when the cause is gone. A flush is not: it is
 * told to have failed, and a later one works. */
static void
do_deed (const BlockDeed *deed, BlockTest *test, const Kind *kind)
{
  int error;

  set_fault (kind->error, g_test_rand_int_range (0, 12));
  error = try_deed (deed, test);
  g_assert_true (error == 0 || error == kind->error);
  set_fault (0, 0);
  if (error < 0)
    g_assert_cmpint (try_deed (deed, test), ==, 0);
}

static void
test_faults (gconstpointer data)
{
  const Kind *kind = data;
  g_autofree BlockHistory *history = g_new0 (BlockHistory, 1);
  g_autoptr (BlockTest) test = block_test_new ();

  fault.reads = kind->reads;
  fault.syncs = kind->syncs;
  fault.n_failed = 0;
  set_fault (0, 0);
  block_history_make_image (history, test, kind->options, kind->prepare);
  for (guint round = 0; round < 3; round++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (g_test_rand_int ());

    block_test_open_with (test, &options);
    block_history_choose (history, rand);
    for (guint i = 0; i < history->n; i++)
      do_deed (&history->deeds[i], test, kind);
    g_assert_cmpint (block_test_flush (test), ==, 0);
    history->deeds[history->n - 1] = (BlockDeed) { .op = VMM_BLOCK_FLUSH };
    block_test_close (test);
    block_test_open (test); /* clusters that could not be freed are found */
    block_test_check (test);
    g_clear_pointer (&history, g_free);
    history = g_new0 (BlockHistory, 1);
  }
  g_assert_cmpuint (fault.n_failed, >, 5);
}

/* Contents: after each failed write that was tried again, the disk is as if none had failed. */
static void
test_contents (gconstpointer data)
{
  const Kind *kind = data;
  g_autofree BlockHistory *history = g_new0 (BlockHistory, 1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (g_test_rand_int ());
  g_autoptr (BlockTest) test = block_test_new ();

  fault.reads = kind->reads;
  fault.syncs = kind->syncs;
  set_fault (0, 0);
  block_history_make_image (history, test, kind->options, kind->prepare);
  block_history_choose (history, rand);
  block_test_open_with (test, &options);
  for (guint i = 0; i < history->n; i++)
    do_deed (&history->deeds[i], test, kind);
  block_history_check (history, test, history->n, history->n);
  block_test_close (test);
  block_test_open (test);
  block_history_check (history, test, history->n, history->n);
  block_test_check (test);
}

/* At the closing nobody can be asked: the image says that it was not closed in order. */
static void
test_closing (void)
{
  g_autoptr (BlockTest) test = block_test_new ();
  g_autofree char *output = NULL;

  fault.reads = FALSE;
  fault.syncs = TRUE;
  set_fault (0, 0);
  block_test_run (test, "qemu-img create -q -f qcow2 disk 1M");
  block_test_open_with (test, &options);
  block_test_fill (test, 0, 100000 / 512 * 512, 1);
  g_assert_cmpint (block_test_flush (test), ==, 0);
  block_test_fill (test, 512 * 1024, 4096, 2);
  set_fault (-EIO, 0);
  block_test_close (test);
  set_fault (0, 0);
  g_assert_cmpint (block_test_try (test, &output, "qemu-img check disk"), !=, 2);
  block_test_open (test);
  block_test_is (test, 0, 100000 / 512 * 512, 1);
  block_test_check (test);
}

/* The image grows, or stays as it was. */
static void
test_growing (void)
{
  g_autoptr (BlockTest) test = block_test_new ();
  g_autoptr (GError) error = NULL;
  guint64 size = 1 << 20;

  fault.reads = fault.syncs = TRUE;
  set_fault (0, 0);
  block_test_run (test, "qemu-img create -q -f qcow2 -o cluster_size=512 disk 1M");
  block_test_open_with (test, &options);
  block_test_fill (test, 0, 300 * 512, 1);
  for (guint i = 0; i < N_ROUNDS; i++) {
    set_fault (-EIO, i);
    if (vmm_block_resize (test->block, size + (4 << 20), &error))
      break;
    g_assert_nonnull (strstr (error->message, "cannot grow"));
    g_clear_error (&error);
    g_assert_cmpuint (vmm_block_get_size (test->block), ==, size);
    set_fault (0, 0);
    block_test_is (test, 0, 300 * 512, 1);
  }
  set_fault (0, 0);
  g_assert_true (vmm_block_resize (test->block, size + (4 << 20), &error));
  block_test_fill (test, 5 * (1 << 20) - 512, 512, 2);
  block_test_close (test);
  block_test_open (test);
  block_test_is (test, 0, 300 * 512, 1);
  block_test_is (test, 5 * (1 << 20) - 512, 512, 2);
  block_test_check (test);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autofree char *name = g_strdup_printf ("/qcow2/faults/%s", kinds[i].name);
    g_autofree char *contents = g_strdup_printf ("/qcow2/faults/%s/contents", kinds[i].name);

    g_test_add_data_func (name, &kinds[i], test_faults);
    g_test_add_data_func (contents, &kinds[i], test_contents);
  }
  g_test_add_func ("/qcow2/faults/closing", test_closing);
  g_test_add_func ("/qcow2/faults/growing", test_growing);
  return g_test_run ();
}
