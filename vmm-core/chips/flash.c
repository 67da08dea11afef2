/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * In array mode the guest reads the bytes without an exit; its writes come here, and in every other
 * mode its reads too. (Intel, "Common Flash Memory Interface and Command Sets", application note
 * 646.)
 *
 * Threads: vCPU, device locked; set-up, drain, reset and load as vmm-device.h says.
 */
#include "chips/flash.h"

#include <string.h>

#include "base/vmm-bus.h"

#define BLOCK_SIZE 4096

enum {
  COMMAND_PROGRAM_ALTERNATE = 0x10,
  COMMAND_ERASE = 0x20,
  COMMAND_PROGRAM = 0x40,
  COMMAND_CLEAR_STATUS = 0x50,
  COMMAND_READ_STATUS = 0x70,
  COMMAND_READ_ID = 0x90,
  COMMAND_CONFIRM = 0xd0,
  COMMAND_READ_ARRAY = 0xff,
};

typedef enum {
  MODE_ARRAY,
  MODE_STATUS,
  MODE_ID,
  MODE_PROGRAM, /* the next write is data */
  MODE_ERASE,   /* the next write confirms */
  N_MODES,
} Mode;

#define STATUS_READY       0x80
#define STATUS_ERASE_ERROR 0x20
#define MANUFACTURER       0x89
#define DEVICE             0x18

typedef struct {
  VmmDevice parent;
  VmmFlashConfig config;
  guint8 *bytes;
  gsize size;
  int slot; /* -1: the guest does not see the bytes */
  guint32 mode;
  guint8 status;
} Flash;

static const VmmField flash_fields[] = {
  VMM_EXEMPT_DEVICE (Flash),
  VMM_EXEMPT (Flash, config, "from the configuration"),
  VMM_EXEMPT (Flash, bytes, "in parts"),
  VMM_EXEMPT (Flash, size, "from the configuration"),
  VMM_EXEMPT (Flash, slot, "follows from the mode"),
  VMM_FIELD (Flash, mode, VMM_FIELD_UINT32, "mode"),
  VMM_FIELD (Flash, status, VMM_FIELD_UINT8, "status"),
  VMM_FIELD_LAST,
};

static void
hide (Flash *self)
{
  VmmPlatform *platform = self->parent.board->platform;

  if (self->slot >= 0)
    platform->klass->unmap_slot (platform, self->slot);
  self->slot = -1;
}

static gboolean
show (Flash *self, GError **error)
{
  VmmPlatform *platform = self->parent.board->platform;

  if (self->slot < 0)
    self->slot = platform->klass->map_slot (platform, self->config.address, self->size, self->bytes,
                                            VMM_SLOT_READONLY, error);
  return self->slot >= 0;
}

/* While data is awaited the guest has no reason to read, so the bytes stay where they are. */
static void
set_mode (Flash *self, Mode mode)
{
  self->mode = mode;
  if (mode == MODE_ARRAY)
    show (self, NULL); /* else reads come here, as they do now */
  else if (mode == MODE_STATUS || mode == MODE_ID)
    hide (self);
}

static void
take_command (Flash *self, guint8 command)
{
  switch (command) {
  case COMMAND_PROGRAM:
  case COMMAND_PROGRAM_ALTERNATE:
    set_mode (self, MODE_PROGRAM);
    break;
  case COMMAND_ERASE:
    set_mode (self, MODE_ERASE);
    break;
  case COMMAND_CLEAR_STATUS:
    self->status = 0;
    set_mode (self, MODE_ARRAY);
    break;
  case COMMAND_READ_STATUS:
    set_mode (self, MODE_STATUS);
    break;
  case COMMAND_READ_ID:
    set_mode (self, MODE_ID);
    break;
  case COMMAND_READ_ARRAY:
  default:
    set_mode (self, MODE_ARRAY);
    break;
  }
}

/* After a byte the chip shows its status; nobody reads that for each of thousands, and hiding the
 * bytes is dear: they are hidden when the status is asked for. */
static void
program (Flash *self, guint64 offset, guint size, guint64 value)
{
  memcpy (self->bytes + offset, &value, size);
  self->status |= STATUS_READY;
  self->mode = MODE_ARRAY;
  vmm_nvram_changed (self->config.nvram);
}

