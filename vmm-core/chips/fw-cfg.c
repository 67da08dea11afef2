/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The registers of fw_cfg. What the items are is the board's affair (x86/pc-firmware.c).
 *
 * Threads: vCPU, device locked; see fw-cfg.h for the rest.
 */
#include "chips/fw-cfg.h"

#include <string.h>

#include "base/vmm-bus.h"

#define DIRECTORY_ENTRY (64)
#define MAX_FILES       64

enum {
  OFFSET_SELECTOR = 0,
  OFFSET_DATA = 1,
  OFFSET_DMA_HIGH = 4,
  OFFSET_DMA_LOW = 8,
};

#define ID_TRADITIONAL 0x01
#define ID_DMA         0x02

enum {
  DMA_ERROR = 0x01,
  DMA_READ = 0x02,
  DMA_SKIP = 0x04,
  DMA_SELECT = 0x08,
  DMA_WRITE = 0x10,
};

/* What reads as "DMA is here" at the DMA register. */
#define DMA_SIGNATURE G_GUINT64_CONSTANT (0x51454d5520434647) /* "QEMU CFG" */

/* In guest memory, big-endian. */
typedef struct {
  guint32 control;
  guint32 length;
  guint64 address;
} DmaAccess;

G_STATIC_ASSERT (sizeof (DmaAccess) == 16);

typedef struct {
  guint16 key;
  char *name; /* NULL: no file */
  guint8 *bytes;
  gsize size;
  gboolean writable;
} Item;

typedef struct {
  VmmDevice parent;
  GPtrArray *items;
  char *lazy; /* file whose selection calls the next two */
  VmmFwCfgSelectFunc select_func;
  gpointer select_data;

  guint16 key;
  guint32 offset;
  guint64 dma_address;
} FwCfg;

static const VmmField fw_cfg_fields[] = {
  VMM_EXEMPT_DEVICE (FwCfg),
  VMM_EXEMPT (FwCfg, items, "from the configuration, and what is written in parts"),
  VMM_EXEMPT (FwCfg, lazy, "from the configuration"),
  VMM_EXEMPT (FwCfg, select_func, "from the configuration"),
  VMM_EXEMPT (FwCfg, select_data, "from the configuration"),
  VMM_FIELD (FwCfg, key, VMM_FIELD_UINT16, "key"),
  VMM_FIELD (FwCfg, offset, VMM_FIELD_UINT32, "offset"),
  VMM_FIELD (FwCfg, dma_address, VMM_FIELD_UINT64, "dma-address"),
  VMM_FIELD_LAST,
};

static void
item_free (gpointer data)
{
  Item *item = data;

  g_free (item->name);
  g_free (item->bytes);
  g_free (item);
}

static Item *
find_key (FwCfg *self, guint16 key)
{
  for (guint i = 0; i < self->items->len; i++) {
    Item *item = g_ptr_array_index (self->items, i);

    if (item->key == key)
      return item;
  }
  return NULL;
}

static Item *
find_file (FwCfg *self, const char *name)
{
  for (guint i = 0; i < self->items->len; i++) {
    Item *item = g_ptr_array_index (self->items, i);

    if (g_strcmp0 (item->name, name) == 0)
      return item;
  }
  return NULL;
}

static Item *
add_item (FwCfg *self, guint16 key, const char *name)
{
  Item *item = g_new0 (Item, 1);

  item->key = key;
  item->name = g_strdup (name);
  g_ptr_array_add (self->items, item);
  return item;
}

static void
set_bytes (Item *item, gconstpointer bytes, gsize size)
{
  g_free (item->bytes);
  item->bytes = g_memdup2 (bytes, size);
  item->size = size;
}

void
vmm_fw_cfg_set (VmmDevice *fw_cfg, guint16 key, gconstpointer bytes, gsize size)
{
  FwCfg *self = (FwCfg *) fw_cfg;
  Item *item = find_key (self, key);

  set_bytes (item ? item : add_item (self, key, NULL), bytes, size);
}

void
vmm_fw_cfg_set_number (VmmDevice *fw_cfg, guint16 key, guint64 value, guint size)
{
  value = GUINT64_TO_LE (value);
  vmm_fw_cfg_set (fw_cfg, key, &value, size);
}

