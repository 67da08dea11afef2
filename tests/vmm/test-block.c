/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmBlock on both engines: bytes there and back, errors, and images that are none or in use.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block/block-private.h"
#include "vmm-error.h"

#define SIZE (1 << 20)

/* An engine, with the host's cache or without. */
typedef struct {
  const VmmBlockEngineClass *engine;
  gboolean direct;
} Way;

typedef struct {
  const VmmBlockEngineClass *engine;
  gboolean direct;
  VmmLoop *loop;
  char *path;
  VmmBlock *block;
} Fixture;

typedef struct {
  VmmBlockRequest request; /* first */
  Fixture *f;
  struct iovec iov[4];
  gint done; /* atomic */
  int error;
} Job;

static void
set_up (Fixture *f, gconstpointer data)
{
  int fd;

  f->engine = ((const Way *) data)->engine;
  f->direct = ((const Way *) data)->direct;
  f->loop = vmm_loop_new ("loop", NULL);
  f->path = g_build_filename (g_get_tmp_dir (), "vmm-block-XXXXXX", NULL);
  fd = g_mkstemp (f->path);
  g_assert_cmpint (ftruncate (fd, SIZE), ==, 0);
  close (fd);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->block, vmm_block_close);
  vmm_loop_free (f->loop);
  g_unlink (f->path);
  g_free (f->path);
}

static VmmBlock *
open_raw (Fixture *f, const char *path, gboolean readonly, GError **error)
{
  VmmBlockOptions options = { .format = VMM_DISK_RAW,
                              .readonly = readonly,
                              .discard = TRUE,
                              .direct = f->direct,
                              .engine = f->engine };

  return vmm_block_open (path, &options, f->loop, error);
}

