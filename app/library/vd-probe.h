/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdProbe: what a file that a person chose is: a kernel, a disk image, an ISO. Asked
 * once, when a machine is made; a disk's format is stored then and never guessed
 * again, because a guest could write itself another header.
 *
 * Threads: any; it blocks.
 */
#pragma once

#include "vd-config.h"

G_BEGIN_DECLS

typedef enum {
  VD_MEDIUM_KERNEL,
  VD_MEDIUM_ISO,
  VD_MEDIUM_DISK,
} VdMedium;

typedef struct {
  VdMedium medium;
  VdDiskFormat format; /* of a disk */
  gboolean uefi_only;  /* a disk or ISO that BIOS cannot boot */
} VdProbe;

/* All access to the file goes through this: at most @length bytes from @offset. */
typedef gsize (*VdProbeRead) (gpointer file, guint64 offset, void *data, gsize length);

/* FALSE with one sentence about @name when it cannot be used. */
gboolean vd_probe_read (VdProbe *self,
                        VdProbeRead read,
                        gpointer file,
                        guint64 size,
                        const char *name,
                        GError **error);
gboolean vd_probe_file (VdProbe *self, const char *path, GError **error);

G_END_DECLS
