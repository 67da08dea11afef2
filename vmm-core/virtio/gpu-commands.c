/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The requests of virtio-gpu (virtio 1.2, 5.7.6): each is read whole, checked, and answered at
 * once.
 *
 * Threads: loop, device locked.
 */
#include <string.h>

#include "virtio/gpu-edid.h"
#include "virtio/gpu-protocol.h"
#include "virtio/virtio-gpu-private.h"

/* One request under work. */
typedef struct {
  VmmRequest *request;
  Any in;
  gsize in_size;
  union {
    Header header;
    struct {
      Header header;
      struct {
        GpuRect rect;
        guint32 enabled, flags;
      } modes[N_SCANOUTS];
    } display_info;
    struct {
      Header header;
      guint32 size, padding;
      guint8 edid[EDID_ROOM];
    } edid;
  } out;
  gsize out_size;
} Command;

static guint32
get_display_info (VirtioGpu *self, Command *command)
{
  command->out.display_info.modes[0].rect = (GpuRect) { 0, 0, self->width, self->height };
  command->out.display_info.modes[0].enabled = 1;
  command->out_size = sizeof command->out.display_info;
  return OK_DISPLAY_INFO;
}

static guint32
get_edid (VirtioGpu *self, Command *command)
{
  if (command->in.get_edid.scanout != 0)
    return ERR_INVALID_SCANOUT;
  command->out.edid.size = GPU_EDID_SIZE;
  gpu_edid_fill (command->out.edid.edid, self->width, self->height);
  command->out_size = sizeof command->out.edid;
  return OK_EDID;
}

static guint32
create_2d (VirtioGpu *self, Command *command)
{
  const Create2d *in = &command->in.create_2d;
  GpuResource *resource;

  if (in->resource == 0 || gpu_get_resource (self, in->resource))
    return ERR_INVALID_RESOURCE;
  if (!gpu_fourcc (in->format) || in->width == 0 || in->height == 0 || in->width > GPU_MAX_SIDE ||
      in->height > GPU_MAX_SIDE)
    return ERR_INVALID_PARAMETER;
  if ((guint64) in->width * in->height * GPU_PIXEL > GPU_MAX_IMAGE)
    return ERR_OUT_OF_MEMORY;
  resource = gpu_resource_new_image (in->resource, in->format, in->width, in->height);
  return resource && gpu_add_resource (self, resource) ? OK_NODATA : ERR_OUT_OF_MEMORY;
}

static guint32
unref (VirtioGpu *self, Command *command)
{
  GpuResource *resource = gpu_get_resource (self, command->in.with_resource.resource);

  if (!resource)
    return ERR_INVALID_RESOURCE;
  gpu_remove_resource (self, resource);
  return OK_NODATA;
}

/* The list of entries behind a command; an answer other than OK_NODATA says why there is none. */
static guint32
read_entries (VirtioGpu *self, Command *command, guint n_entries, GpuEntry **entries, guint64 *size)
{
  VmmRequest *request = command->request;
  gsize length = (gsize) n_entries * sizeof (GpuEntry);
  g_autofree GpuEntry *list = NULL;

  if (n_entries == 0 || n_entries > GPU_MAX_ENTRIES ||
      length > vmm_iov_size (request->out, request->n_out))
    return ERR_INVALID_PARAMETER;
  list = g_try_malloc (length);
  if (!list)
    return ERR_OUT_OF_MEMORY;
  if (vmm_iov_read (request->out, request->n_out, command->in_size, list, length) < length ||
      !gpu_entries_check (list, n_entries, gpu_get_memory (self), size))
    return ERR_INVALID_PARAMETER;
  *entries = g_steal_pointer (&list);
  return OK_NODATA;
}

static guint32
attach_backing (VirtioGpu *self, Command *command)
{
  const AttachBacking *in = &command->in.attach_backing;
  GpuResource *resource = gpu_get_resource (self, in->resource);
  GpuEntry *entries;
  guint64 size;
  guint32 answer;

  if (!resource)
    return ERR_INVALID_RESOURCE;
  if (resource->info.blob || resource->entries)
    return ERR_UNSPEC;
  answer = read_entries (self, command, in->n_entries, &entries, &size);
  if (answer != OK_NODATA || gpu_set_backing (self, resource, entries, in->n_entries))
    return answer;
  g_free (entries);
  return ERR_OUT_OF_MEMORY;
}

static guint32
detach_backing (VirtioGpu *self, Command *command)
{
  GpuResource *resource = gpu_get_resource (self, command->in.with_resource.resource);

  if (!resource)
    return ERR_INVALID_RESOURCE;
  if (resource->info.blob || !resource->entries)
    return ERR_UNSPEC;
  gpu_set_backing (self, resource, NULL, 0);
  return OK_NODATA;
}