static void
open_block (Fixture *f, gboolean readonly)
{
  g_autoptr (GError) error = NULL;

  f->block = open_raw (f, f->path, readonly, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (vmm_block_get_size (f->block), ==, SIZE);
  g_assert_cmpint (vmm_block_get_readonly (f->block), ==, readonly);
}

static void
job_done (VmmBlockRequest *request, int error)
{
  Job *job = (Job *) request;

  g_assert_true (vmm_loop_is_current (job->f->loop));
  job->error = error;
  g_atomic_int_inc (&job->done);
}

static void
submit_job (gpointer data)
{
  Job *job = data;

  vmm_block_submit (job->f->block, &job->request);
  g_assert_cmpint (g_atomic_int_get (&job->done), ==, 0);
  vmm_block_kick (job->f->block);
}

static void
start (Fixture *f, Job *job, VmmBlockOp op, guint64 offset, guint64 length)
{
  job->f = f;
  job->done = 0;
  job->request.op = op;
  job->request.offset = offset;
  job->request.length = length;
  job->request.iov = job->iov;
  job->request.done = job_done;
  vmm_loop_call (f->loop, submit_job, job);
}

static int
finish (Job *job)
{
  while (!g_atomic_int_get (&job->done))
    g_usleep (100);
  g_assert_cmpint (g_atomic_int_get (&job->done), ==, 1);
  return job->error;
}

static int
move (Fixture *f, VmmBlockOp op, guint64 offset, void *bytes, gsize length)
{
  Job job = { .iov = { { bytes, length } } };

  job.request.n_iov = 1;
  start (f, &job, op, offset, length);
  return finish (&job);
}

static int
plain (Fixture *f, VmmBlockOp op, guint64 offset, gsize length)
{
  Job job = { 0 };

  start (f, &job, op, offset, length);
  return finish (&job);
}

static void
test_there_and_back (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *out = g_malloc (SIZE);
  g_autofree guint8 *in = g_malloc0 (SIZE);
  g_autofree char *content = NULL;
  gsize length;

  open_block (f, FALSE);
  for (guint i = 0; i < SIZE; i++)
    out[i] = i * 7 + i / 4096;
  g_assert_cmpint (move (f, VMM_BLOCK_WRITE, 0, out, SIZE), ==, 0);
  g_assert_cmpint (plain (f, VMM_BLOCK_FLUSH, 0, 0), ==, 0);
  g_assert_cmpint (move (f, VMM_BLOCK_READ, 0, in, SIZE), ==, 0);
  g_assert_cmpmem (in, SIZE, out, SIZE);
  g_assert_true (g_file_get_contents (f->path, &content, &length, NULL));
  g_assert_cmpmem (content, length, out, SIZE);
  g_assert_cmpstr (vmm_block_get_engine (f->block), ==, f->engine->name);
}

static void
test_vector (Fixture *f, gconstpointer data)
{
  guint8 a[512], b[1024], c[512], all[2048];
  Job job = { .iov = { { a, 512 }, { b, 1024 }, { c, 512 } } };

  open_block (f, FALSE);
  memset (a, 1, sizeof a);
  memset (b, 2, sizeof b);
  memset (c, 3, sizeof c);
  job.request.n_iov = 3;
  start (f, &job, VMM_BLOCK_WRITE, 4096, 2048);
  g_assert_cmpint (finish (&job), ==, 0);
  g_assert_cmpint (move (f, VMM_BLOCK_READ, 4096, all, sizeof all), ==, 0);
  g_assert_cmpmem (all, 512, a, 512);
  g_assert_cmpmem (all + 512, 1024, b, 1024);
  g_assert_cmpmem (all + 1536, 512, c, 512);
}

/* More at once than any ring has room for. */
static void
test_many (Fixture *f, gconstpointer data)
{
  const guint n = 600;
  g_autofree Job *jobs = g_new0 (Job, n);
  g_autofree guint8 *bytes = g_malloc (n * 512);

  open_block (f, FALSE);
  for (guint i = 0; i < n; i++) {
    memset (bytes + i * 512, i, 512);
    jobs[i].iov[0] = (struct iovec) { bytes + i * 512, 512 };
    jobs[i].request.n_iov = 1;
    start (f, &jobs[i], VMM_BLOCK_WRITE, i * 512, 512);
  }
  for (guint i = 0; i < n; i++)
    g_assert_cmpint (finish (&jobs[i]), ==, 0);
  for (guint i = 0; i < n; i++) {
    guint8 sector[512];

    g_assert_cmpint (move (f, VMM_BLOCK_READ, i * 512, sector, 512), ==, 0);
    g_assert_cmpuint (sector[0], ==, i % 256);
    g_assert_cmpuint (sector[511], ==, i % 256);
  }
}

static void
test_zeroes (Fixture *f, gconstpointer data)
{
  guint8 bytes[4096], zeros[4096] = { 0 };

  open_block (f, FALSE);
  for (guint i = 0; i < 2; i++) {
    memset (bytes, 9, sizeof bytes);
    g_assert_cmpint (move (f, VMM_BLOCK_WRITE, 8192, bytes, 4096), ==, 0);
    g_assert_cmpint (plain (f, i ? VMM_BLOCK_DISCARD : VMM_BLOCK_WRITE_ZEROES, 8192 + 512, 3072),
                     ==, 0);
    g_assert_cmpint (move (f, VMM_BLOCK_READ, 8192, bytes, 4096), ==, 0);
    g_assert_cmpmem (bytes + 512, 3072, zeros, 3072);
    g_assert_cmpuint (bytes[511], ==, 9);
    g_assert_cmpuint (bytes[3584], ==, 9);
  }
}

/* The file became shorter behind our back: an error, not a hang and not zeroes. */
static void
test_shrunk (Fixture *f, gconstpointer data)
{
  guint8 bytes[4096];

  open_block (f, FALSE);
  g_assert_cmpint (truncate (f->path, 2048), ==, 0);
  g_assert_cmpint (move (f, VMM_BLOCK_READ, 0, bytes, 4096), ==, -EIO);
  g_assert_cmpint (move (f, VMM_BLOCK_READ, 8192, bytes, 4096), ==, -EIO);
  g_assert_cmpint (move (f, VMM_BLOCK_READ, 0, bytes, 2048), ==, 0);
}

static void
test_readonly (Fixture *f, gconstpointer data)
{
  guint8 bytes[512] = { 0 };

  open_block (f, TRUE);
  g_assert_cmpint (move (f, VMM_BLOCK_READ, 0, bytes, 512), ==, 0);
  g_assert_cmpint (move (f, VMM_BLOCK_WRITE, 0, bytes, 512), ==, -EBADF);
}

/* A disk that was never used has no ring and no threads. */
static void
test_unused (Fixture *f, gconstpointer data)
{
  open_block (f, FALSE);
}

static void
check_refused (Fixture *f, const char *path, gboolean readonly, int code, const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (open_raw (f, path, readonly, &error));
  g_assert_error (error, VMM_ERROR, code);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_nonnull (strstr (error->message, word));
}

static void
test_bad_images (Fixture *f, gconstpointer data)
{
  check_refused (f, "/nonexistent/disk", TRUE, VMM_ERROR_DISK, "No such file");
  check_refused (f, "/tmp", TRUE, VMM_ERROR_DISK, "not a disk image");
  check_refused (f, "/dev/null", FALSE, VMM_ERROR_DISK, "not a disk image");
  g_assert_cmpint (truncate (f->path, 1000), ==, 0);
  check_refused (f, f->path, FALSE, VMM_ERROR_DISK, "1000 bytes");
  g_assert_cmpint (truncate (f->path, 0), ==, 0);
  check_refused (f, f->path, FALSE, VMM_ERROR_DISK, "0 bytes");
}

static void
test_locks (Fixture *f, gconstpointer data)
{
  g_autoptr (VmmBlock) first = NULL, second = NULL;

  open_block (f, FALSE);
  check_refused (f, f->path, FALSE, VMM_ERROR_DISK_BUSY, "in use");
  check_refused (f, f->path, TRUE, VMM_ERROR_DISK_BUSY, "written to");
  g_clear_pointer (&f->block, vmm_block_close);
  /* Any number of readers, and no writer beside them. */
  first = open_raw (f, f->path, TRUE, NULL);
  second = open_raw (f, f->path, TRUE, NULL);
  g_assert_nonnull (first);
  g_assert_nonnull (second);
  check_refused (f, f->path, FALSE, VMM_ERROR_DISK_BUSY, "in use");
  g_clear_pointer (&first, vmm_block_close);
  g_clear_pointer (&second, vmm_block_close);
  open_block (f, FALSE);
}

static gboolean
lock_byte (int fd, guint byte)
{
  struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

  return fcntl (fd, F_OFD_SETLK, &lock) == 0;
}

static gboolean
has_lock (int fd, guint byte)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

  g_assert_cmpint (fcntl (fd, F_OFD_GETLK, &lock), ==, 0);
  return lock.l_type != F_UNLCK;
}

