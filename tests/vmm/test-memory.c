/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Guest memory: what is RAM and what is not, and what the memfd is like.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/huge-pages.h"
#include "base/vmm-memory.h"
#include "vmm-error.h"

#define MIB(n) (G_GUINT64_CONSTANT (n) << 20)
#define GIB(n) (G_GUINT64_CONSTANT (n) << 30)

static VmmMemory *
make (guint64 size)
{
  g_autoptr (GError) error = NULL;
  VmmMemory *memory = vmm_memory_new (size, &error);

  g_assert_no_error (error);
  return memory;
}

static void
test_small (void)
{
  g_autoptr (VmmMemory) memory = make (MIB (1));
  guint n;

  vmm_memory_get_regions (memory, &n);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpuint (vmm_memory_get_size (memory), ==, MIB (1));
  g_assert_nonnull (vmm_memory_at (memory, 0, MIB (1)));
  g_assert_nonnull (vmm_memory_at (memory, MIB (1), 0));
  g_assert_null (vmm_memory_at (memory, 0, MIB (1) + 1));
  g_assert_null (vmm_memory_at (memory, 1, MIB (1)));
  g_assert_null (vmm_memory_at (memory, MIB (1), 1));
  g_assert_null (vmm_memory_at (memory, G_MAXUINT64, 1));
  g_assert_null (vmm_memory_at (memory, G_MAXUINT64, 2));
  g_assert_null (vmm_memory_at (memory, 4096, G_MAXUINT64));
}

/* The hole below 4 GiB is no RAM, and no range reaches across it. */
static void
test_hole (void)
{
  g_autoptr (VmmMemory) memory = make (GIB (4));
  const VmmMemoryRegion *regions;
  guint8 *low, *high;
  guint64 offset;
  guint n;

  regions = vmm_memory_get_regions (memory, &n);
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmphex (regions[0].size, ==, VMM_MEMORY_LOW_END);
  g_assert_cmphex (regions[1].address, ==, VMM_MEMORY_HIGH);
  g_assert_cmphex (regions[0].size + regions[1].size, ==, GIB (4));

  low = vmm_memory_at (memory, VMM_MEMORY_LOW_END - 1, 1);
  high = vmm_memory_at (memory, VMM_MEMORY_HIGH, 1);
  g_assert_true (high == low + 1); /* one mapping */
  g_assert_null (vmm_memory_at (memory, VMM_MEMORY_LOW_END - 1, 2));
  g_assert_null (vmm_memory_at (memory, VMM_MEMORY_LOW_END, 1));
  g_assert_null (vmm_memory_at (memory, VMM_MEMORY_HIGH - 1, 1));
  g_assert_null (vmm_memory_at (memory, VMM_MEMORY_HIGH - 1, 2));
  g_assert_nonnull (vmm_memory_at (memory, VMM_MEMORY_HIGH, GIB (4) - VMM_MEMORY_LOW_END));
  g_assert_null (vmm_memory_at (memory, VMM_MEMORY_HIGH, GIB (4) - VMM_MEMORY_LOW_END + 1));

  g_assert_true (vmm_memory_fd_offset (memory, VMM_MEMORY_HIGH + 5, 1, &offset));
  g_assert_cmphex (offset, ==, VMM_MEMORY_LOW_END + 5);
  g_assert_false (vmm_memory_fd_offset (memory, VMM_MEMORY_LOW_END, 1, &offset));
}

static void
test_copies (void)
{
  g_autoptr (VmmMemory) memory = make (MIB (2));
  char text[8] = { 0 }, through_fd[8] = { 0 };

  g_assert_true (vmm_memory_write (memory, MIB (2) - 8, "1234567", 8));
  g_assert_true (vmm_memory_read (memory, MIB (2) - 8, text, 8));
  g_assert_cmpstr (text, ==, "1234567");
  g_assert_cmpint (pread (vmm_memory_get_fd (memory), through_fd, 8, MIB (2) - 8), ==, 8);
  g_assert_cmpstr (through_fd, ==, "1234567");
  g_assert_false (vmm_memory_write (memory, MIB (2) - 7, "abcdefg", 8));
  g_assert_true (vmm_memory_read (memory, MIB (2) - 8, text, 8));
  g_assert_cmpstr (text, ==, "1234567");
  g_assert_false (vmm_memory_read (memory, MIB (2), text, 1));
  g_assert_true (vmm_memory_read (memory, 0, NULL, 0));
}

