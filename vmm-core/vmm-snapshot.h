/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmSnapshot: a saved machine as a folder: what is known of its devices and processors in one file
 * of named sections ("state", see base/vmm-state.h), its memory in another ("memory", see
 * base/memory-stream.h). It appears whole or not at all. Disks are not in it: a machine goes on
 * from the disks that it has.
 *
 * Threads: one at a time.
 */
#pragma once

#include "base/memory-stream.h"
#include "base/vmm-state.h"

G_BEGIN_DECLS

/* Makes the folder @path, mode 0700, which must not exist yet. Fails with VMM_ERROR_IO or
 * _CANCELLED and leaves nothing behind. @id is what joins the two files; the state holds it. */
gboolean vmm_snapshot_write (const char *path,
                             const guint8 id[VMM_STREAM_ID_LENGTH],
                             VmmState *state,
                             VmmMemory *memory,
                             const VmmProgress *progress,
                             GError **error);

/* Both fail with VMM_ERROR_SNAPSHOT. */
VmmState *vmm_snapshot_read_state (const char *path, GError **error);
gboolean vmm_snapshot_read_memory (const char *path,
                                   const guint8 id[VMM_STREAM_ID_LENGTH],
                                   VmmMemory *memory,
                                   const VmmProgress *progress,
                                   GError **error);

G_END_DECLS
