/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The image behind an image: found, and opened read-only. Which file that is stands in a header
 * that may come from anywhere, so a chain ends somewhere, and its formats are never guessed where a
 * guess could be wrong.
 *
 * Threads: control.
 */
#include <string.h>

#include "block/qcow2-private.h"
#include "vmm-error.h"

#define MAX_DEPTH 64

static gboolean
fail (Qcow2 *self, const char *what, GError **error)
{
  return vmm_block_fail (error, self->parent.file->path, what);
}

/* "file:NAME" is a name; "nbd://..." and "json:{...}" are places that only QEMU can reach. */
static const char *
get_name (const char *backing)
{
  gsize n = strcspn (backing, ":/");

  if (g_str_has_prefix (backing, "file:"))
    return backing + strlen ("file:");
  return backing[n] == ':' ? NULL : backing;
}

static gboolean
is_printable (const char *text)
{
  for (; *text; text++)
    if (g_ascii_iscntrl (*text))
      return FALSE;
  return TRUE;
}

/* Of what it says there: relative to the image. */
static char *
get_path (Qcow2 *self, GError **error)
{
  const char *name = is_printable (self->header->backing) ? get_name (self->header->backing) : NULL;
  g_autofree char *folder = g_path_get_dirname (self->parent.file->path);

  if (!name || !*name) {
    fail (self, "is based on something that is no file, which is not supported", error);
    return NULL;
  }
  return g_path_is_absolute (name) ? g_strdup (name) : g_build_filename (folder, name, NULL);
}

static gboolean
get_format (Qcow2 *self, VmmDiskFormat *format, GError **error)
{
  const char *name = self->header->backing_format;

  *format = VMM_DISK_AUTO;
  if (!name)
    return TRUE;
  if (strcmp (name, "raw") == 0 || strcmp (name, "file") == 0)
    *format = VMM_DISK_RAW;
  else if (strcmp (name, "qcow2") == 0)
    *format = VMM_DISK_QCOW2;
  else
    return fail (self, "is based on an image of a format that is not supported", error);
  return TRUE;
}

/* Where the image does not say what its backing is, raw bytes and a qcow2 image that a guest put
 * there are the same. */
static gboolean
is_certain (Qcow2 *self, GError **error)
{
  if (self->header->backing_format || strcmp (self->backing->klass->name, "raw") == 0)
    return TRUE;
  return fail (self,
               "does not say of which format its backing file is: if that is qcow2, note it with "
               "“qemu-img rebase -u -F qcow2 -b BACKING-FILE DISK”",
               error);
}

/* Before it is opened: its locks would be in its own way. */
static gboolean
check_chain (Qcow2 *self, const VmmBlockChain *chain, const char *path, GError **error)
{
  if (chain->depth >= MAX_DEPTH)
    return fail (self, "is at the end of too long a chain of backing files", error);
  for (const VmmBlockChain *link = chain; link; link = link->above)
    if (vmm_host_file_is_at (link->file, path))
      return fail (self, "is, by its backing files, based on itself", error);
  return TRUE;
}

gboolean
qcow2_open_backing (Qcow2 *self,
                    const VmmBlockOptions *options,
                    const VmmBlockChain *above,
                    GError **error)
{
  VmmBlockChain chain = { self->parent.file, above, above ? above->depth + 1 : 0 };
  VmmBlockOptions below = *options;
  g_autofree char *path = NULL;

  if (!self->header->backing)
    return TRUE;
  below.readonly = TRUE;
  path = get_path (self, error);
  if (!path || !check_chain (self, &chain, path, error) || !get_format (self, &below.format, error))
    return FALSE;
  self->backing = vmm_block_open_in_chain (path, &below, &chain, self->parent.loop, error);
  return self->backing && is_certain (self, error);
}