/* The bytes that QEMU locks: 100 + right for what it does, 200 + right for what it denies. */
static void
test_qemu (Fixture *f, gconstpointer data)
{
  int fd = open (f->path, O_RDWR | O_CLOEXEC);

  open_block (f, FALSE);
  g_assert_true (has_lock (fd, 101));
  g_assert_true (has_lock (fd, 201));
  g_assert_true (has_lock (fd, 203));
  g_assert_false (has_lock (fd, 200));
  g_assert_false (has_lock (fd, 103));
  g_clear_pointer (&f->block, vmm_block_close);
  g_assert_false (has_lock (fd, 101));

  g_assert_true (lock_byte (fd, 101)); /* QEMU writes */
  check_refused (f, f->path, TRUE, VMM_ERROR_DISK_BUSY, "written to");
  close (fd);
  fd = open (f->path, O_RDWR | O_CLOEXEC);
  g_assert_true (lock_byte (fd, 201)); /* QEMU denies writers */
  check_refused (f, f->path, FALSE, VMM_ERROR_DISK_BUSY, "in use");
  open_block (f, TRUE);
  close (fd);
}

static VmmBlockEngine *
check_new (VmmHostFile *file, VmmLoop *loop)
{
  int flags = fcntl (file->fd, F_GETFL);

  g_assert_cmpint (flags, !=, -1);
  g_assert_cmphex (flags & O_NONBLOCK, ==, 0);
  return vmm_block_threads.new (file, loop);
}

