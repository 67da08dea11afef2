/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC that starts with firmware: its ROM or flash below 4 GiB, and what it asks for by fw_cfg.
 *
 * Threads: control, with the vCPUs parked; make_tables on a vCPU's thread, fw_cfg locked.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chips/debug-port.h"
#include "chips/flash.h"
#include "chips/fw-cfg.h"
#include "chips/hpet.h"
#include "chips/lpc.h"
#include "chips/rtc.h"
#include "vmm-error.h"
#include "x86/apic-id.h"
#include "x86/memory-map.h"
#include "x86/pc-private.h"
#include "x86/smbios.h"

#define FLASH_END     VMM_MEMORY_HIGH
#define FLASH_ALIGN   4096
#define MAX_ROM_SIZE  (8u << 20)
#define BIOS_MAX_SIZE (256u << 10) /* so much has room from 0xc0000 to 1 MiB */
#define TABLES_SIZE   (64u << 10)
#define LOW_MEMORY    (G_GUINT64_CONSTANT (1) << 20)

/* CMOS bytes that firmware reads (SeaBIOS: src/hw/rtc.h; OVMF: PlatformPei/MemDetect.c). */
enum {
  CMOS_ABOVE_16M = 0x34, /* 16 bits, in 64 KiB */
  CMOS_ABOVE_4G = 0x5b,  /* 24 bits, in 64 KiB */
  CMOS_SMP_COUNT = 0x5f, /* processors beside the first */
};

static gboolean
fail (const char *path, const char *why, GError **error)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "The firmware “%s” cannot be used: %s.", path,
               why);
  return FALSE;
}

static gboolean
map_rom (VmmPc *self, int fd, const char *path, GError **error)
{
  struct stat info;

  if (fstat (fd, &info) < 0)
    return fail (path, g_strerror (errno), error);
  if (!S_ISREG (info.st_mode) || info.st_size == 0 || info.st_size % FLASH_ALIGN != 0 ||
      info.st_size > MAX_ROM_SIZE)
    return fail (path, "it is no image of a firmware", error);
  /* Not a copy: all machines share the pages of the file. */
  self->rom = mmap (NULL, info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (self->rom == MAP_FAILED) {
    self->rom = NULL;
    return fail (path, g_strerror (errno), error);
  }
  self->rom_size = info.st_size;
  return TRUE;
}

static gboolean
open_rom (VmmPc *self, GError **error)
{
  const char *path = self->config->firmware;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  gboolean ok;

  if (fd < 0)
    return fail (path, g_strerror (errno), error);
  ok = map_rom (self, fd, path, error);
  close (fd);
  return ok;
}

/* Code ends at 4 GiB; variables lie below it. */
static gboolean
add_flash (VmmPc *self, GError **error)
{
  VmmFlashConfig code = { .address = FLASH_END - self->rom_size,
                          .rom = self->rom,
                          .rom_size = self->rom_size };
  VmmFlashConfig variables = { 0 };

  if (!vmm_pc_add (self, &vmm_flash_class, "rom", &code, error))
    return FALSE;
  if (!self->config->nvram)
    return TRUE;
  variables.nvram =
    vmm_nvram_new (self->config->nvram, self->config->nvram_template, self->board.loop, error);
  if (!variables.nvram)
    return FALSE;
  variables.address = code.address - vmm_nvram_get_size (variables.nvram);
  return vmm_pc_add (self, &vmm_flash_class, "nvram", &variables, error) != NULL;
}

static gboolean
add_log (VmmPc *self, GError **error)
{
  const char *path = self->config->firmware_log;
  VmmDebugPortConfig config;

  if (!path)
    return TRUE;
  self->log_fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
  if (self->log_fd < 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO,
                 "The firmware's words cannot be written to “%s”: %s.", path, g_strerror (errno));
    return FALSE;
  }
  config.fd = self->log_fd;
  return vmm_pc_add (self, &vmm_debug_port_class, "debug-port", &config, error) != NULL;
}

static void
put_file (VmmPc *self, const char *name, const GByteArray *bytes)
{
  vmm_fw_cfg_set_file (self->fw_cfg, name, bytes->data, bytes->len);
}

/* Made when firmware asks for the script that places them: by then it has put PCI in order. Before
 * that it has read how large they are, so they are always as large. */
static void
make_tables (VmmDevice *fw_cfg, gpointer data)
{
  VmmPc *self = data;
  g_autoptr (VmmAcpi) acpi = vmm_pc_make_acpi (self);
  g_autoptr (GByteArray) script = vmm_acpi_loader (acpi);
  guint length = acpi->tables->len;

  g_byte_array_set_size (acpi->tables, MAX (length, TABLES_SIZE));
  memset (acpi->tables->data + length, 0, acpi->tables->len - length);
  put_file (self, VMM_ACPI_RSDP_FILE, acpi->rsdp);
  put_file (self, VMM_ACPI_TABLES_FILE, acpi->tables);
  put_file (self, VMM_ACPI_LOADER_FILE, script);
}

