/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qcow2 images that are refused, and those that are put right when they are opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vmm-bytes.h"
#include "block-test.h"
#include "vmm-error.h"

#define AT_INCOMPATIBLE 72
#define AT_AUTOCLEAR    88
#define DIRTY           1
#define CORRUPT         2

static const VmmBlockOptions writing = { .format = VMM_DISK_QCOW2, .discard = TRUE };
static const VmmBlockOptions reading = { .format = VMM_DISK_QCOW2, .readonly = TRUE };

static BlockTest *
made (const char *options)
{
  BlockTest *test = block_test_new ();

  block_test_run (test, "qemu-img create -q -f qcow2 %s disk 1M", options);
  block_test_run (test, "qemu-io -f qcow2 -c 'write -q -P 1 0 256k' disk");
  return test;
}

static void
patch (BlockTest *test, gsize at, const void *bytes, gsize length)
{
  int fd = open (test->path, O_RDWR | O_CLOEXEC);

  g_assert_cmpint (pwrite (fd, bytes, length, at), ==, length);
  close (fd);
}

static void
patch_u32 (BlockTest *test, gsize at, guint32 number)
{
  guint8 bytes[4];

  vmm_put_be32 (bytes, number);
  patch (test, at, bytes, sizeof bytes);
}

static void
patch_u64 (BlockTest *test, gsize at, guint64 number)
{
  guint8 bytes[8];

  vmm_put_be64 (bytes, number);
  patch (test, at, bytes, sizeof bytes);
}