static gboolean
is_within (const GpuRect *rect, guint32 width, guint32 height)
{
  return rect->x <= width && rect->width <= width - rect->x && rect->y <= height &&
         rect->height <= height - rect->y;
}

static guint32
transfer_to_host (VirtioGpu *self, Command *command)
{
  const Transfer *in = &command->in.transfer;
  GpuResource *resource = gpu_get_resource (self, in->resource);
  guint64 stride, to, length;

  if (!resource)
    return ERR_INVALID_RESOURCE;
  /* Linux asks for it all the same. A blob's pixels are looked at where they lie. */
  if (resource->info.blob)
    return OK_NODATA;
  if (!resource->entries)
    return ERR_UNSPEC;
  if (!is_within (&in->rect, resource->info.width, resource->info.height))
    return ERR_INVALID_PARAMETER;
  stride = (guint64) resource->info.width * GPU_PIXEL;
  length = (guint64) in->rect.width * GPU_PIXEL;
  to = in->rect.y * stride + (guint64) in->rect.x * GPU_PIXEL;
  if (!gpu_resource_copy (resource, gpu_get_memory (self), in->offset, to, stride, length,
                          in->rect.height))
    return ERR_INVALID_PARAMETER;
  vmm_display_count_copied (self->display, length * in->rect.height);
  return OK_NODATA;
}

static guint32
create_blob (VirtioGpu *self, Command *command)
{
  const CreateBlob *in = &command->in.create_blob;
  GpuEntry *entries;
  guint64 size;
  guint32 answer;

  if (in->resource == 0 || gpu_get_resource (self, in->resource))
    return ERR_INVALID_RESOURCE;
  if (in->memory != BLOB_MEM_GUEST || in->size == 0 || in->size > GPU_MAX_IMAGE)
    return ERR_INVALID_PARAMETER;
  answer = read_entries (self, command, in->n_entries, &entries, &size);
  if (answer != OK_NODATA)
    return answer;
  if (size < in->size) {
    g_free (entries);
    return ERR_INVALID_PARAMETER;
  }
  if (!gpu_add_resource (self,
                         gpu_resource_new_blob (in->resource, in->size, entries, in->n_entries)))
    return ERR_OUT_OF_MEMORY;
  return OK_NODATA;
}

/* Shows @scanout, or goes on with what was shown before. */
static guint32
change_scanout (VirtioGpu *self, const GpuScanout *scanout, const GpuResource *resource)
{
  GpuScanout before = self->scanout;

  if (!gpu_scanout_fits (scanout, resource))
    return ERR_INVALID_PARAMETER;
  if (memcmp (&before, scanout, sizeof before) == 0)
    return OK_NODATA;
  self->scanout = *scanout;
  if (gpu_show (self))
    return OK_NODATA;
  self->scanout = before;
  return ERR_OUT_OF_MEMORY;
}

static guint32
screen_off (VirtioGpu *self)
{
  self->scanout = (GpuScanout) { 0 };
  gpu_show (self);
  return OK_NODATA;
}

static guint32
set_scanout (VirtioGpu *self, Command *command)
{
  const SetScanout *in = &command->in.set_scanout;
  GpuResource *resource = gpu_get_resource (self, in->resource);
  GpuScanout scanout = { .resource = in->resource, .rect = in->rect };

  if (in->scanout != 0)
    return ERR_INVALID_SCANOUT;
  if (in->resource == 0)
    return screen_off (self);
  if (!resource || resource->info.blob)
    return ERR_INVALID_RESOURCE;
  if (!is_within (&in->rect, resource->info.width, resource->info.height))
    return ERR_INVALID_PARAMETER;
  scanout.format = resource->info.format;
  scanout.stride = resource->info.width * GPU_PIXEL;
  return change_scanout (self, &scanout, resource);
}

static guint32
set_scanout_blob (VirtioGpu *self, Command *command)
{
  const SetScanoutBlob *in = &command->in.set_scanout_blob;
  GpuResource *resource = gpu_get_resource (self, in->resource);
  GpuScanout scanout = {
    .resource = in->resource,
    .format = in->format,
    .stride = in->strides[0],
    .offset = in->offsets[0],
    .rect = in->rect,
  };

  if (in->scanout != 0)
    return ERR_INVALID_SCANOUT;
  if (in->resource == 0)
    return screen_off (self);
  if (!resource || !resource->info.blob)
    return ERR_INVALID_RESOURCE;
  if (in->width > GPU_MAX_SIDE || in->height > GPU_MAX_SIDE ||
      in->strides[0] / GPU_PIXEL < in->width || !is_within (&in->rect, in->width, in->height))
    return ERR_INVALID_PARAMETER;
  return change_scanout (self, &scanout, resource);
}

