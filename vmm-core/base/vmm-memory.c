/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The guest's RAM in one memfd, mapped once. Apart because every access that a guest can steer is
 * checked here and nowhere else.
 *
 * Threads: any, after vmm_memory_new.
 */
#include "base/vmm-memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/huge-pages.h"
#include "vmm-error.h"

#define MIN_SIZE  (G_GUINT64_CONSTANT (1) << 20)
#define PAGE_SIZE G_GUINT64_CONSTANT (4096)
#define HUGE_PAGE VMM_HUGE_PAGE
#define BLOCK     512 /* of st_blocks */

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

struct _VmmMemory {
  guint64 size;
  gboolean huge; /* all of it in huge pages, which are promised to us */
  int fd;
  guint8 *host;
  guint8 *reserved; /* address space around @host, so that it can begin at a huge page */
  gsize reserved_size;
  guint n_regions;
  VmmMemoryRegion regions[2];
};

static gboolean
memory_fail (VmmMemory *self, GError **error)
{
  if (self->huge)
    return vmm_huge_pages_fail (VMM_HUGE_PAGE_FOLDER, self->size, error);
  g_set_error (error, VMM_ERROR, VMM_ERROR_NO_MEMORY,
               "This computer cannot give %" G_GUINT64_FORMAT
               " MiB of memory to the machine (%s): give the machine less memory.",
               self->size >> 20, g_strerror (errno));
  return FALSE;
}

static gboolean
memory_make_file (VmmMemory *self, GError **error)
{
  guint flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;

  if (self->huge)
    flags |= MFD_HUGETLB | MAP_HUGE_2MB; /* sizes are written as mmap's: memfd_create(2) */
  self->fd = memfd_create ("vmm-memory", flags);
  if (self->fd < 0 || ftruncate (self->fd, (off_t) self->size) < 0)
    return memory_fail (self, error);
  /* Nobody who holds the file may take pages away under the guest. */
  if (fcntl (self->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
    return memory_fail (self, error);
  return TRUE;
}

static gboolean
memory_map (VmmMemory *self, GError **error)
{
  int promise = self->huge ? 0 : MAP_NORESERVE; /* huge pages are ours from here on, or refused */
  gsize reserved_size = self->size + HUGE_PAGE;
  guint8 *reserved, *host;

  reserved =
    mmap (NULL, reserved_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED)
    return memory_fail (self, error);
  self->reserved = reserved;
  self->reserved_size = reserved_size;

  host = (guint8 *) (((guintptr) reserved + HUGE_PAGE - 1) & ~(guintptr) (HUGE_PAGE - 1));
  if (mmap (host, self->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | promise, self->fd,
            0) == MAP_FAILED)
    return memory_fail (self, error);
  self->host = host;
  madvise (host, self->size, MADV_DONTDUMP);
  return TRUE;
}

static void
memory_add_region (VmmMemory *self, guint64 address, guint64 fd_offset, guint64 size)
{
  VmmMemoryRegion *region = &self->regions[self->n_regions++];

  region->address = address;
  region->size = size;
  region->fd_offset = fd_offset;
  region->host = self->host + fd_offset;
}

static VmmMemory *
memory_new (guint64 size, guint64 page, GError **error)
{
  g_autoptr (VmmMemory) self = g_new0 (VmmMemory, 1);
  guint64 low = MIN (size, VMM_MEMORY_LOW_END);

  self->fd = -1;
  self->huge = page == HUGE_PAGE;
  self->size = size;
  if (size < MIN_SIZE || size % page != 0 || size > G_MAXINT64 - HUGE_PAGE) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_NO_MEMORY,
                 "A machine cannot have %" G_GUINT64_FORMAT
                 " bytes of memory: take a whole number of MiB, at least 1.",
                 size);
    return NULL;
  }
  if (!memory_make_file (self, error) || !memory_map (self, error))
    return NULL;
  memory_add_region (self, 0, 0, low);
  if (size > low)
    memory_add_region (self, VMM_MEMORY_HIGH, low, size - low);
  return g_steal_pointer (&self);
}

VmmMemory *
vmm_memory_new (guint64 size, GError **error)
{
  return memory_new (size, PAGE_SIZE, error);
}

VmmMemory *
vmm_memory_new_huge (guint64 size, GError **error)
{
  return memory_new (size, HUGE_PAGE, error);
}

