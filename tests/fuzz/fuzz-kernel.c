/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The kernel loaders, on any bytes: nothing but guest memory is written, and what is refused is
 * refused with a sentence. The last byte says whether there is an initrd and how much of it.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "x86/boot.h"

#define MEMORY (8 << 20)

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static gboolean
put (VmmFile *file, const guint8 *data, gsize size)
{
  file->size = size;
  return ftruncate (file->fd, 0) == 0 && pwrite (file->fd, data, size, 0) == (gssize) size;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static VmmFile kernel = { (char *) "kernel", -1, 0 }, initrd = { (char *) "initrd", -1, 0 };
  static VmmMemory *memory;
  VmmBootConfig config = { .kernel = &kernel, .append = "console=ttyS0" };
  g_autoptr (GError) error = NULL;
  VmmEntry entry;

  if (!memory) {
    memory = vmm_memory_new (MEMORY, NULL);
    kernel.fd = memfd_create ("kernel", MFD_CLOEXEC);
    initrd.fd = memfd_create ("initrd", MFD_CLOEXEC);
  }
  if (size == 0 || !put (&kernel, data, size))
    return 0;
  if (data[size - 1] & 1) {
    if (!put (&initrd, data, MIN (size, data[size - 1])))
      return 0;
    config.initrd = &initrd;
  }
  config.memory = memory;
  if (!vmm_boot_load (&config, &entry, &error))
    g_assert_nonnull (error);
  else
    g_assert_no_error (error);
  return 0;
}