/* Nobody can take pages away, and a core dump leaves them out. */
static void
test_file (void)
{
  g_autoptr (VmmMemory) memory = make (MIB (4));
  g_autofree char *maps = NULL, *address = NULL;
  const char *at, *flags;
  int fd = vmm_memory_get_fd (memory);

  g_assert_cmpint (ftruncate (fd, MIB (1)), <, 0);
  g_assert_cmpint (ftruncate (fd, MIB (8)), <, 0);
  g_assert_cmpint (fcntl (fd, F_GET_SEALS) & F_SEAL_SEAL, ==, F_SEAL_SEAL);
  g_assert_cmpint (fcntl (fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);

  g_assert_true (g_file_get_contents ("/proc/self/smaps", &maps, NULL, NULL));
  address = g_strdup_printf ("%lx-", (gulong) vmm_memory_at (memory, 0, 1));
  at = strstr (maps, address);
  g_assert_nonnull (at);
  flags = strstr (at, "VmFlags:");
  g_assert_nonnull (flags);
  g_assert_nonnull (g_strstr_len (flags, strcspn (flags, "\n"), " dd"));
  g_assert_cmphex ((guintptr) vmm_memory_at (memory, 0, 1) % MIB (2), ==, 0);
}

static void
test_owns (void)
{
  g_autoptr (VmmMemory) memory = make (MIB (1));
  guint8 *start = vmm_memory_at (memory, 0, 1);

  g_assert_true (vmm_memory_owns (memory, start));
  g_assert_true (vmm_memory_owns (memory, start + MIB (1) - 1));
  g_assert_false (vmm_memory_owns (memory, start - 1));
  g_assert_false (vmm_memory_owns (memory, start + MIB (1)));
  g_assert_false (vmm_memory_owns (memory, NULL));
}

/* Preparing changes nothing that can be read; discarding changes all of it. */
static void
test_prepare (void)
{
  g_autoptr (VmmMemory) memory = make (MIB (9));
  guint8 *bytes = vmm_memory_at (memory, 0, MIB (9));

  bytes[0] = 1;
  bytes[MIB (4) + 5] = 2;
  bytes[MIB (9) - 1] = 3;
  vmm_memory_prepare (memory, MIB (64));
  g_assert_true (bytes[0] == 1 && bytes[MIB (4) + 5] == 2 && bytes[MIB (9) - 1] == 3);
  g_assert_cmpuint (bytes[MIB (6)], ==, 0);
  vmm_memory_discard_all (memory);
  g_assert_true (bytes[0] == 0 && bytes[MIB (4) + 5] == 0 && bytes[MIB (9) - 1] == 0);
  bytes[0] = 4;
  g_assert_cmpuint (bytes[0], ==, 4);
}

static void
write_figure (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_true (text ? g_file_set_contents (path, text, -1, NULL) : g_remove (path) == 0);
}

static void
check_figures (const char *folder, guint64 size, const char *expected)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (vmm_huge_pages_fail (folder, size, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_NO_MEMORY);
  g_assert_nonnull (strstr (error->message, expected));
  g_assert_true (g_str_has_suffix (error->message, "."));
}

/* Needed, free, and what to set aside so that it suffices. */
static void
test_huge_figures (void)
{
  g_autofree char *folder = g_dir_make_tmp ("test-memory-XXXXXX", NULL);

  check_figures (folder, MIB (64), "has no huge pages");
  write_figure (folder, "nr_hugepages", "20\n");
  write_figure (folder, "free_hugepages", "12\n");
  write_figure (folder, "resv_hugepages", "5\n"); /* taken, though not yet touched */
  check_figures (folder, MIB (64), "needs 32 huge pages of 2 MiB, but this computer has 7 free");
  check_figures (folder, MIB (64), "vm.nr_hugepages=45”");
  write_figure (folder, "resv_hugepages", "13\n");
  check_figures (folder, MIB (64), "has 0 free");
  check_figures (folder, MIB (64), "vm.nr_hugepages=52”");
  write_figure (folder, "nr_hugepages", NULL);
  write_figure (folder, "free_hugepages", NULL);
  write_figure (folder, "resv_hugepages", NULL);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

/* More than any host has set aside. */
static void
test_huge_refused (void)
{
  static const guint64 sizes[] = { MIB (1), MIB (3), MIB (1) << 22, 0 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (vmm_memory_new_huge (sizes[i], &error));
    g_assert_error (error, VMM_ERROR, VMM_ERROR_NO_MEMORY);
  }
}

static void
fill (guint8 *bytes, gsize length)
{
  memset (bytes, 0x55, length);
}

/* How many of the bytes are zero. */
static gsize
count_zeros (const guint8 *bytes, gsize length)
{
  gsize n = 0;

  for (gsize i = 0; i < length; i++)
    n += bytes[i] == 0;
  return n;
}

/* Whole pages, and nothing around them; the host has them back. */
static void
test_discard (void)
{
  static const struct {
    gsize start, length;
    gsize first, end; /* of the pages that go */
  } ranges[] = {
    { 0, 4096, 0, 1 },        { 4096, 3 * 4096, 1, 4 },
    { 4095, 2 * 4096, 1, 2 }, { 4097, 3 * 4096 - 1, 2, 4 },
    { 4097, 4094, 0, 0 },     { 8192, 0, 0, 0 },
    { 8192, 1, 0, 0 },        { MIB (1) - 4096, 4096, 255, 256 },
    { 0, MIB (1), 0, 256 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++) {
    g_autoptr (VmmMemory) memory = make (MIB (1));
    guint8 *bytes = vmm_memory_at (memory, 0, MIB (1));
    gsize first = 4096 * ranges[i].first, length = 4096 * ranges[i].end - first;

    fill (bytes, MIB (1));
    g_assert_cmpuint (vmm_memory_get_used (memory), ==, MIB (1));
    vmm_memory_discard (memory, bytes + ranges[i].start, ranges[i].length);
    g_assert_cmpuint (vmm_memory_get_used (memory), ==, MIB (1) - length);
    g_assert_cmpuint (count_zeros (bytes + first, length), ==, length);
    g_assert_cmpuint (count_zeros (bytes, MIB (1)), ==, length);
  }
}

/* What is not all RAM stays: of the guest, and of everybody else in the process. */
static void
test_discard_outside (void)
{
  g_autoptr (VmmMemory) memory = make (MIB (1));
  guint8 *bytes = vmm_memory_at (memory, 0, MIB (1));
  guint8 *other = mmap (NULL, MIB (1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  fill (bytes, MIB (1));
  fill (other, MIB (1));
  vmm_memory_discard (memory, NULL, MIB (1));
  vmm_memory_discard (memory, other, MIB (1));
  vmm_memory_discard (memory, bytes + 4096, MIB (1));
  vmm_memory_discard (memory, bytes, MIB (1) + 1);
  vmm_memory_discard (memory, bytes + 4096, G_MAXSIZE);
  vmm_memory_discard (memory, bytes + MIB (1), 4096);
  vmm_memory_discard (memory, bytes - 4096, 8192);
  g_assert_cmpuint (count_zeros (bytes, MIB (1)) + count_zeros (other, MIB (1)), ==, 0);
  munmap (other, MIB (1));
}

static void
test_bad_sizes (void)
{
  static const guint64 sizes[] = { 0,
                                   4096,
                                   MIB (1) - 1,
                                   MIB (1) + 1,
                                   G_MAXUINT64,
                                   G_MAXUINT64 & ~G_GUINT64_CONSTANT (4095),
                                   G_GUINT64_CONSTANT (1) << 60 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (vmm_memory_new (sizes[i], &error));
    g_assert_error (error, VMM_ERROR, VMM_ERROR_NO_MEMORY);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/memory/small", test_small);
  g_test_add_func ("/memory/hole", test_hole);
  g_test_add_func ("/memory/copies", test_copies);
  g_test_add_func ("/memory/file", test_file);
  g_test_add_func ("/memory/owns", test_owns);
  g_test_add_func ("/memory/prepare", test_prepare);
  g_test_add_func ("/memory/discard", test_discard);
  g_test_add_func ("/memory/discard/outside", test_discard_outside);
  g_test_add_func ("/memory/bad-sizes", test_bad_sizes);
  g_test_add_func ("/memory/huge/figures", test_huge_figures);
  g_test_add_func ("/memory/huge/refused", test_huge_refused);
  return g_test_run ();
}
