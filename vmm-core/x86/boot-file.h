/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmFile: a kernel or initrd file, open as long as its machine exists so that a reset finds the
 * same one. It is read, never mapped: a file that shrinks meanwhile must be an error, not a SIGBUS.
 *
 * Threads: control.
 */
#pragma once

#include "base/vmm-memory.h"

G_BEGIN_DECLS

typedef struct {
  char *name; /* for messages */
  int fd;
  guint64 size;
} VmmFile;

/* @what is "kernel" or "initrd", for messages. Fails with VMM_ERROR_KERNEL. */
VmmFile *vmm_file_open (const char *what, const char *path, GError **error);
void vmm_file_free (VmmFile *self);

/* Exactly @length bytes at @offset. */
gboolean
vmm_file_read (const VmmFile *self, guint64 offset, void *to, gsize length, GError **error);
/* The same, straight to guest-physical @address. */
gboolean vmm_file_load (const VmmFile *self,
                        guint64 offset,
                        VmmMemory *memory,
                        guint64 address,
                        guint64 length,
                        GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmFile, vmm_file_free)

G_END_DECLS
