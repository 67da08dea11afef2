/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The guest's memory as a stream of bytes: what has to be written of it, front to back, and nothing
 * that would need a seek, so that a file, a pipe or a socket will do.
 *
 *   header   magic "VMMMEMRY", u32 version, u32 page size, u64 size of the memory, 16 bytes id,
 *            16 bytes id of the stream that this one stands on (zeros: on nothing)
 *   record   u64 offset, u32 pages, u32 kind, and for DATA so many pages
 *   ...
 *   record   of kind END: offset is the number of pages of all DATA
 *
 * Offsets count from the memory's first byte, holes of the address space left out. Pages that no
 * record names are as in the stream below, and zero where there is none. Little-endian.
 *
 * Threads: one at a time, with the vCPUs parked and the devices drained.
 */
#pragma once

#include "base/vmm-memory.h"
#include "vmm-progress.h"

G_BEGIN_DECLS

#define VMM_STREAM_ID_LENGTH 16

/* All pages that are not zero go to @fd. Progress is in bytes. Fails with VMM_ERROR_IO. */
gboolean vmm_memory_stream_write (VmmMemory *memory,
                                  int fd,
                                  const guint8 id[VMM_STREAM_ID_LENGTH],
                                  const VmmProgress *progress,
                                  GError **error);

/* Into memory that is all zero. Fails with VMM_ERROR_SNAPSHOT where the stream is broken, is not
 * @id or does not fit: then the memory has to go. */
gboolean vmm_memory_stream_read (VmmMemory *memory,
                                 int fd,
                                 const guint8 id[VMM_STREAM_ID_LENGTH],
                                 const VmmProgress *progress,
                                 GError **error);

G_END_DECLS
