/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdProbe: a table of marks, and a closer look at the few kinds that can be used.
 * Every length that the file claims is bounded before it is believed.
 *
 * Sources: the x86 boot protocol (Documentation/arch/x86/boot.rst in Linux), the ELF
 * specification, Xen's PVH note, Multiboot 0.6.96, ECMA-119, El Torito 1.0, QEMU's
 * docs/interop/qcow2.txt, UEFI 2.10 (GPT).
 *
 * Threads: any; it blocks.
 */
#include "library/vd-probe.h"
#include "library/vd-file.h"
#include "vd-error.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR          512
#define ISO_SECTOR      2048
#define MULTIBOOT_AREA  8192
#define MULTIBOOT_MAGIC 0x1badb002
#define MAX_SEGMENTS    64
#define MAX_NOTES       (64 * 1024) /* bytes */
#define PVH_NOTE        18          /* XEN_ELFNOTE_PHYS32_ENTRY */
#define EL_TORITO_BIOS  0x00
#define EL_TORITO_UEFI  0xef

typedef struct {
  VdProbeRead read;
  gpointer file;
  guint64 size;
  const char *name;
  guint8 head[MULTIBOOT_AREA];
  gsize n_head;
} Source;

static guint32
get32 (const guint8 *data)
{
  return data[0] | data[1] << 8 | data[2] << 16 | (guint32) data[3] << 24;
}

static guint32
get_be32 (const guint8 *data)
{
  return (guint32) data[0] << 24 | data[1] << 16 | data[2] << 8 | data[3];
}

static guint64
get_be64 (const guint8 *data)
{
  guint64 value = 0;

  for (guint i = 0; i < 8; i++)
    value = value << 8 | data[i];
  return value;
}

static gboolean
read_exactly (Source *self, guint64 offset, void *data, gsize length)
{
  return offset <= self->size && length <= self->size - offset &&
         self->read (self->file, offset, data, length) == length;
}

static gboolean
has_mark (Source *self, guint64 offset, const char *mark, gsize length)
{
  guint8 found[16];

  return length <= sizeof found && read_exactly (self, offset, found, length) &&
         memcmp (found, mark, length) == 0;
}

/* Formats that are recognised so that the sentence can name them. */
static const struct {
  guint64 offset;
  const char *mark;
  gsize length;
  const char *sentence;
} foreign[] = {
  { 0, "KDMV", 4, N_("it is a VMware disk; convert it with “qemu-img convert -O qcow2” first") },
  { 0, "# Disk Descriptor", 16,
    N_("it is a VMware disk; convert it with “qemu-img convert -O qcow2” first") },
  { 64, "\x7f\x10\xda\xbe", 4,
    N_("it is a VirtualBox disk; convert it with “qemu-img convert -O qcow2” first") },
  { 0, "vhdxfile", 8,
    N_("it is a Hyper-V disk; convert it with “qemu-img convert -O qcow2” first") },
  { 0, "conectix", 8,
    N_("it is a Virtual PC disk; convert it with “qemu-img convert -O qcow2” first") },
  { 0, "\x1f\x8b", 2, N_("it is compressed; unpack it first") },
  { 0,
    "\xfd"
    "7zXZ",
    5, N_("it is compressed; unpack it first") },
  { 0, "\x28\xb5\x2f\xfd", 4, N_("it is compressed; unpack it first") },
  { 0, "BZh", 3, N_("it is compressed; unpack it first") },
  { 0, "PK\x03\x04", 4, N_("it is an archive; unpack it first") },
  { 56, "ARM\x64", 4, N_("it is a kernel for ARM processors; machines here have x86-64 ones") },
  { 0, "070701", 6, N_("it is an initial RAM disk; choose its kernel") },
};

static gboolean
refuse (Source *self, const char *reason, GError **error)
{
  /* Translators: a file’s name, and a reason such as “it is compressed; unpack it first”. */
  g_set_error (error, VD_ERROR, VD_ERROR_UNSUPPORTED, _("“%s” cannot be used: %s."), self->name,
               reason);
  return FALSE;
}

