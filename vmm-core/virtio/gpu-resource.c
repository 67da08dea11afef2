/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where the pixels of virtio-gpu's resources are. A blob becomes one run of addresses in one of
 * three ways, the best that works: the kernel makes a dma-buf of its pages (udmabuf), or they are
 * mapped one beside the other from guest memory's file, or they are copied.
 *
 * Threads: with the device locked.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "virtio/gpu-resource.h"

#define PAGE           4096
#define MAX_RUNS       GPU_MAX_HANDLES
#define DMABUF_HANDLES 256

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* Guest pages that lie together in its memory's file. */
typedef struct {
  guint64 offset;
  guint64 size;
} Run;

typedef struct {
  void *start;
  gsize size;
} Mapping;

static void
mapping_free (gpointer data)
{
  Mapping *self = data;

  munmap (self->start, self->size);
  g_free (self);
}

static VmmBuffer *
buffer_of_mapping (void *start, gsize size, int dmabuf)
{
  Mapping *mapping = g_new (Mapping, 1);

  *mapping = (Mapping) { start, size };
  return vmm_buffer_new (start, size, dmabuf, mapping_free, mapping);
}

/* Pixels of our own. */
static gboolean
make_copy (GpuResource *self)
{
  gsize size = MAX (self->info.size, 1);
  void *pixels =
    mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  if (pixels == MAP_FAILED)
    return FALSE;
  self->copy = pixels;
  self->buffer = buffer_of_mapping (pixels, size, -1);
  return TRUE;
}

GpuResource *
gpu_resource_new_image (guint32 id, guint32 format, guint32 width, guint32 height)
{
  GpuResource *self = g_new0 (GpuResource, 1);

  self->info = (GpuResourceInfo) {
    .id = id,
    .format = format,
    .width = width,
    .height = height,
    .size = (guint64) width * height * GPU_PIXEL,
  };
  if (make_copy (self))
    return self;
  g_free (self);
  return NULL;
}

GpuResource *
gpu_resource_new_blob (guint32 id, guint64 size, GpuEntry *entries, guint n_entries)
{
  GpuResource *self = g_new0 (GpuResource, 1);

  self->info = (GpuResourceInfo) { .id = id, .size = size, .blob = TRUE };
  gpu_resource_set_entries (self, entries, n_entries);
  return self;
}

void
gpu_resource_free (GpuResource *self)
{
  g_clear_pointer (&self->buffer, vmm_buffer_unref);
  g_free (self->entries);
  g_free (self);
}

void
gpu_resource_set_entries (GpuResource *self, GpuEntry *entries, guint n_entries)
{
  g_free (self->entries);
  self->entries = entries;
  self->info.n_entries = n_entries;
}

gboolean
gpu_entries_check (const GpuEntry *entries, guint n_entries, VmmMemory *memory, guint64 *size)
{
  *size = 0;
  for (guint i = 0; i < n_entries; i++) {
    if (entries[i].length == 0 || !vmm_memory_at (memory, entries[i].address, entries[i].length))
      return FALSE;
    *size += entries[i].length;
  }
  return TRUE;
}

/* Copies @length bytes that begin @from bytes into the entry @i, which moves on with them. */
static gboolean
copy_run (GpuResource *self,
          VmmMemory *memory,
          guint *i,
          guint64 *start,
          guint64 from,
          guint8 *to,
          guint64 length)
{
  while (length > 0) {
    const GpuEntry *entry;
    guint64 within, part;

    while (*i < self->info.n_entries && from - *start >= self->entries[*i].length)
      *start += self->entries[(*i)++].length;
    if (*i == self->info.n_entries)
      return FALSE;
    entry = &self->entries[*i];
    within = from - *start;
    part = MIN (length, entry->length - within);
    if (!vmm_memory_read (memory, entry->address + within, to, part))
      return FALSE;
    from += part;
    to += part;
    length -= part;
  }
  return TRUE;
}

gboolean
gpu_resource_copy (GpuResource *self,
                   VmmMemory *memory,
                   guint64 from,
                   guint64 to,
                   guint64 stride,
                   guint64 row_length,
                   guint n_rows)
{
  guint i = 0;
  guint64 start = 0, span;

  if (n_rows == 0 || row_length == 0)
    return TRUE;
  if (row_length > stride || stride > GPU_MAX_IMAGE || n_rows > GPU_MAX_SIDE)
    return FALSE;
  span = stride * (n_rows - 1) + row_length;
  if (!self->copy || span > self->info.size || to > self->info.size - span ||
      from > G_MAXUINT64 - span)
    return FALSE;
  if (row_length == stride)
    return copy_run (self, memory, &i, &start, from, self->copy + to, span);
  for (guint row = 0; row < n_rows; row++, from += stride, to += stride)
    if (!copy_run (self, memory, &i, &start, from, self->copy + to, row_length))
      return FALSE;
  return TRUE;
}

