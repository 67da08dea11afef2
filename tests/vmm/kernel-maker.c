/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See kernel-maker.h.
 */
#include "kernel-maker.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <string.h>

#define SECTOR 512

void
kernel_poke (GByteArray *file, gsize offset, guint64 value, guint size)
{
  guint64 little_endian = GUINT64_TO_LE (value);

  g_assert_cmpuint (offset + size, <=, file->len);
  memcpy (file->data + offset, &little_endian, size);
}

static GByteArray *
new_zeroed (gsize length)
{
  GByteArray *file = g_byte_array_new ();

  g_byte_array_set_size (file, length);
  memset (file->data, 0, length);
  return file;
}

static void
append_code (GByteArray *file)
{
  gsize start = file->len;

  g_byte_array_set_size (file, start + KERNEL_CODE_SIZE);
  for (gsize i = 0; i < KERNEL_CODE_SIZE; i++)
    file->data[start + i] = i % 251;
}

GByteArray *
kernel_make_linux (guint16 version, gboolean long_mode)
{
  GByteArray *file = new_zeroed ((KERNEL_SETUP_SECTS + 1) * SECTOR);
  struct setup_header setup = {
    .setup_sects = KERNEL_SETUP_SECTS,
    .syssize = KERNEL_CODE_SIZE / 16,
    .boot_flag = 0xaa55,
    .jump = 0xeb | (sizeof setup - 0x11) << 8,
    .header = 0x53726448,
    .version = version,
    .loadflags = LOADED_HIGH,
    .initrd_addr_max = 0x7fffffff,
    .kernel_alignment = 0x200000,
    .relocatable_kernel = 1,
    .xloadflags = long_mode ? XLF_KERNEL_64 : 0,
    .cmdline_size = 2047,
    .pref_address = KERNEL_PREFERRED,
    .init_size = KERNEL_INIT_SIZE,
  };

  memcpy (file->data + 0x1f1, &setup, sizeof setup);
  append_code (file);
  return file;
}

GByteArray *
kernel_make_elf64 (gboolean with_pvh)
{
  GByteArray *file = new_zeroed (512);
  Elf64_Ehdr elf = {
    .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
    .e_type = ET_EXEC,
    .e_machine = EM_X86_64,
    .e_entry = KERNEL_ENTRY,
    .e_phoff = sizeof elf,
    .e_phentsize = sizeof (Elf64_Phdr),
    .e_phnum = with_pvh ? 2 : 1,
  };
  Elf64_Phdr load = { .p_type = PT_LOAD,
                      .p_offset = 512,
                      .p_paddr = KERNEL_SEGMENT,
                      .p_vaddr = 0xffffffff80200000,
                      .p_filesz = KERNEL_CODE_SIZE,
                      .p_memsz = KERNEL_CODE_SIZE + KERNEL_BSS };
  struct {
    Elf64_Nhdr header;
    char name[4];
    guint32 entry;
  } note = { { 4, 4, 18 }, "Xen", KERNEL_PVH_ENTRY };
  Elf64_Phdr notes = { .p_type = PT_NOTE, .p_offset = 256, .p_filesz = sizeof note };

  memcpy (file->data, &elf, sizeof elf);
  memcpy (file->data + sizeof elf, &load, sizeof load);
  memcpy (file->data + sizeof elf + sizeof load, &notes, sizeof notes);
  memcpy (file->data + 256, &note, sizeof note);
  append_code (file);
  return file;
}

static void
put_multiboot_header (GByteArray *file, gsize offset, guint32 flags)
{
  kernel_poke (file, offset, 0x1badb002, 4);
  kernel_poke (file, offset + 4, flags, 4);
  kernel_poke (file, offset + 8, (guint32) - (0x1badb002 + flags), 4);
}

GByteArray *
kernel_make_multiboot_elf32 (void)
{
  GByteArray *file = new_zeroed (512);
  Elf32_Ehdr elf = {
    .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
    .e_type = ET_EXEC,
    .e_machine = EM_386,
    .e_entry = KERNEL_ENTRY,
    .e_phoff = sizeof elf,
    .e_phentsize = sizeof (Elf32_Phdr),
    .e_phnum = 1,
  };
  Elf32_Phdr load = { .p_type = PT_LOAD,
                      .p_offset = 512,
                      .p_paddr = KERNEL_SEGMENT,
                      .p_filesz = KERNEL_CODE_SIZE,
                      .p_memsz = KERNEL_CODE_SIZE + KERNEL_BSS };

  memcpy (file->data, &elf, sizeof elf);
  memcpy (file->data + sizeof elf, &load, sizeof load);
  put_multiboot_header (file, 256, 0x3);
  append_code (file);
  return file;
}

/* The header is the first thing to be loaded. */
GByteArray *
kernel_make_multiboot_flat (void)
{
  GByteArray *file = new_zeroed (64);

  put_multiboot_header (file, 0, 0x10003);
  kernel_poke (file, 12, KERNEL_SEGMENT, 4);
  kernel_poke (file, 16, KERNEL_SEGMENT, 4);
  kernel_poke (file, 20, KERNEL_SEGMENT + 64 + KERNEL_CODE_SIZE, 4);
  kernel_poke (file, 24, KERNEL_SEGMENT + 64 + KERNEL_CODE_SIZE + KERNEL_BSS, 4);
  kernel_poke (file, 28, KERNEL_ENTRY, 4);
  append_code (file);
  return file;
}
