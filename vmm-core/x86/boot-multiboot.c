/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Multiboot kernels (Multiboot Specification 0.6.96): 32 bits, EAX the magic number, EBX at the
 * information.
 */
#include <string.h>

#include "x86/boot-private.h"
#include "x86/memory-map.h"

#define HEADER_MAGIC 0x1badb002u
#define BOOT_MAGIC   0x2badb002u

#define WANTS_KNOWN     0x0007u /* aligned modules, memory, and a video mode, which may stay unset */
#define WANTS_MANDATORY 0xffffu
#define HAS_ADDRESSES   0x10000u

#define INFO_MEMORY  0x001u
#define INFO_CMDLINE 0x004u
#define INFO_MODULES 0x008u
#define INFO_MAP     0x040u
#define INFO_LOADER  0x200u

typedef struct {
  guint32 magic, flags, checksum;
  guint32 header_address, load_address, load_end, bss_end, entry;
} Header;

typedef struct {
  guint32 flags, memory_lower, memory_upper, boot_device, cmdline, n_modules, modules;
  guint32 symbols[4];
  guint32 map_length, map;
  guint32 drives_length, drives, config_table, loader_name;
} Info;

typedef struct {
  guint32 start, end, cmdline, reserved;
} Module;

/* The specification's entries begin with a size that does not count itself. */
typedef struct {
  guint32 size, address_low, address_high, length_low, length_high, type;
} MapEntry;

typedef struct {
  Info info;
  Module initrd;
  MapEntry map[VMM_MAP_MAX_ENTRIES];
  char loader[16];
  char empty[4];
} Information;

gboolean
vmm_multiboot_find (const VmmBootHead *head, guint *offset)
{
  for (guint at = 0; at + 12 <= head->length; at += 4) {
    guint32 words[3];

    memcpy (words, head->bytes + at, sizeof words);
    if (words[0] == HEADER_MAGIC && words[0] + words[1] + words[2] == 0) {
      *offset = at;
      return TRUE;
    }
  }
  return FALSE;
}

/* Where the file is no ELF file, the header names the addresses. */
static gboolean
load_flat (const VmmBootConfig *config,
           const Header *header,
           guint offset,
           VmmElfImage *image,
           GError **error)
{
  const VmmFile *kernel = config->kernel;
  guint64 skip, length, memory_length;
  guint8 *to;

  if (header->load_address < VMM_BOOT_KERNEL || header->header_address < header->load_address ||
      header->header_address - header->load_address > offset)
    return vmm_boot_fail (kernel, error, "has a multiboot header with impossible addresses.");
  skip = offset - (header->header_address - header->load_address);
  length =
    header->load_end ? (guint64) header->load_end - header->load_address : kernel->size - skip;
  memory_length = header->bss_end ? (guint64) header->bss_end - header->load_address : length;
  if (length > kernel->size - skip || memory_length < length || memory_length > G_MAXUINT32)
    return vmm_boot_fail (kernel, error, "has a multiboot header with impossible addresses.");
  to = vmm_memory_at (config->memory, header->load_address, memory_length);
  if (!to)
    return vmm_boot_fail (kernel, error,
                          "does not fit into the machine's memory: give the machine more.");
  if (!vmm_file_read (kernel, skip, to, length, error))
    return FALSE;
  memset (to + length, 0, memory_length - length);
  image->entry = header->entry;
  image->end = header->load_address + memory_length;
  return TRUE;
}

static void
fill_map (const VmmBootConfig *config, Information *information)
{
  VmmMapEntry entries[VMM_MAP_MAX_ENTRIES];
  guint n = vmm_memory_map_fill (config->memory, entries), n_regions;
  const VmmMemoryRegion *regions = vmm_memory_get_regions (config->memory, &n_regions);

  for (guint i = 0; i < n; i++)
    information->map[i] = (MapEntry) {
      .size = sizeof (MapEntry) - sizeof (guint32),
      .address_low = (guint32) entries[i].address,
      .address_high = (guint32) (entries[i].address >> 32),
      .length_low = (guint32) entries[i].size,
      .length_high = (guint32) (entries[i].size >> 32),
      .type = entries[i].type,
    };
  information->info.map = VMM_BOOT_INFO + G_STRUCT_OFFSET (Information, map);
  information->info.map_length = n * sizeof (MapEntry);
  information->info.memory_lower = (guint32) (VMM_BOOT_LOW_END / 1024);
  information->info.memory_upper = (guint32) ((regions[0].size - VMM_BOOT_KERNEL) / 1024);
}

static void
fill_module (Information *information, guint64 address, guint64 size)
{
  if (size == 0)
    return;
  information->initrd.start = (guint32) address;
  information->initrd.end = (guint32) (address + size);
  information->initrd.cmdline = VMM_BOOT_INFO + G_STRUCT_OFFSET (Information, empty);
  information->info.flags |= INFO_MODULES;
  information->info.n_modules = 1;
  information->info.modules = VMM_BOOT_INFO + G_STRUCT_OFFSET (Information, initrd);
}

static gboolean
start (const VmmBootConfig *config, const VmmElfImage *image, VmmEntry *entry, GError **error)
{
  Information information = {
    .info = { .flags = INFO_MEMORY | INFO_CMDLINE | INFO_MAP | INFO_LOADER,
              .cmdline = VMM_BOOT_CMDLINE,
              .loader_name = VMM_BOOT_INFO + G_STRUCT_OFFSET (Information, loader) },
    .loader = "VirtDesk",
  };
  guint64 address, size;

  if (!vmm_boot_put_cmdline (config, G_MAXUINT64, error) ||
      !vmm_boot_put_initrd (config, image->end, G_MAXUINT32, &address, &size, error))
    return FALSE;
  fill_map (config, &information);
  fill_module (&information, address, size);
  entry->rip = image->entry;
  entry->rax = BOOT_MAGIC;
  entry->rbx = VMM_BOOT_INFO;
  return vmm_memory_write (config->memory, VMM_BOOT_INFO, &information, sizeof information) ||
         vmm_boot_fail (config->kernel, error, "needs more memory.");
}

gboolean
vmm_multiboot_load (const VmmBootConfig *config,
                    const VmmBootHead *head,
                    guint offset,
                    const VmmElfImage *image,
                    VmmEntry *entry,
                    GError **error)
{
  VmmElfImage flat = { 0 };
  Header header = { 0 };

  memcpy (&header, head->bytes + offset, MIN (sizeof header, head->length - offset));
  if (header.flags & WANTS_MANDATORY & ~WANTS_KNOWN)
    return vmm_boot_fail (config->kernel, error,
                          "asks for multiboot features that are unknown here.");
  if (!image) {
    if (!(header.flags & HAS_ADDRESSES) || head->length - offset < sizeof header)
      return vmm_boot_fail (config->kernel, error,
                            "has a multiboot header, but neither says where it is to be loaded nor "
                            "is an ELF file.");
    if (!load_flat (config, &header, offset, &flat, error))
      return FALSE;
  }
  return start (config, image ? image : &flat, entry, error);
}
