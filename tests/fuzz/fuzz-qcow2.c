/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qcow2 images from hostile hands. First how many requests and what they are, then the image; its
 * backing file, if it names one, can be "100", a small raw disk.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "block-test.h"
#include "fake-devices.h"

#define MAX_DEEDS    31
#define MAX_LENGTH   (64u * VMM_BLOCK_SECTOR)
#define BACKING_FD   100
#define BACKING_SIZE 5120
#define MAX_GROWTH   (1u << 20)

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

typedef struct {
  guint8 op;
  guint8 length;
  guint16 where;
} Deed;

static guint8 *
get_bytes (void)
{
  static guint8 bytes[MAX_LENGTH];

  return bytes;
}

/* Near the beginning or near the end of the disk. */
static guint64
get_offset (BlockTest *test, const Deed *deed, gsize length)
{
  guint64 size = vmm_block_get_size (test->block);
  guint64 offset = (guint64) deed->where * VMM_BLOCK_SECTOR % size;

  if (deed->op & 0x80)
    offset = size - VMM_BLOCK_SECTOR - offset;
  return MIN (offset, size - MIN (size, length));
}

static void
do_deed (BlockTest *test, const Deed *deed)
{
  gsize length = (deed->length % 64 + 1) * VMM_BLOCK_SECTOR;
  guint64 size = vmm_block_get_size (test->block), offset;

  length = MIN (length, size);
  offset = get_offset (test, deed, length);
  switch (deed->op % 8) {
  case 0:
  case 1:
    block_test_read (test, offset, get_bytes (), length);
    break;
  case 2:
  case 3:
    block_test_write (test, offset, get_bytes (), length);
    break;
  case 4:
    block_test_zero (test, offset, length, deed->length & 0x80);
    break;
  case 5:
    block_test_discard (test, offset, length);
    break;
  case 6:
    block_test_flush (test);
    break;
  case 7:
    vmm_block_resize (test->block, size + deed->where * VMM_BLOCK_SECTOR, NULL);
    break;
  }
}

static int
make_file (const guint8 *bytes, gsize size)
{
  int fd = memfd_create ("disk", MFD_CLOEXEC);

  g_assert_cmpint (write (fd, bytes, size), ==, size);
  return fd;
}

static void
run (const Deed *deeds, guint n, gboolean readonly, int fd)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  VmmBlockOptions options = {
    .format = VMM_DISK_QCOW2, .readonly = readonly, .discard = TRUE, .engine = &vmm_block_threads
  };
  static VmmLoop *loop;
  BlockTest test = { .path = path };

  if (!loop)
    loop = vmm_loop_new ("loop", NULL);
  test.loop = loop;
  test.block = vmm_block_open (path, &options, loop, NULL);
  for (guint i = 0; i < n && test.block; i++)
    do_deed (&test, &deeds[i]);
  block_test_close (&test);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  FuzzReader reader = { data, size };
  guint8 head = fuzz_reader_u8 (&reader);
  Deed deeds[MAX_DEEDS];
  guint8 backing[BACKING_SIZE];
  int fd, backing_fd;

  for (guint i = 0; i < head % 32; i++) {
    deeds[i].op = fuzz_reader_u8 (&reader);
    deeds[i].length = fuzz_reader_u8 (&reader);
    deeds[i].where = fuzz_reader_u16 (&reader);
  }
  memset (backing, 7, sizeof backing);
  backing_fd = make_file (backing, sizeof backing);
  dup2 (backing_fd, BACKING_FD);
  fd = make_file (reader.at, reader.left);
  run (deeds, head % 32, head & 0x20, fd);
  close (fd);
  close (backing_fd);
  close (BACKING_FD);
  return 0;
}