static void
erase (Flash *self, guint64 offset, guint8 command)
{
  if (command == COMMAND_CONFIRM) {
    memset (self->bytes + (offset & ~(guint64) (BLOCK_SIZE - 1)), 0xff, BLOCK_SIZE);
    vmm_nvram_changed (self->config.nvram);
  } else {
    self->status |= STATUS_ERASE_ERROR;
  }
  self->status |= STATUS_READY;
  set_mode (self, MODE_STATUS);
}

static void
flash_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  Flash *self = (Flash *) device;

  if (!self->config.nvram)
    return;
  if (self->mode == MODE_PROGRAM)
    program (self, offset, size, value);
  else if (self->mode == MODE_ERASE)
    erase (self, offset, value);
  else
    take_command (self, value);
}

static guint64
flash_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  Flash *self = (Flash *) device;
  guint64 value = 0;

  if (self->mode == MODE_STATUS)
    return self->status;
  if (self->mode == MODE_ID)
    return offset & 1 ? DEVICE : MANUFACTURER;
  memcpy (&value, self->bytes + offset, size);
  return value;
}

static const VmmBusOps flash_ops = { flash_read, flash_write };

static gboolean
flash_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  Flash *self = (Flash *) device;

  self->config = *(const VmmFlashConfig *) config;
  self->slot = -1;
  self->bytes = self->config.rom;
  self->size = self->config.rom_size;
  if (self->config.nvram) {
    self->bytes = vmm_nvram_get_bytes (self->config.nvram);
    self->size = vmm_nvram_get_size (self->config.nvram);
  }
  if (vmm_bus_add (device->board->mmio, self->config.address, self->size, &flash_ops, device, 0,
                   error)) {
    if (show (self, error))
      return TRUE;
    vmm_bus_remove (device->board->mmio, self->config.address);
  }
  g_clear_pointer (&self->config.nvram, vmm_nvram_free);
  return FALSE;
}

static void
flash_unrealize (VmmDevice *device)
{
  Flash *self = (Flash *) device;

  vmm_bus_remove (device->board->mmio, self->config.address);
  hide (self);
  g_clear_pointer (&self->config.nvram, vmm_nvram_free);
}

static void
flash_drain (VmmDevice *device)
{
  Flash *self = (Flash *) device;

  if (self->config.nvram)
    vmm_nvram_save (self->config.nvram);
}

static void
flash_reset (VmmDevice *device)
{
  Flash *self = (Flash *) device;

  self->status = 0;
  set_mode (self, MODE_ARRAY);
}

/* The variables belong to the machine's state: they are in it, not only in their file. */
static gboolean
flash_save_parts (VmmDevice *device, VmmState *state, GError **error)
{
  Flash *self = (Flash *) device;
  g_autofree char *name = g_strdup_printf ("%s/bytes", device->id);

  if (self->config.nvram)
    vmm_state_save_bytes (state, name, self->bytes, self->size);
  return TRUE;
}

static gboolean
flash_load_parts (VmmDevice *device, VmmState *state, GError **error)
{
  Flash *self = (Flash *) device;
  g_autofree char *name = g_strdup_printf ("%s/bytes", device->id);

  if (!self->config.nvram)
    return TRUE;
  if (!vmm_state_load_bytes (state, name, self->bytes, self->size, error))
    return FALSE;
  vmm_nvram_changed (self->config.nvram);
  return TRUE;
}

static gboolean
flash_loaded (VmmDevice *device, GError **error)
{
  Flash *self = (Flash *) device;

  set_mode (self, self->mode < N_MODES ? self->mode : MODE_ARRAY);
  return TRUE;
}

const VmmDeviceClass vmm_flash_class = {
  .name = "flash",
  .instance_size = sizeof (Flash),
  .version = 1,
  .fields = flash_fields,
  .realize = flash_realize,
  .unrealize = flash_unrealize,
  .drain = flash_drain,
  .reset = flash_reset,
  .save_parts = flash_save_parts,
  .load_parts = flash_load_parts,
  .loaded = flash_loaded,
};