/* Where a file system cannot do without waiting (NFS, FUSE, tmpfs for long), io_uring gives EAGAIN
 * for ever to a descriptor that does not wait. */
static void
test_waits (Fixture *f, gconstpointer data)
{
  VmmBlockEngineClass checking = vmm_block_threads;
  guint8 bytes[512];

  checking.new = check_new;
  f->engine = &checking;
  f->block = open_raw (f, f->path, FALSE, NULL);
  g_assert_nonnull (f->block);
  g_assert_cmpint (move (f, VMM_BLOCK_READ, 0, bytes, sizeof bytes), ==, 0);
  g_clear_pointer (&f->block, vmm_block_close);
}

/* Whole pages in aligned memory go past the host's cache, where the host has a way; nothing else.
 */
static void
test_direct (Fixture *f, gconstpointer data)
{
  static guint8 memory[3 * 4096] __attribute__ ((aligned (4096)));
  struct iovec page = { memory, 4096 }, half = { memory, 2048 }, crooked = { memory + 1, 4096 };
  VmmHostFile *file;

  open_block (f, FALSE);
  file = f->block->file;
  if (!f->direct)
    g_assert_cmpint (file->direct_fd, ==, -1);
  if (file->direct_fd < 0)
    return;
  g_assert_cmpint (fcntl (file->direct_fd, F_GETFL) & O_DIRECT, !=, 0);
  g_assert_cmpint (fcntl (file->fd, F_GETFL) & O_DIRECT, ==, 0);
  g_assert_cmpint (vmm_host_file_choose_fd (file, &page, 1, 8192), ==, file->direct_fd);
  g_assert_cmpint (vmm_host_file_choose_fd (file, &page, 1, 512), ==, file->fd);
  g_assert_cmpint (vmm_host_file_choose_fd (file, &half, 1, 8192), ==, file->fd);
  g_assert_cmpint (vmm_host_file_choose_fd (file, &crooked, 1, 8192), ==, file->fd);
  g_assert_cmpint (move (f, VMM_BLOCK_WRITE, 4096, memory + 1, 4096), ==, 0);
  g_assert_cmpint (move (f, VMM_BLOCK_READ, 4096, memory, 4096), ==, 0);
}

/* A host that takes it back, as some file systems do. */
static void
test_not_direct (Fixture *f, gconstpointer data)
{
  static guint8 memory[4096] __attribute__ ((aligned (4096)));
  int pair[2];

  open_block (f, FALSE);
  if (f->block->file->direct_fd < 0)
    return;
  g_assert_cmpint (pipe (pair), ==, 0);
  close (pair[0]);
  vmm_host_file_must_cache (f->block->file, f->block->file->direct_fd, -EINVAL);
  g_assert_cmpint (dup2 (pair[1], f->block->file->direct_fd), >=, 0); /* nobody uses it now */
  close (pair[1]);
  g_assert_cmpint (move (f, VMM_BLOCK_WRITE, 4096, memory, 4096), ==, 0);
  g_assert_cmpint (move (f, VMM_BLOCK_READ, 4096, memory, 4096), ==, 0);
}

/* A guest may not make an image whose format was guessed look like one of another format: it would
 * be opened as that next time, with whatever file of the host its header names. */
static void
test_guarded (Fixture *f, gconstpointer data)
{
  static const guint8 magic[8] = { 'Q', 'F', 'I', 0xfb, 0, 0, 0, 3 };
  VmmBlockOptions options = { .engine = f->engine, .direct = f->direct };
  guint8 bytes[1024] = { 0 };

  f->block = vmm_block_open (f->path, &options, f->loop, NULL);
  g_assert_cmpstr (vmm_block_get_format (f->block), ==, "raw");
  memset (bytes, 7, sizeof bytes);
  g_assert_cmpint (move (f, VMM_BLOCK_WRITE, 0, bytes, sizeof bytes), ==, 0);
  memcpy (bytes, magic, sizeof magic);
  bytes[20] = bytes[21] = bytes[22] = 0;
  bytes[23] = 16;
  g_assert_cmpint (move (f, VMM_BLOCK_WRITE, 0, bytes, sizeof bytes), ==, -EPERM);
  g_assert_cmpint (move (f, VMM_BLOCK_WRITE, 512, bytes, 512), ==, 0);
  g_assert_cmpint (move (f, VMM_BLOCK_READ, 0, bytes, 512), ==, 0);
  g_assert_cmphex (bytes[0], ==, 7);
  g_clear_pointer (&f->block, vmm_block_close);
  open_block (f, FALSE); /* it was said to be raw */
  memcpy (bytes, magic, sizeof magic);
  g_assert_cmpint (move (f, VMM_BLOCK_WRITE, 0, bytes, sizeof bytes), ==, 0);
}

