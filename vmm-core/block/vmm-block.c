/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Opening an image by its format, and what all formats share.
 *
 * Threads: as vmm-block.h says.
 */
#include "block/block-private.h"
#include "block/qcow2-header.h"
#include "vmm-error.h"

gboolean
vmm_block_fail (GError **error, const char *path, const char *what)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_DISK, "The disk “%s” %s.", path, what);
  return FALSE;
}

/* Whoever writes to a raw image decides how it begins: a guest could write a header that names any
 * file of the host as backing. So a guess that says raw is kept to: see raw.c. */
static VmmDiskFormat
guess_format (VmmHostFile *file)
{
  guint8 bytes[VMM_QCOW2_MIN_HEADER] = { 0 };

  if (vmm_host_file_read (file, bytes, sizeof bytes, 0) == 0 && vmm_qcow2_is_header (bytes))
    return VMM_DISK_QCOW2;
  return VMM_DISK_RAW;
}

void
vmm_block_init (VmmBlock *self,
                const VmmBlockClass *klass,
                VmmHostFile *file,
                const VmmBlockOptions *options)
{
  self->klass = klass;
  self->file = file;
  self->loop = file->loop;
  self->readonly = options->readonly;
  self->discard = options->discard && !options->readonly;
}

VmmBlock *
vmm_block_open_in_chain (const char *path,
                         const VmmBlockOptions *options,
                         const VmmBlockChain *chain,
                         VmmLoop *loop,
                         GError **error)
{
  g_autoptr (VmmHostFile) file = vmm_host_file_open (path, options, loop, error);
  VmmDiskFormat format = options->format;
  VmmBlock *self;

  if (!file)
    return NULL;
  if (format == VMM_DISK_AUTO)
    format = guess_format (file);
  if (format == VMM_DISK_QCOW2)
    self = vmm_qcow2_open (file, options, chain, error);
  else
    self = vmm_raw_open (file, options, error);
  if (self)
    g_steal_pointer (&file);
  return self;
}

VmmBlock *
vmm_block_open (const char *path, const VmmBlockOptions *options, VmmLoop *loop, GError **error)
{
  return vmm_block_open_in_chain (path, options, NULL, loop, error);
}

VmmBlock *
vmm_block_open_raw (const char *path, gboolean readonly, VmmLoop *loop, GError **error)
{
  VmmBlockOptions options = { .format = VMM_DISK_RAW, .readonly = readonly };

  return vmm_block_open (path, &options, loop, error);
}

static void
do_nothing (gpointer data)
{
}

void
vmm_block_close (VmmBlock *self)
{
  VmmHostFile *file = self->file;

  /* Whoever was told of the last request may be here before the loop is out of the call that told
   * it. */
  if (self->loop)
    vmm_loop_call (self->loop, do_nothing, NULL);
  self->klass->close (self);
  vmm_host_file_close (file);
}

gboolean
vmm_block_resize (VmmBlock *self, guint64 size, GError **error)
{
  const char *path = self->file->path;

  if (self->readonly)
    return vmm_block_fail (error, path, "is read-only and keeps its size");
  if (size % VMM_BLOCK_SECTOR != 0 || size > G_MAXINT64)
    return vmm_block_fail (error, path, "cannot have this size: it is no whole number of sectors");
  if (size < vmm_block_get_size (self))
    return vmm_block_fail (error, path, "can only grow: what is at its end would be lost");
  return size == vmm_block_get_size (self) || self->klass->resize (self, size, error);
}

guint64
vmm_block_get_size (VmmBlock *self)
{
  return __atomic_load_n (&self->size, __ATOMIC_ACQUIRE);
}

gboolean
vmm_block_get_readonly (VmmBlock *self)
{
  return self->readonly;
}

gboolean
vmm_block_get_discard (VmmBlock *self)
{
  return self->discard;
}

guint
vmm_block_get_cluster_size (VmmBlock *self)
{
  return self->cluster_size;
}

const char *
vmm_block_get_path (VmmBlock *self)
{
  return self->file->path;
}

const char *
vmm_block_get_format (VmmBlock *self)
{
  return self->klass->name;
}

const char *
vmm_block_get_engine (VmmBlock *self)
{
  return self->file->engine_class->name;
}

const GPtrArray *
vmm_block_get_snapshots (VmmBlock *self)
{
  return self->klass->get_snapshots ? self->klass->get_snapshots (self) : NULL;
}

void
vmm_block_submit (VmmBlock *self, VmmBlockRequest *request)
{
  request->moved = 0;
  request->next = NULL;
  self->klass->submit (self, request);
}

void
vmm_block_kick (VmmBlock *self)
{
  self->klass->kick (self);
}