/* The file's item, new where there is none yet: its number follows the last one's. */
static Item *
claim_file (FwCfg *self, const char *name)
{
  Item *item = find_file (self, name);
  guint16 key = VMM_FW_CFG_FILE_FIRST;

  if (item)
    return item;
  while (find_key (self, key))
    key++;
  g_return_val_if_fail (key < VMM_FW_CFG_FILE_FIRST + MAX_FILES, NULL);
  g_return_val_if_fail (strlen (name) <= VMM_FW_CFG_MAX_NAME, NULL);
  return add_item (self, key, name);
}

void
vmm_fw_cfg_set_file (VmmDevice *fw_cfg, const char *name, gconstpointer bytes, gsize size)
{
  Item *item = claim_file ((FwCfg *) fw_cfg, name);

  if (item)
    set_bytes (item, bytes, size);
}

void
vmm_fw_cfg_add_writable (VmmDevice *fw_cfg, const char *name, gsize size)
{
  Item *item = claim_file ((FwCfg *) fw_cfg, name);

  if (!item)
    return;
  g_free (item->bytes);
  item->bytes = g_malloc0 (size);
  item->size = size;
  item->writable = TRUE;
}

gboolean
vmm_fw_cfg_read_file (VmmDevice *fw_cfg, const char *name, gpointer bytes, gsize size)
{
  Item *item = find_file ((FwCfg *) fw_cfg, name);

  if (!item || item->size != size)
    return FALSE;
  memcpy (bytes, item->bytes, size);
  return TRUE;
}

void
vmm_fw_cfg_set_select_func (VmmDevice *fw_cfg,
                            const char *name,
                            VmmFwCfgSelectFunc func,
                            gpointer data)
{
  FwCfg *self = (FwCfg *) fw_cfg;

  g_free (self->lazy);
  self->lazy = g_strdup (name);
  self->select_func = func;
  self->select_data = data;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 ((*(Item *const *) a)->name, (*(Item *const *) b)->name);
}

/* The directory: how many, then for each its size, number (both big-endian) and name. */
static void
make_directory (FwCfg *self)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new ();
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint32 count;

  for (guint i = 0; i < self->items->len; i++)
    if (((Item *) g_ptr_array_index (self->items, i))->name)
      g_ptr_array_add (files, g_ptr_array_index (self->items, i));
  g_ptr_array_sort (files, compare_names);
  count = GUINT32_TO_BE (files->len);
  g_byte_array_append (bytes, (const guint8 *) &count, sizeof count);
  for (guint i = 0; i < files->len; i++) {
    const Item *item = g_ptr_array_index (files, i);
    guint8 entry[DIRECTORY_ENTRY] = { 0 };
    guint32 size = GUINT32_TO_BE (item->size);
    guint16 key = GUINT16_TO_BE (item->key);

    memcpy (entry, &size, sizeof size);
    memcpy (entry + 4, &key, sizeof key);
    g_strlcpy ((char *) entry + 8, item->name, sizeof entry - 8);
    g_byte_array_append (bytes, entry, sizeof entry);
  }
  vmm_fw_cfg_set (&self->parent, VMM_FW_CFG_FILE_DIR, bytes->data, bytes->len);
}

static void
select_item (FwCfg *self, guint16 key)
{
  Item *item = find_key (self, key);

  self->key = key;
  self->offset = 0;
  if (self->select_func && item && item->name && strcmp (item->name, self->lazy) == 0)
    self->select_func (&self->parent, self->select_data);
  if (key == VMM_FW_CFG_FILE_DIR)
    make_directory (self);
}

/* How much of @length bytes from here on the item has. */
static gsize
rest_of (FwCfg *self, const Item *item, guint32 length)
{
  if (!item || self->offset >= item->size)
    return 0;
  return MIN (length, item->size - self->offset);
}

static void
advance (FwCfg *self, guint32 length)
{
  self->offset = length > G_MAXUINT32 - self->offset ? G_MAXUINT32 : self->offset + length;
}

/* Beyond its end an item reads as zeros. */
static guint64
read_data (FwCfg *self, guint size)
{
  const Item *item = find_key (self, self->key);
  gsize rest = rest_of (self, item, size);
  guint64 value = 0;

  if (rest > 0)
    memcpy (&value, item->bytes + self->offset, rest);
  advance (self, size);
  return value;
}

static gboolean
dma_read (FwCfg *self, guint64 address, guint32 length)
{
  const Item *item = find_key (self, self->key);
  guint8 *to = vmm_memory_at (self->parent.board->memory, address, length);
  gsize rest = rest_of (self, item, length);

  if (!to)
    return FALSE;
  if (rest > 0)
    memcpy (to, item->bytes + self->offset, rest);
  memset (to + rest, 0, length - rest);
  advance (self, length);
  return TRUE;
}