static gboolean
is_bzimage (Source *self)
{
  return self->n_head >= 0x210 && self->head[0x1fe] == 0x55 && self->head[0x1ff] == 0xaa &&
         memcmp (self->head + 0x202, "HdrS", 4) == 0;
}

static gboolean
is_multiboot (Source *self)
{
  for (gsize i = 0; i + 12 <= self->n_head; i += 4) {
    const guint8 *at = self->head + i;

    if (get32 (at) == MULTIBOOT_MAGIC && get32 (at) + get32 (at + 4) + get32 (at + 8) == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
notes_have_pvh (const guint8 *notes, gsize length)
{
  while (length >= 12) {
    gsize n_name = get32 (notes), n_desc = get32 (notes + 4);
    gsize padded;

    if (n_name > length || n_desc > length)
      return FALSE;
    padded = 12 + ((n_name + 3) & ~(gsize) 3) + ((n_desc + 3) & ~(gsize) 3);
    if (padded > length)
      return FALSE;
    if (get32 (notes + 8) == PVH_NOTE && n_name == 4 && memcmp (notes + 12, "Xen", 4) == 0)
      return TRUE;
    notes += padded;
    length -= padded;
  }
  return FALSE;
}

static gboolean
segment_has_pvh (Source *self, const Elf64_Phdr *segment)
{
  g_autofree guint8 *notes = NULL;

  if (segment->p_type != PT_NOTE || segment->p_filesz > MAX_NOTES)
    return FALSE;
  notes = g_malloc (segment->p_filesz + 1);
  return read_exactly (self, segment->p_offset, notes, segment->p_filesz) &&
         notes_have_pvh (notes, segment->p_filesz);
}

/* Every program is an ELF file; a kernel says where to enter it. */
static gboolean
is_pvh (Source *self)
{
  Elf64_Ehdr header;

  if (!read_exactly (self, 0, &header, sizeof header) || memcmp (header.e_ident, ELFMAG, 4) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64 ||
      header.e_phentsize != sizeof (Elf64_Phdr) || header.e_phnum > MAX_SEGMENTS)
    return FALSE;
  for (guint i = 0; i < header.e_phnum; i++) {
    Elf64_Phdr segment;

    if (header.e_phoff > self->size ||
        !read_exactly (self, header.e_phoff + i * sizeof segment, &segment, sizeof segment))
      return FALSE;
    if (segment_has_pvh (self, &segment))
      return TRUE;
  }
  return FALSE;
}

/* Whether the boot catalog has an entry for UEFI and none for BIOS. */
static gboolean
is_uefi_iso (Source *self)
{
  guint8 record[ISO_SECTOR], catalog[ISO_SECTOR];
  gboolean bios, uefi = FALSE;

  if (!read_exactly (self, 17 * ISO_SECTOR, record, sizeof record) ||
      memcmp (record + 7, "EL TORITO SPECIFICATION", 23) != 0 ||
      !read_exactly (self, (guint64) get32 (record + 0x47) * ISO_SECTOR, catalog, sizeof catalog))
    return FALSE;
  bios = catalog[1] == EL_TORITO_BIOS && catalog[32] == 0x88;
  uefi = catalog[1] == EL_TORITO_UEFI && catalog[32] == 0x88;
  for (guint i = 64; i < sizeof catalog; i += 32) {
    if (catalog[i] == 0x90 || catalog[i] == 0x91) {
      uefi = uefi || catalog[i + 1] == EL_TORITO_UEFI;
      bios = bios || catalog[i + 1] == EL_TORITO_BIOS;
    }
  }
  return uefi && !bios;
}

/* A guest's image must not make us open another file of this computer. */
static gboolean
check_qcow2 (Source *self, GError **error)
{
  guint8 header[80];
  guint32 version;

  if (!read_exactly (self, 0, header, 72))
    return refuse (self, _("it is a qcow2 disk whose beginning is damaged"), error);
  version = get_be32 (header + 4);
  if (version < 2 || version > 3)
    return refuse (self, _("it is a qcow2 disk of an unknown version"), error);
  if (get_be64 (header + 8) != 0)
    return refuse (
      self,
      _("it needs another disk (its backing file); join them with “qemu-img convert -O "
        "qcow2” first"),
      error);
  if (get_be32 (header + 32) != 0)
    return refuse (self, _("it is encrypted; decrypt it with “qemu-img convert” first"), error);
  if (version == 3 && read_exactly (self, 72, header + 72, 8) && (header[79] & 4) != 0)
    return refuse (
      self,
      _("it keeps its data in another file; join them with “qemu-img convert -O qcow2” "
        "first"),
      error);
  return TRUE;
}

/* A partition table with the mark of a boot sector; GPT without boot code needs UEFI. */
static gboolean
is_raw_disk (Source *self, VdProbe *probe)
{
  if (self->size < 2 * SECTOR || self->head[510] != 0x55 || self->head[511] != 0xaa)
    return FALSE;
  probe->uefi_only = has_mark (self, SECTOR, "EFI PART", 8) && self->head[0] == 0;
  return TRUE;
}

static gboolean
look (Source *self, VdProbe *probe, GError **error)
{
  if (is_bzimage (self) || is_pvh (self)) {
    probe->medium = VD_MEDIUM_KERNEL;
    return TRUE;
  }
  if (has_mark (self, 16 * ISO_SECTOR + 1, "CD001", 5)) {
    probe->medium = VD_MEDIUM_ISO;
    probe->uefi_only = is_uefi_iso (self);
    return TRUE;
  }
  probe->medium = VD_MEDIUM_DISK;
  if (has_mark (self, 0, "QFI\xfb", 4)) {
    probe->format = VD_DISK_QCOW2;
    return check_qcow2 (self, error);
  }
  for (guint i = 0; i < G_N_ELEMENTS (foreign); i++)
    if (has_mark (self, foreign[i].offset, foreign[i].mark, foreign[i].length))
      return refuse (self, _(foreign[i].sentence), error);
  if (is_multiboot (self)) {
    probe->medium = VD_MEDIUM_KERNEL;
    return TRUE;
  }
  if (is_raw_disk (self, probe))
    return TRUE;
  return refuse (
    self, _("it is neither a kernel nor a disk image nor an ISO image that can be booted"), error);
}

gboolean
vd_probe_read (VdProbe *self,
               VdProbeRead read,
               gpointer file,
               guint64 size,
               const char *name,
               GError **error)
{
  g_autofree Source *source = g_new0 (Source, 1);

  *self = (VdProbe) { .format = VD_DISK_RAW };
  source->read = read;
  source->file = file;
  source->size = size;
  source->name = name;
  source->n_head = read (file, 0, source->head, MIN (size, sizeof source->head));
  if (source->n_head < SECTOR)
    return refuse (source, _("it is too short to be booted"), error);
  return look (source, self, error);
}

static gsize
read_fd (gpointer file, guint64 offset, void *data, gsize length)
{
  gsize done = 0;

  while (done < length) {
    gssize n = pread (GPOINTER_TO_INT (file), (char *) data + done, length - done, offset + done);

    if (n == 0 || (n < 0 && errno != EINTR))
      break;
    done += MAX (n, 0);
  }
  return done;
}

gboolean
vd_probe_file (VdProbe *self, const char *path, GError **error)
{
  /* Not blocking, so that a pipe in the place of a file cannot hold us. */
  g_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  g_autofree char *name = g_filename_display_basename (path);
  struct stat info;
  goffset size;

  if (fd < 0 || fstat (fd, &info) < 0) {
    vd_error_set_errno (error, errno, _("“%s” cannot be opened"), name);
    return FALSE;
  }
  if (!S_ISREG (info.st_mode) && !S_ISBLK (info.st_mode)) {
    g_set_error (error, VD_ERROR, VD_ERROR_UNSUPPORTED, _("“%s” is not a file."), name);
    return FALSE;
  }
  size = S_ISREG (info.st_mode) ? info.st_size : lseek (fd, 0, SEEK_END);
  return vd_probe_read (self, read_fd, GINT_TO_POINTER (fd), MAX (size, 0), name, error);
}
