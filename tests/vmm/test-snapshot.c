/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmSnapshot and what it is made of: memory as a stream, the kernel's structs as fields, and a
 * folder that is whole or not there. (That a machine goes on from one is proven in the box.)
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvm/saved-fields.h"
#include "kvm/vcpu-private.h"
#include "vmm-error.h"
#include "vmm-snapshot.h"

#define MIB         (G_GUINT64_CONSTANT (1) << 20)
#define PAGE        4096
#define SIZE        (8 * MIB)
#define HEADER      56
#define RECORD      16
#define N_TOUCHED   4
#define STREAM_SIZE (HEADER + N_TOUCHED * PAGE + 4 * RECORD)

static const guint8 id[VMM_STREAM_ID_LENGTH] = "fifteen letters";

/* Pages that are not zero: two neighbours, one alone, the last one. */
static const guint64 touched[N_TOUCHED] = { 3 * PAGE, 4 * PAGE, 100 * PAGE, SIZE - PAGE };

typedef struct {
  char *folder;
  char *path; /* of what is saved, in @folder */
  VmmMemory *memory, *other;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->folder = g_dir_make_tmp ("snapshot-XXXXXX", NULL);
  f->path = g_build_filename (f->folder, "saved", NULL);
  f->memory = vmm_memory_new (SIZE, NULL);
  f->other = vmm_memory_new (SIZE, NULL);
  for (guint i = 0; i < N_TOUCHED; i++)
    memset (vmm_memory_at (f->memory, touched[i], PAGE), 'a' + i, PAGE);
  /* Written, and zero again. */
  memset (vmm_memory_at (f->memory, 50 * PAGE, PAGE), 0, PAGE);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autofree char *state = g_build_filename (f->path, "state", NULL);
  g_autofree char *memory = g_build_filename (f->path, "memory", NULL);

  g_unlink (state);
  g_unlink (memory);
  g_rmdir (f->path);
  g_assert_cmpint (g_rmdir (f->folder), ==, 0); /* nothing else was left there */
  g_free (f->folder);
  g_free (f->path);
  vmm_memory_free (f->memory);
  vmm_memory_free (f->other);
}

static guint64
pages_of (VmmMemory *memory)
{
  struct stat info;

  g_assert_cmpint (fstat (vmm_memory_get_fd (memory), &info), ==, 0);
  return info.st_blocks * 512 / PAGE;
}

static GBytes *
write_stream (VmmMemory *memory)
{
  g_autofree char *name = NULL;
  int fd = g_file_open_tmp ("stream-XXXXXX", &name, NULL);
  char *bytes;
  gsize size;

  g_assert_true (vmm_memory_stream_write (memory, fd, id, NULL, NULL));
  g_assert_true (g_file_get_contents (name, &bytes, &size, NULL));
  close (fd);
  g_unlink (name);
  return g_bytes_new_take (bytes, size);
}

static gboolean
read_stream (VmmMemory *memory, const guint8 *bytes, gsize size, GError **error)
{
  int fd = memfd_create ("stream", MFD_CLOEXEC);
  gboolean ok;

  g_assert_cmpint (write (fd, bytes, size), ==, size);
  lseek (fd, 0, SEEK_SET);
  ok = vmm_memory_stream_read (memory, fd, id, NULL, error);
  close (fd);
  return ok;
}

static void
assert_same (Fixture *f)
{
  g_assert_cmpmem (vmm_memory_at (f->memory, 0, SIZE), SIZE, vmm_memory_at (f->other, 0, SIZE),
                   SIZE);
}

/* Only what is not zero is in the stream, and neither side gets pages by it. */
static void
test_memory (Fixture *f, gconstpointer data)
{
  guint64 before = pages_of (f->memory);
  g_autoptr (GBytes) stream = write_stream (f->memory);

  g_assert_cmpuint (g_bytes_get_size (stream), ==, STREAM_SIZE);
  g_assert_cmpuint (pages_of (f->memory), ==, before);
  g_assert_true (read_stream (f->other, g_bytes_get_data (stream, NULL), STREAM_SIZE, NULL));
  g_assert_cmpuint (pages_of (f->other), ==, N_TOUCHED);
  assert_same (f);
}

