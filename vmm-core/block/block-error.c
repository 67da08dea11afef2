/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the errors of images mean to people. Apart because disks on any bus say the same.
 *
 * Threads: any.
 */
#include <errno.h>

#include "block/block-private.h"

static gboolean
lacks_room (const VmmBlockRequest *request, int error)
{
  return (error == -ENOSPC || error == -EDQUOT) && request->op != VMM_BLOCK_READ;
}

/* The host's disk did not do what it should, or is not there. */
static gboolean
is_gone (int error)
{
  static const int errors[] = { EIO, ENXIO, ENODEV, ESTALE, ENOMEDIUM, EREMOTEIO, ETIMEDOUT };

  for (guint i = 0; i < G_N_ELEMENTS (errors); i++)
    if (error == -errors[i])
      return TRUE;
  return FALSE;
}

/* A flush is not tried again: where one fails the kernel may have dropped what it could not write,
 * and the next would wrongly succeed. */
char *
vmm_block_explain_pause (VmmBlock *self, const VmmBlockRequest *request, int error)
{
  const char *path = self->file->path;

  if (error >= 0 || request->op == VMM_BLOCK_FLUSH)
    return NULL;
  if (lacks_room (request, error))
    return g_strdup_printf (
      error == -EDQUOT ? "The image “%s” cannot grow, because your disk quota is used up: make "
                         "room there, then resume the machine."
                       : "The image “%s” cannot grow, because its file system is full: make room "
                         "there, then resume the machine.",
      path);
  if (is_gone (error))
    return g_strdup_printf ("The image “%s” cannot be %s: %s. See that its disk is there and "
                            "works, then resume the machine.",
                            path, request->op == VMM_BLOCK_READ ? "read" : "written",
                            g_strerror (-error));
  return NULL;
}

char *
vmm_block_explain_error (VmmBlock *self, int error)
{
  const char *path = self->file->path;

  if (error == -EUCLEAN)
    return g_strdup_printf ("The image “%s” is damaged: turn the machine off and repair it with "
                            "“qemu-img check -r all”.",
                            path);
  if (error == -EPERM)
    return g_strdup_printf ("The guest tried to make the raw image “%s” look like one of another "
                            "format; say that its format is raw to allow that.",
                            path);
  return g_strdup_printf ("The disk failed: %s.", g_strerror (-error));
}