static blkcnt_t
get_blocks (Fixture *f)
{
  struct stat info;

  g_assert_cmpint (stat (f->path, &info), ==, 0);
  return info.st_blocks;
}

/* Without discard an image keeps the space it has. */
static void
test_keeps (Fixture *f, gconstpointer data)
{
  VmmBlockOptions options = { .format = VMM_DISK_RAW, .engine = f->engine };
  g_autofree guint8 *bytes = g_malloc (SIZE);
  blkcnt_t before;

  f->block = vmm_block_open (f->path, &options, f->loop, NULL);
  memset (bytes, 1, SIZE);
  g_assert_cmpint (move (f, VMM_BLOCK_WRITE, 0, bytes, SIZE), ==, 0);
  g_assert_cmpint (plain (f, VMM_BLOCK_FLUSH, 0, 0), ==, 0);
  before = get_blocks (f);
  g_assert_cmpint (plain (f, VMM_BLOCK_DISCARD, 0, SIZE / 2), ==, 0);
  g_assert_cmpint (plain (f, VMM_BLOCK_WRITE_ZEROES, SIZE / 2, SIZE / 2), ==, 0);
  g_assert_cmpint (move (f, VMM_BLOCK_READ, 0, bytes, SIZE), ==, 0);
  g_assert_cmphex (bytes[0], ==, 1);
  g_assert_cmphex (bytes[SIZE - 1], ==, 0);
  g_assert_cmphex (bytes[SIZE / 2], ==, 0);
  g_assert_cmpint (plain (f, VMM_BLOCK_FLUSH, 0, 0), ==, 0);
  g_assert_cmpint (get_blocks (f), >=, before);
}

/* A pipe is no image, and opening it waits for nobody. */
static void
test_pipe (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (g_unlink (f->path), ==, 0);
  g_assert_cmpint (mkfifo (f->path, 0600), ==, 0);
  check_refused (f, f->path, TRUE, VMM_ERROR_DISK, "not a disk image");
  check_refused (f, f->path, FALSE, VMM_ERROR_DISK, "not a disk image");
}

int
main (int argc, char **argv)
{
  static const Way ways[] = {
    { &vmm_block_uring, FALSE },
    { &vmm_block_threads, FALSE },
    { &vmm_block_uring, TRUE },
    { &vmm_block_threads, TRUE },
  };
  static const struct {
    const char *name;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "there-and-back", test_there_and_back },
    { "vector", test_vector },
    { "many", test_many },
    { "zeroes", test_zeroes },
    { "shrunk", test_shrunk },
    { "readonly", test_readonly },
    { "unused", test_unused },
    { "bad-images", test_bad_images },
    { "waits", test_waits },
    { "pipe", test_pipe },
    { "direct", test_direct },
    { "not-direct", test_not_direct },
    { "guarded", test_guarded },
    { "keeps", test_keeps },
    { "locks", test_locks },
    { "qemu", test_qemu },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint e = 0; e < G_N_ELEMENTS (ways); e++)
    for (guint i = 0; i < G_N_ELEMENTS (tests); i++) {
      g_autofree char *name = g_strdup_printf ("/block/%s%s/%s", ways[e].engine->name,
                                               ways[e].direct ? "-direct" : "", tests[i].name);

      g_test_add (name, Fixture, &ways[e], set_up, tests[i].run, tear_down);
    }
  return g_test_run ();
}
