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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    g_autofree char *name = g_strdup_printf ("/qcow2/shape/%s", shapes[i].name);

    g_test_add_data_func (name, shapes[i].options, test_shape);
  }
  return g_test_run ();
}