/* One page in each huge page, for MADV_COLLAPSE takes no range that is wholly empty; no SIGBUS
 * where there is no page. */
static gboolean
memory_touch (guint8 *start, gsize length)
{
  for (gsize at = 0; at < length; at += HUGE_PAGE)
    if (madvise (start + at, PAGE_SIZE, MADV_POPULATE_WRITE) < 0)
      return FALSE;
  return TRUE;
}

void
vmm_memory_prepare (VmmMemory *self, guint64 length)
{
  gsize whole = MIN (length, self->regions[0].size) & ~(HUGE_PAGE - 1);

  if (self->huge)
    return;
  madvise (self->host, self->size, MADV_HUGEPAGE);
  if (memory_touch (self->host, whole))
    madvise (self->host, whole, MADV_COLLAPSE);
}

/* A hole in the file takes the pages out of every mapping of it, KVM's among them. Where the host
 * refuses they stay: that costs memory and harms nobody. */
static void
memory_punch (VmmMemory *self, guint64 start, guint64 end)
{
  if (start < end && !self->huge)
    fallocate (self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t) start,
               (off_t) (end - start));
}

void
vmm_memory_discard (VmmMemory *self, gconstpointer start, gsize length)
{
  guint64 offset = (const guint8 *) start - self->host;

  if (!vmm_memory_owns (self, start) || length > self->size - offset)
    return;
  memory_punch (self, (offset + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1),
                (offset + length) & ~(PAGE_SIZE - 1));
}

void
vmm_memory_discard_all (VmmMemory *self)
{
  memory_punch (self, 0, self->size);
}

guint64
vmm_memory_get_used (VmmMemory *self)
{
  struct stat info;

  return fstat (self->fd, &info) == 0 ? (guint64) info.st_blocks * BLOCK : 0;
}

void
vmm_memory_free (VmmMemory *self)
{
  if (self->reserved)
    munmap (self->reserved, self->reserved_size);
  if (self->fd >= 0)
    close (self->fd);
  g_free (self);
}

guint64
vmm_memory_get_size (VmmMemory *self)
{
  return self->size;
}

gsize
vmm_memory_get_page_size (VmmMemory *self)
{
  return self->huge ? HUGE_PAGE : PAGE_SIZE;
}

int
vmm_memory_get_fd (VmmMemory *self)
{
  return self->fd;
}

const VmmMemoryRegion *
vmm_memory_get_regions (VmmMemory *self, guint *n_regions)
{
  *n_regions = self->n_regions;
  return self->regions;
}

/* The region that holds all of the range; an empty range may stand at a region's end. */
static const VmmMemoryRegion *
memory_find (VmmMemory *self, guint64 address, guint64 length)
{
  for (guint i = 0; i < self->n_regions; i++) {
    const VmmMemoryRegion *region = &self->regions[i];

    if (address >= region->address && address - region->address <= region->size &&
        length <= region->size - (address - region->address))
      return region;
  }
  return NULL;
}

void *
vmm_memory_at (VmmMemory *self, guint64 address, guint64 length)
{
  const VmmMemoryRegion *region = memory_find (self, address, length);

  return region ? region->host + (address - region->address) : NULL;
}

gboolean
vmm_memory_read (VmmMemory *self, guint64 address, void *to, gsize length)
{
  const void *from = vmm_memory_at (self, address, length);

  if (!from)
    return FALSE;
  if (length > 0)
    memcpy (to, from, length);
  return TRUE;
}

gboolean
vmm_memory_write (VmmMemory *self, guint64 address, const void *from, gsize length)
{
  void *to = vmm_memory_at (self, address, length);

  if (!to)
    return FALSE;
  if (length > 0)
    memcpy (to, from, length);
  return TRUE;
}

gboolean
vmm_memory_fd_offset (VmmMemory *self, guint64 address, guint64 length, guint64 *offset)
{
  const VmmMemoryRegion *region = memory_find (self, address, length);

  if (!region)
    return FALSE;
  *offset = region->fd_offset + (address - region->address);
  return TRUE;
}

gboolean
vmm_memory_owns (VmmMemory *self, const void *fault)
{
  const guint8 *byte = fault;

  return byte >= self->host && (gsize) (byte - self->host) < self->size;
}