static guint64
peek (BlockTest *test, gsize at)
{
  guint8 bytes[8];
  int fd = open (test->path, O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (pread (fd, bytes, sizeof bytes, at), ==, sizeof bytes);
  close (fd);
  return vmm_get_be64 (bytes);
}

/* One number of the header is wrong. */
static void
test_header (void)
{
  static const struct {
    gsize at;
    guint size;
    guint64 number;
    const char *word;
  } cases[] = {
    { 0, 4, 0x51464900, "no qcow2 image" },
    { 4, 4, 1, "no qcow2 image" },
    { 4, 4, 4, "no qcow2 image" },
    { 20, 4, 8, "no qcow2 image" },
    { 20, 4, 22, "no qcow2 image" },
    { 24, 8, 0, "size" },
    { 24, 8, 1000, "size" },
    { 24, 8, G_GUINT64_CONSTANT (1) << 63, "size" },
    { 24, 8, G_GUINT64_CONSTANT (1) << 40, "L1 table" },
    { 32, 4, 1, "encrypted" },
    { 32, 4, 2, "encrypted" },
    { 36, 4, 0, "L1 table" },
    { 36, 4, G_MAXUINT32, "L1 table" },
    { 40, 8, 1, "L1 table" },
    { 40, 8, 0, "L1 table" },
    { 40, 8, G_MAXUINT64 - 65535, "L1 table" },
    { 48, 8, 100, "reference counts" },
    { 48, 8, G_GUINT64_CONSTANT (1) << 60, "reference counts" },
    { 56, 4, 0, "reference counts" },
    { 56, 4, G_MAXUINT32, "reference counts" },
    { 60, 4, 65537, "snapshots" },
    { 60, 4, 3, "snapshots" },
    { AT_INCOMPATIBLE, 8, CORRUPT, "qemu-img check -r all" },
    { AT_INCOMPATIBLE, 8, 4, "second file" },
    { AT_INCOMPATIBLE, 8, 8, "contradicts" },
    { AT_INCOMPATIBLE, 8, 16, "subclusters" },
    { AT_INCOMPATIBLE, 8, 32, "newer program" },
    { AT_INCOMPATIBLE, 8, G_GUINT64_CONSTANT (1) << 63, "newer program" },
    { 96, 4, 7, "reference counts" },
    { 100, 4, 100, "length of its header" },
    { 100, 4, G_MAXUINT32, "length of its header" },
    { 8, 8, 70000, "backing file" },
    { 8, 8, 1000, "backing file" },
    { 116, 4, G_MAXUINT32, "extension" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (BlockTest) test = made ("");

    if (cases[i].size == 4)
      patch_u32 (test, cases[i].at, cases[i].number);
    else
      patch_u64 (test, cases[i].at, cases[i].number);
    block_test_refused (test, &writing, cases[i].word);
  }
}

/* What QEMU makes and we do not know. */
static void
test_features (void)
{
  static const struct {
    const char *options, *word;
  } cases[] = {
    { "-o extended_l2=on", "subclusters" },
    { "-o data_file=data", "second file" },
    { "--object secret,id=s,data=x -o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=1",
      "encrypted" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (BlockTest) test = block_test_new ();

    block_test_run (test, "qemu-img create -q -f qcow2 %s disk 1M", cases[i].options);
    block_test_refused (test, &writing, cases[i].word);
    block_test_refused (test, &reading, cases[i].word);
  }
}

/* An image that is marked as damaged can be looked at. */
static void
test_corrupt_readonly (void)
{
  g_autoptr (BlockTest) test = made ("");

  patch_u64 (test, AT_INCOMPATIBLE, CORRUPT);
  block_test_open_with (test, &reading);
  block_test_is (test, 0, 4096, 1);
}

/* Formats are what was said, else what the first bytes say. */
static void
test_formats (void)
{
  g_autoptr (BlockTest) test = made ("");
  VmmBlockOptions options = { .format = VMM_DISK_RAW };
  guint8 magic[4];

  block_test_open (test);
  g_assert_cmpstr (vmm_block_get_format (test->block), ==, "qcow2");
  block_test_close (test);
  block_test_open_with (test, &options);
  g_assert_cmpstr (vmm_block_get_format (test->block), ==, "raw");
  block_test_close (test);
  block_test_run (test, "truncate -s 1M raw && mv raw disk");
  block_test_refused (test, &writing, "no qcow2 image");
  patch (test, 0, "QFI\xfb", 4); /* no more than this makes no image */
  block_test_open (test);
  g_assert_cmpstr (vmm_block_get_format (test->block), ==, "raw");
  g_assert_cmpint (block_test_read (test, 0, magic, 0), ==, 0);
}

/* Closed in no order by QEMU, and by QEMU with counts that it never wrote. */
static void
test_dirty (void)
{
  static const char *const options[] = { "", "-o compat=0.10", "-o lazy_refcounts=on",
                                         "-o lazy_refcounts=on,cluster_size=512" };

  for (guint i = 0; i < G_N_ELEMENTS (options); i++) {
    g_autoptr (BlockTest) test = made (options[i]);
    g_autofree char *output = NULL;

    block_test_try (test, &output,
                    "ulimit -c 0; qemu-io -f qcow2 -c 'write -q -P 2 300k 300k' -c flush "
                    "-c 'write -q -P 3 700k 200k' -c abort disk");
    block_test_open_with (test, &reading);
    block_test_is (test, 0, 256 * 1024, 1);
    block_test_close (test);
    block_test_open (test);
    block_test_is (test, 0, 256 * 1024, 1);
    block_test_is (test, 300 * 1024, 300 * 1024, 2);
    block_test_fill (test, 800 * 1024, 100 * 1024, 4);
    block_test_check (test);
    if (i != 1)
      g_assert_cmphex (peek (test, AT_INCOMPATIBLE) & DIRTY, ==, 0);
  }
}

/* Clusters that nothing refers to any more: an L2 entry is gone. */
static void
test_leaks (void)
{
  g_autoptr (BlockTest) test = made ("");
  guint64 l1 = peek (test, 40), l2 = peek (test, l1) & G_GUINT64_CONSTANT (0xfffffffffffe00);

  patch_u64 (test, l2, 0);
  patch_u64 (test, AT_INCOMPATIBLE, DIRTY);
  block_test_open (test);
  block_test_is (test, 0, 65536, 0);
  block_test_is (test, 65536, 65536, 1);
  block_test_check (test);
}

/* Where tables lie over each other nothing is written. */
static void
test_overlap (void)
{
  g_autoptr (BlockTest) test = made ("");
  guint64 l1 = peek (test, 40), l2 = peek (test, l1) & G_GUINT64_CONSTANT (0xfffffffffffe00);
  guint64 counts = peek (test, 48);
  guint8 bytes[512] = { 0 };

  /* A cluster of the guest is the table of counts: seen when it is first used. */
  patch_u64 (test, l2, counts | G_GUINT64_CONSTANT (1) << 63);
  block_test_open (test);
  g_assert_cmpint (block_test_write (test, 0, bytes, sizeof bytes), ==, -EUCLEAN);
  g_assert_cmpint (block_test_write (test, 512 * 1024, bytes, sizeof bytes), ==, -EUCLEAN);
  g_assert_cmpint (block_test_discard (test, 65536, 65536), ==, -EUCLEAN);
  g_assert_cmpint (block_test_flush (test), ==, 0);
  block_test_close (test);
  g_assert_cmphex (peek (test, AT_INCOMPATIBLE) & CORRUPT, ==, CORRUPT);
  block_test_refused (test, &writing, "qemu-img check -r all");

  /* An L2 table is the header. */
  patch_u64 (test, AT_INCOMPATIBLE, 0);
  patch_u64 (test, l1, G_GUINT64_CONSTANT (1) << 63 | counts);
  block_test_refused (test, &writing, "damaged");
}

/* Entries that make no sense are an error of what they stand for, and of nothing else. */
static void
test_crooked_entry (void)
{
  g_autoptr (BlockTest) test = made ("");
  guint64 l1 = peek (test, 40), l2 = peek (test, l1) & G_GUINT64_CONSTANT (0xfffffffffffe00);
  guint8 bytes[512];

  patch_u64 (test, l2 + 8, G_GUINT64_CONSTANT (1) << 63 | 0x12200);
  block_test_open_with (test, &reading);
  g_assert_cmpint (block_test_read (test, 65536, bytes, sizeof bytes), ==, -EUCLEAN);
  block_test_is (test, 0, 65536, 1);
  block_test_close (test);
  patch_u64 (test, l2 + 8, G_GUINT64_CONSTANT (1) << 62 | 0x3fffff0000); /* packed, in nothing */
  block_test_open_with (test, &reading);
  g_assert_cmpint (block_test_read (test, 65536, bytes, sizeof bytes), ==, -EUCLEAN);
  block_test_is (test, 131072, 65536, 1);
}

/* Bitmaps do not outlive what we write. */
static void
test_bitmaps (void)
{
  g_autoptr (BlockTest) test = made ("");
  g_autofree char *output = NULL;

  block_test_run (test, "qemu-img bitmap --add disk one && qemu-img bitmap --add disk two && "
                        "qemu-img rebase -u -f qcow2 -F raw -b base disk && truncate -s 1M base");
  g_assert_cmphex (peek (test, AT_AUTOCLEAR), ==, 1);
  block_test_open_with (test, &reading);
  block_test_close (test);
  g_assert_cmphex (peek (test, AT_AUTOCLEAR), ==, 1);
  block_test_open (test);
  block_test_fill (test, 512 * 1024, 4096, 5);
  block_test_check (test);
  g_assert_cmphex (peek (test, AT_AUTOCLEAR), ==, 0);
  block_test_try (test, &output, "qemu-img info -f qcow2 disk");
  g_assert_null (strstr (output, "bitmaps"));
  g_assert_nonnull (strstr (output, "backing file format: raw"));
}

static void
test_backing_refused (void)
{
  g_autoptr (BlockTest) test = made ("");
  g_autofree char *output = NULL;

  block_test_run (test, "mv disk base && qemu-img create -q -f qcow2 -b base -F qcow2 disk");
  block_test_run (test, "qemu-img rebase -u -F vmdk -b base disk");
  block_test_refused (test, &writing, "format that is not supported");
  block_test_run (test, "qemu-img rebase -u -F raw -b nbd://localhost/ disk");
  block_test_refused (test, &writing, "no file");
  block_test_run (test, "qemu-img rebase -u -F raw -b 'json:{\"driver\":\"null-co\"}' disk");
  block_test_refused (test, &writing, "no file");
  block_test_run (test, "qemu-img rebase -u -F qcow2 -b missing disk");
  block_test_refused (test, &writing, "missing");
  block_test_run (test, "qemu-img rebase -u -F qcow2 -b disk disk");
  block_test_refused (test, &writing, "based on itself");
  block_test_run (test, "qemu-img rebase -u -F qcow2 -b disk base && "
                        "qemu-img rebase -u -F qcow2 -b base disk");
  block_test_refused (test, &writing, "based on itself");
  /* No format: what is surely raw is taken, what looks like qcow2 could be either. */
  block_test_run (test, "qemu-img create -q -f qcow2 old 1M && "
                        "qemu-img create -q -f qcow2 -o compat=0.10 -u -F raw -b old disk 1M");
  patch_u32 (test, 72, 0x12345678); /* the extension with the format */
  block_test_refused (test, &writing, "qemu-img rebase");
  block_test_run (test, "truncate -s 0 old && truncate -s 1M old");
  block_test_open (test);
}

/* A chain has an end. */
static void
test_long_chain (void)
{
  g_autoptr (BlockTest) test = made ("-o cluster_size=512");

  block_test_run (test, "mv disk 0; i=0; while [ $i -lt 70 ]; do n=$((i + 1)); "
                        "qemu-img create -q -u -f qcow2 -o cluster_size=512 -b $i -F qcow2 $n 1M; "
                        "i=$n; done; ln 60 disk");
  block_test_open (test);
  block_test_is (test, 0, 4096, 1);
  block_test_close (test);
  block_test_run (test, "ln -f 70 disk");
  block_test_refused (test, &writing, "too long");
}

/* QEMU's tool, which holds the image until it is told to go. */
static GPid
start_qemu_io (BlockTest *test, int *in)
{
  const char *argv[] = { "qemu-io", "-f", "qcow2", test->path, NULL };
  g_autoptr (GError) error = NULL;
  char byte = 0;
  GPid pid;
  int out;

  g_spawn_async_with_pipes (NULL, (char **) argv, NULL,
                            G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, in,
                            &out, NULL, &error);
  g_assert_no_error (error);
  while (byte != '>') /* its prompt: the image is open */
    g_assert_cmpint (read (out, &byte, 1), ==, 1);
  close (out);
  return pid;
}

/* Who has an image open, QEMU or we, has it alone; what lies below it others may read. */
static void
test_locks (void)
{
  g_autoptr (BlockTest) test = made ("");
  g_autoptr (GError) error = NULL;
  g_autofree char *first = NULL, *second = NULL;
  GPid pid;
  int in;

  block_test_run (test, "mv disk base && qemu-img create -q -f qcow2 -b base -F qcow2 disk");
  block_test_open (test);
  g_assert_cmpint (block_test_try (test, &first, "qemu-io -f qcow2 -c quit disk"), !=, 0);
  g_assert_nonnull (strstr (first, "lock"));
  g_assert_cmpint (block_test_try (test, &second, "qemu-io -f qcow2 -c quit base"), !=, 0);
  g_assert_nonnull (strstr (second, "lock"));
  block_test_run (test, "qemu-io -r -f qcow2 -c 'read -q -P 1 0 64k' base");
  block_test_close (test);

  pid = start_qemu_io (test, &in);
  test->block = vmm_block_open (test->path, &writing, test->loop, &error);
  g_assert_null (test->block);
  g_assert_error (error, VMM_ERROR, VMM_ERROR_DISK_BUSY);
  close (in);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  block_test_open (test);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/qcow2/open/header", test_header);
  g_test_add_func ("/qcow2/open/features", test_features);
  g_test_add_func ("/qcow2/open/corrupt-readonly", test_corrupt_readonly);
  g_test_add_func ("/qcow2/open/formats", test_formats);
  g_test_add_func ("/qcow2/open/dirty", test_dirty);
  g_test_add_func ("/qcow2/open/leaks", test_leaks);
  g_test_add_func ("/qcow2/open/overlap", test_overlap);
  g_test_add_func ("/qcow2/open/crooked-entry", test_crooked_entry);
  g_test_add_func ("/qcow2/open/bitmaps", test_bitmaps);
  g_test_add_func ("/qcow2/open/backing-refused", test_backing_refused);
  g_test_add_func ("/qcow2/open/long-chain", test_long_chain);
  g_test_add_func ("/qcow2/open/locks", test_locks);
  return g_test_run ();
}
