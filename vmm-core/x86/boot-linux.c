/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Linux bzImage (Documentation/arch/x86/boot.rst): the protected-mode part into memory, the zero
 * page, and the 64-bit entry where the kernel has one, else the 32-bit entry.
 */
#include <asm/bootparam.h>
#include <string.h>
#include <sys/random.h>

#include "x86/boot-private.h"
#include "x86/memory-map.h"

#define SECTOR         512
#define BOOT_FLAG      0xaa55
#define MAGIC          0x53726448u /* "HdrS" */
#define OLDEST_VERSION 0x0206      /* the first to say how long a command line it takes */
#define LOADER_OTHER   0xff
#define ENTRY_64       0x200 /* from the start of the 32-bit code */

#define SETUP_HEADER 0x1f1
#define PAGE_PRESENT 0x1u
#define PAGE_WRITE   0x2u
#define PAGE_HUGE    0x80u

typedef struct {
  struct setup_data header;
  guint8 seed[32];
} RandomSeed;

static void
read_setup (const VmmBootHead *head, struct setup_header *setup)
{
  memcpy (setup, head->bytes + SETUP_HEADER, sizeof *setup);
}

gboolean
vmm_linux_is (const VmmBootHead *head)
{
  struct setup_header setup;

  read_setup (head, &setup);
  return setup.boot_flag == BOOT_FLAG && setup.header == MAGIC;
}

/* The header's length is told by the jump over it; what it does not reach stays zero. */
static gboolean
check_setup (const VmmBootConfig *config, struct setup_header *setup, GError **error)
{
  VmmBootHead head = { 0 };
  gsize end;

  head.length = MIN (config->kernel->size, sizeof head.bytes);
  if (!vmm_file_read (config->kernel, 0, head.bytes, head.length, error))
    return FALSE;
  end = 0x202 + (gsize) head.bytes[0x201];
  memset (head.bytes + end, 0, sizeof head.bytes - end);
  read_setup (&head, setup);
  if (setup->version < OLDEST_VERSION)
    return vmm_boot_fail (config->kernel, error,
                          "is a Linux kernel older than 2.6.22, which cannot be started directly.");
  if (!(setup->loadflags & LOADED_HIGH))
    return vmm_boot_fail (config->kernel, error,
                          "is a zImage, which cannot be started directly: use a bzImage.");
  if (setup->setup_sects == 0)
    setup->setup_sects = 4;
  return TRUE;
}

/* Where the kernel likes to be, but not below 1 MiB. Loaded lower, a kernel that can move unpacks
 * itself there all the same, and whatever its size then covers is its own. */
static gboolean
choose_address (const VmmBootConfig *config,
                const struct setup_header *setup,
                guint64 size,
                guint64 *address,
                guint64 *end,
                GError **error)
{
  gboolean has_place = setup->version >= 0x020a;
  guint64 wanted = has_place ? setup->pref_address : VMM_BOOT_KERNEL;
  guint64 needed = MAX (size, setup->init_size);

  *address = MAX (wanted, VMM_BOOT_KERNEL);
  if ((*address > wanted && !setup->relocatable_kernel) || needed > VMM_MEMORY_LOW_END ||
      *address > VMM_MEMORY_LOW_END - needed)
    return vmm_boot_fail (config->kernel, error,
                          "is made for a place in memory where no machine has any: its header is "
                          "broken, or it needs another loader.");
  *end = *address + needed;
  if (vmm_memory_at (config->memory, *address, needed))
    return TRUE;
  return vmm_boot_fail (config->kernel, error,
                        "needs at least %" G_GUINT64_FORMAT
                        " MiB of memory: give the machine more.",
                        (*end + (1 << 20) - 1) >> 20);
}

static gboolean
load_code (const VmmBootConfig *config,
           const struct setup_header *setup,
           guint64 *address,
           guint64 *end,
           GError **error)
{
  guint64 skip = ((guint64) setup->setup_sects + 1) * SECTOR;
  guint64 told = (guint64) setup->syssize * 16;

  if (config->kernel->size <= skip || config->kernel->size - skip < told)
    return vmm_boot_fail (config->kernel, error, "is cut short: copy it again.");
  return choose_address (config, setup, config->kernel->size - skip, address, end, error) &&
         vmm_file_load (config->kernel, skip, config->memory, *address, config->kernel->size - skip,
                        error);
}

