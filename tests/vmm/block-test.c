/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See block-test.h.
 */
#include "block-test.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>

#include "vmm-error.h"

BlockTest *
block_test_new (void)
{
  BlockTest *self = g_new0 (BlockTest, 1);

  self->loop = vmm_loop_new ("loop", NULL);
  self->folder = g_dir_make_tmp ("vmm-block-XXXXXX", NULL);
  g_assert_nonnull (self->folder);
  self->path = block_test_path (self, "disk");
  return self;
}

void
block_test_free (BlockTest *self)
{
  block_test_close (self);
  vmm_loop_free (self->loop);
  block_test_run (self, "rm -rf '%s'", self->folder);
  g_free (self->folder);
  g_free (self->path);
  g_free (self);
}

char *
block_test_path (BlockTest *self, const char *name)
{
  return g_build_filename (self->folder, name, NULL);
}

static int
run (BlockTest *self, char **output, const char *command)
{
  const char *argv[] = { "sh", "-c", command, NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *out = NULL, *err = NULL;
  int status;

  g_spawn_sync (self->folder, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err,
                &status, &error);
  g_assert_no_error (error);
  g_assert_true (WIFEXITED (status));
  *output = g_strconcat (out, err, NULL);
  return WEXITSTATUS (status);
}

void
block_test_run (BlockTest *self, const char *format, ...)
{
  g_autofree char *command = NULL, *output = NULL;
  va_list args;

  va_start (args, format);
  command = g_strdup_vprintf (format, args);
  va_end (args);
  if (run (self, &output, command) != 0)
    g_error ("%s: %s", command, output);
}

int
block_test_try (BlockTest *self, char **output, const char *format, ...)
{
  g_autofree char *command = NULL;
  va_list args;

  va_start (args, format);
  command = g_strdup_vprintf (format, args);
  va_end (args);
  return run (self, output, command);
}

void
block_test_open_with (BlockTest *self, const VmmBlockOptions *options)
{
  g_autoptr (GError) error = NULL;

  self->block = vmm_block_open (self->path, options, self->loop, &error);
  g_assert_no_error (error);
}

void
block_test_open (BlockTest *self)
{
  VmmBlockOptions options = { .discard = TRUE };

  block_test_open_with (self, &options);
}

void
block_test_close (BlockTest *self)
{
  g_clear_pointer (&self->block, vmm_block_close);
}

void
block_test_refused (BlockTest *self, const VmmBlockOptions *options, const char *word)
{
  g_autoptr (GError) error = NULL;

  self->block = vmm_block_open (self->path, options, self->loop, &error);
  g_assert_null (self->block);
  g_assert_error (error, VMM_ERROR, VMM_ERROR_DISK);
  if (!strstr (error->message, word) || !g_str_has_suffix (error->message, "."))
    g_error ("not “%s”: %s", word, error->message);
}

void
block_test_check (BlockTest *self)
{
  block_test_close (self);
  block_test_run (self, "qemu-img check -q -f qcow2 '%s'", self->path);
}

static void
job_done (VmmBlockRequest *request, int error)
{
  BlockJob *job = (BlockJob *) request;

  g_assert_true (vmm_loop_is_current (job->test->loop));
  job->error = error;
  g_atomic_int_inc (&job->done);
}

static void
submit_job (gpointer data)
{
  BlockJob *job = data;

  vmm_block_submit (job->test->block, &job->request);
  g_assert_cmpint (g_atomic_int_get (&job->done), ==, 0);
  vmm_block_kick (job->test->block);
}

void
block_job_start (BlockTest *self, BlockJob *job)
{
  job->test = self;
  job->done = 0;
  job->request.iov = job->iov;
  job->request.done = job_done;
  vmm_loop_call (self->loop, submit_job, job);
}

int
block_job_wait (BlockJob *job)
{
  while (!g_atomic_int_get (&job->done))
    g_usleep (50);
  g_assert_cmpint (g_atomic_int_get (&job->done), ==, 1);
  return job->error;
}

static int
move (BlockTest *self, VmmBlockOp op, guint64 offset, void *bytes, gsize length)
{
  BlockJob job = { .iov = { { bytes, length } } };

  job.request.op = op;
  job.request.offset = offset;
  job.request.length = length;
  job.request.n_iov = 1;
  block_job_start (self, &job);
  return block_job_wait (&job);
}

int
block_test_read (BlockTest *self, guint64 offset, void *bytes, gsize length)
{
  return move (self, VMM_BLOCK_READ, offset, bytes, length);
}

int
block_test_write (BlockTest *self, guint64 offset, const void *bytes, gsize length)
{
  return move (self, VMM_BLOCK_WRITE, offset, (void *) bytes, length);
}

static int
plain (BlockTest *self, VmmBlockOp op, guint64 offset, guint64 length, gboolean unmap)
{
  BlockJob job = { 0 };

  job.request.op = op;
  job.request.offset = offset;
  job.request.length = length;
  job.request.unmap = unmap;
  block_job_start (self, &job);
  return block_job_wait (&job);
}

int
block_test_zero (BlockTest *self, guint64 offset, guint64 length, gboolean unmap)
{
  return plain (self, VMM_BLOCK_WRITE_ZEROES, offset, length, unmap);
}

int
block_test_discard (BlockTest *self, guint64 offset, guint64 length)
{
  return plain (self, VMM_BLOCK_DISCARD, offset, length, FALSE);
}

int
block_test_flush (BlockTest *self)
{
  return plain (self, VMM_BLOCK_FLUSH, 0, 0, FALSE);
}

void
block_test_is (BlockTest *self, guint64 offset, gsize length, guint8 byte)
{
  g_autofree guint8 *bytes = g_malloc (length);

  memset (bytes, ~byte, length);
  g_assert_cmpint (block_test_read (self, offset, bytes, length), ==, 0);
  for (gsize i = 0; i < length; i++)
    if (bytes[i] != byte)
      g_error ("at %" G_GUINT64_FORMAT ": %u, not %u", offset + i, bytes[i], byte);
}

void
block_test_fill (BlockTest *self, guint64 offset, gsize length, guint8 byte)
{
  g_autofree guint8 *bytes = g_malloc (length);

  memset (bytes, byte, length);
  g_assert_cmpint (block_test_write (self, offset, bytes, length), ==, 0);
}
