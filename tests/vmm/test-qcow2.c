/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qcow2 images made by QEMU's tools: all shapes of them are read as QEMU wrote them, and QEMU reads
 * and checks what we wrote.
 */
#include <errno.h>
#include <string.h>

#include "block-test.h"
#include "vmm-error.h"

#define MIB (1024u * 1024)

/* How an image is made: options of qemu-img create. */
static const struct {
  const char *name, *options;
} shapes[] = {
  { "plain", "" },
  { "v2", "-o compat=0.10" },
  { "lazy", "-o lazy_refcounts=on" },
  { "cluster-512", "-o cluster_size=512" },
  { "cluster-1k", "-o cluster_size=1k" },
  { "cluster-4k", "-o cluster_size=4k" },
  { "cluster-2M", "-o cluster_size=2M" },
  { "refcount-1", "-o refcount_bits=1" },
  { "refcount-2", "-o refcount_bits=2" },
  { "refcount-4", "-o refcount_bits=4" },
  { "refcount-8", "-o refcount_bits=8" },
  { "refcount-32", "-o refcount_bits=32" },
  { "refcount-64", "-o refcount_bits=64" },
  { "refcount-64-512", "-o refcount_bits=64,cluster_size=512" },
  { "metadata", "-o preallocation=metadata" },
  { "falloc", "-o preallocation=falloc" },
};

static BlockTest *
made (const char *options, guint mib)
{
  BlockTest *test = block_test_new ();

  block_test_run (test, "qemu-img create -q -f qcow2 %s disk %uM", options, mib);
  return test;
}

/* Every shape: written by QEMU and read by us, written by us and read by QEMU. */
static void
test_shape (gconstpointer options)
{
  g_autoptr (BlockTest) test = made (options, 8);

  block_test_run (test, "qemu-io -f qcow2 -c 'write -q -P 1 0 1M' -c 'write -q -P 2 1500k 5k' "
                        "-c 'write -q -P 3 7M 1M' -c 'write -q -z 512k 64k' disk");
  block_test_open (test);
  g_assert_cmpstr (vmm_block_get_format (test->block), ==, "qcow2");
  g_assert_cmpuint (vmm_block_get_size (test->block), ==, 8 * MIB);
  block_test_is (test, 0, MIB / 2, 1);
  block_test_is (test, MIB / 2, 65536, 0);
  block_test_is (test, MIB / 2 + 65536, MIB / 2 - 65536, 1);
  block_test_is (test, MIB, 476 * 1024, 0);
  block_test_is (test, 1500 * 1024, 5 * 1024, 2);
  block_test_is (test, 1505 * 1024, 5 * 1024, 0);
  block_test_is (test, 7 * MIB, MIB, 3);

  block_test_fill (test, 5 * MIB - 1024, 2048 + 512, 9);
  block_test_fill (test, 512 * 1024 + 512, 512, 8);
  block_test_is (test, 5 * MIB - 1024, 2560, 9);
  block_test_is (test, 512 * 1024, 512, 0);
  block_test_is (test, 512 * 1024 + 512, 512, 8);
  g_assert_cmpint (block_test_flush (test), ==, 0);
  g_assert_cmpint (block_test_zero (test, 64 * 1024, 96 * 1024 + 512, TRUE), ==, 0);
  g_assert_cmpint (block_test_discard (test, 7 * MIB, 300 * 1024), ==, 0);
  block_test_is (test, 64 * 1024, 96 * 1024 + 512, 0);
  block_test_check (test);

  block_test_run (test,
                  "qemu-io -f qcow2 -c 'read -q -P 9 5242368 2048' -c 'read -q -P 8 524800 512' "
                  "-c 'read -q -P 0 64k 98816' -c 'read -q -P 1 164352 1k' "
                  "-c 'read -q -P 3 7475k 100k' -c 'read -q -P 1 0 64k' disk");
  block_test_open (test);
  block_test_is (test, 0, 65536, 1);
  block_test_is (test, 5 * MIB - 1024, 2560, 9);
  block_test_check (test);
}

