/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See generation.h. There is no register: the page is the device.
 *
 * Threads: control.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "chips/generation.h"
#include "vmm-error.h"

#define ID_LENGTH 16

typedef struct {
  VmmDevice parent;
  guint8 *page;
  int slot;
  guint8 id[ID_LENGTH];
} Generation;

static const VmmField generation_fields[] = {
  VMM_EXEMPT_DEVICE (Generation),
  VMM_EXEMPT (Generation, page, "shows the id"),
  VMM_EXEMPT (Generation, slot, "of the platform"),
  VMM_FIELD (Generation, id, VMM_FIELD_BYTES, "id"),
  VMM_FIELD_LAST,
};

static void
show (Generation *self)
{
  memcpy (self->page, self->id, sizeof self->id);
}

void
vmm_generation_renew (VmmDevice *generation)
{
  Generation *self = (Generation *) generation;

  if (getrandom (self->id, sizeof self->id, 0) != sizeof self->id)
    g_warning ("The machine's generation stays as it was: no random numbers");
  show (self);
}

static gboolean
generation_loaded (VmmDevice *device, GError **error)
{
  show ((Generation *) device);
  return TRUE;
}

static gboolean
generation_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  Generation *self = (Generation *) device;
  VmmPlatform *platform = device->board->platform;

  self->page =
    mmap (NULL, VMM_GENERATION_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (self->page == MAP_FAILED) {
    g_set_error_literal (error, VMM_ERROR, VMM_ERROR_NO_MEMORY,
                         "There is no memory for the machine's generation.");
    return FALSE;
  }
  vmm_generation_renew (device);
  self->slot = platform->klass->map_slot (platform, VMM_GENERATION_ADDRESS, VMM_GENERATION_SIZE,
                                          self->page, VMM_SLOT_READONLY, error);
  if (self->slot >= 0)
    return TRUE;
  munmap (self->page, VMM_GENERATION_SIZE);
  return FALSE;
}

static void
generation_unrealize (VmmDevice *device)
{
  Generation *self = (Generation *) device;
  VmmPlatform *platform = device->board->platform;

  platform->klass->unmap_slot (platform, self->slot);
  munmap (self->page, VMM_GENERATION_SIZE);
}

const VmmDeviceClass vmm_generation_class = {
  .name = "generation",
  .instance_size = sizeof (Generation),
  .version = 1,
  .fields = generation_fields,
  .realize = generation_realize,
  .unrealize = generation_unrealize,
  .loaded = generation_loaded,
};