/* More than fits into a record, and nothing at all. */
static void
test_memory_sizes (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) full = NULL, empty = write_stream (f->other);

  memset (vmm_memory_at (f->memory, 0, SIZE), 'x', SIZE);
  full = write_stream (f->memory);
  g_assert_cmpuint (g_bytes_get_size (full), >, SIZE);
  g_assert_cmpuint (g_bytes_get_size (full), <, SIZE + PAGE);
  g_assert_true (
    read_stream (f->other, g_bytes_get_data (full, NULL), g_bytes_get_size (full), NULL));
  assert_same (f);
  g_assert_cmpuint (g_bytes_get_size (empty), ==, HEADER + RECORD);
}

static void
check_broken (Fixture *f, const guint8 *bytes, gsize size)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (read_stream (f->other, bytes, size, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT);
}

/* Cut anywhere, and with each bit of its frame turned. */
static void
test_memory_broken (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) stream = write_stream (f->memory);
  gsize size;
  const guint8 *bytes = g_bytes_get_data (stream, &size);
  g_autofree guint8 *copy = g_memdup2 (bytes, size);

  for (gsize length = 0; length < size; length += length < HEADER + RECORD ? 1 : 61)
    check_broken (f, bytes, length);
  check_broken (f, bytes, size - 1);
  for (guint bit = 0; bit < (HEADER + RECORD) * 8; bit++) {
    g_autoptr (GError) error = NULL;

    copy[bit / 8] ^= 1 << bit % 8;
    /* An offset that is another page's is as good as any. */
    if (bit / 8 < HEADER || bit / 8 >= HEADER + 8)
      check_broken (f, copy, size);
    else
      read_stream (f->other, copy, size, &error);
    copy[bit / 8] ^= 1 << bit % 8;
  }
}

static gboolean
note_progress (gpointer data, guint64 done, guint64 total)
{
  guint64 *last = data;

  g_assert_cmpuint (done, >=, *last);
  g_assert_cmpuint (done, <=, total);
  *last = done;
  return TRUE;
}

static gboolean
cancel (gpointer data, guint64 done, guint64 total)
{
  return done <= 4 * PAGE;
}

static VmmState *
some_state (void)
{
  VmmState *state = vmm_state_new ();

  vmm_state_save_bytes (state, "words", "hello", 5);
  return state;
}

static void
check_mode (const char *folder, const char *name, guint mode)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  struct stat info;

  g_assert_cmpint (g_stat (path, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 07777, ==, mode);
}