static void
grow (BlockTest *test, guint64 size)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (vmm_block_resize (test->block, size, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (vmm_block_get_size (test->block), ==, size);
}

static void
not_grow (BlockTest *test, guint64 size, const char *word)
{
  g_autoptr (GError) error = NULL;
  guint64 before = vmm_block_get_size (test->block);

  g_assert_false (vmm_block_resize (test->block, size, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_DISK);
  g_assert_nonnull (strstr (error->message, word));
  g_assert_cmpuint (vmm_block_get_size (test->block), ==, before);
}

/* In every shape, far beyond its first tables, with requests under way. */
static void
test_grows (gconstpointer options)
{
  const guint64 big = G_GUINT64_CONSTANT (9) << 30;
  g_autoptr (BlockTest) test = made (options, 1);
  g_autofree guint8 *bytes = g_malloc0 (MIB);
  BlockJob jobs[8] = { 0 };

  block_test_open (test);
  memset (bytes, 5, MIB);
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++) {
    jobs[i].request.op = VMM_BLOCK_WRITE;
    jobs[i].request.offset = i * MIB / 8;
    jobs[i].request.length = MIB / 8;
    jobs[i].request.n_iov = 1;
    jobs[i].iov[0] = (struct iovec) { bytes, MIB / 8 };
    block_job_start (test, &jobs[i]);
  }
  grow (test, MIB + 512);
  grow (test, strstr (options, "512") ? 40 * MIB : big);
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++)
    g_assert_cmpint (block_job_wait (&jobs[i]), ==, 0);
  block_test_is (test, 0, MIB, 5);
  block_test_is (test, MIB, MIB, 0);
  block_test_fill (test, vmm_block_get_size (test->block) - 1024, 1024, 6);
  not_grow (test, MIB, "only grow");
  not_grow (test, G_MAXINT64 - 511, "no room");
  block_test_check (test);
  block_test_open (test);
  block_test_is (test, 0, MIB, 5);
  block_test_is (test, vmm_block_get_size (test->block) - 1024, 1024, 6);
  block_test_check (test);
}

/* What the disk did not show before is zero: not the backing's bytes. */
static void
test_grows_over_backing (void)
{
  g_autoptr (BlockTest) test = block_test_new ();

  block_test_run (test, "qemu-img create -q -f raw base 4M && "
                        "qemu-io -f raw -c 'write -q -P 1 0 4M' base && "
                        "qemu-img create -q -f qcow2 -b base -F raw disk 1000448");
  block_test_open (test);
  block_test_fill (test, 1000448 - 512, 512, 2); /* its cluster is copied, whole */
  grow (test, 3 * MIB);
  block_test_is (test, 0, 1000448 - 512, 1);
  block_test_is (test, 1000448 - 512, 512, 2);
  block_test_is (test, 1000448, 3 * MIB - 1000448, 0);
  grow (test, 8 * MIB);
  block_test_is (test, 1000448, 8 * MIB - 1000448, 0);
  block_test_check (test);
}

/* A snapshot keeps its size, where the image can say so. */
static void
test_grows_with_snapshots (void)
{
  g_autoptr (BlockTest) old = made ("-o compat=0.10", 1), new = made ("", 1);
  VmmBlockOptions readonly = { .readonly = TRUE };

  block_test_run (old, "qemu-img snapshot -c one disk");
  block_test_open (old);
  not_grow (old, 2 * MIB, "snapshots");
  block_test_close (old);
  block_test_open_with (old, &readonly);
  not_grow (old, 2 * MIB, "read-only");

  block_test_run (new, "qemu-io -f qcow2 -c 'write -q -P 1 0 1M' disk && "
                       "qemu-img snapshot -c one disk");
  block_test_open (new);
  grow (new, 600 * MIB);
  block_test_fill (new, 0, 1000 * 512, 2);
  block_test_check (new);
  block_test_run (new, "qemu-img snapshot -a one disk && qemu-img check -q disk && "
                       "qemu-io -r -f qcow2 -c 'read -q -P 1 0 1M' disk");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/qcow2/grows/over-backing", test_grows_over_backing);
  g_test_add_func ("/qcow2/grows/with-snapshots", test_grows_with_snapshots);
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    g_autofree char *name = g_strdup_printf ("/qcow2/shape/%s", shapes[i].name);

    g_autofree char *grows = g_strdup_printf ("/qcow2/grows/%s", shapes[i].name);

    g_test_add_data_func (name, shapes[i].options, test_shape);
    g_test_add_data_func (grows, shapes[i].options, test_grows);
  }
  return g_test_run ();
}