static gboolean
dma_write (FwCfg *self, guint64 address, guint32 length)
{
  Item *item = find_key (self, self->key);

  if (!item || !item->writable || rest_of (self, item, length) < length ||
      !vmm_memory_read (self->parent.board->memory, address, item->bytes + self->offset, length))
    return FALSE;
  advance (self, length);
  return TRUE;
}

static gboolean
dma_run (FwCfg *self, const DmaAccess *access)
{
  guint32 control = GUINT32_FROM_BE (access->control), length = GUINT32_FROM_BE (access->length);
  guint64 address = GUINT64_FROM_BE (access->address);

  if (control & DMA_SELECT)
    select_item (self, control >> 16);
  if (control & DMA_READ)
    return dma_read (self, address, length);
  if (control & DMA_WRITE)
    return dma_write (self, address, length);
  if (control & DMA_SKIP)
    advance (self, length);
  return TRUE;
}

/* The low half of the address starts it; the control field becomes 0, or the error. */
static void
dma_start (FwCfg *self)
{
  VmmMemory *memory = self->parent.board->memory;
  guint64 at = self->dma_address;
  DmaAccess access;

  self->dma_address = 0;
  if (!vmm_memory_read (memory, at, &access, sizeof access))
    return;
  access.control = GUINT32_TO_BE (dma_run (self, &access) ? 0 : DMA_ERROR);
  vmm_memory_write (memory, at, &access.control, sizeof access.control);
}

static void
write_dma (FwCfg *self, guint64 offset, guint size, guint64 value)
{
  if (offset == OFFSET_DMA_HIGH && size == 4) {
    self->dma_address = (guint64) GUINT32_FROM_BE (value) << 32;
  } else if (offset == OFFSET_DMA_LOW && size == 4) {
    self->dma_address |= GUINT32_FROM_BE (value);
    dma_start (self);
  } else if (offset == OFFSET_DMA_HIGH && size == 8) {
    self->dma_address = GUINT64_FROM_BE (value);
    dma_start (self);
  }
}

static guint64
fw_cfg_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  FwCfg *self = (FwCfg *) device;
  guint64 signature = GUINT64_TO_BE (DMA_SIGNATURE);

  if (offset == OFFSET_DATA)
    return read_data (self, size);
  if (offset >= OFFSET_DMA_HIGH && offset + size <= OFFSET_DMA_HIGH + sizeof signature)
    return signature >> 8 * (offset - OFFSET_DMA_HIGH);
  return G_MAXUINT64;
}

static void
fw_cfg_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  FwCfg *self = (FwCfg *) device;

  if (offset == OFFSET_SELECTOR && size == 2)
    select_item (self, value);
  else if (offset >= OFFSET_DMA_HIGH)
    write_dma (self, offset, size, value);
}

static const VmmBusOps fw_cfg_ops = { fw_cfg_read, fw_cfg_write };

static void
fw_cfg_reset (VmmDevice *device)
{
  FwCfg *self = (FwCfg *) device;

  self->key = 0;
  self->offset = 0;
  self->dma_address = 0;
}

static gboolean
fw_cfg_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  FwCfg *self = (FwCfg *) device;

  if (!vmm_bus_add (device->board->ports, VMM_FW_CFG_PORT, VMM_FW_CFG_N_PORTS, &fw_cfg_ops, device,
                    0, error))
    return FALSE;
  self->items = g_ptr_array_new_with_free_func (item_free);
  vmm_fw_cfg_set (device, VMM_FW_CFG_SIGNATURE, "QEMU", 4);
  vmm_fw_cfg_set_number (device, VMM_FW_CFG_ID, ID_TRADITIONAL | ID_DMA, 4);
  return TRUE;
}

static void
fw_cfg_unrealize (VmmDevice *device)
{
  FwCfg *self = (FwCfg *) device;

  vmm_bus_remove (device->board->ports, VMM_FW_CFG_PORT);
  g_ptr_array_unref (self->items);
  g_free (self->lazy);
}

const VmmDeviceClass vmm_fw_cfg_class = {
  .name = "fw-cfg",
  .instance_size = sizeof (FwCfg),
  .version = 1,
  .fields = fw_cfg_fields,
  .realize = fw_cfg_realize,
  .unrealize = fw_cfg_unrealize,
  .reset = fw_cfg_reset,
};