static void
test_folder (Fixture *f, gconstpointer data)
{
  g_autoptr (VmmState) state = some_state (), found = NULL;
  g_autoptr (GError) error = NULL;
  guint64 done = 0;
  VmmProgress progress = { note_progress, &done };
  static const guint8 another[VMM_STREAM_ID_LENGTH];

  g_assert_true (vmm_snapshot_write (f->path, id, state, f->memory, &progress, &error));
  g_assert_cmpuint (done, ==, SIZE);
  check_mode (f->folder, "saved", 0700);
  check_mode (f->path, "state", 0600);
  check_mode (f->path, "memory", 0600);

  found = vmm_snapshot_read_state (f->path, &error);
  g_assert_no_error (error);
  g_assert_true (vmm_state_load_bytes (found, "words", (char[5]) { 0 }, 5, NULL));
  g_assert_false (vmm_snapshot_read_memory (f->path, another, f->other, NULL, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT);
  g_assert_true (vmm_snapshot_read_memory (f->path, id, f->other, NULL, NULL));
  assert_same (f);

  /* Never over another one. */
  g_clear_error (&error);
  g_assert_false (vmm_snapshot_write (f->path, id, state, f->memory, NULL, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_IO);
}

/* Nothing is left behind: see tear_down. */
static void
test_folder_undone (Fixture *f, gconstpointer data)
{
  g_autoptr (VmmState) state = some_state ();
  g_autoptr (GError) error = NULL;
  VmmProgress progress = { cancel, NULL };
  struct rlimit old, limit;

  g_assert_false (vmm_snapshot_write (f->path, id, state, f->memory, &progress, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_CANCELLED);
  g_clear_error (&error);

  /* As a file system that is full. */
  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &old);
  limit = old;
  limit.rlim_cur = 2 * PAGE;
  setrlimit (RLIMIT_FSIZE, &limit);
  g_assert_false (vmm_snapshot_write (f->path, id, state, f->memory, NULL, &error));
  setrlimit (RLIMIT_FSIZE, &old);
  g_assert_error (error, VMM_ERROR, VMM_ERROR_IO);
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
}

static void
check_unreadable (const char *path)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (vmm_snapshot_read_state (path, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT);
}

static void
test_folder_broken (Fixture *f, gconstpointer data)
{
  g_autofree char *state = g_build_filename (f->path, "state", NULL);

  check_unreadable (f->path);
  g_mkdir (f->path, 0700);
  check_unreadable (f->path);
  g_assert_true (g_file_set_contents (state, "", 0, NULL));
  check_unreadable (f->path);
  g_assert_true (g_file_set_contents (state, "VMMSTATEx", 9, NULL));
  check_unreadable (f->path);
  g_unlink (state);
  g_mkdir (state, 0700);
  check_unreadable (f->path);
  g_rmdir (state);
  mkfifo (state, 0600);
  check_unreadable (f->path);
}

static void
mark (guint8 *marks, const VmmField *fields, gsize offset)
{
  for (const VmmField *field = fields; field->type != VMM_FIELD_END; field++)
    for (gsize at = 0; at < field->length; at += field->nested ? field->stride : field->length) {
      if (field->nested)
        mark (marks, field->nested, offset + field->offset + at);
      else
        memset (marks + offset + field->offset, 1, field->length);
    }
}

static gsize
count_unmarked (const VmmField *fields, gsize size)
{
  g_autofree guint8 *marks = g_malloc0 (size);
  gsize n = 0;

  mark (marks, fields, 0);
  for (gsize i = 0; i < size; i++)
    n += !marks[i];
  return n;
}

/* Every byte of the kernel's structs is named, or named as exempt. */
static void
test_kernel_structs (void)
{
  gsize padding = G_STRUCT_OFFSET (VmmVcpuState, events) - G_STRUCT_OFFSET (VmmVcpuState, mp) -
                  sizeof (struct kvm_mp_state);

  g_assert_cmpuint (count_unmarked (vmm_vcpu_state_fields, sizeof (VmmVcpuState)), ==, padding);
  g_assert_cmpuint (count_unmarked (vmm_kvm_pic_fields, sizeof (struct kvm_pic_state)), ==, 0);
  g_assert_cmpuint (count_unmarked (vmm_kvm_ioapic_fields, sizeof (struct kvm_ioapic_state)), ==,
                    0);
  g_assert_cmpuint (count_unmarked (vmm_kvm_pit_fields, sizeof (struct kvm_pit_state2)), ==, 0);
  g_assert_cmpuint (count_unmarked (vmm_kvm_clock_fields, sizeof (struct kvm_clock_data)), ==, 0);
}

static void
fill_random (gpointer to, gsize size)
{
  guint8 *bytes = to;

  for (gsize i = 0; i < size; i++)
    bytes[i] = g_test_rand_int ();
}

/* No two fields share a name: each comes back to where it was. */
static void
test_vcpu_fields (void)
{
  g_autoptr (VmmState) state = vmm_state_new ();
  g_autofree VmmVcpuState *saved = g_new0 (VmmVcpuState, 1), *loaded = g_new0 (VmmVcpuState, 1);
  GError *error = NULL;

  fill_random (&saved->regs, sizeof saved->regs);
  fill_random (&saved->sregs.interrupt_bitmap, sizeof saved->sregs.interrupt_bitmap);
  saved->sregs.cs.base = 1;
  saved->sregs.tr.avl = 2;
  saved->sregs.idt.limit = 3;
  saved->sregs.cr8 = 4;
  saved->events.exception.nr = 5;
  saved->events.interrupt.nr = 6;
  saved->events.smi.pending = 7;
  saved->events.nmi.pending = 8;
  saved->mp.mp_state = 9;
  fill_random (&saved->lapic, sizeof saved->lapic);
  g_assert_true (vmm_state_save_struct (state, "cpu0", 1, vmm_vcpu_state_fields, saved, &error));
  g_assert_true (
    vmm_state_load_struct (state, "cpu0", 1, vmm_vcpu_state_fields, loaded, NULL, &error));
  g_assert_cmpmem (saved, sizeof *saved, loaded, sizeof *loaded);
}

#define ADD(name, func) g_test_add (name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/snapshot/memory", test_memory);
  ADD ("/snapshot/memory/sizes", test_memory_sizes);
  ADD ("/snapshot/memory/broken", test_memory_broken);
  ADD ("/snapshot/folder", test_folder);
  ADD ("/snapshot/folder/undone", test_folder_undone);
  ADD ("/snapshot/folder/broken", test_folder_broken);
  g_test_add_func ("/snapshot/kernel-structs", test_kernel_structs);
  g_test_add_func ("/snapshot/vcpu-fields", test_vcpu_fields);
  return g_test_run ();
}