/* The entries as runs of whole pages, as many as the resource's size needs; NULL where one is not
 * of whole pages. */
static GArray *
find_runs (GpuResource *self, VmmMemory *memory)
{
  g_autoptr (GArray) runs = g_array_new (FALSE, FALSE, sizeof (Run));
  guint64 left = (self->info.size + PAGE - 1) & ~(guint64) (PAGE - 1);

  for (guint i = 0; i < self->info.n_entries && left > 0; i++) {
    const GpuEntry *entry = &self->entries[i];
    guint64 size = MIN (entry->length, left), offset;
    Run *last = runs->len > 0 ? &g_array_index (runs, Run, runs->len - 1) : NULL;

    if (!vmm_memory_fd_offset (memory, entry->address, entry->length, &offset) || offset % PAGE ||
        size % PAGE)
      return NULL;
    if (last && last->offset + last->size == offset)
      last->size += size;
    else
      g_array_append_val (runs, ((Run) { offset, size }));
    left -= size;
  }
  return left == 0 && runs->len > 0 && runs->len <= MAX_RUNS ? g_steal_pointer (&runs) : NULL;
}

/* One dma-buf over all runs; the kernel has limits of its own and may refuse. */
static VmmBuffer *
buffer_by_udmabuf (GArray *runs, VmmMemory *memory, int udmabuf, gsize size)
{
  g_autofree struct udmabuf_create_list *list = NULL;
  void *start;
  int dmabuf;

  if (udmabuf < 0)
    return NULL;
  list = g_malloc0 (sizeof *list + runs->len * sizeof *list->list);
  list->flags = UDMABUF_FLAGS_CLOEXEC;
  list->count = runs->len;
  for (guint i = 0; i < runs->len; i++) {
    const Run *run = &g_array_index (runs, Run, i);

    list->list[i].memfd = vmm_memory_get_fd (memory);
    list->list[i].offset = run->offset;
    list->list[i].size = run->size;
  }
  dmabuf = ioctl (udmabuf, UDMABUF_CREATE_LIST, list);
  if (dmabuf < 0)
    return NULL;
  start = mmap (NULL, size, PROT_READ, MAP_SHARED, dmabuf, 0);
  if (start != MAP_FAILED)
    return buffer_of_mapping (start, size, dmabuf);
  close (dmabuf);
  return NULL;
}

/* The runs one beside the other in our address space. */
static VmmBuffer *
buffer_by_mappings (GArray *runs, VmmMemory *memory, gsize size)
{
  guint8 *start = mmap (NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  gsize at = 0;

  if (start == MAP_FAILED)
    return NULL;
  for (guint i = 0; i < runs->len; i++) {
    const Run *run = &g_array_index (runs, Run, i);

    if (mmap (start + at, run->size, PROT_READ, MAP_SHARED | MAP_FIXED, vmm_memory_get_fd (memory),
              run->offset) == MAP_FAILED) {
      munmap (start, size);
      return NULL;
    }
    at += run->size;
  }
  madvise (start, size, MADV_DONTDUMP);
  /* Nobody watches these addresses for faults: a page that the host cannot give must be found out
   * here. Before Linux 5.14 it is not. */
  if (madvise (start, size, MADV_POPULATE_READ) < 0 && errno != EINVAL) {
    munmap (start, size);
    return NULL;
  }
  return buffer_of_mapping (start, size, -1);
}

gboolean
gpu_resource_make_visible (GpuResource *self, VmmMemory *memory, int udmabuf, guint most)
{
  gsize size = (self->info.size + PAGE - 1) & ~(gsize) (PAGE - 1);
  g_autoptr (GArray) runs = NULL;

  if (self->buffer)
    return TRUE;
  runs = find_runs (self, memory);
  if (runs && DMABUF_HANDLES <= most)
    self->buffer = buffer_by_udmabuf (runs, memory, udmabuf, size);
  if (self->buffer) {
    self->handles = DMABUF_HANDLES;
    return TRUE;
  }
  /* Of a file of huge pages nothing smaller can be mapped. */
  if (runs && runs->len <= most && vmm_memory_get_page_size (memory) == PAGE)
    self->buffer = buffer_by_mappings (runs, memory, size);
  if (self->buffer)
    self->handles = runs->len;
  return self->buffer || make_copy (self);
}
