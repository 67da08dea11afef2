/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Saved memory from who knows where: it is taken or refused, and what was taken can be saved again.
 * The id of the machine is what the stream says, so that the fuzzer gets past it.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory-stream.h"

#define SIZE      (1u << 20)
#define ID_OFFSET 24

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static VmmMemory *memory;
  static int from = -1, to = -1;
  guint8 id[VMM_STREAM_ID_LENGTH] = { 0 };

  if (!memory) {
    memory = vmm_memory_new (SIZE, NULL);
    from = memfd_create ("stream", MFD_CLOEXEC);
    to = memfd_create ("again", MFD_CLOEXEC);
  }
  if (size >= ID_OFFSET + sizeof id)
    memcpy (id, data + ID_OFFSET, sizeof id);
  g_assert_true (ftruncate (from, 0) == 0 && pwrite (from, data, size, 0) == (gssize) size);
  lseek (from, 0, SEEK_SET);
  if (vmm_memory_stream_read (memory, from, id, NULL, NULL)) {
    g_assert_true (ftruncate (to, 0) == 0 && lseek (to, 0, SEEK_SET) == 0);
    g_assert_true (vmm_memory_stream_write (memory, to, id, NULL, NULL));
  }
  vmm_memory_discard_all (memory);
  return 0;
}