/* The part of @rect that is on the screen, in the screen's places. */
static VmmRect
on_screen (const GpuScanout *scanout, const GpuRect *rect)
{
  gint64 x0 = MAX ((gint64) rect->x, scanout->rect.x) - scanout->rect.x;
  gint64 y0 = MAX ((gint64) rect->y, scanout->rect.y) - scanout->rect.y;
  gint64 x1 = MIN ((gint64) rect->x + rect->width - scanout->rect.x, scanout->rect.width);
  gint64 y1 = MIN ((gint64) rect->y + rect->height - scanout->rect.y, scanout->rect.height);

  return (VmmRect) { x0, y0, MAX (x1 - x0, 0), MAX (y1 - y0, 0) };
}

static guint32
flush (VirtioGpu *self, Command *command)
{
  const Flush *in = &command->in.flush;
  GpuResource *resource = gpu_get_resource (self, in->resource);
  VmmRect rect;

  if (!resource)
    return ERR_INVALID_RESOURCE;
  if (!resource->info.blob && !is_within (&in->rect, resource->info.width, resource->info.height))
    return ERR_INVALID_PARAMETER;
  if (in->rect.width > GPU_MAX_SIDE || in->rect.height > GPU_MAX_SIDE)
    return ERR_INVALID_PARAMETER;
  if (in->resource != self->scanout.resource)
    return OK_NODATA;
  rect = on_screen (&self->scanout, &in->rect);
  gpu_refresh (self, resource, &(GpuRect) { rect.x, rect.y, rect.width, rect.height });
  vmm_display_damage (self->display, &rect);
  return OK_NODATA;
}

static guint32
update_cursor (VirtioGpu *self, Command *command)
{
  const Cursor *in = &command->in.cursor;

  if (in->scanout != 0)
    return ERR_INVALID_SCANOUT;
  if (in->resource != 0 && !gpu_get_resource (self, in->resource))
    return ERR_INVALID_RESOURCE;
  self->cursor = (GpuCursor) { in->resource, in->x, in->y, in->hot_x, in->hot_y };
  gpu_show_cursor (self);
  return OK_NODATA;
}

static guint32
move_cursor (VirtioGpu *self, Command *command)
{
  const Cursor *in = &command->in.cursor;

  if (in->scanout != 0)
    return ERR_INVALID_SCANOUT;
  self->cursor.x = in->x;
  self->cursor.y = in->y;
  vmm_display_move_cursor (self->display, (int) (in->x + self->cursor.hot_x),
                           (int) (in->y + self->cursor.hot_y), self->cursor.resource != 0);
  return OK_NODATA;
}

typedef guint32 (*CommandFunc) (VirtioGpu *self, Command *command);

static const struct {
  guint32 type;
  gsize size;
  CommandFunc run;
} commands[] = {
  { CMD_GET_DISPLAY_INFO, sizeof (Header), get_display_info },
  { CMD_RESOURCE_CREATE_2D, sizeof (Create2d), create_2d },
  { CMD_RESOURCE_UNREF, sizeof (WithResource), unref },
  { CMD_SET_SCANOUT, sizeof (SetScanout), set_scanout },
  { CMD_RESOURCE_FLUSH, sizeof (Flush), flush },
  { CMD_TRANSFER_TO_HOST_2D, sizeof (Transfer), transfer_to_host },
  { CMD_ATTACH_BACKING, sizeof (AttachBacking), attach_backing },
  { CMD_DETACH_BACKING, sizeof (WithResource), detach_backing },
  { CMD_GET_EDID, sizeof (GetEdid), get_edid },
  { CMD_CREATE_BLOB, sizeof (CreateBlob), create_blob },
  { CMD_SET_SCANOUT_BLOB, sizeof (SetScanoutBlob), set_scanout_blob },
  { CMD_UPDATE_CURSOR, sizeof (Cursor), update_cursor },
  { CMD_MOVE_CURSOR, sizeof (Cursor), move_cursor },
};

static guint32
run (VirtioGpu *self, Command *command, gsize got)
{
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (commands[i].type == command->in.header.type) {
      if (got < commands[i].size)
        return ERR_INVALID_PARAMETER;
      command->in_size = commands[i].size;
      return commands[i].run (self, command);
    }
  return ERR_UNSPEC;
}

gssize
gpu_run_command (VirtioGpu *self, VmmRequest *request)
{
  Command command = { .request = request, .out_size = sizeof (Header) };
  gsize got = vmm_iov_read (request->out, request->n_out, 0, &command.in, sizeof command.in);
  guint32 answer;

  if (got < sizeof (Header))
    return -1;
  answer = run (self, &command, got);
  command.out.header.type = answer;
  if (command.in.header.flags & FLAG_FENCE) {
    command.out.header.flags = FLAG_FENCE;
    command.out.header.fence = command.in.header.fence;
    command.out.header.context = command.in.header.context;
  }
  return vmm_iov_write (request->in, request->n_in, 0, &command.out, command.out_size);
}