static void
fill_map (const VmmBootConfig *config, struct boot_params *zero_page)
{
  VmmMapEntry entries[VMM_MAP_MAX_ENTRIES];

  zero_page->e820_entries = vmm_memory_map_fill (config->memory, entries);
  for (guint i = 0; i < zero_page->e820_entries; i++)
    zero_page->e820_table[i] =
      (struct boot_e820_entry) { entries[i].address, entries[i].size, entries[i].type };
}

/* Randomness for the kernel's first moments. Kernels that do not know it pass over it. */
static gboolean
put_seed (const VmmBootConfig *config, struct setup_header *setup)
{
  RandomSeed data = { .header = { .type = SETUP_RNG_SEED, .len = sizeof data.seed } };

  if (setup->version < 0x0209 ||
      getrandom (data.seed, sizeof data.seed, GRND_NONBLOCK) != sizeof data.seed)
    return TRUE;
  setup->setup_data = VMM_BOOT_SETUP_DATA;
  return vmm_memory_write (config->memory, VMM_BOOT_SETUP_DATA, &data, sizeof data);
}

/* The first 4 GiB at their own addresses, in pages of 2 MiB. */
static gboolean
put_page_tables (const VmmBootConfig *config)
{
  guint64 (*tables)[512] = vmm_memory_at (config->memory, VMM_BOOT_PAGE_TABLES, 6 * 4096);

  if (!tables)
    return FALSE;
  memset (tables, 0, 6 * 4096);
  tables[0][0] = (VMM_BOOT_PAGE_TABLES + 4096) | PAGE_PRESENT | PAGE_WRITE;
  for (guint i = 0; i < 4; i++)
    tables[1][i] = (VMM_BOOT_PAGE_TABLES + (2 + i) * 4096) | PAGE_PRESENT | PAGE_WRITE;
  for (guint64 i = 0; i < 4 * 512; i++)
    tables[2 + i / 512][i % 512] = (i << 21) | PAGE_PRESENT | PAGE_WRITE | PAGE_HUGE;
  return TRUE;
}

static gboolean
put_zero_page (const VmmBootConfig *config, struct setup_header *setup, GError **error)
{
  g_autofree struct boot_params *zero_page = g_new0 (struct boot_params, 1);

  setup->type_of_loader = LOADER_OTHER;
  setup->cmd_line_ptr = VMM_BOOT_CMDLINE;
  if (!put_seed (config, setup))
    return vmm_boot_fail (config->kernel, error, "needs more memory.");
  zero_page->hdr = *setup;
  zero_page->acpi_rsdp_addr = VMM_BOOT_ACPI;
  fill_map (config, zero_page);
  return vmm_memory_write (config->memory, VMM_BOOT_ZERO_PAGE, zero_page, sizeof *zero_page) ||
         vmm_boot_fail (config->kernel, error, "needs more memory.");
}

static gboolean
fill_entry (const VmmBootConfig *config,
            const struct setup_header *setup,
            guint64 address,
            VmmEntry *entry)
{
  entry->long_mode = setup->version >= 0x020c && (setup->xloadflags & XLF_KERNEL_64);
  entry->rip = address + (entry->long_mode ? ENTRY_64 : 0);
  entry->rsi = VMM_BOOT_ZERO_PAGE;
  entry->rsp = VMM_BOOT_STACK;
  entry->page_table = VMM_BOOT_PAGE_TABLES;
  return !entry->long_mode || put_page_tables (config);
}

gboolean
vmm_linux_load (const VmmBootConfig *config, VmmEntry *entry, GError **error)
{
  guint64 address = 0, end = 0, initrd, initrd_size;
  struct setup_header setup;

  if (!check_setup (config, &setup, error) || !load_code (config, &setup, &address, &end, error))
    return FALSE;
  if (!vmm_boot_put_cmdline (config, setup.cmdline_size ? setup.cmdline_size : 255, error) ||
      !vmm_boot_put_initrd (config, end, setup.initrd_addr_max, &initrd, &initrd_size, error))
    return FALSE;
  setup.code32_start = (guint32) address;
  setup.ramdisk_image = (guint32) initrd;
  setup.ramdisk_size = (guint32) initrd_size;
  if (!put_zero_page (config, &setup, error))
    return FALSE;
  return fill_entry (config, &setup, address, entry) ||
         vmm_boot_fail (config->kernel, error, "needs more memory.");
}
