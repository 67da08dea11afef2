/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The pictures of virtio-gpu in a saved state: what no table of fields can say. A state is a file's
 * content: nothing in it is believed.
 *
 * Threads: control, device locked.
 */
#include "virtio/virtio-gpu-private.h"
#include "vmm-error.h"

static char *
part_name (VirtioGpu *self, guint i, const char *what)
{
  return g_strdup_printf ("%s/resource-%u/%s", self->parent.parent.parent.id, i, what);
}

gboolean
gpu_save_resources (VmmDevice *device, VmmState *state, GError **error)
{
  VirtioGpu *self = (VirtioGpu *) device;
  GHashTableIter iter;
  gpointer value;
  guint i = 0;

  g_hash_table_iter_init (&iter, self->resources);
  for (; g_hash_table_iter_next (&iter, NULL, &value); i++) {
    const GpuResource *resource = value;
    g_autofree char *info = part_name (self, i, "info");
    g_autofree char *entries = part_name (self, i, "entries");
    g_autofree char *pixels = part_name (self, i, "pixels");

    vmm_state_save_bytes (state, info, &resource->info, sizeof resource->info);
    vmm_state_save_bytes (state, entries, resource->entries,
                          resource->info.n_entries * sizeof (GpuEntry));
    if (!resource->info.blob)
      vmm_state_save_bytes (state, pixels, resource->copy, resource->info.size);
  }
  return TRUE;
}

static gboolean
info_is_good (const GpuResourceInfo *info)
{
  if (info->id == 0 || info->n_entries > GPU_MAX_ENTRIES || info->size > GPU_MAX_IMAGE)
    return FALSE;
  if (info->blob)
    return info->blob == TRUE && info->size > 0;
  return gpu_fourcc (info->format) && info->width > 0 && info->width <= GPU_MAX_SIDE &&
         info->height > 0 && info->height <= GPU_MAX_SIDE &&
         info->size == (guint64) info->width * info->height * GPU_PIXEL;
}

/* NULL where it is broken or does not fit into memory. */
static GpuResource *
load_resource (VirtioGpu *self, VmmState *state, guint i)
{
  g_autofree char *info_name = part_name (self, i, "info");
  g_autofree char *entries_name = part_name (self, i, "entries");
  g_autofree char *pixels_name = part_name (self, i, "pixels");
  g_autofree GpuEntry *entries = NULL;
  GpuResource *resource = NULL;
  GpuResourceInfo info;
  guint64 size;

  if (!vmm_state_load_bytes (state, info_name, &info, sizeof info, NULL) || !info_is_good (&info) ||
      gpu_get_resource (self, info.id))
    return NULL;
  entries = g_try_malloc (MAX (info.n_entries, 1) * sizeof (GpuEntry));
  if (!entries ||
      !vmm_state_load_bytes (state, entries_name, entries, info.n_entries * sizeof (GpuEntry),
                             NULL) ||
      !gpu_entries_check (entries, info.n_entries, gpu_get_memory (self), &size) ||
      (info.blob && size < info.size))
    return NULL;
  if (info.blob)
    return gpu_resource_new_blob (info.id, info.size, g_steal_pointer (&entries), info.n_entries);
  resource = gpu_resource_new_image (info.id, info.format, info.width, info.height);
  if (!resource)
    return NULL;
  gpu_resource_set_entries (resource, info.n_entries > 0 ? g_steal_pointer (&entries) : NULL,
                            info.n_entries);
  if (vmm_state_load_bytes (state, pixels_name, resource->copy, info.size, NULL))
    return resource;
  gpu_resource_free (resource);
  return NULL;
}

gboolean
gpu_load_resources (VmmDevice *device, VmmState *state, GError **error)
{
  VirtioGpu *self = (VirtioGpu *) device;
  guint32 n = self->n_resources;
  GpuScanout scanout = self->scanout;
  GpuCursor cursor = self->cursor;

  gpu_forget_resources (self);
  for (guint i = 0; i < n; i++) {
    GpuResource *resource = i < GPU_MAX_RESOURCES ? load_resource (self, state, i) : NULL;

    if (!resource || !gpu_add_resource (self, resource)) {
      gpu_forget_resources (self);
      g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT,
                   "The saved state of “%s” is broken: its pictures do not fit.", device->id);
      return FALSE;
    }
  }
  self->scanout = scanout;
  self->cursor = cursor;
  return TRUE;
}
