/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ELF kernels: their segments into guest memory, and the PVH entry from their notes. 32 and 64 bits
 * are brought to one form first.
 */
#include <elf.h>
#include <string.h>

#include "x86/boot-private.h"

#define MAX_SEGMENTS     64
#define MAX_NOTES        (64 * 1024)
#define NOTE_PVH_ENTRY   18 /* XEN_ELFNOTE_PHYS32_ENTRY */
#define NOTE_ALIGN(size) (((size) + 3) & ~(gsize) 3)

typedef struct {
  guint64 entry;
  guint64 table_offset;
  guint n_segments;
  Elf64_Phdr segments[MAX_SEGMENTS];
} ElfHeader;

gboolean
vmm_elf_is (const VmmBootHead *head)
{
  return head->length >= sizeof (Elf32_Ehdr) && memcmp (head->bytes, ELFMAG, SELFMAG) == 0;
}

static gboolean
read_header_64 (const VmmFile *file, ElfHeader *header, GError **error)
{
  Elf64_Ehdr elf;

  if (!vmm_file_read (file, 0, &elf, sizeof elf, error))
    return FALSE;
  if (elf.e_machine != EM_X86_64 || elf.e_phentsize != sizeof (Elf64_Phdr) ||
      elf.e_phnum > MAX_SEGMENTS)
    return vmm_boot_fail (file, error, "is an ELF file, but not a kernel for this machine.");
  header->entry = elf.e_entry;
  header->n_segments = elf.e_phnum;
  return vmm_file_read (file, elf.e_phoff, header->segments, elf.e_phnum * sizeof (Elf64_Phdr),
                        error);
}

static void
widen (const Elf32_Phdr *from, Elf64_Phdr *to)
{
  *to = (Elf64_Phdr) {
    .p_type = from->p_type,
    .p_offset = from->p_offset,
    .p_paddr = from->p_paddr,
    .p_filesz = from->p_filesz,
    .p_memsz = from->p_memsz,
  };
}

static gboolean
read_header_32 (const VmmFile *file, ElfHeader *header, GError **error)
{
  Elf32_Phdr segments[MAX_SEGMENTS];
  Elf32_Ehdr elf;

  if (!vmm_file_read (file, 0, &elf, sizeof elf, error))
    return FALSE;
  if (elf.e_machine != EM_386 || elf.e_phentsize != sizeof (Elf32_Phdr) ||
      elf.e_phnum > MAX_SEGMENTS)
    return vmm_boot_fail (file, error, "is an ELF file, but not a kernel for this machine.");
  header->entry = elf.e_entry;
  header->n_segments = elf.e_phnum;
  if (!vmm_file_read (file, elf.e_phoff, segments, elf.e_phnum * sizeof (Elf32_Phdr), error))
    return FALSE;
  for (guint i = 0; i < header->n_segments; i++)
    widen (&segments[i], &header->segments[i]);
  return TRUE;
}

static gboolean
read_header (const VmmFile *file, ElfHeader *header, GError **error)
{
  guint8 ident[EI_NIDENT];

  if (!vmm_file_read (file, 0, ident, sizeof ident, error))
    return FALSE;
  if (ident[EI_DATA] == ELFDATA2LSB && ident[EI_CLASS] == ELFCLASS64)
    return read_header_64 (file, header, error);
  if (ident[EI_DATA] == ELFDATA2LSB && ident[EI_CLASS] == ELFCLASS32)
    return read_header_32 (file, header, error);
  return vmm_boot_fail (file, error, "is an ELF file, but not a kernel for this machine.");
}

/* File contents, then zeros. All of it above our own structures and inside RAM. */
static gboolean
load_segment (const VmmBootConfig *config,
              const Elf64_Phdr *segment,
              VmmElfImage *image,
              GError **error)
{
  guint8 *to;

  if (segment->p_memsz == 0)
    return TRUE;
  if (segment->p_paddr < VMM_BOOT_KERNEL || segment->p_filesz > segment->p_memsz)
    return vmm_boot_fail (config->kernel, error, "is broken, or wants to be loaded below 1 MiB.");
  to = vmm_memory_at (config->memory, segment->p_paddr, segment->p_memsz);
  if (!to)
    return vmm_boot_fail (config->kernel, error,
                          "does not fit into the machine's memory: give the machine more.");
  if (!vmm_file_read (config->kernel, segment->p_offset, to, segment->p_filesz, error))
    return FALSE;
  memset (to + segment->p_filesz, 0, segment->p_memsz - segment->p_filesz);
  image->end = MAX (image->end, segment->p_paddr + segment->p_memsz);
  return TRUE;
}

/* One note after another: three words, a name, a description, each padded to four bytes. */
static void
scan_notes (const guint8 *notes, gsize length, VmmElfImage *image)
{
  while (length >= sizeof (Elf64_Nhdr)) {
    Elf64_Nhdr note;
    gsize name_size, desc_size;

    memcpy (&note, notes, sizeof note);
    notes += sizeof note;
    length -= sizeof note;
    name_size = NOTE_ALIGN ((gsize) note.n_namesz);
    desc_size = NOTE_ALIGN ((gsize) note.n_descsz);
    if (name_size > length || desc_size > length - name_size)
      return;
    if (note.n_type == NOTE_PVH_ENTRY && note.n_namesz == 4 && memcmp (notes, "Xen", 4) == 0 &&
        note.n_descsz >= 4) {
      guint32 entry;

      memcpy (&entry, notes + name_size, sizeof entry);
      image->pvh_entry = entry;
    }
    notes += name_size + desc_size;
    length -= name_size + desc_size;
  }
}

static gboolean
read_notes (const VmmFile *file, const Elf64_Phdr *segment, VmmElfImage *image, GError **error)
{
  gsize length = MIN (segment->p_filesz, MAX_NOTES);
  g_autofree guint8 *notes = g_malloc (length);

  if (!vmm_file_read (file, segment->p_offset, notes, length, error))
    return FALSE;
  scan_notes (notes, length, image);
  return TRUE;
}

gboolean
vmm_elf_load (const VmmBootConfig *config, VmmElfImage *image, GError **error)
{
  g_autofree ElfHeader *header = g_new0 (ElfHeader, 1);

  memset (image, 0, sizeof *image);
  if (!read_header (config->kernel, header, error))
    return FALSE;
  image->entry = header->entry;
  for (guint i = 0; i < header->n_segments; i++) {
    const Elf64_Phdr *segment = &header->segments[i];

    if (segment->p_type == PT_LOAD && !load_segment (config, segment, image, error))
      return FALSE;
    if (segment->p_type == PT_NOTE && !read_notes (config->kernel, segment, image, error))
      return FALSE;
  }
  return image->end != 0 || vmm_boot_fail (config->kernel, error, "has nothing to be loaded.");
}