/* "etc/e820": address, length and type of all RAM, and of what nobody may use. */
static void
put_memory_map (VmmPc *self)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  VmmMapEntry entries[VMM_MAP_MAX_ENTRIES];
  guint n = vmm_memory_map_fill_firmware (self->board.memory, entries);

  for (guint i = 0; i < n; i++) {
    guint64 range[2] = { GUINT64_TO_LE (entries[i].address), GUINT64_TO_LE (entries[i].size) };
    guint32 type = GUINT32_TO_LE (entries[i].type);

    g_byte_array_append (bytes, (const guint8 *) range, sizeof range);
    g_byte_array_append (bytes, (const guint8 *) &type, sizeof type);
  }
  put_file (self, "etc/e820", bytes);
}

static void
put_smbios (VmmPc *self)
{
  const VmmSmbiosConfig config = { .uuid = self->config->uuid,
                                   .memory = self->config->memory,
                                   .topology = vmm_config_get_topology (self->config) };
  g_autoptr (GByteArray) tables = vmm_smbios_tables (&config);
  g_autoptr (GByteArray) anchor = vmm_smbios_anchor (tables, 0);

  put_file (self, VMM_SMBIOS_ANCHOR_FILE, anchor);
  put_file (self, VMM_SMBIOS_TABLES_FILE, tables);
}

static void
put_items (VmmPc *self)
{
  static const guint8 no_numa[8];
  VmmDevice *fw_cfg = self->fw_cfg;
  guint n_vcpus = self->config->n_vcpus;
  guint last_id = vmm_apic_id (vmm_config_get_topology (self->config), n_vcpus - 1);

  vmm_fw_cfg_set_number (fw_cfg, VMM_FW_CFG_RAM_SIZE, self->config->memory, 8);
  vmm_fw_cfg_set_number (fw_cfg, VMM_FW_CFG_NB_CPUS, n_vcpus, 2);
  vmm_fw_cfg_set_number (fw_cfg, VMM_FW_CFG_MAX_CPUS, last_id + 1, 2);
  vmm_fw_cfg_set_number (fw_cfg, VMM_FW_CFG_BOOT_MENU, 0, 2);
  vmm_fw_cfg_set (fw_cfg, VMM_FW_CFG_NUMA, no_numa, sizeof no_numa);
  put_memory_map (self);
  put_smbios (self);
  make_tables (fw_cfg, self);
  vmm_fw_cfg_set_select_func (fw_cfg, VMM_ACPI_LOADER_FILE, make_tables, self);
}

static gboolean
add_fw_cfg (VmmPc *self, GError **error)
{
  self->fw_cfg = vmm_pc_add (self, &vmm_fw_cfg_class, "fw-cfg", NULL, error);
  if (!self->fw_cfg)
    return FALSE;
  put_items (self);
  return TRUE;
}

gboolean
vmm_pc_add_firmware (VmmPc *self, GError **error)
{
  return open_rom (self, error) && add_flash (self, error) && add_fw_cfg (self, error) &&
         add_log (self, error) && vmm_pc_add (self, &vmm_hpet_class, "hpet", NULL, error) &&
         vmm_pc_add (self, &vmm_lpc_class.parent, "lpc", NULL, error) != NULL;
}

static void
put_cmos (VmmPc *self, guint reg, guint64 value, guint size)
{
  for (guint i = 0; i < size; i++)
    vmm_rtc_set_cmos (self->rtc, reg + i, value >> 8 * i);
}

static void
put_sizes (VmmPc *self)
{
  guint n;
  const VmmMemoryRegion *regions = vmm_memory_get_regions (self->board.memory, &n);
  guint64 low = regions[0].size, high = n > 1 ? regions[n - 1].size : 0;

  put_cmos (self, CMOS_ABOVE_16M, low > 16 * LOW_MEMORY ? (low >> 16) - 256 : 0, 2);
  put_cmos (self, CMOS_ABOVE_4G, high >> 16, 3);
  put_cmos (self, CMOS_SMP_COUNT, self->config->n_vcpus - 1, 1);
}

gboolean
vmm_pc_load_firmware (VmmPc *self, VmmEntry *entry, GError **error)
{
  memset (entry, 0, sizeof *entry);
  entry->firmware = TRUE;
  put_sizes (self);
  if (self->rom_size > BIOS_MAX_SIZE)
    return TRUE;
  /* A BIOS that finds itself there, in RAM, does not copy itself. */
  return vmm_memory_write (self->board.memory, LOW_MEMORY - self->rom_size, self->rom,
                           self->rom_size);
}

void
vmm_pc_free_firmware (VmmPc *self)
{
  if (self->rom)
    munmap (self->rom, self->rom_size);
  if (self->log_fd >= 0)
    close (self->log_fd);
}
